/*===- cpu.c - which CPU features can be used ----------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the question whether this CPU, under this operating
 * system, can run code compiled for a set of features (Intel SDM vol. 2,
 * CPUID; vol. 1, 13.3 and 14.3 for the registers the system must save; Linux,
 * Documentation/arch/arm64/elf_hwcaps.rst).
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Set in the cache once the CPU was asked; no feature has this bit. */
#define FEATURES_KNOWN (UINT64_C(1) << 63)

#if defined(__aarch64__)
static const char names[][16] = {
    "simd",  "fp16",   "rdma",    "fcma", "sha3", "dotprod", "fp16fml",
    "flagm", "flagm2", "frintts", "i8mm", "bf16", "cssc",    "mops"};
#else
static const char names[][16] = {
    "sse3",        "ssse3",      "sse4.1",       "sse4.2",
    "popcnt",      "cx16",       "lahf",         "avx",
    "avx2",        "bmi",        "bmi2",         "f16c",
    "fma",         "lzcnt",      "movbe",        "avx512f",
    "avx512bw",    "avx512cd",   "avx512dq",     "avx512vl",
    "avx512vnni",  "avx512bf16", "avx512fp16",   "avx512vbmi",
    "avx512vbmi2", "avx512ifma", "avx512bitalg", "avx512vpopcntdq",
    "avxvnni",     "amx-tile",   "amx-int8",     "amx-bf16",
    "gfni",        "vaes",       "vpclmulqdq",   "adx"};
#endif

/* The name of the lowest bit. */
GRAVEN_SUPPORT const char *graven_cpu_feature_name(uint64_t mask) {
  unsigned bit = mask ? (unsigned)__builtin_ctzll(mask) : 64;
  return bit < sizeof(names) / sizeof(names[0]) ? names[bit]
                                                : "an unknown feature";
}

#if defined(__x86_64__)

#include <cpuid.h>

typedef struct Leaf {
  unsigned a, b, c, d;
} Leaf;

/* The leaves that say which instructions there are. */
typedef struct Leaves {
  Leaf basic, more, more1, extended;
} Leaves;

/* glibc 2.33 and later keep what the CPU said when the process started. */
typedef struct KeptLeaf {
  unsigned cpuid[4];
  unsigned active[4];
} KeptLeaf;
extern const KeptLeaf *__x86_get_cpuid_feature_leaf(unsigned index);
#pragma weak __x86_get_cpuid_feature_leaf

static Leaf keptLeaf(unsigned index) {
  const unsigned *words = __x86_get_cpuid_feature_leaf(index)->cpuid;
  return (Leaf){words[0], words[1], words[2], words[3]};
}

/* A leaf that the CPU has. */
static Leaf askLeaf(unsigned number, unsigned sub) {
  Leaf leaf;
  __cpuid_count(number, sub, leaf.a, leaf.b, leaf.c, leaf.d);
  return leaf;
}

/* What the CPU does not have is all zero. A hypervisor answers each question in
 * its own time, 5 us on some: the few of a first call would be most of what it
 * takes longer than later ones. */
static Leaves findLeaves(void) {
  Leaves leaves = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};
  if (__x86_get_cpuid_feature_leaf)
    return (Leaves){keptLeaf(0), keptLeaf(1), keptLeaf(6), keptLeaf(2)};
  /* Every CPU of 64 bits has these two: the bit for that is in the second. */
  leaves.basic = askLeaf(1, 0);
  leaves.extended = askLeaf(0x80000001u, 0);
  if (askLeaf(0, 0).a >= 7)
    leaves.more = askLeaf(7, 0);
  if (leaves.more.a >= 1)
    leaves.more1 = askLeaf(7, 1);
  return leaves;
}

