//===- Bisect.cpp - graven bisect -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven bisect MODEL`: which pass, which pattern and
// which Node make a model's result wrong, by the reference evaluator or by a
// command of the user.
//===----------------------------------------------------------------------===//

#include "passes/verify/Bisect.h"
#include "compiler/cli/Command.h"
#include "compiler/cli/ShellCheck.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "compiler/session/NativeTrace.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class BisectCommand : public ModelCommand {
public:
  BisectCommand()
      : ModelCommand("bisect", "which pass, pattern and Node make a model's "
                               "result wrong"),
        compile(sub),
        checkFlag("check",
                  cl::desc("a command that fails where the compiled model is "
                           "wrong, with {} for the file; default: compare "
                           "with the reference evaluator"),
                  cl::value_desc("CMD"), cl::sub(sub)),
        toFlag("to",
               cl::desc("give --check the IR after a phase, not the artifact: "
                        "graph kernel buffer loops"),
               cl::value_desc("phase"), cl::sub(sub)),
        toleranceFlag("tolerance",
                      cl::desc("how far a result may be off, in parts of the "
                               "greatest element; default: by its type"),
                      cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    command = checkFlag;
    to = toFlag;
    if (toleranceFlag.getNumOccurrences() > 0)
      tolerance = toleranceFlag;
  }

