//===- Conv.cpp - expansion of kernel.conv ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of direct convolutions: a register tile of
// output pixels by output channels is carried through input channel blocks and
// taps, with the next weight panel prefetched and the epilogue at the store.

#include "passes/lower/expand/ConvPlan.h"
#include "passes/lower/expand/Epilogue.h"
#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Tiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// Input channel blocks that one pass over the output works off.
struct Slice {
  /// The first block, whole blocks, and lanes of a block that is not whole.
  Idx first;
  int64_t whole, rest;
  /// Which of the passes this is.
  Idx pass;
  bool final;

  int64_t blocks() const { return whole + (rest > 0 ? 1 : 0); }
};

/// Vectors of a panel, after `index` times as many as a tile has. Where not all
/// lanes of all of them exist, the index is known.
struct Part {
  Idx index;
  int64_t vectors;
};

/// Which of the tiles of a unit of work this is, and how many there are in a
/// row of it.
struct Visit {
  Idx index;
  int64_t across;
};

/// How many times as long a tile of one vector is as one of `pixels` that has
/// more of them: with few accumulators each would wait for the last sum.
int64_t narrowFactor(const TargetInfo &target, int64_t pixels) {
  if (pixels >= kWantedAccumulators)
    return 1;
  return std::max<int64_t>(1, rowsThatFit(target, 1) / pixels);
}

class ConvExpansion {
public:
  ConvExpansion(Emitter &e, kernel::ConvOp op, Buffer x, Buffer w, Buffer out,
                Epilogue epilogue)
      : e(e), op(op), shape(op), order(op, shape, e.target()), x(std::move(x)),
        w(std::move(w)), out(std::move(out)), epilogue(std::move(epilogue)),
        planarIn(op.isPlanarInput()), planarOut(op.isPlanarOutput()),
        vector(e.computeVectorOf(this->out.element)),
        lanes(vector.getNumElements()), width(this->w.shape[5]),
        panelSize(this->w.strides[0]),
        wide(vectorsThatFit(e.target(), width / lanes,
                            op.getTile()[0] * op.getTile()[1])),
        rowTiles(shape.rows, shape.tileRows),
        columnTiles(shape.columns, shape.tileColumns),
        narrowTiles(
            shape.columns,
            shape.tileColumns *
                narrowFactor(e.target(), shape.tileRows * shape.tileColumns)),
        pair(op.isPaired() ? 2 : 1),
        right(pair == 2 ? e.pairVector() : vector) {
    line = 64 / (this->w.element.getIntOrFloatBitWidth() / 8);
  }

  void run(Value lo, Value hi) {
    int64_t perGroup = op.getInChannels() / op.getGroups();
    // Channels of a planar input are one block of their own depth.
    int64_t whole = planarIn ? 0 : perGroup / kBlock;
    int64_t rest = planarIn ? perGroup : perGroup % kBlock;
    int64_t passes = order.chunks, step = order.blocksPerChunk;
    e.loop(Idx(int64_t(0)), Idx(passes - 1), 1, [&](Idx pass) {
      units(lo, hi, {e.mul(pass, step), step, 0, pass, false});
    });
    int64_t first = (passes - 1) * step;
    units(lo, hi, {Idx(first), whole - first, rest, Idx(passes - 1), true});
  }

private:
  void units(Value lo, Value hi, const Slice &slice) {
    SmallVector<int64_t> extents{shape.batch, shape.panels, shape.rowBlocks};
    if (!order.panelsOutside)
      std::swap(extents[1], extents[2]);
    e.tasks(lo, hi, extents, [&](ArrayRef<Idx> task) {
      Idx panel = task[order.panelsOutside ? 1 : 2],
          block = task[order.panelsOutside ? 2 : 1];
      int64_t tail = op.getOutChannels() - (shape.panels - 1) * width;
      if (tail == width)
        return rowsOf(task[0], panel, block, width, slice);
      e.ifEqual(
          shape.panels == 1 ? Idx(int64_t(0)) : panel, shape.panels - 1,
          [&] { rowsOf(task[0], panel, block, tail, slice); },
          [&] { rowsOf(task[0], panel, block, width, slice); });
    });
  }

