//===- Quantize.cpp - linear quantization ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of QuantizeLinear, DequantizeLinear and the
// products of quantized tensors, whose sums are exact.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Narrow.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Quantized.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// A type of quantized elements: one of the dialect's, or a narrow one, whose
/// storage the elements are.
struct Quantized {
  Type type;   ///< in the Graph
  Type narrow; ///< null when that is all

  bool isFloat() const { return isa<FloatType>(narrow ? narrow : type); }
  std::pair<double, double> range() const {
    auto integer = cast<IntegerType>(narrow ? narrow : type);
    double span = std::ldexp(1.0, static_cast<int>(integer.getWidth()));
    if (integer.isUnsigned())
      return {0, span - 1};
    return {-span / 2, span / 2 - 1};
  }
};

Quantized typeOfInput(NodeBuilder &n, size_t i) {
  return {n.elementTypeOf(n.input(i)), n.narrow(i)};
}

/// The type that an attribute names; an error when there is none.
std::optional<Quantized> typeOfAttr(NodeBuilder &n, StringRef name) {
  int64_t dataType = n.intAttr(name, 0);
  Type narrow = narrowTypeOf(n.getContext(), dataType);
  Type type =
      narrow ? storageOf(narrow) : elementTypeOf(n.getContext(), dataType);
  if (type)
    return Quantized{type, narrow};
  n.error(Code::UnsupportedFeature) << name << " is " << dataTypeName(dataType);
  return std::nullopt;
}

/// A scale or zero point, so that it broadcasts to x: of the whole tensor, of
/// each place of the axis, or of each block along it.
Value spread(NodeBuilder &n, Value scale, Value x) {
  auto shape = n.staticShape(scale), whole = n.staticShape(x);
  if (!shape || !whole)
    return {};
  if (shape->empty() || (shape->size() == 1 && shape->front() == 1))
    return n.reshape(scale, {});
  int64_t rank = whole->size(), axis = n.axis(n.intAttr("axis", 1), rank),
          block = n.intAttr("block_size", 0);
  if (n.hasFailed())
    return {};
  int64_t extent = (*whole)[axis];
  if (shape->size() == 1 && shape->front() == extent) {
    IntList line(rank, 1);
    line[axis] = extent;
    return n.reshape(scale, line);
  }
  IntList blocks = *whole;
  blocks[axis] = block > 0 ? llvm::divideCeil(extent, block) : 0;
  if (block <= 0 || *shape != blocks) {
    n.error(Code::BadGraph)
        << "a scale or zero point of type " << n.typeOf(scale)
        << " for a tensor of type " << n.typeOf(x) << " along axis " << axis
        << ", block_size " << block;
    return {};
  }
  IntList split = *shape, repeated = *shape, joined = *shape;
  split.insert(split.begin() + axis + 1, 1);
  repeated.insert(repeated.begin() + axis + 1, block);
  joined[axis] *= block;
  Value all = n.reshape(n.expand(n.reshape(scale, split), repeated), joined);
  return n.slice(all, axis, 0, extent);
}

/// x / scale, rounded, with the zero point (null for 0), as far as the type
/// goes.
Value quantized(NodeBuilder &n, Value ratio, Value zero, const Quantized &to,
                const Encoding &encoding) {
  Type f32 = n.getBuilder().getF32Type();
  if (to.isFloat()) {
    if (zero)
      ratio =
          n.binary<AddOp>(n.cast(ratio, f32), decode(n, zero, to.narrow, f32));
    return encode(n, ratio, to.narrow, encoding);
  }
  // Halves cannot hold the sums.
  Value y = n.cast(n.make<RoundOp>(ratio), f32);
  if (zero)
    y = n.binary<AddOp>(y, n.cast(zero, f32));
  auto [low, high] = to.range();
  return n.cast(n.make<ClampOp>(y, n.scalar(f32, low), n.scalar(f32, high)),
                to.type);
}

