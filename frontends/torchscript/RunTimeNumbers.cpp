//===- RunTimeNumbers.cpp - numbers that only running tells ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators on bools, ints and floats of the program
// of which at least one is a tensor without axes: they become Nodes on i1, i64
// and f64 with the types that TorchScript gives their results.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Builtins.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using aten::ScalarType;

namespace {

/// In which type an operator works, and what type its result has.
enum class Works : uint8_t {
  Common,   ///< that of the operands; bools as ints
  Bits,     ///< that of the operands
  Real,     ///< f64
  RealToInt ///< f64, with an i64 result
};
struct Operator {
  StringRef name, tensorOperator;
  Works works;
};

} // namespace

static const Operator *findOperator(StringRef name) {
  static constexpr Operator kTable[] = {
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
      {"__not__", "logical_not", Works::Bits},
  };
  for (const Operator &entry : kTable)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

static bool isOpen(const Value &value) {
  return value.is(Kind::Tensor) && value.tensor()->isNumber();
}
static bool isNumeric(const Value &value) {
  return value.isNumber() || value.is(Kind::Bool) || isOpen(value);
}

static ScalarType typeOf(const Value &value) {
  if (isOpen(value))
    return *aten::fromMLIR(value.tensor()->type().getElementType());
  return value.is(Kind::Bool)  ? ScalarType::Bool
         : value.is(Kind::Int) ? ScalarType::Long
                               : ScalarType::Double;
}

Value torch::runTimeNumber(Interpreter &in, mlir::Value tensor,
                           ScalarType type) {
  aten::Emitter emitter(in.builder(), in.location());
  mlir::Value x = emitter.reshape(tensor, {});
  auto number = aten::Tensor::make(
      type == ScalarType::Bool ? emitter.toBool(x) : emitter.cast(x, type));
  number->setNumber();
  return Value(number);
}

/// The number as a tensor of that type, which is no number to the operators.
static Value asTensor(Interpreter &in, const Value &value, ScalarType type) {
  aten::Emitter emitter(in.builder(), in.location());
  mlir::Value x = isOpen(value) ? in.read(value) : emitter.number(value);
  return Value(aten::Tensor::make(emitter.cast(x, type)));
}

/// The greatest or least of several numbers, two by two.
static Result
reduced(const std::vector<Value> &values,
        llvm::function_ref<Result(const Value &, const Value &)> combine) {
  Value result = values.front();
  for (const Value &value : llvm::drop_begin(values)) {
    Result next = combine(result, value);
    if (mlir::failed(next))
      return next;
    result = *next;
  }
  return result;
}

/// The length of range(start, stop, step): what is between, rounded up.
static Result
rangeLength(llvm::function_ref<Result(StringRef, Value, Value)> call,
            const Value &start, const Value &stop, int64_t step) {
  bool isUp = step > 0;
  Result span =
      isUp ? call("aten::sub", stop, start) : call("aten::sub", start, stop);
  int64_t width = isUp ? step : -step;
  Result more = mlir::failed(span)
                    ? span
                    : call("aten::add", *span, Value(int64_t(width - 1)));
  Result count =
      mlir::failed(more) ? more : call("aten::floordiv", *more, Value(width));
  return mlir::failed(count) ? count
                             : call("prim::max", *count, Value(int64_t(0)));
}

mlir::FailureOr<std::optional<Value>>
Interpreter::callOnNumbers(StringRef name, const CallArguments &arguments) {
  using Given = mlir::FailureOr<std::optional<Value>>;
  std::vector<Value> values = arguments.positional;
  StringRef base = name.rsplit("::").second;
  if (!name.starts_with("aten::") && !name.starts_with("prim::"))
    return std::optional<Value>();
  if ((base == "min" || base == "max") && values.size() == 1 &&
      values.front().is(Kind::List))
    values = std::vector<Value>(values.front().list().items);
  if (values.empty() || !arguments.keywords.empty() ||
      !llvm::any_of(values, isOpen) || !llvm::all_of(values, isNumeric))
    return std::optional<Value>();
  auto call = [&](StringRef callee, Value a, Value b) {
    CallArguments both;
    both.positional = {std::move(a), std::move(b)};
    return callOperator(callee, std::move(both));
  };
  auto given = [](Result result) -> Given {
    return mlir::failed(result) ? Given(mlir::failure())
                                : std::optional<Value>(*result);
  };
  if (base == "range" || base == "__range_length") {
    Value start = values.size() > 1 ? values[0] : Value(int64_t(0)),
          stop = values[values.size() > 1],
          step = values.size() > 2 ? values[2] : Value(int64_t(1));
    if (!step.is(Kind::Int) || step.integer() == 0 ||
        step.integer() == INT64_MIN || values.size() > 3) {
      error(Code::DataDependent)
          << "the step of a range is only known at run time";
      return mlir::failure();
    }
    Result count = values.size() == 1
                       ? call("prim::max", stop, Value(int64_t(0)))
                       : rangeLength(call, start, stop, step.integer());
    if (mlir::failed(count) || base == "__range_length")
      return given(count);
    return std::optional<Value>(Value(std::shared_ptr<aten::Extension>(
        std::make_shared<RunTimeRange>(*count, start, step))));
  }
  if (base == "__derive_index" && values.size() == 3) {
    Result offset = call("aten::mul", values[0], values[2]);
    return given(mlir::failed(offset) ? offset
                                      : call("aten::add", values[1], *offset));
  }
  const Operator *entry = findOperator(base);
  if (!entry)
    return std::optional<Value>();
  if (values.size() > 2 && (base == "min" || base == "max"))
    return given(reduced(values, [&](const Value &a, const Value &b) {
      return call(name, a, b);
    }));
  auto has = [&](ScalarType type) {
    return llvm::any_of(
        values, [&](const Value &value) { return typeOf(value) == type; });
  };
  ScalarType type = has(ScalarType::Double) ? ScalarType::Double
                    : has(ScalarType::Long) ? ScalarType::Long
                                            : ScalarType::Bool;
  if (entry->works == Works::Common && type == ScalarType::Bool)
    type = ScalarType::Long;
  if (entry->works == Works::Real || entry->works == Works::RealToInt)
    type = ScalarType::Double;
  if (base == "__not__")
    type = ScalarType::Bool;
  CallArguments tensors;
  for (const Value &value : values)
    tensors.positional.push_back(asTensor(*this, value, type));
  Result result = callOperator(("aten::" + entry->tensorOperator).str(),
                               std::move(tensors));
  if (mlir::failed(result) || !result->is(Kind::Tensor))
    return given(result);
  mlir::Value number = read(*result);
  return std::optional<Value>(runTimeNumber(
      *this, number,
      entry->works == Works::RealToInt ? ScalarType::Long
                                       : aten::Emitter::scalarType(number)));
}
