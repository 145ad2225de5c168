//===- Banks.cpp - conflicts of banks of shared memory ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the count: 32 banks of 4 bytes, of which each gives one
// word in a cycle. Lanes with 8 or 16 bytes each go in halves and quarters of a
// warp.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Banks.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <array>

using namespace graven::cuda::simulator;

namespace {
constexpr uint32_t numBanks = 32, warp = 32;

/// Cycles of lanes that go at a time: the most different words of one bank.
int64_t cyclesOf(llvm::ArrayRef<int64_t> offsets, int64_t bytes) {
  llvm::SmallVector<int64_t, 64> words;
  for (int64_t offset : offsets)
    for (int64_t word = offset / 4; word <= (offset + bytes - 1) / 4; ++word)
      words.push_back(word);
  llvm::sort(words);
  words.erase(llvm::unique(words), words.end());
  std::array<int64_t, numBanks> counts = {};
  for (int64_t word : words)
    ++counts[word % numBanks];
  return *llvm::max_element(counts);
}
} // namespace

void Banks::reset(uint32_t threads) {
  numThreads = threads;
  visits.clear();
  open.clear();
}

void Banks::count(Instruction &instruction) {
  // They came in any order.
  llvm::sort(instruction.offsets);
  llvm::SmallVector<int64_t, warp> offsets(
      llvm::make_second_range(instruction.offsets));
  int64_t phases = std::max<int64_t>(1, instruction.bytes / 4);
  size_t lanes = std::max<int64_t>(1, warp / phases);
  llvm::ArrayRef<int64_t> rest = offsets;
  while (!rest.empty()) {
    size_t size = std::min(lanes, rest.size());
    cycles += cyclesOf(rest.take_front(size), instruction.bytes);
    ++ideal;
    rest = rest.drop_front(size);
  }
}

void Banks::access(uint32_t thread, uint32_t site, int64_t offset,
                   int64_t bytes) {
  uint32_t visit = visits[{thread, site}]++;
  std::pair<uint64_t, uint32_t> key = {uint64_t(thread / warp) << 32 | site,
                                       visit};
  Instruction &instruction = open[key];
  instruction.bytes = bytes;
  instruction.offsets.push_back({thread % warp, offset});
  uint32_t lanes = std::min(warp, numThreads - thread / warp * warp);
  if (instruction.offsets.size() < lanes)
    return;
  count(instruction);
  open.erase(key);
}

void Banks::rows(llvm::ArrayRef<int64_t> offsets) {
  cycles += cyclesOf(offsets, 16);
  ++ideal;
}

void Banks::finish() {
  for (auto &[key, instruction] : open)
    count(instruction);
  open.clear();
}