LogicalResult buildQuantize(NodeBuilder &n) {
  Value x = n.input(0), scale = spread(n, n.input(1), x);
  Type type = n.elementTypeOf(n.input(1));
  if (n.intAttr("precision", 0))
    type = elementTypeOf(n.getContext(), n.intAttr("precision", 0));
  if (n.narrow(1)) {
    scale = decode(n, scale, n.narrow(1), n.getBuilder().getF32Type());
    type = n.getBuilder().getF32Type();
  }
  if (!type || !isa<FloatType>(type))
    return n.error(Code::UnsupportedFeature)
           << "scale or precision is no float";
  Quantized to{IntegerType::get(n.getContext(), 8, IntegerType::Unsigned), {}};
  if (n.input(2))
    to = typeOfInput(n, 2);
  else if (n.intAttr("output_dtype", 0)) {
    auto given = typeOfAttr(n, "output_dtype");
    if (!given)
      return failure();
    to = *given;
  }
  if (to.isFloat() && !to.narrow)
    return n.error(Code::BadGraph) << "the zero point is of " << to.type;
  Value zero = n.input(2) ? spread(n, n.input(2), x) : Value();
  Encoding encoding;
  if (!n.flagAttr("saturate", true))
    encoding.overflow = Overflow::IsSpecial;
  Value ratio = n.binary<DivOp>(n.cast(x, type), n.cast(scale, type));
  n.setNarrow(0, to.narrow);
  return n.finish(quantized(n, ratio, zero, to, encoding));
}

} // namespace

Value centred(NodeBuilder &n, Value x, Value zero) {
  Type i32 = n.getBuilder().getI32Type();
  x = n.cast(x, i32);
  return zero ? n.binary<SubOp>(x, n.cast(zero, i32)) : x;
}

namespace {

LogicalResult buildDequantize(NodeBuilder &n) {
  Value x = n.input(0), scale = spread(n, n.input(1), x);
  Quantized from = typeOfInput(n, 0);
  Type f32 = n.getBuilder().getF32Type(), type = n.elementTypeOf(n.input(1));
  if (n.narrow(1)) {
    scale = decode(n, scale, n.narrow(1), f32);
    type = f32;
  }
  if (n.intAttr("output_dtype", 0)) {
    auto given = typeOfAttr(n, "output_dtype");
    if (!given || given->narrow)
      return n.hasFailed()
                 ? failure()
                 : LogicalResult(n.error(Code::UnsupportedFeature)
                                 << "output_dtype is " << given->narrow);
    type = given->type;
  }
  Value zero = n.input(2) ? spread(n, n.input(2), x) : Value();
  Value difference;
  if (from.isFloat()) {
    Type codes = from.narrow ? from.narrow : from.type;
    if (zero) {
      Quantized own = typeOfInput(n, 2);
      Type given = own.narrow ? own.narrow : own.type;
      if (given != codes)
        return n.error(Code::BadGraph) << "the zero point has type " << given
                                       << ", expected that of x, " << codes;
    }
    difference = decode(n, x, codes, type);
    if (zero)
      difference = n.binary<SubOp>(difference, decode(n, zero, codes, type));
  } else {
    difference = n.cast(centred(n, x, zero), type);
  }
  return n.finish(n.binary<MulOp>(difference, n.cast(scale, type)));
}

} // namespace

DynamicCodes quantizeDynamically(NodeBuilder &n, Value x) {
  Type f32 = n.getBuilder().getF32Type();
  IntList all = sequence(0, n.rankOf(x));
  Value none = n.scalar(f32, 0);
  Value high = n.binary<MaxOp>(n.reduce(x, ReduceKind::Max, all, false), none),
        low = n.binary<MinOp>(n.reduce(x, ReduceKind::Min, all, false), none);
  Value scale = n.binary<DivOp>(n.binary<SubOp>(high, low), n.scalar(f32, 255));
  Quantized to{IntegerType::get(n.getContext(), 8, IntegerType::Unsigned), {}};
  Value zero =
      quantized(n, n.binary<DivOp>(n.make<NegOp>(low), scale), {}, to, {});
  return {quantized(n, n.binary<DivOp>(x, scale), zero, to, {}), scale, zero};
}

namespace {

LogicalResult buildDynamicQuantize(NodeBuilder &n) {
  DynamicCodes made = quantizeDynamically(n, n.input(0));
  n.setOutput(1, made.scale);
  n.setOutput(2, made.zero);
  return n.finish(made.codes);
}

/// A zero point or scale of the rows of a matrix [.., M, K], when it is a list.
Value ofRows(NodeBuilder &n, Value list, Value matrix) {
  if (!list || n.rankOf(list) == 0)
    return list;
  auto shape = n.staticShape(list);
  if (!shape)
    return {};
  if (shape->size() > 1)
    return list;
  if (shape->front() == 1)
    return n.reshape(list, {});
  return n.rankOf(matrix) > 1 ? n.reshape(list, {shape->front(), 1}) : list;
}

} // namespace

Value exactProduct(NodeBuilder &n, Value a, Value aZero, Value b, Value bZero) {
  Value left = centred(n, a, ofRows(n, aZero, a)), right = centred(n, b, bZero);
  if (n.hasFailed())
    return {};
  if (n.rankOf(left) < 2 || n.rankOf(right) < 2) {
    n.error(Code::UnsupportedFeature) << "a vector as an operand";
    return {};
  }
  Value operands[] = {left, right};
  n.alignRanks(operands);
  return n.make<MatmulOp>(operands[0], operands[1], false, false);
}

