//===- ImportOptions.h - what every importer may be told ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the options that all importers share: the element types
// and shapes of the model's inputs as the user states them with `--input`.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_IMPORTOPTIONS_H
#define FRONTENDS_IMPORTOPTIONS_H

#include "frontends/Decisions.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Types.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class MLIRContext;
} // namespace mlir

namespace graven {

/// One extent of an input: a number of elements, or dynamic (`?`, a symbol, or
/// what follows from one: `4*h`).
struct InputExtent {
  static constexpr int64_t kDynamic = -1;
  int64_t size = kDynamic; ///< elements, or kDynamic
  std::string symbol;      ///< name of a dynamic extent; empty for `?`
  bool isDynamic() const { return size == kDynamic; }
};

/// What the user says of one input: `NAME:f32[1,3,224,224]`. The name is the
/// model's own, or the position of the input in decimal.
///
/// A sequence of N tensors is `NAME:seq[N]`, and these are the inputs NAME.0 to
/// NAME.N-1; an optional that holds nothing is `NAME:none[]`. Positions of
/// these two count the model's inputs, those of tensors the Graph's.
struct InputSpec {
  std::string name;
  std::string elementType; ///< f16 bf16 f32 f64 i1 i8 u8 i16 i32 i64 str
  llvm::SmallVector<InputExtent, 4> shape;
  /// When set, the input is this constant and no input of the graph.
  mlir::DenseElementsAttr value = {};

  bool isSequence() const { return elementType == "seq"; }
  bool isAbsent() const { return elementType == "none"; }
};

/// What becomes of what a model writes beyond a run: its buffers and
/// attributes, and its inputs.
enum class StateMode : uint8_t {
  Initial, ///< each run begins with what the file holds; a warning says so
  Explicit ///< more inputs, and outputs NAME.next, behind the model's own
};

struct ImportOptions {
  std::vector<InputSpec> inputs;
  /// What known inputs of strings have instead: places in this list.
  std::vector<std::string> strings = {};
  StateMode state = StateMode::Initial;
  /// Decides dynamic extents: the number of elements for a symbol, or
  /// InputExtent::kDynamic to leave it. Without it all stay dynamic. Symbols of
  /// extents are noted on the graph either way (`graven.symbols`).
  std::function<int64_t(llvm::StringRef symbol)> extentOf = {};
  /// Unless empty, told of each symbol whose range the file states, before
  /// `extentOf` is asked about it: the least extent, and the greatest.
  std::function<void(llvm::StringRef symbol, int64_t least,
                     std::optional<int64_t> most)>
      noteRange = {};

  /// The extent that the Graph has where data decide one (`graven.prefix`), of
  /// at most `most`; asked for each in the order in which they are met. Without
  /// it, `most`.
  std::function<int64_t(int64_t most)> extentOfData = {};

  /// Told of the known numbers that the program compares. ONNX's importer keeps
  /// comparisons as Nodes, and tells of none.
  DecisionListener onDecision = {};

  /// What a Parameter of that name has instead of the file's own elements: a
  /// BlobAttr of a dense tensor of its type, or null to keep them.
  std::function<mlir::Attribute(llvm::StringRef name)> weightFor = {};

  /// Told of each operation that the program uses, as it is met, and whether
  /// there is a way to express it.
  std::function<void(llvm::StringRef operation, bool isKnown)> onUse = {};

  /// Told of the type of each named value of an ONNX model's own graph, as it
  /// is made; not of those whose elements are of a narrow type.
  std::function<void(llvm::StringRef name, mlir::RankedTensorType type)>
      noteValue = {};

  void noteUse(llvm::StringRef operation, bool isKnown) const {
    if (onUse)
      onUse(operation, isKnown);
  }

  mlir::Attribute weight(llvm::StringRef name) const {
    return weightFor ? weightFor(name) : mlir::Attribute();
  }

  /// The extent that a symbol has here, or what follows from one ("2*s+1");
  /// ShapedType::kDynamic for none.
  int64_t resolve(llvm::StringRef symbol) const;

  /// The spec of the tensor called `name` at position `index`, or null. A name
  /// wins over a position.
  const InputSpec *find(llvm::StringRef name, size_t index) const;
  /// What is said of a sequence or an optional, in the same way.
  const InputSpec *findForm(llvm::StringRef name, size_t index) const;
};

/// The name of a dynamic extent: its own, or, without one, `INPUT.AXIS`.
std::string symbolFor(llvm::StringRef symbol, llvm::StringRef input,
                      size_t axis);

/// Reads `NAME:f32[1,3,?,4*w]`; the last colon divides, so names may have
/// colons.
llvm::Expected<InputSpec> parseInputSpec(llvm::StringRef text);

/// The type a command line or file calls `f32`, `u8`, ...; null when there is
/// none of that name. Unsigned types are `ui8`, never signless.
mlir::Type parseElementType(mlir::MLIRContext *context, llvm::StringRef name);

} // namespace graven

#endif // FRONTENDS_IMPORTOPTIONS_H
