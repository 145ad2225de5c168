//===- Bench.cpp - graven bench -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven bench`: the time of a run, as minimum and median
// over many.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/Profile.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/Format.h"
#include <chrono>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class BenchCommand : public ModelCommand {
public:
  BenchCommand()
      : ModelCommand("bench", "time an artifact or a model"), compile(sub),
        secondsFlag("seconds", cl::desc("how long to measure"), cl::init(2.0),
                    cl::sub(sub)),
        perKernelFlag("per-kernel",
                      cl::desc("also the time of each kernel of a model"),
                      cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    seconds = secondsFlag;
    if (perKernelFlag) {
      profile.emplace();
      compile.options.launches = &profile->launches;
      compile.options.reports = &profile->functions;
    }
  }

private:
  int runOn(Session &session) override {
    if (failed(compile.check(&session.getContext())))
      return Usage;
    compile.explain(session.getContext());
    if (!(seconds >= 0 && seconds <= longest)) {
      emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
          << "--seconds takes 0 to " << std::to_string(longest) << ", got "
          << std::to_string(seconds);
      return Usage;
    }
    if (profile && failed(checkProfile(UnknownLoc::get(&session.getContext()))))
      return Usage;
    auto model = openModel(session, compile.options);
    if (failed(model))
      return BadInput;
    auto infos = model->inputs();
    auto inputs =
        gatherInputs(&session.getContext(), flags,
                     ArrayRef(infos.data(), infos.size()), Missing::IsRandom);
    if (failed(inputs))
      return BadInput;
    std::vector<GravenTensor> in, out;
    for (rt::Array &array : *inputs)
      in.push_back(array.tensor());
    auto outputs = model->createOutputs(in);
    if (!outputs)
      return (void)graven::report(&session.getContext(), outputs.error()),
             BadInput;
    for (rt::Array &array : *outputs)
      out.push_back(array.tensor());
    std::optional<LaunchTimer> timer;
    if (profile) {
      timer.emplace(profile->launches.size(), model->threads());
    }
    std::vector<double> times;
    using Clock = std::chrono::steady_clock;
    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      if (timer)
        timer->beginRun();
      auto start = Clock::now();
      rt::Status status =
          timer ? model->run(in, out, timer->parallel()) : model->run(in, out);
      if (!status)
        return (void)graven::report(&session.getContext(), status.error()),
               BadInput;
      times.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - start)
              .count());
      if (timer)
        timer->endRun();
    } while (Clock::now() < end || times.size() < 3);
    llvm::sort(times);
    double least = times.front(), median = times[times.size() / 2];
    report["min_ms"] = least;
    report["median_ms"] = median;
    report["runs"] = static_cast<int64_t>(times.size());
    report["threads"] = compile.options.threads;
    if (profile && failed(addProfile(session, *timer)))
      return BadInput;
    if (!isJson())
      outs() << format(
          "min %.3f ms, median %.3f ms over %zu runs, %d threads\n", least,
          median, times.size(), static_cast<int>(compile.options.threads));
    if (profile && !isJson())
      profile->print(outs());
    return Ok;
  }

  LogicalResult checkProfile(Location loc) {
    if (isArtifact(flags.model))
      return emitCoded(loc, Code::BadOption)
             << "--per-kernel needs a model, got an artifact: its code does "
                "not "
                "say where kernels begin";
    if (StringRef(compile.options.cpu).contains(','))
      return emitCoded(loc, Code::BadOption)
             << "--per-kernel takes one target CPU, got '"
             << compile.options.cpu << "'";
    return success();
  }

  LogicalResult addProfile(Session &session, const LaunchTimer &timer) {
    profile->entries = timer.least().vec();
    FailureOr<double> peak = measurePeak(session, compile.options.cpu);
    if (failed(peak))
      return failure();
    profile->peak = *peak;
    report["peak_gflops"] = 2 * *peak;
    report["kernels"] = profile->toJson();
    return success();
  }

  static constexpr double longest = 86400;

  CompileFlags compile;
  double seconds = 0;
  std::optional<Profile> profile;
  cl::opt<double> secondsFlag;
  cl::opt<bool> perKernelFlag;
};

} // namespace

std::unique_ptr<Command> makeBench() {
  return std::make_unique<BenchCommand>();
}

} // namespace graven::cli
