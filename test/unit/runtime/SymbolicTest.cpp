//===- SymbolicTest.cpp - extents known only at run time --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests how graven_model_check ties symbolic extents together, and
// scalars, empty tensors and runs with many tensors.
//
//===----------------------------------------------------------------------===//
#include "test/unit/runtime/FakeModel.h"

#include "gtest/gtest.h"

#include <array>
#include <limits>
#include <vector>

namespace {

/// f(a[n, 4], b[m, n]) -> c[n, k] where k is whatever `outputSymbol` says.
class Symbolic : public testing::Test {
protected:
  std::array<int64_t, 2> aInfo{-1, 4}, bInfo{-1, -1}, cInfo{-1, -1};
  std::array<const char *, 2> aSymbols{"n", nullptr}, bSymbols{"m", "n"},
      cSymbols{"n", "m"};
  std::array<GravenTensorInfo, 2> inputInfo{
      {{"a", aInfo.data(), aSymbols.data(), GRAVEN_I8, 2},
       {"b", bInfo.data(), bSymbols.data(), GRAVEN_I8, 2}}};
  GravenTensorInfo outputInfo{"c", cInfo.data(), cSymbols.data(), GRAVEN_I8, 2};
  GravenModel model = fake_model;
  std::array<int64_t, 2> a{2, 4}, b{3, 2}, c{2, 3};
  std::array<char, 8> aData{}, bData{}, cData{};
  char error[256] = "";

  int check() {
    model.inputs = inputInfo.data();
    model.outputs = &outputInfo;
    GravenTensor inputs[] = {{aData.data(), a.data(), GRAVEN_I8, 2, nullptr},
                             {bData.data(), b.data(), GRAVEN_I8, 2, nullptr}};
    GravenTensor output{cData.data(), c.data(), GRAVEN_I8, 2, nullptr};
    return graven_model_check(&model, inputs, 2, &output, 1, error,
                              sizeof(error));
  }
};

TEST_F(Symbolic, acceptsEqualExtents) {
  EXPECT_EQ(check(), GRAVEN_OK) << error;
}

TEST_F(Symbolic, acceptsZero) {
  a = {0, 4}, b = {3, 0}, c = {0, 3};
  EXPECT_EQ(check(), GRAVEN_OK) << error;
}

TEST_F(Symbolic, refusesContradictingInputs) {
  b[1] = 5;
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'b': expected extent n = 2 on axis 1, got 5");
}

TEST_F(Symbolic, refusesAContradictionWithinOneInput) {
  bSymbols[0] = "k", bSymbols[1] = "k";
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'b': expected extent k = 3 on axis 1, got 2");
}

TEST_F(Symbolic, refusesAContradictingOutput) {
  c[1] = 4;
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "output 'c': expected extent m = 3 on axis 1, got 4");
}

TEST_F(Symbolic, refusesANegativeExtent) {
  a[0] = -2;
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'a': expected an extent of at least 0 on axis 0, "
                      "got -2");
}

TEST_F(Symbolic, refusesAnOutputExtentThatNoInputGives) {
  cSymbols[1] = "other";
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "output 'c': no input gives the extent 'other' of axis "
                      "1");
}

TEST_F(Symbolic, refusesMoreBytesThanAnAddressHas) {
  a[0] = b[1] = c[0] = std::numeric_limits<int64_t>::max() / 2;
  EXPECT_EQ(check(), GRAVEN_ERROR_EXTENT);
  EXPECT_STREQ(error, "input 'a': the extents exceed 2^63 bytes");
}

TEST(Shapes, scalarsNeedNoExtentsAndEmptyTensorsNoData) {
  std::array<int64_t, 1> none{0};
  std::array<GravenTensorInfo, 2> inputInfo{
      {{"s", nullptr, nullptr, GRAVEN_F64, 0},
       {"e", none.data(), nullptr, GRAVEN_F64, 1}}};
  GravenModel model = fake_model;
  model.inputs = inputInfo.data();
  model.num_outputs = 0;
  double value = 1;
  GravenTensor inputs[] = {{&value, nullptr, GRAVEN_F64, 0, nullptr},
                           {nullptr, none.data(), GRAVEN_F64, 1, nullptr}};
  char error[128] = "";
  EXPECT_EQ(
      graven_model_check(&model, inputs, 2, nullptr, 0, error, sizeof(error)),
      GRAVEN_OK)
      << error;
}

/// Adds its first 99 inputs (i64 scalars) up.
int32_t sumEntry(void *const *inputs, void *const *outputs, void *,
                 const void *, const GravenParallel *) {
  int64_t sum = 0;
  for (int i = 0; i < 99; ++i)
    sum += *static_cast<int64_t *>(inputs[i]);
  *static_cast<int64_t *>(outputs[0]) = sum;
  return GRAVEN_OK;
}

const GravenVariant sumVariant = {sumEntry, 0, "x86-64"};

GravenModel sumModel(std::vector<GravenTensorInfo> &infos) {
  GravenModel model = fake_model;
  model.inputs = infos.data();
  model.outputs = infos.data();
  model.num_inputs = static_cast<int64_t>(infos.size());
  model.workspace_size = 0;
  model.variants = &sumVariant;
  return model;
}

int runSum(size_t count, int64_t &result) {
  std::vector<GravenTensorInfo> infos(
      count, GravenTensorInfo{"i", nullptr, nullptr, GRAVEN_I64, 0});
  GravenModel model = sumModel(infos);
  std::vector<int64_t> values(count);
  std::vector<GravenTensor> inputs(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<int64_t>(i);
    inputs[i] = {&values[i], nullptr, GRAVEN_I64, 0, nullptr};
  }
  GravenTensor output{&result, nullptr, GRAVEN_I64, 0, nullptr};
  return graven_model_run(&model, inputs.data(), model.num_inputs, &output, 1,
                          nullptr, nullptr, nullptr, 0);
}

TEST(ManyTensors, areRunUpToTheLimit) {
  for (size_t count : {size_t{99}, size_t{GRAVEN_RUN_MAX_TENSORS - 1}}) {
    int64_t result = 0;
    EXPECT_EQ(runSum(count, result), GRAVEN_OK);
    EXPECT_EQ(result, 99 * 98 / 2);
  }
}

TEST(ManyTensors, areRefusedBeyondIt) {
  int64_t result = 0;
  EXPECT_EQ(runSum(GRAVEN_RUN_MAX_TENSORS, result),
            GRAVEN_ERROR_ARGUMENT_COUNT);
}

} // namespace
