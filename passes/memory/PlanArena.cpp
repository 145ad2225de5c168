//===- PlanArena.cpp - temporaries in one arena -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-plan-arena: lifetimes, the plan, and the rewrite
// of allocations and weights to views of two new arguments.
//===----------------------------------------------------------------------===//
#include "dialects/kernel/Kernel.h"
#include "passes/memory/ArenaPlanner.h"
#include "passes/memory/Lifetimes.h"
#include "passes/memory/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace graven {
#define GEN_PASS_DEF_PLANARENA
#include "passes/memory/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Replaces the op by a view of the bytes at the offset.
void replaceByView(Operation *op, Value bytes, int64_t offset) {
  OpBuilder builder(op);
  auto type = cast<MemRefType>(op->getResult(0).getType());
  Value position =
      arith::ConstantIndexOp::create(builder, op->getLoc(), offset);
  auto view = memref::ViewOp::create(builder, op->getLoc(), type, bytes,
                                     position, ValueRange());
  op->getResult(0).replaceAllUsesWith(view);
  op->erase();
}

LogicalResult rejectForeignMemory(func::FuncOp function) {
  WalkResult result = function.walk([](Operation *op) {
    if (!isa<memref::AllocaOp, memref::DeallocOp, memref::ReallocOp>(op))
      return WalkResult::advance();
    op->emitError() << "buffer contract: memory is managed outside the arena";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// The bytes of weights that the function reads: what it says, or up to the
/// end of the last weight. Emits an error where a weight does not fit.
FailureOr<int64_t> sizeOfWeights(func::FuncOp function,
                                 ArrayRef<kernel::WeightOp> weights,
                                 MemRefType blob) {
  auto declared = function->getAttrOfType<IntegerAttr>(kWeightsSizeAttr);
  int64_t limit = blob       ? blob.getNumElements()
                  : declared ? declared.getInt()
                             : std::numeric_limits<int64_t>::max();
  int64_t end = 0;
  for (kernel::WeightOp weight : weights) {
    auto type = dyn_cast<MemRefType>(weight.getResult().getType());
    FailureOr<int64_t> size =
        type ? memory::sizeInBytes(type) : FailureOr<int64_t>();
    if (failed(size))
      return weight.emitError()
             << "buffer contract: cannot bind a weight of type "
             << weight.getResult().getType();
    int64_t offset = static_cast<int64_t>(weight.getOffset());
    if (offset > limit || *size > limit - offset)
      return weight.emitError()
             << "buffer contract: a weight ends at byte " << offset << " + "
             << *size << ", past the " << limit << " bytes of weights";
    end = std::max(end, offset + *size);
  }
  if (blob || declared)
    return limit;
  return memory::alignUp(end);
}

/// The position of the argument that holds the weights, if there is one.
std::optional<unsigned> findWeights(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, kernel::kWeightsAttr))
      return i;
  return std::nullopt;
}

MemRefType bytesOf(Builder &builder, int64_t size) {
  return MemRefType::get({size}, builder.getI8Type());
}

LogicalResult bindWeights(func::FuncOp function,
                          ArrayRef<kernel::WeightOp> weights) {
  Builder builder(function.getContext());
  std::optional<unsigned> position = findWeights(function);
  MemRefType blob;
  if (position) {
    blob = dyn_cast<MemRefType>(function.getArgument(*position).getType());
    if (!blob || !blob.hasStaticShape() || blob.getRank() != 1 ||
        !blob.getElementType().isInteger(8))
      return function.emitError() << "buffer contract: the weights have type "
                                  << function.getArgument(*position).getType()
                                  << ", expected memref<Nxi8>";
  }
  FailureOr<int64_t> size = sizeOfWeights(function, weights, blob);
  if (failed(size))
    return failure();
  if (!position) {
    position = function.getNumArguments();
    auto attrs = builder.getDictionaryAttr(
        builder.getNamedAttr(kernel::kWeightsAttr, builder.getUnitAttr()));
    if (failed(function.insertArgument(*position, bytesOf(builder, *size),
                                       attrs, function.getLoc())))
      return failure();
  }
  for (kernel::WeightOp weight : weights)
    replaceByView(weight, function.getArgument(*position),
                  static_cast<int64_t>(weight.getOffset()));
  function->setAttr(kWeightsSizeAttr, builder.getI64IntegerAttr(*size));
  return success();
}

LogicalResult placeBuffers(func::FuncOp function,
                           ArrayRef<memref::AllocOp> allocs) {
  FailureOr<SmallVector<memory::Lifetime>> lifetimes =
      memory::computeLifetimes(function, allocs);
  if (failed(lifetimes))
    return failure();
  memory::ArenaPlan plan = memory::planArena(*lifetimes);
  assert(!memory::findOverlap(*lifetimes, plan.offsets) &&
         "two live buffers overlap");
  Builder builder(function.getContext());
  unsigned position =
      findWeights(function).value_or(function.getNumArguments());
  if (failed(function.insertArgument(position, bytesOf(builder, plan.peak), {},
                                     function.getLoc())))
    return failure();
  Value workspace = function.getArgument(position);
  for (auto [alloc, lifetime, offset] :
       llvm::zip_equal(allocs, *lifetimes, plan.offsets)) {
    if (alloc->use_empty())
      alloc->erase();
    else
      replaceByView(alloc, workspace, offset);
  }
  function->setAttr(kWorkspaceSizeAttr, builder.getI64IntegerAttr(plan.peak));
  function->setAttr(kWorkspaceLowerBoundAttr,
                    builder.getI64IntegerAttr(plan.lowerBound));
  return success();
}

struct PlanArena : impl::PlanArenaBase<PlanArena> {
  using PlanArenaBase::PlanArenaBase;

  LogicalResult plan(func::FuncOp function) {
    if (!SymbolTable::symbolKnownUseEmpty(function, getOperation()))
      return function.emitError()
             << "buffer contract: @" << function.getSymName()
             << " is called, and its arguments are about to change";
    if (failed(rejectForeignMemory(function)))
      return failure();
    SmallVector<memref::AllocOp> allocs;
    SmallVector<kernel::WeightOp> weights;
    function.walk([&](memref::AllocOp op) { allocs.push_back(op); });
    function.walk([&](kernel::WeightOp op) { weights.push_back(op); });
    numBuffers += allocs.size();
    numWeights += weights.size();
    if (failed(bindWeights(function, weights)))
      return failure();
    return placeBuffers(function, allocs);
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(kernel::kEntryAttr) &&
          failed(plan(function)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace graven
