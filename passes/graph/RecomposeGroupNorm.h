//===- RecomposeGroupNorm.h - group norms that are spelled out --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the patterns of RecomposeOps for group norms.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_RECOMPOSEGROUPNORM_H
#define PASSES_GRAPH_RECOMPOSEGROUPNORM_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

/// A norm of groups that a reshape lays out as rows is `graven.group_norm`,
/// with the scale and bias of the channels behind it.
void populateRecomposeGroupNormPatterns(mlir::RewritePatternSet &patterns,
                                        mlir::Pass::Statistic *count);

} // namespace graven

#endif // PASSES_GRAPH_RECOMPOSEGROUPNORM_H
