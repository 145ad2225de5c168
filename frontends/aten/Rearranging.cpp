//===- Rearranging.cpp - ATen's diagonals, blocks and strides ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's operators that place the elements of tensors anew:
// diagonals, blocks, rotations, combinations and strided windows of a storage.
// A diagonal is a slice of the flattened plane with a step of one row and one
// element, so that it is a view and can be written to.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <numeric>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Diagonals
//===----------------------------------------------------------------------===//

namespace {
/// Where a diagonal lies in a flattened plane.
struct Diagonal {
  int64_t start = 0, count = 0, step = 1;

  Diagonal(int64_t rows, int64_t columns, int64_t offset) {
    if (offset <= -rows || offset >= columns)
      return;
    count = offset >= 0 ? std::min(rows, columns - offset)
                        : std::min(rows + offset, columns);
    start = offset >= 0 ? offset : -offset * columns;
    step = columns + 1;
  }
  int64_t end() const { return count ? start + (count - 1) * step + 1 : start; }
};

/// A tensor whose plane of two axes stands last, flattened.
struct Planes {
  mlir::Value value;
  Shape order;      ///< the permutation that moved the plane
  Shape moved;      ///< the extents after it
  int64_t axis = 0; ///< of the flattened plane
  Diagonal diagonal{0, 0, 0};
};
} // namespace

static std::optional<Planes> planes(Call &c, mlir::Value x, StringRef dim1,
                                    StringRef dim2) {
  auto offset = c.integer("offset");
  auto first = c.axis(dim1, c.rank(x)), second = c.axis(dim2, c.rank(x));
  if (!offset || !first || !second)
    return std::nullopt;
  if (c.rank(x) < 2 || *first == *second) {
    c.fail() << "axes " << *first << " and " << *second
             << " of a tensor of rank " << c.rank(x);
    return std::nullopt;
  }
  Planes p;
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (i != *first && i != *second)
      p.order.push_back(i);
  p.axis = p.order.size();
  p.order.append({*first, *second});
  mlir::Value moved = c.transpose(x, p.order);
  if (!moved)
    return std::nullopt;
  p.moved = c.shape(moved);
  int64_t rows = p.moved[p.axis], columns = p.moved[p.axis + 1];
  Shape flat(p.moved.begin(), p.moved.end() - 2);
  flat.push_back(rows * columns);
  p.value = c.reshape(moved, flat);
  p.diagonal = Diagonal(rows, columns, *offset);
  return p.value ? std::optional(p) : std::nullopt;
}

static mlir::Value diagonalOf(Call &c, mlir::Value x) {
  auto p = planes(c, x, "dim1", "dim2");
  if (!p)
    return {};
  return c.slice(p->value, p->axis, p->diagonal.start, p->diagonal.end(),
                 p->diagonal.step);
}
static mlir::Value diagonal(Call &c) {
  return diagonalOf(c, c.has("A") ? c.tensor("A") : c.tensor());
}

/// `values` put into a slice with a step of axis `axis` of x.
static mlir::Value insertStepped(Call &c, mlir::Value x, mlir::Value values,
                                 int64_t axis, const Diagonal &where) {
  if (!x || !values || where.count == 0)
    return x;
  Shape starts(c.rank(x), 0), steps(c.rank(x), 1);
  starts[axis] = where.start;
  steps[axis] = where.step;
  return c.make<InsertSliceOp>(x, values, mlir::ValueRange(), starts, steps);
}

static mlir::Value diagonalScatter(Call &c) {
  auto p = planes(c, c.tensor(), "dim1", "dim2");
  mlir::Value source = c.tensor("src");
  if (!p || !source)
    return {};
  source = c.cast(source, c.element(p->value));
  mlir::Value y = insertStepped(c, p->value, source, p->axis, p->diagonal);
  Shape inverse(p->order.size());
  for (auto [i, axis] : llvm::enumerate(p->order))
    inverse[axis] = i;
  return y ? c.transpose(c.reshape(y, p->moved), inverse) : y;
}

/// x [.., n] on the diagonal of square matrices of zeros, the last two axes.
static mlir::Value onDiagonal(Call &c, mlir::Value x, int64_t offset) {
  Shape shape = c.shape(x);
  int64_t side = 0, area = 0;
  if (offset == INT64_MIN ||
      __builtin_add_overflow(shape.back(), std::abs(offset), &side) ||
      __builtin_mul_overflow(side, side, &area))
    return c.failed("offset " + llvm::Twine(offset));
  Shape flat(shape), result(shape);
  flat.back() = area;
  result.back() = side;
  result.push_back(side);
  mlir::Value zeros = c.full(c.element(x), flat, int64_t(0));
  mlir::Value y =
      insertStepped(c, zeros, x, c.rank(x) - 1, Diagonal(side, side, offset));
  return c.reshape(y, result);
}

