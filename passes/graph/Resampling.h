//===- Resampling.h - resize to computed extents --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares resize along an axis whose extents are Values, which the
// Node itself has as numbers.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_RESAMPLING_H
#define PASSES_GRAPH_RESAMPLING_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/Builders.h"

namespace graven {

/// `x`, resampled as `node` does it along entry `n` of its axes, to `out`
/// elements, a scalar i64: what the taps of each place read, times their
/// weights. Null where the Node has scales, or taps of another kind than linear
/// and nearest ones.
mlir::Value resampled(mlir::OpBuilder &b, ResizeOp node, mlir::Value x,
                      size_t n, mlir::Value out);

} // namespace graven

#endif // PASSES_GRAPH_RESAMPLING_H
