//===- GraphUtils.cpp - what the graph passes share -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements small questions about Values and small Nodes to build
// that several graph passes need.
//===----------------------------------------------------------------------===//

#include "passes/graph/GraphUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven {

bool isParameterValue(Value value) {
  constexpr size_t limit = 512;
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!pending.empty()) {
    Operation *node = pending.pop_back_val().getDefiningOp();
    if (!node || node->getNumRegions() > 0 || !isMemoryEffectFree(node))
      return false;
    if (!seen.insert(node).second)
      continue;
    if (seen.size() > limit)
      return false;
    llvm::append_range(pending, node->getOperands());
  }
  return true;
}

std::optional<double> splatOf(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || elements.empty() ||
      !elements.isSplat())
    return std::nullopt;
  Type element = elements.getElementType();
  if (auto type = dyn_cast<FloatType>(element)) {
    APFloat splat = elements.getSplatValue<APFloat>();
    bool lossy;
    splat.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    return splat.convertToDouble();
  }
  if (!isa<IntegerType>(element))
    return std::nullopt;
  APInt splat = elements.getSplatValue<APInt>();
  return element.isUnsignedInteger() || element.isInteger(1)
             ? static_cast<double>(splat.getZExtValue())
             : static_cast<double>(splat.getSExtValue());
}

Operation *soleUser(Value value) {
  Operation *user = nullptr;
  for (Operation *other : value.getUsers()) {
    if (user && other != user)
      return nullptr;
    user = other;
  }
  return user;
}

Value scalarConstant(OpBuilder &builder, Location loc, Type element,
                     double value, int64_t rank) {
  auto type = RankedTensorType::get(SmallVector<int64_t>(rank, 1), element);
  Attribute number =
      isa<FloatType>(element)
          ? Attribute(builder.getFloatAttr(element, value))
          : Attribute(IntegerAttr::get(element, static_cast<int64_t>(value)));
  return ConstantOp::create(
      builder, loc, cast<ElementsAttr>(DenseElementsAttr::get(type, number)));
}

Value reshaped(OpBuilder &builder, Location loc, Value value,
               ArrayRef<int64_t> shape) {
  if (tensorType(value).getShape() == shape)
    return value;
  return ReshapeOp::create(builder, loc, value, shape);
}

Value converted(OpBuilder &builder, Location loc, Value value, Type element) {
  if (tensorType(value).getElementType() == element)
    return value;
  return CastOp::create(builder, loc, value, element);
}

Type accumulatorType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  return element;
}

} // namespace graven
