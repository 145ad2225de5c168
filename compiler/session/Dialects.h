//===- Dialects.h - what a context of the compiler knows ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the dialects and passes that every tool registers.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_DIALECTS_H
#define COMPILER_SESSION_DIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace graven {

/// The dialects of every phase, with the interfaces that bufferization and
/// translation need.
void registerDialects(mlir::DialectRegistry &registry);

/// Those that only code for GPUs needs: they take a while to load.
void registerDeviceDialects(mlir::DialectRegistry &registry);

/// Graven's passes and phases, and the upstream ones that stand in its
/// pipelines.
void registerPasses();

} // namespace graven

#endif // COMPILER_SESSION_DIALECTS_H
