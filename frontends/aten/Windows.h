//===- Windows.h - sliding windows tap by tap ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what pools share: the windows of one axis as a list, and
// where the maxima of windows lie.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_WINDOWS_H
#define FRONTENDS_ATEN_WINDOWS_H

#include "frontends/aten/Call.h"

namespace graven::aten {

/// The number of spatial axes in an operator's name: 1, 2 or 3.
int64_t spatialAxes(Call &c);

/// The products of the vectors along an axis of x with a matrix [extent, size],
/// whose element type is that of x in the end.
mlir::Value timesAlongAxis(Call &c, mlir::Value x, int64_t axis, int64_t size,
                           llvm::ArrayRef<double> matrix);

/// The windows of one axis, each a start and a number of taps that lie inside.
struct AxisWindows {
  int64_t extent = 0; ///< of the axis
  int64_t count = 0;  ///< of windows
  int64_t width = 0;  ///< the most taps of a window
  int64_t dilation = 1;
  Shape starts, widths;

  int64_t first(int64_t window) const { return starts[window]; }
  int64_t taps(int64_t window) const { return widths[window]; }
};

/// For windows over the last axes of x, the flat place in these axes of each
/// window's first maximum, NaN being the greatest: i64 [.., counts]. Null,
/// without a message, when the windows have more than 2^19 elements.
mlir::Value placesOfMaxima(Call &c, mlir::Value x,
                           llvm::ArrayRef<AxisWindows> axes);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_WINDOWS_H
