//===- Keypoints.cpp - torchvision's keypoints of heat maps ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the places where heat maps are greatest once they are
// resized to the boxes that they belong to. Data decide how large the boxes
// are, so the resized maps are made in tiles of one size, and only the greatest
// elements so far are kept: there is no bound on the boxes, no room for the
// largest one, and work for what there is.
// Source: torchvision, models/detection/roi_heads.py, and PyTorch's cubic
// upsampling.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

namespace {

/// Rows and columns of a tile.
constexpr int64_t kTile = 64;
/// Elements of one resized map; PyTorch's own do not fit into memory long
/// before.
constexpr double kMostElements = 1099511627776.0;
/// Keys' kernel, as PyTorch has it.
constexpr double kA = -0.75;

/// One axis of a box.
struct Side {
  mlir::Value start;  ///< where it begins in the image
  mlir::Value length; ///< at least 1
  mlir::Value count;  ///< of pixels, i64
  mlir::Value tiles;  ///< i64
};

/// The greatest elements of each map so far [N], and where they are.
struct Best {
  mlir::Value value, row, column;
};

class Finder {
public:
  Finder(Call &c, mlir::Value maps, mlir::Value boxes)
      : c(c), maps(maps), boxes(boxes), type(c.element(maps)),
        number(c.shape(maps)[1]) {}

  /// Places [N, 3] and scores [N] of box i.
  llvm::SmallVector<mlir::Value> find(mlir::Value i);

private:
  mlir::Value whole(int64_t value) {
    return c.scalar(c.builder.getI64Type(), value);
  }
  mlir::Value row(mlir::Value x, mlir::Value i) {
    return c.make<GatherOp>(x, i, uint64_t(0), /*nonneg=*/true);
  }
  Side side(mlir::Value box, int64_t axis);
  mlir::Value cubic(mlir::Value distance, bool isNear);
  mlir::Value resized(mlir::Value x, int64_t axis, mlir::Value place,
                      const Side &side);
  Best inTile(mlir::Value map, mlir::Value tile, const Side &rows,
              const Side &columns);
  Best better(const Best &old, const Best &other);
  mlir::Value placeOf(mlir::Value pixel, const Side &side);

