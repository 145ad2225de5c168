//===- LowerStrassen.cpp - products by Strassen's way ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering to `kernel.strassen`, and the combinations
// of its right-hand side, which depend on Parameters alone and so are done
// once.
//===----------------------------------------------------------------------===//

#include "passes/lower/LowerStrassen.h"

#include "dialects/graven/Strassen.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"

using namespace mlir;

namespace graven {

/// [1,K,N] (or [1,N,K]) as panels [Q][7][K/2][P]; zeros past the last column.
static Value combineRight(OpBuilder &b, Location loc, Value rhs,
                          bool transposed, const kernel::StrassenShape &shape) {
  Type f32 = b.getF32Type();
  auto factorType = RankedTensorType::get({7, 4}, f32);
  SmallVector<float> table(std::begin(kStrassenRight),
                           std::end(kStrassenRight));
  Value factors = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(factorType, ArrayRef<float>(table)));
  int64_t halfDepth = shape.depth / 2, halfColumns = shape.halfColumns();
  bool ragged = shape.columns < 2 * halfColumns;
  return generate(
      b, loc, {shape.panels(), 7, halfDepth, shape.panel}, f32,
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        auto index = [&](int64_t value) {
          return indexConstant(inner, at, value);
        };
        Value zero = index(0);
        Value column = arith::AddIOp::create(
            inner, at,
            arith::MulIOp::create(inner, at, i[0], index(shape.panel)), i[3]);
        Value sum;
        for (int64_t quadrant = 0; quadrant < 4; ++quadrant) {
          Value k = arith::AddIOp::create(inner, at, i[2],
                                          index(quadrant / 2 * halfDepth)),
                n = arith::AddIOp::create(inner, at, column,
                                          index(quadrant % 2 * halfColumns));
          Value exists;
          if (ragged && quadrant % 2 == 1) {
            Value last = index(shape.columns - 1);
            exists = arith::CmpIOp::create(inner, at, arith::CmpIPredicate::sle,
                                           n, last);
            n = arith::MinSIOp::create(inner, at, n, last);
          }
          if (transposed)
            std::swap(k, n);
          Value element =
              tensor::ExtractOp::create(inner, at, rhs, ValueRange{zero, k, n});
          if (exists)
            element = arith::SelectOp::create(
                inner, at, exists, element,
                arith::ConstantOp::create(inner, at, inner.getF32FloatAttr(0)));
          Value factor = tensor::ExtractOp::create(
              inner, at, factors, ValueRange{i[1], index(quadrant)});
          Value term = arith::MulFOp::create(inner, at, factor, element);
          sum = sum ? arith::AddFOp::create(inner, at, sum, term).getResult()
                    : term;
        }
        return sum;
      });
}

kernel::StrassenOp emitStrassen(OpBuilder &b, Location loc,
                                const TargetInfo &target, Value lhs, Value rhs,
                                bool rhsTransposed, ValueRange epilogue) {
  auto a = cast<RankedTensorType>(lhs.getType()),
       r = cast<RankedTensorType>(rhs.getType());
  kernel::StrassenShape shape(a.getDimSize(1), a.getDimSize(2),
                              r.getDimSize(rhsTransposed ? 1 : 2), 1);
  expand::StrassenTile tile = expand::chooseStrassenTile(
      target, shape.halfRows(), llvm::divideCeilSigned(shape.columns, 2));
  shape.panel = tile.columns;
  shape.block = tile.block;
  if (shape.columns <= shape.panel)
    return {};
  Value packed = combineRight(b, loc, rhs, rhsTransposed, shape);
  Value out =
      emptyTensor(b, loc, {1, shape.rows, shape.columns}, a.getElementType());
  Value scratch =
      emptyTensor(b, loc, {shape.products().scratchSize()}, a.getElementType());
  return kernel::StrassenOp::create(
      b, loc, TypeRange{out.getType(), scratch.getType()}, lhs, packed,
      epilogue, out, scratch, shape.block, tile.mr);
}

} // namespace graven
