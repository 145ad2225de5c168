//===- SimulatorTest.cpp - parts of the simulator of GPUs -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests what kernels cannot show one by one: the switch of stacks,
// what a word of shared memory remembers, the count of conflicts of banks, and
// options.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Banks.h"
#include "compiler/targets/cuda/simulator/Fiber.h"
#include "compiler/targets/cuda/simulator/SharedMemory.h"
#include "llvm/Support/Error.h"
#include <gtest/gtest.h>

using namespace graven::cuda::simulator;

namespace {

/*===- Stacks ---------------------------------------------------------------*/

/// A fiber that adds what is given to it, kept in registers over switches.
struct Adder {
  Context main = nullptr, own = nullptr;
  double given = 0, sum = 0;

  static void run(void *argument) {
    auto &self = *static_cast<Adder *>(argument);
    double sum = 0;
    for (int64_t count = 1;; ++count) {
      sum += self.given * static_cast<double>(count);
      self.sum = sum;
      switchContext(&self.own, self.main);
    }
  }
};

TEST(FiberTest, LocalsSurviveSwitches) {
  std::unique_ptr<Stacks> stacks = Stacks::create(3);
  ASSERT_TRUE(stacks);
  Adder adders[3];
  for (size_t i = 0; i < 3; ++i)
    adders[i].own = makeContext(stacks->top(i), &Adder::run, &adders[i]);
  for (int round = 0; round < 4; ++round)
    for (size_t i = 0; i < 3; ++i) {
      adders[i].given = static_cast<double>(i + 1);
      switchContext(&adders[i].main, adders[i].own);
    }
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(adders[i].sum, 10.0 * static_cast<double>(i + 1));
}

TEST(FiberTest, StacksAreApart) {
  std::unique_ptr<Stacks> stacks = Stacks::create(2);
  ASSERT_TRUE(stacks);
  EXPECT_TRUE(stacks->contains(0, stacks->top(0) - 1));
  EXPECT_FALSE(stacks->contains(0, stacks->top(0)));
  EXPECT_TRUE(stacks->contains(0, stacks->top(0) - Stacks::kBytes));
  EXPECT_FALSE(stacks->contains(0, stacks->top(0) - Stacks::kBytes - 1));
  EXPECT_FALSE(stacks->contains(1, stacks->top(0) - 1));
}

/*===- Shared memory --------------------------------------------------------*/

/// Four threads, each at a time of its own, who may hear of each other.
class SharedMemoryTest : public testing::Test {
protected:
  SharedMemoryTest() { memory.reset(64, /*base=*/10); }

  Actor actor(uint32_t thread) {
    return {thread, now[thread], known[thread].data()};
  }
  std::optional<Fault> access(uint32_t thread, AccessKind kind, int64_t offset,
                              int64_t size) {
    auto conflict =
        memory.access(actor(thread), /*site=*/thread, kind, offset, size);
    return conflict ? std::optional(conflict->fault) : std::nullopt;
  }
  std::optional<Fault> read(uint32_t thread, int64_t offset, int64_t size = 4) {
    return access(thread, AccessKind::Read, offset, size);
  }
  std::optional<Fault> write(uint32_t thread, int64_t offset,
                             int64_t size = 4) {
    return access(thread, AccessKind::Write, offset, size);
  }
  /// Thread `a` hears of all that `b` did.
  void hear(uint32_t a, uint32_t b) { known[a][b] = now[b]++; }

  SharedMemory memory;
  uint32_t now[4] = {11, 11, 11, 11};
  std::vector<uint32_t> known[4] = {
      {10, 10, 10, 10}, {10, 10, 10, 10}, {10, 10, 10, 10}, {10, 10, 10, 10}};
};

TEST_F(SharedMemoryTest, OrderedAccessesDoNotRace) {
  EXPECT_EQ(write(0, 0), std::nullopt);
  EXPECT_EQ(read(0, 0), std::nullopt);
  EXPECT_EQ(read(1, 0), Fault::ReadAfterWrite);
  hear(2, 0);
  EXPECT_EQ(read(2, 0), std::nullopt);
  EXPECT_EQ(write(2, 0), Fault::WriteAfterRead);
}

TEST_F(SharedMemoryTest, HalvesOfAWordAreDifferentBytes) {
  EXPECT_EQ(write(0, 0, 2), std::nullopt);
  EXPECT_EQ(write(1, 2, 2), std::nullopt);
  EXPECT_EQ(write(2, 1, 1), Fault::WriteAfterWrite);
  EXPECT_EQ(write(3, 3, 1), Fault::WriteAfterWrite);
}

TEST_F(SharedMemoryTest, ManyReadsDoNotHideAWrite) {
  EXPECT_EQ(write(0, 8), std::nullopt);
  for (uint32_t thread : {1, 2}) {
    hear(thread, 0);
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(read(thread, 8), std::nullopt);
  }
  EXPECT_EQ(read(3, 8), Fault::ReadAfterWrite);
}

TEST_F(SharedMemoryTest, UnwrittenBytesAreTold) {
  EXPECT_EQ(write(0, 4, 3), std::nullopt);
  auto conflict = memory.access(actor(0), /*site=*/0, AccessKind::Read, 4, 8);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->fault, Fault::Unwritten);
  EXPECT_EQ(conflict->offset, 7);
}