  Call &c;
  mlir::Value maps, boxes;
  mlir::Type type;
  int64_t number;
};

Side Finder::side(mlir::Value box, int64_t axis) {
  Side side;
  side.start = c.select(box, 0, axis);
  side.length = c.binary<MaxOp>(
      c.binary<SubOp>(c.select(box, 0, axis + 2), side.start), 1.0);
  side.count = c.cast(c.unary<CeilOp>(side.length), ScalarType::Long);
  side.tiles = c.binary<DivOp>(
      c.binary<AddOp>(side.count, static_cast<double>(kTile - 1)),
      static_cast<double>(kTile));
  return side;
}

/// The kernel at a distance of at most 1, or between 1 and 2.
mlir::Value Finder::cubic(mlir::Value t, bool isNear) {
  auto plus = [&](mlir::Value x, double y) { return c.binary<AddOp>(x, y); };
  auto times = [&](mlir::Value x, mlir::Value y) {
    return c.binary<MulOp>(x, y);
  };
  if (isNear)
    return plus(times(times(plus(c.binary<MulOp>(t, kA + 2), -(kA + 3)), t), t),
                1);
  mlir::Value sum = plus(c.binary<MulOp>(t, kA), -5 * kA);
  return plus(times(plus(times(sum, t), 8 * kA), t), -4 * kA);
}

/// x along an axis at the places [T] of the resized axis: the sum of four
/// elements, of which what lies beyond the edge is the one at the edge.
mlir::Value Finder::resized(mlir::Value x, int64_t axis, mlir::Value place,
                            const Side &side) {
  int64_t extent = c.shape(x)[axis];
  mlir::Value scale = c.binary<DivOp>(
      c.scalar(type, static_cast<double>(extent)), c.cast(side.count, type));
  mlir::Value at =
      c.binary<MulOp>(c.binary<AddOp>(c.cast(place, type), 0.5), scale);
  at = c.binary<SubOp>(at, 0.5);
  mlir::Value low = c.unary<FloorOp>(at);
  mlir::Value part = c.binary<SubOp>(at, low);
  mlir::Value rest = c.binary<SubOp>(c.scalar(type, 1.0, 1), part);
  mlir::Value distances[] = {c.binary<AddOp>(part, 1.0), part, rest,
                             c.binary<AddOp>(rest, 1.0)};
  Shape along(c.rank(x), 1);
  along[axis] = kTile;
  mlir::Value sum;
  for (auto [tap, distance] : llvm::enumerate(distances)) {
    bool isNear = tap == 1 || tap == 2;
    mlir::Value from = c.binary<AddOp>(low, static_cast<double>(tap) - 1);
    if (!from)
      return {};
    from = c.make<ClampOp>(from, c.scalar(type, 0.0),
                           c.scalar(type, static_cast<double>(extent - 1)));
    from = c.cast(from, ScalarType::Long);
    mlir::Value weight = cubic(distance, isNear);
    if (!from || !weight)
      return {};
    mlir::Value own = c.binary<MulOp>(
        c.make<GatherOp>(x, from, uint64_t(axis), /*nonneg=*/true),
        c.reshape(weight, along));
    sum = sum ? c.binary<AddOp>(sum, own) : own;
  }
  return sum;
}

/// Of the tile with that number, counted along rows of tiles.
Best Finder::inTile(mlir::Value map, mlir::Value tile, const Side &rows,
                    const Side &columns) {
  auto first = [&](mlir::Value count) {
    return c.binary<MulOp>(count, static_cast<double>(kTile));
  };
  // A box that is refused has no tiles, and nothing is divided.
  mlir::Value across = c.binary<MaxOp>(columns.tiles, 1.0);
  mlir::Value top = first(c.binary<DivOp>(tile, across)),
              left = first(c.binary<RemOp>(tile, across));
  mlir::Value places = c.iota({kTile}, 0);
  mlir::Value y = c.binary<AddOp>(places, top),
              x = c.binary<AddOp>(places, left);
  mlir::Value all = resized(map, 2, x, columns);
  all = all ? resized(all, 1, y, rows) : all;
  mlir::Value isIn = c.binary<AndOp>(
      c.reshape(c.compare(ComparePredicate::Lt, y, rows.count), {1, kTile, 1}),
      c.reshape(c.compare(ComparePredicate::Lt, x, columns.count),
                {1, 1, kTile}));
  all = c.where(isIn, all,
                c.scalar(type, -std::numeric_limits<double>::infinity(), 3));
  all = c.reshape(all, {number, kTile * kTile});
  mlir::Value at = all ? c.make<ArgReduceOp>(all, ExtremeKind::Max, uint64_t(1),
                                             /*keep=*/true, false)
                       : all;
  if (!at)
    return {};
  Best best;
  best.value =
      c.reshape(c.make<GatherElementsOp>(all, at, uint64_t(1), /*nonneg=*/true),
                {number});
  at = c.reshape(at, {number});
  double size = static_cast<double>(kTile);
  best.row = c.binary<AddOp>(c.binary<DivOp>(at, size), top);
  best.column = c.binary<AddOp>(c.binary<RemOp>(at, size), left);
  return best;
}

/// NaN is the greatest, and of equal elements the first one counts.
Best Finder::better(const Best &old, const Best &other) {
  auto isNaN = [&](mlir::Value x) {
    return c.compare(ComparePredicate::Ne, x, x);
  };
  auto either = [&](mlir::Value x, mlir::Value y) {
    return c.binary<OrOp>(x, y);
  };
  auto both = [&](mlir::Value x, mlir::Value y) {
    return c.binary<AndOp>(x, y);
  };
  auto is = [&](ComparePredicate predicate, mlir::Value Best::*part) {
    return c.compare(predicate, other.*part, old.*part);
  };
  mlir::Value wasNaN = isNaN(old.value), nowNaN = isNaN(other.value);
  mlir::Value isGreater = either(is(ComparePredicate::Gt, &Best::value),
                                 both(nowNaN, c.unary<NotOp>(wasNaN)));
  mlir::Value isEqual =
      either(is(ComparePredicate::Eq, &Best::value), both(nowNaN, wasNaN));
  mlir::Value isBefore = either(is(ComparePredicate::Lt, &Best::row),
                                both(is(ComparePredicate::Eq, &Best::row),
                                     is(ComparePredicate::Lt, &Best::column)));
  mlir::Value takes = either(isGreater, both(isEqual, isBefore));
  return {c.where(takes, other.value, old.value),
          c.where(takes, other.row, old.row),
          c.where(takes, other.column, old.column)};
}

/// [N, 1] of the image, of pixels [N] of a resized map.
mlir::Value Finder::placeOf(mlir::Value pixel, const Side &side) {
  mlir::Value step = c.binary<DivOp>(side.length, c.cast(side.count, type));
  mlir::Value place =
      c.binary<MulOp>(c.binary<AddOp>(c.cast(pixel, type), 0.5), step);
  return c.reshape(c.binary<AddOp>(place, side.start), {number, 1});
}

llvm::SmallVector<mlir::Value> Finder::find(mlir::Value i) {
  mlir::Value box = row(boxes, i);
  Side columns = side(box, 0), rows = side(box, 1);
  if (!columns.tiles || !rows.tiles)
    return {};
  // Where PyTorch runs out of memory, the index is out of range.
  mlir::Value isTooLarge =
      c.compare(ComparePredicate::Gt,
                c.binary<MulOp>(c.cast(columns.count, ScalarType::Double),
                                c.cast(rows.count, ScalarType::Double)),
                kMostElements);
  mlir::Value map = row(maps, c.where(isTooLarge, whole(INT64_MAX), i));
  mlir::Value tiles =
      c.where(isTooLarge, whole(0), c.binary<MulOp>(columns.tiles, rows.tiles));
  if (!map || !tiles)
    return {};
  mlir::Type i64 = c.builder.getI64Type();
  llvm::SmallVector<mlir::Value> found = c.repeat(
      tiles,
      {c.full(type, {number}, -std::numeric_limits<double>::infinity()),
       c.full(i64, {number}, INT64_MAX), c.full(i64, {number}, INT64_MAX)},
      [&](mlir::Value tile,
          mlir::ValueRange old) -> llvm::SmallVector<mlir::Value> {
        Best best = inTile(map, tile, rows, columns);
        if (!best.value)
          return {};
        best = better({old[0], old[1], old[2]}, best);
        return {best.value, best.row, best.column};
      });
  if (found.empty())
    return {};
  mlir::Value place =
      c.concat({placeOf(found[2], columns), placeOf(found[1], rows),
                c.full(type, {number, 1}, 1.0)},
               1);
  return {c.cast(place, ScalarType::Float),
          c.cast(found[0], ScalarType::Float)};
}

} // namespace

