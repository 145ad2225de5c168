//===- Signature.h - what the outside sees of a model ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the signature of an artifact comes from graphs and
// their sizes.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_SIGNATURE_H
#define COMPILER_SESSION_SIGNATURE_H

#include "compiler/session/Sizes.h"
#include "compiler/targets/cpu/ModelSignature.h"
#include "dialects/graven/Graven.h"

namespace graven {

cpu::TensorSpec specOf(std::string name, mlir::Type type);

/// The graph's inputs and outputs; taken before the graph is lowered, because
/// lowering drops signs of types.
cpu::ModelSignature signatureOf(GraphOp graph, llvm::StringRef name);

/// Bytes that the main function of a module says under this attribute, 0 where
/// it does not.
int64_t bytesOf(mlir::ModuleOp module, llvm::StringRef attribute);

/// Everything that differs between the sizes goes into `signature`, which has
/// the tensors of the first; `codes` are the signatures of the code of all.
/// Reports outputs whose ranks differ, and extents that runs of several sizes
/// could not put together.
llvm::LogicalResult addSizes(cpu::ModelSignature &signature,
                             const SizedModel &model,
                             llvm::ArrayRef<cpu::ModelSignature> codes,
                             mlir::Location loc);

/// Notes the bytes of workspace that the code of a size needs; one with room
/// needs more for the tensors.
void setWorkspace(cpu::ModelSignature &signature, size_t size, int64_t bytes);

} // namespace graven

#endif // COMPILER_SESSION_SIGNATURE_H
