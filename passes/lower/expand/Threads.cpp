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
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven::expand {

/// Elements from which on there are threads enough for each to do several.
static constexpr int64_t kManyElements = 1 << 17;

/// Neighbours that a thread computes, of an axis of `extent`: as many as the
/// widest load or store has of elements of `bytes`.
static int64_t neighboursOf(int64_t elements, int64_t extent, int64_t bytes,
                            const TargetInfo &target) {
  if (elements < kManyElements)
    return 1;
  int64_t count = target.vectorBytes / bytes;
  while (count > 1 && extent % count != 0)
    count /= 2;
  return std::max<int64_t>(1, count);
}

static int64_t bytesOf(Type type) {
  return std::max<int64_t>(
      1, getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8);
}

static int64_t elementsOf(const LoopNest &nest) {
  int64_t elements = 1;
  for (const Loop &loop : ArrayRef(nest.loops).take_front(nest.parallel))
    elements *= loop.extent;
  return elements;
}

/// Of an operation that reduces nothing.
static int64_t neighboursOf(linalg::LinalgOp op, const LoopNest &nest,
                            const TargetInfo &target) {
  if (nest.parallel < nest.loops.size() || nest.loops.empty())
    return 1;
  int64_t bytes = 1;
  for (Type type : op->getOperandTypes())
    bytes = std::max(bytes, bytesOf(type));
  return neighboursOf(elementsOf(nest), nest.loops.back().extent, bytes,
                      target);
}

static int64_t neighboursOf(memref::CopyOp op, const TargetInfo &target) {
  auto from = cast<MemRefType>(op.getSource().getType()),
       to = cast<MemRefType>(op.getTarget().getType());
  auto isContiguous = [](MemRefType type) {
    auto [strides, offset] = type.getStridesAndOffset();
    return !strides.empty() && strides.back() == 1;
  };
  if (!isContiguous(from) || !isContiguous(to))
    return 1;
  return neighboursOf(to.getNumElements(), to.getShape().back(), bytesOf(to),
                      target);
}

int64_t threadCount(Operation *op, const TargetInfo &target) {
  if (isEmpty(op))
    return 1;
  int64_t count =
      TypeSwitch<Operation *, int64_t>(op)
          .Case<kernel::PoolOp, kernel::DepthwiseOp>(
              [&](auto window) { return threadCount(window, target); })
          .Case([&](linalg::LinalgOp linalgOp) {
            LoopNest nest = nestOf(linalgOp);
            return elementsOf(nest) / neighboursOf(linalgOp, nest, target);
          })
          .Case([&](memref::CopyOp copy) {
            auto type = cast<MemRefType>(copy.getTarget().getType());
            return type.getNumElements() / neighboursOf(copy, target);
          })
          .Default([](Operation *other) { return taskCount(other); });
  return std::max<int64_t>(1, count);
}

/// The indices of the first of a thread's neighbours along the last axis.
static SmallVector<Idx> indicesOf(Emitter &e, SmallVector<int64_t> extents,
                                  int64_t neighbours, Value thread) {
  if (neighbours == 1)
    return e.delinearize(Idx(thread), extents);
  extents.back() /= neighbours;
  SmallVector<Idx> ivs = e.delinearize(Idx(thread), extents);
  ivs.back() = e.mul(ivs.back(), neighbours);
  return ivs;
}

static LogicalResult expandElement(Emitter &e, linalg::LinalgOp op,
                                   Value thread) {
  FailureOr<SmallVector<Access>> accesses = accessesOf(e, op);
  if (failed(accesses))
    return failure();
  LoopNest nest = nestOf(op);
  int64_t neighbours = neighboursOf(op, nest, e.target());
  SmallVector<int64_t> extents;
  for (const Loop &loop : ArrayRef(nest.loops).take_front(nest.parallel))
    extents.push_back(loop.extent);
  SmallVector<Idx> ivs = indicesOf(e, extents, neighbours, thread);
  // Room for the reductions.
  ivs.resize(nest.loops.size(), Idx(int64_t(0)));
  LinalgElement element(e, op, *accesses, nest);
  if (neighbours == 1) {
    element.emit(ivs);
    return success();
  }
  // All are computed before one is stored, so that loads become one.
  SmallVector<SmallVector<Value>> results;
  Idx first = ivs.back();
  for (int64_t i = 0; i < neighbours; ++i) {
    ivs.back() = e.add(first, Idx(i));
    results.push_back(element.body(ivs, {}));
  }
  for (int64_t i = 0; i < neighbours; ++i) {
    ivs.back() = e.add(first, Idx(i));
    element.store(ivs, results[i]);
  }
  return success();
}

static LogicalResult expandElement(Emitter &e, memref::CopyOp op,
                                   Value thread) {
  FailureOr<Buffer> from = e.buffer(op.getSource()),
                    to = e.buffer(op.getTarget());
  if (failed(from) || failed(to))
    return failure();
  int64_t neighbours = neighboursOf(op, e.target());
  SmallVector<Idx> ivs = indicesOf(e, to->shape, neighbours, thread);
  Idx source = e.at(*from, ivs), target = e.at(*to, ivs);
  SmallVector<Value> values;
  for (int64_t i = 0; i < neighbours; ++i)
    values.push_back(e.load(*from, e.add(source, Idx(i))));
  for (auto [i, value] : llvm::enumerate(values))
    e.store(value, *to, e.add(target, Idx(int64_t(i))));
  return success();
}

LogicalResult expandThread(OpBuilder &builder, Operation *op, Value thread,
                           const TargetInfo &target) {
  if (isEmpty(op))
    return success();
  Emitter e(builder, op->getLoc(), target);
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::PoolOp, kernel::DepthwiseOp>(
          [&](auto window) { return expandThread(e, window, thread); })
      .Case<linalg::LinalgOp, memref::CopyOp>(
          [&](auto kernelOp) { return expandElement(e, kernelOp, thread); })
      .Default([&](Operation *other) {
        Value next =
            arith::AddIOp::create(builder, op->getLoc(), thread, e.constant(1));
        return expand(builder, other, thread, next, target);
      });
}

} // namespace graven::expand
