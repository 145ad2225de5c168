//===- Creation.cpp - ATen operators that make tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's operators that fill, count and mask. Uninitialised
// tensors are zeros, so that results are deterministic.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

/// The element type of a new tensor: the dtype argument, or else `fallback`.
static mlir::Type newType(Call &c, ScalarType fallback) {
  ScalarType type = c.dtype().value_or(fallback);
  mlir::Type result = c.mlirType(type);
  if (!result)
    c.fail() << "elements of type " << name(type);
  return result;
}

/// The size argument; a negative extent is an error.
static std::optional<Shape> newShape(Call &c) {
  std::optional<Shape> shape = c.integers("size");
  if (shape && llvm::any_of(*shape, [](int64_t d) { return d < 0; })) {
    c.fail() << "negative extent in size [" << *shape << "]";
    return std::nullopt;
  }
  return shape;
}

/// zeros, ones, empty; new_zeros and new_ones take self's type.
template <int64_t kFill> static mlir::Value filled(Call &c) {
  mlir::Value self = c.tensor();
  mlir::Type type = newType(c, self ? c.scalarType(self) : ScalarType::Float);
  std::optional<Shape> shape = newShape(c);
  return type && shape ? c.full(type, *shape, kFill) : mlir::Value();
}
template <int64_t kFill> static mlir::Value filledLike(Call &c) {
  mlir::Value self = c.tensor();
  mlir::Type type = newType(c, c.scalarType(self));
  return type ? c.full(type, c.shape(self), kFill) : mlir::Value();
}

static ScalarType typeOf(const Value &number) {
  return number.is(Kind::Float)  ? ScalarType::Float
         : number.is(Kind::Bool) ? ScalarType::Bool
                                 : ScalarType::Long;
}

static mlir::Value full(Call &c) {
  std::optional<Shape> shape = newShape(c);
  std::optional<Value> value = c.known("fill_value");
  if (!shape || !value)
    return {};
  mlir::Value self = c.tensor();
  mlir::Type type = newType(c, self ? c.scalarType(self) : typeOf(*value));
  return type ? c.full(type, *shape, *value) : mlir::Value();
}
static mlir::Value fullLike(Call &c) {
  mlir::Value self = c.tensor();
  std::optional<Value> value = c.known("fill_value");
  mlir::Type type = newType(c, c.scalarType(self));
  return type && value ? c.full(type, c.shape(self), *value) : mlir::Value();
}
static mlir::Value scalarTensor(Call &c) {
  std::optional<Value> value = c.known("s");
  mlir::Type type = newType(c, ScalarType::Float);
  return type && value ? c.full(type, {}, *value) : mlir::Value();
}

static mlir::Value fill(Call &c) {
  mlir::Value self = c.tensor();
  mlir::Value value = c.operand("value", c.scalarType(self));
  return c.broadcastTo(value, c.shape(self));
}
static mlir::Value zero(Call &c) {
  mlir::Value self = c.tensor();
  return c.full(c.element(self), c.shape(self), int64_t(0));
}

/// start + step * i for i < n, computed in f64 (i64 for ints) as torch does.
static mlir::Value arange(Call &c) {
  Value start(int64_t(0)), step(int64_t(1));
  std::optional<Value> end = c.known("end");
  if (!end)
    return {};
  for (auto [name, value] : {std::pair("start", &start), {"step", &step}})
    if (c.has(name)) {
      std::optional<Value> given = c.known(name);
      if (!given)
        return {};
      *value = *given;
    }
  bool isFloat =
      start.is(Kind::Float) || step.is(Kind::Float) || end->is(Kind::Float);
  mlir::Type type = newType(c, isFloat ? ScalarType::Float : ScalarType::Long);
  double count = std::ceil((end->number() - start.number()) / step.number());
  if (!type)
    return {};
  if (!(count >= 0 && count < 0x1p40))
    return c.failed("bounds inconsistent with the step");
  mlir::Type compute = mlir::isa<mlir::FloatType>(type)
                           ? mlir::Type(c.builder.getF64Type())
                           : type;
  Shape shape{static_cast<int64_t>(count)};
  mlir::Value i = c.iota(shape, 0, compute);
  if (i && step.number() != 1)
    i = c.binary<MulOp>(i, c.full(compute, {1}, step));
  if (i && start.number() != 0)
    i = c.binary<AddOp>(i, c.full(compute, {1}, start));
  return c.cast(i, type);
}

/// Element i of `steps` from first to last, computed from the nearer end, in
/// the precision of Real, as torch computes it.
template <class Real>
static double spaced(double first, double last, int64_t steps, int64_t i) {
  Real from = first, to = last;
  Real step = steps > 1 ? (to - from) / Real(steps - 1) : Real(0);
  return i < steps / 2 || steps == 1 ? from + step * Real(i)
                                     : to - step * Real(steps - 1 - i);
}

/// linspace, and logspace: its powers of a base.
static mlir::Value spacedFrom(Call &c, std::optional<double> base) {
  auto start = c.number("start"), end = c.number("end");
  auto steps = c.integer("steps");
  mlir::Type type = newType(c, ScalarType::Float);
  if (!start || !end || !steps || !type)
    return {};
  if (*steps < 0 || *steps > (1 << 24))
    return c.failed(llvm::Twine(*steps) + " steps");
  // Integers have integers as ends, and steps in between of f64.
  bool isInteger = type.isInteger();
  if (isInteger) {
    start = std::trunc(*start);
    end = std::trunc(*end);
  }
  llvm::SmallVector<double> values;
  for (int64_t i = 0; i < *steps; ++i) {
    double value = type.isF64() || isInteger || base
                       ? spaced<double>(*start, *end, *steps, i)
                       : spaced<float>(*start, *end, *steps, i);
    values.push_back(base ? std::pow(*base, value) : value);
  }
  auto elements = mlir::RankedTensorType::get({*steps}, c.builder.getF64Type());
  return c.cast(c.constant(mlir::DenseElementsAttr::get(
                    elements, llvm::ArrayRef<double>(values))),
                type);
}
static mlir::Value linspace(Call &c) { return spacedFrom(c, std::nullopt); }
static mlir::Value logspace(Call &c) {
  std::optional<double> base = c.number("base");
  return base ? spacedFrom(c, base) : mlir::Value();
}

