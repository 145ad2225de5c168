//===- Bisect.cpp - the step that makes a result wrong ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search. Tries of patterns are many and most match
// nothing, so a module that is as one that was evaluated already is not
// evaluated again.
//===----------------------------------------------------------------------===//

#include "passes/verify/Bisect.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace graven {

FailureOr<int64_t> firstWrong(int64_t right, int64_t wrong, Probe probe) {
  while (wrong - right > 1) {
    int64_t middle = right + (wrong - right) / 2;
    FailureOr<bool> isRight = probe(middle);
    if (failed(isRight))
      return failure();
    (*isRight ? right : wrong) = middle;
  }
  return wrong;
}

GraphBisection::Attempt GraphBisection::attempt(StepCounter &counter) {
  Attempt made;
  made.module = module.clone();
  MLIRContext *context = module.getContext();
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
        made.problem.empty())
      made.problem = diagnostic.str();
    return success();
  });
  PassManager manager(context);
  build(manager);
  StepCounter::Scope scope(&counter, context);
  if (succeeded(manager.run(*made.module)))
    made.problem.clear();
  else if (made.problem.empty())
    made.problem = "a pass fails";
  return made;
}

std::optional<std::string>
GraphBisection::differenceOf(const Attempt &attempt) {
  if (!attempt.problem.empty())
    return attempt.problem;
  ++probes;
  std::string problem;
  ScopedDiagnosticHandler quiet(module.getContext(), [&](Diagnostic &why) {
    problem = why.str();
    return success();
  });
  eval::Evaluator evaluator;
  ModuleOp changed = *attempt.module;
  auto outputs = evaluator.run(changed.lookupSymbol<GraphOp>(graph), inputs);
  if (failed(outputs))
    return "it can no longer be evaluated: " + problem;
  return outputDifference(expected, *outputs, tolerance);
}

std::optional<std::pair<std::string, Location>>
GraphBisection::divergingNode(int64_t limit) {
  ScopedDiagnosticHandler quiet(module.getContext(),
                                [](Diagnostic &) { return success(); });
  std::array<Trace, 2> traces;
  for (int64_t i : {0, 1}) {
    StepCounter counter(limit - 1 + i);
    Attempt made = attempt(counter);
    if (!made.problem.empty())
      return std::nullopt;
    ModuleOp changed = *made.module;
    auto trace = traceGraph(changed.lookupSymbol<GraphOp>(graph), inputs);
    if (failed(trace))
      return std::nullopt;
    traces[i] = std::move(*trace);
  }
  auto comparisons = compareTraces(traces[0].nodes, traces[1].nodes);
  if (const NodeComparison *node =
          firstDivergence(traces[1].nodes, comparisons, tolerance))
    return std::pair(node->got->kind, node->got->loc);
  return std::nullopt;
}

FailureOr<std::optional<Culprit>> GraphBisection::run(Progress progress) {
  eval::Evaluator evaluator;
  auto outputs = evaluator.run(module.lookupSymbol<GraphOp>(graph), inputs);
  if (failed(outputs))
    return failure();
  expected = std::move(*outputs);
  StepCounter whole;
  Attempt last = attempt(whole);
  std::optional<std::string> difference = differenceOf(last);
  if (!difference)
    return std::optional<Culprit>();
  // Of the nearest results on either side.
  std::optional<OperationFingerPrint> right, wrong;
  if (last.problem.empty())
    wrong.emplace(*last.module);
  auto probe = [&](int64_t limit) -> FailureOr<bool> {
    StepCounter counter(limit);
    Attempt made = attempt(counter);
    std::optional<OperationFingerPrint> print;
    if (made.problem.empty()) {
      print.emplace(*made.module);
      if (right && *right == *print)
        return true;
      if (wrong && *wrong == *print)
        return false;
    }
    std::optional<std::string> found = differenceOf(made);
    bool isRight = !found;
    if (progress)
      progress(limit, isRight);
    if (found)
      difference = std::move(found);
    (isRight ? right : wrong) = std::move(print);
    return isRight;
  };
  FailureOr<int64_t> number = firstWrong(0, whole.count(), probe);
  if (failed(number))
    return failure();
  StepCounter counter(*number);
  Attempt made = attempt(counter);
  return std::optional(Culprit{*counter.last(), whole.count(), probes,
                               *difference, divergingNode(*number)});
}

} // namespace graven
