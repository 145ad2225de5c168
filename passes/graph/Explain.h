//===- Explain.h - why a pass did what it did -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how passes explain their decisions, which is: as MLIR's
// optimization remarks, whose category is the flag of the pass. Nobody listens
// unless asked to (`--explain`); else nothing is computed.

#ifndef PASSES_GRAPH_EXPLAIN_H
#define PASSES_GRAPH_EXPLAIN_H

#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace graven {

class SettledGraphs;

/// The arguments of these remarks. What a pattern did, or did not, names the
/// pattern; analysis remarks name those of the pass, also ones that find no
/// candidate. What was not done without a reason has no `kWhy`.
inline constexpr llvm::StringLiteral kExplainedOp = "Op";
inline constexpr llvm::StringLiteral kExplainedPattern = "Pattern";
inline constexpr llvm::StringLiteral kExplainedWhy = "Why";

/// The name of a pattern's class as its pass is explained by it, from the name
/// that C++ gives it: without namespaces and anonymous ones.
std::string titleOfPattern(llvm::StringRef debugName);

/// Says that `pass` did something to a Node, or why it did not; `text` is only
/// called when somebody listens.
void explainDone(mlir::Pass &pass, mlir::Operation *op,
                 llvm::function_ref<std::string()> text);
void explainNotDone(mlir::Pass &pass, mlir::Operation *op,
                    llvm::function_ref<std::string()> text);

/// Says that a pattern of `pass` rewrote a Node, for patterns whose driver does
/// not know their names.
void explainRewrite(mlir::Pass &pass, mlir::Operation *op,
                    llvm::StringRef pattern);

/// applyPatternsGreedily, whose patterns say which Nodes they rewrote, and of
/// those they did not, the reason they gave (notifyMatchFailure), once. Where
/// `known` has it that the graph was canonicalized, Nodes that have no pattern
/// and are beside none that is rewritten are not folded again. What does not
/// come to an end within the limit of `config` is right all the same.
void applyPatternsExplained(
    mlir::Pass &pass, mlir::Operation *root, mlir::RewritePatternSet &&patterns,
    mlir::GreedyRewriteConfig config = {},
    std::optional<std::reference_wrapper<SettledGraphs>> known = std::nullopt);

/// The same for these Nodes, and for none that the patterns make.
llvm::LogicalResult
applyPatternsExplained(mlir::Pass &pass,
                       llvm::ArrayRef<mlir::Operation *> nodes,
                       mlir::RewritePatternSet &&patterns);

/// The same for canonicalizations: of patterns that did nothing, those are told
/// of that gave a reason, and what a folder replaced is said of "fold".
llvm::LogicalResult
canonicalizeExplained(mlir::Pass &pass, mlir::Operation *root,
                      const mlir::FrozenRewritePatternSet &patterns,
                      mlir::GreedyRewriteConfig config);

/// For mlir::ConversionConfig: says the same of the patterns of a conversion;
/// null where nobody listens.
std::unique_ptr<mlir::RewriterBase::Listener>
explainConversion(mlir::Pass &pass, mlir::Operation *root);

/// applyPatternsExplained for all Nodes of these types within `root`.
template <class... OpTys>
llvm::LogicalResult rewriteOnly(mlir::Pass &pass, mlir::Operation *root,
                                mlir::RewritePatternSet &&patterns) {
  llvm::SmallVector<mlir::Operation *> nodes;
  root->walk([&](mlir::Operation *node) {
    if (mlir::isa<OpTys...>(node))
      nodes.push_back(node);
  });
  return applyPatternsExplained(pass, nodes, std::move(patterns));
}

} // namespace graven

#endif // PASSES_GRAPH_EXPLAIN_H