  void rowsOf(Idx batch, Idx panel, Idx block, int64_t channels,
              const Slice &slice) {
    Idx first = e.mul(block, shape.tilesPerBlock);
    Idx last = e.add(first, Idx(shape.tilesPerBlock));
    if (shape.rowBlocks == 1) {
      first = Idx(int64_t(0));
      last = Idx(rowTiles.count);
    } else if (rowTiles.count % shape.tilesPerBlock != 0) {
      last = e.min(last, Idx(rowTiles.count));
    }
    int64_t vectors = vectorsOf(channels);
    const Split &across = vectors == 1 && wide > 1 ? narrowTiles : columnTiles;
    e.tiles(rowTiles, first, last, [&](Idx rowTile, Idx y, int64_t rows) {
      e.tiles(across, Idx(int64_t(0)), Idx(across.count),
              [&](Idx columnTile, Idx xx, int64_t columns) {
                // Which part of the next panel this tile prefetches.
                Idx row = order.panelsOutside
                              ? rowTile
                              : e.add(rowTile, e.mul(first, -1));
                Idx index = e.add(e.mul(row, across.count), columnTile);
                auto part = [&](Idx of, int64_t vectors) {
                  tile(batch, panel, y, rows, xx, columns,
                       {index, across.count}, channels, {of, vectors}, slice);
                };
                // Parts are one loop, but for those that are not whole.
                int64_t whole = channels / (wide * lanes);
                e.loop(Idx(int64_t(0)), Idx(whole), 1,
                       [&](Idx of) { part(of, wide); });
                for (int64_t v = whole * wide; v < vectors; v += wide)
                  part(Idx(v / wide), std::min(wide, vectors - v));
              });
    });
  }

  void tile(Idx batch, Idx panel, Idx y, int64_t rows, Idx column,
            int64_t columns, const Visit &visit, int64_t channels, Part part,
            const Slice &slice) {
    int64_t kh = w.shape[2], kw = w.shape[3];
    int64_t vectors = part.vectors, pixels = rows * columns;
    Idx group(int64_t(0));
    if (op.getGroups() > 1)
      group = e.mul(e.divRem(panel, shape.panels / op.getGroups()).first,
                    w.shape[1]);
    Idx xBase = e.add(
        e.mul(batch, x.strides[0]),
        e.add(e.mul(group, x.strides[1]),
              e.add(e.mul(y, op.getStrides()[0] * shape.joined * x.strides[2]),
                    e.mul(column, op.getStrides()[1] * x.strides[3]))));
    Idx wBase = e.mul(panel, panelSize);
    // The same blocks of the next panel, spread over the tiles of this one.
    int64_t parts = llvm::divideCeilSigned(width / lanes, wide);
    int64_t tilesInVisit =
        parts * visit.across *
        (order.panelsOutside ? rowTiles.count
                             : std::min(rowTiles.count, shape.tilesPerBlock));
    int64_t unrolled = kUnrolledSteps * pair,
            bodies = llvm::divideCeilSigned(
                slice.whole > 0 ? kBlock : slice.rest, unrolled);
    int64_t steps = slice.blocks() * kh * kw * bodies;
    int64_t ahead = llvm::divideCeilSigned(slice.blocks() * w.strides[1],
                                           tilesInVisit * steps);
    Idx prefetchBase =
        e.add(e.add(wBase, Idx(panelSize)),
              e.add(e.mul(slice.first, w.strides[1]),
                    e.mul(e.add(e.mul(visit.index, parts), part.index),
                          ahead * steps)));

    int64_t laneStride = planarIn ? x.strides[1] : x.strides[4];
    auto taps = [&](Idx block, int64_t depth, ValueRange carried) {
      return e.loop(
          Idx(int64_t(0)), Idx(kh), 1, carried, [&](Idx ky, ValueRange outer) {
            return e.loop(
                Idx(int64_t(0)), Idx(kw), 1, outer,
                [&](Idx kx, ValueRange inner) {
                  Idx from =
                      e.add(xBase, e.add(planarIn ? Idx(int64_t(0))
                                                  : e.mul(block, x.strides[1]),
                                         e.add(e.mul(ky, op.getDilations()[0] *
                                                             x.strides[2]),
                                               e.mul(kx, op.getDilations()[1] *
                                                             x.strides[3]))));
                  auto stepOf = [&](Idx of) {
                    return e.add(e.mul(e.add(e.mul(of, kh), ky), kw), kx);
                  };
                  Idx weights =
                      e.add(wBase, e.mul(stepOf(block), w.strides[3]));
                  Idx relative = e.add(block, e.mul(slice.first, -1));
                  Idx next = e.add(prefetchBase,
                                   e.mul(stepOf(relative), bodies * ahead));
                  int64_t prefetches = llvm::divideCeilSigned(ahead, line);
                  auto body = [&](Idx number, int64_t lanesOfBody,
                                  ValueRange carried) {
                    SmallVector<Value> values(carried);
                    Idx lane = e.mul(number, unrolled);
                    for (int64_t c = 0; c < lanesOfBody; ++c) {
                      if (c > 0)
                        e.separateLoads();
                      // Spread over the multiplications, not in a burst.
                      for (int64_t p = 0; p < prefetches; ++p)
                        if (p * lanesOfBody / prefetches == c)
                          e.prefetch(w, e.add(e.add(next, e.mul(number, ahead)),
                                              Idx(p * line)));
                      Idx at = e.add(lane, Idx(c));
                      if (c % pair == 0)
                        multiply(values, e.add(from, e.mul(at, laneStride)),
                                 e.add(e.add(weights, e.mul(at, width)),
                                       e.mul(part.index,
                                             wide * right.getNumElements())),
                                 rows, columns, vectors, lanesOfBody - c);
                    }
                    return values;
                  };
                  int64_t whole = depth / unrolled, rest = depth % unrolled;
                  SmallVector<Value> values =
                      e.loop(Idx(int64_t(0)), Idx(whole), 1, inner,
                             [&](Idx number, ValueRange carried) {
                               return body(number, unrolled, carried);
                             });
                  if (rest > 0)
                    values = body(Idx(whole), rest, values);
                  return values;
                });
          });
    };
    SmallVector<Value> accumulators(pixels * vectors, e.splat(vector, 0.0));
    accumulators =
        e.loop(Idx(int64_t(0)), Idx(slice.whole), 1, accumulators,
               [&](Idx block, ValueRange carried) {
                 return taps(e.add(slice.first, block), kBlock, carried);
               });
    // The lanes of the last input block that exist.
    if (slice.rest > 0)
      accumulators =
          taps(e.add(slice.first, Idx(slice.whole)), slice.rest, accumulators);
    store(batch, panel, y, rows, column, columns, channels, part, accumulators,
          slice);
  }

