//===- LowerTransfers.cpp - loops for transfers -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerTransfers.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Pass/PassManager.h"

namespace graven::cpu {
#define GEN_PASS_DEF_LOWERTRANSFERS
#include "compiler/targets/cpu/Passes.h.inc"
} // namespace graven::cpu

using namespace mlir;

namespace {
struct LowerTransfers
    : public graven::cpu::impl::LowerTransfersBase<LowerTransfers> {
  void runOnOperation() override {
    auto found = getOperation().walk(
        [](VectorTransferOpInterface) { return WalkResult::interrupt(); });
    if (!found.wasInterrupted())
      return;
    OpPassManager loops(func::FuncOp::getOperationName());
    loops.addPass(createConvertVectorToSCFPass());
    if (failed(runPipeline(loops, getOperation())))
      signalPassFailure();
  }
};
} // namespace