/* The register sets that the operating system saves (XCR0). */
static uint64_t savedRegisters(Leaf basic) {
  if (!(basic.c & (1u << 27))) /* OSXSAVE */
    return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

static uint64_t feature(unsigned word, unsigned bit, uint64_t name) {
  return (word >> bit) & 1 ? name : 0;
}

static uint64_t queryFeatures(void) {
  Leaves leaves = findLeaves();
  Leaf basic = leaves.basic, more = leaves.more, more1 = leaves.more1;
  Leaf extended = leaves.extended;
  uint64_t saved = savedRegisters(basic);
  int ymm = (saved & 0x6) == 0x6, zmm = (saved & 0xe6) == 0xe6;
  int tiles = (saved & 0x60000) == 0x60000;

  uint64_t found =
      feature(basic.c, 0, GRAVEN_CPU_SSE3) |
      feature(basic.c, 9, GRAVEN_CPU_SSSE3) |
      feature(basic.c, 19, GRAVEN_CPU_SSE4_1) |
      feature(basic.c, 20, GRAVEN_CPU_SSE4_2) |
      feature(basic.c, 23, GRAVEN_CPU_POPCNT) |
      feature(basic.c, 13, GRAVEN_CPU_CX16) |
      feature(basic.c, 22, GRAVEN_CPU_MOVBE) |
      feature(extended.c, 0, GRAVEN_CPU_LAHF) |
      feature(extended.c, 5, GRAVEN_CPU_LZCNT) |
      feature(more.b, 3, GRAVEN_CPU_BMI) | feature(more.b, 8, GRAVEN_CPU_BMI2) |
      feature(more.b, 19, GRAVEN_CPU_ADX) | feature(more.c, 8, GRAVEN_CPU_GFNI);
  if (ymm)
    found |= feature(basic.c, 28, GRAVEN_CPU_AVX) |
             feature(basic.c, 29, GRAVEN_CPU_F16C) |
             feature(basic.c, 12, GRAVEN_CPU_FMA) |
             feature(more.b, 5, GRAVEN_CPU_AVX2) |
             feature(more.c, 9, GRAVEN_CPU_VAES) |
             feature(more.c, 10, GRAVEN_CPU_VPCLMULQDQ) |
             feature(more1.a, 4, GRAVEN_CPU_AVXVNNI);
  if (zmm)
    found |= feature(more.b, 16, GRAVEN_CPU_AVX512F) |
             feature(more.b, 17, GRAVEN_CPU_AVX512DQ) |
             feature(more.b, 21, GRAVEN_CPU_AVX512IFMA) |
             feature(more.b, 28, GRAVEN_CPU_AVX512CD) |
             feature(more.b, 30, GRAVEN_CPU_AVX512BW) |
             feature(more.b, 31, GRAVEN_CPU_AVX512VL) |
             feature(more.c, 1, GRAVEN_CPU_AVX512VBMI) |
             feature(more.c, 6, GRAVEN_CPU_AVX512VBMI2) |
             feature(more.c, 11, GRAVEN_CPU_AVX512VNNI) |
             feature(more.c, 12, GRAVEN_CPU_AVX512BITALG) |
             feature(more.c, 14, GRAVEN_CPU_AVX512VPOPCNTDQ) |
             feature(more.d, 23, GRAVEN_CPU_AVX512FP16) |
             feature(more1.a, 5, GRAVEN_CPU_AVX512BF16);
  if (tiles)
    found |= feature(more.d, 22, GRAVEN_CPU_AMX_BF16) |
             feature(more.d, 24, GRAVEN_CPU_AMX_TILE) |
             feature(more.d, 25, GRAVEN_CPU_AMX_INT8);
  return found;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

/* Where the kernel says that there is a feature: a bit of the first or, plus
 * 64, of the second word. */
typedef struct Capability {
  uint64_t feature;
  unsigned bit;
} Capability;

static uint64_t queryFeatures(void) {
  static const Capability capabilities[] = {
      {GRAVEN_CPU_ARM_SIMD, 1},        {GRAVEN_CPU_ARM_FP16, 10},
      {GRAVEN_CPU_ARM_RDMA, 12},       {GRAVEN_CPU_ARM_FCMA, 14},
      {GRAVEN_CPU_ARM_SHA3, 17},       {GRAVEN_CPU_ARM_DOTPROD, 20},
      {GRAVEN_CPU_ARM_FP16FML, 23},    {GRAVEN_CPU_ARM_FLAGM, 27},
      {GRAVEN_CPU_ARM_FLAGM2, 64 + 7}, {GRAVEN_CPU_ARM_FRINTTS, 64 + 8},
      {GRAVEN_CPU_ARM_I8MM, 64 + 13},  {GRAVEN_CPU_ARM_BF16, 64 + 14},
      {GRAVEN_CPU_ARM_CSSC, 64 + 34},  {GRAVEN_CPU_ARM_MOPS, 64 + 43}};
  uint64_t words[2] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
  uint64_t found = 0;
  for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); ++i) {
    unsigned bit = capabilities[i].bit;
    if ((words[bit / 64] >> (bit % 64)) & 1)
      found |= capabilities[i].feature;
  }
  return found;
}

#else

static uint64_t queryFeatures(void) { return 0; }

#endif

typedef struct Level {
  char name[16];
  uint64_t features;
} Level;

static const Level levels[] = {
#if defined(__aarch64__)
    {"armv8-a", GRAVEN_CPU_ARMV8_A},
    {"armv8.2-a", GRAVEN_CPU_ARMV8_2_A},
    {"armv8.4-a", GRAVEN_CPU_ARMV8_4_A},
    {"armv8.6-a", GRAVEN_CPU_ARMV8_6_A},
#else
    {"x86-64", 0},
    {"x86-64-v2", GRAVEN_CPU_X86_64_V2},
    {"x86-64-v3", GRAVEN_CPU_X86_64_V3},
    {"x86-64-v4", GRAVEN_CPU_X86_64_V4},
#endif
};

/* The features that the user allows. */
static uint64_t limitFeatures(uint64_t features) {
  const char *limit = getenv("GRAVEN_MAX_CPU");
  if (!limit || !*limit)
    return features;
  for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); ++i)
    if (strcmp(levels[i].name, limit) == 0)
      return features & levels[i].features;
  return GRAVEN_CPU_BAD_LIMIT;
}

GRAVEN_SUPPORT uint64_t graven_cpu_features(void) {
  static _Atomic uint64_t cache;
  uint64_t features = atomic_load_explicit(&cache, memory_order_relaxed);
  if (!features) {
    features = limitFeatures(queryFeatures()) | FEATURES_KNOWN;
    atomic_store_explicit(&cache, features, memory_order_relaxed);
  }
  return features & ~FEATURES_KNOWN;
}
