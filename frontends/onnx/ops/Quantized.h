//===- Quantized.h - codes with scales and zero points --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the quantized ops of ai.onnx and com.microsoft have
// in common.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_QUANTIZED_H
#define FRONTENDS_ONNX_OPS_QUANTIZED_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// x - zero point in i32, exactly; x alone for a null zero point.
mlir::Value centred(NodeBuilder &n, mlir::Value x, mlir::Value zero);

/// The exact product, in i32, of two tensors of rank 2 or more, each less its
/// zero point: one, or one for each row of a and each column of b.
mlir::Value exactProduct(NodeBuilder &n, mlir::Value a, mlir::Value aZero,
                         mlir::Value b, mlir::Value bZero);

/// x as ui8 by a scale that lets its range and zero fit.
struct DynamicCodes {
  mlir::Value codes, scale, zero;
};
DynamicCodes quantizeDynamically(NodeBuilder &n, mlir::Value x);

/// What the codes of input `x` stand for, in f32, with the inputs that are
/// their scale and zero point; both are those of the whole tensor.
mlir::Value decoded(NodeBuilder &n, size_t x, size_t scale, size_t zero);

/// The value as codes of the scale and the zero point that are those inputs.
mlir::Value encoded(NodeBuilder &n, mlir::Value value, size_t scale,
                    size_t zero);

/// [N, D.., C] as [N, C, D..], and back.
mlir::Value channelsFirst(NodeBuilder &n, mlir::Value x);
mlir::Value channelsLast(NodeBuilder &n, mlir::Value x);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_QUANTIZED_H
