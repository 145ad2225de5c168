//===- OpTable.h - which builder makes which ONNX op ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the table of ONNX ops: name and version to the function
// that builds the graven Nodes.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPTABLE_H
#define FRONTENDS_ONNX_OPTABLE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

namespace graven::onnx {

class NodeBuilder;

/// Builds the Nodes of one ONNX node and gives its outputs to the NodeBuilder.
/// The first `required` inputs are present.
using BuildFunction = llvm::LogicalResult (*)(NodeBuilder &node);

/// The newest opset whose changes to the ops are known.
inline constexpr int64_t kNewestOpset = 28, kOldestOpset = 1;

/// What a builder does with the bytes of narrow types (Narrow.h).
enum class Codes {
  Refused,   ///< takes them for numbers: such an input is an error
  Moved,     ///< moves them as they are; its outputs are of input 0's type
  Understood ///< asks for their type, and says that of its outputs
};

struct OpEntry {
  int64_t since;     ///< the schema version from which the builder is right
  int64_t until;     ///< the one at which it no longer is
  unsigned required; ///< inputs that must be present
  BuildFunction build;
  Codes reads = Codes::Refused;
  bool takesLists = false; ///< sequences and optionals (Lists.h)
  /// Takes strings, of which it sees the numbers (Strings.h). What only moves
  /// elements does, too.
  bool takesStrings = false;
};

/// The ops; those of other domains than ai.onnx are called "domain/Op".
class OpTable {
public:
  /// All families.
  OpTable();

  /// The entry may be changed until the next one is added.
  OpEntry &add(llvm::StringRef name, unsigned required, BuildFunction build,
               int64_t since = 1, int64_t until = kNewestOpset + 1) {
    return entries[name].emplace_back(OpEntry{since, until, required, build});
  }
  /// Of all versions so far.
  void moveCodes(llvm::ArrayRef<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      for (OpEntry &entry : entries[name])
        entry.reads = Codes::Moved;
  }
  void takeStrings(llvm::ArrayRef<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      for (OpEntry &entry : entries[name])
        entry.takesStrings = true;
  }
  void takeLists(llvm::ArrayRef<llvm::StringRef> names) {
    for (llvm::StringRef name : names)
      for (OpEntry &entry : entries[name])
        entry.takesLists = true;
  }

  /// The entry that holds at an opset of a domain ("" for ai.onnx); null when
  /// there is none.
  const OpEntry *find(llvm::StringRef domain, llvm::StringRef name,
                      int64_t opset) const;

private:
  llvm::StringMap<llvm::SmallVector<OpEntry, 1>> entries;
};

// The families (frontends/onnx/ops).
void addActivations(OpTable &table);
void addAttention(OpTable &table);
void addClassics(OpTable &table);
void addConstants(OpTable &table);
void addContrib(OpTable &table);
void addContribAttention(OpTable &table);
void addContribGrouped(OpTable &table);
void addContribImages(OpTable &table);
void addContribProducts(OpTable &table);
void addContribQuantization(OpTable &table);
void addControl(OpTable &table);
void addConvolutions(OpTable &table);
void addCounted(OpTable &table);
void addDeformConv(OpTable &table);
void addDet(OpTable &table);
void addDetection(OpTable &table);
void addEinsum(OpTable &table);
void addEncoders(OpTable &table);
void addElementwise(OpTable &table);
void addIndexing(OpTable &table);
void addLosses(OpTable &table);
void addMatmul(OpTable &table);
void addMovement(OpTable &table);
void addNorms(OpTable &table);
void addPools(OpTable &table);
void addPreviews(OpTable &table);
void addQuantization(OpTable &table);
void addRandom(OpTable &table);
void addRecurrences(OpTable &table);
void addRecurrent(OpTable &table);
void addReductions(OpTable &table);
void addRegex(OpTable &table);
void addResize(OpTable &table);
void addSampling(OpTable &table);
void addScans(OpTable &table);
void addSequences(OpTable &table);
void addShapes(OpTable &table);
void addSignals(OpTable &table);
void addStrings(OpTable &table);
void addSupportVectors(OpTable &table);
void addTrees(OpTable &table);
void addVectorizer(OpTable &table);
void addWindows(OpTable &table);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPTABLE_H
