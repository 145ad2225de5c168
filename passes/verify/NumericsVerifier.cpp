//===- NumericsVerifier.cpp - passes keep what Graphs compute ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verification of passes by evaluation, and finds the
// pattern that is to blame by running a pass again, a pattern at a time.
//===----------------------------------------------------------------------===//

#include "passes/verify/NumericsVerifier.h"

#include "dialects/support/Diagnostics.h"
#include "mlir/IR/Action.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using graven::eval::Tensor;

namespace graven {
namespace {

/// What the Graphs of a module give for the inputs that each has had since it
/// was first evaluated.
class Behaviour {
public:
  struct Sample {
    SmallVector<Tensor> inputs, outputs;
  };

  /// Chooses inputs for the Graphs that have none yet, on which they run.
  void sample(ModuleOp module);

  /// Chooses other inputs for the Graphs whose types a pass has refined.
  void refine(ModuleOp before, ModuleOp after);

  /// How a Graph of the module differs from what was sampled.
  struct Difference {
    GraphOp graph;
    std::string text;
  };
  /// What the Graphs give now goes into `seen`, up to the one that differs.
  std::optional<Difference> compare(ModuleOp module,
                                    std::optional<Tolerance> tolerance,
                                    Behaviour &seen) const;
  /// Forgets what Graphs gave.
  void clear() { samples.clear(); }

private:
  llvm::StringMap<Sample> samples;
  /// Graphs that run on none of the inputs.
  llvm::StringSet<> refused;
};

/// Outputs, without a word about what failed.
std::optional<SmallVector<Tensor>> evaluate(GraphOp graph,
                                            ArrayRef<Tensor> inputs) {
  ScopedDiagnosticHandler quiet(graph.getContext(),
                                [](Diagnostic &) { return success(); });
  eval::Evaluator evaluator;
  FailureOr<SmallVector<Tensor>> outputs = evaluator.run(graph, inputs);
  if (failed(outputs))
    return std::nullopt;
  return std::move(*outputs);
}

/// What @prepare and private Graphs give counts where others read it: passes
/// may know what those give them.
bool isCompared(GraphOp graph) {
  return graph.getSymName() != "prepare" && !graph.isPrivate();
}

void Behaviour::sample(ModuleOp module) {
  for (auto graph : module.getOps<GraphOp>()) {
    if (!isCompared(graph) || samples.contains(graph.getSymName()) ||
        refused.contains(graph.getSymName()))
      continue;
    std::mt19937 random(7);
    for (int64_t least : {1, 0}) {
      SmallVector<Tensor> inputs = randomInputs(graph, random, least);
      if (std::optional<SmallVector<Tensor>> outputs =
              evaluate(graph, inputs)) {
        samples[graph.getSymName()] = {std::move(inputs), std::move(*outputs)};
        break;
      }
    }
    if (!samples.contains(graph.getSymName())) {
      refused.insert(graph.getSymName());
      emitWarning(graph.getLoc())
          << "the evaluator cannot run graph '" << graph.getSymName()
          << "' on random inputs: it is not verified";
    }
  }
}

void Behaviour::refine(ModuleOp before, ModuleOp after) {
  for (auto graph : after.getOps<GraphOp>()) {
    auto known = samples.find(graph.getSymName());
    if (known == samples.end() ||
        llvm::equal(known->second.inputs, graph.getArgumentTypes(),
                    [](const Tensor &input, Type type) {
                      return isRefinementOf(
                          TypeRange(ArrayRef<Type>(input.getType())),
                          TypeRange(type));
                    }))
      continue;
    std::mt19937 random(7);
    SmallVector<Tensor> inputs = randomInputs(graph, random);
    auto old = before.lookupSymbol<GraphOp>(graph.getSymName());
    if (std::optional<SmallVector<Tensor>> outputs = evaluate(old, inputs))
      known->second = {std::move(inputs), std::move(*outputs)};
    else
      samples.erase(known);
  }
}

std::optional<Behaviour::Difference>
Behaviour::compare(ModuleOp module, std::optional<Tolerance> tolerance,
                   Behaviour &seen) const {
  seen.refused = refused;
  for (auto graph : module.getOps<GraphOp>()) {
    auto known = samples.find(graph.getSymName());
    if (known == samples.end())
      continue;
    const auto &[inputs, expected] = known->second;
    std::optional<SmallVector<Tensor>> outputs = evaluate(graph, inputs);
    if (!outputs)
      return Difference{graph, "it can no longer be evaluated"};
    if (outputs->size() != expected.size())
      return Difference{graph, llvm::formatv("expected {0} outputs, got {1}",
                                             expected.size(), outputs->size())
                                   .str()};
    for (size_t i = 0; i < expected.size(); ++i)
      if (std::optional<std::string> text =
              differenceOf(expected[i], (*outputs)[i], tolerance))
        return Difference{graph, "output " + std::to_string(i) + ", " + *text};
    seen.samples[graph.getSymName()] = {inputs, std::move(*outputs)};
  }
  return std::nullopt;
}

/// The pattern of an action that applies one; empty for other actions.
std::string patternOf(const tracing::Action &action) {
  if (action.getTag() != "apply-pattern")
    return "";
  std::string text;
  llvm::raw_string_ostream stream(text);
  action.print(stream);
  return StringRef(text).split("pattern: ").second.str();
}

class NumericsVerifier : public PassInstrumentation {
public:
  explicit NumericsVerifier(NumericsOptions options)
      : options(std::move(options)) {}

