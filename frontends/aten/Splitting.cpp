//===- Splitting.cpp - ATen operators on parts of tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's operators that take windows out of a tensor, put
// windows into one, and join tensors.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/RunTimeWindows.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// A bound of a slice: given, or the open one.
static std::optional<int64_t> bound(Call &c, StringRef name, int64_t open) {
  return c.has(name) ? c.integer(name) : open;
}

static mlir::Value slice(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x), step = c.integer("step");
  if (axis && step && *step > 0 &&
      (c.runTimeNumber("start") || c.runTimeNumber("end")))
    return sliceAtRunTime(c, x, *axis, *step);
  auto start = bound(c, "start", 0), end = bound(c, "end", INT64_MAX);
  if (!axis || !step || !start || !end)
    return {};
  if (*step < 1 || c.rank(x) == 0)
    return c.failed("slice with step " + llvm::Twine(*step) +
                    " of a tensor of rank " + llvm::Twine(c.rank(x)));
  // Bounds end where the tensor does.
  int64_t extent = c.type(x).getDimSize(*axis);
  for (int64_t bound : {*start, *end})
    c.noteComparison(std::abs(bound), extent);
  return c.slice(x, *axis, *start, *end, *step);
}

/// An index made non-negative; out of range is an error.
static std::optional<int64_t> checkedIndex(Call &c, int64_t index,
                                           int64_t extent) {
  if (index >= -extent && index < extent)
    return index < 0 ? index + extent : index;
  c.fail() << "index " << index << " is out of range for an axis of extent "
           << extent;
  return std::nullopt;
}

static mlir::Value select(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (!axis)
    return {};
  if (c.rank(x) == 0)
    return c.failed("tensor without axes");
  // An index that only running tells.
  const Value &given = c.argument("index");
  if (given.is(Value::Kind::Tensor) && !c.evaluate(c.tensor("index")))
    return c.make<GatherOp>(
        x, c.cast(c.reshape(c.tensor("index"), {}), ScalarType::Long), *axis,
        /*nonneg=*/false);
  auto index = c.integer("index");
  if (!index)
    return {};
  index = checkedIndex(c, *index, c.type(x).getDimSize(*axis));
  return index ? c.select(x, *axis, *index) : mlir::Value();
}

static mlir::Value narrow(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (axis && (c.runTimeNumber("start") || c.runTimeNumber("length")))
    return narrowAtRunTime(c, x, *axis);
  auto start = c.integer("start"), length = c.integer("length");
  if (!axis || !start || !length)
    return {};
  int64_t extent = c.type(x).getDimSize(*axis);
  if (*start < 0)
    *start += extent;
  if (*start < 0 || *length < 0 || *start > extent - *length)
    return c.failed("window leaves the axis");
  return c.slice(x, *axis, *start, *start + *length);
}

//===----------------------------------------------------------------------===//
// Into lists
//===----------------------------------------------------------------------===//

/// Windows that end at the given places.
static void giveParts(Call &c, mlir::Value x, int64_t axis,
                      llvm::ArrayRef<int64_t> ends) {
  llvm::SmallVector<mlir::Value> parts;
  int64_t start = 0;
  for (int64_t end : ends) {
    parts.push_back(c.slice(x, axis, start, end));
    start = end;
  }
  c.giveList(parts);
}

static void unbind(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (!axis)
    return;
  llvm::SmallVector<mlir::Value> parts;
  for (int64_t i = 0, e = c.type(x).getDimSize(*axis); i < e; ++i)
    parts.push_back(c.select(x, *axis, i));
  c.giveList(parts);
}

static void giveEqualParts(Call &c, mlir::Value x, int64_t axis, int64_t size) {
  int64_t extent = c.type(x).getDimSize(axis);
  if (size < 0 || (size == 0 && extent != 0)) {
    c.failed("parts of extent " + llvm::Twine(size));
    return;
  }
  Shape ends;
  for (int64_t end = 0; end < extent || ends.empty();) {
    end = std::min(end + std::max<int64_t>(size, 1), extent);
    ends.push_back(end);
  }
  giveParts(c, x, axis, ends);
}

