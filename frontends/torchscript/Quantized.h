//===- Quantized.h - quantized tensors of a program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares PyTorch's eager-mode quantization as the interpreter sees
// it: quantized tensors, which the graph holds as the numbers that their
// integers stand for, and the packed weights of quantized layers.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_QUANTIZED_H
#define FRONTENDS_TORCHSCRIPT_QUANTIZED_H

#include "frontends/torchscript/Builtins.h"

namespace graven::torch {

/// How integers q stand for numbers: (q - zeroPoint) * scale.
struct Quantization {
  aten::ScalarType type = aten::ScalarType::QUInt8;
  double scale = 1;
  int64_t zeroPoint = 0;
};

/// A tensor of integers. The graph has the f32 numbers they stand for, which
/// are exact, so an operator on them is one on f32 whose result is rounded to
/// numbers that integers stand for.
class QuantizedTensor : public ExtensionOf<QuantizedTensor> {
public:
  Value numbers; ///< a Tensor
  /// Nothing when each channel has its own: weights.
  std::optional<Quantization> scheme;
};

/// The weights of a quantized layer as PyTorch's engines keep them.
class PackedWeights : public ExtensionOf<PackedWeights> {
public:
  Value weight, bias; ///< QuantizedTensor, or Tensor for 16-bit weights
  /// Of a convolution: the arguments that its operator takes after the bias.
  std::vector<Value> window;
  bool isTransposed = false;

  Value unpacked() const { return Value::makeTuple({weight, bias}); }
};

inline QuantizedTensor *quantizedIn(const Value &value) {
  return extensionIn<QuantizedTensor>(value);
}
/// The numbers of quantized tensors, in lists too; other values as they are.
Value numbersOf(const Value &value);
/// The first quantized tensor among the arguments, or null.
QuantizedTensor *firstQuantized(const CallArguments &call);

/// Calls `name` when it is about quantization: an operator of `quantized::`, or
/// one with a quantized argument. Declines other calls.
Given callQuantized(Interpreter &in, llvm::StringRef name, CallArguments &call);

/// The type of the integers of a quantized type.
aten::ScalarType integersOf(aten::ScalarType type);

/// The numbers rounded to those that integers stand for.
Value quantized(Interpreter &in, const Value &numbers,
                const Quantization &scheme);

/// The 8-bit scheme for the values of a tensor at run time, and the tensor
/// rounded by it: what a dynamically quantized layer does to its input.
/// Source: PyTorch, ATen/native/quantized/cpu/QuantUtils.h,
/// ChooseQuantizationParams, in words.
Value dynamicallyQuantized(Interpreter &in, const Value &numbers,
                           bool hasReducedRange);

/// The scheme given by a scale and a zero point, of the type that the first
/// quantized argument has, or that argument's when both are None; nothing, with
/// an error, when they are not known.
std::optional<Quantization> schemeOf(Interpreter &in, const CallArguments &call,
                                     Value scale, Value zeroPoint);

/// The operator `aten::name` on the numbers of the arguments.
Result callAten(Interpreter &in, llvm::StringRef name,
                std::vector<Value> arguments);

/// The operator `quantized::name`; declines names it does not know.
Given callQuantizedOperator(Interpreter &in, llvm::StringRef name,
                            CallArguments &call);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_QUANTIZED_H
