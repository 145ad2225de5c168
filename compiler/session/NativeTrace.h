//===- NativeTrace.h - what the Nodes of native code give -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a run of native code that also gives the values of Nodes:
// those that are left at the end of the graph phase, each made an output.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_NATIVETRACE_H
#define COMPILER_SESSION_NATIVETRACE_H

#include "compiler/session/Session.h"
#include "passes/verify/Trace.h"

namespace graven {

/// Compiles and runs a model of static extents, which is changed. The kernels
/// are those of a compile without these outputs, but that what the kernel phase
/// would fuse across Nodes stays apart.
mlir::FailureOr<Trace> traceNative(Session &session, mlir::ModuleOp module,
                                   CompileOptions options,
                                   llvm::MutableArrayRef<rt::Array> inputs);

} // namespace graven

#endif // COMPILER_SESSION_NATIVETRACE_H
