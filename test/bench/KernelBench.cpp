//===- KernelBench.cpp - single kernels against the machine -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file times single operations as the compiler makes them, warm and on one
// thread, with Google Benchmark: what computes as a share of the multiply-add
// peak measured in the same run, what moves as a share of memcpy's bandwidth
// for as many bytes. Run with --benchmark_filter=REGEX to choose.
//===----------------------------------------------------------------------===//
#include "compiler/cli/Profile.h"
#include "llvm/Support/FormatVariadic.h"
#include <benchmark/benchmark.h>
#include <chrono>

using namespace graven;

namespace {

struct Case {
  std::string name, text;
};

std::string tensor(llvm::ArrayRef<int64_t> extents) {
  std::string text = "tensor<";
  for (int64_t extent : extents)
    text += std::to_string(extent) + "x";
  return text + "f32>";
}

/// y = op(arguments...), where %w is a Parameter; `signature` is as the
/// operation prints it.
Case graph(std::string name, const std::string &op,
           llvm::ArrayRef<std::pair<std::string, std::string>> arguments,
           const std::string &result, std::string signature = "") {
  std::string parameters, inputs, reads, types;
  for (const auto &[argument, type] : arguments) {
    types += (types.empty() ? "" : ", ") + type;
    if (argument == "w") {
      parameters =
          llvm::formatv("graven.param @w : {0} = dense<0.01> : {0}\n", type);
      reads = llvm::formatv("  %w = graven.get_param @w : {0}\n", type);
    } else {
      inputs += llvm::formatv("{0}%{1}: {2} {{graven.name = \"{1}\"}",
                              inputs.empty() ? "" : ", ", argument, type);
    }
  }
  if (signature.empty())
    signature = "(" + types + ") -> " + result;
  return {std::move(name),
          llvm::formatv("{0}graven.graph @forward({1}) -> ({2} {{graven.name = "
                        "\"y\"}) {{\n{3}  %y = {4} : {5}\n  graven.return %y : "
                        "{2}\n}\n",
                        parameters, inputs, result, reads, op, signature)};
}

/// y = op x, of one type.
Case pointwise(std::string name, const std::string &op,
               llvm::ArrayRef<int64_t> extents) {
  std::string type = tensor(extents);
  return graph(std::move(name), op, {{"x", type}}, type, type);
}

Case matmul(int64_t m, int64_t n, int64_t k) {
  return graph(llvm::formatv("matmul/{0}x{1}x{2}", m, n, k),
               "graven.matmul %x, %w",
               {{"x", tensor({m, k})}, {"w", tensor({k, n})}}, tensor({m, n}));
}

Case conv(int64_t in, int64_t out, int64_t size, int64_t kernel, int64_t stride,
          int64_t groups = 1) {
  int64_t pad = kernel / 2, after = (size + 2 * pad - kernel) / stride + 1;
  return graph(
      llvm::formatv("{0}/{1}x{2}x{2}_to_{3}_k{4}s{5}",
                    groups == 1 ? "conv" : "depthwise", in, size, out, kernel,
                    stride),
      llvm::formatv("graven.conv %x, %w strides [{0}, {0}] dilations [1, 1] "
                    "pads [{1}, {1}, {1}, {1}] groups {2}",
                    stride, pad, groups),
      {{"x", tensor({1, in, size, size})},
       {"w", tensor({out, in / groups, kernel, kernel})}},
      tensor({1, out, after, after}));
}

Case attention(int64_t heads, int64_t rows, int64_t depth) {
  std::string type = tensor({1, heads, rows, depth});
  return graph(llvm::formatv("attention/{0}x{1}x{2}", heads, rows, depth),
               "graven.attention %q, %k, %v scale 1.250000e-01",
               {{"q", type}, {"k", type}, {"v", type}}, type);
}

/// The shapes of the models in README.md.
std::vector<Case> cases() {
  return {
      matmul(128, 768, 768),
      matmul(128, 3072, 768),
      matmul(128, 768, 3072),
      matmul(197, 3072, 768),
      matmul(64, 50257, 768),
      matmul(1, 768, 768),
      matmul(1, 50257, 768),
      matmul(1, 1000, 2048),
      conv(3, 64, 224, 7, 2),
      conv(64, 64, 56, 1, 1),
      conv(64, 64, 56, 3, 1),
      conv(128, 128, 28, 3, 1),
      conv(256, 512, 28, 1, 2),
      conv(256, 1024, 14, 1, 1),
      conv(512, 512, 7, 3, 1),
      conv(960, 160, 7, 1, 1),
      conv(64, 64, 112, 3, 2, 64),
      conv(120, 120, 28, 5, 1, 120),
      conv(960, 960, 7, 5, 1, 960),
      attention(12, 128, 64),
      attention(12, 197, 64),
      attention(12, 512, 64),
      attention(12, 2048, 64),
      pointwise("softmax/1024x1024", "graven.softmax %x axis 1", {1024, 1024}),
      pointwise("relu/1048576", "graven.relu %x", {1 << 20}),
      pointwise("gelu/1048576", "graven.gelu %x", {1 << 20}),
      graph("transpose/1024x1024", "graven.transpose %x by [1, 0]",
            {{"x", tensor({1024, 1024})}}, tensor({1024, 1024})),
      graph("max_pool/64x112x112",
            "graven.max_pool %x kernel [3, 3] strides [2, 2] dilations [1, 1] "
            "pads [1, 1, 1, 1]",
            {{"x", tensor({1, 64, 112, 112})}}, tensor({1, 64, 56, 56})),
  };
}

double seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// Bytes a second, read and written, of the fastest of some copies.
double copyBandwidth(int64_t bytes) {
  std::vector<char> from(bytes / 2, 1), to(bytes / 2);
  double least = std::numeric_limits<double>::max();
  for (int round = 0; round < 20; ++round) {
    double start = seconds();
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
    least = std::min(least, seconds() - start);
  }
  return double(bytes) / least;
}

/// What one run does and takes, of all launches that compute, or of all where
/// none does.
struct Cost {
  double multiplyAdds = 0, bytes = 0, seconds = 0;
};

Cost costOf(llvm::ArrayRef<cpu::LaunchInfo> infos,
            llvm::ArrayRef<cli::LaunchTimer::Entry> entries) {
  bool computes = llvm::any_of(
      infos, [](const cpu::LaunchInfo &info) { return info.multiplyAdds > 0; });
  Cost cost;
  for (auto [info, entry] : llvm::zip_equal(infos, entries)) {
    if (computes && info.multiplyAdds == 0)
      continue;
    cost.multiplyAdds += double(info.multiplyAdds) * double(entry.times);
    cost.bytes += double(info.bytes) * double(entry.times);
    cost.seconds += entry.milliseconds * 1e-3;
  }
  return cost;
}

void run(benchmark::State &state, const Case &kernel) {
  Session session;
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(
      &session.getContext(),
      [&](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  auto module = session.importBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(kernel.text, kernel.name), "", {});
  llvm::SmallVector<cpu::LaunchInfo> infos;
  CompileOptions options;
  options.launches = &infos;
  if (failed(module))
    return state.SkipWithError((errors + kernel.text).c_str());
  auto model = session.load(**module, options);
  auto peak = cli::measurePeak(session, options.cpu);
  if (failed(model) || failed(peak))
    return state.SkipWithError(errors.c_str());

  std::vector<rt::Array> arrays;
  std::vector<GravenTensor> in, out;
  for (const GravenTensorInfo &info : model->inputs()) {
    auto array =
        rt::Array::create(info.dtype, {info.extents, info.extents + info.rank});
    for (auto [i, value] : llvm::enumerate(array->as<float>()))
      value = float(i % 251) / 251 - 0.5f;
    arrays.push_back(std::move(*array));
  }
  for (rt::Array &array : arrays)
    in.push_back(array.tensor());
  auto outputs = model->createOutputs(in);
  for (rt::Array &array : *outputs)
    out.push_back(array.tensor());

  cli::LaunchTimer timer(infos.size(), nullptr);
  Cost least;
  least.seconds = std::numeric_limits<double>::max();
  for (auto _ : state) {
    timer.beginRun();
    if (rt::Status status = model->run(in, out, timer.parallel()); !status)
      return state.SkipWithError(status.error().message.c_str());
    timer.endRun();
    Cost cost = costOf(infos, timer.last());
    state.SetIterationTime(cost.seconds);
    if (cost.seconds < least.seconds)
      least = cost;
  }
  state.counters["min_us"] = least.seconds * 1e6;
  state.counters["GB/s"] = 1e-9 * least.bytes / least.seconds;
  if (least.multiplyAdds == 0) {
    state.counters["%copy"] =
        100 * least.bytes / least.seconds / copyBandwidth(int64_t(least.bytes));
    return;
  }
  if (auto again = cli::measurePeak(session, options.cpu); succeeded(again))
    peak = std::max(*peak, *again);
  state.counters["GFLOP/s"] = 2e-9 * least.multiplyAdds / least.seconds;
  state.counters["%peak"] = 100e-9 * least.multiplyAdds / least.seconds / *peak;
}

} // namespace

int main(int argc, char **argv) {
  for (const Case &kernel : cases())
    benchmark::RegisterBenchmark(
        kernel.name.c_str(),
        [kernel](benchmark::State &state) { run(state, kernel); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
