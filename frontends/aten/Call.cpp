//===- Call.cpp - one call of an ATen operator ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements access to the arguments of a call, and PyTorch's type
// promotion over them.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

Call::Call(Session &session, mlir::Location loc, const Schema &schema,
           llvm::ArrayRef<Value> arguments, llvm::ArrayRef<Value> targets)
    : Emitter(session.builder, loc), schema(schema), arguments(arguments),
      targets(targets), session(session), constants(session.constants) {}

void Call::noteComparison(int64_t a, int64_t b) const {
  if (session.onDecision)
    session.onDecision({Decision::Kind::Order, static_cast<double>(a),
                        static_cast<double>(b)});
}
void Call::noteAlignmentIsChecked() { session.checksAlignment = true; }
bool Call::alignmentIsChecked() const { return session.checksAlignment; }

const Value &Call::argument(StringRef name) const {
  static const Value none;
  for (auto [formal, value] : llvm::zip(schema.arguments, arguments))
    if (formal.name == name)
      return value;
  return none;
}

mlir::InFlightDiagnostic Call::fail(Code code) {
  ok = false;
  return emitCoded(loc, code) << schema.name << ": ";
}

mlir::Value Call::tensor(StringRef name) {
  const Value &value = argument(name);
  return value.is(Kind::Tensor) ? value.tensor()->read(builder) : mlir::Value();
}

llvm::SmallVector<mlir::Value> Call::tensors(StringRef name) {
  llvm::SmallVector<mlir::Value> values;
  if (const std::vector<Value> *items = argument(name).items())
    for (const Value &item : *items)
      values.push_back(item.is(Kind::Tensor) ? item.tensor()->read(builder)
                                             : mlir::Value());
  return values;
}

/// A number of a program: known, or a tensor that can be evaluated.
static std::optional<Value> knownNumber(const Value &value,
                                        mlir::OpBuilder &builder,
                                        ConstantEvaluator &constants) {
  if (value.isNumber() || value.is(Kind::Bool))
    return value;
  if (value.is(Kind::Tensor))
    return constants.evaluateScalar(value.tensor()->read(builder));
  return std::nullopt;
}

/// What a program does instead of making n elements is to take n of the most.
static void explainUnknown(Call &call, StringRef name, StringRef what) {
  auto diagnostic = call.fail(Code::DataDependent);
  diagnostic << "argument '" << name << "' is not a known " << what;
  if (call.argument(name).is(Kind::Tensor))
    diagnostic << "; a tensor of n elements, where data decide n, is the first "
                  "ones of the most there may be: torch.arange(MOST)[:n]";
}

std::optional<Value> Call::known(StringRef name) {
  auto value = knownNumber(argument(name), builder, constants);
  if (!value)
    explainUnknown(*this, name, "number");
  return value;
}

std::optional<int64_t> Call::integer(StringRef name) {
  auto value = knownNumber(argument(name), builder, constants);
  if (value && value->is(Kind::Int))
    return value->integer();
  if (value && value->is(Kind::Bool))
    return value->boolean();
  explainUnknown(*this, name, "int");
  return std::nullopt;
}

std::optional<double> Call::number(StringRef name) {
  std::optional<Value> value = known(name);
  return value ? std::optional(value->number()) : std::nullopt;
}

bool Call::flag(StringRef name) const {
  const Value &value = argument(name);
  return value.is(Kind::Bool) && value.boolean();
}

StringRef Call::string(StringRef name) const {
  const Value &value = argument(name);
  return value.is(Kind::String) ? StringRef(value.string()) : StringRef();
}

std::optional<Shape> Call::integers(StringRef name) {
  Shape result;
  const std::vector<Value> *items = argument(name).items();
  if (!items)
    return result;
  for (const Value &item : *items) {
    auto value = knownNumber(item, builder, constants);
    if (!value || !value->is(Kind::Int)) {
      fail(Code::DataDependent)
          << "argument '" << name << "' is not a list of known ints";
      return std::nullopt;
    }
    result.push_back(value->integer());
  }
  return result;
}

std::optional<Shape> Call::integers(StringRef name, size_t count,
                                    llvm::ArrayRef<int64_t> fallback) {
  std::optional<Shape> result = integers(name);
  if (!result)
    return result;
  if (result->empty())
    result->assign(fallback.begin(), fallback.end());
  if (result->size() == 1)
    result->resize(count, result->front());
  if (result->size() == count)
    return result;
  fail() << "argument '" << name << "' has " << result->size()
         << " entries, expected " << count;
  return std::nullopt;
}

std::optional<ScalarType> Call::dtype(StringRef name) const {
  const Value &value = argument(name);
  return value.is(Kind::Int) ? scalarTypeFromNumber(value.integer())
                             : std::nullopt;
}

std::optional<int64_t> Call::checkedAxis(int64_t axis, int64_t rank) {
  // A tensor without dimensions takes the axes 0 and -1.
  int64_t bound = std::max<int64_t>(rank, 1);
  if (axis >= -bound && axis < bound)
    return axis < 0 ? axis + bound : axis;
  fail() << "axis " << axis << " is out of range for a tensor of rank " << rank;
  return std::nullopt;
}

