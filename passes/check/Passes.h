//===- Passes.h - passes that check modules -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes that test a module and leave it as it is.
//===----------------------------------------------------------------------===//

#ifndef PASSES_CHECK_PASSES_H
#define PASSES_CHECK_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace graven {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/check/Passes.h.inc"

} // namespace graven

#endif // PASSES_CHECK_PASSES_H
