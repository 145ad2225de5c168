//===- Norms.cpp - norms that several ATen families share ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the p-norm of axes and the last step of losses.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"

#include <cmath>
#include <functional>
#include <numeric>

using namespace graven;
using namespace graven::aten;

Shape aten::allAxes(mlir::Value x) {
  Shape axes(Emitter::rank(x));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

int64_t aten::extentProduct(llvm::ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

mlir::Value aten::pNorm(Emitter &e, mlir::Value x, double p,
                        llvm::ArrayRef<int64_t> axes, bool keep) {
  if (!x)
    return x;
  // Powers of narrow floats overflow where their norm does not.
  mlir::Type type = e.element(x);
  if (type.isF16() || type.isBF16())
    return e.cast(pNorm(e, e.cast(x, ScalarType::Float), p, axes, keep), type);
  if (p == 2)
    return e.unary<SqrtOp>(
        e.reduce(ReduceKind::Sum, e.binary<MulOp>(x, x), axes, keep));
  if (p == 0)
    return e.reduce(
        ReduceKind::Sum,
        e.cast(e.compare(ComparePredicate::Ne, x, 0.0), e.element(x)), axes,
        keep);
  mlir::Value a = e.unary<AbsOp>(x);
  if (std::isinf(p))
    return e.reduce(p > 0 ? ReduceKind::Max : ReduceKind::Min, a, axes, keep);
  if (p == 1)
    return e.reduce(ReduceKind::Sum, a, axes, keep);
  mlir::Value s = e.reduce(ReduceKind::Sum, e.binary<PowOp>(a, p), axes, keep);
  return e.binary<PowOp>(s, 1 / p);
}

mlir::Value aten::pairwiseDistance(Call &c, mlir::Value x1, mlir::Value x2,
                                   double p, double epsilon, bool keep) {
  mlir::Value d = c.binary<SubOp>(x1, x2);
  if (!d)
    return d;
  if (c.rank(d) == 0)
    return c.failed("tensors without axes");
  if (epsilon != 0)
    d = c.binary<AddOp>(d, epsilon);
  return pNorm(c, d, p, {c.rank(d) - 1}, keep);
}

mlir::Value aten::reduceLoss(Call &c, mlir::Value loss) {
  auto reduction = c.integer("reduction");
  if (!loss || !reduction || *reduction == 0)
    return reduction ? loss : mlir::Value();
  return c.reduce(*reduction == 1 ? ReduceKind::Mean : ReduceKind::Sum, loss,
                  allAxes(loss), /*keep=*/false);
}
