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
inline constexpr int64_t kNewestOpset = 28, kOldestOpset = 7;

struct OpEntry {
  int64_t since;     ///< the schema version from which the builder is right
  int64_t until;     ///< the one at which it no longer is
  unsigned required; ///< inputs that must be present
  BuildFunction build;
};

/// The ops of the domain ai.onnx.
class OpTable {
public:
  /// All families.
  OpTable();

  void add(llvm::StringRef name, unsigned required, BuildFunction build,
           int64_t since = 1, int64_t until = kNewestOpset + 1) {
    entries[name].push_back({since, until, required, build});
  }

  /// The entry that holds at an opset; null when there is none.
  const OpEntry *find(llvm::StringRef name, int64_t opset) const;

private:
  llvm::StringMap<llvm::SmallVector<OpEntry, 1>> entries;
};

// The families (frontends/onnx/ops).
void addActivations(OpTable &table);
void addAttention(OpTable &table);
void addConstants(OpTable &table);
void addControl(OpTable &table);
void addConvolutions(OpTable &table);
void addCounted(OpTable &table);
void addDetection(OpTable &table);
void addEinsum(OpTable &table);
void addElementwise(OpTable &table);
void addIndexing(OpTable &table);
void addLosses(OpTable &table);
void addMatmul(OpTable &table);
void addMovement(OpTable &table);
void addNorms(OpTable &table);
void addPools(OpTable &table);
void addRecurrences(OpTable &table);
void addRecurrent(OpTable &table);
void addReductions(OpTable &table);
void addResize(OpTable &table);
void addShapes(OpTable &table);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPTABLE_H
