//===- Heads.h - heads of attention ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the attentions of ai.onnx and com.microsoft have in
// common.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_HEADS_H
#define FRONTENDS_ONNX_OPS_HEADS_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// [B, S, H * E] to [B, H, S, E]; rank 4 stays.
mlir::Value splitHeads(NodeBuilder &n, mlir::Value x, int64_t heads);
/// [B, H, S, E] to [B, S, H * E].
mlir::Value joinHeads(NodeBuilder &n, mlir::Value x);

struct Rotation {
  /// [b, s, e] with e at least half of `turned`; b is 1 or the batch.
  mlir::Value cosines, sines;
  /// How many elements of a head are turned: 0 for all.
  int64_t turned;
  bool isInterleaved;
};
/// x [B, H, S, E], each pair of elements turned by the angle of its place.
mlir::Value rotate(NodeBuilder &n, mlir::Value x, Rotation rotation);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_HEADS_H
