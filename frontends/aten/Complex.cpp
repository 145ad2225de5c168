//===- Complex.cpp - ATen's operators on complex tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements operators on complex tensors by operators on their
// parts: linear ones on each, products of two by the four products of parts,
// and a few formulas.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ComplexTensor *ComplexTensor::in(const Value &value) {
  if (!value.is(Kind::Extension) || value.extension()->kind() != &tag)
    return nullptr;
  return static_cast<ComplexTensor *>(value.extension().get());
}

Value ComplexTensor::make(Tensor::Ptr real, Tensor::Ptr imaginary) {
  auto result = std::make_shared<ComplexTensor>();
  result->real = std::move(real);
  result->imaginary = std::move(imaginary);
  return Value(std::shared_ptr<Extension>(std::move(result)));
}

Value ComplexTensor::number(Emitter emitter, double real, double imaginary) {
  auto part = [&](double value) {
    Tensor::Ptr result = Tensor::make(emitter.number(value));
    result->setWrappedNumber();
    return result;
  };
  return make(part(real), part(imaginary));
}

Value ComplexTensor::ofPairs(Emitter emitter, const Tensor::Ptr &pairs) {
  mlir::Value x = pairs->read(emitter.builder);
  int64_t last = emitter.rank(x) - 1;
  mlir::Value real = emitter.select(x, last, 0),
              imaginary = emitter.select(x, last, 1);
  if (!real || !imaginary)
    return Value::unknown();
  Value result =
      make(Tensor::view(pairs, real), Tensor::view(pairs, imaginary));
  in(result)->pairs = pairs;
  return result;
}

ScalarType ComplexTensor::type() const {
  return real->type().getElementType().isF64() ? ScalarType::ComplexDouble
                                               : ScalarType::ComplexFloat;
}

bool graven::aten::isComplexValue(const Value &value) {
  return ComplexTensor::in(value) ||
         (value.items() && llvm::any_of(*value.items(), ComplexTensor::in));
}

bool graven::aten::isStaleComplex(const Value &value) {
  if (const ComplexTensor *x = ComplexTensor::in(value))
    return x->real->isStale() || x->imaginary->isStale();
  return value.items() && llvm::any_of(*value.items(), [](const Value &item) {
           const ComplexTensor *x = ComplexTensor::in(item);
           return x && (x->real->isStale() || x->imaginary->isStale());
         });
}

//===----------------------------------------------------------------------===//
// Operators that take the parts one by one
//===----------------------------------------------------------------------===//

/// Real factors and operands of complex ones may stand beside them.
static bool isLinear(StringRef name) {
  static constexpr StringRef kNames[] = {"view",
                                         "reshape",
                                         "flatten",
                                         "unflatten",
                                         "squeeze",
                                         "unsqueeze",
                                         "permute",
                                         "transpose",
                                         "t",
                                         "movedim",
                                         "swapaxes",
                                         "expand",
                                         "broadcast_to",
                                         "repeat",
                                         "tile",
                                         "slice",
                                         "select",
                                         "narrow",
                                         "unbind",
                                         "split",
                                         "chunk",
                                         "flip",
                                         "roll",
                                         "clone",
                                         "contiguous",
                                         "detach",
                                         "alias",
                                         "sum",
                                         "mean",
                                         "index_select",
                                         "gather",
                                         "index",
                                         "neg",
                                         "lift_fresh",
                                         "fft_fftshift",
                                         "fft_ifftshift",
                                         "split_with_sizes",
                                         "lift_fresh_copy",
                                         "resolve_conj",
                                         "resolve_neg",
                                         "cumsum",
                                         "mul",
                                         "div",
                                         "matmul",
                                         "mm",
                                         "bmm",
                                         "einsum",
                                         "multiply",
                                         "divide",
                                         "constant_pad_nd",
                                         "pad",
                                         "tril",
                                         "triu",
                                         "diagonal",
                                         "zero"};
  return llvm::is_contained(kNames, name);
}

/// Linear in all operands together: a real one has an imaginary part of 0.
static bool isJointlyLinear(StringRef name) {
  static constexpr StringRef kNames[] = {"add",           "sub",
                                         "rsub",          "cat",
                                         "concat",        "concatenate",
                                         "stack",         "copy",
                                         "where",         "index_put",
                                         "index_add",     "index_copy",
                                         "slice_scatter", "select_scatter",
                                         "scatter",       "masked_scatter",
                                         "masked_fill",   "fill"};
  return llvm::is_contained(kNames, name);
}

