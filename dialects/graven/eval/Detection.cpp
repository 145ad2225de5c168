//===- Detection.cpp - meaning of boxes and regions -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the ops of object detection. What
// decides (overlaps, positions of samples) is computed in f32, or f64 for f64,
// as the formulas have it: a rounding more would choose other boxes.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"
#include "dialects/support/Diagnostics.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace graven::eval;

namespace graven {

//===----------------------------------------------------------------------===//
// nms
//===----------------------------------------------------------------------===//

namespace {
/// A box by its corners.
template <class T> struct Box {
  T x1, y1, x2, y2, area;

  Box(BoxFormat format, const T *p) : x1(p[0]), y1(p[1]), x2(p[2]), y2(p[3]) {
    if (format == BoxFormat::Center) {
      T halfWidth = p[2] / 2, halfHeight = p[3] / 2;
      x1 = p[0] - halfWidth;
      x2 = p[0] + halfWidth;
      y1 = p[1] - halfHeight;
      y2 = p[1] + halfHeight;
    } else if (format == BoxFormat::Corners) {
      if (x2 < x1)
        std::swap(x1, x2);
      if (y2 < y1)
        std::swap(y1, y2);
    }
    T width = x2 - x1, height = y2 - y1;
    area = width * height;
  }
};
} // namespace

template <class T>
static T overlap(BoxFormat format, const Box<T> &a, const Box<T> &b) {
  T width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1),
    height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  T common = (width > 0 ? width : T(0)) * (height > 0 ? height : T(0));
  T both = a.area + b.area, joined = both - common;
  if (format != BoxFormat::XYXY && joined <= 0)
    return 0;
  return common / joined;
}

namespace {
/// The boxes and scores of one batch and class.
template <class T> struct Candidates {
  const T *boxes;
  const T *scores;
  const int64_t *groups; ///< null for one group
  int64_t number;

  /// Whether p is asked before q.
  bool isBefore(int64_t p, int64_t q) const {
    T a = scores[p], b = scores[q];
    if (std::isnan(a) != std::isnan(b))
      return std::isnan(a);
    return a > b || (!(b > a) && p < q);
  }
};
} // namespace

template <class T>
static std::vector<int64_t> chosen(NmsOp op, const Candidates<T> &all,
                                   T greatest, std::optional<T> least) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < all.number; ++i)
    if (!least || all.scores[i] > *least)
      order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](int64_t p, int64_t q) { return all.isBefore(p, q); });
  int64_t limit = op.getMaxPerClass();
  std::vector<int64_t> kept;
  std::vector<Box<T>> boxes;
  for (int64_t i : order) {
    if (limit >= 0 && int64_t(kept.size()) == limit)
      break;
    Box<T> box(op.getFormat(), all.boxes + 4 * i);
    auto overlaps = [&](size_t before) {
      return (!all.groups || all.groups[kept[before]] == all.groups[i]) &&
             overlap(op.getFormat(), boxes[before], box) > greatest;
    };
    if (llvm::any_of(llvm::seq(kept.size()), overlaps))
      continue;
    kept.push_back(i);
    boxes.push_back(box);
  }
  return kept;
}

template <class T>
static Tensors evaluateNms(NmsOp op, ArrayRef<Tensor> operands) {
  auto numbers = [](const Tensor &tensor) {
    std::vector<T> result(tensor.size());
    for (int64_t i = 0; i < tensor.size(); ++i)
      result[i] = static_cast<T>(tensor.getDouble(i));
    return result;
  };
  std::vector<T> boxes = numbers(operands[0]), scores = numbers(operands[1]);
  T greatest = static_cast<T>(operands[2].getDouble(0));
  size_t next = 3;
  std::optional<T> least;
  if (op.getScore())
    least = static_cast<T>(operands[next++].getDouble(0));
  std::vector<int64_t> groups;
  if (op.getGroup())
    groups = operands[next++].toVector<int64_t>();
  int64_t batches = operands[1].getDim(0), classes = operands[1].getDim(1),
          most = operands[1].getDim(2), number = most;
  if (op.getValid())
    number = std::clamp<int64_t>(operands[next].getInt(0), 0, most);
  Tensor indices(cast<RankedTensorType>(op.getIndices().getType())),
      count(cast<RankedTensorType>(op.getCount().getType()));
  int64_t row = 0;
  for (int64_t n = 0; n < batches; ++n)
    for (int64_t c = 0; c < classes; ++c)
      for (int64_t box : chosen(
               op,
               Candidates<T>{
                   boxes.data() + n * most * 4,
                   scores.data() + (n * classes + c) * most,
                   groups.empty() ? nullptr : groups.data() + n * most, number},
               greatest, least)) {
        indices.set(3 * row, n);
        indices.set(3 * row + 1, c);
        indices.set(3 * row + 2, box);
        ++row;
      }
  count.set(0, row);
  return {indices, count};
}

