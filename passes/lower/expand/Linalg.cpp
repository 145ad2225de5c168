//===- Linalg.cpp - expansion of linalg operations --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of any linalg operation on static memrefs
// to loops in scalar form. Loops that walk memory together
// are collapsed, parallel loops come first, the innermost loop is the
// contiguous one, and a reduction is carried in registers.

#include "passes/lower/expand/Access.h"
#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/LinalgElement.h"
#include "passes/lower/expand/Tiled.h"
#include "passes/lower/expand/Tiles.h"
#include "passes/lower/expand/Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

/// Vectors that a strip accumulates at a time, to hide the latency of an add.
constexpr int64_t kStripVectors = 4;

/// Elements of a row whose lanes are worth combining.
constexpr int64_t kLeastRow = 8;

class LinalgExpansion {
public:
  LinalgExpansion(Emitter &e, linalg::LinalgOp op, SmallVector<Access> accesses,
                  const LoopNest &nest)
      : e(e), op(op), accesses(std::move(accesses)), nest(nest),
        useStrips(canUseStrips()), useRow(canUseRow()) {}

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {nest.tasks}, [&](ArrayRef<Idx> task) {
      // The task's range of the collapsed outer parallel loops.
      Idx first = e.mul(task[0], nest.unitsPerTask);
      Idx last = e.min(e.add(first, Idx(nest.unitsPerTask)), Idx(nest.units));
      // Neighbours alone: tasks begin at whole vectors.
      if (useStrips && nest.outer == nest.parallel)
        return neighbours(first, last);
      e.loop(first, last, 1, [&](Idx unit) {
        SmallVector<Idx> ivs(nest.loops.size(), Idx(int64_t(0)));
        SmallVector<int64_t> extents;
        for (size_t i = 0; i < nest.outer; ++i)
          extents.push_back(nest.loops[i].extent);
        SmallVector<Idx> outer = e.delinearize(unit, extents);
        std::copy(outer.begin(), outer.end(), ivs.begin());
        parallel(nest.outer, ivs);
      });
    });
  }

