//===- ConvertToNVVM.cpp - kernels to the NVVM dialect ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ConvertToNVVM, which applies upstream's conversions in
// one go, without those to libdevice.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "compiler/targets/cuda/Passes.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/DialectConversion.h"

namespace graven::cuda {
#define GEN_PASS_DEF_CONVERTTONVVM
#include "compiler/targets/cuda/Passes.h.inc"
} // namespace graven::cuda

using namespace mlir;

namespace {

/// Fences that order the code generator alone, and prefetches, which many
/// threads at a time make up for.
void dropHints(Operation *root) {
  root->walk([](Operation *op) {
    auto fence = dyn_cast<LLVM::FenceOp>(op);
    if (isa<memref::PrefetchOp>(op) ||
        (fence && fence.getSyncscope() == "singlethread"))
      op->erase();
  });
}

/// What the arena, the weights and copies of inputs begin at multiples of is
/// what a thread loads at most.
constexpr int64_t kLoadBytes = 16;

/// Different memrefs of a launch do not overlap. That one block fits has to be
/// said: the assembler for some GPUs would else spill to make room for more.
void annotate(gpu::GPUFuncOp kernel) {
  Builder b(kernel.getContext());
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes()))
    if (isa<MemRefType>(type)) {
      kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
      kernel.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                        b.getI64IntegerAttr(kLoadBytes));
    }
}

/// What a device has instructions for, or LLVM short code.
bool hasInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
             math::CountLeadingZerosOp, math::CountTrailingZerosOp,
             math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp,
             math::IsInfOp, math::IsNaNOp, math::RoundEvenOp, math::RoundOp,
             math::SqrtOp, math::TruncOp>(op);
}

/// Functions that a device does not have, those of f64, which
/// graven-expand-math leaves to a library; all of them are reported.
LogicalResult checkFunctions(gpu::GPUModuleOp device) {
  bool ok = true;
  // A formula that is unrolled is one place of the model.
  DenseSet<std::pair<Attribute, StringRef>> seen;
  auto refuse = [&](Operation *op, StringRef name) {
    ok = false;
    if (!seen.insert({LocationAttr(op->getLoc()), name}).second)
      return;
    graven::emitCoded(op->getLoc(), graven::Code::UnsupportedFeature)
        << "'" << name << "' of " << op->getResult(0).getType()
        << " has no device code";
  };
  device.walk([&](Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op))
      refuse(op, call.getCallee());
    else if (isa<math::MathDialect>(op->getDialect()) && !hasInstruction(op))
      refuse(op, op->getName().getStringRef());
  });
  return success(ok);
}

/// What is said of a loop goes along from scf.for to the branch, under a name
/// that the translation to LLVM's IR does not look at.
void nameAnnotations(gpu::GPUModuleOp device) {
  constexpr StringLiteral name = "llvm.loop_annotation";
  device.walk([&](LLVM::BrOp branch) {
    if (auto annotation =
            branch->getAttrOfType<LLVM::LoopAnnotationAttr>(name)) {
      branch->removeAttr(name);
      branch.setLoopAnnotationAttr(annotation);
    }
  });
}

struct ConvertToNVVM
    : public graven::cuda::impl::ConvertToNVVMBase<ConvertToNVVM> {
  using ConvertToNVVMBase::ConvertToNVVMBase;

  void runOnOperation() override {
    gpu::GPUModuleOp device = getOperation();
    MLIRContext *context = &getContext();
    if (failed(checkFunctions(device)))
      return signalPassFailure();
    dropHints(device);
    for (auto kernel : device.getOps<gpu::GPUFuncOp>())
      annotate(kernel);
    const auto &layout = getAnalysis<DataLayoutAnalysis>();
    LowerToLLVMOptions options(context, layout.getAtOrAbove(device));
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(context, options, &layout);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(context);
    graven::cpu::populateToLLVMPatterns(converter, patterns);
    populateGpuToNVVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(*context);
    // Not upstream's legality, which has a function of libdevice for each
    // intrinsic that CUDA's own compiler has one for.
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addIllegalDialect<gpu::GPUDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    if (failed(applyPartialConversion(device, target, std::move(patterns))))
      return signalPassFailure();
    nameAnnotations(device);
  }
};

} // namespace
