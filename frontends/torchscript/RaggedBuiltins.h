//===- RaggedBuiltins.h - questions about ragged tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the interpreter knows of packed sequences, nested and
// complex tensors beside the operators that take them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_RAGGEDBUILTINS_H
#define FRONTENDS_TORCHSCRIPT_RAGGEDBUILTINS_H

#include "frontends/aten/Complex.h"
#include "frontends/aten/Ragged.h"
#include "frontends/torchscript/Builtins.h"

namespace graven::torch {

/// Answers a question about a Ragged first argument; declines other calls.
Given callRagged(Interpreter &in, llvm::StringRef name, CallArguments &call);
/// Answers a question about a complex first argument; declines other calls.
Given callComplex(Interpreter &in, llvm::StringRef name, CallArguments &call);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_RAGGEDBUILTINS_H
