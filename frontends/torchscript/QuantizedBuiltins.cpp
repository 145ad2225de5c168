//===- QuantizedBuiltins.cpp - operators of quantized tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators of `quantized::`, and the operators of
// `aten::` on quantized tensors: each is the operator on the numbers, its
// result rounded by the scheme that it is given or that its operand has.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Quantized.h"

using namespace graven;
using namespace graven::torch;
using aten::ScalarType;
using llvm::StringRef;
using Kind = Value::Kind;

Value torch::numbersOf(const Value &value) {
  if (QuantizedTensor *tensor = quantizedIn(value))
    return tensor->numbers;
  if (!value.is(Kind::List) || !llvm::any_of(value.list().items, quantizedIn))
    return value;
  Value list = Value::makeList();
  for (const Value &item : value.list().items)
    list.list().items.push_back(numbersOf(item));
  return list;
}

QuantizedTensor *torch::firstQuantized(const CallArguments &call) {
  auto find = [](const Value &value) -> QuantizedTensor * {
    if (QuantizedTensor *tensor = quantizedIn(value))
      return tensor;
    if (value.is(Kind::List))
      for (const Value &item : value.list().items)
        if (QuantizedTensor *tensor = quantizedIn(item))
          return tensor;
    return nullptr;
  };
  for (const Value &value : call.positional)
    if (QuantizedTensor *tensor = find(value))
      return tensor;
  for (const auto &[name, value] : call.keywords)
    if (QuantizedTensor *tensor = find(value))
      return tensor;
  return nullptr;
}

Result torch::callAten(Interpreter &in, StringRef name,
                       std::vector<Value> arguments) {
  CallArguments call;
  call.positional = std::move(arguments);
  for (Value &value : call.positional)
    value = numbersOf(value);
  return in.callOperator(("aten::" + name).str(), std::move(call));
}

std::optional<Quantization> torch::schemeOf(Interpreter &in,
                                            const CallArguments &call,
                                            Value scale, Value zeroPoint) {
  Quantization scheme;
  if (QuantizedTensor *first = firstQuantized(call))
    scheme = first->scheme.value_or(scheme);
  if (scale.isNone() && zeroPoint.isNone())
    return scheme;
  scale = in.knownScalar(scale);
  zeroPoint = in.knownScalar(zeroPoint);
  if (!scale.isNumber() || !zeroPoint.is(Kind::Int) || !(scale.number() > 0)) {
    in.error(Code::UnsupportedFeature)
        << "a quantized result needs a scale and a zero point that are known";
    return std::nullopt;
  }
  scheme.scale = scale.number();
  scheme.zeroPoint = zeroPoint.integer();
  return scheme;
}

//===----------------------------------------------------------------------===//
// Operators of aten:: that quantize, or are given quantized tensors
//===----------------------------------------------------------------------===//

static Given quantizePerTensor(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0), type = argumentAt(call, 3);
  if (type.isNone())
    type = keywordOf(call, "dtype");
  auto scheme = schemeOf(in, call, argumentAt(call, 1), argumentAt(call, 2));
  if (!scheme)
    return mlir::failure();
  auto number = type.is(Kind::Int) ? aten::scalarTypeFromNumber(type.integer())
                                   : std::nullopt;
  bool isKnown = number == ScalarType::QUInt8 || number == ScalarType::QInt8 ||
                 number == ScalarType::QInt32;
  if (!isTensor(x) || !isKnown)
    return wrongArguments(in, call, "quantize_per_tensor");
  scheme->type = *number;
  return give(quantized(in, x, *scheme));
}

/// The integers that stand for numbers, less the zero point, as floats.
static mlir::Value integers(aten::Emitter &emit, mlir::Value numbers,
                            const Quantization &scheme) {
  return emit.unary<RoundOp>(
      emit.binary<MulOp>(numbers, double(1.0f / float(scheme.scale))));
}

