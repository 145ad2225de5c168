//===- RunTimeNumbers.cpp - numbers that only running tells ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators on bools, ints and floats of the program
// of which at least one is a tensor without axes: they become Nodes on i1, i64
// and f64 with the types that TorchScript gives their results.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Numbers.h"
#include "frontends/torchscript/Builtins.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using aten::ScalarType;

Value torch::runTimeNumber(Interpreter &in, mlir::Value tensor,
                           ScalarType type) {
  return aten::openNumber({in.builder(), in.location()}, tensor, type);
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
      !llvm::any_of(values, aten::isOpenNumber) ||
      !llvm::all_of(values, aten::isAnyNumber))
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
  const aten::NumberOperator *entry = aten::NumberOperator::find(base);
  if (!entry)
    return std::optional<Value>();
  if (values.size() > 2 && (base == "min" || base == "max"))
    return given(reduced(values, [&](const Value &a, const Value &b) {
      return call(name, a, b);
    }));
  CallArguments tensors;
  tensors.positional = entry->operands(builder(), location(), values);
  Result result = callOperator(entry->tensorOperator(), std::move(tensors));
  if (mlir::failed(result) || !result->is(Kind::Tensor))
    return given(result);
  return std::optional<Value>(
      entry->result({builder(), location()}, read(*result)));
}
