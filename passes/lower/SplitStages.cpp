//===- SplitStages.cpp - kernels in two stages, by blocks -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that splits Winograd's convolutions and
// Strassen's products into their stages and a loop over blocks around them, and
// recurrences into a loop over their steps.

#include "passes/lower/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace graven {
#define GEN_PASS_DEF_SPLITSTAGES
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

void emitStages(OpBuilder &b, kernel::WinogradOp op,
                const kernel::WinogradShape &shape, Value number) {
  kernel::WinogradInputOp::create(
      b, op.getLoc(), op.getX(), number, op.getScratch(),
      ArrayRef<int64_t>{shape.height, shape.width}, shape.inChannels,
      shape.outChannels, shape.panel, shape.tile, shape.block);
  auto output = kernel::WinogradOutputOp::create(
      b, op.getLoc(), op.getW(), number, op.getEpilogue(), op.getWhole(),
      op.getOut(), op.getScratch(), shape.inChannels, shape.outChannels,
      shape.tile, shape.block, op.getMr(), op.getPool());
  output.getBody().takeBody(op.getBody());
}

void emitStages(OpBuilder &b, kernel::StrassenOp op,
                const kernel::StrassenShape &shape, Value number) {
  kernel::StrassenInputOp::create(b, op.getLoc(), op.getA(), number,
                                  op.getScratch(), shape.columns, shape.panel,
                                  shape.block);
  auto output = kernel::StrassenOutputOp::create(
      b, op.getLoc(), op.getB(), number, op.getEpilogue(), op.getOut(),
      op.getScratch(), shape.block, op.getMr());
  output.getBody().takeBody(op.getBody());
}

template <typename Shape, typename OpTy> void split(OpTy op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Shape shape(op);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  if (shape.blocks() == 1) {
    emitStages(b, op, shape, zero);
  } else {
    Value one = arith::ConstantIndexOp::create(b, loc, 1),
          count = arith::ConstantIndexOp::create(b, loc, shape.blocks());
    auto loop = scf::ForOp::create(b, loc, zero, count, one);
    b.setInsertionPointToStart(loop.getBody());
    emitStages(b, op, shape, loop.getInductionVar());
  }
  op.erase();
}

/// memref[index], without the axis.
Value rowOf(OpBuilder &b, Location loc, Value memref, int64_t index) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> offsets(type.getRank(), 0), sizes(type.getShape()),
      strides(type.getRank(), 1);
  offsets[0] = index;
  sizes[0] = 1;
  auto reduced = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, reduced, memref, offsets, sizes,
                                   strides);
}

void copyRow(OpBuilder &b, Location loc, Value from, int64_t fromIndex,
             Value to, int64_t toIndex) {
  Value source = rowOf(b, loc, from, fromIndex),
        target = rowOf(b, loc, to, toIndex);
  memref::CopyOp::create(b, loc, source, target);
}

/// One direction after the other: each has weights that are to stay in the
/// caches. The state that is fed back begins and ends in the scratch memory.
void split(kernel::RecurrenceOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  int64_t steps = cast<ShapedType>(op.getX().getType()).getDimSize(0);
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  ValueRange outs = op.getOuts();
  Value scratch = outs.back();
  ValueRange states = outs.drop_front().drop_back();
  SmallVector<Value> stepOuts{outs.front(), scratch};
  llvm::append_range(stepOuts, states.drop_front());
  for (auto [d, reverse] : llvm::enumerate(op.getReverse())) {
    int64_t first = reverse ? steps - 1 : 0, last = steps - 1 - first;
    copyRow(b, loc, op.getInitial()[0], d, scratch, first % 2);
    for (auto [initial, state] :
         llvm::zip_equal(op.getInitial().drop_front(), states.drop_front()))
      copyRow(b, loc, initial, d, state, d);
    Value direction = number(d);
    {
      OpBuilder::InsertionGuard guard(b);
      Value position = number(0);
      if (steps > 1) {
        auto loop =
            scf::ForOp::create(b, loc, position, number(steps), number(1));
        position = loop.getInductionVar();
        b.setInsertionPointToStart(loop.getBody());
        if (reverse)
          position = arith::SubIOp::create(b, loc, number(first), position);
      }
      auto step = kernel::RecurrenceStepOp::create(
          b, loc, op.getX(), op.getR(), op.getParams(), direction, position,
          stepOuts, op.getGates(), op.getMr());
      IRMapping map;
      op.getBody().cloneInto(&step.getBody(), map);
    }
    copyRow(b, loc, scratch, (last + 1) % 2, states.front(), d);
  }
  op.erase();
}

class SplitStagesPass : public impl::SplitStagesBase<SplitStagesPass> {
public:
  using SplitStagesBase::SplitStagesBase;

  void runOnOperation() override {
    SmallVector<DestinationStyleOpInterface> ops;
    getOperation().walk([&](DestinationStyleOpInterface op) {
      if (isa<kernel::WinogradOp, kernel::StrassenOp, kernel::RecurrenceOp>(
              op) &&
          op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    for (DestinationStyleOpInterface op : ops) {
      if (auto conv = dyn_cast<kernel::WinogradOp>(*op))
        split<kernel::WinogradShape>(conv);
      else if (auto recurrence = dyn_cast<kernel::RecurrenceOp>(*op))
        split(recurrence);
      else
        split<kernel::StrassenShape>(cast<kernel::StrassenOp>(*op));
      ++numSplit;
    }
  }
};

} // namespace
} // namespace graven
