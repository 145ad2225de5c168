//===- ModelRunTest.cpp - checks and runs of a model table ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests graven_model_check, _call and _run with a table written by
// hand: each check with its status and message, and the values of a run.
//
//===----------------------------------------------------------------------===//
#include "test/unit/runtime/FakeModel.h"

#include "gtest/gtest.h"

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

extern "C" {
uint64_t graven_cpu_features(void);
/// runtime/support/cpu.c for a libc that does not keep what the CPU said.
uint64_t graven_asked_cpu_features(void);
}

namespace {

/// The fake model with good arguments, for tests to spoil one of them.
class ModelRun : public testing::Test {
protected:
  GravenModel model = fake_model;
  std::array<float, 6> x{1, 2, 3, 4, 5, 6};
  std::array<float, 3> bias{10, 20, 30};
  std::array<float, 6> y{};
  std::array<int64_t, 2> matrix{2, 3}, outMatrix{2, 3};
  std::array<int64_t, 1> vector{3};
  alignas(64) std::array<char, 64> workspace{};
  std::vector<GravenTensor> inputs{
      {x.data(), matrix.data(), GRAVEN_F32, 2, nullptr},
      {bias.data(), vector.data(), GRAVEN_F32, 1, nullptr}};
  std::vector<GravenTensor> outputs{
      {y.data(), outMatrix.data(), GRAVEN_F32, 2, nullptr}};
  char error[256] = "";

  int run(void *scratch = nullptr, const GravenParallel *parallel = nullptr) {
    return graven_model_run(&model, inputs.data(),
                            static_cast<int64_t>(inputs.size()), outputs.data(),
                            static_cast<int64_t>(outputs.size()), scratch,
                            parallel, error, sizeof(error));
  }

