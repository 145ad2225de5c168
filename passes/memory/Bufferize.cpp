//===- Bufferize.cpp - functions on tensors to memrefs ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-bufferize: the destinations are prepared, then
// upstream's analysis and rewrite do the work, then copies that do nothing go.
//===----------------------------------------------------------------------===//
#include "dialects/kernel/Kernel.h"
#include "passes/memory/Destinations.h"
#include "passes/memory/Passes.h"
#include "passes/memory/ResultCopies.h"

#include "mlir/Dialect/Arith/Transforms/BufferViewFlowOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SubsetOpInterface.h"
#include "mlir/Transforms/CSE.h"

namespace graven {
#define GEN_PASS_DEF_BUFFERIZE
#include "passes/memory/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Identity layouts unless a view makes another one, cache line alignment, and
/// copies that the kernel lowering can see.
bufferization::OneShotBufferizationOptions makeOptions() {
  bufferization::OneShotBufferizationOptions options;
  options.bufferAlignment = 64;
  options.unknownTypeConverterFn =
      [](TensorType type, Attribute memorySpace,
         const bufferization::BufferizationOptions &) {
        return bufferization::getMemRefTypeWithStaticIdentityLayout(
            type, memorySpace);
      };
  options.memCpyFn = [](OpBuilder &builder, Location loc, Value from,
                        Value to) {
    linalg::CopyOp::create(builder, loc, from, to);
    return success();
  };
  return options;
}

LogicalResult rejectCalls(func::FuncOp function) {
  WalkResult result = function.walk([](func::CallOp call) {
    bool hasTensor =
        llvm::any_of(call->getOperandTypes(), llvm::IsaPred<TensorType>) ||
        llvm::any_of(call->getResultTypes(), llvm::IsaPred<TensorType>);
    if (!hasTensor)
      return WalkResult::advance();
    call.emitError() << "calls @" << call.getCallee()
                     << " on tensors, which has to be inlined before";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// How often what `op` inserts is inserted again: a slice of a concatenation
/// that is padded, say, has level 1, and the padding level 0.
using Levels = DenseMap<Operation *, int64_t>;

/// The level of an insertion of `value`, given those of later insertions.
int64_t levelOfUse(Value value, const Levels &levels) {
  for (unsigned guard = 0; guard < 1000; ++guard) {
    Value next;
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      auto insertion = dyn_cast<SubsetInsertionOpInterface>(user);
      if (insertion && &insertion.getSourceOperand() == &use)
        return levels.lookup(user) + 1;
      auto writer = dyn_cast<DestinationStyleOpInterface>(user);
      if (writer && writer.isDpsInit(&use) && user->getNumResults() > 0)
        next = writer.getTiedOpResult(&use);
      else if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(user))
        next = user->getResult(0);
    }
    if (!next)
      return 0;
    value = next;
  }
  return 0;
}

/// Lets ops compute into the slices in which their results end, the outermost
/// insertions first, as what is inside them can then be found from there.
LogicalResult chooseDestinations(func::FuncOp function) {
  Levels levels;
  int64_t deepest = 0;
  function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (!isa<SubsetInsertionOpInterface>(op))
      return;
    int64_t level =
        op->getNumResults() == 0 ? 0 : levelOfUse(op->getResult(0), levels);
    levels[op] = level;
    deepest = std::max(deepest, level);
  });
  IRRewriter rewriter(function.getContext());
  for (int64_t level = 0; level <= deepest; ++level) {
    bufferization::OneShotBufferizationOptions options = makeOptions();
    options.allowReturnAllocsFromLoops = true;
    bufferization::OneShotAnalysisState state(function, options);
    if (failed(bufferization::analyzeOp(function, state)))
      return failure();
    auto ofLevel = [&](RewriterBase &at, SubsetInsertionOpInterface op,
                       tensor::EmptyOp empty, Operation *user) -> Value {
      if (levels.lookup(op) != level)
        return {};
      return bufferization::buildSubsetExtraction(at, op, empty, user);
    };
    if (failed(bufferization::eliminateEmptyTensors(rewriter, function, state,
                                                    ofLevel)))
      return failure();
  }
  return success();
}

LogicalResult prepare(func::FuncOp function) {
  if (failed(rejectCalls(function)) ||
      failed(memory::passTensorsAsBuffers(function)))
    return failure();
  memory::splitEmptyTensors(function);
  memory::insertSlicesEarly(function);
  memory::fillAroundSlices(function);
  memory::writeBackCarriedTensors(function);
  return chooseDestinations(function);
}

bool isSelfCopy(linalg::CopyOp copy) {
  return copy.getInputs().front() == copy.getOutputs().front();
}

/// Erases copies of a buffer to itself, which merging equal views shows, and
/// orders those to the results; returns how many copies are left.
int64_t settleCopies(func::FuncOp function) {
  SmallVector<linalg::CopyOp> toResults = memory::takeResultCopies(function);
  IRRewriter rewriter(function.getContext());
  DominanceInfo dominance(function);
  eliminateCommonSubExpressions(rewriter, dominance, function);
  llvm::erase_if(toResults, isSelfCopy);
  memory::orderResultCopies(function, toResults);
  int64_t remaining = 0;
  function.walk([&](linalg::CopyOp copy) {
    if (isSelfCopy(copy))
      copy.erase();
    else
      ++remaining;
  });
  return remaining;
}

struct Bufferize : impl::BufferizeBase<Bufferize> {
  using BufferizeBase::BufferizeBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    for (func::FuncOp function : functions)
      if (failed(prepare(function)))
        return signalPassFailure();
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(getOperation(), makeOptions(),
                                                  state)))
      return signalPassFailure();
    for (func::FuncOp function : functions) {
      memory::shrinkFills(function);
      memory::copyStridedOperands(function);
      numCopies += settleCopies(function);
    }
    numFunctions += functions.size();
  }
};

} // namespace

void registerBufferizationModels(DialectRegistry &registry) {
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  // A select of two buffers is both, to whoever asks when they are live.
  arith::registerBufferViewFlowOpInterfaceExternalModels(registry);
  kernel::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerSubsetOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
}

} // namespace graven
