//===- Compile.cpp - graven compile ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven compile MODEL -o m.so|m.o|...`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/Tuner.h"
#include "compiler/support/TimeReport.h"
#include "compiler/tuning/TuningFiles.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <chrono>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class CompileCommand : public ModelCommand {
public:
  CompileCommand()
      : ModelCommand("compile",
                     "a model -> .so .o .a .s .ll .mlir .ptx .cubin"),
        compile(sub),
        outputFlag("o", cl::desc("output file; its extension says what it is"),
                   cl::value_desc("m.so"), cl::sub(sub)),
        headerFlag("header", cl::desc("also write a C header"),
                   cl::value_desc("m.h"), cl::sub(sub)),
        nameFlag(
            "name",
            cl::desc("prefix of the C symbols; default: the output's name"),
            cl::sub(sub)),
        toFlag("to",
               cl::desc("stop after a phase and write IR: import graph kernel "
                        "buffer loops"),
               cl::value_desc("phase"), cl::sub(sub)),
        pipelineFlag("print-pipeline",
                     cl::desc("print the passes up to the phase of --to, "
                              "else all on IR, and compile nothing"),
                     cl::sub(sub)),
        tuneFlag("tune",
                 cl::desc("measure tiles for this machine first, and keep the "
                          "best in the file of --tune-db"),
                 cl::sub(sub)),
        timeFlag("time-report", cl::desc("say where time and memory went"),
                 cl::sub(sub)),
        limitFlag("opt-bisect-limit",
                  cl::desc("do the first steps of passes and patterns only, "
                           "those that can be left out; -1: all; both say "
                           "which steps there are"),
                  cl::value_desc("N"), cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    output = outputFlag;
    header = headerFlag;
    name = nameFlag;
    to = toFlag;
    wantsTuning = tuneFlag;
    wantsPipeline = pipelineFlag;
    wantsTime = timeFlag;
    if (limitFlag.getNumOccurrences() > 0)
      steps.emplace(limitFlag, requiredPasses());
  }

