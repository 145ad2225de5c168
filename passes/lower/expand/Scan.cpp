//===- Scan.cpp - expansion of kernel.scan ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of scans. Each state waits for the one
// before, so several that do not depend on each other go side by side: vectors
// of neighbours along the last axis, or, where that has one element, rows.

#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace graven::expand {
namespace {

/// The last axis, or where that has one element the rows, are cut into units
/// of work of so many.
constexpr int64_t kColumns = 64, kRows = 4;
/// How many vectors of states are carried at once.
constexpr int64_t kChains = 4;

/// The units of work of a scan: of each row [I, K], or of all rows.
struct ScanShape {
  explicit ScanShape(kernel::ScanOp op)
      : rows(op.getOutType().getDimSize(0)),
        extent(op.getOutType().getDimSize(1)),
        columns(op.getOutType().getDimSize(2)) {
    bool alone = columns == 1;
    block = alone ? kRows : kColumns;
    cut = alone ? rows : columns;
    units = {alone ? 1 : rows, llvm::divideCeilSigned(cut, block)};
  }

  int64_t rows, extent, columns;
  /// What is cut, and into pieces of how many; a row and a piece are a unit.
  int64_t cut, block;
  SmallVector<int64_t, 2> units;
};

/// States side by side, of which `valid` are stored, and the first element of
/// the first one.
struct Chain {
  Idx from, to;
  int64_t lanes, valid;
};

class ScanExpansion {
public:
  ScanExpansion(Emitter &e, kernel::ScanOp op, Buffer x, Buffer out)
      : e(e), op(op), shape(op), x(std::move(x)), out(std::move(out)),
        lanes(e.lanesOf(op.getInitial().getType())) {}

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, shape.units, [&](ArrayRef<Idx> task) {
      Idx first = e.mul(task[1], shape.block);
      int64_t last = shape.units[1] - 1;
      e.ifEqual(
          task[1], last,
          [&] { piece(task[0], first, shape.cut - last * shape.block); },
          [&] { piece(task[0], first, shape.block); });
    });
  }

private:
  void piece(Idx row, Idx first, int64_t count) {
    if (shape.columns == 1) {
      SmallVector<Chain> chains;
      for (int64_t i = 0; i < count; ++i)
        chains.push_back(chainAt(e.add(first, Idx(i)), Idx(int64_t(0)), 1, 1));
      return walk(chains);
    }
    int64_t group = kChains * lanes, whole = count / group * group;
    auto vectors = [&](Idx at, int64_t width) {
      SmallVector<Chain> chains;
      for (int64_t i = 0; i < width; i += lanes)
        chains.push_back(
            chainAt(row, e.add(at, Idx(i)), lanes, std::min(lanes, width - i)));
      if (!chains.empty())
        walk(chains);
    };
    e.loop(Idx(int64_t(0)), Idx(whole), group,
           [&](Idx at) { vectors(e.add(first, at), group); });
    // Targets have masks for numbers of 32 bits and more; a few of others are
    // walked one by one.
    bool isNarrow =
        x.element.isIntOrIndex() && x.element.getIntOrFloatBitWidth() < 32;
    int64_t end = isNarrow ? count / lanes * lanes : count;
    vectors(e.add(first, Idx(whole)), end - whole);
    e.loop(Idx(end), Idx(count), 1,
           [&](Idx at) { walk(chainAt(row, e.add(first, at), 1, 1)); });
  }

  Chain chainAt(Idx row, Idx column, int64_t width, int64_t valid) {
    Idx zero(int64_t(0));
    return {e.at(x, {row, zero, column}), e.at(out, {row, zero, column}), width,
            valid};
  }

  void walk(ArrayRef<Chain> chains) {
    Type type = op.getInitial().getType();
    Value initial =
        arith::ConstantOp::create(e.builder(), e.loc(), op.getInitial());
    SmallVector<Value> states;
    for (const Chain &chain : chains)
      states.push_back(
          e.broadcast(initial, VectorType::get({chain.lanes}, type)));
    e.loop(Idx(int64_t(0)), Idx(shape.extent), 1, states,
           [&](Idx step, ValueRange carried) {
             Idx place = op.getReverse()
                             ? e.add(Idx(shape.extent - 1), e.mul(step, -1))
                             : step;
             SmallVector<Value> next;
             for (auto [chain, state] : llvm::zip_equal(chains, carried))
               next.push_back(advance(chain, state, place));
             return next;
           });
  }

  /// Stores the state at `place`; the one after it.
  Value advance(const Chain &chain, Value state, Idx place) {
    Value element =
        e.loadVector(x, e.add(chain.from, e.mul(place, x.strides[1])),
                     cast<VectorType>(state.getType()), chain.valid);
    Block &body = op.getBody().front();
    IRMapping map;
    map.map(body.getArguments(), ValueRange{state, element});
    Value next = cloneWidened(e, body, map, chain.lanes).front();
    e.storeVector(op.getExclusive() ? state : next, out,
                  e.add(chain.to, e.mul(place, out.strides[1])), chain.valid);
    return next;
  }

  Emitter &e;
  kernel::ScanOp op;
  ScanShape shape;
  Buffer x, out;
  int64_t lanes;
};

} // namespace

int64_t taskCount(kernel::ScanOp op) {
  ScanShape shape(op);
  return shape.units[0] * shape.units[1];
}

LogicalResult expandScan(Emitter &e, kernel::ScanOp op, Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), out = e.buffer(op.getOut());
  if (failed(x) || failed(out))
    return failure();
  ScanExpansion(e, op, *x, *out).run(lo, hi);
  return success();
}

} // namespace graven::expand