/// Linear in each of two arguments.
static bool isBilinear(StringRef name) {
  static constexpr StringRef kNames[] = {"mul", "multiply", "matmul",
                                         "mm",  "bmm",      "einsum"};
  return llvm::is_contained(kNames, name);
}

namespace {
enum class Side : uint8_t { Real, Imaginary };

/// The complex tensors among arguments, in order, and the arguments with one
/// part for each.
class Arguments {
public:
  explicit Arguments(llvm::ArrayRef<Value> values) : values(values) {
    for (const Value &value : values) {
      count += ComplexTensor::in(value) != nullptr;
      if (value.items())
        count += llvm::count_if(*value.items(), ComplexTensor::in);
    }
  }
  unsigned numComplex() const { return count; }

  llvm::SmallVector<Value> with(llvm::ArrayRef<Side> sides) const {
    size_t next = 0;
    auto partOf = [&](const Value &value) {
      const ComplexTensor *complex = ComplexTensor::in(value);
      if (!complex)
        return value;
      Side side = sides[std::min(next++, sides.size() - 1)];
      return Value(side == Side::Real ? complex->real : complex->imaginary);
    };
    llvm::SmallVector<Value> parts;
    for (const Value &value : values) {
      if (!isComplexValue(value) || ComplexTensor::in(value)) {
        parts.push_back(partOf(value));
        continue;
      }
      Value list = Value::makeList();
      for (const Value &item : *value.items())
        list.list().items.push_back(partOf(item));
      parts.push_back(list);
    }
    return parts;
  }

private:
  llvm::ArrayRef<Value> values;
  unsigned count = 0;
};

/// A call that has complex arguments.
class ComplexCall {
public:
  ComplexCall(Session &session, mlir::Location loc, const Schema &schema,
              llvm::ArrayRef<Value> values,
              llvm::SmallVectorImpl<Value> &results)
      : session(session), emit(session.builder, loc), schema(schema),
        values(values), arguments(values), results(results),
        name(StringRef(schema.name).rsplit("::").second) {}

  mlir::LogicalResult run();

private:
  using Parts = llvm::SmallVector<Value, 2>;

  mlir::LogicalResult refuse(const llvm::Twine &why) {
    emitCoded(emit.loc, Code::UnsupportedFeature) << schema.name << ": " << why;
    return mlir::failure();
  }
  mlir::LogicalResult onParts(llvm::ArrayRef<Side> sides,
                              llvm::SmallVectorImpl<Value> &into) {
    return aten::run(session, emit.loc, schema, arguments.with(sides), into);
  }
  mlir::Value read(const Tensor::Ptr &tensor) {
    return tensor->read(session.builder);
  }
  mlir::LogicalResult give(mlir::Value value) {
    if (!value)
      return mlir::failure();
    results.push_back(Tensor::make(value));
    return mlir::success();
  }
  mlir::LogicalResult give(mlir::Value real, mlir::Value imaginary) {
    if (!real || !imaginary)
      return mlir::failure();
    results.push_back(
        ComplexTensor::make(Tensor::make(real), Tensor::make(imaginary)));
    return mlir::success();
  }
  mlir::LogicalResult joined(llvm::ArrayRef<Value> real,
                             llvm::ArrayRef<Value> imaginary);
  mlir::LogicalResult eachPart();
  mlir::LogicalResult product();
  mlir::LogicalResult ofOne(const ComplexTensor &x);
  mlir::LogicalResult jointly();
  mlir::LogicalResult inPlace(const ComplexTensor &x);
  mlir::LogicalResult converted(const ComplexTensor &x);
  mlir::LogicalResult reciprocal(const ComplexTensor &x);
  mlir::LogicalResult quotient(const ComplexTensor &x, const ComplexTensor &y);

  Session &session;
  Emitter emit;
  const Schema &schema;
  llvm::ArrayRef<Value> values;
  Arguments arguments;
  llvm::SmallVectorImpl<Value> &results;
  StringRef name;
};
} // namespace