private:
  /// The parallel loops from `depth` on, then the reduction loops.
  void parallel(size_t depth, SmallVector<Idx> &ivs) {
    if (depth == nest.parallel)
      return element(ivs);
    if (depth + 1 == nest.parallel && useStrips)
      return strips(ivs);
    e.loop(Idx(int64_t(0)), Idx(nest.loops[depth].extent), 1, [&](Idx iv) {
      ivs[depth] = iv;
      parallel(depth + 1, ivs);
    });
  }

  /// The elements [first, last) of the one loop that there is.
  void neighbours(Idx first, Idx last) {
    int64_t lanes = e.lanesOf(accesses.back().buffer.element),
            whole = nest.units / lanes * lanes;
    SmallVector<Idx> ivs(1, Idx(int64_t(0)));
    e.loop(first, e.min(last, Idx(whole)), lanes,
           [&](Idx start) { strip(ivs, {}, start, lanes, 1, lanes); });
    if (whole < nest.units)
      e.ifEqual(
          last, nest.units,
          [&] { strip(ivs, {}, Idx(whole), lanes, 1, nest.units - whole); },
          [] {});
  }

  /// Some steps of the outermost reduction loop.
  struct Steps {
    Idx first = Idx(int64_t(0));
    int64_t count = 0;
  };

  /// A reduction over outer axes: vectors of neighbours are accumulated
  /// together, so that memory is read in its order. Without a reduction, the
  /// vectors are independent and go one by one.
  void strips(SmallVector<Idx> &ivs) {
    if (nest.parallel == nest.loops.size())
      return strips(ivs, {});
    int64_t extent = nest.loops[nest.parallel].extent,
            whole = extent / nest.block * nest.block;
    e.loop(Idx(int64_t(0)), Idx(whole), nest.block,
           [&](Idx first) { strips(ivs, {first, nest.block}); });
    if (whole < extent)
      strips(ivs, {Idx(whole), extent - whole});
  }

  void strips(SmallVector<Idx> &ivs, Steps steps) {
    int64_t extent = nest.loops[nest.parallel - 1].extent;
    int64_t lanes = e.lanesOf(accesses.back().buffer.element);
    int64_t done = 0;
    SmallVector<int64_t> widths{lanes};
    if (steps.count > 0)
      widths = {kStripVectors * lanes, kStripVectors / 2 * lanes, lanes};
    for (int64_t width : widths) {
      int64_t end = done + (extent - done) / width * width;
      e.loop(Idx(done), Idx(end), width, [&](Idx start) {
        strip(ivs, steps, start, lanes, width / lanes, lanes);
      });
      done = end;
    }
    if (done < extent)
      strip(ivs, steps, Idx(done), lanes, 1, extent - done);
  }

  /// `count` vectors from `start` on; the last has `valid` lanes.
  void strip(SmallVector<Idx> &ivs, Steps steps, Idx start, int64_t lanes,
             int64_t count, int64_t valid) {
    SmallVector<Value> carried;
    for (int64_t v = 0; v < count; ++v)
      for (OpOperand &init : op.getDpsInitsMutable())
        carried.push_back(
            loadWide(init, ivs, e.add(start, Idx(v * lanes)), lanes, valid));
    SmallVector<Value> results =
        steps.count > 0 ? reduceStrip(nest.parallel, steps, ivs, start, lanes,
                                      valid, carried)
                        : stepStrip(ivs, start, lanes, valid, carried);
    int64_t inits = op.getNumDpsInits();
    for (int64_t v = 0; v < count; ++v)
      for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
        Access &access = accesses[init.getOperandNumber()];
        ivs[nest.parallel - 1] = e.add(start, Idx(v * lanes));
        e.storeVector(results[v * inits + i], access.buffer,
                      access.index(e, nest, ivs), valid);
      }
  }

  /// The reduction loops from `depth` on. Sums, and extremes, of the innermost
  /// one are taken in several chains, which take turns: with few vectors, each
  /// addition would wait for the last.
  SmallVector<Value> reduceStrip(size_t depth, Steps steps,
                                 SmallVector<Idx> &ivs, Idx start,
                                 int64_t lanes, int64_t valid,
                                 ValueRange carried) {
    int64_t count = carried.size();
    auto step = [&](Idx iv, ValueRange values) {
      ivs[depth] = e.add(steps.first, iv);
      if (depth + 1 == nest.loops.size())
        return stepStrip(ivs, start, lanes, valid, values);
      Steps all{Idx(int64_t(0)), nest.loops[depth + 1].extent};
      return reduceStrip(depth + 1, all, ivs, start, lanes, valid, values);
    };
    int64_t chains = std::max<int64_t>(1, kWantedAccumulators / count);
    Operation *combiner = combinerOf();
    if (depth + 1 < nest.loops.size() || chains == 1 ||
        steps.count < 2 * chains || !combiner)
      return e.loop(Idx(int64_t(0)), Idx(steps.count), 1, carried, step);
    SmallVector<Value> values(carried);
    auto neutral = cast<FloatAttr>(*arith::getNeutralElement(combiner));
    values.append((chains - 1) * count, e.splat(carried.front().getType(),
                                                neutral.getValueAsDouble()));
    int64_t whole = steps.count / chains * chains;
    auto turn = [&](Idx iv, ValueRange all, int64_t links) {
      SmallVector<Value> next(all);
      for (int64_t chain = 0; chain < links; ++chain)
        llvm::copy(step(e.add(iv, Idx(chain)), all.slice(chain * count, count)),
                   next.begin() + chain * count);
      return next;
    };
    values =
        e.loop(Idx(int64_t(0)), Idx(whole), chains, values,
               [&](Idx iv, ValueRange all) { return turn(iv, all, chains); });
    values = turn(Idx(whole), values, steps.count - whole);
    for (int64_t distance = chains / 2; distance >= 1; distance /= 2)
      for (int64_t i = 0; i < distance * count; ++i)
        values[i] = combined(combiner, values[i], values[i + distance * count]);
    values.resize(count);
    return values;
  }

  Value combined(Operation *combiner, Value a, Value c) {
    OperationState state(e.loc(), combiner->getName(), {a, c}, {a.getType()},
                         combiner->getAttrs());
    Operation *result = e.builder().create(state);
    relax(result, /*reassociate=*/false);
    return result->getResult(0);
  }

  /// The region once for the vectors from `start` on.
  SmallVector<Value> stepStrip(SmallVector<Idx> &ivs, Idx start, int64_t lanes,
                               int64_t valid, ValueRange values) {
    SmallVector<Value> results;
    int64_t inits = op.getNumDpsInits(), count = values.size() / inits;
    for (int64_t v = 0; v < count; ++v) {
      IRMapping map;
      for (OpOperand &operand : op->getOpOperands()) {
        BlockArgument argument = op.getMatchingBlockArgument(&operand);
        if (op.isDpsInit(&operand))
          map.map(argument, values[v * inits + operand.getOperandNumber() -
                                   op.getNumDpsInputs()]);
        else if (!argument.use_empty())
          map.map(argument, loadWide(operand, ivs, e.add(start, Idx(v * lanes)),
                                     lanes, valid));
      }
      results.append(cloneWidened(e, *op.getBlock(), map, lanes));
    }
    return results;
  }

  /// The addition to one float, or the choice of the greater or the lesser of
  /// it, that the region ends with; null when it does anything else with it.
  Operation *combinerOf() {
    if (op.getNumDpsInits() != 1)
      return nullptr;
    Operation *combiner =
        op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    BlockArgument carried = op.getRegionOutputArgs()[0];
    return isa_and_present<arith::AddFOp, arith::MaximumFOp, arith::MinimumFOp>(
               combiner) &&
                   carried.hasOneUse() &&
                   llvm::is_contained(combiner->getOperands(), carried)
               ? combiner
               : nullptr;
  }

  Value loadWide(OpOperand &operand, SmallVector<Idx> &ivs, Idx lane,
                 int64_t lanes, int64_t valid) {
    if (op.isScalar(&operand))
      return operand.get();
    Access &access = accesses[operand.getOperandNumber()];
    ivs[nest.parallel - 1] = lane;
    auto type = VectorType::get({lanes}, access.buffer.element);
    if (int64_t times = repeats(access); times > 1) {
      auto part = VectorType::get({lanes / times}, access.buffer.element);
      Value some = e.loadVector(access.buffer, access.index(e, nest, ivs), part,
                                llvm::divideCeilSigned(valid, times));
      SmallVector<int64_t> order;
      for (int64_t i = 0; i < lanes; ++i)
        order.push_back(i / times);
      return vector::ShuffleOp::create(e.builder(), e.loc(), some, some, order);
    }
    if (nest.loops[nest.parallel - 1].strideOf(access.strides) == 0)
      return e.loadSplat(access.buffer, access.index(e, nest, ivs), type);
    return e.loadVector(access.buffer, access.index(e, nest, ivs), type, valid);
  }

  /// How many times in a row the last parallel loop reads each element of an
  /// operand whose last coordinate is a quotient of it; 1 for all others.
  int64_t repeats(const Access &access) {
    const Loop &loop = nest.loops[nest.parallel - 1];
    if (access.linear || loop.dims.size() != 1 || loop.scale != 1 ||
        access.buffer.strides.back() != 1 ||
        !access.buffer.element.isIntOrFloat() ||
        access.buffer.element.getIntOrFloatBitWidth() < 32)
      return 1;
    auto last = dyn_cast<AffineBinaryOpExpr>(access.map.getResults().back());
    if (!last || last.getKind() != AffineExprKind::FloorDiv ||
        !isa<AffineConstantExpr>(last.getRHS()) ||
        last.getLHS() !=
            getAffineDimExpr(loop.dims.front(), op->getContext()) ||
        llvm::any_of(access.map.getResults().drop_back(), [&](AffineExpr expr) {
          return expr.isFunctionOfDim(loop.dims.front());
        }))
      return 1;
    int64_t times = cast<AffineConstantExpr>(last.getRHS()).getValue();
    return e.lanesOf(access.buffer.element) % times == 0 ? times : 1;
  }

  /// A reduction over neighbours, in lanes that are combined at the end: with a
  /// loop of known, small extent the code generator makes one chain of it.
  void row(SmallVector<Idx> &ivs) {
    OpBuilder &b = e.builder();
    Operation *combiner = combinerOf();
    Access &out = accesses.back();
    auto type =
        VectorType::get({e.lanesOf(out.buffer.element)}, out.buffer.element);
    auto neutral = cast<FloatAttr>(*arith::getNeutralElement(combiner));
    int64_t vectors =
        llvm::divideCeilSigned(nest.loops.back().extent, type.getNumElements());
    SmallVector<Value> chains(std::min(vectors, kStripVectors),
                              e.splat(type, neutral.getValueAsDouble()));
    chains = rowSteps(nest.parallel, ivs, type, chains);
    while (chains.size() > 1) {
      Value last = chains.pop_back_val();
      chains[chains.size() / 2] =
          combined(combiner, chains[chains.size() / 2], last);
    }
    vector::CombiningKind kind =
        isa<arith::AddFOp>(combiner)       ? vector::CombiningKind::ADD
        : isa<arith::MaximumFOp>(combiner) ? vector::CombiningKind::MAXIMUMF
                                           : vector::CombiningKind::MINIMUMF;
    Value lanes = vector::ReductionOp::create(b, e.loc(), kind, chains.front(),
                                              arith::FastMathFlags::reassoc);
    e.store(
        combined(combiner, e.load(out.buffer, out.index(e, nest, ivs)), lanes),
        out.buffer, out.index(e, nest, ivs));
  }

  /// The reduction loops from `depth` on, the innermost one in vectors that the
  /// chains take in turns.
  SmallVector<Value> rowSteps(size_t depth, SmallVector<Idx> &ivs,
                              VectorType type, ValueRange chains) {
    int64_t extent = nest.loops[depth].extent;
    if (depth + 1 < nest.loops.size())
      return e.loop(Idx(int64_t(0)), Idx(extent), 1, chains,
                    [&](Idx iv, ValueRange carried) {
                      ivs[depth] = iv;
                      return rowSteps(depth + 1, ivs, type, carried);
                    });
    int64_t lanes = type.getNumElements(), turn = chains.size() * lanes,
            whole = extent / turn * turn;
    SmallVector<Value> values =
        e.loop(Idx(int64_t(0)), Idx(whole), turn, chains,
               [&](Idx first, ValueRange carried) {
                 SmallVector<Value> next;
                 for (auto [i, chain] : llvm::enumerate(carried))
                   next.push_back(rowStep(ivs, e.add(first, Idx(i * lanes)),
                                          type, lanes, chain));
                 return next;
               });
    for (auto [i, chain] : llvm::enumerate(values))
      if (int64_t start = whole + int64_t(i) * lanes; start < extent)
        chain = rowStep(ivs, Idx(start), type, std::min(lanes, extent - start),
                        chain);
    return values;
  }

  /// The region once for a vector of the innermost reduction loop.
  Value rowStep(SmallVector<Idx> &ivs, Idx start, VectorType type,
                int64_t valid, Value carried) {
    int64_t lanes = type.getNumElements();
    ivs.back() = start;
    IRMapping map;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(operand);
      if (argument.use_empty() || op.isScalar(operand)) {
        map.map(argument, operand->get());
        continue;
      }
      Access &access = accesses[operand->getOperandNumber()];
      Idx index = access.index(e, nest, ivs);
      auto read = VectorType::get({lanes}, access.buffer.element);
      map.map(argument, nest.loops.back().strideOf(access.strides) == 0
                            ? e.loadSplat(access.buffer, index, read)
                            : e.loadVector(access.buffer, index, read, valid));
    }
    map.map(op.getRegionOutputArgs()[0], carried);
    Value next = cloneWidened(e, *op.getBlock(), map, lanes)[0];
    if (valid == lanes)
      return next;
    return arith::SelectOp::create(e.builder(), e.loc(),
                                   e.laneMask(lanes, valid), next, carried);
  }

  /// Whether the innermost reduction loop walks neighbours, in a float that
  /// `combinerOf` knows.
  bool canUseRow() {
    if (nest.parallel == nest.loops.size() || !combinerOf() ||
        !canWiden(*op.getBlock()))
      return false;
    const Loop &loop = nest.loops.back();
    Type element = accesses.back().buffer.element;
    if (loop.extent < kLeastRow ||
        element != op.getRegionOutputArgs()[0].getType())
      return false;
    return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
      const Access &access = accesses[operand.getOperandNumber()];
      if (op.isScalar(&operand))
        return true;
      int64_t stride = access.linear ? loop.strideOf(access.strides) : -1;
      return access.buffer.element.isIntOrFloat() &&
             access.buffer.element.getIntOrFloatBitWidth() >= 8 &&
             (stride == 0 || (stride == 1 && !op.isDpsInit(&operand)));
    });
  }

  /// Whether the last parallel loop is the contiguous one of a reduction, or of
  /// elementary functions or repeated elements, which are too much for a
  /// vectorizer of loops.
  bool canUseStrips() {
    if (nest.parallel == 0 || !canWiden(*op.getBlock()))
      return false;
    bool isLong = llvm::any_of(*op.getBlock(), [](Operation &inner) {
      return isa<math::MathDialect>(inner.getDialect());
    });
    for (OpOperand *input : op.getDpsInputOperands())
      isLong |= !op.isScalar(input) &&
                repeats(accesses[input->getOperandNumber()]) > 1;
    int64_t lanes = e.lanesOf(accesses.back().buffer.element);
    if (nest.parallel == nest.loops.size()
            ? !isLong || (nest.outer == nest.parallel &&
                          (nest.parallel > 1 ||
                           (nest.tasks > 1 && nest.unitsPerTask % lanes != 0)))
            : nest.outer == nest.parallel)
      return false;
    const Loop &loop = nest.loops[nest.parallel - 1];
    if (loop.extent < e.lanesOf(accesses.back().buffer.element))
      return false;
    for (OpOperand &operand : op->getOpOperands()) {
      const Access &access = accesses[operand.getOperandNumber()];
      if (op.isScalar(&operand))
        continue;
      if (repeats(access) > 1)
        continue;
      int64_t stride = access.linear ? loop.strideOf(access.strides) : -1;
      if (!access.buffer.element.isIntOrFloat() ||
          access.buffer.element.getIntOrFloatBitWidth() < 8 ||
          (stride != 1 && (stride != 0 || op.isDpsInit(&operand))))
        return false;
    }
    return true;
  }

  void element(SmallVector<Idx> &ivs) {
    if (useRow)
      return row(ivs);
    LinalgElement(e, op, accesses, nest).emit(ivs);
  }

  Emitter &e;
  linalg::LinalgOp op;
  SmallVector<Access> accesses;
  const LoopNest &nest;
  bool useStrips, useRow;
};

} // namespace

