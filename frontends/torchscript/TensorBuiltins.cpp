//===- TensorBuiltins.cpp - questions about tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what is known of a tensor without its elements, the
// making of tensors from known numbers, and the operators that mean nothing in
// a graph for inference.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"
#include "frontends/aten/Numbers.h"
#include "frontends/torchscript/Builtins.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

static mlir::RankedTensorType typeOf(const Value &tensor) {
  return tensor.tensor()->type();
}
static Value intList(llvm::ArrayRef<int64_t> values) {
  std::vector<Value> items;
  for (int64_t value : values)
    items.push_back(Value(value));
  return Value::makeList(std::move(items));
}

static Given size(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0), axis = argumentAt(call, 1);
  if (!isTensor(x))
    return wrongArguments(in, call, "size()");
  if (axis.isNone())
    return give(intList(typeOf(x).getShape()));
  axis = in.knownScalar(axis);
  int64_t rank = typeOf(x).getRank();
  if (!axis.is(Kind::Int) || axis.integer() < -rank || axis.integer() >= rank)
    return wrongArguments(in, call, "axis out of range in size()");
  return give(Value(typeOf(x).getDimSize(
      axis.integer() < 0 ? axis.integer() + rank : axis.integer())));
}
static Given stride(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0), axis = argumentAt(call, 1);
  if (!isTensor(x))
    return wrongArguments(in, call, "stride()");
  auto layout = x.tensor()->layout();
  llvm::SmallVector<int64_t> strides =
      layout ? layout->strides : eval::stridesOf(typeOf(x).getShape());
  if (axis.isNone())
    return give(intList(strides));
  int64_t rank = strides.size();
  if (!axis.is(Kind::Int) || axis.integer() < -rank || axis.integer() >= rank)
    return wrongArguments(in, call, "axis out of range in stride()");
  return give(
      Value(strides[(axis.integer() + rank) % std::max<int64_t>(rank, 1)]));
}
static Given dim(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0);
  return isTensor(x) ? give(Value(typeOf(x).getRank()))
                     : wrongArguments(in, call, "dim()");
}
static Given numel(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0);
  return isTensor(x) ? give(Value(typeOf(x).getNumElements()))
                     : wrongArguments(in, call, "numel()");
}
static Given dtype(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0);
  if (!isTensor(x))
    return wrongArguments(in, call, "dtype");
  auto type = aten::fromMLIR(typeOf(x).getElementType());
  return give(Value(static_cast<int64_t>(*type)));
}
static Given isFloatingPoint(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0);
  return isTensor(x) ? give(Value(mlir::isa<mlir::FloatType>(
                           typeOf(x).getElementType())))
                     : wrongArguments(in, call, "is_floating_point()");
}
static Given device(Interpreter &, CallArguments &call) {
  return give(Value(aten::Device{"cpu"}));
}
static Given typeName(Interpreter &in, CallArguments &call) {
  Value x = argumentAt(call, 0);
  return give(Value(std::string(x.is(Kind::Device) ? "cpu" : "Tensor")));
}
template <bool kValue> static Given always(Interpreter &, CallArguments &) {
  return give(Value(kValue));
}
static Given zero(Interpreter &, CallArguments &) {
  return give(Value(int64_t(0)));
}
static Given nothing(Interpreter &, CallArguments &) { return give(Value()); }
static Given same(Interpreter &, CallArguments &call) {
  return give(argumentAt(call, 0));
}

static Given raiseException(Interpreter &in, CallArguments &call) {
  // Once an operation failed, both sides of conditions are walked.
  if (in.hasFailed())
    return give(Value());
  return in.raise("the model raises: " + textOf(argumentAt(call, 0)));
}

//===----------------------------------------------------------------------===//
// Numbers and tensors
//===----------------------------------------------------------------------===//

static Given numToTensor(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (isTensor(a))
    return give(a.tensor()->isNumber() ? Value(aten::Tensor::make(in.read(a)))
                                       : a);
  if (!a.isNumber() && !a.is(Kind::Bool))
    return wrongArguments(in, call, "NumToTensor");
  aten::Emitter emitter(in.builder(), in.location());
  return give(Value(aten::Tensor::make(emitter.number(a))));
}

