//===- Libm.cpp - calls of libm's functions ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the call of a libm function on f64 for a scalar or for
// each element of a vector, and the function's declaration.
//===----------------------------------------------------------------------===//
#include "passes/math/Libm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace graven::elementary {

/// The declaration, or null where the name is taken by something else.
static func::FuncOp declare(PatternRewriter &rewriter, Operation *op,
                            StringRef name, FunctionType type) {
  Operation *table = SymbolTable::getNearestSymbolTable(op);
  if (Operation *known = SymbolTable::lookupSymbolIn(table, name)) {
    auto function = dyn_cast<func::FuncOp>(known);
    bool isSame =
        function && function.isExternal() && function.getFunctionType() == type;
    return isSame ? function : func::FuncOp();
  }
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&table->getRegion(0).front());
  auto function = func::FuncOp::create(rewriter, op->getLoc(), name, type);
  function.setPrivate();
  return function;
}

FailureOr<Value> callLibm(PatternRewriter &rewriter, Operation *op,
                          StringRef name, ValueRange operands) {
  Location loc = op->getLoc();
  Type f64 = rewriter.getF64Type();
  SmallVector<Type> inputs(operands.size(), f64);
  func::FuncOp function =
      declare(rewriter, op, name, rewriter.getFunctionType(inputs, f64));
  if (!function)
    return failure();
  auto vector = dyn_cast<VectorType>(operands.front().getType());
  if (!vector)
    return func::CallOp::create(rewriter, loc, function, operands).getResult(0);
  SmallVector<ValueRange> elements;
  for (Value operand : operands)
    elements.push_back(
        vector::ToElementsOp::create(rewriter, loc, operand)->getResults());
  SmallVector<Value> results;
  for (int64_t i = 0; i < vector.getNumElements(); ++i) {
    SmallVector<Value> arguments;
    for (ValueRange range : elements)
      arguments.push_back(range[i]);
    results.push_back(
        func::CallOp::create(rewriter, loc, function, arguments).getResult(0));
  }
  return vector::FromElementsOp::create(rewriter, loc, vector, results)
      .getResult();
}

} // namespace graven::elementary