  void expectFailure(int status, const char *message) {
    EXPECT_EQ(run(workspace.data()), status);
    EXPECT_STREQ(error, message);
    EXPECT_EQ(y, (std::array<float, 6>{})) << "a refused run wrote its output";
  }
};

TEST_F(ModelRun, computes) {
  ASSERT_EQ(run(workspace.data()), GRAVEN_OK) << error;
  EXPECT_EQ(y, (std::array<float, 6>{12, 24, 36, 18, 30, 42}));
}

TEST_F(ModelRun, allocatesAMissingWorkspace) {
  ASSERT_EQ(run(), GRAVEN_OK) << error;
  EXPECT_EQ(y, (std::array<float, 6>{12, 24, 36, 18, 30, 42}));
}

TEST_F(ModelRun, runsOnAPool) {
  GravenPool *pool = graven_pool_create(2);
  ASSERT_NE(pool, nullptr);
  ASSERT_EQ(run(workspace.data(), graven_pool_parallel(pool)), GRAVEN_OK);
  EXPECT_EQ(y, (std::array<float, 6>{12, 24, 36, 18, 30, 42}));
  graven_pool_destroy(pool);
}

/// Records the calls of a caller-supplied parallel_for.
struct Recorder {
  std::vector<int64_t> tasks;
  static void parallelFor(void *context, int64_t tasks,
                          void (*body)(void *, int64_t, int64_t), void *args) {
    static_cast<Recorder *>(context)->tasks.push_back(tasks);
    if (tasks)
      body(args, 0, tasks);
  }
};

TEST_F(ModelRun, announcesARunToTheCallersThreads) {
  Recorder recorder;
  GravenParallel parallel{&recorder, 2, Recorder::parallelFor};
  ASSERT_EQ(run(workspace.data(), &parallel), GRAVEN_OK);
  EXPECT_EQ(recorder.tasks, (std::vector<int64_t>{0, 2}));
}

TEST_F(ModelRun, ignoresParallelismOfOneThread) {
  Recorder recorder;
  GravenParallel parallel{&recorder, 1, Recorder::parallelFor};
  ASSERT_EQ(run(workspace.data(), &parallel), GRAVEN_OK);
  EXPECT_TRUE(recorder.tasks.empty());
}

TEST_F(ModelRun, refusesParallelismWithoutAFunction) {
  GravenParallel parallel{nullptr, 2, nullptr};
  EXPECT_EQ(run(workspace.data(), &parallel), GRAVEN_ERROR_NULL_POINTER);
  EXPECT_STREQ(error, "model 'fake': parallel_for is null");
}

TEST_F(ModelRun, passesOnTheEntrysStatus) {
  x[0] = -1;
  expectFailure(GRAVEN_ERROR_INDEX_OUT_OF_RANGE,
                "model 'fake': index out of range");
}

TEST_F(ModelRun, refusesAWrongCount) {
  inputs.pop_back();
  expectFailure(GRAVEN_ERROR_ARGUMENT_COUNT,
                "model 'fake': expected 2 inputs, got 1");
}

TEST_F(ModelRun, refusesAWrongOutputCount) {
  outputs.clear();
  expectFailure(GRAVEN_ERROR_ARGUMENT_COUNT,
                "model 'fake': expected 1 outputs, got 0");
}

TEST_F(ModelRun, refusesAWrongDtype) {
  inputs[0].dtype = GRAVEN_F64;
  expectFailure(GRAVEN_ERROR_DTYPE, "input 'x': expected f32, got f64");
}

TEST_F(ModelRun, refusesAnUnknownDtype) {
  inputs[0].dtype = 1000;
  expectFailure(GRAVEN_ERROR_DTYPE, "input 'x': expected f32, got ?");
}

TEST_F(ModelRun, refusesAWrongRank) {
  outputs[0].rank = 1;
  expectFailure(GRAVEN_ERROR_RANK, "output 'y': expected rank 2, got 1");
}

TEST_F(ModelRun, refusesAWrongExtent) {
  vector[0] = 4;
  expectFailure(GRAVEN_ERROR_EXTENT,
                "input 'bias': expected extent 3 on axis 0, got 4");
}

TEST_F(ModelRun, refusesNullExtents) {
  inputs[1].extents = nullptr;
  expectFailure(GRAVEN_ERROR_NULL_POINTER,
                "input 'bias': expected 1 extents, got a null pointer");
}

TEST_F(ModelRun, refusesNullData) {
  outputs[0].data = nullptr;
  expectFailure(GRAVEN_ERROR_NULL_POINTER,
                "output 'y': expected 24 bytes, got a null pointer");
}

TEST_F(ModelRun, refusesMisalignedData) {
  inputs[0].data = reinterpret_cast<char *>(x.data()) + 1;
  EXPECT_EQ(run(workspace.data()), GRAVEN_ERROR_MISALIGNED);
  EXPECT_EQ(std::string(error).substr(0, 47),
            "input 'x': expected data aligned to 4 bytes, go");
}

TEST_F(ModelRun, refusesAMisalignedWorkspace) {
  EXPECT_EQ(run(workspace.data() + 4), GRAVEN_ERROR_MISALIGNED);
  EXPECT_EQ(std::string(error).substr(0, 52),
            "model 'fake': expected a workspace aligned to 64 byt");
}

TEST_F(ModelRun, refusesAnOutputOverAnInput) {
  outputs[0].data = x.data();
  expectFailure(GRAVEN_ERROR_OVERLAP,
                "output 'y': expected memory of its own, got bytes of input "
                "'x'");
}

TEST_F(ModelRun, allowsNeighbours) {
  std::array<float, 15> all{1, 2, 3, 4, 5, 6, 10, 20, 30};
  inputs[0].data = all.data();
  inputs[1].data = all.data() + 6;
  outputs[0].data = all.data() + 9;
  ASSERT_EQ(run(workspace.data()), GRAVEN_OK) << error;
  EXPECT_EQ(all[14], 42);
}

TEST_F(ModelRun, refusesAnotherAbi) {
  model.abi_version = 7;
  expectFailure(GRAVEN_ERROR_ABI_MISMATCH, "expected abi version 5, got 7");
}

TEST_F(ModelRun, refusesATableOfAnotherSize) {
  model.struct_size = 8;
  expectFailure(GRAVEN_ERROR_ABI_MISMATCH,
                "expected a model table of 168 bytes, got 8");
}

TEST_F(ModelRun, refusesACpuFeatureThatNoCpuHas) {
  GravenVariant variant = model.variants[0];
  variant.cpu_features = UINT64_C(1) << 60;
  model.variants = &variant;
  expectFailure(GRAVEN_ERROR_CPU_UNSUPPORTED,
                "model 'fake' was compiled for a cpu with an unknown feature, "
                "which this cpu does not have");
}

// What the entries of different variants do differs here, so that the test sees
// which one ran.
TEST_F(ModelRun, takesTheFirstVariantThatTheCpuHas) {
  static int64_t ran;
  auto entry = [](auto number) -> GravenEntry {
    return [](void *const *, void *const *, void *, const void *,
              const GravenParallel *) -> int32_t {
      ran = decltype(number)::value;
      return GRAVEN_OK;
    };
  };
  const uint64_t none = UINT64_C(1) << 60;
  GravenVariant variants[] = {
      {entry(std::integral_constant<int, 0>()), none, "future"},
      {entry(std::integral_constant<int, 1>()), 0, "x86-64"},
      {entry(std::integral_constant<int, 2>()), 0, "x86-64"}};
  model.variants = variants;
  model.num_variants = 3;
  ASSERT_EQ(run(), GRAVEN_OK) << error;
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(graven_model_variant(&model), &variants[1]);
  variants[1].cpu_features = none;
  ASSERT_EQ(run(), GRAVEN_OK) << error;
  EXPECT_EQ(ran, 2);
  variants[2].cpu_features = none;
  EXPECT_EQ(graven_model_variant(&model), nullptr);
  expectFailure(GRAVEN_ERROR_CPU_UNSUPPORTED,
                "model 'fake' was compiled for a cpu with an unknown feature "
                "or more, which this cpu does not have");
}

// Whoever needs a GPU says, asked without tensors, whether there is one.
TEST_F(ModelRun, takesWhatNeedsAGpuWhereThereIsOne) {
  static int64_t ran;
  static int32_t found;
  GravenVariant variants[] = {
      {[](void *const *inputs, void *const *, void *, const void *,
          const GravenParallel *) -> int32_t {
         if (!inputs)
           return found;
         ran = 0;
         return GRAVEN_OK;
       },
       GRAVEN_NEEDS_GPU, "cuda"},
      {[](void *const *, void *const *, void *, const void *,
          const GravenParallel *) -> int32_t {
         ran = 1;
         return GRAVEN_OK;
       },
       0, "x86-64"}};
  model.variants = variants;
  model.num_variants = 2;
  found = GRAVEN_OK;
  ASSERT_EQ(run(), GRAVEN_OK) << error;
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(graven_model_variant(&model), &variants[0]);
  found = GRAVEN_ERROR_DEVICE;
  ASSERT_EQ(run(), GRAVEN_OK) << error;
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(graven_model_variant(&model), &variants[1]);
}

TEST_F(ModelRun, refusesATableWithoutCode) {
  model.num_variants = 0;
  expectFailure(GRAVEN_ERROR_ABI_MISMATCH, "model 'fake' has no code");
}

TEST_F(ModelRun, refusesAWorkspaceBeyondMemory) {
  model.workspace_size = std::numeric_limits<int64_t>::max() / 2;
  EXPECT_EQ(run(), GRAVEN_ERROR_OUT_OF_MEMORY);
  EXPECT_STREQ(error, "model 'fake': no memory for a workspace of "
                      "4611686018427387903 bytes");
}

TEST_F(ModelRun, refusesANullTable) {
  EXPECT_EQ(
      graven_model_check(nullptr, nullptr, 0, nullptr, 0, error, sizeof(error)),
      GRAVEN_ERROR_NULL_POINTER);
}

TEST_F(ModelRun, truncatesTheMessage) {
  inputs[0].dtype = GRAVEN_F64;
  char small[8] = "xxxxxxx";
  EXPECT_EQ(graven_model_run(&model, inputs.data(), 2, outputs.data(), 1,
                             nullptr, nullptr, small, sizeof(small)),
            GRAVEN_ERROR_DTYPE);
  EXPECT_STREQ(small, "input '");
  EXPECT_EQ(graven_model_run(&model, inputs.data(), 2, outputs.data(), 1,
                             nullptr, nullptr, nullptr, 0),
            GRAVEN_ERROR_DTYPE);
}

TEST(CpuFeatures, areTheSameWhetherLibcKeepsThemOrNot) {
  EXPECT_NE(graven_cpu_features(), 0u);
  EXPECT_EQ(graven_cpu_features(), graven_asked_cpu_features());
}

#if defined(__x86_64__)
TEST(CpuFeatures, agreeWithTheCompilersLibrary) {
  // One artifact per feature: what the run says is what libgcc says.
  GravenModel model = fake_model;
  auto supports = [&](uint64_t feature) {
    GravenVariant variant = fake_model.variants[0];
    variant.cpu_features = feature;
    model.variants = &variant;
    return graven_model_check(&model, nullptr, 0, nullptr, 0, nullptr, 0) !=
           GRAVEN_ERROR_CPU_UNSUPPORTED;
  };
  __builtin_cpu_init();
  EXPECT_EQ(supports(GRAVEN_CPU_SSE4_2), !!__builtin_cpu_supports("sse4.2"));
  EXPECT_EQ(supports(GRAVEN_CPU_POPCNT), !!__builtin_cpu_supports("popcnt"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX), !!__builtin_cpu_supports("avx"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX2), !!__builtin_cpu_supports("avx2"));
  EXPECT_EQ(supports(GRAVEN_CPU_FMA), !!__builtin_cpu_supports("fma"));
  EXPECT_EQ(supports(GRAVEN_CPU_BMI2), !!__builtin_cpu_supports("bmi2"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX512F), !!__builtin_cpu_supports("avx512f"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX512BW),
            !!__builtin_cpu_supports("avx512bw"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX512VNNI),
            !!__builtin_cpu_supports("avx512vnni"));
  EXPECT_EQ(supports(GRAVEN_CPU_AVX512BF16),
            !!__builtin_cpu_supports("avx512bf16"));
  EXPECT_EQ(supports(GRAVEN_CPU_X86_64_V2),
            !!__builtin_cpu_supports("x86-64-v2"));
  EXPECT_EQ(supports(GRAVEN_CPU_X86_64_V3),
            !!__builtin_cpu_supports("x86-64-v3"));
  EXPECT_EQ(supports(GRAVEN_CPU_X86_64_V4),
            !!__builtin_cpu_supports("x86-64-v4"));
}
#endif

TEST(Names, ofStatusesAndTypes) {
  EXPECT_STREQ(graven_status_string(GRAVEN_OK), "ok");
  EXPECT_STREQ(graven_status_string(GRAVEN_ERROR_DEVICE), "device failure");
  EXPECT_STREQ(graven_status_string(-1), "unknown status");
  for (int status = GRAVEN_OK; status <= GRAVEN_ERROR_DEVICE; ++status)
    EXPECT_STRNE(graven_status_string(status), "unknown status") << status;
  EXPECT_STREQ(graven_dtype_name(GRAVEN_BF16), "bf16");
  EXPECT_STREQ(graven_dtype_name(GRAVEN_U64), "u64");
  EXPECT_STREQ(graven_dtype_name(0), "?");
  EXPECT_EQ(graven_dtype_size(GRAVEN_I1), 1u);
  EXPECT_EQ(graven_dtype_size(GRAVEN_BF16), 2u);
  EXPECT_EQ(graven_dtype_size(GRAVEN_F64), 8u);
  EXPECT_EQ(graven_dtype_size(99), 0u);
}

} // namespace