std::optional<int64_t> Call::axis(StringRef name, int64_t rank) {
  std::optional<int64_t> value = integer(name);
  return value ? checkedAxis(*value, rank) : value;
}

std::optional<int64_t> Call::axisOf(StringRef name, mlir::Value x) {
  if (rank(x) > 0)
    return axis(name, rank(x));
  fail() << "argument '" << name << "' of a tensor without axes";
  return std::nullopt;
}

std::optional<Shape> Call::axes(StringRef name, int64_t rank) {
  std::optional<Shape> result;
  if (argument(name).is(Kind::Int))
    result = Shape{argument(name).integer()};
  else
    result = integers(name);
  if (!result)
    return result;
  if (result->empty()) {
    for (int64_t i = 0; i < rank; ++i)
      result->push_back(i);
    return result;
  }
  if (rank == 0)
    return Shape();
  for (int64_t &axis : *result) {
    std::optional<int64_t> checked = checkedAxis(axis, rank);
    if (!checked)
      return std::nullopt;
    axis = *checked;
  }
  llvm::sort(*result);
  if (std::adjacent_find(result->begin(), result->end()) == result->end())
    return result;
  fail() << "argument '" << name << "' repeats an axis";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Promotion
//===----------------------------------------------------------------------===//

/// The type of operands of one priority, or of none.
using Level = std::optional<ScalarType>;

static bool addTo(Level &level, ScalarType type) {
  level = level ? promote(*level, type) : type;
  return level.has_value();
}

/// Source: PyTorch, ATen/native/TypeProperties.cpp, combine_categories.
static bool combine(Level higher, Level lower, Level &result) {
  if (!higher || !lower || isFloating(*higher)) {
    result = higher ? higher : lower;
    return true;
  }
  if (*higher == ScalarType::Bool || isFloating(*lower)) {
    result = promote(*higher, *lower);
    return result.has_value();
  }
  result = higher;
  return true;
}

std::optional<ScalarType> Call::promoted(llvm::ArrayRef<StringRef> names) {
  // Tensors with dimensions, tensors without, plain numbers.
  Level withDims, zeroDims, numbers, result;
  bool defined = true;
  auto add = [&](const Value &value) {
    if (value.is(Kind::Tensor)) {
      auto type = fromMLIR(value.tensor()->type().getElementType());
      bool hasDims = value.tensor()->type().getRank() > 0;
      if (type && value.tensor()->isWrappedNumber()) {
        ScalarType number = isFloating(*type)   ? ScalarType::Float
                            : isIntegral(*type) ? ScalarType::Long
                                                : *type;
        defined &= addTo(numbers, number);
        return;
      }
      defined &= type && addTo(hasDims ? withDims : zeroDims, *type);
    } else if (value.is(Kind::Float)) {
      defined &= addTo(numbers, ScalarType::Float);
    } else if (value.is(Kind::Int)) {
      defined &= addTo(numbers, ScalarType::Long);
    } else if (value.is(Kind::Bool)) {
      defined &= addTo(numbers, ScalarType::Bool);
    }
  };
  for (StringRef name : names) {
    if (const std::vector<Value> *items = argument(name).items())
      llvm::for_each(*items, add);
    else
      add(argument(name));
  }
  if (defined && combine(zeroDims, numbers, result) &&
      combine(withDims, result, result) && result)
    return result;
  fail() << "the operands' element types have no common type";
  return std::nullopt;
}

Operands Call::operands(StringRef a, StringRef b) {
  std::optional<ScalarType> type = promoted({a, b});
  return type ? Operands{operand(a, *type), operand(b, *type), *type}
              : Operands();
}

Operands Call::floatOperands(StringRef a, StringRef b) {
  std::optional<ScalarType> type = promoted({a, b});
  if (!type)
    return {};
  if (!isFloating(*type))
    type = ScalarType::Float;
  return {operand(a, *type), operand(b, *type), *type};
}

std::optional<Shape> Call::commonShape(mlir::Value a, mlir::Value b) {
  auto shape = broadcastShape(type(a).getShape(), type(b).getShape());
  if (!shape)
    failed("shapes do not broadcast");
  return shape;
}

mlir::Value Call::operand(StringRef name, ScalarType type) {
  const Value &value = argument(name);
  if (value.is(Kind::Tensor))
    return cast(tensor(name), type);
  if (value.isNumber() || value.is(Kind::Bool))
    return full(mlirType(type), {}, value);
  return failed("argument '" + name + "' is no tensor and no number");
}

mlir::Value Call::floatTensor(StringRef name) {
  mlir::Value x = tensor(name);
  return !x || isFloat(x) ? x : cast(x, ScalarType::Float);
}

void Call::giveList(llvm::ArrayRef<mlir::Value> values) {
  std::vector<Value> items;
  for (mlir::Value value : values) {
    ok &= static_cast<bool>(value);
    items.push_back(value ? Value(Tensor::make(value)) : Value::unknown());
  }
  results.push_back(Value::makeList(std::move(items)));
}
