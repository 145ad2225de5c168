//===- ReadBench.cpp - a model that memory bounds ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file times a model that reads its weights once, such as one step of a
// language model's decoding, on one thread, beside plain reads of the same
// memory in turns with it: at one place, and at several places at a time.
// Usage: read-bench MODEL [SECONDS [PRECISION]]
//===----------------------------------------------------------------------===//
#include "compiler/cli/Profile.h"
#include "llvm/Support/Format.h"
#include <chrono>

using namespace graven;

namespace {

double seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// Reads `bytes` from `start` on in blocks of `block` bytes, each at `Places`
/// places at a time; the sum keeps the loads.
template <int Places>
uint64_t readAll(const char *start, size_t bytes, size_t block) {
  using Line = uint64_t __attribute__((vector_size(64), aligned(1)));
  Line sum{};
  size_t part = block / Places;
  for (size_t at = 0; at + block <= bytes; at += block)
    for (size_t i = 0; i < part; i += sizeof(Line))
      for (int place = 0; place < Places; ++place)
        sum += *reinterpret_cast<const Line *>(start + at + place * part + i);
  return sum[0] ^ sum[7];
}

struct Reader {
  const char *name;
  uint64_t (*read)(const char *start, size_t bytes, size_t block);
  double least = std::numeric_limits<double>::max();
};

/// The bytes that launches which compute read and write, and their time.
struct Cost {
  double bytes = 0, seconds = 0;
};

Cost costOf(llvm::ArrayRef<cpu::LaunchInfo> infos,
            llvm::ArrayRef<cli::LaunchTimer::Entry> entries) {
  Cost cost;
  for (auto [info, entry] : llvm::zip_equal(infos, entries)) {
    if (info.multiplyAdds == 0)
      continue;
    cost.bytes += double(info.bytes) * double(entry.times);
    cost.seconds += entry.milliseconds * 1e-3;
  }
  return cost;
}

int run(llvm::StringRef path, double limit, llvm::StringRef precision) {
  Session session;
  mlir::ScopedDiagnosticHandler handler(
      &session.getContext(), [&](mlir::Diagnostic &diagnostic) {
        llvm::errs() << diagnostic.str() << "\n";
      });
  auto module = session.import(path, {});
  if (failed(module))
    return 2;
  llvm::SmallVector<cpu::LaunchInfo> infos;
  CompileOptions options;
  options.launches = &infos;
  if (precision == "bf16")
    options.precision = Precision::BF16;
  auto model = session.load(**module, options);
  if (failed(model))
    return 2;

  std::vector<rt::Array> arrays;
  std::vector<GravenTensor> in, out;
  for (const GravenTensorInfo &info : model->inputs()) {
    auto array =
        rt::Array::create(info.dtype, {info.extents, info.extents + info.rank});
    arrays.push_back(std::move(*array));
  }
  for (rt::Array &array : arrays)
    in.push_back(array.tensor());
  auto outputs = model->createOutputs(in);
  for (rt::Array &array : *outputs)
    out.push_back(array.tensor());

  constexpr size_t block = size_t(1) << 20;
  Reader readers[] = {{"1 place", readAll<1>},
                      {"2 places", readAll<2>},
                      {"4 places", readAll<4>},
                      {"8 places", readAll<8>}};
  const auto *weights = static_cast<const char *>(model->table().weights);
  auto size = size_t(model->table().weights_size) / block * block;
  cli::LaunchTimer timer(infos.size(), nullptr);
  Cost least;
  least.seconds = std::numeric_limits<double>::max();
  volatile uint64_t sink = 0;
  for (double end = seconds() + limit; seconds() < end;) {
    timer.beginRun();
    if (rt::Status status = model->run(in, out, timer.parallel()); !status) {
      llvm::errs() << status.error().message << "\n";
      return 1;
    }
    timer.endRun();
    if (Cost cost = costOf(infos, timer.last()); cost.seconds < least.seconds)
      least = cost;
    for (Reader &reader : readers) {
      double start = seconds();
      sink = sink + reader.read(weights, size, block);
      reader.least = std::min(reader.least, seconds() - start);
    }
  }
  double best = 0;
  for (const Reader &reader : readers) {
    double rate = 1e-9 * double(size) / reader.least;
    best = std::max(best, rate);
    llvm::outs() << llvm::format("read, %-10s %7.2f GB/s\n", reader.name, rate);
  }
  double rate = 1e-9 * least.bytes / least.seconds;
  llvm::outs() << llvm::format(
      "model            %7.2f GB/s, %.0f MB in %.2f ms, %.0f %% of the best "
      "read\n",
      rate, 1e-6 * least.bytes, 1e3 * least.seconds, 100 * rate / best);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2 || argc > 4) {
    llvm::errs() << "usage: read-bench MODEL [SECONDS [f32|bf16]]\n";
    return 3;
  }
  double limit = 5;
  if (argc > 2 && llvm::StringRef(argv[2]).getAsDouble(limit))
    return 3;
  return run(argv[1], limit, argc > 3 ? argv[3] : "f32");
}