  void runBeforePass(Pass *, Operation *op) override {
    if (ModuleOp module = moduleOf(op); module && !before)
      take(module);
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    ModuleOp module = moduleOf(op);
    // Pipelines are passes, too; their passes were looked at one by one.
    if (!module || !before || *fingerprint == OperationFingerPrint(module))
      return;
    if (llvm::is_contained(options.rounding, pass->getArgument())) {
      behaviour.clear();
      return take(module);
    }
    behaviour.refine(*before, module);
    Behaviour now;
    if (std::optional<Behaviour::Difference> difference =
            behaviour.compare(module, options.tolerance, now)) {
      report(pass, op, std::move(*difference));
      signalPassFailure(pass);
    }
    behaviour = std::move(now);
    take(module);
  }

private:
  static ModuleOp moduleOf(Operation *op) {
    auto module = dyn_cast<ModuleOp>(op);
    return module ? module : op->getParentOfType<ModuleOp>();
  }

  void take(ModuleOp module) {
    behaviour.sample(module);
    fingerprint.emplace(module);
    before = module.clone();
  }

  /// The pass alone, on a module.
  static std::string pipelineOf(Pass *pass, Operation *op) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << "builtin.module(";
    if (!isa<ModuleOp>(op))
      stream << op->getName() << "(";
    pass->printAsTextualPipeline(stream);
    stream << (isa<ModuleOp>(op) ? ")" : "))");
    return text;
  }

  void report(Pass *pass, Operation *op, Behaviour::Difference difference) {
    std::string pipeline = pipelineOf(pass, op);
    InFlightDiagnostic error =
        emitCoded(difference.graph.getLoc(), Code::WrongRewrite)
        << "pass '" << pass->getArgument() << "' changed what graph '"
        << difference.graph.getSymName() << "' computes: " << difference.text;
    blame(pipeline, error);
    if (!options.reproducer.empty())
      write(pipeline, error);
  }

  /// Runs the pass again on what was before it, and evaluates after each
  /// pattern that changes something.
  void blame(StringRef pipeline, InFlightDiagnostic &error) {
    OwningOpRef<ModuleOp> module = before->clone();
    MLIRContext *context = module->getContext();
    PassManager manager(context);
    if (failed(parsePassPipeline(
            pipeline.drop_front(sizeof("builtin.module(") - 1).drop_back(),
            manager, llvm::nulls())))
      return;
    OperationFingerPrint known(*module);
    bool found = false;
    context->registerActionHandler([&](function_ref<void()> apply,
                                       const tracing::Action &action) {
      std::string pattern = found ? "" : patternOf(action);
      if (pattern.empty())
        return apply();
      auto *node = dyn_cast<Operation *>(action.getContextIRUnits().front());
      std::string name = node->getName().getStringRef().str();
      Location at = node->getLoc();
      apply();
      OperationFingerPrint now(*module);
      if (known == now)
        return;
      known = now;
      Behaviour ignored;
      if (!behaviour.compare(*module, options.tolerance, ignored))
        return;
      found = true;
      error.attachNote(at) << "pattern '" << pattern << "' on this '" << name
                           << "' is the first that changes it";
    });
    (void)manager.run(*module);
    context->registerActionHandler(nullptr);
  }

  void write(StringRef pipeline, InFlightDiagnostic &error) {
    std::error_code problem;
    llvm::raw_fd_ostream file(options.reproducer, problem);
    if (problem) {
      error.attachNote() << "cannot write '" << options.reproducer
                         << "': " << problem.message();
      return;
    }
    file << "// RUN: graven-opt --pass-pipeline='" << pipeline
         << "' --verify-numerics %s\n\n";
    before->print(file);
    error.attachNote() << "'" << options.reproducer
                       << "' is the module before the pass";
  }

  NumericsOptions options;
  Behaviour behaviour;
  OwningOpRef<ModuleOp> before;
  std::optional<OperationFingerPrint> fingerprint;
};

} // namespace

std::optional<Tolerance> parseTolerance(StringRef text) {
  auto [relative, absolute] = text.split(',');
  Tolerance tolerance;
  if (relative.trim().getAsDouble(tolerance.relative) ||
      absolute.trim().getAsDouble(tolerance.absolute) ||
      !(tolerance.relative >= 0) || !(tolerance.absolute >= 0))
    return std::nullopt;
  return tolerance;
}

void verifyNumerics(PassManager &manager, NumericsOptions options) {
  manager.getContext()->disableMultithreading();
  manager.addInstrumentation(
      std::make_unique<NumericsVerifier>(std::move(options)));
}

} // namespace graven
