//===- Constants.cpp - constants and shape arithmetic ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of constants, ranges, masks, and of
// the ops that read extents.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Strings.h"

using namespace mlir;

namespace graven::onnx {

namespace {

Value listOf(NodeBuilder &n, Type elementType, ArrayRef<double> values) {
  eval::Tensor tensor(RankedTensorType::get(
      {static_cast<int64_t>(values.size())}, elementType));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.set(i, value);
  return n.constant(tensor);
}

LogicalResult buildConstant(NodeBuilder &n) {
  Builder &builder = n.getBuilder();
  int64_t values = llvm::count_if(
      ArrayRef<StringRef>{"value", "sparse_value", "value_float", "value_int",
                          "value_floats", "value_ints", "value_string",
                          "value_strings"},
      [&](StringRef name) { return n.hasAttr(name); });
  if (values != 1)
    return n.error(Code::BadGraph)
           << "has " << values << " values, expected one";
  if (const pb::TensorProto *tensor = n.tensorAttr("value"))
    return n.finish(n.tensor(*tensor));
  if (const pb::SparseTensorProto *tensor = n.sparseAttr("sparse_value"))
    return n.finish(n.tensor(*tensor));
  if (n.hasAttr("value_float"))
    return n.finish(
        n.scalar(builder.getF32Type(), n.floatAttr("value_float", 0)));
  if (n.hasAttr("value_int"))
    return n.finish(n.reshape(n.intList({n.intAttr("value_int", 0)}), {}));
  if (auto values = n.floatsAttr("value_floats"))
    return n.finish(listOf(n, builder.getF32Type(), *values));
  if (auto values = n.intsAttr("value_ints"))
    return n.finish(n.intList(*values));
  auto texts = n.stringsAttr("value_strings");
  bool isOne = !texts && n.hasAttr("value_string");
  if (isOne)
    texts = {n.stringAttr("value_string", "")};
  if (texts) {
    n.setNarrow(0, stringType(n.getContext()));
    IntList shape(isOne ? 0 : 1, texts->size());
    return n.finish(numbersOf(n, shape, {texts->begin(), texts->end()}));
  }
  if (n.hasFailed())
    return failure();
  return n.error(Code::UnsupportedFeature)
         << "the value is not a tensor of numbers or strings";
}

LogicalResult buildConstantOfShape(NodeBuilder &n) {
  auto shape = n.ints(n.input(0), "the shape");
  if (!shape)
    return failure();
  for (int64_t extent : *shape)
    if (extent < 0)
      return n.error(Code::BadGraph) << "the shape has the extent " << extent;
  if (static_cast<int64_t>(shape->size()) > kMaxRank || !elementCount(*shape))
    return n.error(Code::BadGraph) << "the shape is too big";
  if (const pb::TensorProto *proto = n.tensorAttr("value")) {
    auto value = n.known(n.tensor(*proto));
    if (n.hasFailed())
      return failure();
    if (!value || value->size() != 1)
      return n.error(Code::BadGraph) << "value needs exactly one element";
    auto type = RankedTensorType::get(*shape, value->getElementType());
    Attribute element = *value->toElements().value_begin<Attribute>();
    return n.finish(ConstantOp::create(n.getBuilder(), n.getLoc(),
                                       DenseElementsAttr::get(type, element)));
  }
  return n.finish(
      n.splat(RankedTensorType::get(*shape, n.getBuilder().getF32Type()), 0));
}

LogicalResult buildShape(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t rank = n.rankOf(x);
  auto clampAxis = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  int64_t start = clampAxis(n.intAttr("start", 0)),
          end = clampAxis(n.intAttr("end", rank));
  IntList shape = n.shapeOf(x);
  ArrayRef<int64_t> part = start < end
                               ? ArrayRef(shape).slice(start, end - start)
                               : ArrayRef<int64_t>();
  if (!llvm::is_contained(part, ShapedType::kDynamic))
    return n.finish(n.intList(part));
  SmallVector<Value> extents;
  for (int64_t axis = start; axis < end; ++axis)
    extents.push_back(ShapedType::isDynamic(shape[axis])
                          ? n.reshape(n.make<DimOp>(x, axis), {1})
                          : n.intList({shape[axis]}));
  return n.finish(extents.size() == 1 ? extents.front()
                                      : n.make<ConcatOp>(extents, int64_t(0)));
}

LogicalResult buildSize(NodeBuilder &n) {
  Value product = n.reshape(n.intList({1}), {});
  for (int64_t axis = 0, e = n.rankOf(n.input(0)); axis < e; ++axis)
    product = n.binary<MulOp>(product, n.make<DimOp>(n.input(0), axis));
  return n.finish(product);
}

LogicalResult buildRange(NodeBuilder &n) {
  auto start = n.floats(n.input(0), "the start"),
       limit = n.floats(n.input(1), "the limit"),
       delta = n.floats(n.input(2), "the step");
  if (!start || !limit || !delta)
    return failure();
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1)
    return n.error(Code::BadGraph) << "start, limit and step need one element";
  double count = std::ceil((limit->front() - start->front()) / delta->front());
  if (!(count > 0))
    count = 0;
  if (count > std::numeric_limits<int32_t>::max())
    return n.error(Code::UnsupportedFeature)
           << "the range has " << count << " elements";
  Type type = n.elementTypeOf(n.input(0));
  // Halves cannot count: stash_type says what does.
  Type own = type;
  if (type.isF16() || type.isBF16())
    own = elementTypeOf(n.getContext(), n.intAttr("stash_type", 1));
  if (!own)
    return n.error(Code::UnsupportedFeature)
           << "stash_type is " << n.intAttr("stash_type", 1);
  IntList shape{static_cast<int64_t>(count)};
  Value steps = n.make<IotaOp>(ValueRange(), shape, int64_t(0), own);
  if (delta->front() != 1)
    steps = n.binary<MulOp>(steps, n.cast(n.reshape(n.input(2), {}), own));
  if (start->front() != 0)
    steps = n.binary<AddOp>(steps, n.cast(n.reshape(n.input(0), {}), own));
  return n.finish(n.cast(steps, type));
}

/// rows - columns compared: the mask of a triangle or a diagonal.
Value compareAxes(NodeBuilder &n, int64_t rows, int64_t columns,
                  int64_t diagonal, ComparePredicate predicate) {
  Type type = n.getBuilder().getI64Type();
  Value column =
            n.make<IotaOp>(ValueRange(), IntList{1, columns}, int64_t(1), type),
        row = n.make<IotaOp>(ValueRange(), IntList{rows, 1}, int64_t(0), type);
  Value shift = n.reshape(n.intList({diagonal}), {});
  return n.compare(predicate, column, n.binary<AddOp>(row, shift));
}

LogicalResult buildEyeLike(NodeBuilder &n) {
  auto shape = n.staticShape(n.input(0));
  if (!shape)
    return failure();
  if (shape->size() != 2)
    return n.error(Code::BadGraph)
           << "input has rank " << shape->size() << ", expected 2";
  Type type = n.elementTypeOf(n.input(0));
  if (n.hasAttr("dtype"))
    type = elementTypeOf(n.getContext(), n.intAttr("dtype", 0));
  if (!type)
    return n.error(Code::UnsupportedFeature) << "dtype is not supported";
  return n.finish(n.cast(compareAxes(n, (*shape)[0], (*shape)[1],
                                     n.intAttr("k", 0), ComparePredicate::Eq),
                         type));
}

LogicalResult buildTrilu(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  int64_t diagonal = 0;
  if (n.input(1)) {
    auto given = n.oneInt(n.input(1), "k");
    if (!given)
      return failure();
    diagonal = *given;
  }
  if (!shape)
    return failure();
  if (shape->size() < 2)
    return n.error(Code::BadGraph)
           << "input has rank " << shape->size() << ", expected at least 2";
  int64_t rows = shape->end()[-2], columns = shape->end()[-1];
  diagonal = std::clamp(diagonal, -rows - 1, columns + 1);
  Value mask = compareAxes(n, rows, columns, diagonal,
                           n.flagAttr("upper", true) ? ComparePredicate::Ge
                                                     : ComparePredicate::Le);
  return n.finish(n.select(mask, x, n.scalar(n.elementTypeOf(x), 0)));
}

/// An index outside [-depth, depth) gives a row of off values.
LogicalResult buildOneHot(NodeBuilder &n) {
  Value indices = n.input(0), values = n.input(2);
  auto depths = n.floats(n.input(1), "depth");
  if (!depths)
    return failure();
  if (depths->size() != 1 || !(depths->front() >= 0) ||
      depths->front() > std::numeric_limits<int32_t>::max())
    return n.error(Code::BadGraph) << "depth is not one number >= 0";
  int64_t depth = static_cast<int64_t>(depths->front()),
          rank = n.rankOf(indices),
          axis = n.axis(n.intAttr("axis", -1), rank + 1);
  auto shape = n.staticShape(indices);
  if (!shape || n.hasFailed())
    return failure();
  Type type = n.getBuilder().getI64Type();
  indices = n.cast(indices, type);
  Value zero = n.scalar(type, 0), size = n.scalar(type, depth);
  Value wrapped = n.select(n.compare(ComparePredicate::Lt, indices, zero),
                           n.binary<AddOp>(indices, size), indices);
  shape->insert(shape->begin() + axis, 1);
  IntList line(rank + 1, 1);
  line[axis] = depth;
  Value isHot = n.compare(ComparePredicate::Eq, n.reshape(wrapped, *shape),
                          n.make<IotaOp>(ValueRange(), line, axis, type));
  Value off = n.reshape(n.slice(values, 0, 0, 1), {}),
        on = n.reshape(n.slice(values, 0, 1, 2), {});
  return n.finish(n.select(isHot, on, off));
}

} // namespace

void addConstants(OpTable &table) {
  table.add("Constant", 0, buildConstant);
  table.add("ConstantOfShape", 1, buildConstantOfShape);
  table.add("Shape", 1, buildShape);
  table.add("Size", 1, buildSize);
  table.add("Range", 3, buildRange);
  table.add("EyeLike", 1, buildEyeLike);
  table.add("Trilu", 1, buildTrilu);
  table.add("OneHot", 3, buildOneHot);
}

} // namespace graven::onnx
