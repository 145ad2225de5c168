//===- Window.h - strides, dilations and pads -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the reading of the attributes that convolutions and pools
// share.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_WINDOW_H
#define FRONTENDS_ONNX_OPS_WINDOW_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// One entry a spatial axis; pads two: all low ends, then all high ends.
struct WindowSpec {
  IntList strides, dilations, pads;
};

/// Reads and checks strides, dilations, pads and auto_pad for a kernel of these
/// extents over x [N, C, D..]; nullopt after an error.
std::optional<WindowSpec> readWindow(NodeBuilder &n, mlir::Value x,
                                     llvm::ArrayRef<int64_t> kernel,
                                     bool resolveAutoPad = true);

/// As above, for the kernel of `weights` [.., .., K..].
std::optional<WindowSpec> readWindow(NodeBuilder &n, mlir::Value x,
                                     mlir::Value weights,
                                     bool resolveAutoPad = true);

/// Of each window the number, in the whole tensor x, of its first greatest
/// element, as MaxPool gives it.
mlir::Value maxPoolIndices(NodeBuilder &n, mlir::Value x,
                           llvm::ArrayRef<int64_t> kernel,
                           const WindowSpec &window, mlir::Value pooled);

/// An AveragePool of x by the node's attributes; null after an error.
mlir::Value averagePool(NodeBuilder &n, mlir::Value x);

/// A Conv of the node's inputs and attributes; null after an error.
mlir::Value convolve(NodeBuilder &n);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_WINDOW_H
