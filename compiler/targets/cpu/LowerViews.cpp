//===- LowerViews.cpp - addresses of views ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerViews.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

namespace graven::cpu {
#define GEN_PASS_DEF_LOWERVIEWS
#include "compiler/targets/cpu/Passes.h.inc"
} // namespace graven::cpu

using namespace mlir;

namespace {
struct LowerViews : public graven::cpu::impl::LowerViewsBase<LowerViews> {
  void runOnOperation() override {
    auto found = getOperation().walk([](Operation *op) {
      return isa<memref::SubViewOp, memref::ExpandShapeOp,
                 memref::CollapseShapeOp, memref::ExtractStridedMetadataOp,
                 memref::ExtractAlignedPointerAsIndexOp>(op)
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (!found.wasInterrupted())
      return;
    OpPassManager addresses(func::FuncOp::getOperationName());
    addresses.addPass(memref::createExpandStridedMetadataPass());
    addresses.addPass(createLowerAffinePass());
    if (failed(runPipeline(addresses, getOperation())))
      signalPassFailure();
  }
};
} // namespace
