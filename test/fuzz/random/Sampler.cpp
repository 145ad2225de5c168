//===- Sampler.cpp - what a graph computes, and how surely ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the evaluation of Nodes on several samples.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Sampler.h"

#include "mlir/IR/SymbolTable.h"
#include "passes/verify/Comparison.h"
#include <cmath>

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {
namespace {

/// Loops that are drawn end sooner.
constexpr int64_t mostIterations = 32;

/// Some times the rounding of one operation.
double disturbanceOf(Type elementType) {
  if (elementType.isF64())
    return 4e-15;
  if (elementType.isF32())
    return 1e-6;
  return elementType.isF16() ? 1e-3 : 4e-3;
}

/// Whether native code gives the very bits that the evaluator gives for the
/// same operands.
bool isExact(Operation *node) {
  if (node->hasTrait<Movement>() ||
      isa<ConstantOp, GetParamOp, IotaOp, DimOp, NonzeroOp, NegOp, AbsOp,
          SignOp, CeilOp, FloorOp, RoundOp, ReluOp, NotOp, BitcastOp, MaxOp,
          MinOp, CompareOp, SelectOp, ClampOp, ArgReduceOp, TopKOp, MaxPoolOp>(
          node))
    return true;
  if (auto scatter = dyn_cast<ScatterNdOp>(node))
    return scatter.getKind() != ScatterKind::Add &&
           scatter.getKind() != ScatterKind::Mul;
  if (auto reduce = dyn_cast<ReduceOp>(node))
    return reduce.getKind() == ReduceKind::Max ||
           reduce.getKind() == ReduceKind::Min;
  return false;
}

/// Whether the policy leaves the sign of a result's zero open: it is reported,
/// no failure. Bits and quotients tell the two apart.
bool choosesZeros(Operation *node) {
  return isa<ReluOp, MaxOp, MinOp, ClampOp, ReduceOp, MaxPoolOp>(node);
}

} // namespace

Tensor Sampler::disturb(const Tensor &tensor) {
  if (!isa<FloatType>(tensor.getElementType()))
    return tensor;
  double most = disturbanceOf(tensor.getElementType());
  std::uniform_real_distribution<double> factor(1 - most, 1 + most);
  Tensor result(tensor.getType());
  for (int64_t i = 0; i < tensor.size(); ++i)
    result.set(i, tensor.getDouble(i) * factor(random));
  return disturbZeros(result);
}

Tensor Sampler::disturbZeros(const Tensor &tensor) {
  if (!isa<FloatType>(tensor.getElementType()))
    return tensor;
  Tensor result(tensor.getType());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    double value = tensor.getDouble(i);
    result.set(i, value == 0 && random() % 2 ? -value : value);
  }
  return result;
}

FailureOr<Sampler::Tensors>
Sampler::runBlock(Block &block, ArrayRef<Tensor> arguments, size_t sample) {
  for (auto [argument, tensor] :
       llvm::zip_equal(block.getArguments(), arguments))
    known[argument][sample] = tensor;
  for (Operation &node : block.without_terminator()) {
    FailureOr<Tensors> results = runNode(&node, sample);
    if (failed(results))
      return failure();
    for (auto [value, tensor] : llvm::zip_equal(node.getResults(), *results))
      known[value][sample] = tensor;
  }
  Tensors yielded;
  for (Value operand : block.getTerminator()->getOperands())
    yielded.push_back((*this)[operand][sample]);
  return yielded;
}

FailureOr<Sampler::Tensors>
Sampler::runLoop(LoopOp loop, ArrayRef<Tensor> operands, size_t sample) {
  int64_t trip = std::numeric_limits<int64_t>::max();
  if (loop.getTrip()) {
    trip = operands.front().getInt(0);
    operands = operands.drop_front();
  }
  bool goesOn = true;
  if (loop.getCond()) {
    goesOn = operands.front().getInt(0) != 0;
    operands = operands.drop_front();
  }
  Tensors carried(operands);
  std::vector<Tensors> slices;
  auto scalar =
      RankedTensorType::get({}, IntegerType::get(loop.getContext(), 64));
  int64_t iteration = 0;
  for (; iteration < trip && goesOn; ++iteration) {
    if (iteration == mostIterations)
      return loop.emitError("does not end");
    Tensor counter(scalar);
    counter.set(0, iteration);
    Tensors arguments{counter};
    llvm::append_range(arguments, carried);
    auto yielded = runBlock(loop.getBody().front(), arguments, sample);
    if (failed(yielded))
      return failure();
    goesOn = yielded->front().getInt(0) != 0;
    auto values = ArrayRef(*yielded).drop_front();
    carried.assign(values.begin(), values.begin() + carried.size());
    slices.emplace_back(values.begin() + carried.size(), values.end());
  }
  Tensors results = carried;
  for (auto [i, stacked] : llvm::enumerate(loop.getStacked())) {
    auto type = cast<RankedTensorType>(stacked.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.front() = iteration;
    Tensor stack(RankedTensorType::get(shape, type.getElementType()));
    for (int64_t k = 0; k < iteration; ++k)
      stack.copy(k * slices[k][i].size(), slices[k][i], 0, slices[k][i].size());
    results.push_back(stack);
  }
  return results;
}

FailureOr<Sampler::Tensors> Sampler::runNode(Operation *node, size_t sample) {
  Tensors operands;
  for (Value operand : node->getOperands())
    operands.push_back((*this)[operand][sample]);
  if (auto branch = dyn_cast<IfOp>(node))
    return runBlock(operands.front().getInt(0) ? branch.getThenBlock().front()
                                               : branch.getElseBlock().front(),
                    {}, sample);
  if (auto loop = dyn_cast<LoopOp>(node))
    return runLoop(loop, operands, sample);
  if (auto call = dyn_cast<CallOp>(node)) {
    auto graph = SymbolTable::lookupNearestSymbolFrom<GraphOp>(
        node, call.getCalleeAttr());
    return runBlock(graph.getBody().front(), operands, sample);
  }
  bool isDisturbed = sample > 0 && !isExact(node);
  // The error of a sum goes with its terms, not with what is left of them.
  if (isDisturbed && !node->hasTrait<Elementwise>())
    for (Tensor &operand : operands)
      operand = disturb(operand);
  eval::Evaluator evaluator;
  FailureOr<Tensors> results = evaluator.runNode(node, operands);
  if (succeeded(results) && isDisturbed)
    for (Tensor &result : *results)
      result = disturb(result);
  else if (succeeded(results) && sample > 0 && choosesZeros(node))
    for (Tensor &result : *results)
      result = disturbZeros(result);
  return results;
}

LogicalResult Sampler::run(Operation *node) {
  for (size_t sample = 0; sample < sampleCount; ++sample) {
    FailureOr<Tensors> results = runNode(node, sample);
    if (failed(results))
      return failure();
    for (auto [value, tensor] : llvm::zip_equal(node->getResults(), *results))
      known[value][sample] = tensor;
  }
  return success();
}

bool Sampler::isSure(Value value) const {
  const Samples &samples = (*this)[value];
  const Tensor &first = samples.front();
  Tolerance tolerance = toleranceOf(first.getElementType());
  tolerance.relative /= 2;
  tolerance.absolute /= 2;
  return llvm::all_of(llvm::drop_begin(samples), [&](const Tensor &other) {
    if (!isa<FloatType>(first.getElementType()))
      return first.getType() == other.getType() &&
             first.getBytes() == other.getBytes();
    return !differenceOf(first, other, tolerance);
  });
}

} // namespace graven::fuzz
