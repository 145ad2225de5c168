//===- Kernel.h - the kernel dialect ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the kernel dialect and its operations, which are the
// structured kernels that passes/lower chooses and expands into loops.

#ifndef GRAVEN_DIALECTS_KERNEL_KERNEL_H
#define GRAVEN_DIALECTS_KERNEL_KERNEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace graven::kernel {

/// Channels of one block of the blocked layout NCHW16c.
inline constexpr int64_t kChannelBlock = 16;

/// Unit attribute of a function that an outlined kernel lives in.
inline constexpr llvm::StringLiteral kEntryAttr = "kernel.entry";

/// Unit attribute of the function argument that holds the weights blob.
inline constexpr llvm::StringLiteral kWeightsAttr = "graven.weights";

/// Makes the kernel operations bufferizable by one-shot bufferization.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

/// The type that a kernel computes in for elements stored as `element`: f32 for
/// f16 and bf16, else the type itself.
mlir::Type computeType(mlir::Type element);

namespace detail {
/// Reads of the inputs and writes of the destinations that are memrefs.
void addDestinationEffects(
    mlir::Operation *op,
    llvm::SmallVectorImpl<mlir::MemoryEffects::EffectInstance> &effects);
} // namespace detail
} // namespace graven::kernel

#include "dialects/kernel/KernelDialect.h.inc"
#include "dialects/kernel/KernelEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/kernel/Kernel.h.inc"

#endif // GRAVEN_DIALECTS_KERNEL_KERNEL_H
