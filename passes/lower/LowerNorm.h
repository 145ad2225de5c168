//===- LowerNorm.h - softmax for other lowerings --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the softmax that attention is composed of.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_LOWERNORM_H
#define PASSES_LOWER_LOWERNORM_H

#include "mlir/IR/Builders.h"

namespace graven {

enum class SoftmaxForm { Plain, Log };

/// Softmax over the last axis of an f32 or f64 tensor.
mlir::Value emitSoftmax(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value x, SoftmaxForm form);

} // namespace graven

#endif // PASSES_LOWER_LOWERNORM_H
