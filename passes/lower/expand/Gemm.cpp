//===- Gemm.cpp - expansion of kernel.gemm ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of matrix products to register tiles:
// accumulators carried through the k loop, the right-hand side streamed from
// panels with the next panel prefetched, and the epilogue at the store.

#include "passes/lower/expand/Epilogue.h"
#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Tiles.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

/// Bytes between a prefetch and its use where weights are read once: what is
/// under way from memory, and not more than stays in the first level cache.
constexpr int64_t kStreamBytes = 8 << 10;

/// Bytes of a panel from which on it is read at several places at a time, for
/// so few rows that memory is what they wait for: a core asks for what is next
/// at each place. More rows share sets of the first level cache at each place.
constexpr int64_t kStreamedPanelBytes = 16 << 10;
constexpr int64_t kStreamedRows = 2;

struct GemmShape {
  explicit GemmShape(kernel::GemmOp op)
      : batch(op.getOutType().getDimSize(0)), m(op.getOutType().getDimSize(1)),
        n(op.getOutType().getDimSize(2)),
        k(cast<ShapedType>(op.getA().getType()).getDimSize(2)),
        width(cast<ShapedType>(op.getB().getType()).getDimSize(3)),
        panels(llvm::divideCeilSigned(n, width)), rows(m, op.getMr()) {
    int64_t columns = std::max<int64_t>(1, batch * panels);
    rowGroups =
        std::min(rows.count, llvm::divideCeilSigned(kWantedTasks, columns));
  }

  int64_t batch, m, n, k, width, panels;
  Split rows;
  /// Units of work along the rows: one where the panels alone suffice.
  int64_t rowGroups;
};

/// The columns of a panel that a tile computes.
struct Columns {
  int64_t vectors;
  /// Lanes of the last vector that exist in the output.
  int64_t lastLanes;
  /// Parts of the panel before them, each of as many vectors as a tile has.
  Idx part = Idx(int64_t(0));
};

class GemmExpansion {
public:
  GemmExpansion(Emitter &e, kernel::GemmOp op, Buffer a, Buffer b, Buffer out,
                Epilogue epilogue)
      : e(e), shape(op), a(std::move(a)), b(std::move(b)), out(std::move(out)),
        epilogue(std::move(epilogue)),
        vector(e.computeVectorOf(this->out.element)),
        lanes(vector.getNumElements()),
        elementBytes(this->b.element.getIntOrFloatBitWidth() / 8),
        wide(vectorsThatFit(e.target(), shape.width / lanes, op.getMr())),
        pair(op.isPaired() ? 2 : 1), unroll(kUnrolledSteps * pair),
        right(pair == 2 ? e.pairVector() : vector) {
    int64_t kc = op.getKc() == 0 ? shape.k : op.getKc();
    // A residual that is the output itself must be read before it is written,
    // and sums are rounded once.
    if (this->epilogue.readsFull(op.getOut()) ||
        this->out.element != vector.getElementType())
      kc = shape.k;
    int64_t count = std::max<int64_t>(
        1, llvm::divideCeilSigned(shape.k, std::max<int64_t>(kc, 1)));
    if (shape.m <= kStreamedRows && shape.rows.count == 1 &&
        shape.k % unroll == 0 &&
        shape.k * shape.width * elementBytes >= kStreamedPanelBytes)
      streams = kUnrolledSteps;
    depth = shape.k / streams;
    step = llvm::alignTo(llvm::divideCeilSigned(depth, count), perIteration());
    if (step == 0)
      step = perIteration();
  }

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {shape.batch, shape.panels, shape.rowGroups},
            [&](ArrayRef<Idx> task) {
              int64_t tail = shape.n - (shape.panels - 1) * shape.width;
              auto panelOf = [&](Columns columns) {
                panel(task[0], task[1], task[2], columns);
              };
              Columns full{shape.width / lanes, lanes};
              if (tail == shape.width)
                return panelOf(full);
              int64_t vectors = llvm::divideCeilSigned(tail, lanes);
              Columns last{vectors, tail - (vectors - 1) * lanes};
              e.ifEqual(
                  shape.panels == 1 ? Idx(int64_t(0)) : task[1],
                  shape.panels - 1, [&] { panelOf(last); },
                  [&] { panelOf(full); });
            });
  }

