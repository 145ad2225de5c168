//===- Shape.cpp - ATen operators on shapes ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's operators that give a tensor another shape or order
// of axes, repeat it, or put something around it.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <numeric>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

static int64_t product(llvm::ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

/// The shape with its -1 replaced so that it has `count` elements.
static std::optional<Shape> inferred(Call &c, Shape shape, int64_t count) {
  int64_t known = 1, unknown = -1;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    if (extent == -1 && unknown < 0)
      unknown = i;
    else if (extent < 0 || __builtin_mul_overflow(known, extent, &known))
      unknown = shape.size();
  }
  bool fits = unknown < 0 ? known == count
              : unknown < static_cast<int64_t>(shape.size())
                  ? known != 0 && count % known == 0
                  : false;
  if (!fits) {
    c.fail() << "shape [" << shape << "] does not hold " << count
             << " elements";
    return std::nullopt;
  }
  if (unknown >= 0)
    shape[unknown] = count / known;
  return shape;
}

static mlir::Value reshapeTo(Call &c, StringRef argument) {
  mlir::Value x = c.tensor();
  std::optional<Shape> shape = c.integers(argument);
  if (shape)
    shape = inferred(c, *shape, c.type(x).getNumElements());
  return shape ? c.reshape(x, *shape) : mlir::Value();
}
static mlir::Value view(Call &c) { return reshapeTo(c, "size"); }
static mlir::Value reshape(Call &c) { return reshapeTo(c, "shape"); }
static mlir::Value viewAs(Call &c) {
  mlir::Value x = c.tensor(), other = c.tensor("other");
  if (c.type(x).getNumElements() != c.type(other).getNumElements())
    return c.failed("tensors of different sizes");
  return c.reshape(x, c.shape(other));
}

static mlir::Value flatten(Call &c) {
  mlir::Value x = c.tensor();
  auto first = c.axis("start_dim", c.rank(x)),
       last = c.axis("end_dim", c.rank(x));
  if (!first || !last)
    return {};
  if (c.rank(x) == 0)
    return c.reshape(x, {1});
  if (*first > *last)
    return c.failed("start_dim is after end_dim");
  Shape from = c.shape(x), to(from.begin(), from.begin() + *first);
  to.push_back(product(llvm::ArrayRef(from).slice(*first, *last - *first + 1)));
  to.append(from.begin() + *last + 1, from.end());
  return c.reshape(x, to);
}
static mlir::Value ravel(Call &c) {
  mlir::Value x = c.tensor();
  return c.reshape(x, {c.type(x).getNumElements()});
}

static mlir::Value unflatten(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  auto sizes = c.integers("sizes");
  if (!axis || !sizes)
    return {};
  Shape shape = c.shape(x);
  sizes = inferred(c, *sizes, shape[*axis]);
  if (!sizes)
    return {};
  shape.erase(shape.begin() + *axis);
  shape.insert(shape.begin() + *axis, sizes->begin(), sizes->end());
  return c.reshape(x, shape);
}

static mlir::Value squeeze(Call &c) {
  mlir::Value x = c.tensor();
  // An empty list names no axis here, where elsewhere it means all.
  if (const auto *items = c.argument("dim").items(); items && items->empty())
    return x;
  std::optional<Shape> axes = c.axes("dim", c.rank(x));
  if (!axes)
    return {};
  Shape shape;
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (c.type(x).getDimSize(i) != 1 || !llvm::is_contained(*axes, i))
      shape.push_back(c.type(x).getDimSize(i));
  return c.reshape(x, shape);
}
static mlir::Value unsqueeze(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axis("dim", c.rank(x) + 1);
  return axis ? c.unsqueeze(x, *axis) : mlir::Value();
}

//===----------------------------------------------------------------------===//
// Order of axes
//===----------------------------------------------------------------------===//

