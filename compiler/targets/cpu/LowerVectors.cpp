//===- LowerVectors.cpp - vectors that are no registers ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerVectors.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Pass/PassManager.h"

namespace graven::cpu {
#define GEN_PASS_DEF_LOWERVECTORS
#include "compiler/targets/cpu/Passes.h.inc"
} // namespace graven::cpu

using namespace mlir;

/// Whether ConvertToLLVM takes `op` as it is.
static bool isDirect(Operation *op) {
  auto isFlat = [](Type type) {
    auto vector = dyn_cast<VectorType>(type);
    return !vector || (vector.getRank() == 1 && !vector.isScalable());
  };
  if (!llvm::all_of(op->getOperandTypes(), isFlat) ||
      !llvm::all_of(op->getResultTypes(), isFlat))
    return false;
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op))
    return !isa<VectorType>(broadcast.getSourceType());
  return isa<vector::BitCastOp, vector::ExtractOp, vector::FMAOp,
             vector::FromElementsOp, vector::InsertOp, vector::InterleaveOp,
             vector::LoadOp, vector::MaskedLoadOp, vector::MaskedStoreOp,
             vector::ReductionOp, vector::ShuffleOp, vector::StoreOp,
             vector::ToElementsOp>(op);
}

namespace {
struct LowerVectors : public graven::cpu::impl::LowerVectorsBase<LowerVectors> {
  void runOnOperation() override {
    auto *dialect = getContext().getLoadedDialect<vector::VectorDialect>();
    auto found = getOperation().walk([&](Operation *op) {
      return op->getDialect() == dialect && !isDirect(op)
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (!found.wasInterrupted())
      return;
    ConvertVectorToLLVMPassOptions options;
    options.reassociateFPReductions = true;
    OpPassManager vectors(func::FuncOp::getOperationName());
    vectors.addPass(createConvertVectorToLLVMPass(options));
    if (failed(runPipeline(vectors, getOperation())))
      signalPassFailure();
  }
};
} // namespace
