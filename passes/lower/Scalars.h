//===- Scalars.h - scalar code at one place ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Scalars, which builds the integer code of the sorting
// lowerings.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_SCALARS_H
#define PASSES_LOWER_SCALARS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

namespace graven {

/// Builds scalar code at one place.
struct Scalars {
  mlir::OpBuilder &b;
  mlir::Location at;

  mlir::Value number(mlir::Type type, int64_t value) const {
    return mlir::arith::ConstantOp::create(b, at,
                                           b.getIntegerAttr(type, value));
  }
  mlir::Value index(int64_t value) const { return indexConstant(b, at, value); }
  mlir::Value cast(mlir::Value x, mlir::Type type) const {
    return mlir::arith::IndexCastOp::create(b, at, type, x);
  }
  template <class OpTy> mlir::Value two(mlir::Value x, mlir::Value y) const {
    return OpTy::create(b, at, x, y);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::AddIOp>(x, y);
  }
  mlir::Value sub(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::SubIOp>(x, y);
  }
  mlir::Value min(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::MinSIOp>(x, y);
  }
  mlir::Value max(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::MaxSIOp>(x, y);
  }
  mlir::Value both(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::AndIOp>(x, y);
  }
  mlir::Value either(mlir::Value x, mlir::Value y) const {
    return two<mlir::arith::OrIOp>(x, y);
  }
  mlir::Value negated(mlir::Value x) const {
    return two<mlir::arith::XOrIOp>(x, emitConstant(b, at, b.getI1Type(), 1));
  }
  mlir::Value less(mlir::Value x, mlir::Value y) const {
    return mlir::arith::CmpIOp::create(b, at, mlir::arith::CmpIPredicate::slt,
                                       x, y);
  }
  mlir::Value pick(mlir::Value condition, mlir::Value x, mlir::Value y) const {
    return mlir::arith::SelectOp::create(b, at, condition, x, y);
  }
};

} // namespace graven

#endif // PASSES_LOWER_SCALARS_H
