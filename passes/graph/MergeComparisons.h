//===- MergeComparisons.h - comparisons of one Value -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the patterns of SimplifyConditions on ints.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_MERGECOMPARISONS_H
#define PASSES_GRAPH_MERGECOMPARISONS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

void populateMergeComparisonsPatterns(mlir::RewritePatternSet &patterns,
                                      mlir::Pass::Statistic *count);

} // namespace graven

#endif // PASSES_GRAPH_MERGECOMPARISONS_H