static void giveSizes(Call &c, mlir::Value x, int64_t axis, StringRef name) {
  const std::vector<Value> &sizes = *c.argument(name).items();
  if (hasOpenSize(c, sizes))
    return giveSizesAtRunTime(c, x, axis, sizes);
  std::optional<Shape> ends = c.integers(name);
  if (!ends)
    return;
  int64_t end = 0;
  for (int64_t &size : *ends) {
    if (size < 0 || size > c.type(x).getDimSize(axis) - end) {
      c.failed("sizes do not sum to the axis's extent");
      return;
    }
    size = end += size;
  }
  if (end != c.type(x).getDimSize(axis)) {
    c.failed("sizes sum to " + llvm::Twine(end) + ", expected " +
             llvm::Twine(c.type(x).getDimSize(axis)));
    return;
  }
  giveParts(c, x, axis, *ends);
}

static void split(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (!axis)
    return;
  for (StringRef name : {"split_size", "split_sizes"}) {
    if (c.argument(name).items())
      return giveSizes(c, x, *axis, name);
    if (c.has(name)) {
      if (auto size = c.integer(name))
        giveEqualParts(c, x, *axis, *size);
      return;
    }
  }
}

/// Possibly fewer chunks than asked for.
static void chunk(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x), chunks = c.integer("chunks");
  if (!axis || !chunks)
    return;
  if (*chunks < 1) {
    c.failed(llvm::Twine(*chunks) + " chunks");
    return;
  }
  int64_t extent = c.type(x).getDimSize(*axis);
  giveEqualParts(c, x, *axis, (extent + *chunks - 1) / *chunks);
}

/// Parts that end at these places, which may count from the end.
static void splitAt(Call &c, mlir::Value x, int64_t axis, Shape ends) {
  int64_t extent = c.type(x).getDimSize(axis);
  for (int64_t &end : ends)
    end = std::clamp<int64_t>(end < 0 ? end + extent : end, 0, extent);
  ends.push_back(extent);
  giveParts(c, x, axis, ends);
}
/// So many parts, the first ones longer by one where they are not equal.
static void splitInto(Call &c, mlir::Value x, int64_t axis, int64_t sections) {
  int64_t extent = c.type(x).getDimSize(axis);
  if (sections < 1) {
    c.failed("number of sections");
    return;
  }
  Shape ends;
  int64_t end = 0;
  for (int64_t i = 0; i < sections; ++i)
    ends.push_back(end += extent / sections + (i < extent % sections));
  giveParts(c, x, axis, ends);
}
static void splitAlong(Call &c, mlir::Value x, int64_t axis) {
  if (mlir::Value given = c.tensor("tensor_indices_or_sections")) {
    auto known = c.evaluate(given);
    if (!known || known->getRank() > 1) {
      c.fail(Code::DataDependent) << "sections that are only known at run time";
      return;
    }
    if (known->getRank() == 0)
      return splitInto(c, x, axis, known->getInt(0));
    Shape ends;
    for (int64_t i = 0; i < known->size(); ++i)
      ends.push_back(known->getInt(i));
    return splitAt(c, x, axis, ends);
  }
  if (c.argument("indices").items()) {
    if (std::optional<Shape> ends = c.integers("indices"))
      splitAt(c, x, axis, *ends);
    return;
  }
  if (auto sections = c.integer("sections"))
    splitInto(c, x, axis, *sections);
}
static void tensorSplit(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (axis)
    splitAlong(c, x, *axis);
}
/// hsplit, vsplit and dsplit: sections must be equal.
static void splitEqually(Call &c, int64_t axis) {
  mlir::Value x = c.tensor();
  if (axis >= c.rank(x)) {
    c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
    return;
  }
  if (c.has("sections")) {
    auto sections = c.integer("sections");
    if (!sections || *sections < 1 ||
        c.type(x).getDimSize(axis) % *sections != 0) {
      c.failed("sections that do not divide the axis");
      return;
    }
  }
  splitAlong(c, x, axis);
}
static void hsplit(Call &c) { splitEqually(c, c.rank(c.tensor()) > 1 ? 1 : 0); }
template <int64_t kAxis> static void axisSplit(Call &c) {
  if (c.rank(c.tensor()) <= std::max<int64_t>(kAxis, 1)) {
    c.failed("tensor of rank " + llvm::Twine(c.rank(c.tensor())));
    return;
  }
  splitEqually(c, kAxis);
}

