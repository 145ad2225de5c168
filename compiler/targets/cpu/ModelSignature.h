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
#include <string>
#include <utility>

namespace graven::cpu {

/// One input or output: row-major, contiguous, static extents.
struct TensorSpec {
  /// As in the model, any bytes; empty when the model has no name for it.
  std::string name;
  /// f16, bf16, f32, f64, i1, or an integer of 8 to 64 bits, unsigned if ui.
  mlir::Type elementType;
  llvm::SmallVector<int64_t> extents;

  int64_t numElements() const;
};

struct ModelSignature {
  /// As the user gave it, any bytes; see symbolPrefix.
  std::string name;
  llvm::SmallVector<TensorSpec> inputs, outputs;
  /// Bytes; the workspace and the weights are aligned to 64.
  int64_t workspaceSize = 0;
  int64_t weightsSize = 0;
  /// Threads of the typed entry, at most 4095; 0 for one for each CPU.
  int64_t threads = 1;
  /// Facts such as {"source", "sha256:..."}, in this order; "compiler" and
  /// "cpu" are added. Nothing that differs between two compiles of one input.
  llvm::SmallVector<std::pair<std::string, std::string>> provenance;
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
