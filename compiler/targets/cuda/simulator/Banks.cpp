//===- Banks.cpp - conflicts of banks of shared memory ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the count: 32 banks of 4 bytes, of which each gives one
// word in a cycle. Lanes with 8 or 16 bytes each go in halves and quarters of a
// warp.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Banks.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace graven::cuda::simulator;

namespace {
constexpr uint32_t numBanks = 32;

/// Cycles of lanes that go at a time: the most different words of one bank.
int64_t cyclesOf(llvm::ArrayRef<int64_t> offsets, int64_t bytes) {
  std::array<int64_t, numBanks> first;
  first.fill(-1);
  bool isFree = true;
  for (int64_t offset : offsets)
    for (int64_t word = offset / 4; word <= (offset + bytes - 1) / 4; ++word) {
      int64_t &known = first[word % numBanks];
      isFree &= known < 0 || known == word;
      known = word;
    }
  if (isFree)
    return 1;
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
  places.clear();
}

void Banks::count(const Instruction &instruction) {
  llvm::SmallVector<int64_t, kLanes> offsets;
  for (uint32_t lane = 0; lane < kLanes; ++lane)
    if (instruction.lanes >> lane & 1)
      offsets.push_back(instruction.offsets[lane]);
  int64_t phases = std::max<int64_t>(1, instruction.bytes / 4);
  size_t lanes = std::max<int64_t>(1, kLanes / phases);
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
  uint32_t warp = thread / kLanes, lane = thread % kLanes;
  Place &place = places[uint64_t(warp) << 32 | site];
  size_t index = place.visits[lane]++ - place.first;
  if (index >= place.open.size())
    place.open.resize(index + 1);
  Instruction &instruction = place.open[index];
  instruction.bytes = bytes;
  instruction.offsets[lane] = offset;
  instruction.lanes |= uint32_t(1) << lane;
  uint32_t all = ~uint32_t(0);
  if (numThreads - warp * kLanes < kLanes)
    all = (uint32_t(1) << (numThreads - warp * kLanes)) - 1;
  // All lanes came to those before it, too.
  if (instruction.lanes != all)
    return;
  count(instruction);
  place.open.pop_front();
  ++place.first;
}

void Banks::rows(llvm::ArrayRef<int64_t> offsets) {
  cycles += cyclesOf(offsets, 16);
  ++ideal;
}

void Banks::finish() {
  for (auto &[key, place] : places)
    for (const Instruction &instruction : place.open)
      count(instruction);
  places.clear();
}