FailureOr<Tensors> NmsOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  return operands[0].getElementType().isF64()
             ? evaluateNms<double>(*this, operands)
             : evaluateNms<float>(*this, operands);
}

//===----------------------------------------------------------------------===//
// roi_align, roi_pool
//===----------------------------------------------------------------------===//

namespace {
/// One image plane.
struct Plane {
  const Tensor &x;
  int64_t start, height, width;

  double at(int64_t y, int64_t x0) const {
    return x.getDouble(start + y * width + x0);
  }
};

/// Two neighbours on an axis and the weight of the second.
template <class T> struct Between {
  int64_t low, high;
  T weight;
  bool isInside;

  Between(T at, int64_t extent)
      : low(0), high(0), weight(0),
        isInside(at >= T(-1) && at <= static_cast<T>(extent)) {
    if (!isInside)
      return;
    at = std::max(at, T(0));
    low = std::min(static_cast<int64_t>(at), extent - 1);
    high = std::min(low + 1, extent - 1);
    weight = low == extent - 1 ? T(0) : at - static_cast<T>(low);
  }
};
} // namespace

/// As an int where one of 32 bits holds it, else 0.
template <class T> static int64_t toInt(T value) {
  return std::abs(value) < T(2147483648.0) ? static_cast<int64_t>(value) : 0;
}

namespace {
template <class T> struct AlignedAxis {
  T start, bin;
  int64_t samples;

  AlignedAxis(RoiAlignOp op, T first, T last, int64_t bins) {
    T scale = static_cast<T>(op.getSpatialScale().convertToDouble()),
      offset = op.getAligned() ? T(0.5) : T(0);
    T low = first * scale, high = last * scale;
    start = low - offset;
    T size = (high - offset) - start;
    if (!op.getAligned())
      size = size > T(1) ? size : T(1);
    bin = size / static_cast<T>(bins);
    samples = op.getSamplingRatio() > 0 ? op.getSamplingRatio()
                                        : toInt(std::ceil(bin));
  }
  T at(int64_t place, int64_t sample) const {
    T offset = static_cast<T>(place) * bin,
      inside = (static_cast<T>(sample) + T(0.5)) * bin;
    return (start + offset) + inside / static_cast<T>(samples);
  }
};

template <class T> struct PooledAxis {
  int64_t start;
  T bin;
  int64_t last;

  PooledAxis(RoiPoolOp op, T first, T end, int64_t bins, int64_t extent) {
    T scale = static_cast<T>(op.getSpatialScale().convertToDouble());
    bool isMax = op.getMode() == RegionMode::Max;
    start = toInt(std::round(first * scale));
    int64_t size = toInt(std::round(end * scale)) - start + (isMax ? 1 : 0);
    bin = static_cast<T>(std::max<int64_t>(size, 1)) / static_cast<T>(bins);
    last = isMax ? extent : extent - 1;
  }
  int64_t from(int64_t place) const {
    return std::clamp<int64_t>(
        start + toInt(std::floor(static_cast<T>(place) * bin)), 0, last);
  }
  int64_t to(int64_t place) const {
    return std::clamp<int64_t>(
        start + toInt(std::ceil(static_cast<T>(place + 1) * bin)), 0, last);
  }
};
} // namespace

template <class T>
static double bilinear(const Plane &plane, T y, T x, bool isMax) {
  Between<T> row(y, plane.height), column(x, plane.width);
  if (!row.isInside || !column.isInside)
    return 0;
  T top = T(1) - row.weight, left = T(1) - column.weight;
  double corners[] = {
      double(top * left) * plane.at(row.low, column.low),
      double(top * column.weight) * plane.at(row.low, column.high),
      double(row.weight * left) * plane.at(row.high, column.low),
      double(row.weight * column.weight) * plane.at(row.high, column.high)};
  if (!isMax)
    return ((corners[0] + corners[1]) + corners[2]) + corners[3];
  return eval::max(eval::max(corners[0], corners[1]),
                   eval::max(corners[2], corners[3]));
}

