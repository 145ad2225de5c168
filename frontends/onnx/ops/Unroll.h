//===- Unroll.h - loops of which each iteration is built ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares loops that graven.loop cannot express: they carry
// sequences, or an extent follows from the iteration.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_UNROLL_H
#define FRONTENDS_ONNX_OPS_UNROLL_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// A Loop: trip count and condition may be null.
struct LoopInputs {
  mlir::Value trip, condition;
  llvm::SmallVector<mlir::Value> carried;
  const pb::GraphProto *body;
};

/// Builds the body once for each iteration and sets the node's outputs. How
/// many there are must be known.
mlir::LogicalResult unrollLoop(NodeBuilder &n, LoopInputs loop);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_UNROLL_H
