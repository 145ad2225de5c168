//===- SplitWinograd.cpp - Winograd convolutions by blocks ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that splits a Winograd convolution into its
// stages and a loop over the blocks of tiles around them.

#include "passes/lower/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/WinogradShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace graven {
#define GEN_PASS_DEF_SPLITWINOGRAD
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
      b, op.getLoc(), op.getW(), number, op.getEpilogue(), op.getOut(),
      op.getScratch(), shape.inChannels, shape.outChannels, shape.tile,
      shape.block, op.getMr());
  output.getBody().takeBody(op.getBody());
}

class SplitWinogradPass : public impl::SplitWinogradBase<SplitWinogradPass> {
public:
  using SplitWinogradBase::SplitWinogradBase;

  void runOnOperation() override {
    SmallVector<kernel::WinogradOp> ops;
    getOperation().walk([&](kernel::WinogradOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    for (kernel::WinogradOp op : ops) {
      OpBuilder b(op);
      Location loc = op.getLoc();
      kernel::WinogradShape shape(op);
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
      ++numSplit;
    }
  }
};

} // namespace
} // namespace graven
