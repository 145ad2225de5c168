//===- Contraction.cpp - ATen's matrix products ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds linear layers, products of matrices and vectors, and
// einsum, all on `matmul`: batches in front of a plain matrix are folded into
// its rows, a bias is added as a row.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"
#include "frontends/aten/Table.h"

#include "llvm/ADT/StringExtras.h"

#include <numeric>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

static int64_t product(llvm::ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

mlir::Value graven::aten::timesMatrix(Emitter &e, mlir::Value a, mlir::Value b,
                                      bool transposed) {
  if (!a || !b)
    return {};
  Shape shape = e.shape(a);
  int64_t rows = ::product(llvm::ArrayRef(shape).drop_back());
  mlir::Value flat = e.reshape(a, {rows, shape.back()});
  mlir::Value y = flat ? e.make<MatmulOp>(flat, b, false, transposed) : flat;
  if (!y)
    return {};
  shape.back() = e.type(y).getDimSize(1);
  return e.reshape(y, shape);
}

/// torch.matmul: vectors are rows or columns whose axis goes away.
static mlir::Value matmulOf(Call &c, mlir::Value a, mlir::Value b) {
  if (!a || !b)
    return {};
  if (c.rank(a) == 0 || c.rank(b) == 0)
    return c.failed("operand without axes");
  bool row = c.rank(a) == 1, column = c.rank(b) == 1;
  if (row)
    a = c.unsqueeze(a, 0);
  if (column)
    b = c.unsqueeze(b, 1);
  mlir::Value y;
  if (c.rank(b) == 2) {
    y = timesMatrix(c, a, b, /*transposed=*/false);
  } else {
    int64_t rank = std::max(c.rank(a), c.rank(b));
    a = c.withRank(a, rank);
    b = c.withRank(b, rank);
    y = a && b ? c.make<MatmulOp>(a, b) : mlir::Value();
  }
  if (!y)
    return {};
  Shape shape = c.shape(y);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  return c.reshape(y, shape);
}

static mlir::Value linear(Call &c) {
  mlir::Value x = c.tensor("input"), weight = c.tensor("weight");
  mlir::Value bias = c.tensor("bias");
  if (c.rank(x) == 0 || c.rank(weight) != 2)
    return matmulOf(c, x, weight);
  Shape shape = c.shape(x);
  mlir::Value flat =
      c.reshape(x, {product(llvm::ArrayRef(shape).drop_back()), shape.back()});
  mlir::Value y = c.make<MatmulOp>(flat, weight, false, /*transpose_b=*/true);
  if (y && bias)
    y = c.binary<AddOp>(y, bias);
  if (!y)
    return {};
  shape.back() = c.type(y).getDimSize(1);
  return c.reshape(y, shape);
}

/// beta self + alpha product; beta = 0 ignores self, NaN included.
static mlir::Value addProduct(Call &c, mlir::Value y) {
  auto alpha = c.number("alpha"), beta = c.number("beta");
  mlir::Value self = c.tensor();
  if (!alpha || !beta || !y)
    return {};
  mlir::Type type = c.element(y);
  if (*alpha != 1)
    y = c.binary<MulOp>(c.widened(y), *alpha);
  if (*beta != 0 && (*alpha != 1 || *beta != 1))
    self = c.widened(self);
  if (*beta != 0 && *beta != 1)
    self = c.binary<MulOp>(self, *beta);
  if (*beta != 0)
    y = c.binary<AddOp>(*beta != 1 ? c.widened(y) : y, self);
  return c.cast(y, type);
}
static mlir::Value addmm(Call &c) {
  return addProduct(c, matmulOf(c, c.tensor("mat1"), c.tensor("mat2")));
}
static mlir::Value baddbmm(Call &c) {
  return addProduct(c, matmulOf(c, c.tensor("batch1"), c.tensor("batch2")));
}
static mlir::Value addbmm(Call &c) {
  return addProduct(
      c, c.reduce(ReduceKind::Sum,
                  matmulOf(c, c.tensor("batch1"), c.tensor("batch2")), {0},
                  /*keep=*/false));
}
static mlir::Value matmul(Call &c) {
  return matmulOf(c, c.tensor(), c.tensor("other"));
}
static mlir::Value mm(Call &c) {
  return matmulOf(c, c.tensor(), c.tensor("mat2"));
}
static mlir::Value mv(Call &c) {
  return matmulOf(c, c.tensor(), c.tensor("vec"));
}
static mlir::Value dot(Call &c) {
  return matmulOf(c, c.tensor(), c.tensor("tensor"));
}
static mlir::Value outer(Call &c) {
  mlir::Value a = c.tensor(), b = c.tensor("vec2");
  return c.binary<MulOp>(c.unsqueeze(a, c.rank(a)), c.unsqueeze(b, 0));
}

//===----------------------------------------------------------------------===//
// einsum
//===----------------------------------------------------------------------===//

namespace {
/// A tensor whose axes have labels.
struct Labelled {
  mlir::Value value;
  std::string labels;
};
} // namespace

static Labelled permuted(Emitter &e, Labelled x, StringRef order) {
  Shape permutation;
  for (char label : order)
    permutation.push_back(x.labels.find(label));
  return {e.transpose(x.value, permutation), order.str()};
}

/// Sums the labels of x that `keep` does not have.
static Labelled summed(Emitter &e, Labelled x, StringRef keep) {
  Shape axes;
  std::string rest;
  for (auto [i, label] : llvm::enumerate(x.labels))
    if (keep.contains(label))
      rest.push_back(label);
    else
      axes.push_back(i);
  if (axes.empty())
    return x;
  // As torch.sum gives it.
  mlir::Value terms =
      e.isFloat(x.value) ? x.value : e.cast(x.value, ScalarType::Long);
  return {e.reduce(ReduceKind::Sum, terms, axes, /*keep=*/false), rest};
}

/// Contracts a and b; `keep` are the labels needed later.
static Labelled contractPair(Call &c, Labelled a, Labelled b, StringRef keep) {
  auto both = [&](StringRef x, StringRef y) {
    std::string labels(x);
    for (char label : y)
      if (!x.contains(label))
        labels.push_back(label);
    return labels;
  };
  a = summed(c, a, both(b.labels, keep));
  b = summed(c, b, both(a.labels, keep));
  if (!a.value || !b.value)
    return {};
  std::string batch, left, right, inner;
  for (char label : a.labels) {
    bool inB = StringRef(b.labels).contains(label);
    (inB ? keep.contains(label) ? batch : inner : left).push_back(label);
  }
  for (char label : b.labels)
    if (!StringRef(a.labels).contains(label))
      right.push_back(label);
  a = permuted(c, a, batch + left + inner);
  b = permuted(c, b, batch + inner + right);
  auto extents = [&](const Labelled &x, size_t from, size_t count) {
    return product(c.type(x.value).getShape().slice(from, count));
  };
  Shape shape;
  for (size_t i = 0; i < batch.size(); ++i)
    shape.push_back(
        std::max(c.type(a.value).getDimSize(i), c.type(b.value).getDimSize(i)));
  int64_t m = extents(a, batch.size(), left.size()),
          k = extents(a, batch.size() + left.size(), inner.size()),
          n = extents(b, batch.size() + inner.size(), right.size());
  Shape as(c.type(a.value).getShape().take_front(batch.size())),
      bs(c.type(b.value).getShape().take_front(batch.size()));
  as.append({m, k});
  bs.append({k, n});
  for (size_t i = 0; i < left.size(); ++i)
    shape.push_back(c.type(a.value).getDimSize(batch.size() + i));
  for (size_t i = 0; i < right.size(); ++i)
    shape.push_back(
        c.type(b.value).getDimSize(batch.size() + inner.size() + i));
  mlir::Value x = c.reshape(a.value, as), y = c.reshape(b.value, bs);
  mlir::Value z = x && y ? c.make<MatmulOp>(x, y) : mlir::Value();
  return {c.reshape(z, shape), batch + left + right};
}

/// Replaces "..." by labels that no equation has: the digits, from the right.
static bool expandEllipsis(std::string &labels, int64_t rank, size_t &most) {
  size_t at = labels.find("...");
  if (at == std::string::npos)
    return static_cast<int64_t>(labels.size()) == rank;
  int64_t hidden = rank - (static_cast<int64_t>(labels.size()) - 3);
  if (hidden < 0 || hidden > 10)
    return false;
  most = std::max<size_t>(most, hidden);
  labels.replace(at, 3, StringRef("9876543210").take_back(hidden).str());
  return true;
}

/// Takes the diagonal along axes that have one label.
static std::optional<Labelled> diagonals(Call &c, Labelled x, StringRef term) {
  for (size_t i = 0; i < x.labels.size(); ++i) {
    size_t j = x.labels.find(x.labels[i], i + 1);
    if (j == std::string::npos)
      continue;
    int64_t extent = c.type(x.value).getDimSize(i);
    if (c.type(x.value).getDimSize(j) != extent) {
      c.failed("term '" + term + "' repeats a label for the extents " +
               llvm::Twine(extent) + " and " +
               llvm::Twine(c.type(x.value).getDimSize(j)));
      return std::nullopt;
    }
    // Both axes go to the end, where every (extent + 1)-th element counts.
    Shape permutation, shape;
    std::string labels;
    for (size_t axis = 0; axis < x.labels.size(); ++axis) {
      if (axis == i || axis == j)
        continue;
      permutation.push_back(axis);
      shape.push_back(c.type(x.value).getDimSize(axis));
      labels.push_back(x.labels[axis]);
    }
    permutation.append({int64_t(i), int64_t(j)});
    shape.push_back(extent * extent);
    labels.push_back(x.labels[i]);
    mlir::Value flat = c.transpose(x.value, permutation);
    flat = flat ? c.reshape(flat, shape) : flat;
    if (!flat)
      return std::nullopt;
    mlir::Value diagonal =
        c.slice(flat, shape.size() - 1, 0, extent * extent, extent + 1);
    if (!diagonal)
      return std::nullopt;
    return diagonals(c, {diagonal, labels}, term);
  }
  return x;
}

static mlir::Value einsum(Call &c) {
  std::string equation;
  for (char ch : c.string("equation"))
    if (ch != ' ')
      equation.push_back(ch);
  auto [inputs, output] = StringRef(equation).split("->");
  llvm::SmallVector<StringRef> terms;
  inputs.split(terms, ',');
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors");
  if (terms.size() != tensors.size() || terms.empty())
    return c.failed("equation '" + equation + "' for " +
                    llvm::Twine(tensors.size()) + " operands");
  llvm::SmallVector<Labelled> operands;
  size_t hidden = 0;
  std::string all; // labels as often as they are written
  for (auto [term, tensor] : llvm::zip(terms, tensors)) {
    std::string labels = term.str();
    if (!expandEllipsis(labels, c.rank(tensor), hidden))
      return c.failed("term '" + term + "' for a tensor of rank " +
                      llvm::Twine(c.rank(tensor)));
    if (!llvm::all_of(labels, llvm::isAlnum))
      return c.failed("term '" + term + "' has what is no label");
    for (char label : labels)
      if (llvm::isAlpha(label))
        all.push_back(label);
    auto operand = diagonals(c, {tensor, labels}, term);
    if (!operand)
      return {};
    operands.push_back(*operand);
  }
  std::string ellipsis = StringRef("9876543210").take_back(hidden).str();
  std::string result = output.str();
  if (StringRef(equation).contains("->")) {
    if (size_t at = result.find("..."); at != std::string::npos)
      result.replace(at, 3, ellipsis);
  } else {
    // Implicit output: the ellipsis, then labels that occur once, sorted.
    result = ellipsis;
    for (char label : StringRef("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz"))
      if (llvm::count(all, label) == 1)
        result.push_back(label);
  }
  Labelled total = operands.front();
  for (size_t i = 1; i < operands.size(); ++i) {
    std::string keep = result;
    for (size_t j = i + 1; j < operands.size(); ++j)
      keep += operands[j].labels;
    total = contractPair(c, total, operands[i], keep);
    if (!total.value)
      return {};
  }
  total = summed(c, total, result);
  if (!total.value || total.labels.size() != result.size() ||
      llvm::any_of(result, [&](char label) {
        return !StringRef(total.labels).contains(label);
      }))
    return c.failed("output of equation '" + equation + "'");
  return permuted(c, total, result).value;
}

void graven::aten::addContraction(Table &t) {
  t.add("linear", linear);
  t.add("addmm", addmm);
  t.add("baddbmm", baddbmm);
  t.add("addbmm", addbmm);
  t.add("matmul", matmul);
  t.add("mm bmm", mm);
  t.add("mv", mv);
  t.add("dot", dot);
  t.add("outer ger", outer);
  t.add("einsum", einsum);
}