/// One element of roi_align.
template <class T>
static double pooled(RoiAlignOp op, const Plane &plane, const T *roi,
                     int64_t py, int64_t px) {
  AlignedAxis<T> rows(op, roi[1], roi[3], op.getOutput()[0]),
      columns(op, roi[0], roi[2], op.getOutput()[1]);
  bool isMax = op.getMode() == RegionMode::Max;
  std::optional<double> value;
  for (int64_t i = 0; i < rows.samples; ++i)
    for (int64_t j = 0; j < columns.samples; ++j) {
      double sample =
          bilinear<T>(plane, rows.at(py, i), columns.at(px, j), isMax);
      value = !value  ? sample
              : isMax ? eval::max(*value, sample)
                      : *value + sample;
    }
  if (isMax)
    return value.value_or(0);
  int64_t count = rows.samples * columns.samples;
  if (!op.getPerBin())
    count = std::max<int64_t>(count, 1);
  return value.value_or(0) / static_cast<double>(count);
}

/// One element of roi_pool.
template <class T>
static double pooled(RoiPoolOp op, const Plane &plane, const T *roi, int64_t py,
                     int64_t px) {
  PooledAxis<T> rows(op, roi[1], roi[3], op.getOutput()[0], plane.height),
      columns(op, roi[0], roi[2], op.getOutput()[1], plane.width);
  int64_t top = rows.from(py), bottom = rows.to(py), left = columns.from(px),
          right = columns.to(px);
  if (bottom <= top || right <= left)
    return 0;
  bool isMax = op.getMode() == RegionMode::Max;
  double value = isMax ? -double(std::numeric_limits<float>::max()) : 0;
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t x = left; x < right; ++x) {
      double pixel = plane.at(y, x);
      if (!isMax)
        value += pixel;
      else if (pixel > value)
        value = pixel;
    }
  return isMax ? value : value / double((bottom - top) * (right - left));
}

template <class T, class Op>
static FailureOr<Tensors> evaluateRegions(Op op, ArrayRef<Tensor> operands) {
  const Tensor &x = operands[0], &rois = operands[1], &batch = operands[2];
  Tensor y(resultType(op));
  int64_t regions = rois.getDim(0), channels = y.getDim(1),
          height = y.getDim(2), width = y.getDim(3),
          plane = x.getDim(2) * x.getDim(3);
  if (op.getValid())
    regions = std::clamp<int64_t>(operands[3].getInt(0), 0, regions);
  int64_t i = 0;
  for (int64_t r = 0; r < regions; ++r) {
    int64_t image = batch.getInt(r);
    if (image < 0 || image >= x.getDim(0))
      return emitCoded(op.getLoc(), Code::IndexOutOfRange)
             << "'" << op->getName() << "' index " << image
             << " is out of range for extent " << x.getDim(0) << " of axis 0";
    T roi[4];
    for (int64_t k = 0; k < 4; ++k)
      roi[k] = static_cast<T>(rois.getDouble(4 * r + k));
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t py = 0; py < height; ++py)
        for (int64_t px = 0; px < width; ++px) {
          int64_t channel = op.getPerBin() ? (c * height + py) * width + px : c;
          Plane from{x, (image * x.getDim(1) + channel) * plane, x.getDim(2),
                     x.getDim(3)};
          y.set(i++, pooled<T>(op, from, roi, py, px));
        }
  }
  return Tensors{y};
}

FailureOr<Tensors> RoiAlignOp::evaluate(ArrayRef<Tensor> operands,
                                        Evaluator &) {
  return operands[0].getElementType().isF64()
             ? evaluateRegions<double>(*this, operands)
             : evaluateRegions<float>(*this, operands);
}

FailureOr<Tensors> RoiPoolOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  return operands[0].getElementType().isF64()
             ? evaluateRegions<double>(*this, operands)
             : evaluateRegions<float>(*this, operands);
}

} // namespace graven
