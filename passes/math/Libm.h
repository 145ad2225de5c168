//===- Libm.h - calls of libm's functions -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how an elementary function on f64 becomes calls of the
// function of that name in libm.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_LIBM_H
#define GRAVEN_PASSES_MATH_LIBM_H

#include "mlir/IR/PatternMatch.h"

namespace graven::elementary {

/// The function on f64 operands (scalars, or vectors of one type, of which
/// each element is a call of its own), declared in the symbol table around
/// `op`. Fails where the name belongs to something else.
mlir::FailureOr<mlir::Value> callLibm(mlir::PatternRewriter &rewriter,
                                      mlir::Operation *op, llvm::StringRef name,
                                      mlir::ValueRange operands);

} // namespace graven::elementary

#endif // GRAVEN_PASSES_MATH_LIBM_H
