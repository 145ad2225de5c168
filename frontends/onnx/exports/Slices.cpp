//===- Slices.cpp - parts of tensors ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses slices: one place of an axis is a Gather, and slices that
// divide a value between them are one Split.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ShapeMath.h"
#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

namespace {
/// Places of one axis, side by side.
struct Part {
  int64_t axis, start, extent;
};
} // namespace

/// What a slice takes, if that is all but for one axis.
static std::optional<Part> partOf(SliceOp op) {
  auto type = Exporter::typeOf(op.getX());
  if (!type.hasStaticShape() || !op.getDynamicStarts().empty() ||
      !op.getDynamicEnds().empty())
    return std::nullopt;
  std::optional<Part> part;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t step = op.getSteps()[i];
    SliceBounds bounds = resolveSlice(type.getDimSize(i), op.getStarts()[i],
                                      op.getEnds()[i], step);
    if (step == 1 && bounds.extent == type.getDimSize(i))
      continue;
    if (part || bounds.extent == 0 || (step != 1 && bounds.extent != 1))
      return std::nullopt;
    part = Part{i, bounds.start, bounds.extent};
  }
  return part;
}

/// The one place of an axis that a reshape drops.
static std::optional<Part> indexOf(ReshapeOp op) {
  auto slice = op.getX().getDefiningOp<SliceOp>();
  auto part = slice ? partOf(slice) : std::nullopt;
  if (!part || part->extent != 1)
    return std::nullopt;
  Ints kept(Exporter::typeOf(op.getX()).getShape());
  kept.erase(kept.begin() + part->axis);
  if (ArrayRef<int64_t>(kept) != Exporter::typeOf(op.getResult()).getShape())
    return std::nullopt;
  return part;
}

bool expressIndexed(Exporter &e, ReshapeOp op) {
  auto part = indexOf(op);
  if (!part)
    return false;
  Type i64 = IntegerType::get(op.getContext(), 64);
  e.give(op, "Gather",
         {e.name(op.getX().getDefiningOp<SliceOp>().getX()),
          e.scalar(i64, part->start)},
         {{"axis", part->axis}});
  return true;
}

/// Whether nothing reads the slice but as one place.
static bool isIndexed(SliceOp op) {
  return llvm::all_of(op->getUsers(), [](Operation *user) {
    auto reshape = dyn_cast<ReshapeOp>(user);
    return reshape && indexOf(reshape);
  });
}

/// The slices that divide the value which `op` is a slice of, in the order of
/// their places, and what they take; none if they do not.
static SmallVector<std::pair<Part, SliceOp>> divisionOf(SliceOp op) {
  auto own = partOf(op);
  if (!own)
    return {};
  SmallVector<std::pair<Part, SliceOp>> division;
  for (Operation *user : op.getX().getUsers()) {
    auto other = dyn_cast<SliceOp>(user);
    auto part =
        other && other->getBlock() == op->getBlock() && !isIndexed(other)
            ? partOf(other)
            : std::nullopt;
    if (part && part->axis == own->axis)
      division.emplace_back(*part, other);
  }
  llvm::sort(division, [](const auto &a, const auto &b) {
    return a.first.start < b.first.start;
  });
  int64_t next = 0;
  for (const auto &[part, slice] : division) {
    if (part.start != next)
      return {};
    next += part.extent;
  }
  if (next != Exporter::typeOf(op.getX()).getDimSize(own->axis))
    return {};
  return division;
}

/// The first of them gives the results of all.
static bool expressSplit(Exporter &e, SliceOp op) {
  if (isIndexed(op))
    return false;
  auto division = divisionOf(op);
  if (division.empty() || !e.name(op.getResult()).empty())
    return !division.empty();
  Ints extents;
  for (const auto &[part, slice] : division)
    extents.push_back(part.extent);
  SmallVector<Attr> attributes{{"axis", division.front().first.axis}};
  Names inputs{e.name(op.getX())};
  if (e.opset() >= 13)
    inputs.push_back(e.ints(extents));
  else
    attributes.push_back({"split", ArrayRef<int64_t>(extents)});
  Names outputs = e.makeAll("Split", inputs, attributes, division.size());
  for (auto [entry, name] : llvm::zip(division, outputs))
    e.alias(entry.second.getResult(), name);
  return true;
}

namespace {
/// What a slice with known bounds takes along the axes that it changes.
struct Bounds {
  Ints starts, ends, axes, steps;

  void add(SliceOp op);
};
} // namespace

void Bounds::add(SliceOp op) {
  auto type = Exporter::typeOf(op.getX());
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t start = op.getStarts()[i], end = op.getEnds()[i],
            step = op.getSteps()[i];
    if (!type.isDynamicDim(i)) {
      SliceBounds bounds = resolveSlice(type.getDimSize(i), start, end, step);
      if (bounds.extent == type.getDimSize(i) && step == 1)
        continue;
      start = bounds.start;
      end = std::max(bounds.start, bounds.end);
    }
    starts.push_back(start);
    ends.push_back(end);
    axes.push_back(i);
    steps.push_back(step);
  }
}

static bool isKnown(SliceOp op) {
  return op.getDynamicStarts().empty() && op.getDynamicEnds().empty();
}

/// The slice that `op` takes a part of along other axes, and that nothing else
/// reads; null for none.
static SliceOp innerOf(SliceOp op, const Bounds &bounds) {
  auto inner = op.getX().getDefiningOp<SliceOp>();
  if (!inner || !inner->hasOneUse() || !isKnown(inner) ||
      inner->getBlock() != op->getBlock() || !divisionOf(inner).empty())
    return {};
  Bounds own;
  own.add(inner);
  return llvm::any_of(own.axes,
                      [&](int64_t axis) {
                        return llvm::is_contained(bounds.axes, axis);
                      })
             ? SliceOp()
             : inner;
}

static void express(Exporter &e, SliceOp op) {
  if (expressSplit(e, op))
    return;
  auto type = Exporter::typeOf(op.getX());
  if (!isKnown(op)) {
    if (!e.needs(op, 10, "bounds that are computed"))
      return;
    Ints axes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      axes.push_back(i);
    e.give(op, "Slice",
           {e.name(op.getX()), e.mixed(op.getStarts(), op.getDynamicStarts()),
            e.mixed(op.getEnds(), op.getDynamicEnds()), e.ints(axes),
            e.ints(op.getSteps())});
    return;
  }
  Bounds bounds;
  bounds.add(op);
  Value from = op.getX();
  for (SliceOp inner = innerOf(op, bounds); inner;
       inner = innerOf(inner, bounds)) {
    bounds.add(inner);
    from = inner.getX();
  }
  e.alias(op.getResult(),
          bounds.axes.empty()
              ? e.name(from)
              : e.slice(e.name(from), bounds.starts, bounds.ends, bounds.axes,
                        bounds.steps));
}

void addSliceExports(ExportTable &table) { table.add<SliceOp, express>(); }

} // namespace graven::onnx
