//===- Numbers.cpp - numbers that only running tells ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table of operators on numbers, with the types that
// Python gives their results.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Numbers.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;
using Works = NumberOperator::Works;

const NumberOperator *NumberOperator::find(StringRef name) {
  static constexpr NumberOperator kTable[] = {
      {"add", "add", Works::Common},
      {"sub", "sub", Works::Common},
      {"mul", "mul", Works::Common},
      {"div", "div", Works::Real},
      {"truediv", "div", Works::Real},
      {"floordiv", "floor_divide", Works::Common},
      {"remainder", "remainder", Works::Common},
      {"mod", "remainder", Works::Common},
      {"pow", "pow", Works::Real},
      {"min", "minimum", Works::Common},
      {"max", "maximum", Works::Common},
      {"neg", "neg", Works::Common},
      {"abs", "abs", Works::Common},
      {"floor", "floor", Works::RealToInt},
      {"ceil", "ceil", Works::RealToInt},
      {"trunc", "trunc", Works::RealToInt},
      {"round", "round", Works::Real},
      {"sqrt", "sqrt", Works::Real},
      {"log", "log", Works::Real},
      {"log2", "log2", Works::Real},
      {"exp", "exp", Works::Real},
      {"sin", "sin", Works::Real},
      {"cos", "cos", Works::Real},
      {"tanh", "tanh", Works::Real},
      {"eq", "eq", Works::Common},
      {"ne", "ne", Works::Common},
      {"lt", "lt", Works::Common},
      {"le", "le", Works::Common},
      {"gt", "gt", Works::Common},
      {"ge", "ge", Works::Common},
      {"__and__", "bitwise_and", Works::Bits},
      {"__or__", "bitwise_or", Works::Bits},
      {"__xor__", "bitwise_xor", Works::Bits},
      {"__not__", "logical_not", Works::Logic},
  };
  for (const NumberOperator &entry : kTable)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

static ScalarType typeOf(const Value &value) {
  if (isOpenNumber(value))
    return *fromMLIR(value.tensor()->type().getElementType());
  return value.is(Kind::Bool)  ? ScalarType::Bool
         : value.is(Kind::Int) ? ScalarType::Long
                               : ScalarType::Double;
}

Value aten::openNumber(Emitter emitter, mlir::Value tensor, ScalarType type) {
  mlir::Value x = emitter.reshape(tensor, {});
  x = type == ScalarType::Bool ? emitter.toBool(x) : emitter.cast(x, type);
  if (!x)
    return Value::unknown();
  auto number = Tensor::make(x);
  number->setNumber();
  return Value(number);
}

Value aten::openNumber(Emitter emitter, mlir::Value tensor) {
  return openNumber(emitter, tensor,
                    emitter.isFloat(tensor)  ? ScalarType::Double
                    : emitter.isBool(tensor) ? ScalarType::Bool
                                             : ScalarType::Long);
}

std::vector<Value>
NumberOperator::operands(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<Value> numbers) const {
  auto has = [&](ScalarType type) {
    return llvm::any_of(
        numbers, [&](const Value &value) { return typeOf(value) == type; });
  };
  ScalarType type = has(ScalarType::Double) ? ScalarType::Double
                    : has(ScalarType::Long) ? ScalarType::Long
                                            : ScalarType::Bool;
  if (works == Works::Common && type == ScalarType::Bool)
    type = ScalarType::Long;
  if (works == Works::Real || works == Works::RealToInt)
    type = ScalarType::Double;
  if (works == Works::Logic)
    type = ScalarType::Bool;
  // As tensors, which are no numbers to the operators.
  Emitter emitter(builder, loc);
  std::vector<Value> tensors;
  for (const Value &value : numbers) {
    mlir::Value x = isOpenNumber(value) ? value.tensor()->read(builder)
                                        : emitter.number(value);
    x = type == ScalarType::Bool ? emitter.toBool(x) : emitter.cast(x, type);
    tensors.push_back(Value(Tensor::make(x)));
  }
  return tensors;
}

Value NumberOperator::result(Emitter emitter, mlir::Value tensor) const {
  return openNumber(emitter, tensor,
                    works == Works::RealToInt ? ScalarType::Long
                                              : Emitter::scalarType(tensor));
}