private:
  /// The step that makes a compile wrong; none where it is right with all of
  /// them, or wrong with none.
  struct Found {
    std::optional<Step> step;
    int64_t steps = 0;
  };

  int runOn(Session &session) override {
    MLIRContext *context = &session.getContext();
    if (failed(compile.check(context)) || failed(checkOptions(context)))
      return Usage;
    auto module = importModel(session);
    if (failed(module))
      return BadInput;
    if (failed(requireGraph(**module)))
      return BadInput;
    return command.empty() ? byNumbers(session, **module)
                           : byCommand(session, **module);
  }

  LogicalResult checkOptions(MLIRContext *context) {
    Location loc = UnknownLoc::get(context);
    phase = parsePhase(to);
    if (!to.empty() && (!phase || *phase == Phase::Import))
      return emitCoded(loc, Code::BadOption)
             << "--to takes graph, kernel, buffer or loops, got '" << to << "'";
    if (!to.empty() && command.empty())
      return emitCoded(loc, Code::BadOption)
             << "--to is for --check, which was not given";
    if (!command.empty() && tolerance)
      return emitCoded(loc, Code::BadOption)
             << "--tolerance is for the comparison that --check replaces";
    if (tolerance && !(*tolerance >= 0))
      return emitCoded(loc, Code::BadOption)
             << "--tolerance takes a number that is not negative";
    return success();
  }

  //===--------------------------------------------------------------------===//
  // By the reference evaluator
  //===--------------------------------------------------------------------===//

  int byNumbers(Session &session, ModuleOp module) {
    MLIRContext *context = &session.getContext();
    auto inputs =
        gatherInputs(context, flags, graphOf(module), Missing::IsRandom);
    auto build = session.graphPhase(compile.options, module.getLoc());
    if (failed(inputs) || failed(build))
      return BadInput;
    SmallVector<eval::Tensor> tensors = toTensors(context, *inputs);
    CodeScope scope(context, Code::RunFailed);
    GraphBisection search(module, "forward", *build, tensors, tolerance);
    FailureOr<std::optional<Culprit>> culprit = search.run(say);
    if (failed(culprit))
      return BadInput;
    if (!*culprit)
      return belowTheGraph(session, module, *inputs, tensors);
    describe((*culprit)->step, (*culprit)->steps, (*culprit)->difference);
    if ((*culprit)->node)
      describeNode((*culprit)->node->first, (*culprit)->node->second);
    count((*culprit)->probes, "evaluated");
    return CheckFailed;
  }

  /// The graph phase is right; native code may not be.
  int belowTheGraph(Session &session, ModuleOp module,
                    MutableArrayRef<rt::Array> inputs,
                    ArrayRef<eval::Tensor> tensors) {
    eval::Evaluator evaluator;
    auto expected = evaluator.run(graphOf(module), tensors);
    if (failed(expected))
      return BadInput;
    int64_t probes = 0;
    std::optional<std::string> difference;
    auto compare = [&](StepCounter &counter) -> FailureOr<bool> {
      ++probes;
      CompileOptions how = compile.options;
      how.steps = &counter;
      OwningOpRef<ModuleOp> copy = module.clone();
      auto loaded = session.load(*copy, how);
      if (failed(loaded))
        return failure();
      auto outputs = loaded->run(inputs);
      if (!outputs)
        return LogicalResult(
            graven::report(&session.getContext(), outputs.error()));
      auto found = outputDifference(
          *expected, toTensors(&session.getContext(), *outputs), tolerance);
      if (found)
        difference = found;
      return !found;
    };
    auto step = find(compare);
    if (failed(step))
      return BadInput;
    if (!difference) {
      nothing("the native code gives what the evaluator does");
      return Ok;
    }
    int exit = describeNative(session, module, inputs, *difference, *step);
    count(probes, "compiled");
    return exit;
  }

  /// What optional steps have no part in is in the passes that every compile
  /// needs, or in kernels: the first Node that gives something else says where.
  int describeNative(Session &session, ModuleOp module,
                     MutableArrayRef<rt::Array> inputs, StringRef difference,
                     const Found &found) {
    if (found.step)
      describe(*found.step, found.steps, difference);
    else
      describeRest(difference);
    CompileOptions how = compile.options;
    Trace evaluated;
    how.onGraph = [&](GraphOp graph) {
      auto trace = traceGraph(graph, toTensors(&session.getContext(), inputs));
      if (failed(trace))
        return failure();
      evaluated = std::move(*trace);
      return success();
    };
    OwningOpRef<ModuleOp> copy = module.clone();
    auto native = traceNative(session, *copy, how, inputs);
    if (failed(native))
      return BadInput;
    auto comparisons = compareTraces(evaluated.nodes, native->nodes);
    if (const NodeComparison *node =
            firstDivergence(native->nodes, comparisons, tolerance))
      describeNode(node->got->kind, node->got->loc);
    return CheckFailed;
  }

  //===--------------------------------------------------------------------===//
  // By a command
  //===--------------------------------------------------------------------===//

  int byCommand(Session &session, ModuleOp module) {
    auto folder = TemporaryFolder::create(module.getLoc());
    if (failed(folder))
      return BadInput;
    ShellCheck check(command);
    std::string file = folder->file(phase ? "m.mlir" : "m.so");
    int64_t probes = 0;
    int code = 0;
    auto probe = [&](StepCounter &counter) -> FailureOr<bool> {
      ++probes;
      CompileOptions how = compile.options;
      how.steps = &counter;
      OwningOpRef<ModuleOp> copy = module.clone();
      if (phase ? failed(session.runPhases(*copy, *phase, how)) ||
                      failed(session.write(*copy, file))
                : failed(session.compile(*copy, how, file)))
        return failure();
      FailureOr<int> status = check.run(module.getLoc(), file);
      if (failed(status))
        return failure();
      if (*status != 0)
        code = *status;
      return *status == 0;
    };
    auto found = find(probe);
    if (failed(found))
      return BadInput;
    if (code == 0) {
      nothing("--check passes");
      return Ok;
    }
    std::string difference =
        "--check ends with exit code " + std::to_string(code);
    if (found->step)
      describe(*found->step, found->steps, difference);
    else
      describeRest(difference);
    count(probes, "compiled");
    return CheckFailed;
  }

  //===--------------------------------------------------------------------===//
  // The search, and what comes of it
  //===--------------------------------------------------------------------===//

  FailureOr<Found>
  find(llvm::function_ref<FailureOr<bool>(StepCounter &)> probe) {
    StepCounter whole;
    FailureOr<bool> isRight = probe(whole);
    if (failed(isRight))
      return failure();
    Found found{std::nullopt, whole.count()};
    if (*isRight)
      return found;
    auto limited = [&](int64_t limit) {
      StepCounter counter(limit, requiredPasses());
      FailureOr<bool> isRight = probe(counter);
      if (succeeded(isRight))
        say(limit, *isRight);
      if (succeeded(isRight) && !*isRight)
        found.step = counter.last();
      return isRight;
    };
    FailureOr<bool> withNone = limited(0);
    if (failed(withNone))
      return failure();
    if (!*withNone)
      return found;
    FailureOr<int64_t> number = firstWrong(0, found.steps, limited);
    if (failed(number))
      return failure();
    // The last one was not probed by its number.
    if (*number == found.steps && failed(limited(*number)))
      return failure();
    return found;
  }

  /// A search takes minutes; who sits before it sees it go on.
  static void say(int64_t limit, bool isRight) {
    if (errs().is_displayed())
      errs() << (isRight ? "right" : "wrong") << " with " << limit
             << " steps\n";
  }

  void nothing(StringRef why) {
    report["found"] = false;
    if (!isJson())
      outs() << "nothing is wrong: " << why << "\n";
  }

  void describe(const Step &step, int64_t steps, StringRef difference) {
    std::string place = graven::describe(step.place);
    report["found"] = true;
    report["pass"] = step.pass;
    report["step"] = step.number;
    report["steps"] = steps;
    report["difference"] = json::fixUTF8(difference);
    report["on"] = step.node;
    report["place"] = json::fixUTF8(place);
    if (!step.pattern.empty())
      report["pattern"] = step.pattern;
    if (isJson())
      return;
    outs() << "pass '" << step.pass << "'";
    if (!step.pattern.empty())
      outs() << ", pattern '" << step.pattern << "'";
    outs() << " on '" << step.node << "'";
    if (!place.empty())
      outs() << " at " << place;
    outs() << ": " << difference << "\nstep " << step.number << " of " << steps
           << "; right with --opt-bisect-limit " << step.number - 1 << "\n";
  }

  void describeRest(StringRef difference) {
    report["found"] = true;
    report["difference"] = json::fixUTF8(difference);
    if (!isJson())
      outs() << "wrong without any step that can be left out (-O0 has no "
                "other passes), or by the code of a kernel: "
             << difference << "\n";
  }

  void describeNode(StringRef kind, Location loc) {
    std::string place = graven::describe(loc);
    report["node"] =
        json::Object{{"op", kind.str()}, {"place", json::fixUTF8(place)}};
    if (!isJson())
      outs() << "the first Node with another value is '" << kind << "'"
             << (place.empty() ? "" : " at ") << place << "\n";
  }

  void count(int64_t probes, StringRef what) {
    report["probes"] = probes;
    if (!isJson())
      outs() << probes << " modules were " << what << "\n";
  }

  CompileFlags compile;
  std::string command, to;
  std::optional<Phase> phase;
  std::optional<double> tolerance;
  cl::opt<std::string> checkFlag, toFlag;
  cl::opt<double> toleranceFlag;
};

} // namespace

std::unique_ptr<Command> makeBisect() {
  return std::make_unique<BisectCommand>();
}

} // namespace graven::cli