/// column - row of the last two axes of `shape`.
static mlir::Value distance(Call &c, llvm::ArrayRef<int64_t> shape) {
  Shape plane(shape.take_back(2));
  mlir::Value rows = c.iota(plane, 0);
  mlir::Value columns = c.iota(plane, 1);
  return c.binary<SubOp>(columns, rows);
}

static mlir::Value eye(Call &c) {
  auto n = c.integer("n");
  auto m = c.has("m") ? c.integer("m") : n;
  mlir::Type type = newType(c, ScalarType::Float);
  if (!n || !m || !type)
    return {};
  if (*n < 0 || *m < 0)
    return c.failed("negative extent");
  return c.cast(c.compare(ComparePredicate::Eq, distance(c, {*n, *m}), 0.0),
                type);
}

/// A select, not a product with a mask: infinities would become NaN.
static mlir::Value triangle(Call &c, ComparePredicate predicate) {
  mlir::Value x = c.tensor();
  std::optional<int64_t> diagonal = c.integer("diagonal");
  if (!diagonal)
    return {};
  if (c.rank(x) < 2)
    return c.failed("tensor of rank < 2");
  mlir::Value keep = c.compare(predicate, distance(c, c.type(x).getShape()),
                               static_cast<double>(*diagonal));
  return c.where(keep, x, c.scalar(c.element(x), int64_t(0), c.rank(x)));
}
static mlir::Value tril(Call &c) { return triangle(c, ComparePredicate::Le); }
static mlir::Value triu(Call &c) { return triangle(c, ComparePredicate::Ge); }

static mlir::Value oneHot(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<int64_t> classes = c.integer("num_classes");
  if (!classes)
    return {};
  if (*classes < 0) {
    c.fail(Code::DataDependent) << "the number of classes is not given";
    return {};
  }
  Shape shape(c.rank(x) + 1, 1);
  shape.back() = *classes;
  mlir::Value iota = c.iota(shape, c.rank(x));
  mlir::Value index = c.cast(c.unsqueeze(x, c.rank(x)), ScalarType::Long);
  return c.cast(c.compare(ComparePredicate::Eq, index, iota), ScalarType::Long);
}

/// With "xy", the first two tensors change their axes.
static void meshgrid(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors"), results;
  bool xy = c.string("indexing") == "xy" && tensors.size() > 1;
  if (xy)
    std::swap(tensors[0], tensors[1]);
  Shape shape;
  for (mlir::Value t : tensors)
    shape.push_back(c.type(t).getNumElements());
  for (auto [i, t] : llvm::enumerate(tensors)) {
    Shape line(tensors.size(), 1);
    line[i] = shape[i];
    results.push_back(c.broadcastTo(c.reshape(t, line), shape));
  }
  if (xy)
    std::swap(results[0], results[1]);
  c.giveList(results);
}

/// Rows and columns of the elements of a triangle, row after row.
static mlir::Value triangleIndices(Call &c, bool isUpper) {
  auto rows = c.integer("row"), columns = c.integer("col"),
       offset = c.integer("offset");
  mlir::Type type = newType(c, ScalarType::Long);
  if (!rows || !columns || !offset || !type)
    return {};
  if (*rows < 0 || *columns < 0 || *rows * *columns > (1 << 24))
    return c.failed("triangle of " + llvm::Twine(*rows) + " by " +
                    llvm::Twine(*columns));
  llvm::SmallVector<int64_t> places, ends;
  for (int64_t i = 0; i < *rows; ++i)
    for (int64_t j = 0; j < *columns; ++j)
      if (isUpper ? j - i >= *offset : j - i <= *offset) {
        places.push_back(i);
        ends.push_back(j);
      }
  int64_t count = places.size();
  llvm::append_range(places, ends);
  return c.cast(c.indices({2, count}, places), type);
}
static mlir::Value lowerIndices(Call &c) {
  return triangleIndices(c, /*isUpper=*/false);
}
static mlir::Value upperIndices(Call &c) {
  return triangleIndices(c, /*isUpper=*/true);
}

void graven::aten::addCreation(Table &t) {
  t.add("zeros empty new_zeros new_empty", filled<0>);
  t.add("empty_strided new_empty_strided empty_permuted", filled<0>);
  t.add("ones new_ones", filled<1>);
  t.add("zeros_like empty_like", filledLike<0>);
  t.add("ones_like", filledLike<1>);
  t.add("full new_full", full);
  t.add("full_like", fullLike);
  t.add("scalar_tensor", scalarTensor);
  t.add("fill", fill);
  t.add("zero", zero);
  t.add("arange", arange);
  t.add("linspace", linspace);
  t.add("logspace", logspace);
  t.add("tril_indices", lowerIndices);
  t.add("triu_indices", upperIndices);
  t.add("eye", eye);
  t.add("tril", tril);
  t.add("triu", triu);
  t.add("one_hot", oneHot);
  t.add("meshgrid", meshgrid);
}