/// What is asked of a quantized tensor; nothing for other operators.
static Given question(Interpreter &in, StringRef name, QuantizedTensor &x) {
  if (name == "dequantize")
    return give(x.numbers);
  if (name == "is_quantized")
    return give(Value(true));
  if (!x.scheme)
    return declined();
  const Quantization &scheme = *x.scheme;
  if (name == "dtype")
    return give(Value(static_cast<int64_t>(scheme.type)));
  if (name == "q_scale")
    return give(Value(scheme.scale));
  if (name == "q_zero_point")
    return give(Value(scheme.zeroPoint));
  if (name == "qscheme")
    return give(Value(int64_t(0)));
  if (name != "int_repr")
    return declined();
  aten::Emitter emit(in.builder(), in.location());
  mlir::Value q = emit.binary<AddOp>(integers(emit, in.read(x.numbers), scheme),
                                     double(scheme.zeroPoint));
  return give(Value(aten::Tensor::make(emit.cast(q, integersOf(scheme.type)))));
}

/// Operators whose results are numbers that their operands have.
static bool isExact(StringRef name) {
  static constexpr StringRef kNames[] = {"relu",
                                         "relu_",
                                         "max_pool1d",
                                         "max_pool2d",
                                         "flatten",
                                         "view",
                                         "reshape",
                                         "transpose",
                                         "permute",
                                         "slice",
                                         "select",
                                         "squeeze",
                                         "unsqueeze",
                                         "contiguous",
                                         "clone",
                                         "detach",
                                         "dropout",
                                         "dropout_",
                                         "feature_dropout",
                                         "chunk",
                                         "split",
                                         "unbind",
                                         "index_select",
                                         "repeat",
                                         "expand",
                                         "flip",
                                         "t",
                                         "narrow",
                                         "unflatten",
                                         "alias",
                                         "pixel_shuffle",
                                         "pixel_unshuffle",
                                         "channel_shuffle",
                                         "upsample_nearest1d",
                                         "upsample_nearest2d",
                                         "upsample_nearest3d",
                                         "max",
                                         "min"};
  return llvm::is_contained(kNames, name);
}

/// Operators whose results PyTorch rounds by the scheme of their operand, or
/// one of their own.
static std::optional<Quantization> resultScheme(StringRef name,
                                                const Quantization &scheme) {
  static constexpr StringRef kOperand[] = {
      "relu6",  "relu6_",     "hardtanh",    "hardtanh_", "clamp",
      "clamp_", "leaky_relu", "leaky_relu_", "cat"};
  if (llvm::is_contained(kOperand, name))
    return scheme;
  bool isSigned = scheme.type == ScalarType::QInt8;
  if (name == "sigmoid" || name == "hardsigmoid")
    return Quantization{scheme.type, 1. / 256, isSigned ? -128 : 0};
  if (name == "tanh")
    return Quantization{scheme.type, 2. / 256, isSigned ? 0 : 128};
  return std::nullopt;
}

/// Operators that average, rounded by the scheme of their operand.
static bool isAverage(StringRef name) {
  static constexpr StringRef kNames[] = {"avg_pool1d",
                                         "avg_pool2d",
                                         "avg_pool3d",
                                         "adaptive_avg_pool1d",
                                         "adaptive_avg_pool2d",
                                         "adaptive_avg_pool3d",
                                         "mean",
                                         "upsample_bilinear2d"};
  return llvm::is_contained(kNames, name);
}

/// Averages are of the integers themselves: halves round as PyTorch's do.
static Given average(Interpreter &in, StringRef name, CallArguments &call,
                     Quantization scheme) {
  aten::Emitter emit(in.builder(), in.location());
  Value &x = call.positional.front();
  x = Value(aten::Tensor::make(integers(emit, in.read(numbersOf(x)), scheme)));
  Result mean = in.callOperator(name, std::move(call));
  if (mlir::failed(mean))
    return mlir::failure();
  Value rounded = quantized(in, *mean, {scheme.type, 1, scheme.zeroPoint});
  QuantizedTensor *result = quantizedIn(rounded);
  if (!result)
    return give(rounded);
  result->scheme = scheme;
  result->numbers = Value(aten::Tensor::make(emit.binary<MulOp>(
      in.read(result->numbers), double(float(scheme.scale)))));
  return give(rounded);
}

