//===- Run.cpp - graven run -----------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven run`: native code or the reference evaluator on
// given inputs, outputs saved or compared with expected ones.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/Elements.h"
#include "compiler/cli/Outputs.h"
#include "compiler/targets/cuda/simulator/Simulator.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class RunCommand : public ModelCommand {
public:
  RunCommand()
      : ModelCommand("run", "run an artifact or a model"), compile(sub),
        evaluateFlag(
            "evaluate",
            cl::desc("run by the reference evaluator instead of native code"),
            cl::sub(sub)),
        simulateFlag(
            "simulate",
            cl::desc("with --target cuda: run the kernels of the GPU "
                     "on this machine and check what their threads "
                     "do together; seed=N shuffles these, copies=early "
                     "or late is when asynchronous copies are done"),
            cl::value_desc("seed=N,copies=late"), cl::ValueOptional,
            cl::sub(sub)),
        saveFlag("save-outputs", cl::desc("write DIR/0.npy, DIR/1.npy, ..."),
                 cl::value_desc("DIR"), cl::sub(sub)),
        expectedFlag("expect",
                     cl::desc("K=@y.npy: output K must equal the array"),
                     cl::sub(sub)),
        rtolFlag("rtol", cl::desc("relative tolerance of --expect"),
                 cl::init(1e-4), cl::sub(sub)),
        atolFlag("atol", cl::desc("absolute tolerance of --expect"),
                 cl::init(1e-5), cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    evaluate = evaluateFlag;
    if (simulateFlag.getNumOccurrences() > 0)
      simulation = simulateFlag;
    save = saveFlag;
    expected.assign(expectedFlag.begin(), expectedFlag.end());
    rtol = rtolFlag;
    atol = atolFlag;
  }

