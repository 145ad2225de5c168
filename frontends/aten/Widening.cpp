//===- Widening.cpp - f16 and bf16 computed in f32 ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the casts around an operator of several Nodes. Which
// type its results have follows from PyTorch's promotion: that of the tensors
// with axes, or, where none is a float, of those without.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Widening.h"

#include "frontends/aten/Tensor.h"

using namespace graven;
using namespace graven::aten;
using Kind = Value::Kind;

static bool isNarrow(ScalarType type) {
  return type == ScalarType::Half || type == ScalarType::BFloat16;
}

namespace {
class Widener {
public:
  explicit Widener(Emitter &emitter) : emitter(emitter) {}

  Value widen(const Value &value) {
    if (const std::vector<Value> *items = value.items()) {
      bool changes = llvm::any_of(*items, isNarrowTensor);
      std::vector<Value> wide;
      for (const Value &item : *items)
        wide.push_back(widen(item));
      return changes ? Value::makeList(std::move(wide)) : value;
    }
    if (!value.is(Kind::Tensor))
      return value;
    const Tensor::Ptr &tensor = value.tensor();
    auto type = fromMLIR(tensor->type().getElementType());
    if (!type || !isFloating(*type) || tensor->isWrappedNumber())
      return value;
    std::optional<ScalarType> &level =
        tensor->type().getRank() > 0 ? withAxes : withoutAxes;
    level = level ? promote(*level, *type) : *type;
    if (!isNarrow(*type))
      return value;
    return Tensor::make(
        emitter.cast(tensor->read(emitter.builder), ScalarType::Float));
  }

  /// The type of the results.
  std::optional<ScalarType> promotedType() const {
    return withAxes ? withAxes : withoutAxes;
  }

private:
  static bool isNarrowTensor(const Value &value) {
    auto type = value.is(Kind::Tensor)
                    ? fromMLIR(value.tensor()->type().getElementType())
                    : std::nullopt;
    return type && isNarrow(*type);
  }

  Emitter &emitter;
  std::optional<ScalarType> withAxes, withoutAxes;
};
} // namespace

WideArguments graven::aten::widen(Emitter &emitter, const Schema &schema,
                                  llvm::ArrayRef<Value> arguments) {
  Widener widener(emitter);
  WideArguments wide;
  std::optional<ScalarType> asked;
  for (auto [formal, value] : llvm::zip(schema.arguments, arguments)) {
    wide.values.push_back(widener.widen(value));
    if (formal.name != "dtype" || !value.is(Kind::Int))
      continue;
    asked = scalarTypeFromNumber(value.integer());
    if (asked && isNarrow(*asked))
      wide.values.back() = Value(static_cast<int64_t>(ScalarType::Float));
  }
  auto type = asked ? asked : widener.promotedType();
  if (type && isNarrow(*type))
    wide.narrow = type;
  return wide;
}

Value graven::aten::narrowed(Emitter &emitter, const Value &result,
                             ScalarType narrow) {
  if (const std::vector<Value> *items = result.items()) {
    std::vector<Value> rounded;
    for (const Value &item : *items)
      rounded.push_back(narrowed(emitter, item, narrow));
    return Value::makeList(std::move(rounded));
  }
  if (!result.is(Kind::Tensor) ||
      !result.tensor()->type().getElementType().isF32())
    return result;
  return Tensor::make(
      emitter.cast(result.tensor()->read(emitter.builder), narrow));
}
