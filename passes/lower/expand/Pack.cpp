//===- Pack.cpp - expansion of kernel.pack ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the packing of a run-time matrix into
// panels: rows of vectors, or square transposes in registers.

#include "passes/lower/expand/Expand.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

class PackExpansion {
public:
  PackExpansion(Emitter &e, kernel::PackOp op, Buffer x, Buffer out)
      : e(e), x(std::move(x)), out(std::move(out)),
        transposed(op.getTransposed()),
        vector(VectorType::get(e.computeVectorOf(this->x.element).getShape(),
                               this->x.element)),
        lanes(vector.getNumElements()), k(this->x.shape[transposed ? 2 : 1]),
        width(this->out.shape[3]), panels(this->out.shape[1]),
        n(this->x.shape[transposed ? 1 : 2]), pair(op.isPaired() ? 2 : 1) {}

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {out.shape[0], panels}, [&](ArrayRef<Idx> task) {
      Idx panel = panels == 1 ? Idx(int64_t(0)) : task[1];
      e.ifEqual(
          panel, panels - 1,
          [&] { copy(task[0], panel, n - (panels - 1) * width); },
          [&] { copy(task[0], panel, width); });
    });
  }

private:
  /// One panel with `columns` columns that exist; zeros after them.
  void copy(Idx batch, Idx panel, int64_t columns) {
    if (!transposed && pair == 2) {
      e.loop(Idx(int64_t(0)), Idx(k / 2), 1, [&](Idx word) {
        rowPair(batch, panel, e.mul(word, 2), word, columns, true);
      });
      if (k % 2 != 0)
        rowPair(batch, panel, Idx(k - 1), Idx(k / 2), columns, false);
      return;
    }
    if (!transposed) {
      e.loop(Idx(int64_t(0)), Idx(k), 1, [&](Idx row) {
        Idx from = e.at(x, {batch, row, e.mul(panel, width)});
        Idx to = e.at(out, {batch, panel, row, Idx(int64_t(0))});
        for (int64_t j = 0; j < width; j += lanes)
          e.storeVector(loadOrZero(e.add(from, Idx(j)), columns - j), out,
                        e.add(to, Idx(j)), lanes);
      });
      return;
    }
    int64_t whole = k / lanes * lanes;
    e.loop(Idx(int64_t(0)), Idx(whole), lanes,
           [&](Idx row) { square(batch, panel, row, columns, lanes); });
    if (whole < k)
      square(batch, panel, Idx(whole), columns, k - whole);
  }

  /// Row `row` and, where there is one, that behind it, as word `word`.
  void rowPair(Idx batch, Idx panel, Idx row, Idx word, int64_t columns,
               bool both) {
    Idx first = e.at(x, {batch, row, e.mul(panel, width)}),
        second = e.add(first, Idx(x.strides[1]));
    for (int64_t j = 0; j < width; j += lanes) {
      Value even = loadOrZero(e.add(first, Idx(j)), columns - j),
            odd = loadOrZero(e.add(second, Idx(j)), both ? columns - j : 0);
      storePair(even, odd, batch, panel, word, j);
    }
  }

  void storePair(Value even, Value odd, Idx batch, Idx panel, Idx word,
                 int64_t column) {
    e.storeVector(e.interleave(even, odd), out,
                  e.at(out, {batch, panel, word, Idx(column), Idx(int64_t(0))}),
                  2 * lanes);
  }

  /// `count` steps of k, at most as many as lanes, of a transposed panel.
  void square(Idx batch, Idx panel, Idx row, int64_t columns, int64_t count) {
    for (int64_t j = 0; j < width; j += lanes) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < lanes; ++i) {
        Idx from =
            e.at(x, {batch, e.add(e.mul(panel, width), Idx(j + i)), row});
        rows.push_back(loadOrZero(from, j + i < columns ? count : 0));
      }
      rows = e.transpose(std::move(rows));
      if (pair == 2) {
        // A square begins at an even step; an odd one behind the last is 0.
        Idx word = e.divRem(row, 2).first;
        for (int64_t i = 0; i < count; i += 2)
          storePair(rows[i], i + 1 < count ? rows[i + 1] : e.splat(vector, 0.0),
                    batch, panel, e.add(word, Idx(i / 2)), j);
        continue;
      }
      for (int64_t i = 0; i < count; ++i)
        e.storeVector(rows[i], out,
                      e.at(out, {batch, panel, e.add(row, Idx(i)), Idx(j)}),
                      lanes);
    }
  }

  Value loadOrZero(Idx index, int64_t valid) {
    if (valid <= 0)
      return e.splat(vector, 0.0);
    return e.loadVector(x, index, vector, valid);
  }

  Emitter &e;
  Buffer x, out;
  bool transposed;
  VectorType vector;
  int64_t lanes, k, width, panels, n, pair;
};

} // namespace

int64_t taskCount(kernel::PackOp op) {
  return op.getOutType().getDimSize(0) * op.getOutType().getDimSize(1);
}

LogicalResult expandPack(Emitter &e, kernel::PackOp op, Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), out = e.buffer(op.getOut());
  if (failed(x) || failed(out))
    return failure();
  if (x->strides[2] != 1 || out->strides.back() != 1)
    return op.emitOpError(
        "expects an input and output with a contiguous last axis");
  int64_t lanes = e.computeVectorOf(x->element).getNumElements();
  if (out->shape[3] % lanes != 0)
    return op.emitOpError("expects panels of a multiple of ")
           << lanes << " columns, got " << out->shape[3];
  PackExpansion(e, op, *x, *out).run(lo, hi);
  return success();
}

} // namespace graven::expand
