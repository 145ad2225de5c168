//===- Trace.h - what the Nodes of a Graph give -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the values of a Graph's Nodes in one run, and their
// comparison with those of another Graph of the same model: one on which passes
// have worked, or that another runtime has run.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_TRACE_H
#define GRAVEN_PASSES_VERIFY_TRACE_H

#include "passes/verify/Comparison.h"

namespace graven {

/// A result of a Node.
struct NodeValue {
  /// The place in the model that the value comes from (`placeKey`).
  std::string key;
  /// "conv" of `graven.conv`.
  std::string kind;
  mlir::Location loc;
  eval::Tensor value;
  /// The places in the list of the values that are computed from it next, and
  /// whether something outside of the list may see it.
  llvm::SmallVector<size_t> readers = {};
  bool isSeen = true;
};

/// What tells a place in the source from others, of several that were fused
/// that of the last: its value is the value of what they became. Empty for a
/// place that says nothing.
std::string placeKey(mlir::Location loc);

/// Whether the results of the Node are of interest: Parameters and constants
/// are as they are.
bool isTraced(mlir::Operation *node);

/// A run of the Graph in the evaluator.
struct Trace {
  llvm::SmallVector<eval::Tensor> outputs;
  /// The Nodes of the Graph's own Block, in order.
  std::vector<NodeValue> nodes;
};

/// The results of the Nodes of the Graph's own Block, in order.
llvm::SmallVector<mlir::OpResult> tracedValues(GraphOp graph);

/// Makes these values outputs, too, behind the Graph's own.
void addOutputs(GraphOp graph, llvm::ArrayRef<mlir::OpResult> values);

/// What is known of these values of one Block before a run. Outputs are seen.
std::vector<NodeValue> describeValues(llvm::ArrayRef<mlir::OpResult> values);

/// Errors are reported.
mlir::FailureOr<Trace> traceGraph(GraphOp graph,
                                  llvm::ArrayRef<eval::Tensor> inputs);

/// The tensor in the form of its counterpart, which has another layout where a
/// pass chose one: channels in blocks. Nothing where shape or type differ
/// otherwise.
std::optional<eval::Tensor> inFormOf(const eval::Tensor &expected,
                                     const eval::Tensor &got);

/// A value and its counterpart.
struct NodeComparison {
  const NodeValue *expected, *got;
  Errors errors;

  bool isWithin(std::optional<double> tolerance) const {
    return errors.relative() <=
           tolerance.value_or(usualTolerance(expected->value.getElementType()));
  }
};

/// Compares the values in the order of `got` with those of the same place. Of
/// several of one place and type, the nearest counts: an operation of a model
/// may be several Nodes. What has no counterpart is left out.
std::vector<NodeComparison> compareTraces(llvm::ArrayRef<NodeValue> expected,
                                          llvm::ArrayRef<NodeValue> got);

/// The first Node with another value of which a difference goes on to what is
/// seen: passes also make values that others make up for, such as a product
/// without the scale that its reader has now. Null where there is none.
const NodeComparison *
firstDivergence(llvm::ArrayRef<NodeValue> got,
                llvm::ArrayRef<NodeComparison> comparisons,
                std::optional<double> tolerance);

/// Compares outputs by position; the text is how the first that is not within
/// the tolerance differs, as the end of a sentence.
std::optional<std::string>
outputDifference(llvm::ArrayRef<eval::Tensor> expected,
                 llvm::ArrayRef<eval::Tensor> got,
                 std::optional<double> tolerance);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_TRACE_H
