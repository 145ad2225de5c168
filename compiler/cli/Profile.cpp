//===- Profile.cpp - where the time of a run goes -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the times of launches, their table, and the measurement
// of the peak, whose code goes the way of every model's.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Profile.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/memory/Passes.h"
#include "llvm/Support/Format.h"
#include <chrono>
#include <map>

using namespace mlir;

namespace graven::cli {

static double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double, std::milli>(
             Clock::now().time_since_epoch())
      .count();
}

// A model is not told of threads when there is one, so there are always two.
LaunchTimer::LaunchTimer(size_t launches, const GravenParallel *inner)
    : table{this, inner ? inner->threads : 2, share}, inner(inner),
      spent(launches), best(launches, {std::numeric_limits<double>::max(), 0}) {
}

void LaunchTimer::share(void *self, int64_t tasks,
                        void (*body)(void *, int64_t, int64_t), void *args) {
  auto &timer = *static_cast<LaunchTimer *>(self);
  if (tasks < 0)
    return timer.switchTo(-1 - tasks);
  if (timer.inner)
    return timer.inner->parallel_for(timer.inner->context, tasks, body, args);
  if (tasks > 0)
    body(args, 0, tasks);
}

void LaunchTimer::switchTo(int64_t launch) {
  double time = now();
  if (current >= 0)
    spent[current] = {spent[current].milliseconds + time - since,
                      spent[current].times + 1};
  current = launch;
  since = time;
}

void LaunchTimer::beginRun() { llvm::fill(spent, Entry()); }

void LaunchTimer::endRun() {
  switchTo(-1);
  for (auto [least, entry] : llvm::zip_equal(best, spent))
    if (entry.milliseconds < least.milliseconds)
      least = entry;
}

const cpu::FunctionReport *
Profile::functionOf(const cpu::LaunchInfo &launch) const {
  for (const cpu::FunctionReport &report : functions)
    if (report.name == launch.function)
      return &report;
  return nullptr;
}

void Profile::print(llvm::raw_ostream &os) const {
  double total = 0;
  std::map<std::string, double> kinds;
  SmallVector<size_t> order;
  for (auto [i, launch] : llvm::enumerate(launches)) {
    total += entries[i].milliseconds;
    kinds[launch.kind] += entries[i].milliseconds;
    order.push_back(i);
  }
  auto share = [&](double milliseconds) {
    return 100 * milliseconds / std::max(total, 1e-9);
  };
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return entries[a].milliseconds > entries[b].milliseconds;
  });
  os << "      us      %  GFLOP/s  % peak    GB/s  tasks  spills  kernel\n";
  for (size_t i : order) {
    const cpu::LaunchInfo &launch = launches[i];
    double billionths = std::max(entries[i].milliseconds, 1e-6) * 1e6;
    double multiplyAdds = launch.multiplyAdds * entries[i].times / billionths;
    os << llvm::format("%8.1f  %5.1f", entries[i].milliseconds * 1e3,
                       share(entries[i].milliseconds));
    if (launch.multiplyAdds > 0)
      os << llvm::format("  %7.1f  %6.1f", 2 * multiplyAdds,
                         100 * multiplyAdds / peak);
    else
      os << "        -       -";
    const cpu::FunctionReport *function = functionOf(launch);
    os << llvm::format("  %6.1f  %5lld  %6u  ",
                       launch.bytes * entries[i].times / billionths,
                       static_cast<long long>(launch.tasks),
                       function ? function->innermostSpills : 0);
    os << launch.kind << " " << launch.function << "  " << describe(launch.loc)
       << "\n";
  }
  os << "\n";
  std::vector<std::pair<double, std::string>> sums;
  sums.reserve(kinds.size());
  for (auto &[kind, milliseconds] : kinds)
    sums.emplace_back(milliseconds, kind);
  llvm::sort(sums, std::greater<>());
  for (auto &[milliseconds, kind] : sums)
    os << llvm::format("%8.1f  %5.1f  ", milliseconds * 1e3,
                       share(milliseconds))
       << kind << "\n";
  os << llvm::format("%8.1f  100.0  all kernels; the peak of a thread is %.1f "
                     "GFLOP/s\n",
                     total * 1e3, 2 * peak);
}

