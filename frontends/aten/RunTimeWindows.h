//===- RunTimeWindows.h - windows where data say ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what slice, narrow and split build when a bound of theirs
// is a number that only running tells.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_RUNTIMEWINDOWS_H
#define FRONTENDS_ATEN_RUNTIMEWINDOWS_H

#include "frontends/aten/Table.h"

namespace graven::aten {

/// x[start:end:step] along an axis, the bounds the arguments of that name.
mlir::Value sliceAtRunTime(Call &c, mlir::Value x, int64_t axis, int64_t step);

/// x.narrow(axis, start, length). What leaves the axis is cut off, where
/// PyTorch raises.
mlir::Value narrowAtRunTime(Call &c, mlir::Value x, int64_t axis);

/// Whether one of the sizes is only known at run time.
bool hasOpenSize(Call &c, llvm::ArrayRef<Value> sizes);

/// Gives parts of x, one behind the other, some of them as long as only running
/// tells. What leaves the axis is cut off, where PyTorch raises.
void giveSizesAtRunTime(Call &c, mlir::Value x, int64_t axis,
                        llvm::ArrayRef<Value> sizes);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_RUNTIMEWINDOWS_H
