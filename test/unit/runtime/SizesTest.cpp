//===- SizesTest.cpp - models with code for several sizes -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the choice of code by the extents of a run, runs that are put
// together from several, and what is refused.
//
//===----------------------------------------------------------------------===//
#include "test/unit/runtime/FakeModel.h"

#include "gtest/gtest.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <vector>

namespace {

std::vector<int64_t> calls;

/// y[i] = x[i] + offset[0] over `rows` rows of two.
template <int64_t rows>
int32_t addRows(void *const *inputs, void *const *outputs, void *, const void *,
                const GravenParallel *) {
  calls.push_back(rows);
  const auto *x = static_cast<const int32_t *>(inputs[0]);
  auto *y = static_cast<int32_t *>(outputs[0]);
  for (int64_t i = 0; i < rows * 2; ++i)
    y[i] = x[i] + *static_cast<const int32_t *>(inputs[1]);
  return GRAVEN_OK;
}

const GravenVariant one = {addRows<1>, 0, "x86-64"},
                    two = {addRows<2>, 0, "x86-64"},
                    three = {addRows<3>, 0, "x86-64"},
                    four = {addRows<4>, 0, "x86-64"};

/// f(x[n, 2], offset[1]) -> y[n, 2] with code for n = 1 and n = 4.
class Sizes : public testing::Test {
protected:
  std::array<int64_t, 2> xInfo{-1, 2};
  std::array<int64_t, 1> offsetInfo{1};
  std::array<const char *, 2> names{"n", nullptr};
  std::array<GravenTensorInfo, 2> inputInfo{
      {{"x", xInfo.data(), names.data(), GRAVEN_I32, 2},
       {"offset", offsetInfo.data(), nullptr, GRAVEN_I32, 1}}};
  GravenTensorInfo outputInfo{"y", xInfo.data(), names.data(), GRAVEN_I32, 2};
  GravenSymbol symbol{"n", 1, 9};
  std::array<int64_t, 1> atOne{1}, atFour{4};
  std::array<int64_t, 2> oneOut{1, 2}, fourOut{4, 2};
  std::array<GravenSize, 2> sizes{
      {{atOne.data(), oneOut.data(), &one, 64, nullptr},
       {atFour.data(), fourOut.data(), &four, 256, nullptr}}};
  std::array<int64_t, 3> units{1, 0, 1};
  GravenModel model = fake_model;
  char error[256] = "";

  Sizes() {
    model.inputs = inputInfo.data();
    model.outputs = &outputInfo;
    model.num_inputs = 2;
    model.num_outputs = 1;
    model.workspace_size = 256;
    model.variants = &one;
    model.symbols = &symbol;
    model.num_symbols = 1;
    model.sizes = sizes.data();
    model.num_sizes = 2;
    model.split = 0;
    model.split_units = units.data();
    calls.clear();
  }

