//===- Nms.cpp - expansion of kernel.nms ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the choice among overlapping boxes. The
// candidates of a class are collected and sorted in place by a heap, then asked
// one after the other: a vector of chosen boxes at a time is compared with the
// candidate, up to the first that it overlaps. No product is fused with a sum,
// as rounding decides here.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

using Values = SmallVector<Value>;

/// The corners of a box and its area: scalars, or vectors of several boxes.
struct Box {
  Value x1, y1, x2, y2, area;
};

class NmsExpansion {
public:
  NmsExpansion(Emitter &e, kernel::NmsOp op)
      : e(e), b(e.builder()), loc(e.loc()), op(op) {}

  LogicalResult read() {
    auto buffer = [&](Value value, Buffer &into) {
      FailureOr<Buffer> result = e.buffer(value);
      if (succeeded(result))
        into = *result;
      return LogicalResult(result);
    };
    if (failed(buffer(op.getBoxes(), boxes)) ||
        failed(buffer(op.getScores(), scores)) ||
        failed(buffer(op.getIou(), iou)) ||
        failed(buffer(op.getKept(), kept)) ||
        failed(buffer(op.getCounts(), counts)) ||
        failed(buffer(op.getOrder(), order)) ||
        failed(buffer(op.getCorners(), corners)))
      return failure();
    if ((op.getScore() && failed(buffer(op.getScore(), score))) ||
        (op.getGroup() && failed(buffer(op.getGroup(), groups))))
      return failure();
    return op.getValid() ? buffer(op.getValid(), valid) : success();
  }

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {scores.shape[0], scores.shape[1]},
            [&](ArrayRef<Idx> task) { choose(task[0], task[1]); });
  }

