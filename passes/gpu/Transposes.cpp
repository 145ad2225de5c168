//===- Transposes.cpp - operands read across their memory -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the linalg operations of which an operand's neighbours
// are not the result's: a block loads a tile in the order of the operand, and
// reads it from shared memory in that of the result.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/lower/expand/LinalgElement.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::blocks {
namespace {

using expand::Access;
using expand::Idx;
using expand::LinalgElement;
using expand::LoopNest;

/// The sides of a tile, and its rows that the threads of a block move at once.
constexpr int64_t kTile = 32, kRowsAtOnce = 8;
/// One more element a row: a column of the tile is in as many banks of the
/// shared memory as it has elements.
constexpr int64_t kPitch = kTile + 1;
/// Elements in a row of memory below which a tile would be mostly empty.
constexpr int64_t kLeastExtent = 16;

struct TransposePlan {
  static std::optional<TransposePlan> get(linalg::LinalgOp op,
                                          const LoopNest &nest);

  /// The loop along which the turned operands lie, and that of the result.
  unsigned across = 0, along = 0;
  /// Operands that are read across their memory.
  SmallVector<unsigned> turned;
};

/// The loop in which an operand's neighbours lie; none for one that is read in
/// no order, or along the result.
std::optional<unsigned> acrossOf(linalg::LinalgOp op, const LoopNest &nest,
                                 OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  expand::Strides strides;
  int64_t offset = 0;
  if (!type ||
      !expand::linearStrides(type, op.getMatchingIndexingMap(&operand), strides,
                             offset) ||
      nest.loops.back().strideOf(strides) <= 1)
    return std::nullopt;
  for (auto [i, loop] : llvm::enumerate(ArrayRef(nest.loops).drop_back()))
    if (loop.strideOf(strides) == 1)
      return i;
  return std::nullopt;
}

std::optional<TransposePlan> TransposePlan::get(linalg::LinalgOp op,
                                                const LoopNest &nest) {
  if (nest.loops.size() < 2)
    return std::nullopt;
  TransposePlan plan;
  plan.along = nest.loops.size() - 1;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    std::optional<unsigned> loop = acrossOf(op, nest, *operand);
    if (!loop || (!plan.turned.empty() && *loop != plan.across) ||
        op.getMatchingBlockArgument(operand).use_empty())
      continue;
    plan.across = *loop;
    plan.turned.push_back(operand->getOperandNumber());
  }
  auto isShort = [&](unsigned loop) {
    return nest.loops[loop].extent < kLeastExtent;
  };
  if (plan.turned.empty() || isShort(plan.across) || isShort(plan.along))
    return std::nullopt;
  return plan;
}

/// The tiles of a nest: [loops outside, tiles across, tiles along].
SmallVector<int64_t> gridOf(const LoopNest &nest, const TransposePlan &plan) {
  SmallVector<int64_t> grid;
  for (auto [i, loop] : llvm::enumerate(nest.loops))
    if (i != plan.across && i != plan.along)
      grid.push_back(loop.extent);
  for (unsigned i : {plan.across, plan.along})
    grid.push_back(llvm::divideCeilSigned(nest.loops[i].extent, kTile));
  return grid;
}

class TransposeBlocks {
public:
  TransposeBlocks(BlockEmitter &e, linalg::LinalgOp op,
                  ArrayRef<Access> accesses, const LoopNest &nest,
                  const TransposePlan &plan)
      : e(e), accesses(accesses), nest(nest), plan(plan),
        element(e, op, accesses, nest), ivs(nest.loops.size(), Idx(int64_t(0))),
        acrossStart(int64_t(0)), alongStart(int64_t(0)) {}

  void run();

private:
  void place();
  /// Sets the indices of the two loops; gives whether the element exists, null
  /// where that is known.
  Value at(Idx across, Idx along);
  /// Where a tile has an element.
  Value slot(Idx across, Idx along) {
    return e.get(e.add(e.mul(along, kPitch), across));
  }

  BlockEmitter &e;
  ArrayRef<Access> accesses;
  const LoopNest &nest;
  const TransposePlan &plan;
  LinalgElement element;
  SmallVector<Idx> ivs;
  Idx acrossStart, alongStart;
};

void TransposeBlocks::place() {
  SmallVector<Idx> block = e.delinearize(Idx(e.blockId()), gridOf(nest, plan));
  alongStart = e.mul(block.pop_back_val(), kTile);
  acrossStart = e.mul(block.pop_back_val(), kTile);
  for (auto [i, iv] : llvm::enumerate(ivs))
    if (i != plan.across && i != plan.along) {
      iv = block.front();
      block.erase(block.begin());
    }
}

Value TransposeBlocks::at(Idx across, Idx along) {
  Value exists;
  auto set = [&](unsigned loop, Idx index) {
    int64_t extent = nest.loops[loop].extent;
    if (extent % kTile != 0) {
      Value isBelow = e.isBelow(index, extent);
      exists =
          exists ? arith::AndIOp::create(e.builder(), e.loc(), exists, isBelow)
                       .getResult()
                 : isBelow;
    }
    ivs[loop] = index;
  };
  set(plan.across, e.add(acrossStart, across));
  set(plan.along, e.add(alongStart, along));
  return exists;
}

void TransposeBlocks::run() {
  OpBuilder &b = e.builder();
  place();
  auto [row, column] = e.divRem(Idx(e.threadId()), kTile);
  SmallVector<Value> tiles;
  for (unsigned operand : plan.turned)
    tiles.push_back(e.shared(kTile * kPitch, accesses[operand].buffer.element));
  auto each = [&](Value exists, function_ref<void()> body) {
    if (exists)
      e.when(exists, body);
    else
      body();
  };
  for (int64_t first = 0; first < kTile; first += kRowsAtOnce) {
    Idx along = e.add(row, Idx(first));
    each(at(column, along), [&] {
      for (auto [operand, tile] : llvm::zip_equal(plan.turned, tiles)) {
        const Access &access = accesses[operand];
        memref::StoreOp::create(
            b, e.loc(), e.load(access.buffer, access.index(e, nest, ivs)), tile,
            ValueRange{slot(column, along)});
      }
    });
  }
  e.barrier();
  for (int64_t first = 0; first < kTile; first += kRowsAtOnce) {
    Idx across = e.add(row, Idx(first));
    each(at(across, column), [&] {
      for (auto [operand, tile] : llvm::zip_equal(plan.turned, tiles))
        element.provide(
            operand, memref::LoadOp::create(b, e.loc(), tile,
                                            ValueRange{slot(across, column)}));
      element.store(ivs, element.body(ivs, {}));
    });
  }
}

} // namespace

std::optional<LaunchExtents> transposeExtents(linalg::LinalgOp op) {
  if (op.hasDynamicShape())
    return std::nullopt;
  LoopNest nest = expand::nestOf(op);
  std::optional<TransposePlan> plan = TransposePlan::get(op, nest);
  int64_t blocks = plan ? llvm::product_of(gridOf(nest, *plan)) : 0;
  if (blocks == 0)
    return std::nullopt;
  return LaunchExtents{blocks, kTile * kRowsAtOnce};
}

LogicalResult emitTranspose(BlockEmitter &e, linalg::LinalgOp op) {
  FailureOr<SmallVector<Access>> accesses = expand::accessesOf(e, op);
  if (failed(accesses))
    return failure();
  LoopNest nest = expand::nestOf(op);
  TransposeBlocks(e, op, *accesses, nest, *TransposePlan::get(op, nest)).run();
  return success();
}

} // namespace graven::blocks
