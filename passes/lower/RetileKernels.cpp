//===- RetileKernels.cpp - register tiles for narrower vectors --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements RetileKernels, which gives kernels the register tiles of
// another CPU than the one that panels of weights were made for.
//===----------------------------------------------------------------------===//

#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/lower/expand/Tiles.h"
#include "llvm/ADT/TypeSwitch.h"

namespace graven {
#define GEN_PASS_DEF_RETILEKERNELS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class RetileKernelsPass : public impl::RetileKernelsBase<RetileKernelsPass> {
public:
  using RetileKernelsBase::RetileKernelsBase;

  void runOnOperation() override {
    target = targetOf(vectorBytes, vectorRegisters, fma, l2Bytes, bf16Dot,
                      f16Convert, processor);
    getOperation().walk([&](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case<kernel::GemmOp>([&](auto gemm) {
            auto b = cast<ShapedType>(gemm.getB().getType());
            setRows(gemm, b.getDimSize(3), b);
          })
          .Case<kernel::WinogradOp>([&](auto winograd) {
            setRows(winograd, kernel::WinogradShape(winograd).panel,
                    winograd.getOut().getType());
          })
          .Case<kernel::StrassenOp>([&](auto strassen) {
            setRows(strassen, kernel::StrassenShape(strassen).panel,
                    strassen.getOut().getType());
          })
          .Case<kernel::RecurrenceStepOp>([&](auto step) { setRows(step); })
          .Case<kernel::ConvOp>([&](kernel::ConvOp conv) { setTile(conv); });
    });
  }

private:
  /// Accumulators are f32 where narrower floats are stored.
  static int64_t accumulatorBytes(Type type) {
    return std::max<int64_t>(
        4, cast<ShapedType>(type).getElementTypeBitWidth() / 8);
  }

  template <typename Op> void setRows(Op op, int64_t panel, Type type) {
    int64_t vectors = panel / target.lanes(accumulatorBytes(type));
    if (vectors < 1)
      return;
    op.setMr(expand::rowsThatFit(target, expand::tileVectors(target, vectors)));
    ++numRetiled;
  }

  void setRows(kernel::RecurrenceStepOp op) {
    auto r = cast<ShapedType>(op.getR().getType()),
         x = cast<ShapedType>(op.getX().getType());
    // A CPU with vectors as wide takes the panel at once.
    int64_t bytes = x.getElementTypeBitWidth() / 8;
    if (r.getDimSize(5) == target.lanes(bytes))
      return;
    op.setMr(expand::chooseRecurrenceTile(
                 target, op.getGates(), x.getDimSize(1), r.getDimSize(2), bytes)
                 .mr);
    ++numRetiled;
  }

  void setTile(kernel::ConvOp op) {
    auto w = cast<ShapedType>(op.getW().getType());
    ShapedType out = op.getOutType();
    expand::ConvTile tile = expand::chooseConvTile(
        target,
        {out.getDimSize(0), static_cast<int64_t>(op.getInChannels()),
         static_cast<int64_t>(op.getOutChannels()),
         static_cast<int64_t>(op.getGroups()), w.getDimSize(2), w.getDimSize(3),
         op.getStrides()[0], op.getStrides()[1], out.getDimSize(2),
         out.getDimSize(3)},
        accumulatorBytes(out));
    op.setTile({tile.rows, tile.columns});
    ++numRetiled;
  }

  TargetInfo target;
};

} // namespace

std::unique_ptr<Pass> createRetileKernels(const TargetInfo &target) {
  return createRetileKernels(optionsOf<RetileKernelsOptions>(target));
}

} // namespace graven