private:
  PassFlags *passFlags() override { return &compile.passes; }

  int runOn(Session &session) override {
    if (failed(checkOptions(session)) || failed(startSimulator(session)))
      return Usage;
    auto outputs = evaluate ? runEvaluator(session) : runNative(session);
    if (failed(outputs))
      return BadInput;
    if (!save.empty() &&
        failed(saveOutputs(*outputs, save,
                           UnknownLoc::get(&session.getContext()))))
      return BadInput;
    describe(*outputs);
    int exit = compareAll(session, *outputs);
    return isSimulationRight() ? exit : CheckFailed;
  }

  LogicalResult checkOptions(Session &session) const {
    MLIRContext *context = &session.getContext();
    Location loc = UnknownLoc::get(context);
    if (failed(compile.check(context)))
      return failure();
    if (simulation && compile.options.gpus.empty())
      return emitCoded(loc, Code::BadOption)
             << "--simulate is for --target cuda";
    if (!(rtol >= 0) || !(atol >= 0))
      return emitCoded(loc, Code::BadOption)
             << "--rtol and --atol take numbers that are not negative";
    for (const std::string &text : expected)
      if (!StringRef(text).contains("=@"))
        return emitCoded(loc, Code::BadOption)
               << "--expect takes K=@y.npy, got '" << text << "'";
    return success();
  }

  LogicalResult startSimulator(Session &session) {
    if (!simulation)
      return success();
    auto options = cuda::simulator::parseOptions(*simulation);
    if (!options)
      return emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
             << "--simulate: " << llvm::toString(options.takeError());
    simulator.emplace(*options);
    compile.options.simulator = &*simulator;
    return success();
  }

  /// What the simulator counted and found, in the report.
  bool isSimulationRight() {
    if (!simulator)
      return true;
    llvm::json::Array kernels;
    for (auto [kernel, counts] :
         llvm::zip(simulator->program.kernels, simulator->statistics()))
      kernels.push_back(llvm::json::Object{
          {"name", kernel.name},
          {"threads", kernel.threads},
          {"shared_bytes", kernel.sharedBytes},
          {"blocks", counts.blocks},
          {"shared_cycles", counts.sharedCycles},
          {"ideal_shared_cycles", counts.idealSharedCycles}});
    report["simulation"] = llvm::json::Object{
        {"kernels", std::move(kernels)},
        {"findings", static_cast<int64_t>(simulator->findings().size())}};
    return !simulator->emitFindings();
  }

  FailureOr<std::vector<rt::Array>> runNative(Session &session) {
    auto model = openModel(session, compile.options);
    if (failed(model))
      return failure();
    auto infos = model->inputs();
    auto inputs =
        gatherInputs(&session.getContext(), flags,
                     ArrayRef(infos.data(), infos.size()), Missing::IsError);
    if (failed(inputs))
      return failure();
    auto outputs = model->run(*inputs);
    if (!outputs)
      return LogicalResult(
          graven::report(&session.getContext(), outputs.error()));
    return std::move(*outputs);
  }

  FailureOr<std::vector<rt::Array>> runEvaluator(Session &session) {
    MLIRContext *context = &session.getContext();
    auto module = importModel(session);
    if (failed(module))
      return failure();
    auto graph = requireGraph(**module);
    if (failed(graph))
      return failure();
    auto inputs = gatherInputs(context, flags, *graph, Missing::IsError);
    if (failed(inputs))
      return failure();
    return session.evaluate(**module, *inputs);
  }

  /// The outputs as the report has them; as text only when nothing else is
  /// done with them.
  void describe(ArrayRef<rt::Array> outputs) {
    llvm::json::Array described;
    for (auto [i, output] : llvm::enumerate(outputs)) {
      llvm::json::Object entry =
          describeTensor(std::to_string(i), output.dtype(),
                         {output.extents().data(), output.extents().size()});
      llvm::json::Array first;
      int64_t shown = std::min<int64_t>(output.numElements(), 8);
      for (int64_t k = 0; k < shown; ++k)
        first.push_back(toJson(number(output, k)));
      entry["values"] = std::move(first);
      described.push_back(std::move(entry));
      if (!isJson() && save.empty() && expected.empty())
        print(i, output);
    }
    report["outputs"] = std::move(described);
  }

  /// JSON has no number for what is not finite.
  static llvm::json::Value toJson(double value) {
    if (std::isfinite(value))
      return value;
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }

  static void print(size_t index, const rt::Array &array) {
    outs() << index << ": " << rt::describe(array.dtype(), array.extents())
           << " [";
    int64_t shown = std::min<int64_t>(array.numElements(), 8);
    for (int64_t i = 0; i < shown; ++i)
      outs() << (i ? ", " : "") << format("%g", number(array, i));
    outs() << (shown < array.numElements() ? ", ...]\n" : "]\n");
  }

  int compareAll(Session &session, ArrayRef<rt::Array> outputs) {
    Location loc = UnknownLoc::get(&session.getContext());
    int exit = Ok;
    llvm::json::Array comparisons;
    for (const std::string &text : expected) {
      auto [name, path] = StringRef(text).split("=@");
      size_t index = 0;
      if (name.getAsInteger(10, index) || index >= outputs.size()) {
        emitCoded(loc, Code::BadOption)
            << "--expect names output '" << name << "' of " << outputs.size();
        return Usage;
      }
      auto wanted = rt::readNpy(path.str());
      if (!wanted) {
        emitCoded(loc, Code::BadNpy) << wanted.error().message;
        return BadInput;
      }
      if (failed(compare(loc, index, outputs[index], *wanted, comparisons)))
        exit = CheckFailed;
    }
    if (!comparisons.empty())
      report["comparisons"] = std::move(comparisons);
    return exit;
  }

  LogicalResult compare(Location loc, size_t index, const rt::Array &got,
                        const rt::Array &wanted,
                        llvm::json::Array &comparisons) {
    if (!std::ranges::equal(got.extents(), wanted.extents()))
      return emitCoded(loc, Code::Mismatch)
             << "output " << index << " is "
             << rt::describe(got.dtype(), got.extents()) << ", expected "
             << rt::describe(wanted.dtype(), wanted.extents());
    double worst = 0;
    int64_t bad = 0, first = -1;
    for (int64_t i = 0, e = got.numElements(); i < e; ++i) {
      double g = number(got, i), w = number(wanted, i),
             difference = std::fabs(g - w);
      bool equal = g == w || (std::isnan(g) && std::isnan(w)) ||
                   difference <= atol + rtol * std::fabs(w);
      worst = std::fmax(worst, difference);
      if (equal)
        continue;
      ++bad;
      first = first < 0 ? i : first;
    }
    comparisons.push_back(
        llvm::json::Object{{"output", static_cast<int64_t>(index)},
                           {"equal", bad == 0},
                           {"differing", bad},
                           {"greatest_difference", toJson(worst)}});
    if (bad == 0) {
      if (isJson())
        return success();
      outs() << index << ": equal within rtol " << format("%g", rtol)
             << ", atol " << format("%g", atol) << "; greatest difference "
             << format("%g", worst) << "\n";
      return success();
    }
    return emitCoded(loc, Code::Mismatch)
           << "output " << index << ": " << bad << " of " << got.numElements()
           << " elements differ; element " << first << " is "
           << std::to_string(number(got, first)) << ", expected "
           << std::to_string(number(wanted, first));
  }

  CompileFlags compile;
  bool evaluate = false;
  /// How to simulate, if that is asked for.
  std::optional<std::string> simulation;
  std::optional<cuda::simulator::Simulator> simulator;
  std::string save;
  std::vector<std::string> expected;
  double rtol = 0, atol = 0;
  cl::opt<bool> evaluateFlag;
  cl::opt<std::string> simulateFlag;
  cl::opt<std::string> saveFlag;
  cl::list<std::string> expectedFlag;
  cl::opt<double> rtolFlag, atolFlag;
};

} // namespace

std::unique_ptr<Command> makeRun() { return std::make_unique<RunCommand>(); }

} // namespace graven::cli