/// A number if it is known, else the tensor itself, which acts as one.
static Given item(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!isTensor(a))
    return wrongArguments(in, call, "item()");
  if (typeOf(a).getNumElements() != 1)
    return wrongArguments(in, call, "item() of several elements");
  if (Value known = in.knownScalar(a); !known.isNone())
    return give(known);
  return give(aten::openNumber({in.builder(), in.location()}, in.read(a)));
}

static Value listOf(const eval::Tensor &tensor, int64_t axis, int64_t &next) {
  if (axis == tensor.getRank())
    return aten::elementOf(tensor, next++);
  std::vector<Value> items;
  for (int64_t i = 0; i < tensor.getDim(axis); ++i)
    items.push_back(listOf(tensor, axis + 1, next));
  return Value::makeList(std::move(items));
}
static Given toList(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!isTensor(a))
    return wrongArguments(in, call, "tolist()");
  auto tensor = in.constants().evaluate(in.read(a));
  // Few numbers that only running tells may be the bounds of windows.
  constexpr int64_t kMostNumbers = 256;
  if (!tensor && typeOf(a).getRank() <= 1 &&
      typeOf(a).getNumElements() <= kMostNumbers) {
    aten::Emitter emitter(in.builder(), in.location());
    mlir::Value x = in.read(a);
    if (typeOf(a).getRank() == 0)
      return give(aten::openNumber(emitter, x));
    std::vector<Value> items;
    for (int64_t i = 0; i < typeOf(a).getDimSize(0); ++i)
      items.push_back(aten::openNumber(emitter, emitter.select(x, 0, i)));
    return give(Value::makeList(std::move(items)));
  }
  if (!tensor) {
    in.error(Code::DataDependent)
        << "a list is made of a tensor that is only known at run time";
    return mlir::failure();
  }
  int64_t next = 0;
  return give(listOf(*tensor, 0, next));
}

namespace {
/// Nested lists of numbers as one tensor.
struct Nested {
  aten::Shape shape;
  std::vector<Value> elements;
};
} // namespace

static bool flatten(const Value &value, unsigned axis, Nested &nested) {
  if (const auto *items = value.items()) {
    if (axis > 16)
      return false;
    if (nested.shape.size() <= axis) {
      if (!nested.elements.empty())
        return false;
      nested.shape.push_back(items->size());
    }
    return nested.shape[axis] == static_cast<int64_t>(items->size()) &&
           llvm::all_of(*items, [&](const Value &item) {
             return flatten(item, axis + 1, nested);
           });
  }
  nested.elements.push_back(value);
  return nested.shape.size() == axis &&
         (value.isNumber() || value.is(Kind::Bool) ||
          (isTensor(value) && typeOf(value).getNumElements() == 1));
}

