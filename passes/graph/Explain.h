//===- Explain.h - why a pass did what it did -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how passes explain their decisions, which is: as MLIR's
// optimization remarks, whose category is the flag of the pass. Nobody listens
// unless asked to (`--explain`), and then nothing is computed.

#ifndef PASSES_GRAPH_EXPLAIN_H
#define PASSES_GRAPH_EXPLAIN_H

#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace graven {

/// Says that `pass` did something to a Node, or why it did not; `text` is only
/// called when somebody listens.
void explainDone(mlir::Pass &pass, mlir::Operation *op,
                 llvm::function_ref<std::string()> text);
void explainNotDone(mlir::Pass &pass, mlir::Operation *op,
                    llvm::function_ref<std::string()> text);

/// applyPatternsGreedily, whose patterns say which Nodes they rewrote, and of
/// those they did not, the reason they gave (notifyMatchFailure), once.
llvm::LogicalResult
applyPatternsExplained(mlir::Pass &pass, mlir::Operation *root,
                       mlir::RewritePatternSet &&patterns,
                       mlir::GreedyRewriteConfig config = {});

} // namespace graven

#endif // PASSES_GRAPH_EXPLAIN_H