  int run(int64_t rows, int64_t outRows, std::vector<int32_t> &y) {
    std::vector<int32_t> x(rows * 2);
    std::iota(x.begin(), x.end(), 0);
    int32_t offset = 100;
    y.assign(outRows * 2, -1);
    std::array<int64_t, 2> xExtents{rows, 2}, yExtents{outRows, 2};
    std::array<int64_t, 1> offsetExtents{1};
    GravenTensor inputs[] = {
        {x.data(), xExtents.data(), GRAVEN_I32, 2, nullptr},
        {&offset, offsetExtents.data(), GRAVEN_I32, 1, nullptr}};
    GravenTensor output{y.data(), yExtents.data(), GRAVEN_I32, 2, nullptr};
    return graven_model_run(&model, inputs, 2, &output, 1, nullptr, nullptr,
                            error, sizeof(error));
  }
};

TEST_F(Sizes, takesTheCodeOfJustTheseExtents) {
  std::vector<int32_t> y;
  ASSERT_EQ(run(4, 4, y), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({4}));
}

TEST_F(Sizes, putsOthersTogetherLargestFirst) {
  std::vector<int32_t> y;
  ASSERT_EQ(run(9, 9, y), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({4, 4, 1}));
  for (int i = 0; i < 18; ++i)
    EXPECT_EQ(y[i], 100 + i);
}

TEST_F(Sizes, leavesNothingThatThereIsNoCodeFor) {
  atOne[0] = 2;
  atFour[0] = 3;
  sizes[0].variants = &two;
  sizes[1].variants = &three;
  std::vector<int32_t> y;
  ASSERT_EQ(run(7, 7, y), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({3, 2, 2}));
  for (int i = 0; i < 14; ++i)
    EXPECT_EQ(y[i], 100 + i);
  int64_t n = 8;
  EXPECT_EQ(graven_model_workspace_size(&model, &n), 256);
  n = 4;
  EXPECT_EQ(graven_model_workspace_size(&model, &n), 64);
  EXPECT_EQ(run(1, 1, y), GRAVEN_ERROR_EXTENT);
}

TEST_F(Sizes, takesNamedSizesOnlyWithoutASplit) {
  model.split = -1;
  std::vector<int32_t> y;
  EXPECT_EQ(run(3, 3, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "model 'fake' has no code for n = 3, only for the sizes "
                      "it was compiled for");
  EXPECT_TRUE(calls.empty());
}

TEST_F(Sizes, refusesExtentsOutOfRange) {
  std::vector<int32_t> y;
  EXPECT_EQ(run(10, 10, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "model 'fake': expected n from 1 to 9, got 10");
  symbol = {"n", 2, INT64_MAX};
  EXPECT_EQ(run(1, 1, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "model 'fake': expected n of at least 2, got 1");
}

TEST_F(Sizes, readsWhatFollowsFromASymbol) {
  for (const char *text : {"n", "2*n", "n+1", "n-1", "4*n+10"}) {
    names[0] = text;
    int64_t extents = 0;
    char *star = nullptr;
    int64_t scale = std::strtoll(text, &star, 10);
    const char *sign = std::strpbrk(text, "+-");
    int64_t rows = (*star == '*' ? scale : 1) * 3 +
                   (sign ? std::strtoll(sign, nullptr, 10) : 0);
    std::array<int64_t, 2> x{rows, 2};
    std::array<int64_t, 1> one{1};
    GravenTensor inputs[] = {{nullptr, x.data(), GRAVEN_I32, 2, nullptr},
                             {nullptr, one.data(), GRAVEN_I32, 1, nullptr}};
    EXPECT_EQ(
        graven_model_extents(&model, inputs, 2, &extents, error, sizeof(error)),
        GRAVEN_OK)
        << text << error;
    EXPECT_EQ(extents, 3) << text;
  }
  names[0] = "4*n+1";
  std::vector<int32_t> y;
  EXPECT_EQ(run(12, 3, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'x': expected extent 4*n+1 with n = 2 on axis 0, "
                      "got 12");
}

/// ONNX has symbols with such names.
TEST_F(Sizes, takesASymbolByItsWholeName) {
  symbol.name = names[0] = "past+1";
  std::vector<int32_t> y;
  EXPECT_EQ(run(4, 4, y), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({4}));
}

TEST_F(Sizes, refusesOutputsOfOtherExtents) {
  std::vector<int32_t> y;
  EXPECT_EQ(run(5, 4, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "output 'y': expected extent 5 on axis 0, got 4");
}

TEST_F(Sizes, saysWhatFollowsFromExtents) {
  int64_t n = 3, result[2];
  ASSERT_EQ(
      graven_model_output_extents(&model, &n, 0, result, error, sizeof(error)),
      GRAVEN_OK);
  EXPECT_EQ(result[0], 3);
  EXPECT_EQ(result[1], 2);
  EXPECT_EQ(graven_model_workspace_size(&model, &n), 64);
  n = 5;
  EXPECT_EQ(graven_model_workspace_size(&model, &n), 256);
  n = 0;
  EXPECT_EQ(graven_model_workspace_size(&model, &n), -1);
  EXPECT_EQ(
      graven_model_output_extents(&model, &n, 1, result, error, sizeof(error)),
      GRAVEN_ERROR_ARGUMENT_COUNT);
}

TEST_F(Sizes, barePointersNeedExtents) {
  void *none[2] = {};
  EXPECT_EQ(graven_model_call(&model, none, none, nullptr, nullptr, error,
                              sizeof(error)),
            GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error,
               "model 'fake': the extents of its 1 symbols are not given");
  int64_t n = 10;
  EXPECT_EQ(graven_model_call_sized(&model, &n, none, none, nullptr, nullptr,
                                    nullptr, error, sizeof(error)),
            GRAVEN_ERROR_EXTENT);
}

TEST_F(Sizes, inputsThatDisagreeAreRefused) {
  std::array<int64_t, 1> dynamic{-1};
  const char *name = "n";
  inputInfo[1].extents = dynamic.data();
  inputInfo[1].symbols = &name;
  std::vector<int32_t> y;
  EXPECT_EQ(run(4, 4, y), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'offset': expected extent n = 4 on axis 0, got 1");
}

/// y[h, w / 2, 1] = x[h, 0 .. w - w % 2] of an x[4, 6], where what is not used
/// of x is zero; outputs that are not used get a number.
int32_t pickPairs(void *const *inputs, void *const *outputs, void *,
                  const void *, const GravenParallel *) {
  const auto *x = static_cast<const int32_t *>(inputs[0]);
  auto *y = static_cast<int32_t *>(outputs[0]);
  calls = {*static_cast<const int64_t *>(inputs[1]),
           *static_cast<const int64_t *>(inputs[2])};
  for (int64_t i = 0; i < 24; ++i) {
    bool used = i / 6 < calls[0] && i % 6 < 2 * calls[1];
    EXPECT_TRUE(used || i % 6 == 2 * calls[1] || x[i] == 0);
    y[i] = used ? x[i] : -7;
  }
  return GRAVEN_OK;
}

int32_t addExactly(void *const *, void *const *, void *, const void *,
                   const GravenParallel *) {
  calls = {-1};
  return GRAVEN_OK;
}

/// f(x[h, w]) -> y[h, floor(w / 2) * 2] with room for h <= 4 and 2 <= w <= 6,
/// and code for just 4 and 6.
class Rooms : public testing::Test {
protected:
  std::array<int64_t, 2> dynamic{-1, -1}, most{4, 6}, lowest{1, 2},
      outputs{4, 6};
  std::array<const char *, 2> names{"h", "w"};
  GravenTensorInfo x{"x", dynamic.data(), names.data(), GRAVEN_I32, 2},
      y{"y", dynamic.data(), nullptr, GRAVEN_I32, 2};
  std::array<GravenSymbol, 2> symbols{{{"h", 1, 4}, {"w", 2, 6}}};
  std::array<int64_t, 4> rows{1, 2, 3, 4};
  std::array<int64_t, 5> columns{2, 3, 4, 5, 6}, pairs{1, 1, 2, 2, 3};
  std::array<GravenFunction, 3> functions{
      {{0, rows.data()}, {1, columns.data()}, {1, pairs.data()}}};
  std::array<int64_t, 2> passed{0, 2}, counts{2, 3};
  std::array<GravenFactor, 5> factors{
      {{0, 4, 0}, {1, 6, 1}, {0, 4, 0}, {1, 3, 2}, {1, 2, -1}}};
  GravenRoom room{lowest.data(),
                  functions.data(),
                  passed.data(),
                  2,
                  factors.data(),
                  counts.data(),
                  64,
                  nullptr,
                  0};
  GravenVariant any{pickPairs, 0, "x86-64"}, just{addExactly, 0, "x86-64"};
  std::array<GravenSize, 2> sizes{
      {{most.data(), outputs.data(), &any, 1024, &room},
       {most.data(), outputs.data(), &just, 0, nullptr}}};
  GravenModel model = fake_model;
  char error[256] = "";

  Rooms() {
    model.inputs = &x;
    model.outputs = &y;
    model.num_inputs = model.num_outputs = 1;
    model.workspace_size = sizes[0].workspace_size;
    model.variants = &any;
    model.num_variants = 1;
    model.symbols = symbols.data();
    model.num_symbols = 2;
    model.sizes = sizes.data();
    model.num_sizes = 2;
    model.split = -1;
  }

  int run(int64_t h, int64_t w, std::vector<int32_t> &result) {
    std::vector<int32_t> data(h * w);
    std::iota(data.begin(), data.end(), 1);
    result.assign(h * (w / 2 * 2), 0);
    std::array<int64_t, 2> in{h, w}, out{h, w / 2 * 2};
    GravenTensor input{data.data(), in.data(), GRAVEN_I32, 2, nullptr},
        output{result.data(), out.data(), GRAVEN_I32, 2, nullptr};
    return graven_model_run(&model, &input, 1, &output, 1, nullptr, nullptr,
                            error, sizeof(error));
  }
};

TEST_F(Rooms, copiesWhatIsUsed) {
  for (int64_t h : {1, 3, 4})
    for (int64_t w : {2, 3, 5}) {
      std::vector<int32_t> result;
      ASSERT_EQ(run(h, w, result), GRAVEN_OK) << error;
      EXPECT_EQ(calls, std::vector<int64_t>({h, w / 2}));
      int64_t width = w / 2 * 2;
      for (int64_t i = 0; i < h * width; ++i)
        EXPECT_EQ(result[i], i / width * w + i % width + 1);
    }
}

TEST_F(Rooms, prefersTheCodeOfJustTheseExtents) {
  std::vector<int32_t> result;
  ASSERT_EQ(run(4, 6, result), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({-1}));
}

TEST_F(Rooms, prefersTheSmallestRoom) {
  std::array<int64_t, 2> less{2, 3}, lessOut{2, 2};
  sizes[1] = {less.data(), lessOut.data(), &just, 320, &room};
  std::vector<int32_t> result;
  ASSERT_EQ(run(2, 3, result), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({-1}));
  ASSERT_EQ(run(2, 4, result), GRAVEN_OK) << error;
  EXPECT_EQ(calls, std::vector<int64_t>({2, 2}));
  int64_t extents[] = {2, 3};
  EXPECT_EQ(graven_model_workspace_size(&model, extents), 320);
}

TEST_F(Rooms, refusesWhatIsOutOfRange) {
  std::vector<int32_t> result;
  EXPECT_EQ(run(5, 4, result), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "model 'fake': expected h from 1 to 4, got 5");
  EXPECT_EQ(run(3, 1, result), GRAVEN_ERROR_EXTENT);
}

} // namespace
