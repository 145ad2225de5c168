//===- Threads.cpp - kernels thread by thread -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of a kernel for a machine of many small
// threads: neighbours in memory are the work of neighbouring threads, so that
// their loads and stores are of whole lines.

#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/LinalgElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace graven::expand {

static int64_t elementsOf(const LoopNest &nest) {
  int64_t elements = 1;
  for (const Loop &loop : ArrayRef(nest.loops).take_front(nest.parallel))
    elements *= loop.extent;
  return elements;
}

int64_t threadCount(Operation *op, const TargetInfo &target) {
  if (auto pool = dyn_cast<kernel::PoolOp>(op))
    return std::max<int64_t>(1, threadCount(pool, target));
  if (auto depthwise = dyn_cast<kernel::DepthwiseOp>(op))
    return std::max<int64_t>(1, threadCount(depthwise, target));

  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return std::max<int64_t>(1, elementsOf(nestOf(linalgOp)));
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return std::max<int64_t>(
        1, cast<MemRefType>(copy.getTarget().getType()).getNumElements());
  return taskCount(op);
}

/// The indices of the parallel loops for one thread, and room for the others.
static SmallVector<Idx> indicesOf(Emitter &e, const LoopNest &nest,
                                  Value thread) {
  SmallVector<int64_t> extents;
  for (const Loop &loop : ArrayRef(nest.loops).take_front(nest.parallel))
    extents.push_back(loop.extent);
  SmallVector<Idx> ivs = e.delinearize(Idx(thread), extents);
  ivs.resize(nest.loops.size(), Idx(int64_t(0)));
  return ivs;
}

static LogicalResult expandElement(Emitter &e, linalg::LinalgOp op,
                                   Value thread) {
  FailureOr<SmallVector<Access>> accesses = accessesOf(e, op);
  if (failed(accesses))
    return failure();
  LoopNest nest = nestOf(op);
  SmallVector<Idx> ivs = indicesOf(e, nest, thread);
  LinalgElement(e, op, *accesses, nest).emit(ivs);
  return success();
}

static LogicalResult expandElement(Emitter &e, memref::CopyOp op,
                                   Value thread) {
  FailureOr<Buffer> from = e.buffer(op.getSource()),
                    to = e.buffer(op.getTarget());
  if (failed(from) || failed(to))
    return failure();
  SmallVector<Idx> ivs = e.delinearize(Idx(thread), to->shape);
  e.store(e.load(*from, e.at(*from, ivs)), *to, e.at(*to, ivs));
  return success();
}

LogicalResult expandThread(OpBuilder &builder, Operation *op, Value thread,
                           const TargetInfo &target) {
  Emitter e(builder, op->getLoc(), target);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return elementsOf(nestOf(linalgOp)) == 0
               ? success()
               : expandElement(e, linalgOp, thread);
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return cast<MemRefType>(copy.getTarget().getType()).getNumElements() == 0
               ? success()
               : expandElement(e, copy, thread);
  bool isEmpty = llvm::any_of(op->getOperandTypes(), [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && memref.getNumElements() == 0;
  });
  if (auto pool = dyn_cast<kernel::PoolOp>(op))
    return isEmpty ? success() : expandThread(e, pool, thread);
  if (auto depthwise = dyn_cast<kernel::DepthwiseOp>(op))
    return isEmpty ? success() : expandThread(e, depthwise, thread);
  Value next =
      arith::AddIOp::create(builder, op->getLoc(), thread, e.constant(1));
  return expand(builder, op, thread, next, target);
}

} // namespace graven::expand
