//===- Bench.cpp - graven bench -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven bench`: the time of a run, as minimum and median
// over many, on its own or in turns with ONNX Runtime.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/Elements.h"
#include "compiler/cli/Peer.h"
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
        peerFlag("vs",
                 cl::desc("ort: also time ONNX Runtime on the model, which "
                          "must be an ONNX file"),
                 cl::sub(sub)),
        perKernelFlag("per-kernel",
                      cl::desc("also the time of each kernel of a model"),
                      cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    compile.read();
    seconds = secondsFlag;
    peerName = peerFlag;
    // What is not given is random anyway.
    llvm::erase(flags.inputs, "random");
    if (perKernelFlag) {
      profile.emplace();
      compile.options.launches = &profile->launches;
      compile.options.reports = &profile->functions;
    }
  }

private:
  PassFlags *passFlags() override { return &compile.passes; }

  int runOn(Session &session) override {
    if (failed(compile.check(&session.getContext())))
      return Usage;
    if (!(seconds >= 0 && seconds <= longest)) {
      emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
          << "--seconds takes 0 to " << std::to_string(longest) << ", got "
          << std::to_string(seconds);
      return Usage;
    }
    if (!peerName.empty() &&
        failed(checkPeer(UnknownLoc::get(&session.getContext()))))
      return Usage;
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
    std::optional<Peer> peer;
    if (!peerName.empty()) {
      auto started =
          Peer::start(UnknownLoc::get(&session.getContext()), PeerKind::Ort,
                      flags.model, threads(*model), *inputs);
      if (failed(started))
        return BadInput;
      peer.emplace(std::move(*started));
    }
    std::vector<double> times, peerTimes;
    // Turns, so that what else the machine does slows both.
    int turns = peer ? 5 : 1;
    for (int turn = 0; turn < turns; ++turn) {
      using Clock = std::chrono::steady_clock;
      auto end = Clock::now() + std::chrono::duration<double>(seconds / turns);
      do {
        if (timer)
          timer->beginRun();
        auto start = Clock::now();
        rt::Status status = timer ? model->run(in, out, timer->parallel())
                                  : model->run(in, out);
        if (!status)
          return (void)graven::report(&session.getContext(), status.error()),
                 BadInput;
        times.push_back(
            std::chrono::duration<double, std::milli>(Clock::now() - start)
                .count());
        if (timer)
          timer->endRun();
      } while (Clock::now() < end || times.size() < 3);
      if (!peer)
        continue;
      auto runs = peer->run(seconds / turns);
      if (failed(runs))
        return BadInput;
      llvm::append_range(peerTimes, *runs);
    }
    double least = 0, median = 0;
    std::tie(least, median) = leastAndMedian(times);
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
    if (peer && failed(addPeer(*peer, peerTimes, least, *outputs)))
      return BadInput;
    if (profile && !isJson())
      profile->print(outs());
    return Ok;
  }

  static std::pair<double, double> leastAndMedian(std::vector<double> &times) {
    llvm::sort(times);
    return {times.front(), times[times.size() / 2]};
  }

  static int64_t threads(const rt::LoadedModel &model) {
    return model.threads() ? model.threads()->threads : 1;
  }

  /// Times beside the model's least, and how far the results are apart.
  LogicalResult addPeer(Peer &peer, std::vector<double> &times, double own,
                        ArrayRef<rt::Array> outputs) {
    auto others = peer.outputs();
    if (failed(others))
      return failure();
    auto [least, median] = leastAndMedian(times);
    double difference = 0;
    for (auto [output, other] : llvm::zip(outputs, *others))
      difference = std::max(difference, relativeDifference(output, other));
    report["ort"] = llvm::json::Object{{"min_ms", least},
                                       {"median_ms", median},
                                       {"runs", (int64_t)times.size()},
                                       {"ratio", least / own},
                                       {"difference", difference}};
    if (!isJson())
      outs() << format("ONNX Runtime: min %.3f ms, median %.3f ms over %zu "
                       "runs: %.2f x the time; outputs differ by %.1e of "
                       "their largest\n",
                       least, median, times.size(), least / own, difference);
    return success();
  }

  /// The largest difference over the largest element; infinite where shapes or
  /// a NaN differ.
  static double relativeDifference(const rt::Array &a, const rt::Array &b) {
    if (a.numElements() != b.numElements())
      return std::numeric_limits<double>::infinity();
    double largest = 0, difference = 0;
    for (int64_t i = 0, e = a.numElements(); i < e; ++i) {
      double x = number(a, i), y = number(b, i);
      if (std::isnan(x) != std::isnan(y))
        return std::numeric_limits<double>::infinity();
      if (x == y || std::isnan(x))
        continue;
      difference = std::max(difference, std::fabs(x - y));
      largest = std::max(largest, std::fabs(y));
    }
    return difference == 0 ? 0 : difference / largest;
  }

  LogicalResult checkPeer(Location loc) {
    if (peerName != "ort")
      return emitCoded(loc, Code::BadOption)
             << "--vs takes ort, got '" << peerName << "'";
    auto buffer = llvm::MemoryBuffer::getFile(flags.model);
    if (buffer && detectFormat((*buffer)->getBuffer()) != ModelFormat::Onnx)
      return emitCoded(loc, Code::BadOption)
             << "--vs ort needs an ONNX file, which ONNX Runtime can read, got "
                "'"
             << flags.model << "'";
    return success();
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
  std::string peerName;
  std::optional<Profile> profile;
  cl::opt<double> secondsFlag;
  cl::opt<std::string> peerFlag;
  cl::opt<bool> perKernelFlag;
};

} // namespace

std::unique_ptr<Command> makeBench() {
  return std::make_unique<BenchCommand>();
}

} // namespace graven::cli
