//===- Attention.cpp - expansion of kernel.attention ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of attention: the keys and values of a
// head are packed into panels, then each tile of rows computes its scores,
// their softmax and the weighted sum of the values without leaving the caches.

#include "passes/lower/expand/AttentionTile.h"
#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

/// Tiles that are enough work for the keys of the next head to come.
constexpr int64_t kPrefetchingTiles = 8;

class AttentionExpansion {
public:
  AttentionExpansion(Emitter &e, kernel::AttentionOp op,
                     AttentionOperands operands)
      : e(e), shape(op), operands(std::move(operands)), causal(op.getCausal()),
        vector(e.vectorOf(this->operands.scratch.element)),
        lanes(vector.getNumElements()), split(shape.rows, shape.mr), op(op) {}

  void run(Value lo, Value hi) {
    Idx slot = e.mul(Idx(lo), shape.slotSize()),
        first = e.mul(Idx(lo), shape.unitsPerTask()),
        last = e.min(e.mul(Idx(hi), shape.unitsPerTask()), Idx(shape.units()));
    e.loop(first, last, 1, [&](Idx unit) {
      SmallVector<Idx> at = e.delinearize(
          unit, {shape.batch, shape.keyHeads, shape.repeat(), shape.groups()});
      Head head{at[0], e.add(e.mul(at[1], shape.repeat()), at[2]), at[1]};
      Idx firstTile = e.mul(at[3], shape.group),
          lastTile =
              e.min(e.add(firstTile, Idx(shape.group)), Idx(split.count));
      AttentionTile tile(e, op, operands, head, slot);
      if (shape.isOnline())
        return online(tile, head, slot, firstTile, lastTile);
      Block all{Idx(int64_t(0)), shape.keys};
      packOnce(unit, first, [&] { pack(tile, head, slot, all); });
      e.tiles(split, firstTile, lastTile,
              [&](Idx index, Idx row, int64_t rows) {
                tile.run(
                    all, row, rows, Idx(int64_t(0)),
                    prefetchNext(at, head, index, e.add(row, Idx(rows)), rows));
              });
    });
  }

private:
  /// Units that follow each other have the same keys for each head and group.
  void packOnce(Idx unit, Idx first, function_ref<void()> body) {
    int64_t sharing = shape.repeat() * shape.groups();
    if (sharing == 1)
      return body();
    OpBuilder &b = e.builder();
    Value begins = compare(e, arith::CmpIPredicate::eq,
                           e.divRem(unit, sharing).second, Idx(int64_t(0)));
    Value starts = compare(e, arith::CmpIPredicate::eq, unit, first);
    when(e, arith::OrIOp::create(b, e.loc(), begins, starts), body);
  }

  /// What is asked for while a tile is computed: the rows of the query and the
  /// result of the next tile, and a tile's share of the keys and values of the
  /// next head, whose rows may be far apart: all tiles that have the keys of
  /// this head ask for all of them. A part for each panel, since many requests
  /// at once keep those of the products waiting.
  AttentionTile::Ahead prefetchNext(ArrayRef<Idx> unit, const Head &head,
                                    Idx tile, Idx nextRow, int64_t rows) {
    int64_t shares = shape.repeat() * split.count;
    // A few tiles would only wait for what they ask for.
    if (shares < kPrefetchingTiles)
      return [](Idx, int64_t) {};
    Idx next = e.min(
        e.add(e.add(e.mul(unit[0], shape.keyHeads), unit[1]), Idx(int64_t(1))),
        Idx(shape.batch * shape.keyHeads - 1));
    SmallVector<Idx> at = e.delinearize(next, {shape.batch, shape.keyHeads});
    int64_t keys = llvm::divideCeilSigned(shape.keys, shares);
    Idx firstKey = e.mul(e.add(e.mul(unit[2], split.count), tile), keys);
    return [=, this](Idx part, int64_t parts) {
      auto fetch = [&](const MappedBuffer &from, Idx batch, Idx head, Idx first,
                       int64_t count, int64_t columns) {
        int64_t line = 512 / from.buffer.element.getIntOrFloatBitWidth(),
                each = llvm::divideCeilSigned(count, parts);
        for (int64_t i = 0; i < each; ++i)
          for (int64_t column = 0; column < columns; column += line)
            e.prefetch(
                from.buffer,
                e.add(from.row(e, batch, head,
                               e.add(first, e.add(e.mul(part, each), Idx(i)))),
                      Idx(column)));
      };
      fetch(operands.q, head.batch, head.head, nextRow, rows, shape.depth);
      fetch(operands.out, head.batch, head.head, nextRow, rows, shape.columns);
      if (shape.batch * shape.keyHeads == 1)
        return;
      fetch(operands.k, at[0], at[1], firstKey, keys, shape.depth);
      fetch(operands.v, at[0], at[1], firstKey, keys, shape.columns);
    };
  }

