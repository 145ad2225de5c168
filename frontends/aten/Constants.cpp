//===- Constants.cpp - values known at import ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ConstantEvaluator as a depth-first walk over the Nodes
// a value depends on, with an explicit stack, that runs the reference
// evaluator.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Constants.h"

#include "dialects/graven/Graven.h"

#include "llvm/ADT/DenseSet.h"

using namespace graven;
using namespace graven::aten;

/// Bigger tensors are data, not shape arithmetic.
static constexpr int64_t kMaxElements = 65536;

/// Whether a Node may be run: pure, static, small results.
static bool isEvaluable(mlir::Operation *op) {
  if (!op || op->getNumRegions() != 0 || !mlir::isa<EvaluateInterface>(op) ||
      !mlir::isMemoryEffectFree(op))
    return false;
  return llvm::all_of(op->getResultTypes(), [](mlir::Type t) {
    auto type = mlir::dyn_cast<mlir::RankedTensorType>(t);
    return type && type.hasStaticShape() &&
           type.getNumElements() <= kMaxElements;
  });
}

std::optional<eval::Tensor> ConstantEvaluator::evaluate(mlir::Value value) {
  llvm::SmallVector<mlir::Value> stack{value};
  while (!stack.empty()) {
    mlir::Value top = stack.back();
    if (known.contains(top)) {
      stack.pop_back();
      continue;
    }
    mlir::Operation *op = top.getDefiningOp();
    bool isUnknown = !isEvaluable(op);
    size_t waiting = stack.size();
    if (!isUnknown)
      for (mlir::Value operand : op->getOperands()) {
        isUnknown |= unknown.contains(operand);
        if (!known.contains(operand))
          stack.push_back(operand);
      }
    if (isUnknown) {
      unknown.insert(top);
      return std::nullopt;
    }
    if (stack.size() != waiting)
      continue;
    llvm::SmallVector<eval::Tensor> operands;
    for (mlir::Value operand : op->getOperands())
      operands.push_back(known.lookup(operand));
    eval::Evaluator evaluator;
    auto results = evaluator.runNode(op, operands);
    if (mlir::failed(results))
      return std::nullopt;
    for (auto [result, tensor] : llvm::zip(op->getResults(), *results))
      known[result] = tensor;
    stack.pop_back();
  }
  return known.lookup(value);
}

Value graven::aten::elementOf(const eval::Tensor &tensor, int64_t i) {
  mlir::Type type = tensor.getElementType();
  if (mlir::isa<mlir::FloatType>(type))
    return Value(tensor.getDouble(i));
  if (type.isInteger(1))
    return Value(tensor.getUnsigned(i) != 0);
  if (type.isUnsignedInteger())
    return Value(static_cast<int64_t>(tensor.getUnsigned(i)));
  return Value(tensor.getInt(i));
}

std::optional<Value> ConstantEvaluator::evaluateScalar(mlir::Value value) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  if (!type.hasStaticShape() || type.getNumElements() != 1)
    return std::nullopt;
  std::optional<eval::Tensor> tensor = evaluate(value);
  if (!tensor)
    return std::nullopt;
  return elementOf(*tensor, 0);
}