/// Results of the parts as complex results, lists item by item.
mlir::LogicalResult ComplexCall::joined(llvm::ArrayRef<Value> real,
                                        llvm::ArrayRef<Value> imaginary) {
  auto join = [](const Value &a, const Value &b) {
    return a.is(Kind::Tensor) && b.is(Kind::Tensor)
               ? ComplexTensor::make(a.tensor(), b.tensor())
               : Value::unknown();
  };
  for (auto [a, b] : llvm::zip(real, imaginary)) {
    if (!a.items() || !b.items()) {
      results.push_back(join(a, b));
      continue;
    }
    Value list = Value::makeList();
    for (auto [x, y] : llvm::zip(*a.items(), *b.items()))
      list.list().items.push_back(join(x, y));
    results.push_back(list);
  }
  return mlir::success();
}

mlir::LogicalResult ComplexCall::eachPart() {
  llvm::SmallVector<Value> real, imaginary;
  if (mlir::failed(onParts({Side::Real}, real)) ||
      mlir::failed(onParts({Side::Imaginary}, imaginary)))
    return mlir::failure();
  return joined(real, imaginary);
}

/// (a + bi)(c + di) = (ac - bd) + (ad + bc)i, for any bilinear operator.
mlir::LogicalResult ComplexCall::product() {
  auto part = [&](Side left, Side right) -> mlir::Value {
    llvm::SmallVector<Value> result;
    if (mlir::failed(onParts({left, right}, result)) || result.size() != 1 ||
        !result.front().is(Kind::Tensor))
      return {};
    return read(result.front().tensor());
  };
  auto combined = [&](mlir::Value a, mlir::Value b, bool isSum) {
    if (!a || !b)
      return mlir::Value();
    return isSum ? emit.binary<AddOp>(a, b) : emit.binary<SubOp>(a, b);
  };
  mlir::Value real =
      combined(part(Side::Real, Side::Real),
               part(Side::Imaginary, Side::Imaginary), /*isSum=*/false);
  mlir::Value imaginary =
      combined(part(Side::Real, Side::Imaginary),
               part(Side::Imaginary, Side::Real), /*isSum=*/true);
  return give(real, imaginary);
}

/// 1 / x = conj(x) / |x|^2.
mlir::LogicalResult ComplexCall::reciprocal(const ComplexTensor &x) {
  mlir::Value c = read(x.real), d = read(x.imaginary);
  mlir::Value norm =
      emit.binary<AddOp>(emit.binary<MulOp>(c, c), emit.binary<MulOp>(d, d));
  return give(emit.binary<DivOp>(c, norm),
              emit.unary<NegOp>(emit.binary<DivOp>(d, norm)));
}

/// x / y = x conj(y) / |y|^2.
mlir::LogicalResult ComplexCall::quotient(const ComplexTensor &x,
                                          const ComplexTensor &y) {
  mlir::Value a = read(x.real), b = read(x.imaginary), c = read(y.real),
              d = read(y.imaginary);
  auto times = [&](mlir::Value p, mlir::Value q) {
    return emit.binary<MulOp>(p, q);
  };
  mlir::Value norm = emit.binary<AddOp>(times(c, c), times(d, d));
  return give(
      emit.binary<DivOp>(emit.binary<AddOp>(times(a, c), times(b, d)), norm),
      emit.binary<DivOp>(emit.binary<SubOp>(times(b, c), times(a, d)), norm));
}

/// One part of an argument; numbers and real tensors that are operands have an
/// imaginary part of 0.
static Value partOf(Emitter &emit, StringRef formal, const Value &value,
                    Side side) {
  static constexpr StringRef kOperands[] = {
      "self", "other", "src", "value", "values", "source", "tensor", "tensors"};
  if (const ComplexTensor *complex = ComplexTensor::in(value))
    return side == Side::Real ? complex->real : complex->imaginary;
  if (!llvm::is_contained(kOperands, formal) || value.isNone())
    return value;
  if (value.items()) {
    Value list = Value::makeList();
    for (const Value &item : *value.items())
      list.list().items.push_back(partOf(emit, formal, item, side));
    return list;
  }
  if (side == Side::Real)
    return value;
  if (!value.is(Kind::Tensor))
    return Value(int64_t(0));
  mlir::RankedTensorType type = value.tensor()->type();
  mlir::Value zero =
      emit.full(type.getElementType(), type.getShape(), int64_t(0));
  return zero ? Value(Tensor::make(zero)) : Value::unknown();
}