  /// One input channel, or a pair of which `left` exist, at one tap: outer
  /// product of pixels and output channels.
  void multiply(MutableArrayRef<Value> values, Idx from, Idx weights,
                int64_t rows, int64_t columns, int64_t vectors, int64_t left) {
    SmallVector<Value> bs;
    for (int64_t j = 0; j < vectors; ++j)
      bs.push_back(e.loadVector(w, e.add(weights, Idx(j * lanes * pair)), right,
                                right.getNumElements()));
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        int64_t offset = r * op.getStrides()[0] * x.strides[2] +
                         c * op.getStrides()[1] * x.strides[3];
        Idx at = e.add(from, Idx(offset));
        Value pixel = pair == 2 ? e.loadPairSplat(x, at, left)
                                : e.loadSplat(x, at, vector);
        for (int64_t j = 0; j < vectors; ++j) {
          Value &value = values[(r * columns + c) * vectors + j];
          value = pair == 2 ? e.dotPairs(pixel, bs[j], value)
                            : e.fma(pixel, bs[j], value);
        }
      }
  }

  /// Vectors that hold `channels`: no channel that is only padding is computed.
  int64_t vectorsOf(int64_t channels) {
    return llvm::divideCeilSigned(channels, lanes);
  }

  void store(Idx batch, Idx panel, Idx y, int64_t rows, Idx column,
             int64_t columns, int64_t channels, Part part,
             ArrayRef<Value> accumulators, const Slice &slice) {
    int64_t vectors = part.vectors;
    for (int64_t j = 0; j < vectors; ++j) {
      Idx lane = e.add(e.mul(part.index, wide * lanes), Idx(j * lanes));
      int64_t valid =
          lane.isConstant()
              ? std::clamp<int64_t>(channels - lane.offset, 0, lanes)
              : lanes;
      Idx channel = e.add(e.mul(panel, width), lane);
      SmallVector<Value> channelValues;
      if (slice.final)
        channelValues = epilogue.channelValues(e, channel, vector, valid);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) {
          Position position{batch, panel, lane,
                            e.mul(e.add(y, Idx(r)), shape.joined),
                            e.add(column, Idx(c))};
          Value value =
              addToEarlier(accumulators[(r * columns + c) * vectors + j],
                           position, slice.pass);
          if (slice.final)
            value = epilogue.apply(e, value, channelValues,
                                   [&](const Buffer &full) {
                                     return loadFull(full, position, valid);
                                   });
          if (planarOut)
            storeLanes(value, position, valid);
          else
            e.storeVector(value, out, e.at(out, blockedIndex(position)), lanes);
        }
    }
  }

  /// A pixel and the first of `lanes` channels of a panel.
  struct Position {
    Idx batch, panel, lane, y, x;
  };

  /// Adds what the passes before have left in the output; the first finds
  /// nothing of use there.
  Value addToEarlier(Value value, const Position &position, Idx pass) {
    if (pass.isConstant() && pass.offset == 0)
      return value;
    Value earlier =
        e.loadVector(out, e.at(out, blockedIndex(position)), vector, lanes);
    if (!pass.isConstant()) {
      Value isFirst =
          arith::CmpIOp::create(e.builder(), e.loc(), arith::CmpIPredicate::eq,
                                e.get(pass), e.constant(0));
      earlier = arith::SelectOp::create(e.builder(), e.loc(), isFirst,
                                        e.splat(vector, 0.0), earlier);
    }
    return e.addf(earlier, value);
  }

  SmallVector<Idx> blockedIndex(const Position &p) {
    if (width >= kBlock) {
      auto [block, lane] = e.divRem(p.lane, kBlock);
      return {p.batch, e.add(e.mul(p.panel, width / kBlock), block), p.y, p.x,
              lane};
    }
    auto [block, part] = e.divRem(p.panel, kBlock / width);
    return {p.batch, block, p.y, p.x, e.add(e.mul(part, width), p.lane)};
  }

  SmallVector<Idx> planarIndex(const Position &p, int64_t lane) {
    return {p.batch, e.add(e.add(e.mul(p.panel, width), p.lane), Idx(lane)),
            p.y, p.x};
  }

  Value loadFull(const Buffer &full, const Position &position, int64_t valid) {
    if (!planarOut)
      return e.loadVector(full, e.at(full, blockedIndex(position)), vector,
                          lanes);
    Value result = e.splat(vector, 0.0);
    for (int64_t lane = 0; lane < valid; ++lane)
      result = vector::InsertOp::create(
          e.builder(), e.loc(),
          e.load(full, e.at(full, planarIndex(position, lane)),
                 vector.getElementType()),
          result, lane);
    return result;
  }

  void storeLanes(Value value, const Position &position, int64_t valid) {
    for (int64_t lane = 0; lane < valid; ++lane)
      e.store(vector::ExtractOp::create(e.builder(), e.loc(), value, lane), out,
              e.at(out, planarIndex(position, lane)));
  }

  Emitter &e;
  kernel::ConvOp op;
  ConvShape shape;
  ConvOrder order;
  Buffer x, w, out;
  Epilogue epilogue;
  bool planarIn, planarOut;
  VectorType vector;
  int64_t lanes, width, panelSize;
  /// Vectors of a panel in a tile: fewer than all where it was made for wider
  /// ones.
  int64_t wide;
  /// The narrow ones are one vector of a panel that has more.
  Split rowTiles, columnTiles, narrowTiles;
  /// Input channels that one instruction does.
  int64_t pair;
  /// What is loaded of the weights.
  VectorType right;
  /// Elements of a cache line.
  int64_t line;
};

} // namespace

