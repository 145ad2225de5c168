//===- GroupedProducts.cpp - rows times their matrix ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the products of mixtures of experts: rows that lie in
// groups, whose ends data decide, times a matrix for each group.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// At most so many elements of matrices are gathered, a matrix for each row.
static constexpr int64_t kMostGathered = int64_t(1) << 24;

/// x [n, K] times w [G, K, N] of each row's group; 0 for rows behind the last
/// group. Few rows take the matrices they need, many are multiplied with all.
static mlir::Value grouped(Call &c, mlir::Value x, mlir::Value w,
                           mlir::Value ends) {
  int64_t n = c.type(x).getDimSize(0), count = c.type(w).getDimSize(0),
          matrix = c.type(w).getDimSize(1) * c.type(w).getDimSize(2);
  mlir::Value group = c.countUpTo(ends, n);
  if (!group)
    return {};
  mlir::Value none = c.scalar(c.element(x), 0.0, 2);
  if (n <= count && n * matrix <= kMostGathered) {
    mlir::Value last = c.scalar(c.element(group), count - 1, 1);
    mlir::Value matrices =
        c.make<GatherOp>(w, c.binary<MinOp>(group, last), uint64_t(0),
                         /*nonneg=*/true);
    if (!matrices)
      return {};
    mlir::Value y = c.make<MatmulOp>(c.unsqueeze(x, 1), matrices);
    y = y ? c.select(y, 1, 0) : y;
    mlir::Value isIn =
        c.compare(ComparePredicate::Lt, group, static_cast<double>(count));
    return y && isIn ? c.where(c.unsqueeze(isIn, 1), y, none) : mlir::Value();
  }
  mlir::Value result;
  for (int64_t i = 0; i < count; ++i) {
    mlir::Value y = c.make<MatmulOp>(x, c.select(w, 0, i));
    mlir::Value isIn =
        c.compare(ComparePredicate::Eq, group, static_cast<double>(i));
    if (!y || !isIn)
      return {};
    result = c.where(c.unsqueeze(isIn, 1), y, result ? result : none);
  }
  return result;
}

static mlir::Value groupedProduct(Call &c, StringRef rows, StringRef matrices) {
  mlir::Value x = c.tensor(rows), w = c.tensor(matrices),
              ends = c.tensor("offs");
  if (!x || !w || c.has("bias"))
    return c.failed("needs rows and matrices without a bias");
  if (c.dtype("out_dtype").value_or(c.scalarType(x)) != c.scalarType(x))
    return c.failed("a result of another type than the rows");
  if (!ends && c.rank(x) == 3 && c.rank(w) == 3)
    return c.make<MatmulOp>(x, w);
  if (!ends || c.rank(ends) != 1 || c.rank(x) != 2 || c.rank(w) != 3 ||
      c.type(w).getDimSize(0) != c.type(ends).getDimSize(0) ||
      c.type(w).getDimSize(0) == 0)
    return c.failed("rows of rank " + llvm::Twine(c.rank(x)) +
                    " and matrices of rank " + llvm::Twine(c.rank(w)) +
                    "; expected 2 and 3, and the end of each group");
  return grouped(c, x, w, ends);
}

static mlir::Value groupedMm(Call &c) {
  return groupedProduct(c, "self", "mat2");
}
static mlir::Value groupedMmFallback(Call &c) {
  return groupedProduct(c, "input", "weight");
}

void graven::aten::addGroupedProducts(Table &t) {
  t.add("_grouped_mm", groupedMm);
  t.add("transformers::grouped_mm_fallback", groupedMmFallback);
}
