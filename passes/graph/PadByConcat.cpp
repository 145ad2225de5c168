//===- PadByConcat.cpp - pads by amounts of the run -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements pads as concats.
//===----------------------------------------------------------------------===//

#include "passes/graph/PadByConcat.h"
#include "passes/graph/ExtentFormulas.h"
#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {
namespace {

/// The amounts of one end of an axis, at each sample.
Tuple amountsOf(PadOp node, ArrayRef<Operation *> others,
                llvm::function_ref<int64_t(PadOp)> get) {
  Tuple amounts{get(node)};
  for (Operation *other : others)
    amounts.push_back(get(cast<PadOp>(other)));
  return amounts;
}

} // namespace

bool hasOtherAmounts(PadOp node, ArrayRef<Operation *> others) {
  return llvm::any_of(others, [&](Operation *other) {
    auto own = cast<PadOp>(other);
    return own.getLow() != node.getLow() || own.getHigh() != node.getHigh();
  });
}

std::optional<StringRef> whyNotByConcat(PadOp node,
                                        ArrayRef<Operation *> others) {
  if (!hasOtherAmounts(node, others))
    return std::nullopt;
  if (node.getMode() != PadMode::Constant)
    return StringRef("repeats other numbers of elements at other extents");
  auto crops = [](PadOp pad) {
    auto isNegative = [](int64_t amount) { return amount < 0; };
    return llvm::any_of(pad.getLow(), isNegative) ||
           llvm::any_of(pad.getHigh(), isNegative);
  };
  if (crops(node) || llvm::any_of(others, [&](Operation *other) {
        return crops(cast<PadOp>(other));
      }))
    return StringRef("crops at some extents");
  return std::nullopt;
}

Value padByConcat(OpBuilder &b, PadOp node, ArrayRef<Operation *> others,
                  llvm::function_ref<Value(ArrayRef<int64_t>)> find) {
  Location loc = node.getLoc();
  RankedTensorType type = node.getType();
  Type element = type.getElementType();
  Value fill = node.getValue() ? Value(node.getValue())
                               : scalarConstant(b, loc, element, 0, 0);
  Value value = node.getX();
  auto block = [&](int64_t axis, ArrayRef<int64_t> amounts) -> Value {
    SmallVector<int64_t> shape(tensorType(value).getShape());
    shape[axis] = varies(amounts) ? ShapedType::kDynamic : amounts.front();
    SmallVector<Value> dynamic;
    for (auto [i, extent] : llvm::enumerate(shape)) {
      if (!ShapedType::isDynamic(extent))
        continue;
      bool isAdded = static_cast<int64_t>(i) == axis;
      dynamic.push_back(isAdded ? find(amounts)
                                : DimOp::create(b, loc, value, i).getResult());
      if (!dynamic.back())
        return {};
    }
    return BroadcastOp::create(b, loc, RankedTensorType::get(shape, element),
                               fill, dynamic, shape, ArrayRef<int64_t>{});
  };
  auto isNone = [](ArrayRef<int64_t> amounts) {
    return llvm::all_of(amounts, [](int64_t amount) { return amount == 0; });
  };
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    Tuple low = amountsOf(node, others,
                          [&](PadOp pad) { return pad.getLow()[axis]; }),
          high = amountsOf(node, others,
                           [&](PadOp pad) { return pad.getHigh()[axis]; });
    SmallVector<Value> parts;
    if (!isNone(low))
      parts.push_back(block(axis, low));
    parts.push_back(value);
    if (!isNone(high))
      parts.push_back(block(axis, high));
    if (!llvm::all_of(parts, [](Value part) { return bool(part); }))
      return {};
    if (parts.size() > 1)
      value = ConcatOp::create(b, loc, parts, axis);
  }
  return value;
}

} // namespace graven
