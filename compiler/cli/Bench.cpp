//===- Bench.cpp - graven bench -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven bench`: the time of a run, as minimum and median
// over many.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
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
                    cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    seconds = secondsFlag;
  }

private:
  int runOn(Session &session) override {
    if (failed(compile.check(&session.getContext())))
      return Usage;
    if (!(seconds >= 0 && seconds <= longest)) {
      emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
          << "--seconds takes 0 to " << std::to_string(longest) << ", got "
          << std::to_string(seconds);
      return Usage;
    }
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
    std::vector<double> times;
    using Clock = std::chrono::steady_clock;
    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      auto start = Clock::now();
      if (rt::Status status = model->run(in, out); !status)
        return (void)graven::report(&session.getContext(), status.error()),
               BadInput;
      times.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - start)
              .count());
    } while (Clock::now() < end || times.size() < 3);
    llvm::sort(times);
    double least = times.front(), median = times[times.size() / 2];
    report["min_ms"] = least;
    report["median_ms"] = median;
    report["runs"] = static_cast<int64_t>(times.size());
    report["threads"] = compile.options.threads;
    if (!isJson())
      outs() << format(
          "min %.3f ms, median %.3f ms over %zu runs, %d threads\n", least,
          median, times.size(), static_cast<int>(compile.options.threads));
    return Ok;
  }

  static constexpr double longest = 86400;

  CompileFlags compile;
  double seconds = 0;
  cl::opt<double> secondsFlag;
};

} // namespace

std::unique_ptr<Command> makeBench() {
  return std::make_unique<BenchCommand>();
}

} // namespace graven::cli
