//===- ExpandKernels.cpp - kernels to loops ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that expands the kernel of an outlined function
// to loops, with the expanders in passes/lower/expand.

#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lower/expand/Expand.h"

namespace graven {
#define GEN_PASS_DEF_EXPANDKERNELS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class ExpandKernelsPass : public impl::ExpandKernelsBase<ExpandKernelsPass> {
public:
  using ExpandKernelsBase::ExpandKernelsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernel::kEntryAttr) || function.isDeclaration())
      return;
    TargetInfo target = targetOf(vectorBytes, vectorRegisters, fma, l2Bytes,
                                 bf16Dot, f16Convert, processor);
    SmallVector<Operation *> kernels;
    for (Operation &op : function.front())
      if (expand::isKernel(&op))
        kernels.push_back(&op);
    unsigned arguments = function.getNumArguments();
    if (arguments < 2)
      return;
    Value lo = function.getArgument(arguments - 2),
          hi = function.getArgument(arguments - 1);
    for (Operation *op : kernels) {
      OpBuilder builder(op);
      if (failed(expand::expand(builder, op, lo, hi, target)))
        return signalPassFailure();
      op->erase();
      ++numExpanded;
    }
  }
};

} // namespace

std::unique_ptr<Pass> createExpandKernels(const TargetInfo &target) {
  return createExpandKernels(optionsOf<ExpandKernelsOptions>(target));
}

} // namespace graven