private:
  void choose(Idx batch, Idx group) {
    Idx none(int64_t(0));
    scoresAt = e.at(scores, {batch, group, none});
    boxesAt = e.at(boxes, {batch, none, none});
    if (op.getGroup())
      groupsAt = e.at(groups, {batch, none});
    orderAt = e.at(order, {batch, group, none});
    keptAt = e.at(kept, {batch, group, none});
    cornersAt = e.at(corners, {batch, group, none, none});
    Value number = collect();
    sort(number);
    e.loop(none, Idx(corners.shape[3]), 1, [&](Idx i) {
      e.store(
          e.splat(corners.element, std::numeric_limits<double>::quiet_NaN()),
          corners, cornerAt(4, i));
    });
    Value count = select(number);
    e.loop(Idx(count), Idx(kept.shape[2]), 1, [&](Idx i) {
      e.store(asInt(e.constant(0)), kept, e.add(keptAt, i));
    });
    e.store(asInt(count), counts, e.at(counts, {batch, group}));
  }

  /// Writes the candidates to `order`; their number.
  Value collect() {
    Idx end(scores.shape[2]);
    if (op.getValid()) {
      Value given = asIndex(e.load(valid, Idx(int64_t(0))));
      end = e.min(e.max(Idx(given), Idx(int64_t(0))), end);
    }
    Value least;
    if (op.getScore())
      least = e.load(score, Idx(int64_t(0)));
    return e.loop(Idx(int64_t(0)), end, 1, Values{e.constant(0)},
                  [&](Idx i, ValueRange carried) -> Values {
                    Value here = carried[0];
                    e.store(asInt(e.get(i)), order, e.add(orderAt, Idx(here)));
                    if (!least)
                      return {e.get(e.add(i, Idx(1)))};
                    Value take = compare(arith::CmpFPredicate::OGT,
                                         scoreOf(e.get(i)), least);
                    return {choice(take, add(here, e.constant(1)), here)};
                  })[0];
  }

  /// Whether candidate p is asked before q: NaN is the greatest score, and ties
  /// take the lowest index.
  Value isBefore(Value p, Value q) {
    Value a = scoreOf(p), c = scoreOf(q);
    Value greater = both(compare(arith::CmpFPredicate::ORD, c, c),
                         compare(arith::CmpFPredicate::UGT, a, c));
    Value less = both(compare(arith::CmpFPredicate::ORD, a, a),
                      compare(arith::CmpFPredicate::UGT, c, a));
    Value lower = compare(arith::CmpIPredicate::slt, p, q);
    return arith::OrIOp::create(b, loc, greater, both(inverted(less), lower));
  }

  /// Sorts `order` by a heap whose root is the last of all (Williams,
  /// "Algorithm 232: Heapsort", 1964).
  void sort(Value number) {
    Idx none(int64_t(0));
    Value half = arith::ShRUIOp::create(b, loc, number, e.constant(1));
    e.loop(none, Idx(half), 1, [&](Idx i) {
      Value from = sub(sub(half, e.constant(1)), e.get(i));
      siftDown(from, number);
    });
    Value last = sub(number, e.constant(1));
    e.loop(none, Idx(last), 1, [&](Idx i) {
      Value end = sub(last, e.get(i));
      Value first = candidate(e.constant(0)), other = candidate(end);
      putCandidate(e.constant(0), other);
      putCandidate(end, first);
      siftDown(e.constant(0), end);
    });
  }

  void siftDown(Value from, Value end) {
    Value one = e.constant(1);
    Value moved = candidate(from);
    scf::WhileOp::create(
        b, loc, TypeRange{b.getIndexType()}, ValueRange{from},
        [&](OpBuilder &, Location, ValueRange carried) {
          // A place beyond the end stops the walk.
          scf::ConditionOp::create(
              b, loc, compare(arith::CmpIPredicate::slt, carried[0], end),
              carried);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          Value root = carried[0];
          Value child = add(add(root, root), one), last = sub(end, one);
          Value hasLeft = compare(arith::CmpIPredicate::slt, child, end);
          // Without children the place itself is asked, which changes nothing.
          Value left = choice(hasLeft, child, root);
          Value right = choice(compare(arith::CmpIPredicate::slt, child, last),
                               add(child, one), left);
          Value p = candidate(left), q = candidate(right);
          Value takeRight = isBefore(p, q);
          Value place = choice(takeRight, right, left),
                best = choice(takeRight, q, p);
          Value goes = both(hasLeft, isBefore(moved, best));
          putCandidate(root, choice(goes, best, moved));
          scf::YieldOp::create(b, loc, ValueRange{choice(goes, place, end)});
        });
  }

  /// Asks the candidates in order; how many are chosen.
  Value select(Value number) {
    Type index = b.getIndexType();
    Value zero = e.constant(0), one = e.constant(1),
          most = e.constant(kept.shape[2]);
    auto loop = scf::WhileOp::create(
        b, loc, TypeRange{index, index}, ValueRange{zero, zero},
        [&](OpBuilder &, Location, ValueRange carried) {
          Value go =
              both(compare(arith::CmpIPredicate::slt, carried[0], number),
                   compare(arith::CmpIPredicate::slt, carried[1], most));
          scf::ConditionOp::create(b, loc, go, carried);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          Value count = carried[1], which = candidate(carried[0]);
          Box box = boxOf(which);
          Value group = op.getGroup() ? groupOf(which) : Value();
          Value hit = overlapsOne(box, group, count);
          // It is written where the next one goes; one that is not chosen has
          // no area that compares.
          Value nan = e.splat(corners.element,
                              std::numeric_limits<double>::quiet_NaN());
          Value area = choice(hit, nan, box.area);
          Value parts[] = {box.x1, box.y1, box.x2, box.y2, area};
          for (auto [i, value] : llvm::enumerate(parts))
            e.store(value, corners, cornerAt(i, Idx(count)));
          if (group)
            for (auto [i, bits] : llvm::enumerate(halves(group)))
              e.store(arith::BitcastOp::create(b, loc, corners.element, bits),
                      corners, cornerAt(5 + i, Idx(count)));
          e.store(asInt(which), kept, e.add(keptAt, Idx(count)));
          scf::YieldOp::create(b, loc,
                               ValueRange{add(carried[0], one),
                                          choice(hit, count, add(count, one))});
        });
    return loop.getResult(1);
  }

  Value groupOf(Value which) {
    return e.load(groups,
                  e.add(groupsAt, e.mul(Idx(which), groups.strides[1])));
  }
  /// The bits of a group as ints as wide as an element: one for f64, else two.
  Values halves(Value group) {
    if (corners.element.isF64())
      return {group};
    Value shift = arith::ConstantIntOp::create(b, loc, 32, 64);
    Value high = arith::ShRUIOp::create(b, loc, group, shift);
    return {arith::TruncIOp::create(b, loc, b.getI32Type(), group),
            arith::TruncIOp::create(b, loc, b.getI32Type(), high)};
  }

  /// Whether the box overlaps one of the first `count` chosen ones of its
  /// group, which is null where there are none.
  Value overlapsOne(const Box &box, Value group, Value count) {
    int64_t lanes = e.lanesOf(corners.element);
    auto type = VectorType::get({lanes}, corners.element);
    Value threshold = e.broadcast(e.load(iou, Idx(int64_t(0))), type);
    Box wide{e.broadcast(box.x1, type), e.broadcast(box.y1, type),
             e.broadcast(box.x2, type), e.broadcast(box.y2, type),
             e.broadcast(box.area, type)};
    Values own;
    auto bits = VectorType::get(
        {lanes}, b.getIntegerType(corners.element.getIntOrFloatBitWidth()));
    if (group)
      for (Value half : halves(group))
        own.push_back(e.broadcast(half, bits));
    Value no = arith::ConstantIntOp::create(b, loc, 0, 1);
    auto loop = scf::WhileOp::create(
        b, loc, TypeRange{b.getIndexType(), b.getI1Type()},
        ValueRange{e.constant(0), no},
        [&](OpBuilder &, Location, ValueRange carried) {
          Value go = both(compare(arith::CmpIPredicate::slt, carried[0], count),
                          inverted(carried[1]));
          scf::ConditionOp::create(b, loc, go, carried);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          Idx at(carried[0]);
          auto part = [&](int64_t which) {
            return e.loadVector(corners, cornerAt(which, at), type, lanes);
          };
          Box chosen{part(0), part(1), part(2), part(3), part(4)};
          Value over = compare(arith::CmpFPredicate::OGT,
                               overlap(chosen, wide, type), threshold);
          for (auto [i, half] : llvm::enumerate(own)) {
            Value other = arith::BitcastOp::create(b, loc, bits, part(5 + i));
            over = both(over, compare(arith::CmpIPredicate::eq, other, half));
          }
          Value any = vector::ReductionOp::create(
              b, loc, vector::CombiningKind::OR, over);
          scf::YieldOp::create(
              b, loc, ValueRange{add(carried[0], e.constant(lanes)), any});
        });
    return loop.getResult(1);
  }

  Value overlap(const Box &a, const Box &c, VectorType type) {
    Value zero = e.splat(type, 0);
    Value width = e.maxOrSecond(
              e.subf(lesser(a.x2, c.x2), e.maxOrSecond(a.x1, c.x1)), zero),
          height = e.maxOrSecond(
              e.subf(lesser(a.y2, c.y2), e.maxOrSecond(a.y1, c.y1)), zero);
    Value common = e.mulf(width, height);
    Value joined = e.subf(e.addf(a.area, c.area), common);
    Value ratio = arith::DivFOp::create(b, loc, common, joined);
    if (op.getFormat() == kernel::BoxFormat::XYXY)
      return ratio;
    return choice(compare(arith::CmpFPredicate::OLE, joined, zero), zero,
                  ratio);
  }

  Box boxOf(Value which) {
    Idx at = e.add(boxesAt, e.mul(Idx(which), boxes.strides[1]));
    Value p[4];
    for (int64_t i = 0; i < 4; ++i)
      p[i] = e.load(boxes, e.add(at, Idx(i * boxes.strides[2])));
    Box box{p[0], p[1], p[2], p[3], {}};
    if (op.getFormat() == kernel::BoxFormat::Center) {
      Value half = e.splat(boxes.element, 0.5);
      Value width = e.mulf(p[2], half), height = e.mulf(p[3], half);
      box = {e.subf(p[0], width),
             e.subf(p[1], height),
             e.addf(p[0], width),
             e.addf(p[1], height),
             {}};
    } else if (op.getFormat() == kernel::BoxFormat::Corners) {
      auto swapped = [&](Value &low, Value &high) {
        Value swap = compare(arith::CmpFPredicate::OLT, high, low);
        Value first = low;
        low = choice(swap, high, first);
        high = choice(swap, first, high);
      };
      swapped(box.x1, box.x2);
      swapped(box.y1, box.y2);
    }
    box.area = e.mulf(e.subf(box.x2, box.x1), e.subf(box.y2, box.y1));
    return box;
  }

  Idx cornerAt(int64_t which, Idx place) {
    return e.add(e.add(cornersAt, Idx(which * corners.strides[2])), place);
  }
  Value scoreOf(Value which) {
    return e.load(scores,
                  e.add(scoresAt, e.mul(Idx(which), scores.strides[2])));
  }
  Value candidate(Value place) {
    return asIndex(e.load(order, e.add(orderAt, Idx(place))));
  }
  void putCandidate(Value place, Value which) {
    e.store(asInt(which), order, e.add(orderAt, Idx(place)));
  }

  Value asIndex(Value value) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
  }
  Value asInt(Value value) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value inverted(Value x) {
    return arith::XOrIOp::create(b, loc, x,
                                 arith::ConstantIntOp::create(b, loc, 1, 1));
  }
  Value choice(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  /// x < y ? x : y, one instruction.
  Value lesser(Value x, Value y) {
    return choice(compare(arith::CmpFPredicate::OLT, x, y), x, y);
  }

  Emitter &e;
  OpBuilder &b;
  Location loc;
  kernel::NmsOp op;
  Buffer boxes, scores, iou, score, groups, valid, kept, counts, order, corners;
  Idx groupsAt{int64_t(0)}, scoresAt{int64_t(0)}, boxesAt{int64_t(0)},
      orderAt{int64_t(0)}, keptAt{int64_t(0)}, cornersAt{int64_t(0)};
};

} // namespace

int64_t taskCount(kernel::NmsOp op) {
  return cast<ShapedType>(op.getCounts().getType()).getNumElements();
}

LogicalResult expandNms(Emitter &e, kernel::NmsOp op, Value lo, Value hi) {
  NmsExpansion expansion(e, op);
  if (failed(expansion.read()))
    return failure();
  expansion.run(lo, hi);
  return success();
}

} // namespace graven::expand
