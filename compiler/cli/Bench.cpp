//===- Bench.cpp - graven bench -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven bench`: the time of a run, as minimum and median
// over many.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "llvm/Support/Format.h"
#include <chrono>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class BenchCommand : public Command {
public:
  BenchCommand()
      : Command("bench", "time an artifact or a model"), flags(sub),
        compile(sub), secondsFlag("seconds", cl::desc("how long to measure"),
                                  cl::init(2.0), cl::sub(sub)),
        jsonFlag("json", cl::desc("print the report as JSON"), cl::sub(sub)) {}

  void read() override {
    flags.read();
    compile.read();
    seconds = secondsFlag;
    json = jsonFlag;
  }

  int run() override {
    Session session;
    auto model = openModel(session, flags, compile);
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
      return (void)report(&session.getContext(), outputs.error()), BadInput;
    for (rt::Array &array : *outputs)
      out.push_back(array.tensor());
    std::vector<double> times;
    using Clock = std::chrono::steady_clock;
    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      auto start = Clock::now();
      if (rt::Status status = model->run(in, out); !status)
        return (void)report(&session.getContext(), status.error()), BadInput;
      times.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - start)
              .count());
    } while (Clock::now() < end || times.size() < 3);
    llvm::sort(times);
    double least = times.front(), median = times[times.size() / 2];
    if (json)
      outs() << format("{\"min_ms\": %.4f, \"median_ms\": %.4f, \"runs\": %zu, "
                       "\"threads\": %d}\n",
                       least, median, times.size(),
                       static_cast<int>(compile.options.threads));
    else
      outs() << format(
          "min %.3f ms, median %.3f ms over %zu runs, %d threads\n", least,
          median, times.size(), static_cast<int>(compile.options.threads));
    return Ok;
  }

private:
  ModelFlags flags;
  CompileFlags compile;
  double seconds = 0;
  bool json = false;
  cl::opt<double> secondsFlag;
  cl::opt<bool> jsonFlag;
};

} // namespace

std::unique_ptr<Command> makeBench() {
  return std::make_unique<BenchCommand>();
}

} // namespace graven::cli
