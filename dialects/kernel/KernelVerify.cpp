//===- KernelVerify.cpp - checks that kernel verifiers share ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the checks of ranks, extents and epilogues from which
// the verifiers of the kernel operations are made.

#include "dialects/kernel/KernelVerify.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven::kernel::verify {

ShapedType shaped(Value value) { return cast<ShapedType>(value.getType()); }

ArrayRef<int64_t> shapeOf(Value value) { return shaped(value).getShape(); }

LogicalResult verifyDestination(Operation *op, ValueRange out) {
  if (isa<TensorType>(out.front().getType())) {
    if (op->getResultTypes() != out.getTypes())
      return op->emitOpError("expects one result of the destination's type ")
             << out.getTypes();
    return success();
  }
  if (op->getNumResults() != 0)
    return op->emitOpError(
        "expects no result when the destination is a memref");
  return success();
}

LogicalResult verifyElementTypes(Operation *op) {
  Type first = getElementTypeOrSelf(op->getOperand(0));
  for (Value operand : op->getOperands())
    if (getElementTypeOrSelf(operand) != first)
      return op->emitOpError("C1: expects equal element types, got ")
             << first << " and " << getElementTypeOrSelf(operand);
  return success();
}

LogicalResult verifyComputeTypes(Operation *op) {
  Type first = getElementTypeOrSelf(op->getOperand(0));
  for (Value operand : op->getOperands())
    if (computeType(getElementTypeOrSelf(operand)) != computeType(first))
      return op->emitOpError("C1: expects element types that are computed in "
                             "one type, got ")
             << first << " and " << getElementTypeOrSelf(operand);
  return success();
}

LogicalResult verifyRank(Operation *op, StringRef name, Value value,
                         int64_t rank) {
  if (shaped(value).getRank() == rank)
    return success();
  return op->emitOpError("C1: expects '")
         << name << "' of rank " << rank << ", got " << value.getType();
}

LogicalResult verifyShape(Operation *op, StringRef constraint, StringRef name,
                          Value value, ArrayRef<int64_t> expected) {
  if (shapeOf(value) == expected)
    return success();
  InFlightDiagnostic diag = op->emitOpError() << constraint << ": expects '"
                                              << name << "' of shape [";
  llvm::interleaveComma(expected, diag);
  diag << "], got [";
  llvm::interleaveComma(shapeOf(value), diag);
  return diag << "]";
}

LogicalResult verifyEntries(Operation *op, StringRef constraint, StringRef name,
                            ArrayRef<int64_t> values, size_t count,
                            int64_t least) {
  if (values.size() != count)
    return op->emitOpError()
           << constraint << ": expects '" << name << "' to have " << count
           << " entries, got " << values.size();
  for (int64_t value : values)
    if (value < least)
      return op->emitOpError()
             << constraint << ": expects the entries of '" << name
             << "' to be >= " << least << ", got " << value;
  return success();
}

LogicalResult verifyWindow(Operation *op, StringRef constraint, int64_t extent,
                           int64_t out, int64_t stride, int64_t dilation,
                           int64_t kernel) {
  int64_t needed = (out - 1) * stride + (kernel - 1) * dilation + 1;
  if (out == 0 || extent >= needed)
    return success();
  return op->emitOpError() << constraint
                           << ": expects a padded input extent of at least "
                           << needed << ", got " << extent;
}

LogicalResult verifyEpilogue(Operation *op, StringRef constraint,
                             ValueRange operands, Value out, int64_t channels,
                             Region &body) {
  return verifyEpilogue(op, constraint, operands, shapeOf(out), out, channels,
                        body);
}

LogicalResult verifyEpilogue(Operation *op, StringRef constraint,
                             ValueRange operands, ArrayRef<int64_t> full,
                             Value out, int64_t channels, Region &body) {
  for (Value operand : operands) {
    ArrayRef<int64_t> shape = shapeOf(operand);
    bool perChannel = shape.size() == 1 && shape[0] == channels;
    if (shape != full && !perChannel && !shape.empty())
      return op->emitOpError()
             << constraint
             << ": expects an epilogue operand of the destination's shape, of "
             << channels << " elements, or a scalar, got " << operand.getType();
  }
  if (body.empty()) {
    if (!operands.empty())
      return op->emitOpError(
          "epilogue: expects a region for the epilogue operands");
    return success();
  }
  Block &block = body.front();
  Type element = computeType(getElementTypeOrSelf(out));
  if (block.getNumArguments() != operands.size() + 1)
    return op->emitOpError("epilogue: expects ")
           << operands.size() + 1 << " region arguments, got "
           << block.getNumArguments();
  for (BlockArgument argument : block.getArguments())
    if (argument.getType() != element)
      return op->emitOpError("epilogue: expects region arguments of type ")
             << element << ", got " << argument.getType();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError(
        "epilogue: expects the region to end with kernel.yield");
  if (yield.getOperandTypes() != TypeRange(element))
    return op->emitOpError("epilogue: expects the region to yield ")
           << element << ", got " << yield.getOperandTypes();
  return verifyElementwise(block, "an epilogue");
}

LogicalResult verifyElementwise(Block &block, StringRef what) {
  for (Operation &inner : block.without_terminator())
    if (!OpTrait::hasElementwiseMappableTraits(&inner) &&
        !matchPattern(&inner, m_Constant()))
      return inner.emitOpError("is not elementwise, so it cannot stand in ")
             << what;
  return success();
}

} // namespace graven::kernel::verify
