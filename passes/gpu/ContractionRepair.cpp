//===- ContractionRepair.cpp - sums that are not finite ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what becomes of products of f32 with infinities among
// their elements. As the sum of two numbers, one of which may be 0, an infinity
// would make NaN of each product. So sums that are not finite, which are rare,
// are computed again as a thread does it alone, all of a thread that has one.
//===----------------------------------------------------------------------===//
#include "passes/gpu/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace graven {

/// Several steps at a time would take registers from what always runs.
static void keepRolled(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(context, BoolAttr::get(context, true),
                                          {}, {}, {}, {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {},
                                              {}, {}, {}, {}, {}, {}, {}, {},
                                              {}, {}));
}

/// The products of the row with the columns from `column` on, one step of the
/// contracted axis after the other.
Value ContractionEmitter::sumUnsplit(Value row, Value column, VectorType type) {
  OpBuilder &b = u.b;
  Type f32 = b.getF32Type();
  auto narrow = VectorType::get(type.getShape(), shape.right);
  // A row that does not exist has sums, too, where columns are infinite.
  Value last = u.number(shape.rows - 1), at = u.add(firstRow, row);
  Value rowOffset = left.rowOffset(u, u.select(u.isLess(at, last), at, last));
  Value inPanels = u.add(u.mul(u.div(column, shape.panel), panelStride),
                         u.rem(column, shape.panel));
  Value zero = arith::ConstantOp::create(b, u.loc, b.getF32FloatAttr(0));
  Value none = vector::BroadcastOp::create(b, u.loc, type, zero);
  auto loop = scf::ForOp::create(
      b, u.loc, u.number(0), u.number(shape.depth), u.number(1),
      ValueRange{none},
      [&](OpBuilder &, Location, Value k, ValueRange carried) {
        Value inRun = u.rem(k, left.run);
        LeftSide::Run run = left.stepOffset(u, u.sub(k, inRun));
        Value offset = u.add(u.add(rowOffset, run.offset), inRun);
        Value element =
            u.load(f32, u.at(left.pointer, offset, f32), sizeof(float));
        if (run.valid)
          element = u.select(u.isLess(inRun, run.valid), element, zero);
        Value columns = u.load(
            narrow,
            u.at(right, u.add(inPanels, u.mul(k, shape.panel)), shape.right),
            type.getNumElements() * rightBytes);
        if (narrow != type)
          columns = arith::ExtFOp::create(b, u.loc, type, columns);
        Value rows = vector::BroadcastOp::create(b, u.loc, type, element);
        Value sums =
            vector::FMAOp::create(b, u.loc, rows, columns, carried.front());
        scf::YieldOp::create(b, u.loc, sums);
      });
  keepRolled(loop);
  return loop.getResult(0);
}

void ContractionEmitter::repair(ValueRange sums) {
  OpBuilder &b = u.b;
  // The difference to itself of what is not finite is NaN.
  Value all;
  for (Value sum : sums) {
    Value difference = arith::SubFOp::create(b, u.loc, sum, sum);
    all = all ? arith::AddFOp::create(b, u.loc, all, difference).getResult()
              : difference;
  }
  Value isNaN =
      arith::CmpFOp::create(b, u.loc, arith::CmpFPredicate::UNO, all, all);
  auto type = VectorType::get({2}, b.getF32Type());
  auto repaired = scf::IfOp::create(b, u.loc, isNaN, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(repaired.thenBlock());
  keepRolled(scf::ForOp::create(
      b, u.loc, u.number(0), u.number(numPairs()), u.number(1), ValueRange(),
      [&](OpBuilder &, Location, Value pair, ValueRange) {
        auto [row, column] = placeOfPair(pair);
        u.store(sumUnsplit(row, column, type),
                u.shared(placeOfSum(row, column)), 2 * sizeof(float));
        scf::YieldOp::create(b, u.loc);
      }));
}

} // namespace graven
