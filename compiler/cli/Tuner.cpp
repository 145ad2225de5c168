//===- Tuner.cpp - tiles by measuring -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements tune: round n gives every kernel its n-th candidate and
// compares it launch by launch with the first, and what won is compared again
// as a whole.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Tuner.h"
#include "compiler/cli/Profile.h"
#include "compiler/targets/cpu/TargetMachine.h"
#include "dialects/support/Diagnostics.h"
#include <chrono>
#include <map>

using namespace mlir;

namespace graven::cli {
namespace {

/// What must be won before tiles change, since times are not exact.
constexpr double wanted = 0.98;

constexpr double secondsOfRound = 1.5;
constexpr int leastRuns = 5, mostRuns = 300;

/// Milliseconds by signature.
using Times = std::map<std::string, double>;

/// The model, compiled with some tiles.
class Version {
public:
  static FailureOr<std::unique_ptr<Version>>
  make(Session &session, ModuleOp module, const CompileOptions &like,
       const ModelFlags &flags, TuningDatabase tiles) {
    std::unique_ptr<Version> version(new Version());
    CompileOptions options(like);
    options.name.clear();
    options.headerPath.clear();
    options.threads = 1;
    options.tuning = std::make_shared<TuningDatabase>(std::move(tiles));
    options.tunables = &version->tunables;
    options.launches = &version->launches;
    OwningOpRef<ModuleOp> copy(module.clone());
    auto model = session.load(*copy, options);
    if (failed(model))
      return failure();
    version->model.emplace(std::move(*model));
    auto infos = version->model->inputs();
    auto inputs =
        gatherInputs(&session.getContext(), flags,
                     ArrayRef(infos.data(), infos.size()), Missing::IsRandom);
    if (failed(inputs))
      return failure();
    version->inputs = std::move(*inputs);
    for (rt::Array &array : version->inputs)
      version->in.push_back(array.tensor());
    auto outputs = version->model->createOutputs(version->in);
    if (!outputs)
      return graven::report(&session.getContext(), outputs.error());
    version->outputs = std::move(*outputs);
    for (rt::Array &array : version->outputs)
      version->out.push_back(array.tensor());
    version->timer.emplace(version->launches.size(), nullptr);
    return version;
  }

  LogicalResult run(MLIRContext *context) {
    timer->beginRun();
    if (rt::Status status = model->run(in, out, timer->parallel()); !status)
      return graven::report(context, status.error());
    timer->endRun();
    return success();
  }

  Times times() const {
    Times times;
    for (auto [tunable, entry] : llvm::zip_equal(tunables, timer->least()))
      if (tunable.candidates.size() > 1)
        times[tunable.signature] += entry.milliseconds;
    return times;
  }

  SmallVector<TunableLaunch> tunables;

private:
  Version() = default;

  SmallVector<cpu::LaunchInfo> launches;
  std::optional<rt::LoadedModel> model;
  std::vector<rt::Array> inputs, outputs;
  std::vector<GravenTensor> in, out;
  std::optional<LaunchTimer> timer;
};

/// Runs both in turn: what else the machine does slows down both.
LogicalResult runInTurn(MLIRContext *context, Version &a, Version &b) {
  using Clock = std::chrono::steady_clock;
  auto end = Clock::now() + std::chrono::duration<double>(secondsOfRound);
  for (int i = 0; i < leastRuns || (i < mostRuns && Clock::now() < end); ++i)
    if (failed(a.run(context)) || failed(b.run(context)))
      return failure();
  return success();
}

double sumOf(const Times &times) {
  double sum = 0;
  for (auto &[signature, time] : times)
    sum += time;
  return sum;
}

} // namespace

FailureOr<TuningResult> tune(Session &session, ModuleOp module,
                             const CompileOptions &options,
                             const ModelFlags &flags) {
  MLIRContext *context = &session.getContext();
  auto host = cpu::CpuTarget::get("native", module.getLoc());
  auto targets = cpu::findTargets(options.cpu, module.getLoc());
  if (failed(host) || failed(targets))
    return failure();
  if (targets->size() != 1 || targets->front().cpu != host->cpu)
    return emitCoded(module.getLoc(), Code::BadOption)
           << "--tune measures on this machine, which is " << host->cpu
           << ", got --target-cpu " << options.cpu;
  const std::string &cpu = host->info.name;
  auto base = Version::make(session, module, options, flags, TuningDatabase());
  if (failed(base))
    return failure();
  std::map<std::string, SmallVector<Tiles>> candidates;
  size_t rounds = 0;
  for (const TunableLaunch &tunable : (*base)->tunables)
    if (tunable.candidates.size() > 1) {
      candidates[tunable.signature] = tunable.candidates;
      rounds = std::max(rounds, tunable.candidates.size());
    }
  std::map<std::string, std::pair<double, Tiles>> best;
  for (size_t round = 1; round < rounds; ++round) {
    TuningDatabase tiles;
    for (auto &[signature, choices] : candidates)
      if (round < choices.size())
        tiles.set(cpu, signature, choices[round]);
    auto other = Version::make(session, module, options, flags, tiles);
    if (failed(other) || failed(runInTurn(context, **base, **other)))
      return failure();
    Times before = (*base)->times(), now = (*other)->times();
    for (auto &[signature, choices] : candidates) {
      if (round >= choices.size())
        continue;
      double ratio = now[signature] / std::max(before[signature], 1e-9);
      auto [known, isNew] =
          best.try_emplace(signature, wanted, choices.front());
      if (ratio < known->second.first)
        known->second = {ratio, choices[round]};
    }
  }
  TuningResult result;
  result.signatures = candidates.size();
  for (auto &[signature, choice] : best)
    result.database.set(cpu, signature, choice.second);
  auto final = Version::make(session, module, options, flags, result.database);
  if (failed(final) || failed(runInTurn(context, **base, **final)))
    return failure();
  Times before = (*base)->times(), after = (*final)->times();
  for (auto &[signature, choice] : best) {
    bool isBetter = choice.second != candidates[signature].front() &&
                    after[signature] < wanted * before[signature];
    if (!isBetter) {
      result.database.set(cpu, signature, candidates[signature].front());
      after[signature] = before[signature];
    }
    result.changed += isBetter;
  }
  result.before = sumOf(before);
  result.after = sumOf(after);
  return result;
}

} // namespace graven::cli