/// Wraps the floats in a result.
static Value wrapped(const Value &value, const Quantization &scheme) {
  if (isTensor(value) &&
      mlir::isa<mlir::FloatType>(value.tensor()->type().getElementType())) {
    auto result = std::make_shared<QuantizedTensor>();
    result->numbers = value;
    result->scheme = scheme;
    return Value(std::shared_ptr<aten::Extension>(result));
  }
  if (!value.items())
    return value;
  std::vector<Value> items;
  for (const Value &item : *value.items())
    items.push_back(wrapped(item, scheme));
  return value.is(Kind::List) ? Value::makeList(std::move(items))
                              : Value::makeTuple(std::move(items));
}

/// An operator of aten:: with the numbers in place of quantized tensors.
static Given callOnNumbers(Interpreter &in, StringRef name, CallArguments &call,
                           const QuantizedTensor &first) {
  StringRef plain = name;
  if (!plain.consume_front("aten::"))
    plain.consume_front("prim::");
  static constexpr StringRef kQuestions[] = {"size",
                                             "shape",
                                             "dim",
                                             "ndimension",
                                             "numel",
                                             "stride",
                                             "device",
                                             "layout",
                                             "is_contiguous",
                                             "len",
                                             "requires_grad",
                                             "is_cuda",
                                             "type",
                                             "is_complex",
                                             "is_sparse",
                                             "eq",
                                             "ne",
                                             "lt",
                                             "le",
                                             "gt",
                                             "ge",
                                             "is_floating_point"};
  // What takes any value.
  static constexpr StringRef kContainers[] = {
      "append",    "insert",      "list",   "_set_item", "__is__",
      "__isnot__", "__getitem__", "format", "Print",     "__contains__"};
  if (llvm::is_contained(kContainers, plain))
    return declined();
  bool isQuestion = llvm::is_contained(kQuestions, plain);
  // The tensor itself may go when its numbers take its place.
  std::optional<Quantization> own = first.scheme;
  if (own && isAverage(plain) && quantizedIn(argumentAt(call, 0)) == &first)
    return average(in, name, call, *own);
  auto scheme = own ? resultScheme(plain, *own) : std::nullopt;
  if (!isQuestion && !scheme && !(own && isExact(plain))) {
    in.error(Code::UnsupportedFeature)
        << name << " of a quantized tensor is not supported";
    return mlir::failure();
  }
  for (Value &value : call.positional)
    value = numbersOf(value);
  for (auto &[key, value] : call.keywords)
    value = numbersOf(value);
  Value target = argumentAt(call, 0);
  Result result = in.callOperator(name, std::move(call));
  if (mlir::failed(result) || isQuestion || result->is(Kind::Unknown))
    return give(result);
  if (!scheme)
    return give(wrapped(*result, *own));
  Value rounded = quantized(in, *result, *scheme);
  if (!plain.ends_with("_") || !quantizedIn(rounded))
    return give(rounded);
  // In place: what was written is rounded too.
  Result copied = callAten(in, "copy_", {target, rounded});
  return mlir::failed(copied) ? Given(mlir::failure())
                              : give(wrapped(*copied, *scheme));
}

Given torch::callQuantized(Interpreter &in, StringRef name,
                           CallArguments &call) {
  StringRef plain = name;
  if (plain.consume_front("quantized::"))
    return callQuantizedOperator(in, plain, call);
  if (name == "aten::quantize_per_tensor")
    return quantizePerTensor(in, call);
  QuantizedTensor *first = firstQuantized(call);
  if (!first) {
    // A tensor of floats is its own dequantized form.
    if (name == "aten::dequantize" && isTensor(argumentAt(call, 0)))
      return give(argumentAt(call, 0));
    return declined();
  }
  if (!plain.consume_front("aten::"))
    plain.consume_front("prim::");
  if (quantizedIn(argumentAt(call, 0)) == first) {
    Given answer = question(in, plain, *first);
    if (mlir::failed(answer) || *answer)
      return answer;
  }
  return callOnNumbers(in, name, call, *first);
}
