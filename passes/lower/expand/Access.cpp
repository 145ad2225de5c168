//===- Access.cpp - how an operation reads an operand -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the places of operands' elements: strides in each loop
// where the map is linear, and the map as arithmetic where it is not.

#include "passes/lower/expand/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;

namespace graven::expand {

/// Adds `factor` times a linear expression to strides and offset.
static bool addLinear(AffineExpr expr, int64_t factor, Strides &strides,
                      int64_t &offset) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += factor * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    strides[dim.getPosition()] += factor;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), factor, strides, offset) &&
           addLinear(binary.getRHS(), factor, strides, offset);
  if (expr.getKind() == AffineExprKind::Mul)
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return addLinear(binary.getLHS(), factor * constant.getValue(), strides,
                       offset);
  return false;
}

bool linearStrides(MemRefType type, AffineMap map, Strides &strides,
                   int64_t &offset) {
  SmallVector<int64_t> memory;
  int64_t base = 0;
  if (failed(type.getStridesAndOffset(memory, base)))
    return false;
  strides.assign(map.getNumDims(), 0);
  offset = 0;
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), memory))
    if (!addLinear(expr, stride, strides, offset))
      return false;
  return true;
}

static Idx evaluate(Emitter &e, AffineExpr expr, ArrayRef<Idx> dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Idx(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Idx lhs = evaluate(e, binary.getLHS(), dims);
  if (expr.getKind() == AffineExprKind::Add)
    return e.add(lhs, evaluate(e, binary.getRHS(), dims));
  int64_t rhs = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return e.mul(lhs, rhs);
  case AffineExprKind::Mod: {
    // Indices of an affine map may be negative before the mod.
    Value by = e.constant(rhs);
    Value rest = arith::RemSIOp::create(e.builder(), e.loc(), e.get(lhs), by);
    Value zero = e.constant(0);
    Value negative = arith::CmpIOp::create(
        e.builder(), e.loc(), arith::CmpIPredicate::slt, rest, zero);
    Value wrapped = arith::AddIOp::create(e.builder(), e.loc(), rest, by);
    return Idx(
        arith::SelectOp::create(e.builder(), e.loc(), negative, wrapped, rest));
  }
  case AffineExprKind::FloorDiv:
    return Idx(arith::FloorDivSIOp::create(e.builder(), e.loc(), e.get(lhs),
                                           e.constant(rhs)));
  default:
    return Idx(arith::CeilDivSIOp::create(e.builder(), e.loc(), e.get(lhs),
                                          e.constant(rhs)));
  }
}

Idx Access::index(Emitter &e, const LoopNest &nest, ArrayRef<Idx> ivs) const {
  if (linear) {
    Idx result(offset);
    for (auto [loop, iv] : llvm::zip_equal(nest.loops, ivs))
      result = e.add(result, e.mul(iv, loop.strideOf(strides)));
    return result;
  }
  SmallVector<Idx> dims;
  for (unsigned d = 0; d < map.getNumDims(); ++d)
    dims.push_back(nest.original(ivs, d));
  Idx result(int64_t(0));
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), buffer.strides))
    result = e.add(result, e.mul(evaluate(e, expr, dims), stride));
  return result;
}

} // namespace graven::expand
