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
        transposed(op.getTransposed()), vector(e.vectorOf(this->out.element)),
        lanes(vector.getNumElements()), k(this->out.shape[2]),
        width(this->out.shape[3]), panels(this->out.shape[1]),
        n(this->x.shape[transposed ? 1 : 2]) {}

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
  int64_t lanes, k, width, panels, n;
};

} // namespace

int64_t taskCount(kernel::PackOp op) {
  return op.getOutType().getDimSize(0) * op.getOutType().getDimSize(1);
}

LogicalResult expandPack(Emitter &e, kernel::PackOp op, Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), out = e.buffer(op.getOut());
  if (failed(x) || failed(out))
    return failure();
  if (x->strides[2] != 1 || out->strides[3] != 1)
    return op.emitOpError(
        "expects an input and output with a contiguous last axis");
  if (out->shape[3] % e.lanesOf(out->element) != 0)
    return op.emitOpError("expects panels of a multiple of ")
           << e.lanesOf(out->element) << " columns, got " << out->shape[3];
  PackExpansion(e, op, *x, *out).run(lo, hi);
  return success();
}

} // namespace graven::expand
