//===- Copy.cpp - expansion of memref.copy ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of copies between strided memrefs to loops
// whose innermost one is contiguous in the target.

#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/LoopNest.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace graven::expand {

static LoopNest nestOf(memref::CopyOp op) {
  auto type = cast<MemRefType>(op.getTarget().getType());
  SmallVector<Strides> operands(2);
  int64_t offset = 0;
  if (failed(cast<MemRefType>(op.getSource().getType())
                 .getStridesAndOffset(operands[0], offset)) ||
      failed(type.getStridesAndOffset(operands[1], offset)))
    operands.clear();
  SmallVector<bool> parallel(type.getRank(), true);
  SmallVector<bool> pinned(type.getRank(), false);
  return LoopNest(type.getShape(), parallel, operands, pinned);
}

int64_t taskCount(memref::CopyOp op) { return nestOf(op).tasks; }

LogicalResult expandCopy(Emitter &e, memref::CopyOp op, Value lo, Value hi) {
  FailureOr<Buffer> from = e.buffer(op.getSource()),
                    to = e.buffer(op.getTarget());
  if (failed(from) || failed(to))
    return failure();
  LoopNest nest = nestOf(op);
  e.tasks(lo, hi, {nest.tasks}, [&](ArrayRef<Idx> task) {
    Idx first = e.mul(task[0], nest.unitsPerTask);
    Idx last = e.min(e.add(first, Idx(nest.unitsPerTask)), Idx(nest.units));
    e.loop(first, last, 1, [&](Idx unit) {
      SmallVector<int64_t> extents;
      for (size_t i = 0; i < nest.outer; ++i)
        extents.push_back(nest.loops[i].extent);
      SmallVector<Idx> ivs = e.delinearize(unit, extents);
      auto visit = [&](auto &self, size_t depth) -> void {
        if (depth < nest.loops.size())
          return e.loop(Idx(int64_t(0)), Idx(nest.loops[depth].extent), 1,
                        [&](Idx iv) {
                          ivs.push_back(iv);
                          self(self, depth + 1);
                          ivs.pop_back();
                        });
        Idx source(int64_t(0)), target(int64_t(0));
        for (auto [loop, iv] : llvm::zip_equal(nest.loops, ivs)) {
          source = e.add(source, e.mul(iv, loop.strideOf(from->strides)));
          target = e.add(target, e.mul(iv, loop.strideOf(to->strides)));
        }
        e.store(e.load(*from, source), *to, target);
      };
      visit(visit, nest.outer);
    });
  });
  return success();
}

} // namespace graven::expand
