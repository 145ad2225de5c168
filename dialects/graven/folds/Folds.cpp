//===- Folds.cpp - helpers of folders and canonicalizations ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what the folders of several op families share.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;

namespace graven {

bool isSplatOf(Attribute attr, double value) {
  auto elements = dyn_cast_if_present<DenseElementsAttr>(attr);
  if (!elements || elements.empty() || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType())) {
    double splat = elements.getSplatValue<APFloat>().convertToDouble();
    return splat == value && std::signbit(splat) == std::signbit(value);
  }
  APInt splat = elements.getSplatValue<APInt>();
  return splat == APInt(64, static_cast<int64_t>(value), /*isSigned=*/true)
                      .trunc(splat.getBitWidth());
}

bool isConstantSplat(Value value, double number) {
  DenseElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) &&
         isSplatOf(elements, number);
}

std::optional<int64_t> constantScalar(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() != 1 ||
      !isa<IntegerType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<APInt>().getSExtValue();
}

bool takeConstants(SmallVector<int64_t> &list, SmallVector<Value> &operands) {
  SmallVector<Value> rest;
  size_t next = 0;
  for (int64_t &entry : list) {
    if (!ShapedType::isDynamic(entry))
      continue;
    Value operand = operands[next++];
    auto constant = constantScalar(operand);
    if (constant && !ShapedType::isDynamic(*constant))
      entry = *constant;
    else
      rest.push_back(operand);
  }
  bool found = rest.size() != operands.size();
  operands = std::move(rest);
  return found;
}

} // namespace graven
