//===- MapToBlocks.cpp - threads that work together -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves to a gpu.module what the threads of
// blocks share.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"
#include "passes/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace graven {
#define GEN_PASS_DEF_MAPTOBLOCKS
#include "passes/gpu/Passes.h.inc"
} // namespace graven

using namespace mlir;
using namespace graven;

namespace {

class KernelOfBlocks : public KernelMapping {
public:
  explicit KernelOfBlocks(MatrixUnits units) : units(units) {}

  std::optional<LaunchExtents>
  extentsOf(ArrayRef<Operation *> kernels) const override {
    return kernels.size() == 1 ? blocks::extentsOf(kernels.front(), units)
                               : std::nullopt;
  }

  LogicalResult emit(OpBuilder &b,
                     ArrayRef<Operation *> kernels) const override {
    Operation *op = kernels.front();
    BlockEmitter e(b, op->getLoc(), target, units);
    return blocks::emit(e, op);
  }

private:
  TargetInfo target = deviceTarget();
  MatrixUnits units;
};

struct MapToBlocks : public graven::impl::MapToBlocksBase<MapToBlocks> {
  using MapToBlocksBase::MapToBlocksBase;

  void runOnOperation() override {
    FailureOr<MappedKernels> mapped =
        mapKernels(getOperation(), KernelOfBlocks(units));
    if (failed(mapped))
      return signalPassFailure();
    numKernels += mapped->kernels;
    numLaunches += mapped->launches;
  }
};

} // namespace