//===----------------------------------------------------------------------===//
// Out of lists
//===----------------------------------------------------------------------===//

/// The tensors of a list in their common type.
static llvm::SmallVector<mlir::Value> promotedList(Call &c) {
  std::optional<ScalarType> type = c.promoted({"tensors"});
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors");
  if (!type || tensors.empty())
    return {};
  for (mlir::Value &t : tensors)
    t = c.cast(t, *type);
  return tensors;
}

static mlir::Value cat(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c), parts;
  bool areLines = llvm::all_of(
      tensors, [](mlir::Value t) { return t && Emitter::rank(t) == 1; });
  // Empty tensors of one axis are skipped, whatever the rank of the others. One
  // that fits stays: where data make it empty it may have elements elsewhere.
  for (mlir::Value t : tensors)
    if (t && (areLines || c.rank(t) != 1 || c.type(t).getDimSize(0) != 0))
      parts.push_back(t);
  if (parts.empty())
    return tensors.empty() ? mlir::Value() : tensors.front();
  auto axis = c.axisOf("dim", parts.front());
  return axis ? c.concat(parts, *axis) : mlir::Value();
}

static mlir::Value stack(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c);
  if (tensors.empty())
    return {};
  auto axis = c.axis("dim", c.rank(tensors.front()) + 1);
  if (!axis)
    return {};
  for (mlir::Value &t : tensors)
    t = c.unsqueeze(t, *axis);
  return c.concat(tensors, *axis);
}

/// hstack joins along axis 1 (0 for vectors), vstack rows.
static mlir::Value hstack(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c);
  if (tensors.empty())
    return {};
  for (mlir::Value &t : tensors)
    t = c.withRank(t, 1);
  return c.concat(tensors, c.rank(tensors.front()) == 1 ? 0 : 1);
}
static mlir::Value vstack(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c);
  if (tensors.empty())
    return {};
  for (mlir::Value &t : tensors)
    t = c.withRank(t, 2);
  return c.concat(tensors, 0);
}

/// With axes of extent 1 up to `wanted`: in front, but the third behind.
static mlir::Value withAxes(Call &c, mlir::Value x, int64_t wanted) {
  x = c.withRank(x, std::min<int64_t>(wanted, 2));
  return x && wanted == 3 && c.rank(x) == 2 ? c.unsqueeze(x, 2) : x;
}
static mlir::Value dstack(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c);
  for (mlir::Value &t : tensors)
    t = withAxes(c, t, 3);
  return tensors.empty() ? mlir::Value() : c.concat(tensors, 2);
}
/// Vectors are columns.
static mlir::Value columnStack(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = promotedList(c);
  for (mlir::Value &t : tensors)
    if (c.rank(t) < 2)
      t = c.reshape(t, {c.type(t).getNumElements(), 1});
  return tensors.empty() ? mlir::Value() : c.concat(tensors, 1);
}
template <int64_t kRank> static void atLeast(Call &c) {
  if (!c.has("tensors"))
    return c.give(withAxes(c, c.tensor(), kRank));
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors");
  for (mlir::Value &t : tensors)
    t = withAxes(c, t, kRank);
  c.giveList(tensors);
}

//===----------------------------------------------------------------------===//
// Order, windows put in
//===----------------------------------------------------------------------===//

