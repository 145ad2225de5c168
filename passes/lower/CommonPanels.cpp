//===- CommonPanels.cpp - panels that fit any number of rows --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that packs constant right-hand sides of
// products in panels whose width does not depend on the number of rows, so that
// the code for several sizes of one model reads one copy of them.
//===----------------------------------------------------------------------===//

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"
#include "passes/lower/expand/Tiles.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_COMMONPANELS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Whether the value follows from Parameters alone.
bool isFromParams(Value value) {
  SmallVector<Value> pending{value};
  llvm::DenseSet<Value> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      auto function =
          dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
      if (!function ||
          !function.getArgAttr(argument.getArgNumber(), paramAttrName))
        return false;
      continue;
    }
    Operation *op = next.getDefiningOp();
    if (op->getNumRegions() > 0 && !isMemoryEffectFree(op))
      return false;
    pending.append(op->operand_begin(), op->operand_end());
  }
  return true;
}

class CommonPanelsPass : public impl::CommonPanelsBase<CommonPanelsPass> {
public:
  using CommonPanelsBase::CommonPanelsBase;

  void runOnOperation() override {
    target = targetOf(vectorBytes, vectorRegisters, fma, l2Bytes, bf16Dot,
                      f16Convert, processor);
    SmallVector<kernel::GemmOp> gemms;
    getOperation().walk([&](kernel::GemmOp gemm) { gemms.push_back(gemm); });
    for (kernel::GemmOp gemm : gemms)
      repack(gemm);
  }

private:
  /// Few rows want wide panels, and many rows take them in parts; but columns
  /// that only fill a panel up cost as much as others.
  static int64_t vectorsFor(int64_t columns, int64_t lanes) {
    constexpr std::pair<int64_t, double> widths[] = {
        {1, 1.5}, {2, 1.05}, {4, 1.0}};
    int64_t best = 1;
    double least = 0;
    for (auto [vectors, factor] : widths) {
      double cost =
          factor * static_cast<double>(llvm::alignTo(columns, vectors * lanes));
      if (vectors > 1 && cost > least)
        continue;
      best = vectors;
      least = cost;
    }
    return best;
  }

  void repack(kernel::GemmOp gemm) {
    auto pack = gemm.getB().getDefiningOp<kernel::PackOp>();
    if (!pack || !isFromParams(pack.getX()))
      return;
    auto source = cast<RankedTensorType>(pack.getX().getType()),
         packed = cast<RankedTensorType>(gemm.getB().getType());
    Type element = packed.getElementType();
    int64_t columns = source.getDimSize(pack.getTransposed() ? 1 : 2),
            lanes =
                target.lanes(std::max(4u, element.getIntOrFloatBitWidth() / 8)),
            vectors = vectorsFor(columns, lanes), width = vectors * lanes,
            rows = expand::rowsThatFit(target,
                                       expand::tileVectors(target, vectors));
    if (target.processor == Processor::GPU) {
      // The panels of many rows serve few ones, too.
      constexpr int64_t many = 1024;
      expand::GemmTile tile =
          expand::chooseGemmTile(target, many, columns, packed.getDimSize(2),
                                 element.getIntOrFloatBitWidth() / 8);
      width = tile.nr;
      rows = tile.mr;
    }
    // Panels of narrow floats hold their elements in an order of their own.
    if (packed.getRank() != 4 || packed.getDimSize(3) == width ||
        source.getElementType() != element ||
        element.getIntOrFloatBitWidth() < 32)
      return;
    OpBuilder b(gemm);
    SmallVector<int64_t> panels{packed.getDimSize(0),
                                llvm::divideCeilSigned(columns, width),
                                packed.getDimSize(2), width};
    Value empty = tensor::EmptyOp::create(b, pack.getLoc(), panels, element);
    auto other =
        kernel::PackOp::create(b, pack.getLoc(), empty.getType(), pack.getX(),
                               empty, pack.getTransposed());
    gemm.getBMutable().assign(other.getResults()[0]);
    gemm.setMr(rows);
    if (pack->use_empty())
      pack.erase();
    ++numRepacked;
  }

  TargetInfo target;
};

} // namespace

std::unique_ptr<Pass> createCommonPanels(const TargetInfo &target) {
  return createCommonPanels(optionsOf<CommonPanelsOptions>(target));
}

} // namespace graven
