//===- VerifyBufferPhase.cpp - the buffer phase's contract ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-verify-buffer-phase, which reports every breach
// of the convention that functions on memrefs follow.
//===----------------------------------------------------------------------===//
#include "dialects/kernel/Kernel.h"
#include "passes/memory/ArenaPlanner.h"
#include "passes/memory/Lifetimes.h"
#include "passes/memory/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

namespace graven {
#define GEN_PASS_DEF_VERIFYBUFFERPHASE
#include "passes/memory/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// The checks of one function; each breach is an error of its own.
class Check {
public:
  explicit Check(func::FuncOp function) : function(function) {}

  LogicalResult run() {
    checkSignature();
    function.walk([&](Operation *op) { checkOp(op); });
    return failure(isBroken);
  }

private:
  InFlightDiagnostic breach(Operation *op) {
    isBroken = true;
    return op->emitError() << "buffer contract: ";
  }

  /// The attribute's value, or an error and a value no count has.
  int64_t countOf(StringRef name) {
    auto attr = function->getAttrOfType<IntegerAttr>(name);
    if (attr && attr.getInt() >= 0)
      return attr.getInt();
    breach(function) << "@" << function.getSymName()
                     << " has no count in the attribute " << name;
    return -1;
  }

  void checkSignature() {
    int64_t inputs = countOf(kNumInputsAttr);
    int64_t outputs = countOf(kNumOutputsAttr);
    int64_t workspace = countOf(kWorkspaceSizeAttr);
    int64_t weights = countOf(kWeightsSizeAttr);
    if (function.getNumResults() != 0)
      breach(function) << "@" << function.getSymName() << " has "
                       << function.getNumResults() << " results, expected 0";
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type || !type.hasStaticShape() || !type.getLayout().isIdentity())
        breach(function) << "argument " << argument.getArgNumber()
                         << " has type " << argument.getType()
                         << ", expected a memref of static shape and identity "
                            "layout";
    }
    if (inputs < 0 || outputs < 0 || workspace < 0 || weights < 0)
      return;
    int64_t expected = inputs + outputs + 2;
    if (function.getNumArguments() != expected) {
      breach(function) << "@" << function.getSymName() << " has "
                       << function.getNumArguments() << " arguments, expected "
                       << inputs << " inputs, " << outputs
                       << " outputs, workspace and weights";
      return;
    }
    checkBlob(expected - 2, workspace, "workspace");
    checkBlob(expected - 1, weights, "weights");
    if (!function.getArgAttr(expected - 1, kernel::kWeightsAttr))
      breach(function) << "argument " << expected - 1 << " has no attribute "
                       << kernel::kWeightsAttr;
  }

  void checkBlob(unsigned index, int64_t size, StringRef what) {
    Type type = function.getArgument(index).getType();
    Builder builder(function.getContext());
    Type expected = MemRefType::get({size}, builder.getI8Type());
    if (type != expected)
      breach(function) << "the " << what << " has type " << type
                       << ", expected " << expected;
  }

  void checkOp(Operation *op) {
    auto isTensor = llvm::IsaPred<TensorType>;
    if (llvm::any_of(op->getOperandTypes(), isTensor) ||
        llvm::any_of(op->getResultTypes(), isTensor))
      breach(op) << "'" << op->getName() << "' works on tensors";
    else if (isa<memref::AllocOp, memref::AllocaOp, memref::DeallocOp,
                 memref::ReallocOp>(op))
      breach(op) << "'" << op->getName() << "' manages memory";
    else if (isa<kernel::WeightOp>(op))
      breach(op) << "a weight is not bound to the blob";
    else if (auto view = dyn_cast<memref::ViewOp>(op))
      checkView(view);
  }

  void checkView(memref::ViewOp view) {
    APInt offset;
    if (!matchPattern(view.getByteShift(), m_ConstantInt(&offset))) {
      breach(view) << "the offset of a view is not constant";
      return;
    }
    int64_t begin = offset.getSExtValue();
    if (begin < 0 || begin % memory::kArenaAlignment != 0)
      breach(view) << "a view begins at byte " << begin
                   << ", expected a multiple of " << memory::kArenaAlignment;
    FailureOr<int64_t> size = memory::sizeInBytes(view.getType());
    int64_t room =
        cast<MemRefType>(view.getSource().getType()).getNumElements();
    if (failed(size))
      breach(view) << "a view has type " << view.getType()
                   << ", expected a static shape and the identity layout";
    else if (begin > room || *size > room - begin)
      breach(view) << "a view of " << *size << " bytes at byte " << begin
                   << " is past the " << room << " bytes there are";
  }

  func::FuncOp function;
  bool isBroken = false;
};

struct VerifyBufferPhase : impl::VerifyBufferPhaseBase<VerifyBufferPhase> {
  using VerifyBufferPhaseBase::VerifyBufferPhaseBase;

  void runOnOperation() override {
    bool isBroken = false;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(kernel::kEntryAttr))
        isBroken |= failed(Check(function).run());
    if (isBroken)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace graven
