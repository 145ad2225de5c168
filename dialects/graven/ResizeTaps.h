//===- ResizeTaps.h - which elements a resampled one reads ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the taps of resize. They depend on extents and attributes
// only, so the evaluator and every backend work from the same table.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_RESIZETAPS_H
#define DIALECTS_GRAVEN_RESIZETAPS_H

#include <cstdint>
#include <vector>

namespace graven {
class ResizeOp;

/// For each of the output elements of one axis, `width` input positions
/// (clamped to the axis) and weights.
struct ResizeTaps {
  int64_t width = 1;
  std::vector<int32_t> positions;
  std::vector<double> weights;

  int64_t count() const { return positions.size() / width; }
};

/// The size of entry `n` for an axis of `in` elements.
int64_t resizedExtent(ResizeOp op, int64_t n, int64_t in);

/// Taps along entry `n` of the op's axes, from `in` elements to `out` (op-set
/// section 18; coordinates in f32, of f64 in f64, as torch and ONNX Runtime
/// compute them, since ties of nearest depend on it).
ResizeTaps resizeTaps(ResizeOp op, int64_t n, int64_t in, int64_t out);

} // namespace graven

#endif // DIALECTS_GRAVEN_RESIZETAPS_H