static mlir::Value diagEmbed(Call &c) {
  mlir::Value x = c.tensor();
  int64_t rank = c.rank(x) + 1;
  auto offset = c.integer("offset");
  auto first = c.axis("dim1", rank), second = c.axis("dim2", rank);
  if (!offset || !first || !second)
    return {};
  if (rank < 2 || *first == *second)
    return c.failed("axes " + llvm::Twine(*first) + " and " +
                    llvm::Twine(*second));
  mlir::Value y = onDiagonal(c, x, *offset);
  Shape order;
  for (int64_t i = 0, next = 0; i < rank; ++i)
    order.push_back(i == *first ? rank - 2 : i == *second ? rank - 1 : next++);
  return c.transpose(y, order);
}

static mlir::Value diag(Call &c) {
  mlir::Value x = c.tensor();
  auto offset = c.integer("diagonal");
  if (!offset)
    return {};
  if (c.rank(x) == 1)
    return onDiagonal(c, x, *offset);
  if (c.rank(x) != 2)
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  int64_t rows = c.type(x).getDimSize(0), columns = c.type(x).getDimSize(1);
  Diagonal d(rows, columns, *offset);
  return c.slice(c.reshape(x, {rows * columns}), 0, d.start, d.end(), d.step);
}
static mlir::Value diagflat(Call &c) {
  mlir::Value x = c.tensor();
  auto offset = c.integer("offset");
  return offset ? onDiagonal(c, c.reshape(x, {c.type(x).getNumElements()}),
                             *offset)
                : mlir::Value();
}