/// torch.tensor(data, dtype=..): ints are i64, floats f32.
static Given makeTensor(Interpreter &in, CallArguments &call) {
  Value data = argumentAt(call, 0), type = keywordOf(call, "dtype");
  if (type.isNone() && call.positional.size() > 1)
    type = call.positional[1];
  if (isTensor(data)) {
    CallArguments empty;
    if (type.isNone() && !data.tensor()->isNumber())
      return give(data);
  }
  Nested nested;
  if (isTensor(data))
    nested.elements.push_back(data);
  else if (!flatten(data, 0, nested))
    return wrongArguments(in, call, "tensor() of uneven or unknown lists");
  aten::ScalarType element = aten::ScalarType::Float;
  auto all = [&](auto holds) { return llvm::all_of(nested.elements, holds); };
  auto hasKind = [](const Value &v, Kind kind, bool ofTensor) {
    return v.is(kind) || (isTensor(v) && ofTensor);
  };
  if (!nested.elements.empty()) {
    auto elementType = [&](const Value &v) {
      return typeOf(v).getElementType();
    };
    if (all([&](const Value &v) {
          return hasKind(v, Kind::Bool,
                         isTensor(v) && elementType(v).isInteger(1));
        }))
      element = aten::ScalarType::Bool;
    else if (all([&](const Value &v) {
               return !v.is(Kind::Float) &&
                      !(isTensor(v) &&
                        mlir::isa<mlir::FloatType>(elementType(v)));
             }))
      element = aten::ScalarType::Long;
  }
  if (type.is(Kind::Int))
    element = aten::scalarTypeFromNumber(type.integer()).value_or(element);
  aten::Emitter emitter(in.builder(), in.location());
  mlir::Type mlirType = emitter.mlirType(aten::partOf(element));
  if (!mlirType)
    return wrongArguments(in, call, "element type of tensor()");
  auto give1 = [&](mlir::Value v) -> Given {
    if (!v)
      return Given(mlir::failure());
    auto tensor = aten::Tensor::make(v);
    if (!aten::isComplex(element))
      return give(Value(tensor));
    mlir::Value zero =
        emitter.full(mlirType, tensor->type().getShape(), int64_t(0));
    return zero ? give(aten::ComplexTensor::make(tensor,
                                                 aten::Tensor::make(zero)))
                : Given(mlir::failure());
  };
  if (isTensor(data))
    return give1(emitter.cast(in.read(data), mlirType));
  if (nested.elements.size() == 1 && !isTensor(nested.elements[0]))
    return give1(emitter.full(mlirType, nested.shape, nested.elements[0]));
  if (!llvm::any_of(nested.elements, isTensor)) {
    eval::Tensor tensor(mlir::RankedTensorType::get(nested.shape, mlirType));
    for (auto [i, v] : llvm::enumerate(nested.elements))
      if (mlir::isa<mlir::FloatType>(mlirType))
        tensor.set(i, v.number());
      else
        tensor.set(i, v.is(Kind::Float)  ? static_cast<int64_t>(v.number())
                      : v.is(Kind::Bool) ? int64_t(v.boolean())
                                         : v.integer());
    return give1(emitter.constant(tensor.toElements()));
  }
  llvm::SmallVector<mlir::Value> parts;
  for (const Value &v : nested.elements)
    parts.push_back(
        isTensor(v) ? emitter.reshape(emitter.cast(in.read(v), mlirType), {1})
                    : emitter.full(mlirType, {1}, v));
  return give1(emitter.reshape(emitter.concat(parts, 0), nested.shape));
}

Builtin graven::torch::findTensorBuiltin(StringRef name) {
  static constexpr std::pair<StringRef, Builtin> kTable[] = {
      {"size", size},
      {"shape", size},
      {"stride", stride},
      {"dim", dim},
      {"ndimension", dim},
      {"numel", numel},
      {"dtype", dtype},
      {"is_floating_point", isFloatingPoint},
      {"is_complex", always<false>},
      {"is_contiguous", always<true>},
      {"device", device},
      {"get_device", zero},
      {"layout", zero},
      {"type", typeName},
      {"is_cuda", always<false>},
      {"is_mkldnn", always<false>},
      {"is_quantized", always<false>},
      {"is_sparse", always<false>},
      {"is_nested", always<false>},
      {"is_meta", always<false>},
      {"requires_grad", always<false>},
      {"is_grad_enabled", always<false>},
      {"is_autocast_enabled", always<false>},
      {"is_autocast_cpu_enabled", always<false>},
      {"set_grad_enabled", nothing},
      {"manual_seed", nothing},
      {"warn", nothing},
      {"Print", nothing},
      {"RaiseException", raiseException},
      {"wait", same},
      {"_unwrap_optional", same},
      {"data", same},
      {"cpu", same},
      {"cuda", same},
      {"pin_memory", same},
      {"requires_grad_", same},
      {"NumToTensor", numToTensor},
      {"item", item},
      {"ScalarImplicit", item},
      {"tolist", toList},
      {"tensor", makeTensor},
      {"as_tensor", makeTensor},
  };
  for (const auto &[key, builtin] : kTable)
    if (key == name)
      return builtin;
  return nullptr;
}

Builtin graven::torch::findBuiltin(StringRef name) {
  if (!name.consume_front("aten::") && !name.consume_front("prim::"))
    return nullptr;
  for (auto find : {findScalarBuiltin, findContainerBuiltin, findStringBuiltin,
                    findTensorBuiltin})
    if (Builtin builtin = find(name))
      return builtin;
  return nullptr;
}
