//===- SplitStages.cpp - kernels in two stages, by blocks -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that splits Winograd's convolutions and
// Strassen's products into their stages and a loop over blocks around them.

#include "passes/lower/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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

class SplitStagesPass : public impl::SplitStagesBase<SplitStagesPass> {
public:
  using SplitStagesBase::SplitStagesBase;

  void runOnOperation() override {
    SmallVector<DestinationStyleOpInterface> ops;
    getOperation().walk([&](DestinationStyleOpInterface op) {
      if (isa<kernel::WinogradOp, kernel::StrassenOp>(op) &&
          op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    for (DestinationStyleOpInterface op : ops) {
      if (auto conv = dyn_cast<kernel::WinogradOp>(*op))
        split<kernel::WinogradShape>(conv);
      else
        split<kernel::StrassenShape>(cast<kernel::StrassenOp>(*op));
      ++numSplit;
    }
  }
};

} // namespace
} // namespace graven