static mlir::Value flipped(Call &c, Shape axes) {
  mlir::Value x = c.tensor();
  return axes.empty() || c.rank(x) == 0 ? x : c.make<ReverseOp>(x, axes);
}
static mlir::Value flip(Call &c) {
  // An empty list flips nothing here, where elsewhere it means all axes.
  if (const auto *items = c.argument("dims").items(); items && items->empty())
    return c.tensor();
  std::optional<Shape> axes = c.axes("dims", c.rank(c.tensor()));
  return axes ? flipped(c, *axes) : mlir::Value();
}
static mlir::Value fliplr(Call &c) { return flipped(c, {1}); }
static mlir::Value flipud(Call &c) { return flipped(c, {0}); }

static mlir::Value roll(Call &c) {
  mlir::Value x = c.tensor();
  Shape original = c.shape(x);
  auto shifts = c.integers("shifts"), dims = c.integers("dims");
  if (!shifts || !dims)
    return {};
  if (dims->empty()) {
    x = c.reshape(x, {c.type(x).getNumElements()});
    dims->push_back(0);
  }
  if (shifts->size() != dims->size())
    return c.failed("shifts and dims of different lengths");
  if (c.rank(x) == 0)
    return c.failed("dims of a tensor without axes");
  for (auto [shift, dim] : llvm::zip(*shifts, *dims)) {
    auto axis = c.checkedAxis(dim, c.rank(x));
    if (!axis)
      return {};
    int64_t extent = c.type(x).getDimSize(*axis);
    int64_t cut = extent ? ((-shift % extent) + extent) % extent : 0;
    x = c.roll(x, *axis, cut);
    if (!x)
      return {};
  }
  return c.reshape(x, original);
}

static mlir::Value insert(Call &c, mlir::Value src, int64_t axis, int64_t start,
                          int64_t step) {
  mlir::Value x = c.tensor();
  Shape starts(c.rank(x), 0), steps(c.rank(x), 1);
  starts[axis] = start;
  steps[axis] = step;
  src = c.cast(src, c.element(x));
  return src ? c.make<InsertSliceOp>(x, src, mlir::ValueRange(), starts, steps)
             : src;
}
static mlir::Value sliceScatter(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x), step = c.integer("step");
  auto start = bound(c, "start", 0), end = bound(c, "end", INT64_MAX);
  if (!axis || !step || !start || !end)
    return {};
  if (*step < 1)
    return c.failed("step " + llvm::Twine(*step));
  SliceBounds bounds =
      resolveSlice(c.type(x).getDimSize(*axis), *start, *end, *step);
  return insert(c, c.tensor("src"), *axis, bounds.start, *step);
}
static mlir::Value selectScatter(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x), index = c.integer("index");
  if (axis && index)
    index = checkedIndex(c, *index, c.type(x).getDimSize(*axis));
  if (!axis || !index)
    return {};
  return insert(c, c.unsqueeze(c.tensor("src"), *axis), *axis, *index, 1);
}

void graven::aten::addSplitting(Table &t) {
  t.add("slice slice_copy", slice);
  t.add("select select_copy", select);
  t.add("narrow narrow_copy", narrow);
  t.add("unbind unbind_copy", unbind);
  t.add("split split_with_sizes unsafe_split unsafe_split_with_sizes "
        "split_copy split_with_sizes_copy",
        split);
  t.add("chunk unsafe_chunk", chunk);
  t.add("tensor_split", tensorSplit);
  t.add("hsplit", hsplit);
  t.add("vsplit", axisSplit<0>);
  t.add("dsplit", axisSplit<2>);
  t.add("cat concat concatenate", cat);
  t.add("stack", stack);
  t.add("hstack", hstack);
  t.add("vstack row_stack", vstack);
  t.add("dstack", dstack);
  t.add("column_stack", columnStack);
  t.add("atleast_1d", atLeast<1>);
  t.add("atleast_2d", atLeast<2>);
  t.add("atleast_3d", atLeast<3>);
  t.add("flip", flip);
  t.add("fliplr", fliplr);
  t.add("flipud", flipud);
  t.add("roll", roll);
  t.add("slice_scatter", sliceScatter);
  t.add("select_scatter", selectScatter);
}
