//===- Traits.cpp - folds that groups of ops share ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the folds that traits give to the ops that have them.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "llvm/Support/Threading.h"

using namespace mlir;

namespace graven {

OpFoldResult foldSelfInverse(Operation *op) {
  Operation *inner = op->getOperand(0).getDefiningOp();
  if (!inner || inner->getName() != op->getName() ||
      inner->getOperand(0).getType() != op->getResult(0).getType())
    return {};
  return inner->getOperand(0);
}

OpFoldResult foldProjection(Operation *op) {
  Value x = op->getOperand(0);
  Operation *inner = x.getDefiningOp();
  if (!inner || inner->getName() != op->getName() ||
      x.getType() != op->getResult(0).getType() ||
      inner->getAttrDictionary() != op->getAttrDictionary() ||
      inner->getNumOperands() != op->getNumOperands() ||
      inner->getOperands().drop_front() != op->getOperands().drop_front())
    return {};
  return x;
}

/// Most elements of a result: of ints, what shapes, axes and index lists have;
/// of floats, what scales have.
static constexpr int64_t maxInts = 1024, maxFloats = 16;
/// Most elements of an operand.
static constexpr int64_t maxOperand = 65536;

static bool isSmall(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return false;
  auto count = elementCount(tensor.getShape());
  return count && *count <= (isa<FloatType>(tensor.getElementType()) ? maxFloats
                                                                     : maxInts);
}

LogicalResult foldByEvaluation(Operation *op, ArrayRef<Attribute> operands,
                               SmallVectorImpl<OpFoldResult> &results) {
  auto evaluable = dyn_cast<EvaluateInterface>(op);
  if (!evaluable || !llvm::all_of(op->getResultTypes(), isSmall))
    return failure();
  SmallVector<eval::Tensor> tensors;
  for (Attribute operand : operands) {
    auto elements = dyn_cast_if_present<DenseElementsAttr>(operand);
    if (!elements || elements.getNumElements() > maxOperand)
      return failure();
  }
  for (Attribute operand : operands)
    tensors.push_back(
        eval::Tensor::fromElements(cast<DenseElementsAttr>(operand)));
  // An index out of range is an error of the run, not of the compiler. The
  // handler must not swallow what other threads report meanwhile.
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler silent(op->getContext(), [thread](Diagnostic &) {
    return success(llvm::get_threadid() == thread);
  });
  eval::Evaluator evaluator;
  auto values = evaluable.evaluate(tensors, evaluator);
  if (failed(values))
    return failure();
  for (auto [value, type] : llvm::zip(*values, op->getResultTypes()))
    if (value.getType() != type)
      return failure();
  for (const eval::Tensor &value : *values)
    results.push_back(value.toElements());
  return success();
}

} // namespace graven