TEST_F(SharedMemoryTest, AtomicsDoNotRaceWithEachOther) {
  EXPECT_EQ(write(0, 0), std::nullopt);
  for (uint32_t thread : {1, 2})
    hear(thread, 0);
  EXPECT_EQ(access(1, AccessKind::Atomic, 0, 4), std::nullopt);
  EXPECT_EQ(access(2, AccessKind::Atomic, 0, 4), std::nullopt);
  hear(3, 0);
  EXPECT_EQ(read(3, 0), Fault::ReadAfterWrite);
}

TEST_F(SharedMemoryTest, CopiesAreInFlightUntilTheyEnd) {
  EXPECT_FALSE(memory.beginCopy(actor(0), /*site=*/7, 16, 16));
  auto conflict = memory.access(actor(1), /*site=*/1, AccessKind::Write, 20, 4);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->fault, Fault::CopyInFlight);
  EXPECT_EQ(conflict->site, 7U);
  EXPECT_EQ(read(0, 28), Fault::CopyInFlight);
  EXPECT_EQ(read(0, 12), Fault::Unwritten);
  memory.endCopy(actor(0), /*site=*/7, 16, 16);
  EXPECT_EQ(read(0, 24), std::nullopt);
  EXPECT_EQ(read(2, 24), Fault::ReadAfterWrite);
}

TEST_F(SharedMemoryTest, TheNextBlockKnowsNothingOfThis) {
  EXPECT_EQ(write(0, 0), std::nullopt);
  memory.reset(64, /*base=*/20);
  for (uint32_t thread : {0, 1}) {
    now[thread] = 21;
    known[thread].assign(4, 20);
  }
  EXPECT_EQ(read(1, 0), Fault::Unwritten);
  EXPECT_EQ(write(1, 4), std::nullopt);
}

/*===- Banks ----------------------------------------------------------------*/

/// Cycles of a warp whose lanes are `stride` bytes apart.
std::pair<int64_t, int64_t> cyclesOf(int64_t stride, int64_t bytes) {
  Banks banks;
  banks.reset(/*threads=*/32);
  for (uint32_t lane = 32; lane-- > 0;)
    banks.access(lane, /*site=*/0, lane * stride, bytes);
  return {banks.cycles, banks.ideal};
}

TEST(BanksTest, ConflictsAreLanesInOneBank) {
  EXPECT_EQ(cyclesOf(4, 4), std::pair(int64_t(1), int64_t(1)));
  EXPECT_EQ(cyclesOf(0, 4), std::pair(int64_t(1), int64_t(1)));
  EXPECT_EQ(cyclesOf(8, 4), std::pair(int64_t(2), int64_t(1)));
  EXPECT_EQ(cyclesOf(128, 4), std::pair(int64_t(32), int64_t(1)));
  EXPECT_EQ(cyclesOf(132, 4), std::pair(int64_t(1), int64_t(1)));
  EXPECT_EQ(cyclesOf(2, 2), std::pair(int64_t(1), int64_t(1)));
  EXPECT_EQ(cyclesOf(8, 8), std::pair(int64_t(2), int64_t(2)));
  EXPECT_EQ(cyclesOf(16, 16), std::pair(int64_t(4), int64_t(4)));
  EXPECT_EQ(cyclesOf(128, 16), std::pair(int64_t(32), int64_t(4)));
}

TEST(BanksTest, InstructionsOfOneWarpAreApart) {
  Banks banks;
  banks.reset(/*threads=*/40);
  // The second warp has eight lanes; lane 0 comes twice before the others come.
  for (uint32_t thread : {32, 32, 33, 34, 35, 36, 37, 38, 39})
    banks.access(thread, /*site=*/0, 128 * static_cast<int64_t>(thread), 4);
  EXPECT_EQ(banks.cycles, 8);
  banks.finish();
  EXPECT_EQ(banks.cycles, 9);
  EXPECT_EQ(banks.ideal, 2);
}

/*===- Options --------------------------------------------------------------*/

TEST(SimulatorOptionsTest, AreReadOrRefused) {
  auto options = parseOptions("seed=12,copies=early");
  ASSERT_TRUE(bool(options));
  EXPECT_EQ(options->seed, 12U);
  EXPECT_EQ(options->copies, Copies::Early);
  options = parseOptions("");
  ASSERT_TRUE(bool(options));
  EXPECT_EQ(options->seed, 0U);
  EXPECT_EQ(options->copies, Copies::Late);
  for (llvm::StringRef bad :
       {"seed", "seed=x", "seed=-1", "copies=never", "speed=3", "copies"}) {
    auto refused = parseOptions(bad);
    ASSERT_FALSE(bool(refused)) << bad.str();
    EXPECT_EQ(llvm::toString(refused.takeError()),
              "expected seed=NUMBER or copies=early|late, got '" + bad.str() +
                  "'");
  }
}

} // namespace