private:
  /// All rows of one unit of work against one panel, a block of k at a time, so
  /// that the block of the panel stays in the first level cache.
  void panel(Idx batch, Idx panelIndex, Idx group, Columns columns) {
    Idx first(int64_t(0)), last(shape.rows.count);
    if (shape.rowGroups > 1) {
      first = e.divRem(e.mul(group, shape.rows.count), shape.rowGroups).first;
      last = e.divRem(e.mul(e.add(group, Idx(1)), shape.rows.count),
                      shape.rowGroups)
                 .first;
    }
    auto block = [&](Idx k0, int64_t length, bool initial, bool final) {
      e.tiles(
          shape.rows, first, last, [&](Idx tileIndex, Idx row, int64_t rows) {
            // Parts are one loop, but for one that is not whole.
            int64_t vectors = columns.vectors;
            bool isWhole = columns.lastLanes == lanes && vectors % wide == 0;
            int64_t whole = isWhole ? vectors / wide : (vectors - 1) / wide;
            auto part = [&](Idx index, int64_t some, int64_t lastLanes) {
              tile(batch, panelIndex, tileIndex, row, rows,
                   {some, lastLanes, index}, k0, length, initial, final);
            };
            e.loop(Idx(int64_t(0)), Idx(whole), 1,
                   [&](Idx index) { part(index, wide, lanes); });
            if (!isWhole)
              part(Idx(whole), vectors - whole * wide, columns.lastLanes);
          });
    };
    if (depth <= step)
      return block(Idx(int64_t(0)), depth, true, true);
    int64_t lastStart = (depth - 1) / step * step;
    block(Idx(int64_t(0)), step, true, false);
    e.loop(Idx(step), Idx(lastStart), step,
           [&](Idx k0) { block(k0, step, false, false); });
    block(Idx(lastStart), depth - lastStart, false, true);
  }

  /// Steps by which an iteration of the innermost loop goes on at each place of
  /// the panel that it reads.
  int64_t perIteration() const { return unroll / streams; }

  void tile(Idx batch, Idx panelIndex, Idx tileIndex, Idx row, int64_t rows,
            Columns columns, Idx k0, int64_t length, bool initial, bool final) {
    int64_t count = rows * columns.vectors;
    // Few rows do not fill the pipeline: spread k over several sets.
    int64_t sets = accumulatorSets(e.target(), count);
    while (sets > 1 && length * streams < sets)
      sets /= 2;
    Idx aBase = e.at(a, {batch, row, k0});
    // In pairs or not, a step of k is as many elements as a panel is wide.
    SmallVector<Idx> panelStart(b.shape.size(), Idx(int64_t(0)));
    if (shape.batch > 1 && b.shape[0] > 1)
      panelStart[0] = batch;
    panelStart[1] = panelIndex;
    Idx bBase = e.add(e.add(e.at(b, panelStart), e.mul(k0, shape.width)),
                      e.mul(columns.part, wide * right.getNumElements()));
    // What is read ahead is divided among the tiles and the parts of a panel.
    int64_t parts = llvm::divideCeilSigned(shape.width / lanes, wide);
    int64_t steps = std::max<int64_t>(1, length / unroll);
    // The core looks ahead by itself at several places.
    int64_t ahead =
        streams > 1 ? 0
                    : llvm::divideCeilSigned(length * shape.width,
                                             shape.rows.count * parts * steps);
    // The next panel; where nothing passes over this one again, what comes next
    // of the stream of weights.
    int64_t distance = shape.k * shape.width;
    if (shape.rows.count == 1)
      distance = std::min(distance, kStreamBytes / elementBytes);
    Idx prefetchBase = e.add(
        e.add(bBase, Idx(distance)),
        e.mul(e.add(e.mul(tileIndex, parts), columns.part), steps * ahead));

    SmallVector<Value> accumulators(count * sets, e.splat(vector, 0.0));
    auto multiply = [&](Idx k, int64_t span, SmallVector<Value> values) {
      for (int64_t u = 0; u < span; u += pair) {
        if (u > 0)
          e.separateLoads();
        SmallVector<Value> bs;
        Idx at = e.add(k, Idx(streams > 1 ? u / pair * depth : u));
        Idx bRow = e.add(bBase, e.mul(at, shape.width));
        for (int64_t j = 0; j < columns.vectors; ++j)
          bs.push_back(
              e.loadVector(b, e.add(bRow, Idx(j * right.getNumElements())),
                           right, right.getNumElements()));
        MutableArrayRef<Value> set =
            MutableArrayRef(values).slice(u / pair % sets * count, count);
        for (int64_t i = 0; i < rows; ++i) {
          Idx element = e.add(
              aBase, e.add(e.mul(at, a.strides[2]), Idx(i * a.strides[1])));
          Value left = pair == 2 ? e.loadPairSplat(a, element,
                                                   streams > 1 ? 2 : span - u)
                                 : e.loadSplat(a, element, vector);
          for (int64_t j = 0; j < columns.vectors; ++j) {
            Value &sum = set[i * columns.vectors + j];
            sum = pair == 2 ? e.dotPairs(left, bs[j], sum)
                            : e.fma(left, bs[j], sum);
          }
        }
      }
      return values;
    };
    int64_t whole = length / perIteration() * perIteration();
    accumulators =
        e.loop(Idx(int64_t(0)), Idx(whole), perIteration(), accumulators,
               [&](Idx k, ValueRange values) {
                 // `ahead` elements of the next panel a step: over all tiles,
                 // all of it.
                 int64_t line = 64 / elementBytes;
                 Idx next =
                     e.add(prefetchBase,
                           ahead % unroll == 0
                               ? e.mul(k, ahead / unroll)
                               : e.mul(e.divRem(k, unroll).first, ahead));
                 for (int64_t p = 0; p < ahead; p += line)
                   e.prefetch(b, e.add(next, Idx(p)));
                 return multiply(k, unroll, SmallVector<Value>(values));
               });
    if (whole < length)
      accumulators = multiply(Idx(whole), length - whole, accumulators);
    for (int64_t stride = sets / 2; stride >= 1; stride /= 2)
      for (int64_t i = 0; i < stride * count; ++i)
        accumulators[i] =
            e.addf(accumulators[i], accumulators[i + stride * count]);
    store(batch, panelIndex, row, rows, columns, accumulators, initial, final);
  }

  void store(Idx batch, Idx panelIndex, Idx row, int64_t rows, Columns columns,
             ArrayRef<Value> accumulators, bool initial, bool final) {
    Idx column = e.add(e.mul(panelIndex, shape.width),
                       e.mul(columns.part, wide * lanes));
    for (int64_t j = 0; j < columns.vectors; ++j) {
      int64_t valid = j + 1 == columns.vectors ? columns.lastLanes : lanes;
      Idx n = e.add(column, Idx(j * lanes));
      SmallVector<Value> channels;
      if (final)
        channels = epilogue.channelValues(e, n, vector, valid);
      for (int64_t i = 0; i < rows; ++i) {
        SmallVector<Idx> position{batch, e.add(row, Idx(i)), n};
        Idx index = e.at(out, position);
        Value value = accumulators[i * columns.vectors + j];
        if (!initial)
          value = e.addf(e.loadVector(out, index, vector, valid), value);
        if (final)
          value = epilogue.apply(e, value, channels, [&](const Buffer &full) {
            return e.loadVector(full, e.at(full, position), vector, valid);
          });
        e.storeVector(value, out, index, valid);
      }
    }
  }

  Emitter &e;
  GemmShape shape;
  Buffer a, b, out;
  Epilogue epilogue;
  VectorType vector;
  int64_t lanes, elementBytes;
  /// Vectors of a panel in a tile: fewer than all where it was made for wider
  /// ones.
  int64_t wide;
  /// Steps of k that one instruction does, and that a loop body does.
  int64_t pair, unroll;
  /// What is loaded of the right-hand side.
  VectorType right;
  /// Places of a panel that are read at a time, `depth` steps of k each.
  int64_t streams = 1, depth;
  /// Steps of them between two additions to the output.
  int64_t step;
};

} // namespace

