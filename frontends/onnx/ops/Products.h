//===- Products.h - products of matrices ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the products of ai.onnx and com.microsoft have in
// common.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_PRODUCTS_H
#define FRONTENDS_ONNX_OPS_PRODUCTS_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// x times a number.
mlir::Value scaled(NodeBuilder &n, mlir::Value x, double factor);
/// A Gemm of the node's inputs and attributes; null after an error.
mlir::Value multiplyAdd(NodeBuilder &n);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_PRODUCTS_H
