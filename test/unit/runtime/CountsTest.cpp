//===- CountsTest.cpp - outputs whose extents data decide -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests runs of code that says how many elements it has found: what
// the caller gets of them, and numbers that the code is not right for.
//
//===----------------------------------------------------------------------===//
#include "test/unit/runtime/FakeModel.h"

#include "gtest/gtest.h"

#include <array>
#include <cstdint>
#include <vector>

namespace {

/// Of x[6] those that are positive: y[n], z[2, n] with their squares in its
/// second row, and how many.
int32_t pickPositive(void *const *inputs, void *const *outputs, void *,
                     const void *, const GravenParallel *) {
  const auto *x = static_cast<const int32_t *>(inputs[0]);
  auto *y = static_cast<int32_t *>(outputs[0]);
  auto *z = static_cast<int32_t *>(outputs[1]);
  int64_t count = 0;
  for (int64_t i = 0; i < 12; ++i)
    z[i] = -7;
  for (int64_t i = 0; i < 6; ++i) {
    y[i] = -7;
    if (x[i] <= 0)
      continue;
    y[count] = z[count] = x[i];
    z[6 + count++] = x[i] * x[i];
  }
  for (int64_t i = count; i < 6; ++i)
    y[i] = -7;
  *static_cast<int64_t *>(outputs[2]) = count;
  return GRAVEN_OK;
}

class Counts : public testing::Test {
protected:
  std::array<int64_t, 1> six{6}, rows{GRAVEN_COUNTED};
  std::array<int64_t, 2> columns{2, GRAVEN_COUNTED};
  GravenTensorInfo x{"x", six.data(), nullptr, GRAVEN_I32, 1};
  std::array<GravenTensorInfo, 2> outputInfo{
      {{"y", rows.data(), nullptr, GRAVEN_I32, 1},
       {"z", columns.data(), nullptr, GRAVEN_I32, 2}}};
  GravenFunction function{0, nullptr};
  GravenCount count{"model.py:7", 1, 6};
  std::array<int64_t, 3> factorCounts{1, 1, 2};
  std::array<GravenFactor, 4> factors{
      {{0, 6, -1}, {0, 6, 0}, {0, 2, -1}, {1, 6, 0}}};
  GravenRoom room{nullptr, &function,      nullptr,
                  0,       factors.data(), factorCounts.data(),
                  0,       &count,         1};
  GravenVariant any{pickPositive, 0, "x86-64"};
  GravenSize size{nullptr, nullptr, &any, 256, &room};
  GravenModel model = fake_model;
  char error[256] = "";
  std::vector<int32_t> y = std::vector<int32_t>(6),
                       z = std::vector<int32_t>(12);
  std::array<int64_t, 1> yMost{6}, yUsed{-1};
  std::array<int64_t, 2> zMost{2, 6}, zUsed{-1, -1};

  Counts() {
    model.inputs = &x;
    model.outputs = outputInfo.data();
    model.num_inputs = 1;
    model.num_outputs = 2;
    model.workspace_size = size.workspace_size;
    model.variants = &any;
    model.num_variants = 1;
    model.sizes = &size;
    model.num_sizes = 1;
    model.split = -1;
  }

  int run(std::vector<int32_t> data, int64_t *used) {
    GravenTensor input{data.data(), six.data(), GRAVEN_I32, 1, nullptr};
    std::array<GravenTensor, 2> outputs{
        {{y.data(), yMost.data(), GRAVEN_I32, 1, used},
         {z.data(), zMost.data(), GRAVEN_I32, 2, zUsed.data()}}};
    return graven_model_run(&model, &input, 1, outputs.data(), 2, nullptr,
                            nullptr, error, sizeof(error));
  }
};

TEST_F(Counts, whatIsUsedLiesSideBySide) {
  ASSERT_EQ(run({3, -1, 0, 5, 2, -9}, yUsed.data()), GRAVEN_OK) << error;
  EXPECT_EQ(yUsed[0], 3);
  EXPECT_EQ(zUsed[0], 2);
  EXPECT_EQ(zUsed[1], 3);
  y.resize(3);
  EXPECT_EQ(y, std::vector<int32_t>({3, 5, 2}));
  z.resize(6);
  EXPECT_EQ(z, std::vector<int32_t>({3, 5, 2, 9, 25, 4}));
}

TEST_F(Counts, numbersOutOfRangeEndTheRun) {
  EXPECT_EQ(run({0, 0, 0, 0, 0, 0}, yUsed.data()), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "model 'fake': expected 1 to 6 elements at model.py:7, "
                      "got 0");
  count.lowest = 0;
  ASSERT_EQ(run({0, 0, 0, 0, 0, 0}, yUsed.data()), GRAVEN_OK) << error;
  EXPECT_EQ(yUsed[0], 0);
  EXPECT_EQ(zUsed[1], 0);
}

TEST_F(Counts, theExtentsNeedAPlace) {
  EXPECT_EQ(run({1, 0, 0, 0, 0, 0}, nullptr), GRAVEN_ERROR_NULL_POINTER);
  EXPECT_STREQ(error, "output 'y': expected a place for the extents that data "
                      "decide, got a null pointer");
  void *none[3] = {};
  EXPECT_EQ(graven_model_call(&model, none, none, nullptr, nullptr, error,
                              sizeof(error)),
            GRAVEN_ERROR_NULL_POINTER);
}

TEST_F(Counts, theMostAreKnownBefore) {
  int64_t most[2] = {};
  ASSERT_EQ(graven_model_output_extents(&model, nullptr, 1, most, error,
                                        sizeof(error)),
            GRAVEN_OK)
      << error;
  EXPECT_EQ(most[0], 2);
  EXPECT_EQ(most[1], 6);
  EXPECT_EQ(graven_model_workspace_size(&model, nullptr), 256);
}

} // namespace