static mlir::Value trace(Call &c) {
  mlir::Value x = c.tensor();
  if (c.rank(x) != 2)
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  int64_t rows = c.type(x).getDimSize(0), columns = c.type(x).getDimSize(1);
  Diagonal d(rows, columns, 0);
  mlir::Value y =
      c.slice(c.reshape(x, {rows * columns}), 0, d.start, d.end(), d.step);
  if (y && !c.isFloat(y))
    y = c.cast(y, ScalarType::Long);
  return c.reduce(ReduceKind::Sum, y, {0}, /*keep=*/false);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

static mlir::Value blockDiag(Call &c) {
  std::optional<ScalarType> type = c.promoted({"tensors"});
  if (!type)
    return {};
  llvm::SmallVector<mlir::Value> blocks;
  int64_t width = 0, before = 0;
  for (mlir::Value block : c.tensors("tensors")) {
    block = c.withRank(c.cast(block, *type), 2);
    if (!block || c.rank(block) != 2)
      return c.failed("block of rank > 2");
    width += c.type(block).getDimSize(1);
    blocks.push_back(block);
  }
  for (mlir::Value &block : blocks) {
    int64_t own = c.type(block).getDimSize(1);
    block = c.make<PadOp>(block, mlir::Value(), Shape{0, before},
                          Shape{0, width - before - own}, PadMode::Constant);
    before += own;
  }
  return blocks.empty() ? mlir::Value() : c.concat(blocks, 0);
}

/// Each tensor padded along an axis to a multiple of the chunks, what follows
/// flattened into chunks, the chunks of all joined.
static mlir::Value chunkCat(Call &c) {
  std::optional<ScalarType> type = c.promoted({"tensors"});
  auto chunks = c.integer("num_chunks");
  if (!type || !chunks)
    return {};
  llvm::SmallVector<mlir::Value> parts;
  std::optional<int64_t> axis;
  for (mlir::Value x : c.tensors("tensors")) {
    axis = c.axis("dim", c.rank(x));
    if (!axis || *chunks < 1 || c.rank(x) == 0)
      return axis ? c.failed("chunks") : mlir::Value();
    int64_t extent = c.type(x).getDimSize(*axis);
    Shape low(c.rank(x), 0), high(low);
    high[*axis] = (*chunks - extent % *chunks) % *chunks;
    x = c.cast(x, *type);
    if (x && high[*axis])
      x = c.make<PadOp>(x, mlir::Value(), low, high, PadMode::Constant);
    if (!x)
      return {};
    Shape shape(c.type(x).getShape().take_front(*axis));
    shape.append(
        {*chunks,
         extentProduct(c.type(x).getShape().drop_front(*axis)) / *chunks});
    parts.push_back(c.reshape(x, shape));
  }
  return parts.empty() ? mlir::Value() : c.concat(parts, *axis + 1);
}

static mlir::Value rot90(Call &c) {
  mlir::Value x = c.tensor();
  auto turns = c.integer("k");
  auto dims = c.integers("dims");
  if (!turns || !dims)
    return {};
  if (dims->size() != 2 || c.rank(x) < 2)
    return c.failed("a plane of " + llvm::Twine(dims->size()) + " axes");
  auto a = c.checkedAxis((*dims)[0], c.rank(x)),
       b = c.checkedAxis((*dims)[1], c.rank(x));
  if (!a || !b)
    return {};
  if (*a == *b)
    return c.failed("axes are equal");
  int64_t k = ((*turns % 4) + 4) % 4;
  Shape reversed;
  if (k == 1 || k == 2)
    reversed.push_back(*b);
  if (k == 2 || k == 3)
    reversed.push_back(*a);
  llvm::sort(reversed);
  if (!reversed.empty())
    x = c.make<ReverseOp>(x, reversed);
  if (!x || k % 2 == 0)
    return x;
  Shape order = allAxes(x);
  std::swap(order[*a], order[*b]);
  return c.transpose(x, order);
}

/// Leading axes, and those that shall have extent 1, are summed.
static mlir::Value sumToSize(Call &c) {
  mlir::Value x = c.tensor();
  auto size = c.integers("size");
  if (!size)
    return {};
  int64_t lead = c.rank(x) - static_cast<int64_t>(size->size());
  Shape axes;
  for (int64_t i = 0; i < c.rank(x); ++i) {
    int64_t wanted = i < lead ? 1 : (*size)[i - lead];
    if (i < lead || (wanted == 1 && c.type(x).getDimSize(i) != 1))
      axes.push_back(i);
    else if (wanted != c.type(x).getDimSize(i))
      lead = -1;
  }
  if (lead < 0)
    return c.failed("size is not broadcast to the tensor's");
  // Ints become i64 when something is summed, or to an empty size.
  if (!c.isFloat(x) && (!axes.empty() || size->empty()))
    x = c.cast(x, ScalarType::Long);
  if (axes.empty())
    return x;
  return c.reshape(c.reduce(ReduceKind::Sum, x, axes, /*keep=*/true), *size);
}

static mlir::Value combinations(Call &c) {
  mlir::Value x = c.tensor();
  auto r = c.integer("r");
  if (!r)
    return {};
  if (c.rank(x) != 1 || *r < 0 || *r > 16)
    return c.failed("combinations of " + llvm::Twine(*r) +
                    " out of a tensor of rank " + llvm::Twine(c.rank(x)));
  if (*r == 0)
    return c.full(c.element(x), {0}, int64_t(0));
  bool repeats = c.flag("with_replacement");
  int64_t n = c.type(x).getNumElements(), count = 0;
  Shape current(*r, 0), picks;
  for (int64_t i = 0; i < *r; ++i)
    current[i] = repeats ? 0 : i;
  bool more = repeats ? n > 0 : *r <= n;
  while (more) {
    if (++count > (1 << 20))
      return c.failed("more than 2^20 combinations");
    picks.append(current);
    int64_t i = *r - 1;
    while (i >= 0 && current[i] == (repeats ? n - 1 : n - *r + i))
      --i;
    more = i >= 0;
    if (more)
      ++current[i];
    for (int64_t j = i + 1; more && j < *r; ++j)
      current[j] = current[j - 1] + (repeats ? 0 : 1);
  }
  return c.make<GatherOp>(x, c.indices({count, *r}, picks), uint64_t(0),
                          /*nonneg=*/true);
}

static mlir::Value cartesianProd(Call &c) {
  std::optional<ScalarType> type = c.promoted({"tensors"});
  llvm::SmallVector<mlir::Value> tensors = c.tensors("tensors");
  if (!type || tensors.empty())
    return {};
  Shape grid;
  for (mlir::Value t : tensors) {
    if (c.rank(t) > 1)
      return c.failed("tensor of rank " + llvm::Twine(c.rank(t)));
    grid.push_back(c.type(t).getNumElements());
  }
  if (tensors.size() == 1)
    return tensors.front();
  int64_t rows = extentProduct(grid);
  for (auto [i, t] : llvm::enumerate(tensors)) {
    Shape line(grid.size(), 1);
    line[i] = grid[i];
    t = c.reshape(c.broadcastTo(c.reshape(c.cast(t, *type), line), grid),
                  {rows, 1});
  }
  return c.concat(tensors, 1);
}

/// Powers 0 to N - 1 as a last axis.
static mlir::Value vander(Call &c) {
  mlir::Value x = c.tensor("x");
  if (c.rank(x) == 0 && !c.has("N"))
    return c.failed("tensor without axes");
  if (c.rank(x) == 0)
    x = c.reshape(x, {1});
  auto n = c.has("N") ? c.integer("N") : c.type(x).getShape().back();
  if (!n)
    return {};
  if (*n < 2)
    return c.failed(llvm::Twine(*n) + " powers, expected at least 2");
  if (!c.isFloat(x))
    x = c.cast(x, ScalarType::Long);
  Shape shape = c.shape(x);
  shape.push_back(*n);
  mlir::Value powers = c.broadcastTo(c.unsqueeze(x, c.rank(x)), shape);
  shape.back() = 1;
  mlir::Value one = c.full(c.element(x), shape, int64_t(1));
  int64_t last = shape.size() - 1;
  powers = c.concat({one, c.slice(powers, last, 1, *n)}, last);
  return powers ? c.make<CumReduceOp>(powers, ReduceKind::Prod, uint64_t(last))
                : powers;
}

//===----------------------------------------------------------------------===//
// Strides
//===----------------------------------------------------------------------===//

namespace {
/// The storage of self, flat, and the places in it that size and strides name.
struct Strided {
  mlir::Value flat, places;
  Shape size;
};
} // namespace

static std::optional<Strided> strided(Call &c) {
  mlir::Value x = c.tensor();
  auto size = c.integers("size"), stride = c.integers("stride");
  if (!x || !size || !stride)
    return std::nullopt;
  const Tensor &self = *c.argument("self").tensor();
  auto layout = self.layout();
  auto offset = c.has("storage_offset") ? c.integer("storage_offset")
                : layout                ? layout->offset
                                        : std::nullopt;
  if (!offset) {
    c.fail() << "strides of a view that begins where data say";
    return std::nullopt;
  }
  mlir::Value storage = self.contents().value;
  int64_t elements = c.type(storage).getNumElements();
  int64_t last = *offset;
  bool fits = size->size() == stride->size() && last >= 0;
  bool empty = llvm::is_contained(*size, 0);
  for (size_t i = 0; fits && i < size->size(); ++i) {
    int64_t reach = 0;
    fits = (*size)[i] >= 0 && (*stride)[i] >= 0 &&
           !__builtin_mul_overflow(std::max<int64_t>((*size)[i] - 1, 0),
                                   (*stride)[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (!fits || (!empty && last >= elements)) {
    c.fail() << "size [" << *size << "] with strides [" << *stride
             << "] leaves a storage of " << elements << " elements";
    return std::nullopt;
  }
  Strided s{c.reshape(storage, {elements}), {}, *size};
  mlir::Type i64 = c.builder.getI64Type();
  s.places = c.full(i64, *size, *offset);
  for (size_t i = 0; i < size->size(); ++i) {
    mlir::Value step = c.iota(*size, i);
    step = c.binary<MulOp>(
        step, c.scalar(i64, (*stride)[i], static_cast<int64_t>(size->size())));
    s.places = c.binary<AddOp>(s.places, step);
  }
  return s.flat && s.places ? std::optional(s) : std::nullopt;
}

static mlir::Value asStrided(Call &c) {
  auto s = strided(c);
  return s ? c.make<GatherOp>(s->flat, s->places, uint64_t(0), /*nonneg=*/true)
           : mlir::Value();
}
static mlir::Value asStridedScatter(Call &c) {
  auto s = strided(c);
  mlir::Value source = c.tensor("src");
  if (!s || !source)
    return {};
  if (!c.argument("self").tensor()->canBeViewedAs(c.shape(s->flat)))
    return c.fail() << "strides of a view, whose storage the graph does not "
                       "have",
           mlir::Value();
  int64_t count = extentProduct(s->size);
  source = c.broadcastTo(c.cast(source, c.element(s->flat)), s->size);
  mlir::Value places = c.reshape(s->places, {count, 1}),
              values = c.reshape(source, {count});
  if (!places || !values)
    return {};
  return c.reshape(c.make<ScatterNdOp>(s->flat, places, values,
                                       ScatterKind::None, /*nonneg=*/true),
                   c.shape(c.tensor()));
}

void graven::aten::addRearranging(Table &t) {
  t.add("diagonal diagonal_copy linalg_diagonal", diagonal);
  t.add("diagonal_scatter", diagonalScatter);
  t.add("diag_embed", diagEmbed);
  t.add("diag", diag);
  t.add("diagflat", diagflat);
  t.addWide("trace", trace);
  t.add("block_diag", blockDiag);
  t.add("_chunk_cat", chunkCat);
  t.add("rot90", rot90);
  t.addWide("sum_to_size", sumToSize);
  t.add("combinations", combinations);
  t.add("cartesian_prod", cartesianProd);
  t.addWide("linalg_vander", vander);
  t.add("as_strided as_strided_copy", asStrided);
  t.add("as_strided_scatter", asStridedScatter);
}
