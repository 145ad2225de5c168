//===- QuantizedLayers.cpp - the operators of quantized:: ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the layers with packed weights, and the operators that
// are given the scheme of their result: each is the operator of aten:: on the
// numbers, its result rounded.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Quantized.h"

using namespace graven;
using namespace graven::torch;
using aten::ScalarType;
using llvm::StringRef;
using Kind = Value::Kind;

//===----------------------------------------------------------------------===//
// Layers with packed weights
//===----------------------------------------------------------------------===//

static Given prepack(Interpreter &, CallArguments &call, bool isTransposed) {
  auto weights = std::make_shared<PackedWeights>();
  weights->weight = argumentAt(call, 0);
  weights->bias = argumentAt(call, 1);
  weights->isTransposed = isTransposed;
  for (size_t i = 2; i < call.positional.size(); ++i)
    weights->window.push_back(call.positional[i]);
  // The operator of a transposed convolution has its groups before the
  // dilation.
  if (isTransposed && weights->window.size() == 5)
    std::swap(weights->window[3], weights->window[4]);
  return give(Value(std::shared_ptr<aten::Extension>(weights)));
}

static Given layer(Interpreter &in, StringRef name, const CallArguments &call) {
  auto *weights = extensionIn<PackedWeights>(argumentAt(call, 1));
  if (!weights)
    return wrongArguments(in, call, "quantized layer");
  bool isLinear = name.consume_front("linear");
  bool isDynamic = name.contains("_dynamic"), isHalf = name.contains("_fp16");
  Value x = argumentAt(call, 0);
  if (isDynamic && !isHalf && isTensor(x)) {
    Value reduced = argumentAt(call, 2);
    if (reduced.isNone())
      reduced = keywordOf(call, "reduce_range");
    x = dynamicallyQuantized(in, x,
                             reduced.is(Kind::Bool) && reduced.boolean());
  }
  std::vector<Value> arguments = {x, weights->weight, weights->bias};
  llvm::append_range(arguments, weights->window);
  std::string plain = "linear";
  if (!isLinear) {
    StringRef axes = name.substr(name.find('d') - 1, 2);
    plain = ((weights->isTransposed ? "conv_transpose" : "conv") + axes).str();
  }
  Result y = callAten(in, plain, std::move(arguments));
  if (mlir::succeeded(y) && name.contains("_relu"))
    y = callAten(in, "relu", {*y});
  if (mlir::failed(y) || isDynamic)
    return give(y);
  // Old files repeat the window before scale and zero point.
  size_t count = call.positional.size();
  if (count < 4)
    return wrongArguments(in, call, "quantized layer");
  auto scheme = schemeOf(in, call, call.positional[count - 2],
                         call.positional[count - 1]);
  if (!scheme)
    return mlir::failure();
  return give(quantized(in, *y, *scheme));
}

//===----------------------------------------------------------------------===//
// Operators of quantized::
//===----------------------------------------------------------------------===//

/// Operators whose last two arguments are scale and zero point of the result,
/// the others those of the operator of that name.
static Given rounded(Interpreter &in, StringRef name, CallArguments &call) {
  for (auto &[key, value] : call.keywords)
    call.positional.push_back(value);
  if (call.positional.size() < 3)
    return wrongArguments(in, call, name);
  auto scheme =
      schemeOf(in, call, call.positional.end()[-2], call.positional.end()[-1]);
  if (!scheme)
    return mlir::failure();
  std::vector<Value> arguments(call.positional.begin(),
                               call.positional.end() - 2);
  bool hasRelu = name.consume_back("_relu");
  if (name == "leaky_relu" && arguments.size() == 3)
    arguments.pop_back(); // in place
  if (name.starts_with("batch_norm") && arguments.size() == 6) {
    Value epsilon = arguments.back();
    arguments.back() = Value(false);
    llvm::append_values(arguments, Value(0.1), epsilon, Value(false));
    name = "batch_norm";
  }
  Result y = callAten(in, name, std::move(arguments));
  if (mlir::succeeded(y) && hasRelu)
    y = callAten(in, "relu", {*y});
  return mlir::failed(y) ? Given(mlir::failure())
                         : give(quantized(in, *y, *scheme));
}

Given torch::callQuantizedOperator(Interpreter &in, StringRef name,
                                   CallArguments &call) {
  static constexpr StringRef kRounded[] = {"add",
                                           "add_relu",
                                           "mul",
                                           "mul_relu",
                                           "matmul",
                                           "cat",
                                           "cat_relu",
                                           "hardswish",
                                           "sigmoid",
                                           "leaky_relu",
                                           "layer_norm",
                                           "batch_norm1d",
                                           "batch_norm2d",
                                           "batch_norm3d",
                                           "batch_norm1d_relu",
                                           "batch_norm2d_relu",
                                           "batch_norm3d_relu"};
  static constexpr StringRef kLayers[] = {
      "linear",           "linear_relu",
      "linear_dynamic",   "linear_relu_dynamic",
      "conv1d",           "conv2d",
      "conv3d",           "conv1d_relu",
      "conv2d_relu",      "conv3d_relu",
      "conv_transpose1d", "conv_transpose2d",
      "conv_transpose3d", "linear_dynamic_fp16"};
  if (llvm::is_contained(kRounded, name))
    return rounded(in, name, call);
  if (llvm::is_contained(kLayers, name))
    return layer(in, name, call);
  if (name == "relu6")
    return give(in.callOperator("aten::relu6", {{argumentAt(call, 0)}, {}}));
  StringRef base = name;
  if (base.consume_back("_prepack"))
    return prepack(in, call, base.starts_with("conv_transpose"));
  if (name == "linear_prepack_fp16") {
    // The weights are f16, the sums f32.
    aten::Emitter emit(in.builder(), in.location());
    if (!isTensor(argumentAt(call, 0)))
      return wrongArguments(in, call, name);
    Value &weight = call.positional.front();
    mlir::Value half = emit.cast(in.read(weight), ScalarType::Half);
    weight = Value(aten::Tensor::make(emit.cast(half, ScalarType::Float)));
    return prepack(in, call, false);
  }
  auto *weights = extensionIn<PackedWeights>(argumentAt(call, 0));
  if (weights && name.contains("_unpack"))
    return give(weights->unpacked());
  return declined();
}