namespace {

LogicalResult buildMatMulInteger(NodeBuilder &n) {
  return n.finish(
      exactProduct(n, n.input(0), n.input(2), n.input(1), n.input(3)));
}

/// The sums, rescaled and quantized with the scale and zero point of y.
Value requantize(NodeBuilder &n, Value sums, Value scale, size_t y) {
  if (n.narrow(y + 1) || !isa<IntegerType>(n.elementTypeOf(n.input(y + 1)))) {
    n.error(Code::UnsupportedFeature)
        << "results of " << n.elementTypeOf(n.input(y + 1));
    return {};
  }
  Type f32 = n.getBuilder().getF32Type();
  Value ratio = n.binary<DivOp>(n.cast(scale, f32), n.cast(n.input(y), f32));
  ratio = n.binary<MulOp>(n.cast(sums, f32), ratio);
  return quantized(n, ratio, n.input(y + 1), typeOfInput(n, y + 1), {});
}

LogicalResult buildQLinearMatMul(NodeBuilder &n) {
  Type f32 = n.getBuilder().getF32Type();
  Value sums = exactProduct(n, n.input(0), n.input(2), n.input(3), n.input(5));
  Value scale = n.binary<MulOp>(n.cast(ofRows(n, n.input(1), n.input(0)), f32),
                                n.cast(n.input(4), f32));
  return n.finish(requantize(n, sums, scale, 6));
}

/// A list of the output channels of a kernel of `rank` axes, before its others.
Value ofChannels(NodeBuilder &n, Value list, int64_t rank) {
  if (!list || n.rankOf(list) == 0 || !n.staticShape(list))
    return list;
  IntList line(rank, 1);
  line[0] = n.shapeOf(list)[0];
  return n.reshape(list, line);
}

/// An exact convolution: products of bytes are whole numbers of f64.
Value convolution(NodeBuilder &n, Value x, Value xZero, Value w, Value wZero) {
  auto window = readWindow(n, x, w);
  if (!window)
    return {};
  Type f64 = n.getBuilder().getF64Type();
  Value data = n.cast(centred(n, x, xZero), f64);
  Value kernel = n.cast(centred(n, w, ofChannels(n, wZero, n.rankOf(w))), f64);
  return n.cast(n.make<ConvOp>(data, kernel, Value(), window->strides,
                               window->dilations, window->pads,
                               n.intAttr("group", 1), Layout::Planar,
                               IntegerAttr()),
                n.getBuilder().getI32Type());
}

LogicalResult buildConvInteger(NodeBuilder &n) {
  return n.finish(
      convolution(n, n.input(0), n.input(2), n.input(1), n.input(3)));
}

LogicalResult buildQLinearConv(NodeBuilder &n) {
  Type f32 = n.getBuilder().getF32Type();
  // Of com.microsoft alone.
  bool isLast = n.flagAttr("channels_last");
  if (isLast)
    n.setInput(0, channelsFirst(n, n.input(0)));
  Value sums = convolution(n, n.input(0), n.input(2), n.input(3), n.input(5));
  if (!sums)
    return failure();
  int64_t rest = n.rankOf(sums) - 1;
  if (n.input(8))
    sums = n.binary<AddOp>(sums, ofChannels(n, n.input(8), rest));
  Value scale = n.binary<MulOp>(n.cast(n.input(1), f32),
                                n.cast(ofChannels(n, n.input(4), rest), f32));
  Value y = requantize(n, sums, scale, 6);
  return n.finish(isLast ? channelsLast(n, y) : y);
}

} // namespace

void addQuantization(OpTable &table) {
  table.add("QuantizeLinear", 2, buildQuantize, 10).reads = Codes::Understood;
  table.add("DequantizeLinear", 2, buildDequantize, 10).reads =
      Codes::Understood;
  table.add("DynamicQuantizeLinear", 1, buildDynamicQuantize);
  table.add("MatMulInteger", 2, buildMatMulInteger);
  table.add("ConvInteger", 2, buildConvInteger);
  table.add("QLinearMatMul", 8, buildQLinearMatMul);
  table.add("QLinearConv", 8, buildQLinearConv);
  table.add("com.microsoft/QLinearConv", 8, buildQLinearConv);
  table.add("com.microsoft/QuantizeLinear", 2, buildQuantize).reads =
      Codes::Understood;
  table.add("com.microsoft/DequantizeLinear", 2, buildDequantize).reads =
      Codes::Understood;
}

} // namespace graven::onnx