mlir::LogicalResult ComplexCall::jointly() {
  llvm::SmallVector<Value> results[2];
  for (Side side : {Side::Real, Side::Imaginary}) {
    llvm::SmallVector<Value> parts;
    for (auto [formal, value] : llvm::zip_equal(schema.arguments, values))
      parts.push_back(partOf(emit, formal.name, value, side));
    if (mlir::failed(aten::run(session, emit.loc, schema, parts,
                               results[static_cast<size_t>(side)])))
      return mlir::failure();
  }
  return joined(results[0], results[1]);
}

/// Writes what the operator that makes a new tensor gives.
mlir::LogicalResult ComplexCall::inPlace(const ComplexTensor &x) {
  CallArguments functional{values.vec(), {}};
  auto match = session.schemas.resolve(("aten::" + name).str(), functional);
  llvm::SmallVector<Value> made;
  if (!match || !session.table.find(match->schema->name))
    return refuse("a complex tensor is written in place");
  if (mlir::failed(
          aten::run(session, emit.loc, *match->schema, match->arguments, made)))
    return mlir::failure();
  const ComplexTensor *result = ComplexTensor::in(made.front());
  if (!result)
    return refuse("a complex tensor is written in place");
  for (auto [to, from] : {std::pair(x.real, result->real),
                          std::pair(x.imaginary, result->imaginary)}) {
    auto copy = session.schemas.resolve("aten::copy_", {{to, from}, {}});
    llvm::SmallVector<Value> written;
    if (!copy || mlir::failed(aten::run(session, emit.loc, *copy->schema,
                                        copy->arguments, written)))
      return mlir::failure();
  }
  results.push_back(values[0]);
  return mlir::success();
}

/// Both parts as the part of another complex type.
mlir::LogicalResult ComplexCall::converted(const ComplexTensor &x) {
  llvm::SmallVector<Value> own(values);
  std::optional<ScalarType> type;
  for (auto [formal, value] : llvm::zip_equal(schema.arguments, own))
    if (formal.name == "dtype" && value.is(Kind::Int)) {
      type = static_cast<ScalarType>(value.integer());
      value = Value(static_cast<int64_t>(aten::partOf(*type)));
    }
  if (!type || *type == x.type()) {
    results.push_back(values[0]);
    return mlir::success();
  }
  if (!isComplex(*type))
    return refuse("a complex tensor as another type");
  values = own;
  arguments = Arguments(values);
  return eachPart();
}

/// Operators of one complex tensor.
mlir::LogicalResult ComplexCall::ofOne(const ComplexTensor &x) {
  mlir::Value a = read(x.real), b = read(x.imaginary);
  auto times = [&](mlir::Value p, mlir::Value q) {
    return emit.binary<MulOp>(p, q);
  };
  auto shared = [&](const Tensor::Ptr &part) {
    results.push_back(part);
    return mlir::success();
  };
  if (name == "real")
    return shared(x.real);
  if (name == "imag")
    return shared(x.imaginary);
  if (name == "abs" || name == "absolute")
    return give(
        emit.unary<SqrtOp>(emit.binary<AddOp>(times(a, a), times(b, b))));
  if (name == "angle")
    return give(emit.binary<Atan2Op>(b, a));
  if (name == "conj" || name == "_conj" || name == "conj_physical")
    return give(a, emit.unary<NegOp>(b));
  if (name == "reciprocal")
    return reciprocal(x);
  if (name == "log")
    return give(emit.binary<MulOp>(emit.unary<LogOp>(emit.binary<AddOp>(
                                       times(a, a), times(b, b))),
                                   0.5),
                emit.binary<Atan2Op>(b, a));
  if (name == "exp") {
    mlir::Value size = emit.unary<ExpOp>(a);
    return give(times(size, emit.unary<CosOp>(b)),
                times(size, emit.unary<SinOp>(b)));
  }
  bool isSquare =
      name == "square" || (name == "pow" && values.size() > 1 &&
                           values[1].isNumber() && values[1].number() == 2);
  if (isSquare)
    return give(emit.binary<SubOp>(times(a, a), times(b, b)),
                emit.binary<MulOp>(times(a, b), 2.0));
  if (name == "view_as_real" && x.pairs)
    return shared(x.pairs);
  if (name == "view_as_real") {
    int64_t last = emit.rank(a);
    mlir::Value pairs =
        emit.concat({emit.unsqueeze(a, last), emit.unsqueeze(b, last)}, last);
    if (!pairs)
      return mlir::failure();
    // A copy, which is right until something is written.
    auto result = Tensor::make(pairs);
    result->mayAlias(*x.real);
    result->mayAlias(*x.imaginary);
    results.push_back(result);
    return mlir::success();
  }
  if (name == "to" || name == "_to_copy")
    return converted(x);
  return refuse("complex tensors are not supported here");
}

