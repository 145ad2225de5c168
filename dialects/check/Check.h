//===- Check.h - the check dialect ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the `check` dialect and the function that runs the tests
// of a module.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_CHECK_CHECK_H
#define DIALECTS_CHECK_CHECK_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/BuiltinOps.h"

#include "dialects/check/CheckDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/check/Check.h.inc"

namespace graven::check {

/// How far an element may lie from the expected one.
struct Tolerance {
  int64_t ulp = 0;
  double rtol = 0, atol = 0;
};

/// Runs every Graph of the module that has no inputs with the reference
/// evaluator. Fails after all of them have run if an expectation failed (each
/// is an error [GRV0401] at its op, got and expected), a Graph could not be
/// evaluated, or there is none.
llvm::LogicalResult runChecks(mlir::ModuleOp module);

} // namespace graven::check

#endif // DIALECTS_CHECK_CHECK_H
