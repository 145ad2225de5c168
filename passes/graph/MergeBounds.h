//===- MergeBounds.h - clamps of clamps -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the patterns of SimplifyArithmetic that bound numbers.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_MERGEBOUNDS_H
#define PASSES_GRAPH_MERGEBOUNDS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

void populateMergeBoundsPatterns(mlir::RewritePatternSet &patterns,
                                 mlir::Pass::Statistic *count);

} // namespace graven

#endif // PASSES_GRAPH_MERGEBOUNDS_H
