//===- MapToThreads.cpp - a unit of work a thread ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves outlined kernels to a gpu.module,
// where each thread does one unit of work.
//===----------------------------------------------------------------------===//
#include "passes/gpu/KernelMapping.h"
#include "passes/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lower/expand/Expand.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_MAPTOTHREADS
#include "passes/gpu/Passes.h.inc"

TargetInfo deviceTarget() {
  TargetInfo target;
  target.name = "cuda";
  target.processor = Processor::GPU;
  target.vectorBytes = 16;
  // Of four 32-bit registers each: a thread has 255, and with half of them
  // twice as many threads fit.
  target.vectorRegisters = 16;
  return target;
}
} // namespace graven

using namespace mlir;
using namespace graven;

namespace {

/// Threads of a block where each thread works for itself.
constexpr int32_t kThreadsPerBlock = 256;

/// Kernels of a function with fewer units of work than its others leave some
/// threads out.
class UnitPerThread : public KernelMapping {
public:
  std::optional<LaunchExtents>
  extentsOf(ArrayRef<Operation *> kernels) const override {
    int64_t most = 1;
    for (Operation *op : kernels)
      most = std::max(most, expand::threadCount(op, target));
    return LaunchExtents{llvm::divideCeilSigned(most, kThreadsPerBlock),
                         kThreadsPerBlock};
  }

  LogicalResult emit(OpBuilder &b,
                     ArrayRef<Operation *> kernels) const override {
    Value thread = numberOfThread(b);
    for (Operation *op : kernels) {
      Location loc = op->getLoc();
      Value count = arith::ConstantIndexOp::create(
          b, loc, expand::threadCount(op, target));
      Value works = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                          thread, count);
      auto guarded = scf::IfOp::create(b, loc, works, /*withElseRegion=*/false);
      OpBuilder inner = guarded.getThenBodyBuilder();
      if (failed(expand::expandThread(inner, op, thread, target)))
        return failure();
    }
    return success();
  }

private:
  static Value numberOfThread(OpBuilder &b) {
    Location loc = b.getInsertionBlock()->getParentOp()->getLoc();
    Value block = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
    Value inBlock = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
    Value size = arith::ConstantIndexOp::create(b, loc, kThreadsPerBlock);
    return arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, block, size), inBlock);
  }

  TargetInfo target = deviceTarget();
};

struct MapToThreads : public graven::impl::MapToThreadsBase<MapToThreads> {
  using MapToThreadsBase::MapToThreadsBase;

  void runOnOperation() override {
    FailureOr<MappedKernels> mapped =
        mapKernels(getOperation(), UnitPerThread());
    if (failed(mapped))
      return signalPassFailure();
    numKernels += mapped->kernels;
    numLaunches += mapped->launches;
  }
};

} // namespace
