//===- NoMallocTest.cpp - a run allocates nothing ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that a run with the caller's workspace calls no allocator, by
// putting counting functions in the place of libc's.
//
//===----------------------------------------------------------------------===//
#include "test/unit/runtime/FakeModel.h"

#include "gtest/gtest.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
}

/// Calls of any allocator, by any thread, since the program began.
static std::atomic<int> allocations{0};

extern "C" {
void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  ++allocations;
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
}

namespace {

/// How many allocations one run of the fake model makes.
int allocationsOfRun(void *workspace, const GravenParallel *parallel) {
  float x[6] = {1, 2, 3, 4, 5, 6}, bias[3] = {}, y[6];
  int64_t matrix[] = {2, 3}, vector[] = {3};
  GravenTensor inputs[] = {{x, matrix, GRAVEN_F32, 2, nullptr},
                           {bias, vector, GRAVEN_F32, 1, nullptr}};
  GravenTensor output{y, matrix, GRAVEN_F32, 2, nullptr};
  char error[128];
  int before = allocations;
  int status = graven_model_run(&fake_model, inputs, 2, &output, 1, workspace,
                                parallel, error, sizeof(error));
  int after = allocations;
  EXPECT_EQ(status, GRAVEN_OK);
  return after - before;
}

TEST(NoMalloc, runWithAWorkspaceAllocatesNothing) {
  alignas(64) char workspace[64];
  EXPECT_EQ(allocationsOfRun(workspace, nullptr), 0);
}

TEST(NoMalloc, runOnAPoolAllocatesNothing) {
  alignas(64) char workspace[64];
  GravenPool *pool = graven_pool_create(2);
  ASSERT_NE(pool, nullptr);
  for (int round = 0; round < 10; ++round)
    EXPECT_EQ(allocationsOfRun(workspace, graven_pool_parallel(pool)), 0);
  graven_pool_destroy(pool);
}

TEST(NoMalloc, runWithoutAWorkspaceAllocatesOnce) {
  EXPECT_EQ(allocationsOfRun(nullptr, nullptr), 1);
}

} // namespace
