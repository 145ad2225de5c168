//===- CpuTables.cpp - features and caches of CPUs --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file holds the tables of feature bits, one for each architecture, and of
// cache sizes. The sizes are those of the vendors' optimization manuals.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/CpuTables.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/STLExtras.h"

using namespace graven::cpu;

namespace {

constexpr FeatureBit x86Features[] = {
    {"sse3", GRAVEN_CPU_SSE3},
    {"ssse3", GRAVEN_CPU_SSSE3},
    {"sse4.1", GRAVEN_CPU_SSE4_1},
    {"sse4.2", GRAVEN_CPU_SSE4_2},
    {"popcnt", GRAVEN_CPU_POPCNT},
    {"cx16", GRAVEN_CPU_CX16},
    {"sahf", GRAVEN_CPU_LAHF},
    {"avx", GRAVEN_CPU_AVX},
    {"avx2", GRAVEN_CPU_AVX2},
    {"bmi", GRAVEN_CPU_BMI},
    {"bmi2", GRAVEN_CPU_BMI2},
    {"f16c", GRAVEN_CPU_F16C},
    {"fma", GRAVEN_CPU_FMA},
    {"lzcnt", GRAVEN_CPU_LZCNT},
    {"movbe", GRAVEN_CPU_MOVBE},
    {"avx512f", GRAVEN_CPU_AVX512F},
    {"avx512bw", GRAVEN_CPU_AVX512BW},
    {"avx512cd", GRAVEN_CPU_AVX512CD},
    {"avx512dq", GRAVEN_CPU_AVX512DQ},
    {"avx512vl", GRAVEN_CPU_AVX512VL},
    {"avx512vnni", GRAVEN_CPU_AVX512VNNI},
    {"avx512bf16", GRAVEN_CPU_AVX512BF16},
    {"avx512fp16", GRAVEN_CPU_AVX512FP16},
    {"avx512vbmi", GRAVEN_CPU_AVX512VBMI},
    {"avx512vbmi2", GRAVEN_CPU_AVX512VBMI2},
    {"avx512ifma", GRAVEN_CPU_AVX512IFMA},
    {"avx512bitalg", GRAVEN_CPU_AVX512BITALG},
    {"avx512vpopcntdq", GRAVEN_CPU_AVX512VPOPCNTDQ},
    {"avxvnni", GRAVEN_CPU_AVXVNNI},
    {"amx-tile", GRAVEN_CPU_AMX_TILE},
    {"amx-int8", GRAVEN_CPU_AMX_INT8},
    {"amx-bf16", GRAVEN_CPU_AMX_BF16},
    {"gfni", GRAVEN_CPU_GFNI},
    {"vaes", GRAVEN_CPU_VAES},
    {"vpclmulqdq", GRAVEN_CPU_VPCLMULQDQ},
    {"adx", GRAVEN_CPU_ADX},
};

/// SVE is missing because code for AArch64 does not use it (see
/// CpuTarget::get), and so is what no code uses unless it says so: many a
/// cortex-a72 is without the instructions for AES that LLVM takes for granted.
constexpr FeatureBit aarch64Features[] = {
    {"neon", GRAVEN_CPU_ARM_SIMD},       {"fullfp16", GRAVEN_CPU_ARM_FP16},
    {"rdm", GRAVEN_CPU_ARM_RDMA},        {"complxnum", GRAVEN_CPU_ARM_FCMA},
    {"sha3", GRAVEN_CPU_ARM_SHA3},       {"dotprod", GRAVEN_CPU_ARM_DOTPROD},
    {"fp16fml", GRAVEN_CPU_ARM_FP16FML}, {"flagm", GRAVEN_CPU_ARM_FLAGM},
    {"altnzcv", GRAVEN_CPU_ARM_FLAGM2},  {"fptoint", GRAVEN_CPU_ARM_FRINTTS},
    {"i8mm", GRAVEN_CPU_ARM_I8MM},       {"bf16", GRAVEN_CPU_ARM_BF16},
    {"cssc", GRAVEN_CPU_ARM_CSSC},       {"mops", GRAVEN_CPU_ARM_MOPS},
};

/// The last level is the share of one core complex (AMD), of 8 slices (Intel),
/// or of a cluster (Arm).
constexpr CacheSizes cacheSizes[] = {
    {"haswell", 32, 256, 8 << 10},
    {"broadwell", 32, 256, 8 << 10},
    {"skylake", 32, 256, 8 << 10},
    {"skylake-avx512", 32, 1024, 11 << 10},
    {"cascadelake", 32, 1024, 11 << 10},
    {"cooperlake", 32, 1024, 11 << 10},
    {"icelake-client", 48, 512, 8 << 10},
    {"icelake-server", 48, 1280, 12 << 10},
    {"tigerlake", 48, 1280, 12 << 10},
    {"sapphirerapids", 48, 2048, 15 << 10},
    {"emeraldrapids", 48, 2048, 40 << 10},
    {"graniterapids", 48, 2048, 32 << 10},
    {"alderlake", 48, 1280, 12 << 10},
    {"znver1", 32, 512, 8 << 10},
    {"znver2", 32, 512, 16 << 10},
    {"znver3", 32, 512, 32 << 10},
    {"znver4", 32, 1024, 32 << 10},
    {"znver5", 48, 1024, 32 << 10},
    {"cortex-a53", 32, 512, 0},
    {"cortex-a55", 32, 128, 1 << 10},
    {"cortex-a57", 32, 1024, 0},
    {"cortex-a72", 32, 1024, 0},
    {"cortex-a76", 64, 512, 2 << 10},
    {"cortex-a78", 64, 512, 4 << 10},
    {"cortex-x1", 64, 1024, 8 << 10},
    {"neoverse-n1", 64, 1024, 8 << 10},
    {"neoverse-n2", 64, 1024, 8 << 10},
    {"neoverse-v1", 64, 1024, 8 << 10},
    {"neoverse-v2", 64, 2048, 8 << 10},
    {"a64fx", 64, 8 << 10, 0},
    {"ampere1", 64, 2048, 8 << 10},
    {"apple-m1", 128, 12 << 10, 8 << 10},
    {"apple-m2", 128, 16 << 10, 8 << 10},
    {"apple-m3", 128, 16 << 10, 8 << 10},
};

} // namespace

llvm::ArrayRef<FeatureBit> graven::cpu::featureBitsOf(Machine machine) {
  if (machine == Machine::AArch64)
    return aarch64Features;
  return x86Features;
}

const CacheSizes *graven::cpu::cacheSizesOf(llvm::StringRef cpu) {
  const auto *sizes = llvm::find_if(
      cacheSizes, [&](const CacheSizes &s) { return s.cpu == cpu; });
  return sizes == std::end(cacheSizes) ? nullptr : sizes;
}