static Shape identity(int64_t rank) {
  Shape result(rank);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

static mlir::Value permute(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<Shape> dims = c.integers("dims");
  if (!dims)
    return {};
  for (int64_t &axis : *dims) {
    auto checked = c.checkedAxis(axis, c.rank(x));
    if (!checked)
      return {};
    axis = *checked;
  }
  return c.transpose(x, *dims);
}

static mlir::Value swapped(Call &c, StringRef first, StringRef second) {
  mlir::Value x = c.tensor();
  auto a = c.axis(first, c.rank(x)), b = c.axis(second, c.rank(x));
  if (!a || !b)
    return {};
  if (c.rank(x) == 0)
    return x;
  Shape order = identity(c.rank(x));
  std::swap(order[*a], order[*b]);
  return c.transpose(x, order);
}
static mlir::Value transpose(Call &c) { return swapped(c, "dim0", "dim1"); }
static mlir::Value swapaxes(Call &c) { return swapped(c, "axis0", "axis1"); }

static mlir::Value reversedAxes(Call &c) {
  mlir::Value x = c.tensor();
  Shape order = identity(c.rank(x));
  std::reverse(order.begin(), order.end());
  return c.transpose(x, order);
}
static mlir::Value adjoint(Call &c) {
  mlir::Value x = c.tensor();
  if (c.rank(x) < 2)
    return c.failed("tensor of rank < 2");
  Shape order = identity(c.rank(x));
  std::swap(order[c.rank(x) - 1], order[c.rank(x) - 2]);
  return c.transpose(x, order);
}

static mlir::Value movedim(Call &c) {
  mlir::Value x = c.tensor();
  auto list = [&](StringRef name) -> std::optional<Shape> {
    std::optional<Shape> result =
        c.argument(name).is(Value::Kind::Int)
            ? std::optional(Shape{c.argument(name).integer()})
            : c.integers(name);
    for (size_t i = 0; result && i < result->size(); ++i) {
      auto checked = c.checkedAxis((*result)[i], c.rank(x));
      if (!checked)
        return std::nullopt;
      (*result)[i] = *checked;
    }
    return result;
  };
  auto source = list("source"), destination = list("destination");
  if (!source || !destination)
    return {};
  if (source->size() != destination->size())
    return c.failed("source and destination of different lengths");
  Shape order(c.rank(x), -1);
  for (auto [from, to] : llvm::zip(*source, *destination))
    order[to] = from;
  int64_t next = 0;
  for (int64_t &axis : order) {
    while (llvm::is_contained(*source, next))
      ++next;
    if (axis < 0)
      axis = next++;
  }
  return c.transpose(x, order);
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

static mlir::Value expandTo(Call &c, StringRef argument) {
  mlir::Value x = c.tensor();
  std::optional<Shape> shape = c.integers(argument);
  if (!shape)
    return {};
  int64_t lead = static_cast<int64_t>(shape->size()) - c.rank(x);
  if (lead < 0)
    return c.failed("fewer axes than the tensor has");
  for (size_t i = 0; i < shape->size(); ++i)
    if ((*shape)[i] == -1 && static_cast<int64_t>(i) >= lead)
      (*shape)[i] = c.type(x).getDimSize(i - lead);
  if (llvm::any_of(*shape, [](int64_t d) { return d < 0; }))
    return c.failed("negative extent");
  return c.broadcastTo(x, *shape);
}
static mlir::Value expand(Call &c) { return expandTo(c, "size"); }
static mlir::Value expandAs(Call &c) {
  return c.broadcastTo(c.tensor(), c.shape(c.tensor("other")));
}
static void broadcastTensors(Call &c) {
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors");
  Shape shape;
  for (mlir::Value t : tensors) {
    auto both = Emitter::broadcastShape(shape, c.type(t).getShape());
    if (!both) {
      c.fail() << "shapes do not broadcast";
      return;
    }
    shape = *both;
  }
  for (mlir::Value &t : tensors)
    t = c.broadcastTo(t, shape);
  c.giveList(tensors);
}

/// [d0, d1] repeated (r0, r1) times: [1, d0, 1, d1] -> [r0, d0, r1, d1].
static mlir::Value repeated(Call &c, mlir::Value x, Shape repeats) {
  int64_t lead = static_cast<int64_t>(repeats.size()) - c.rank(x);
  if (lead < 0)
    return c.failed("fewer repeats than the tensor has axes");
  x = c.withRank(x, repeats.size());
  Shape split, wide, result;
  for (auto [extent, times] : llvm::zip(c.shape(x), repeats)) {
    if (times < 0)
      return c.failed("negative repeat");
    if (times != 1) {
      split.push_back(1);
      wide.push_back(times);
    }
    split.push_back(extent);
    wide.push_back(extent);
    result.push_back(extent * times);
  }
  return c.reshape(c.broadcastTo(c.reshape(x, split), wide), result);
}
static mlir::Value repeat(Call &c) {
  std::optional<Shape> repeats = c.integers("repeats");
  return repeats ? repeated(c, c.tensor(), *repeats) : mlir::Value();
}
static mlir::Value tile(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<Shape> repeats = c.integers("dims");
  if (!repeats)
    return {};
  while (static_cast<int64_t>(repeats->size()) < c.rank(x))
    repeats->insert(repeats->begin(), 1);
  return repeated(c, x, *repeats);
}
static mlir::Value pixelShuffle(Call &c) {
  mlir::Value x = c.tensor();
  auto factor = c.integer("upscale_factor");
  if (!factor)
    return {};
  int64_t r = *factor, n = c.rank(x);
  if (n < 3 || r < 1 || c.type(x).getDimSize(n - 3) % (r * r))
    return c.failed("channels are no multiple of the factor's square");
  Shape from = c.shape(x), lead(from.begin(), from.end() - 3);
  int64_t channels = from[n - 3] / (r * r), h = from[n - 2], w = from[n - 1];
  Shape split(lead), result(lead);
  split.append({channels, r, r, h, w});
  result.append({channels, h * r, w * r});
  Shape order = identity(n + 2);
  int64_t k = n - 3;
  std::copy_n(std::array{k, k + 3, k + 1, k + 4, k + 2}.begin(), 5,
              order.begin() + k);
  return c.reshape(c.transpose(c.reshape(x, split), order), result);
}
static mlir::Value pixelUnshuffle(Call &c) {
  mlir::Value x = c.tensor();
  auto factor = c.integer("downscale_factor");
  if (!factor)
    return {};
  int64_t r = *factor, n = c.rank(x);
  Shape from = c.shape(x);
  if (n < 3 || r < 1 || from[n - 2] % r || from[n - 1] % r)
    return c.failed("extents are no multiples of the factor");
  Shape split(from.begin(), from.end() - 3), result(split);
  int64_t channels = from[n - 3], h = from[n - 2] / r, w = from[n - 1] / r;
  split.append({channels, h, r, w, r});
  result.append({channels * r * r, h, w});
  Shape order = identity(n + 2);
  int64_t k = n - 3;
  std::copy_n(std::array{k, k + 2, k + 4, k + 1, k + 3}.begin(), 5,
              order.begin() + k);
  return c.reshape(c.transpose(c.reshape(x, split), order), result);
}
static mlir::Value channelShuffle(Call &c) {
  mlir::Value x = c.tensor();
  auto groups = c.integer("groups");
  if (!groups)
    return {};
  Shape from = c.shape(x);
  if (from.size() < 2 || *groups < 1 || from[1] % *groups)
    return c.failed("channels are no multiple of the groups");
  Shape split(from);
  split[1] = *groups;
  split.insert(split.begin() + 2, from[1] / *groups);
  Shape order = identity(split.size());
  std::swap(order[1], order[2]);
  return c.reshape(c.transpose(c.reshape(x, split), order), from);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Pairs of `pad` run from the last axis backwards.
static mlir::Value padWith(Call &c, StringRef argument, PadMode mode) {
  mlir::Value x = c.tensor(), value;
  std::optional<Shape> pad = c.integers(argument);
  if (!pad)
    return {};
  int64_t rank = c.rank(x);
  if (pad->size() % 2 || static_cast<int64_t>(pad->size()) > 2 * rank)
    return c.failed(llvm::Twine(pad->size()) +
                    " amounts for a tensor of rank " + llvm::Twine(rank));
  Shape low(rank, 0), high(rank, 0);
  for (size_t i = 0; i < pad->size() / 2; ++i) {
    low[rank - 1 - i] = (*pad)[2 * i];
    high[rank - 1 - i] = (*pad)[2 * i + 1];
  }
  if (mode == PadMode::Constant && c.has("value")) {
    std::optional<Value> number = c.known("value");
    if (!number)
      return {};
    if (number->number() != 0)
      value = c.full(c.element(x), {}, *number);
  }
  return c.make<PadOp>(x, value, low, high, mode);
}
static mlir::Value pad(Call &c) {
  StringRef mode = c.string("mode");
  if (mode == "constant")
    return padWith(c, "pad", PadMode::Constant);
  if (mode == "reflect")
    return padWith(c, "pad", PadMode::Reflect);
  if (mode == "replicate")
    return padWith(c, "pad", PadMode::Edge);
  if (mode == "circular")
    return padWith(c, "pad", PadMode::Wrap);
  return c.failed("mode '" + mode + "'");
}
static mlir::Value constantPad(Call &c) {
  return padWith(c, "pad", PadMode::Constant);
}
static mlir::Value reflectionPad(Call &c) {
  return padWith(c, "padding", PadMode::Reflect);
}
static mlir::Value replicationPad(Call &c) {
  return padWith(c, "padding", PadMode::Edge);
}

void graven::aten::addShape(Table &t) {
  t.add("view _unsafe_view view_copy _reshape_copy", view);
  t.add("reshape", reshape);
  t.add("view_as reshape_as", viewAs);
  t.add("flatten", flatten);
  t.add("ravel", ravel);
  t.add("unflatten", unflatten);
  t.add("squeeze squeeze_copy", squeeze);
  t.add("unsqueeze unsqueeze_copy", unsqueeze);
  t.add("permute permute_copy", permute);
  t.add("transpose swapdims transpose_copy", transpose);
  t.add("swapaxes", swapaxes);
  t.add("t t_copy numpy_T", reversedAxes);
  t.add("adjoint mT mH matrix_H", adjoint);
  t.add("movedim moveaxis", movedim);
  t.add("expand expand_copy broadcast_to", expand);
  t.add("expand_as", expandAs);
  t.add("broadcast_tensors", broadcastTensors);
  t.add("repeat", repeat);
  t.add("tile", tile);
  t.add("pixel_shuffle", pixelShuffle);
  t.add("pixel_unshuffle", pixelUnshuffle);
  t.add("channel_shuffle", channelShuffle);
  t.add("pad", pad);
  t.add("constant_pad_nd", constantPad);
  t.add("reflection_pad1d reflection_pad2d reflection_pad3d", reflectionPad);
  t.add("replication_pad1d replication_pad2d replication_pad3d",
        replicationPad);
}
