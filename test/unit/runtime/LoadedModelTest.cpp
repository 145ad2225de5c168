//===- LoadedModelTest.cpp - artifacts loaded and run -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests LoadedModel on shared objects that the build linked as the
// compiler does: FakeModel.c with the embedded support object and stubs.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/LoadedModel.h"

#include "test/unit/runtime/TestFiles.h"
#include "gtest/gtest.h"

#include <cstring>
#include <fstream>

using namespace graven::rt;

namespace {

constexpr const char *artifact = GRAVEN_FAKE_MODEL;

LoadedModel load() {
  Result<LoadedModel> model = LoadedModel::load(artifact);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(*model);
}

std::vector<Array> goodInputs() {
  std::vector<Array> inputs;
  inputs.push_back(std::move(*Array::create(GRAVEN_F32, {2, 3})));
  inputs.push_back(std::move(*Array::create(GRAVEN_F32, {3})));
  for (int i = 0; i < 6; ++i)
    inputs[0].as<float>()[static_cast<size_t>(i)] = static_cast<float>(i);
  inputs[1].as<float>()[2] = 100;
  return inputs;
}

void expectGoodRun(LoadedModel &model) {
  std::vector<Array> inputs = goodInputs();
  Result<std::vector<Array>> outputs = model.run(inputs);
  ASSERT_TRUE(outputs) << outputs.error().message;
  ASSERT_EQ(outputs->size(), 1u);
  std::span<const float> y = std::as_const((*outputs)[0]).as<float>();
  EXPECT_EQ(std::vector<float>(y.begin(), y.end()),
            (std::vector<float>{0, 2, 104, 6, 8, 110}));
}

TEST(LoadedModel, describesItself) {
  LoadedModel model = load();
  EXPECT_EQ(model.name(), "fake");
  ASSERT_EQ(model.inputs().size(), 2u);
  EXPECT_STREQ(model.inputs()[1].name, "bias");
  ASSERT_EQ(model.outputs().size(), 1u);
  EXPECT_EQ(model.table().weights_size, 4);
  EXPECT_EQ(std::strncmp(model.table().provenance, "compiler=", 9), 0);
}

TEST(LoadedModel, isFoundByItsNameToo) {
  EXPECT_TRUE(LoadedModel::load(artifact, "fake"));
  Result<LoadedModel> other = LoadedModel::load(artifact, "other");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message,
            std::string(artifact) +
                ": not a compiled model: no symbol 'other_model'");
}

TEST(LoadedModel, runs) {
  LoadedModel model = load();
  expectGoodRun(model);
  expectGoodRun(model);
}

TEST(LoadedModel, runsOnThreads) {
  LoadedModel model = load();
  for (int threads : {2, 4, 1, 0}) {
    ASSERT_TRUE(model.setThreads(threads));
    expectGoodRun(model);
  }
}

TEST(LoadedModel, refusesMoreThreadsThanThereCanBe) {
  LoadedModel model = load();
  Status status = model.setThreads(1 << 30);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "no pool of 1073741824 threads could be created");
}

TEST(LoadedModel, movesWithItsPool) {
  LoadedModel model = load();
  ASSERT_TRUE(model.setThreads(2));
  LoadedModel other = load();
  ASSERT_TRUE(other.setThreads(2));
  other = std::move(model);
  expectGoodRun(other);
}

TEST(LoadedModel, callsWithPointers) {
  LoadedModel model = load();
  std::vector<Array> inputs = goodInputs();
  float y[6];
  void *in[] = {inputs[0].data(), inputs[1].data()};
  void *out[] = {y};
  ASSERT_TRUE(model.call(in, out));
  EXPECT_EQ(y[5], 110);
  Status status = model.call(in, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "model 'fake': expected 2 inputs and 1 "
                                    "outputs, got 2 and 0");
}

TEST(LoadedModel, reportsWhatTheChecksFind) {
  LoadedModel model = load();
  std::vector<Array> inputs = goodInputs();
  inputs[1] = std::move(*Array::create(GRAVEN_F64, {3}));
  EXPECT_EQ(model.run(inputs).error().message,
            "input 'bias': expected f32, got f64");
  inputs.pop_back();
  EXPECT_EQ(model.run(inputs).error().message,
            "model 'fake': expected 2 inputs, got 1");
}

TEST(LoadedModel, findsInputsByNameOrIndex) {
  LoadedModel model = load();
  EXPECT_EQ(*model.findInput("bias"), 1u);
  EXPECT_EQ(*model.findInput("0"), 0u);
  for (const char *name : {"2", "y", "", "-1", "0x", "99999999999999999999"})
    EXPECT_FALSE(model.findInput(name)) << name;
  EXPECT_EQ(model.findInput("y").error().message,
            "model 'fake' has no input 'y', only 'x', 'bias'");
}

TEST(LoadedModel, refusesOtherFiles) {
  TestFolder folder;
  folder.write("text.so", "not a shared object");
  std::string text = folder.path("text.so");
  Result<LoadedModel> model = LoadedModel::load(text);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            text + ": truncated: expected at least 64 bytes, got 19");
  folder.write("long.so", std::string(100, 'x'));
  std::string other = folder.path("long.so");
  EXPECT_EQ(LoadedModel::load(other).error().message,
            other + ": not a shared object for x86-64");
  EXPECT_FALSE(LoadedModel::load(folder.path("none.so")));
  EXPECT_FALSE(LoadedModel::load("libm.so.6"))
      << "a bare name must not be searched for";
}

// dlopen would map pages beyond the end of the file and die of them.
TEST(LoadedModel, refusesEveryTruncation) {
  std::ifstream stream(GRAVEN_NO_MODEL, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)),
                    std::istreambuf_iterator<char>());
  TestFolder folder;
  size_t refused = 0;
  for (size_t size = 0; size < bytes.size(); size += bytes.size() / 64 + 1) {
    folder.write("m.so", bytes.substr(0, size));
    refused += !LoadedModel::load(folder.path("m.so"));
  }
  EXPECT_GE(refused, 32u);
}

TEST(LoadedModel, refusesLibrariesThatAreNoModels) {
  Result<LoadedModel> model = LoadedModel::load(GRAVEN_NO_MODEL);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            std::string(GRAVEN_NO_MODEL) +
                ": not a compiled model: no symbol 'graven_model'");
}

TEST(LoadedModel, refusesAnotherAbi) {
  Result<LoadedModel> model = LoadedModel::load(GRAVEN_OLD_MODEL);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            std::string(GRAVEN_OLD_MODEL) + ": expected abi version 5, got 0");
}

} // namespace