private:
  PassFlags *passFlags() override {
    return wantsPipeline ? nullptr : &compile.passes;
  }

  int runOn(Session &session) override {
    if (!wantsTime)
      return compileWith(session);
    TimeReport times;
    Timer total = times.getRootTimer();
    total.start();
    session.setTimer(total);
    int exit = compileWith(session);
    session.setTimer(Timer());
    total.stop();
    if (isJson())
      report["time"] = times.json();
    else
      times.print(errs());
    return exit;
  }

  int compileWith(Session &session) {
    auto start = std::chrono::steady_clock::now();
    MLIRContext *context = &session.getContext();
    Location loc = UnknownLoc::get(context);
    std::optional<Phase> last = parsePhase(to);
    if (!to.empty() && !last)
      emitCoded(loc, Code::BadOption)
          << "--to takes import, graph, kernel, buffer or loops, got '" << to
          << "'";
    bool same = !header.empty() && header == output;
    if (same)
      emitCoded(loc, Code::BadOption) << "--header and -o name the same file";
    bool both = steps && !compile.passes.disabled().empty();
    if (both)
      emitCoded(loc, Code::BadOption)
          << "--opt-bisect-limit counts the steps of all passes; leave out "
             "--disable-pass and --disable-pattern";
    bool tunesDevice = wantsTuning && !compile.options.gpus.empty();
    if (tunesDevice)
      emitCoded(loc, Code::BadOption) << "--tune measures kernels of CPUs";
    bool nowhere = output.empty() && !wantsPipeline;
    if (nowhere)
      emitCoded(loc, Code::BadOption)
          << "-o is missing, which says what to compile to, as in -o m.so";
    if (failed(compile.check(context)) || (!to.empty() && !last) || same ||
        nowhere || both || tunesDevice)
      return Usage;
    if (wantsPipeline)
      return showPipeline(session, last.value_or(Phase::Loops));
    compile.warnOfGenericCpu(context);
    CompileOptions how = compile.options;
    how.headerPath = header;
    how.name = name;
    how.steps = steps ? &*steps : nullptr;
    scope_exit sayWhich([&] {
      if (steps)
        describe(*steps);
    });
    report["output"] = output;
    if (last) {
      auto module = importModel(session);
      if (failed(module) ||
          (wantsTuning && failed(tuneFor(session, {**module}, how))))
        return BadInput;
      return failed(session.runPhases(**module, *last, how)) ||
                     failed(session.write(**module, output))
                 ? BadInput
                 : Ok;
    }
    auto sized = importSized(session);
    if (failed(sized))
      return BadInput;
    if (wantsTuning && failed(tuneSizes(session, *sized, how)))
      return BadInput;
    auto summary = session.compile(*sized, how, output);
    if (failed(summary))
      return BadInput;
    uint64_t bytes = 0;
    if (!sys::fs::file_size(output, bytes))
      report["bytes"] = bytes;
    if (!header.empty())
      report["header"] = header;
    report["symbol"] = summary->symbol;
    report["workspace_bytes"] = summary->workspaceBytes;
    report["weights_bytes"] = summary->weightsBytes;
    report["kernels"] = summary->kernels.total;
    report["kernels_cached"] = summary->kernels.cached;
    report["sizes"] = static_cast<int64_t>(summary->sizes);
    if (!summary->deviceKernels.empty())
      report["device_kernels"] = describe(summary->deviceKernels);
    report["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    return Ok;
  }

  static json::Array describe(ArrayRef<cuda::KernelReport> kernels) {
    json::Array described;
    for (const cuda::KernelReport &kernel : kernels)
      described.push_back(
          json::Object{{"name", kernel.name},
                       {"registers", int64_t(kernel.registers)},
                       {"stack_bytes", int64_t(kernel.stack)},
                       {"spill_store_bytes", int64_t(kernel.spillStores)},
                       {"spill_load_bytes", int64_t(kernel.spillLoads)},
                       {"shared_bytes", int64_t(kernel.sharedMemory)},
                       {"dynamic_shared_bytes", kernel.dynamicSharedMemory},
                       {"blocks", kernel.blocks},
                       {"threads", kernel.threads}});
    return described;
  }

  void describe(const StepCounter &steps) {
    report["steps"] = steps.count();
    if (!isJson())
      steps.print(errs());
  }

  int showPipeline(Session &session, Phase last) {
    auto pipeline =
        session.pipelineOf(last, compile.options, compile.passes.disabled());
    if (failed(pipeline))
      return BadInput;
    report["pipeline"] = *pipeline;
    if (!isJson())
      outs() << *pipeline << "\n";
    return Ok;
  }

  /// Measures at extents that have code of their own.
  LogicalResult tuneSizes(Session &session, const SizedModel &model,
                          const CompileOptions &how) {
    SmallVector<ModuleOp> modules;
    for (const SizedModel::Size &size : model.sizes)
      if (!size.room)
        modules.push_back(size.module);
    if (!modules.empty())
      return tuneFor(session, modules, how);
    if (model.symbols.empty())
      return emitCoded(ModuleOp(model.sizes.front().module).getLoc(),
                       Code::BadOption)
             << "--tune does not measure models whose data decide extents";
    const cpu::SymbolSpec &symbol = model.symbols.front();
    return emitCoded(ModuleOp(model.sizes.front().module).getLoc(),
                     Code::BadOption)
           << "--tune measures at extents that are named; name some, as in "
              "--dim "
           << symbol.name << "=" << symbol.highest << "," << symbol.lowest
           << ".." << symbol.highest;
  }

  /// Measures each of the sizes, keeps what came of it, and has `how` use it.
  LogicalResult tuneFor(Session &session, ArrayRef<ModuleOp> sizes,
                        const CompileOptions &how) {
    Location loc = ModuleOp(sizes.front()).getLoc();
    std::string file = how.tuningFile.value_or(defaultTuningFile());
    if (file.empty())
      return emitCoded(loc, Code::BadOption)
             << "--tune needs --tune-db FILE to keep what it measures";
    TuningDatabase all = readTuning(file, loc);
    TuningResult sum;
    for (ModuleOp module : sizes) {
      auto result = tune(session, module, how, flags);
      if (failed(result))
        return failure();
      all.add(result->database);
      sum.signatures += result->signatures;
      sum.changed += result->changed;
      sum.before += result->before;
      sum.after += result->after;
    }
    report["tunable_kernels"] = sum.signatures;
    report["tuned_kernels"] = sum.changed;
    report["tunable_ms"] = sum.before;
    report["tuned_ms"] = sum.after;
    if (!isJson())
      errs() << format("tuned %lld of %lld kernels: %.3f ms -> %.3f ms\n",
                       static_cast<long long>(sum.changed),
                       static_cast<long long>(sum.signatures), sum.before,
                       sum.after);
    return writeTuning(all, file, loc);
  }

  CompileFlags compile;
  std::string output, header, name, to;
  bool wantsTuning = false, wantsTime = false, wantsPipeline = false;
  cl::opt<std::string> outputFlag, headerFlag, nameFlag, toFlag;
  std::optional<StepCounter> steps;
  cl::opt<bool> pipelineFlag, tuneFlag, timeFlag;
  cl::opt<int64_t> limitFlag;
};

} // namespace

std::unique_ptr<Command> makeCompile() {
  return std::make_unique<CompileCommand>();
}

} // namespace graven::cli