int64_t taskCount(kernel::ConvOp op) {
  ConvShape shape(op);
  return shape.batch * shape.panels * shape.rowBlocks;
}

LogicalResult expandConv(Emitter &e, kernel::ConvOp op, Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), w = e.buffer(op.getW()),
                    out = e.buffer(op.getOut());
  if (failed(x) || failed(w) || failed(out))
    return failure();
  if (!cast<MemRefType>(op.getW().getType()).getLayout().isIdentity())
    return op.emitOpError("expects contiguous weights");
  if (op.isPaired() && x->strides[4] != 1)
    return op.emitOpError("expects pairs of channels that are contiguous");
  if (!op.isPlanarOutput() && out->strides[4] != 1)
    return op.emitOpError("expects an output with contiguous channel blocks");
  int64_t lanes = e.computeVectorOf(out->element).getNumElements(),
          width = w->shape[5];
  if (width % lanes != 0 || (!op.isPlanarOutput() && kBlock % lanes != 0))
    return op.emitOpError("expects panels of a multiple of ")
           << lanes << " channels, got " << width;
  FailureOr<Epilogue> epilogue =
      Epilogue::create(e, op.getEpilogue(), op.getBody(), out->shape);
  if (failed(epilogue))
    return failure();
  ConvExpansion(e, op, *x, *w, *out, *epilogue).run(lo, hi);
  return success();
}

} // namespace graven::expand
