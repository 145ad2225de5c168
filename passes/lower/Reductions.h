//===- Reductions.h - what reductions combine by --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the operations of reductions and scans on scalars.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_REDUCTIONS_H
#define PASSES_LOWER_REDUCTIONS_H

#include "dialects/graven/Graven.h"

namespace graven {

/// The value with which a reduction of the Node's element type begins.
mlir::TypedAttr identityOf(ReduceKind kind, mlir::Type nodeElement,
                           mlir::Type accumulator);

/// x and y, of the accumulator's type, combined. The Node's element type says
/// whether ints are signed.
mlir::Value combine(mlir::OpBuilder &b, mlir::Location loc, ReduceKind kind,
                    mlir::Type nodeElement, mlir::Value x, mlir::Value y);

/// f16 and bf16 accumulate in f32.
mlir::Type accumulatorOf(mlir::Type element);

struct ScanOptions {
  bool exclusive = false, reverse = false;
};
/// x, which is not empty, combined along an axis up to each place.
mlir::Value scan(mlir::OpBuilder &b, mlir::Location loc, ReduceKind kind,
                 mlir::Type nodeElement, mlir::Value x, int64_t axis,
                 ScanOptions options = {});

} // namespace graven

#endif // PASSES_LOWER_REDUCTIONS_H