/// maps [K, N, H, W] of boxes [K, 4]: places [K, N, 3] in the image, with 1,
/// and scores [K, N].
static void keypoints(Call &c) {
  mlir::Value maps = c.widened(c.tensor("maps")), boxes = c.tensor("rois");
  if (!maps || !boxes)
    return;
  Shape shape = c.shape(maps);
  if (c.rank(maps) != 4 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1 ||
      c.rank(boxes) != 2 || c.shape(boxes) != Shape{shape[0], 4} ||
      !c.isFloat(maps) || !c.isFloat(boxes)) {
    c.fail() << "maps and boxes of these shapes";
    return;
  }
  if (shape[0] == 0) {
    mlir::Type f32 = c.builder.getF32Type();
    c.give(c.full(f32, {0, shape[1], 3}, 0.0));
    c.give(c.full(f32, {0, shape[1]}, 0.0));
    return;
  }
  Finder finder(c, maps, c.cast(boxes, c.element(maps)));
  llvm::SmallVector<mlir::Value> found =
      c.stacked(shape[0], [&](mlir::Value i) { return finder.find(i); });
  for (size_t i = 0; i < 2; ++i)
    c.give(found.empty() ? mlir::Value() : found[i]);
}

void graven::aten::addKeypoints(Table &t) {
  t.add("torchvision::heatmaps_to_keypoints", keypoints);
}