  /// A block of keys after the other, with what each row has so far in the
  /// slot.
  void online(AttentionTile &tile, const Head &head, Idx slot, Idx firstTile,
              Idx lastTile) {
    Idx firstRow = startOf(firstTile), lastRow = startOf(lastTile);
    Idx before = e.mul(firstRow, -1), rows = e.add(lastRow, before);
    tile.startGroup(rows);
    auto block = [&](const Block &keys) {
      pack(tile, head, slot, keys);
      e.tiles(split, firstTile, lastTile, [&](Idx, Idx row, int64_t count) {
        auto body = [&] {
          tile.run(keys, row, count, e.add(row, before), [](Idx, int64_t) {});
        };
        if (!causal)
          return body();
        when(e,
             compare(e, arith::CmpIPredicate::slt, keys.first,
                     e.add(row, Idx(count))),
             body);
      });
    };
    int64_t whole = shape.keyBlocks() - 1;
    Block rest{Idx(whole * shape.block), shape.keys - whole * shape.block};
    Idx needed(whole);
    if (causal)
      needed = e.min(
          needed,
          e.divRem(e.add(lastRow, Idx(shape.block - 1)), shape.block).first);
    e.loop(Idx(int64_t(0)), needed, 1,
           [&](Idx index) { block({e.mul(index, shape.block), shape.block}); });
    if (causal)
      when(e, compare(e, arith::CmpIPredicate::slt, rest.first, lastRow),
           [&] { block(rest); });
    else
      block(rest);
    tile.finishGroup(firstRow, rows);
  }

  Idx startOf(Idx tile) {
    return e.add(e.mul(tile, split.base), e.min(tile, Idx(split.extra)));
  }

  void pack(AttentionTile &tile, const Head &head, Idx slot,
            const Block &block) {
    Value scale = e.splat(vector, tile.keyScale());
    int64_t whole = block.count / shape.panel, rest = block.count % shape.panel;
    Idx from = operands.k.row(e, head.batch, head.keyHead, block.first);
    e.loop(Idx(int64_t(0)), Idx(whole), 1,
           [&](Idx p) { packKeys(from, scale, slot, p, shape.panel); });
    if (rest > 0)
      packKeys(from, scale, slot, Idx(whole), rest);
    packValues(head, e.add(slot, Idx(shape.valuesStart())), block);
  }

  /// One panel of keys, scaled and transposed; lanes without a key are zero.
  void packKeys(Idx from, Value scale, Idx slot, Idx panel, int64_t count) {
    from = e.add(from, e.mul(panel, shape.panel * operands.k.map[3]));
    Idx to = e.add(slot, e.mul(panel, shape.depthSteps() * shape.panel));
    auto square = [&](Idx depth, int64_t width) {
      for (int64_t j = 0; j < count; j += lanes) {
        SmallVector<Value> rows;
        for (int64_t i = 0; i < lanes; ++i)
          rows.push_back(e.mulf(
              scale, e.loadVector(operands.k.buffer,
                                  e.add(e.add(from, depth),
                                        Idx((j + i) * operands.k.map[3])),
                                  vector, j + i < count ? width : 0)));
        rows = e.transpose(std::move(rows));
        Idx first =
            e.add(to, e.mul(e.divRem(depth, shape.pair).first, shape.panel));
        for (int64_t i = 0; i < width; i += shape.pair)
          e.storeVector(shape.pair == 1 ? rows[i] : pairs(rows[i], rows[i + 1]),
                        operands.scratch,
                        e.add(first, Idx(i / shape.pair * shape.panel + j)),
                        lanes);
      }
    };
    int64_t whole = shape.depth / lanes * lanes;
    e.loop(Idx(int64_t(0)), Idx(whole), lanes,
           [&](Idx depth) { square(depth, lanes); });
    if (whole < shape.depth)
      square(Idx(whole), shape.depth - whole);
  }

  /// The lanes of two vectors as the halves of words, rounded to bf16.
  Value pairs(Value even, Value odd) {
    Type narrow = e.builder().getBF16Type();
    return vector::BitCastOp::create(
        e.builder(), e.loc(), vector,
        e.interleave(e.convert(even, narrow), e.convert(odd, narrow)));
  }

