//===- RunTimeWindows.cpp - windows where data say ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements windows with a bound that only running tells: what
// begins where data say is gathered, what ends where they say has an extent
// that they decide, of at most the axis's.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/RunTimeWindows.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// A place that may count from the end, from the beginning.
static mlir::Value fromBeginning(Call &c, mlir::Value at, int64_t extent) {
  return c.where(c.compare(ComparePredicate::Lt, at, 0.0),
                 c.binary<AddOp>(at, static_cast<double>(extent)), at);
}

/// A bound of a slice, brought into [0, extent], as a number of the graph:
/// `open` when it is not given.
static mlir::Value boundInGraph(Call &c, StringRef name, int64_t open,
                                int64_t extent) {
  mlir::Type i64 = c.builder.getI64Type();
  mlir::Value at = c.runTimeNumber(name);
  if (!at) {
    auto known = c.has(name) ? c.integer(name) : std::optional(open);
    if (!known)
      return {};
    int64_t place = *known < 0 ? *known + extent : *known;
    return c.scalar(i64, std::clamp<int64_t>(place, 0, extent));
  }
  at = fromBeginning(c, at, extent);
  return at ? c.make<ClampOp>(at, c.scalar(i64, int64_t(0)),
                              c.scalar(i64, extent))
            : at;
}

/// The window of `length` places from `start` on. One that leaves the axis is
/// an index out of range at run time.
static mlir::Value windowAt(Call &c, mlir::Value x, int64_t axis,
                            mlir::Value start, int64_t length) {
  mlir::Value place = c.iota({length}, 0);
  place = c.binary<AddOp>(place, start);
  return place ? c.make<GatherOp>(x, place, uint64_t(axis), /*nonneg=*/true)
               : place;
}

/// The places `start`, `start` + step, ... of an axis, `room` of them, those
/// behind the end as the last one.
static mlir::Value placesFrom(Call &c, mlir::Value x, int64_t axis,
                              mlir::Value start, int64_t step, int64_t room) {
  mlir::Value place = c.iota({room}, 0);
  if (step != 1)
    place = c.binary<MulOp>(place, static_cast<double>(step));
  place = c.binary<AddOp>(place, start);
  int64_t last = c.type(x).getDimSize(axis) - 1;
  place = c.binary<MinOp>(place, static_cast<double>(last));
  return place ? c.make<GatherOp>(x, place, uint64_t(axis), /*nonneg=*/true)
               : place;
}

mlir::Value aten::sliceAtRunTime(Call &c, mlir::Value x, int64_t axis,
                                 int64_t step) {
  int64_t extent = c.type(x).getDimSize(axis);
  if (extent == 0)
    return x;
  mlir::Value start = boundInGraph(c, "start", 0, extent),
              end = boundInGraph(c, "end", INT64_MAX, extent);
  if (!start || !end)
    return {};
  mlir::Value count = c.binary<MaxOp>(c.binary<SubOp>(end, start), 0.0);
  if (step != 1)
    count = c.binary<DivOp>(c.binary<AddOp>(count, double(step - 1)),
                            static_cast<double>(step));
  if (c.runTimeNumber("start"))
    x = placesFrom(c, x, axis, start, step, (extent + step - 1) / step);
  else
    x = c.slice(x, axis, c.has("start") ? c.integer("start").value_or(0) : 0,
                INT64_MAX, step);
  return c.counted(x, count, axis);
}

mlir::Value aten::narrowAtRunTime(Call &c, mlir::Value x, int64_t axis) {
  mlir::Value length = c.runTimeNumber("length"),
              start = c.runTimeNumber("start");
  int64_t extent = c.type(x).getDimSize(axis);
  if (!length) {
    auto known = c.integer("length");
    if (!known || *known < 0 || *known > extent)
      return known ? c.failed("window leaves the axis") : mlir::Value();
    return windowAt(c, x, axis, fromBeginning(c, start, extent), *known);
  }
  if (start) {
    start = boundInGraph(c, "start", 0, extent);
    if (extent)
      x = placesFrom(c, x, axis, start, 1, extent);
  } else {
    auto known = c.integer("start");
    if (!known || *known < -extent || *known > extent)
      return known ? c.failed("window leaves the axis") : mlir::Value();
    x = c.slice(x, axis, *known, INT64_MAX);
    start =
        c.scalar(c.builder.getI64Type(), *known < 0 ? *known + extent : *known);
  }
  mlir::Value rest =
      c.binary<SubOp>(c.scalar(c.builder.getI64Type(), extent), start);
  length = c.binary<MinOp>(c.binary<MaxOp>(length, 0.0), rest);
  return x ? c.counted(x, length, axis) : x;
}

bool aten::hasOpenSize(Call &c, llvm::ArrayRef<Value> sizes) {
  return llvm::any_of(
      sizes, [&](const Value &size) { return !!c.runTimeNumberOf(size); });
}

void aten::giveSizesAtRunTime(Call &c, mlir::Value x, int64_t axis,
                              llvm::ArrayRef<Value> sizes) {
  mlir::Type i64 = c.builder.getI64Type();
  int64_t extent = c.type(x).getDimSize(axis);
  mlir::Value start = c.scalar(i64, int64_t(0)), end = c.scalar(i64, extent);
  llvm::SmallVector<mlir::Value> parts;
  for (const Value &size : sizes) {
    mlir::Value length = c.runTimeNumberOf(size);
    bool isOpen = static_cast<bool>(length);
    int64_t room = extent;
    if (!isOpen) {
      room = size.is(Value::Kind::Int) ? size.integer()
             : size.is(Value::Kind::Tensor)
                 ? c.evaluate(size.tensor()->read(c.builder))->getInt(0)
                 : -1;
      if (room < 0 || room > extent) {
        c.failed("part of another extent than 0 to " + llvm::Twine(extent));
        return;
      }
      length = c.scalar(i64, room);
    }
    mlir::Value part = !extent  ? x
                       : isOpen ? placesFrom(c, x, axis, start, 1, room)
                                : windowAt(c, x, axis, start, room);
    if (isOpen && part)
      part = c.counted(
          part,
          c.binary<MaxOp>(c.binary<MinOp>(length, c.binary<SubOp>(end, start)),
                          0.0),
          axis);
    start = c.binary<AddOp>(start, length);
    parts.push_back(part);
    if (!start)
      return c.give({});
  }
  c.giveList(parts);
}
