//===- RecomposeAttention.h - attention that is spelled out -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the pattern of RecomposeOps for attention.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_RECOMPOSEATTENTION_H
#define PASSES_GRAPH_RECOMPOSEATTENTION_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

/// softmax(scale q k^T + mask) v is `graven.attention`.
void populateRecomposeAttentionPatterns(mlir::RewritePatternSet &patterns,
                                        mlir::Pass::Statistic *count);

} // namespace graven

#endif // PASSES_GRAPH_RECOMPOSEATTENTION_H