  /// Values in panels of columns; keys that fill the last step are zero.
  void packValues(const Head &head, Idx to, const Block &block) {
    int64_t whole = shape.columns / shape.panel,
            rest = shape.columns % shape.panel,
            panelSize = shape.keySteps() * shape.panel,
            rowStride = operands.v.map[3];
    // `exist` of the keys of a step do.
    auto copy = [&](Idx from, Idx into, int64_t columns, int64_t exist) {
      for (int64_t j = 0; j < columns; j += lanes) {
        SmallVector<Value> keys;
        for (int64_t i = 0; i < shape.pair; ++i)
          keys.push_back(e.loadVector(operands.v.buffer,
                                      e.add(from, Idx(i * rowStride + j)),
                                      vector, i < exist ? columns - j : 0));
        e.storeVector(shape.pair == 1 ? keys[0] : pairs(keys[0], keys[1]),
                      operands.scratch, e.add(into, Idx(j)), lanes);
      }
    };
    auto step = [&](Idx from, Idx into, int64_t exist) {
      e.loop(Idx(int64_t(0)), Idx(whole), 1, [&](Idx panel) {
        copy(e.add(from, e.mul(panel, shape.panel)),
             e.add(into, e.mul(panel, panelSize)), shape.panel, exist);
      });
      if (rest > 0)
        copy(e.add(from, Idx(whole * shape.panel)),
             e.add(into, Idx(whole * panelSize)), rest, exist);
    };
    Idx from = operands.v.row(e, head.batch, head.keyHead, block.first);
    int64_t full = block.count / shape.pair;
    e.loop(Idx(int64_t(0)), Idx(full), 1, [&](Idx i) {
      step(e.add(from, e.mul(i, shape.pair * rowStride)),
           e.add(to, e.mul(i, shape.panel)), shape.pair);
    });
    int64_t end = llvm::alignTo(llvm::divideCeilSigned(block.count, shape.pair),
                                kKeysUnroll);
    for (int64_t i = full; i < end; ++i)
      step(e.add(from, Idx(i * shape.pair * rowStride)),
           e.add(to, Idx(i * shape.panel)),
           std::max<int64_t>(0, block.count - i * shape.pair));
  }

  Emitter &e;
  kernel::AttentionShape shape;
  AttentionOperands operands;
  bool causal;
  VectorType vector;
  int64_t lanes;
  Split split;
  kernel::AttentionOp op;
};

} // namespace

Idx MappedBuffer::row(Emitter &e, Idx batch, Idx head, Idx row) const {
  Idx index(map[0]);
  index = e.add(index, e.mul(batch, map[1]));
  index = e.add(index, e.mul(head, map[2]));
  return e.add(index, e.mul(row, map[3]));
}

Value compare(Emitter &e, arith::CmpIPredicate predicate, Idx a, Idx b) {
  return arith::CmpIOp::create(e.builder(), e.loc(), predicate, e.get(a),
                               e.get(b));
}

void when(Emitter &e, Value condition, function_ref<void()> body) {
  OpBuilder &b = e.builder();
  auto ifOp = scf::IfOp::create(b, e.loc(), condition,
                                /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  body();
}

int64_t taskCount(kernel::AttentionOp op) {
  return kernel::AttentionShape(op).tasks();
}

LogicalResult expandAttention(Emitter &e, kernel::AttentionOp op, Value lo,
                              Value hi) {
  auto mapped = [&](Value value, ArrayRef<int64_t> map,
                    MappedBuffer &result) -> LogicalResult {
    FailureOr<Buffer> buffer = e.buffer(value);
    if (failed(buffer))
      return failure();
    if (buffer->strides[0] != 1)
      return op.emitOpError("expects contiguous operands");
    result = {*buffer, map};
    return success();
  };
  AttentionOperands operands;
  MappedBuffer scratch;
  if (failed(mapped(op.getQ(), op.getQMap(), operands.q)) ||
      failed(mapped(op.getK(), op.getKMap(), operands.k)) ||
      failed(mapped(op.getV(), op.getVMap(), operands.v)) ||
      failed(mapped(op.getOut(), op.getOutMap(), operands.out)) ||
      failed(mapped(op.getScratch(), {}, scratch)))
    return failure();
  operands.scratch = scratch.buffer;
  if (op.getMask()) {
    operands.mask.emplace();
    if (failed(mapped(op.getMask(), *op.getMaskMap(), *operands.mask)))
      return failure();
  }
  int64_t lanes = e.lanesOf(operands.scratch.element), panel = op.getPanel();
  if (panel % lanes != 0)
    return op.emitOpError("expects panels of a multiple of ")
           << lanes << " columns, got " << panel;
  AttentionExpansion(e, op, std::move(operands)).run(lo, hi);
  return success();
}

} // namespace graven::expand
