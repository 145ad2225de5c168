//===- WeightSource.cpp - the elements of weights ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search for the Parameter behind the weights of a
// contraction, and its evaluation.
//===----------------------------------------------------------------------===//

#include "passes/graph/WeightSource.h"
#include "dialects/graven/eval/Evaluator.h"
#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {

/// The Node of a Parameter or constant; null for any other value.
static Operation *asSource(Value value) {
  Operation *source = value.getDefiningOp();
  return isa_and_nonnull<GetParamOp, ConstantOp>(source) ? source : nullptr;
}

Operation *sourceOfMatrix(Value matrix) {
  while (auto reshape = matrix.getDefiningOp<ReshapeOp>())
    matrix = reshape->getOperand(0);
  Operation *source = matrix.getDefiningOp();
  if (isa_and_nonnull<ConcatOp>(source) &&
      llvm::all_of(source->getOperands(),
                   [](Value operand) { return asSource(operand); }))
    return source;
  return asSource(matrix);
}

Operation *sourceOfFilters(Value weights) {
  while (auto product = weights.getDefiningOp<MulOp>()) {
    RankedTensorType type = product.getType();
    auto isFactor = [&](Value v) {
      RankedTensorType factor = tensorType(v);
      return factor.getNumElements() == 1 ||
             (factor.getRank() == type.getRank() &&
              factor.getNumElements() == factor.getDimSize(0));
    };
    if (tensorType(product.getOperand(0)) == type &&
        isFactor(product.getOperand(1)))
      weights = product.getOperand(0);
    else if (tensorType(product.getOperand(1)) == type &&
             isFactor(product.getOperand(0)))
      weights = product.getOperand(1);
    else
      return nullptr;
  }
  return asSource(weights);
}

std::optional<eval::Tensor> readSource(Operation *source) {
  if (!source)
    return std::nullopt;
  ScopedDiagnosticHandler quiet(source->getContext(),
                                [](Diagnostic &) { return success(); });
  eval::Evaluator evaluator;
  SmallVector<eval::Tensor> parts;
  for (Value operand : source->getOperands()) {
    auto part = evaluator.runNode(operand.getDefiningOp(), {});
    if (failed(part))
      return std::nullopt;
    parts.push_back(part->front());
  }
  auto values = evaluator.runNode(source, parts);
  if (failed(values))
    return std::nullopt;
  return values->front();
}

} // namespace graven
