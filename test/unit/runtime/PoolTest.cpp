//===- PoolTest.cpp - threads that share tasks ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests GravenPool: that each task runs exactly once for any count of
// threads and tasks, the split, sleep and wake, nesting, two callers, a fork,
// and that workers compute with the caller's floating-point modes.
//
//===----------------------------------------------------------------------===//
#include "runtime/include/graven/runtime.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

class Pool : public testing::TestWithParam<int> {
protected:
  GravenPool *pool = graven_pool_create(GetParam());
  const GravenParallel *parallel = graven_pool_parallel(pool);

  void SetUp() override { ASSERT_NE(pool, nullptr); }
  void TearDown() override { graven_pool_destroy(pool); }

  /// Runs body(lo, hi) over the tasks.
  template <typename Body> void forEach(int64_t tasks, Body body) {
    parallel->parallel_for(
        parallel->context, tasks,
        [](void *args, int64_t lo, int64_t hi) {
          (*static_cast<Body *>(args))(lo, hi);
        },
        &body);
  }

  /// Plain increments, so that a missing happens-before shows as a wrong sum.
  void expectEachTaskOnce(int64_t tasks) {
    std::vector<int> counts(static_cast<size_t>(tasks));
    forEach(tasks, [&](int64_t lo, int64_t hi) {
      for (int64_t i = lo; i < hi; ++i)
        ++counts[static_cast<size_t>(i)];
    });
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 1), tasks);
  }
};

void sleepMilliseconds(int count) {
  timespec time{0, count * 1000000L};
  nanosleep(&time, nullptr);
}

TEST_P(Pool, countsItsThreads) { EXPECT_EQ(parallel->threads, GetParam()); }

TEST_P(Pool, runsEachTaskOnce) {
  for (int64_t tasks : {1, 2, 3, 4, 5, 7, 8, 100, 1001})
    expectEachTaskOnce(tasks);
}

TEST_P(Pool, runsManyRegions) {
  int64_t sum = 0;
  std::vector<int64_t> parts(64);
  for (int64_t region = 0; region < 20000; ++region) {
    forEach(64, [&](int64_t lo, int64_t hi) {
      for (int64_t i = lo; i < hi; ++i)
        parts[static_cast<size_t>(i)] = region + i;
    });
    for (int64_t part : parts)
      sum += part;
  }
  EXPECT_EQ(sum, 64 * (20000LL * 19999 / 2) + 20000LL * (64 * 63 / 2));
}

TEST_P(Pool, splitsEvenlyIntoOneRangeEach) {
  std::mutex mutex;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  forEach(10, [&](int64_t lo, int64_t hi) {
    std::lock_guard<std::mutex> lock(mutex);
    ranges.emplace_back(lo, hi);
  });
  std::sort(ranges.begin(), ranges.end());
  ASSERT_EQ(ranges.size(), static_cast<size_t>(GetParam()));
  int64_t next = 0;
  for (auto [lo, hi] : ranges) {
    EXPECT_EQ(lo, next);
    EXPECT_GE(hi - lo, 10 / GetParam());
    EXPECT_LE(hi - lo, (10 + GetParam() - 1) / GetParam());
    next = hi;
  }
  EXPECT_EQ(next, 10);
}

TEST_P(Pool, runsAfterItsWorkersSlept) {
  for (int round = 0; round < 5; ++round) {
    sleepMilliseconds(10);
    expectEachTaskOnce(100);
  }
}

TEST_P(Pool, takesAnAnnouncement) {
  for (int round = 0; round < 5; ++round) {
    parallel->parallel_for(parallel->context, 0, nullptr, nullptr);
    expectEachTaskOnce(100);
    sleepMilliseconds(round);
  }
}

TEST_P(Pool, endsWhileItsWorkersSleep) {
  expectEachTaskOnce(8);
  sleepMilliseconds(10);
}

TEST_P(Pool, runsNestedRegions) {
  std::atomic<int64_t> sum{0};
  forEach(4, [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i)
      forEach(10, [&](int64_t from, int64_t to) { sum += to - from; });
  });
  EXPECT_EQ(sum, 40);
}

TEST_P(Pool, servesTwoCallers) {
  auto caller = [&] {
    for (int round = 0; round < 500; ++round)
      expectEachTaskOnce(16);
  };
  std::thread other(caller);
  caller();
  other.join();
}

TEST_P(Pool, runsInAForkedChildWithoutWorkers) {
  expectEachTaskOnce(8);
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    int64_t sum = 0;
    forEach(8, [&](int64_t lo, int64_t hi) { sum += hi - lo; });
    graven_pool_destroy(pool);
    _exit(sum == 8 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#if defined(__x86_64__)
TEST_P(Pool, computesWithTheCallersFloatModes) {
  constexpr unsigned flushToZero = 0x8000;
  unsigned before = _mm_getcsr();
  std::vector<unsigned> seen(8);
  auto look = [&](int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; ++i)
      seen[static_cast<size_t>(i)] = _mm_getcsr() & flushToZero;
  };
  _mm_setcsr(before | flushToZero);
  forEach(8, look);
  _mm_setcsr(before);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), flushToZero), 8);
  forEach(8, look);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0u), 8);
}
#endif

INSTANTIATE_TEST_SUITE_P(Threads, Pool, testing::Values(1, 2, 3, 4, 7));

TEST(PoolCreate, takesAsManyThreadsAsCpusWhenNotTold) {
  GravenPool *pool = graven_pool_create(0);
  ASSERT_NE(pool, nullptr);
  EXPECT_GE(graven_pool_parallel(pool)->threads, 1);
  graven_pool_destroy(pool);
}

TEST(PoolCreate, refusesAbsurdCounts) {
  EXPECT_EQ(graven_pool_create(1 << 30), nullptr);
}

TEST(PoolCreate, takesNull) {
  graven_pool_destroy(nullptr);
  EXPECT_EQ(graven_pool_parallel(nullptr), nullptr);
}

} // namespace