mlir::LogicalResult ComplexCall::run() {
  bool isWritten = llvm::any_of(
      schema.results, [](const SchemaType &type) { return type.isWritten; });
  if (isWritten && !ComplexTensor::in(values[0]))
    return refuse("a complex tensor is written to a real one");
  unsigned count = arguments.numComplex();
  const ComplexTensor *x = ComplexTensor::in(values[0]),
                      *y = values.size() > 1 ? ComplexTensor::in(values[1])
                                             : nullptr;
  // The forms that write work on the parts as those that do not.
  if (isWritten)
    name.consume_back("_");
  if (isJointlyLinear(name))
    return jointly();
  if (isLinear(name) && count == 1)
    return y && name == "div" ? refuse("a real divided by a complex tensor")
                              : eachPart();
  if (isWritten)
    return inPlace(*x);
  if (isBilinear(name) && count == 2)
    return product();
  if (name == "div" && x && y)
    return quotient(*x, *y);
  if (x && isFilling(schema.name))
    return makeComplex(session, emit.loc, schema, values, results);
  if (x && count == 1)
    return ofOne(*x);
  return refuse("complex tensors are not supported here");
}

mlir::LogicalResult
graven::aten::runComplex(Session &session, mlir::Location loc,
                         const Schema &schema, llvm::ArrayRef<Value> arguments,
                         llvm::SmallVectorImpl<Value> &results) {
  if (mlir::succeeded(
          ComplexCall(session, loc, schema, arguments, results).run()))
    return mlir::success();
  results.assign(schema.results.size(), Value::unknown());
  return mlir::failure();
}

//===----------------------------------------------------------------------===//
// Operators that make complex tensors of real ones
//===----------------------------------------------------------------------===//

static void viewAsComplex(Call &c) {
  const Value &x = c.argument("self");
  mlir::Value pairs = c.tensor();
  if (c.rank(pairs) == 0 || c.shape(pairs).back() != 2 || !c.isFloat(pairs)) {
    c.fail() << "needs pairs of floats on the last axis";
    return;
  }
  c.results.push_back(ComplexTensor::ofPairs(c, x.tensor()));
}

static void giveComplex(Call &c, mlir::Value real, mlir::Value imaginary) {
  if (!real || !imaginary)
    return c.give({});
  auto shape = Emitter::broadcastShape(c.shape(real), c.shape(imaginary));
  if (!shape || c.element(real) != c.element(imaginary)) {
    c.fail() << "needs parts of one type and shape";
    return;
  }
  real = c.broadcastTo(real, *shape);
  imaginary = c.broadcastTo(imaginary, *shape);
  if (!real || !imaginary)
    return c.give({});
  c.results.push_back(
      ComplexTensor::make(Tensor::make(real), Tensor::make(imaginary)));
}

static void complexOf(Call &c) {
  giveComplex(c, c.tensor("real"), c.tensor("imag"));
}
static void polar(Call &c) {
  mlir::Value size = c.tensor("abs"), angle = c.tensor("angle");
  auto part = [&](mlir::Value wave) {
    return wave ? c.binary<MulOp>(size, wave) : wave;
  };
  giveComplex(c, part(c.unary<CosOp>(angle)), part(c.unary<SinOp>(angle)));
}

void graven::aten::addComplex(Table &t) {
  t.add("view_as_complex", viewAsComplex);
  t.add("complex", complexOf);
  t.add("polar", polar);
  // Of complex tensors only, which do not come here.
  t.add(
      "view_as_real imag _conj",
      +[](Call &c) { c.fail() << "needs a complex tensor"; });
}
