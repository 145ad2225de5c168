//===- Quantized.cpp - quantized tensors of a program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the making of quantized tensors: rounding by a scheme
// that is known or is found at run time, and tensors and packed weights as the
// archive holds them.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Quantized.h"

using namespace graven;
using namespace graven::torch;
using aten::Emitter;
using aten::ScalarType;
using llvm::StringRef;
using Kind = Value::Kind;
using PickleKind = PickleValue::Kind;

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

/// The least and the greatest integer of a quantized type.
static std::pair<double, double> rangeOf(ScalarType type) {
  switch (type) {
  case ScalarType::QUInt8:
    return {0, 255};
  case ScalarType::QInt8:
    return {-128, 127};
  default:
    return {-2147483648., 2147483647.};
  }
}

Value torch::quantized(Interpreter &in, const Value &numbers,
                       const Quantization &scheme) {
  if (!isTensor(numbers))
    return numbers;
  Emitter emit(in.builder(), in.location());
  auto [least, greatest] = rangeOf(scheme.type);
  float scale = scheme.scale;
  mlir::Type f32 = emit.builder.getF32Type();
  mlir::Value x = emit.cast(in.read(numbers), f32);
  // The zero point moves the range; the integers themselves are not needed.
  x = emit.unary<RoundOp>(emit.binary<MulOp>(x, double(1.0f / scale)));
  if (x)
    x = emit.make<ClampOp>(x, emit.scalar(f32, least - scheme.zeroPoint),
                           emit.scalar(f32, greatest - scheme.zeroPoint));
  x = emit.binary<MulOp>(x, double(scale));
  if (!x)
    return Value::unknown();
  auto result = std::make_shared<QuantizedTensor>();
  result->numbers = Value(aten::Tensor::make(x));
  result->scheme = scheme;
  return Value(std::shared_ptr<aten::Extension>(result));
}

Value torch::dynamicallyQuantized(Interpreter &in, const Value &numbers,
                                  bool hasReducedRange) {
  Emitter emit(in.builder(), in.location());
  mlir::Type f32 = emit.builder.getF32Type(), f64 = emit.builder.getF64Type();
  mlir::Value x = emit.cast(in.read(numbers), f32);
  aten::Shape axes;
  for (int64_t axis = 0; axis < Emitter::rank(x); ++axis)
    axes.push_back(axis);
  double greatest = hasReducedRange ? 127 : 255;
  // The range has zero in it.
  mlir::Value low = emit.binary<MinOp>(
      emit.cast(emit.reduce(ReduceKind::Min, x, axes, /*keep=*/false), f64), 0);
  mlir::Value high = emit.binary<MaxOp>(
      emit.cast(emit.reduce(ReduceKind::Max, x, axes, /*keep=*/false), f64), 0);
  mlir::Value scale =
      emit.binary<DivOp>(emit.binary<SubOp>(high, low), greatest);
  // A scale whose inverse is no f32 becomes 0.1.
  constexpr double kLeastScale = 2.9387358770557188e-39;
  scale = emit.where(emit.compare(ComparePredicate::Lt, scale, kLeastScale),
                     emit.full(f64, {}, 0.1), scale);
  // The zero point from the end of the range that is nearer to zero.
  mlir::Value below = emit.binary<DivOp>(low, scale);
  mlir::Value above = emit.binary<DivOp>(high, scale);
  mlir::Value fromBelow = emit.unary<NegOp>(below);
  mlir::Value fromAbove =
      emit.binary<SubOp>(emit.full(f64, {}, greatest), above);
  mlir::Value errorAbove =
      emit.binary<AddOp>(emit.unary<AbsOp>(above), greatest);
  mlir::Value zero = emit.where(
      emit.compare(ComparePredicate::Lt, emit.unary<AbsOp>(below), errorAbove),
      fromBelow, fromAbove);
  zero = emit.unary<RoundOp>(zero);
  if (!zero)
    return Value::unknown();
  zero = emit.cast(emit.make<ClampOp>(zero, emit.full(f64, {}, 0.0),
                                      emit.full(f64, {}, greatest)),
                   f32);
  scale = emit.cast(scale, f32);
  mlir::Value inverse = emit.binary<DivOp>(emit.full(f32, {}, 1.0), scale);
  x = emit.unary<RoundOp>(emit.binary<MulOp>(x, inverse));
  x = emit.binary<AddOp>(x, zero);
  if (!x)
    return Value::unknown();
  x = emit.make<ClampOp>(x, emit.scalar(f32, 0.0), emit.scalar(f32, 255.0));
  x = emit.binary<MulOp>(emit.binary<SubOp>(x, zero), scale);
  return x ? Value(aten::Tensor::make(x)) : Value::unknown();
}

