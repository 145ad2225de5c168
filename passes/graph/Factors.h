//===- Factors.h - products as sets of factors ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the view of a Value as a product, in which formulas are
// recognised however their multiplications are grouped.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_FACTORS_H
#define PASSES_GRAPH_FACTORS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace graven {

/// A Value as number * values[0] * values[1] * ..., of floats.
struct Product {
  double number = 1;
  llvm::SmallVector<mlir::Value, 4> values;

  /// Whether the number is `expected`, as close as a float of the element type
  /// can say.
  bool isTimes(double expected) const;
  /// Removes one occurrence of `value`; false if there is none.
  bool take(mlir::Value value);
};

/// Opens multiplications and divisions by constants, through Values with one
/// user only, and small powers.
Product productOf(mlir::Value value);

/// The Value and the constant of x + c, in either order.
struct Shifted {
  mlir::Value x;
  double number;
};
std::optional<Shifted> sumWithConstant(mlir::Value value);

/// Whether two numbers are the same but for rounding to a float.
bool nearlyEqual(double a, double b);

} // namespace graven

#endif // PASSES_GRAPH_FACTORS_H
