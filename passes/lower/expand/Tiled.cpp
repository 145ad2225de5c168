//===- Tiled.cpp - tiles of nests that transpose ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk of a parallel nest in square tiles: as many
// rows as a vector has lanes, so that an operand that is contiguous down the
// tile is transposed in registers.

#include "passes/lower/expand/Tiled.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {

/// Iterations that are worth handing to another thread.
static constexpr int64_t kTaskIterations = 16384;

std::optional<TiledNest> TiledNest::create(ArrayRef<int64_t> extents,
                                           ArrayRef<Strides> operands,
                                           int64_t elementBytes) {
  SmallVector<Loop> loops;
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (extent != 1)
      loops.push_back({extent, {unsigned(dim)}});
  if (operands.empty() || llvm::is_contained(extents, 0))
    return std::nullopt;
  SmallVector<bool> pinned(extents.size(), false);
  loops = LoopNest::inOrder(std::move(loops), operands, pinned);
  if (loops.size() < 2 || loops.back().strideOf(operands.back()) != 1)
    return std::nullopt;
  TiledNest nest;
  nest.across = loops.pop_back_val();
  nest.operands.assign(operands.begin(), operands.end());
  std::optional<size_t> down;
  for (const Strides &strides : operands) {
    if (nest.across.strideOf(strides) <= 1)
      continue;
    // Contiguous along one of the other loops, the same for all.
    const Loop *found = llvm::find_if(
        loops, [&](const Loop &loop) { return loop.strideOf(strides) == 1; });
    size_t index = found - loops.begin();
    if (found == loops.end() || (down && *down != index))
      return std::nullopt;
    down = index;
  }
  if (!down)
    return std::nullopt;
  nest.down = loops[*down];
  loops.erase(loops.begin() + *down);
  // Few elements either way leave most lanes empty.
  if (nest.down.extent < 4 || nest.across.extent < 4)
    return std::nullopt;
  nest.around = std::move(loops);
  nest.line = std::max<int64_t>(1, 64 / elementBytes);
  nest.units = llvm::divideCeilSigned(nest.down.extent, nest.line);
  for (const Loop &loop : nest.around)
    nest.units *= loop.extent;
  int64_t perUnit = nest.across.extent * nest.line;
  nest.unitsPerTask = std::min(
      nest.units,
      std::max<int64_t>(1, llvm::divideCeilSigned(kTaskIterations, perUnit)));
  nest.tasks = llvm::divideCeilSigned(nest.units, nest.unitsPerTask);
  return nest;
}

void TiledNest::run(Emitter &e, Value lo, Value hi, const Walk &walk) const {
  int64_t lanes = e.lanesOf(walk.buffers.back().element);
  SmallVector<int64_t> extents;
  for (const Loop &loop : around)
    extents.push_back(loop.extent);
  int64_t strips = llvm::divideCeilSigned(down.extent, line);
  extents.push_back(strips);
  // The rows [first, first + count) of a unit, in tiles of `lanes`.
  auto rowsOf = [&](ArrayRef<Idx> bases, Idx first, int64_t count) {
    auto columnsAt = [&](Idx across, int64_t columns) {
      for (int64_t row = 0; row < count; row += lanes)
        tile(e, walk, bases, e.add(first, Idx(row)),
             std::min(lanes, count - row), across, columns);
    };
    int64_t whole = across.extent / lanes * lanes;
    e.loop(Idx(int64_t(0)), Idx(whole), lanes,
           [&](Idx column) { columnsAt(column, lanes); });
    if (whole < across.extent)
      columnsAt(Idx(whole), across.extent - whole);
  };
  e.tasks(lo, hi, {tasks}, [&](ArrayRef<Idx> task) {
    Idx first = e.mul(task[0], unitsPerTask);
    Idx last = e.min(e.add(first, Idx(unitsPerTask)), Idx(units));
    e.loop(first, last, 1, [&](Idx unit) {
      SmallVector<Idx> place = e.delinearize(unit, extents);
      Idx strip = place.pop_back_val();
      SmallVector<Idx> bases;
      for (auto [strides, offset] : llvm::zip_equal(operands, walk.offsets)) {
        Idx base(offset);
        for (auto [loop, iv] : llvm::zip_equal(around, place))
          base = e.add(base, e.mul(iv, loop.strideOf(strides)));
        bases.push_back(base);
      }
      int64_t tail = down.extent - (strips - 1) * line;
      Idx start = e.mul(strip, line);
      if (tail == line)
        return rowsOf(bases, start, line);
      e.ifEqual(
          strip, strips - 1, [&] { rowsOf(bases, start, tail); },
          [&] { rowsOf(bases, start, line); });
    });
  });
}

void TiledNest::tile(Emitter &e, const Walk &walk, ArrayRef<Idx> bases, Idx row,
                     int64_t rows, Idx column, int64_t columns) const {
  int64_t lanes = e.lanesOf(walk.buffers.back().element);
  size_t inputs = operands.size() - 1;
  SmallVector<SmallVector<Value>> vectors(inputs);
  auto at = [&](size_t operand, Idx y, Idx x) {
    return e.add(bases[operand],
                 e.add(e.mul(y, down.strideOf(operands[operand])),
                       e.mul(x, across.strideOf(operands[operand]))));
  };
  for (size_t input = 0; input < inputs; ++input) {
    const Buffer &buffer = walk.buffers[input];
    auto type = VectorType::get({lanes}, buffer.element);
    int64_t stride = across.strideOf(operands[input]);
    SmallVector<Value> &list = vectors[input];
    if (stride > 1) {
      for (int64_t x = 0; x < lanes; ++x)
        list.push_back(e.loadVector(
            buffer,
            at(input, row, e.add(column, Idx(std::min(x, columns - 1)))), type,
            x < columns ? rows : 0));
      list = e.transpose(std::move(list));
      continue;
    }
    for (int64_t y = 0; y < rows; ++y) {
      Idx from = at(input, e.add(row, Idx(y)), column);
      list.push_back(stride == 1 ? e.loadVector(buffer, from, type, columns)
                                 : e.loadSplat(buffer, from, type));
    }
  }
  for (int64_t y = 0; y < rows; ++y) {
    SmallVector<Value> arguments;
    for (const SmallVector<Value> &list : vectors)
      arguments.push_back(list[y]);
    e.storeVector(walk.body(arguments), walk.buffers.back(),
                  at(inputs, e.add(row, Idx(y)), column), columns);
  }
}

} // namespace graven::expand