llvm::json::Array Profile::toJson() const {
  llvm::json::Array array;
  for (auto [i, launch] : llvm::enumerate(launches)) {
    llvm::json::Object object{
        {"kernel", launch.function},
        {"kind", launch.kind},
        {"node", llvm::json::fixUTF8(describe(launch.loc))},
        {"us", entries[i].milliseconds * 1e3},
        {"times", entries[i].times},
        {"tasks", launch.tasks},
        {"multiply_adds", launch.multiplyAdds},
        {"bytes", launch.bytes}};
    if (const cpu::FunctionReport *function = functionOf(launch))
      object["innermost_spills"] = function->innermostSpills;
    array.push_back(std::move(object));
  }
  return array;
}

/// Multiply-adds of one call of the peak's loop, per lane.
static constexpr int64_t peakSteps = 100000, peakChains = 12;

/// @forward updates as many chains of multiply-adds in memory as hide the
/// latency of one and fit the registers of every target.
static OwningOpRef<ModuleOp> makePeakModule(MLIRContext *context,
                                            int64_t lanes) {
  Location loc = UnknownLoc::get(context);
  OwningOpRef<ModuleOp> module(ModuleOp::create(loc));
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto vector = VectorType::get({lanes}, b.getF32Type());
  auto sums = MemRefType::get({peakChains * lanes}, b.getF32Type()),
       bytes = MemRefType::get({0}, b.getI8Type());
  auto function = func::FuncOp::create(
      b, loc, "forward", b.getFunctionType({sums, bytes, bytes}, {}));
  function->setAttr(kNumInputsAttr, b.getI64IntegerAttr(0));
  function->setAttr(kNumOutputsAttr, b.getI64IntegerAttr(1));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToEnd(entry);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  SmallVector<Value> starts;
  for (int64_t chain = 0; chain < peakChains; ++chain)
    starts.push_back(vector::LoadOp::create(b, loc, vector,
                                            entry->getArgument(0),
                                            ValueRange{index(chain * lanes)}));
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(peakSteps), index(1), starts,
      [&](OpBuilder &b, Location loc, Value, ValueRange chains) {
        SmallVector<Value> next;
        auto flags = arith::FastMathFlags::contract;
        for (Value chain : chains) {
          Value product =
              arith::MulFOp::create(b, loc, chain, starts.front(), flags);
          next.push_back(
              arith::AddFOp::create(b, loc, product, starts.front(), flags));
        }
        scf::YieldOp::create(b, loc, next);
      });
  for (auto [chain, sum] : llvm::enumerate(loop.getResults()))
    vector::StoreOp::create(b, loc, sum, entry->getArgument(0),
                            ValueRange{index(chain * lanes)});
  func::ReturnOp::create(b, loc);
  return module;
}

FailureOr<double> measurePeak(Session &session, StringRef cpu) {
  MLIRContext *context = &session.getContext();
  Location loc = UnknownLoc::get(context);
  auto target = cpu::CpuTarget::get(cpu, loc);
  auto file = OutputFile::createTemporary(loc);
  if (failed(target) || failed(file))
    return failure();
  int64_t lanes = target->info.lanes(4);
  OwningOpRef<ModuleOp> module = makePeakModule(context, lanes);
  cpu::ModelSignature signature;
  signature.name = "peak";
  signature.outputs.push_back(
      {"y", Float32Type::get(context), {peakChains * lanes}});
  cpu::EmitOptions emit;
  emit.target = *target;
  auto artifact = cpu::emitArtifact(*module, signature, emit, std::move(*file));
  if (failed(artifact) || failed(artifact->commit(Durability::Temporary)))
    return failure();
  auto model = rt::LoadedModel::load(artifact->path().str());
  if (!model)
    return report(context, model.error());
  // Chains with different values are different work.
  std::vector<float> sums(peakChains * lanes);
  void *output = sums.data();
  double least = std::numeric_limits<double>::max();
  for (int round = 0; round < 30; ++round) {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = 0.5f + 1e-3f * static_cast<float>(i);
    double start = now();
    if (rt::Status status = model->call({}, {&output, 1}); !status)
      return report(context, status.error());
    least = std::min(least, now() - start);
  }
  return peakSteps * peakChains * lanes / (least * 1e6);
}

} // namespace graven::cli