//===----------------------------------------------------------------------===//
// What archives hold
//===----------------------------------------------------------------------===//

ScalarType torch::integersOf(ScalarType type) {
  return type == ScalarType::QUInt8  ? ScalarType::Byte
         : type == ScalarType::QInt8 ? ScalarType::Char
                                     : ScalarType::Int;
}

Value Interpreter::loadQuantized(const PickleTensor &tensor, StringRef path,
                                 StringRef folder) {
  const PickleQuantization &given = *tensor.quantization;
  PickleTensor integers = tensor;
  integers.unsupported.clear();
  integers.storage.type = integersOf(tensor.storage.type);
  auto load = [&](const PickleTensor &one, const llvm::Twine &name) {
    return parameters.load(one, name.str(), folder, /*isBuffer=*/true, current);
  };
  Value q = load(integers, path);
  if (!isTensor(q))
    return q;
  Emitter emit(builder(), current);
  mlir::Type f32 = builder().getF32Type();
  mlir::Value numbers = emit.cast(read(q), f32);
  auto result = std::make_shared<QuantizedTensor>();
  if (given.scales) {
    Value scales = load(*given.scales->tensor, path + ".scales");
    Value zeros = load(*given.zeroPoints->tensor, path + ".zero_points");
    if (!isTensor(scales) || !isTensor(zeros))
      return Value::unknown();
    aten::Shape shape(Emitter::rank(numbers), 1);
    shape[given.axis] = Emitter::shape(numbers)[given.axis];
    auto along = [&](const Value &value) {
      return emit.reshape(emit.cast(read(value), f32), shape);
    };
    numbers = emit.binary<MulOp>(emit.binary<SubOp>(numbers, along(zeros)),
                                 along(scales));
  } else {
    result->scheme = {tensor.storage.type, given.scale, given.zeroPoint};
    numbers =
        emit.binary<MulOp>(emit.binary<SubOp>(numbers, double(given.zeroPoint)),
                           double(float(given.scale)));
  }
  if (!numbers)
    return Value::unknown();
  result->numbers = Value(aten::Tensor::make(numbers));
  return Value(std::shared_ptr<aten::Extension>(result));
}

/// The int16 tensor in which a convolution's state has its geometry: the number
/// of axes, then for each of them stride, padding, dilation and padding of the
/// output, then groups and whether it is transposed.
static bool readWindow(Interpreter &in, const Value &geometry,
                       PackedWeights &weights) {
  if (!isTensor(geometry))
    return false;
  auto known = in.constants().evaluate(in.read(geometry));
  if (!known || known->getRank() != 1)
    return false;
  auto at = [&](int64_t i) { return known->getInt(i); };
  int64_t count = known->size();
  int64_t axes = count ? at(0) : 0;
  if (axes < 1 || axes > 3 || count != 3 + 4 * axes)
    return false;
  auto list = [&](int64_t part) {
    std::vector<Value> items;
    for (int64_t i = 0; i < axes; ++i)
      items.push_back(Value(int64_t(at(1 + part * axes + i))));
    return Value::makeList(std::move(items));
  };
  Value groups(int64_t(at(1 + 4 * axes)));
  weights.isTransposed = at(2 + 4 * axes) != 0;
  if (weights.isTransposed)
    weights.window = {list(0), list(1), list(3), groups, list(2)};
  else
    weights.window = {list(0), list(1), list(2), groups};
  return true;
}

Result Interpreter::loadPackedWeights(const PickleValue *value, StringRef path,
                                      StringRef folder) {
  auto weights = std::make_shared<PackedWeights>();
  Value result{std::shared_ptr<aten::Extension>(weights)};
  loaded[value] = result;
  Result state = mlir::failure();
  if (!value->items.empty())
    state = loadValue(value->items[0], path, folder, /*isBuffer=*/true);
  if (mlir::failed(state))
    return state;
  auto fail = [&]() -> Result {
    error(Code::BadPickle) << "the state of '" << path
                           << "' is not what PyTorch packs weights as";
    return mlir::failure();
  };
  const std::vector<Value> *items = state->items();
  if (!items)
    return fail();
  if (items->size() == 2) { // (weight, bias)
    weights->weight = (*items)[0];
    weights->bias = (*items)[1];
    return result;
  }
  // (version, [geometry, weight], [bias])
  if (items->size() != 3 || !(*items)[0].is(Kind::String) ||
      (*items)[0].string() != "2")
    return fail();
  const auto *tensors = (*items)[1].items(), *optional = (*items)[2].items();
  if (!tensors || tensors->size() != 2 || !optional || optional->size() != 1 ||
      !readWindow(*this, (*tensors)[0], *weights))
    return fail();
  weights->weight = (*tensors)[1];
  weights->bias = optional->front();
  return result;
}
