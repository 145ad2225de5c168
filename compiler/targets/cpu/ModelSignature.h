//===- ModelSignature.h - what a compiled model looks like ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ModelSignature, which names what crosses the border of a
// compiled model: its tensors, its workspace, its weights and where it comes
// from.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_MODELSIGNATURE_H
#define GRAVEN_COMPILER_TARGETS_CPU_MODELSIGNATURE_H

#include "mlir/IR/Types.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace graven::cpu {

/// One input or output: row-major, contiguous.
struct TensorSpec {
  /// As in the model, any bytes; empty when the model has no name for it.
  std::string name;
  /// f16, bf16, f32, f64, i1, or an integer of 8 to 64 bits, unsigned if ui.
  mlir::Type elementType;
  /// ShapedType::kDynamic where they follow from the symbols.
  llvm::SmallVector<int64_t> extents;
  /// The symbol of each dynamic extent, empty for a static one and for an
  /// output's that is no symbol itself; no entries where nothing is dynamic.
  llvm::SmallVector<std::string> symbols = {};
  /// The most of each extent that data decide in a run, -1 for others; no
  /// entries where there is none.
  llvm::SmallVector<int64_t> most = {};

  bool isDynamic() const;
  bool isCounted() const { return !most.empty(); }
  bool isCounted(size_t axis) const { return !most.empty() && most[axis] >= 0; }
  /// Only for static extents.
  int64_t numElements() const;
};

/// A named extent of the inputs and the range of its values.
struct SymbolSpec {
  static constexpr int64_t unbounded = INT64_MAX;
  std::string name;
  int64_t lowest = 1, highest = unbounded;
};

/// Code that takes several extents: GravenRoom of runtime.h.
struct RoomSpec {
  /// Without values, of a count.
  struct Function {
    int64_t symbol;
    std::vector<int64_t> values;
  };
  struct Count {
    std::string place;
    int64_t lowest, most;
  };
  struct Factor {
    int64_t axis, most, function;
  };
  /// Of each symbol.
  llvm::SmallVector<int64_t> lowest;
  std::vector<Function> functions;
  llvm::SmallVector<int64_t> passed;
  std::vector<Count> counts;
  /// For each input and then each output.
  std::vector<llvm::SmallVector<Factor>> factors;
  /// The tensors of the code itself: with what is passed, an axis for each
  /// factor of an output, and the counts.
  llvm::SmallVector<TensorSpec> inputs, outputs;
  /// Bytes of the workspace that are the code's own.
  int64_t workspaceSize = 0;
};

/// One extent of each symbol, or with room the highest ones, and what follows
/// from it.
struct SizeSpec {
  llvm::SmallVector<int64_t> extents;
  std::optional<RoomSpec> room;
  /// Extents of each input and output.
  llvm::SmallVector<llvm::SmallVector<int64_t>> inputs, outputs;
  int64_t workspaceSize = 0;
};

struct ModelSignature {
  /// As the user gave it, any bytes; see symbolPrefix.
  std::string name;
  llvm::SmallVector<TensorSpec> inputs, outputs;
  /// What dynamic extents are, and the sizes that there is code for, at least
  /// one; both empty for a model of static extents.
  llvm::SmallVector<SymbolSpec> symbols;
  std::vector<SizeSpec> sizes;
  /// The symbol along which a run may be put together from several, and for
  /// each input and then each output the extent of axis 0 for each unit of it.
  std::optional<unsigned> split;
  llvm::SmallVector<int64_t> splitUnits;
  /// Bytes, the most of all sizes; the workspace and the weights are aligned to
  /// 64.
  int64_t workspaceSize = 0;
  int64_t weightsSize = 0;
  /// Threads of the typed entry, at most 4095; 0 for one for each CPU.
  int64_t threads = 1;
  /// Facts such as {"source", "sha256:..."}, in this order; "compiler" and
  /// "cpu" are added. Nothing that differs between two compiles of one input.
  llvm::SmallVector<std::pair<std::string, std::string>> provenance;

  /// The same model with the extents and the workspace of one size only.
  ModelSignature atSize(size_t index) const;
};

/// The GRAVEN_* number of runtime.h for an element type, 0 for a type without
/// one.
int32_t dtypeOf(mlir::Type type);

/// `name` as a C identifier: other bytes become '_', a leading digit and names
/// that the runtime uses itself get "m_" in front, what is longer than 48 bytes
/// is cut and gets a hash. "" becomes "model". Never longer than 64 bytes.
std::string symbolPrefix(llvm::StringRef name);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_MODELSIGNATURE_H