int64_t taskCount(kernel::GemmOp op) {
  GemmShape shape(op);
  return shape.batch * shape.panels * shape.rowGroups;
}

LogicalResult expandGemm(Emitter &e, kernel::GemmOp op, Value lo, Value hi) {
  FailureOr<Buffer> a = e.buffer(op.getA()), b = e.buffer(op.getB()),
                    out = e.buffer(op.getOut());
  if (failed(a) || failed(b) || failed(out))
    return failure();
  if (op.isPaired() && a->strides[2] != 1)
    return op.emitOpError("expects pairs of a that are contiguous");
  if (b->strides.back() != 1 || b->strides[3] * b->shape[3] != b->strides[2] ||
      out->strides[2] != 1)
    return op.emitOpError(
        "expects panels and output with a contiguous last axis");
  int64_t lanes = e.computeVectorOf(out->element).getNumElements();
  if (b->shape[3] % lanes != 0)
    return op.emitOpError("expects panels of a multiple of ")
           << lanes << " columns, got " << b->shape[3];
  FailureOr<Epilogue> epilogue =
      Epilogue::create(e, op.getEpilogue(), op.getBody(), out->shape);
  if (failed(epilogue))
    return failure();
  GemmExpansion(e, op, *a, *b, *out, *epilogue).run(lo, hi);
  return success();
}

} // namespace graven::expand