/// The square tiles of an operation that transposes some of its operands.
static std::optional<TiledNest> tilingOf(linalg::LinalgOp op) {
  if (op.getNumParallelLoops() != op.getNumLoops() ||
      op.getNumDpsInits() != 1 || !canWiden(*op.getBlock()) ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return std::nullopt;
  SmallVector<Strides> operands;
  int64_t bits = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    Strides strides;
    int64_t offset = 0;
    Type element = type.getElementType();
    if (!element.isIntOrFloat() ||
        (bits != 0 && bits != element.getIntOrFloatBitWidth()) ||
        !linearStrides(type, op.getMatchingIndexingMap(&operand), strides,
                       offset))
      return std::nullopt;
    bits = element.getIntOrFloatBitWidth();
    operands.push_back(strides);
  }
  // Narrower elements take more shuffles than they are worth.
  if (bits != 32 && bits != 64)
    return std::nullopt;
  return TiledNest::create(op.getStaticLoopRanges(), operands, bits / 8);
}

static void expandTiled(Emitter &e, linalg::LinalgOp op, const TiledNest &nest,
                        ArrayRef<Access> accesses, Value lo, Value hi) {
  SmallVector<Buffer> buffers;
  SmallVector<int64_t> offsets;
  for (const Access &access : accesses)
    if (access.buffer.flat) {
      buffers.push_back(access.buffer);
      offsets.push_back(access.offset);
    }
  int64_t lanes = e.lanesOf(buffers.back().element);
  auto body = [&](ArrayRef<Value> vectors) -> Value {
    IRMapping map;
    size_t next = 0;
    for (OpOperand *operand : op.getDpsInputOperands())
      map.map(op.getMatchingBlockArgument(operand),
              op.isScalar(operand) ? operand->get() : vectors[next++]);
    return cloneWidened(e, *op.getBlock(), map, lanes)[0];
  };
  nest.run(e, lo, hi, {body, buffers, offsets});
}

int64_t taskCount(linalg::LinalgOp op) {
  if (std::optional<TiledNest> tiles = tilingOf(op))
    return tiles->tasks;
  return nestOf(op).tasks;
}

LogicalResult expandLinalg(Emitter &e, linalg::LinalgOp op, Value lo,
                           Value hi) {
  FailureOr<SmallVector<Access>> accesses = accessesOf(e, op);
  if (failed(accesses))
    return failure();
  if (std::optional<TiledNest> tiles = tilingOf(op)) {
    expandTiled(e, op, *tiles, *accesses, lo, hi);
    return success();
  }
  LoopNest nest = nestOf(op);
  LinalgExpansion(e, op, std::move(*accesses), nest).run(lo, hi);
  return success();
}

} // namespace graven::expand
