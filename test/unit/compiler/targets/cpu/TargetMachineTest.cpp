//===- TargetMachineTest.cpp - CPUs by name ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests CpuTarget: known names, what tiles and the ABI learn, and
// errors.
//===----------------------------------------------------------------------===//
#include "llvm/Target/TargetMachine.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/MC/MCSubtargetInfo.h"

using namespace graven::cpu;
using namespace graven::cpu::test;

TEST_F(CpuTargetTest, levelsHaveTheirVectors) {
  EXPECT_EQ(target("x86-64").info.vectorBytes, 16);
  EXPECT_FALSE(target("x86-64-v2").info.hasFMA);
  CpuTarget v3 = target("x86-64-v3");
  EXPECT_EQ(v3.info.vectorBytes, 32);
  EXPECT_EQ(v3.info.vectorRegisters, 16);
  EXPECT_TRUE(v3.info.hasFMA && v3.info.hasF16Convert);
  CpuTarget v4 = target("x86-64-v4");
  EXPECT_EQ(v4.info.vectorBytes, 64);
  EXPECT_EQ(v4.info.vectorRegisters, 32);
  EXPECT_EQ(v4.info.lanes(4), 16);
  EXPECT_FALSE(v4.info.hasBF16Dot);
  CpuTarget zen5 = target("znver5");
  EXPECT_TRUE(zen5.info.hasBF16Dot && zen5.info.hasInt8Dot);
  EXPECT_EQ(zen5.info.l1Bytes, 48 << 10);
  EXPECT_EQ(target("skylake-avx512").info.l2Bytes, 1 << 20);
}

TEST_F(CpuTargetTest, requiredFeaturesAreThoseOfThePsABI) {
  EXPECT_EQ(target("x86-64").requiredFeatures, 0u);
  EXPECT_EQ(target("x86-64-v2").requiredFeatures, GRAVEN_CPU_X86_64_V2);
  EXPECT_EQ(target("x86-64-v3").requiredFeatures, GRAVEN_CPU_X86_64_V3);
  EXPECT_EQ(target("x86-64-v4").requiredFeatures, GRAVEN_CPU_X86_64_V4);
}

TEST_F(CpuTargetTest, namesOfAArch64SayTheArchitecture) {
  for (const char *name : {"armv8-a", "armv8.2-a", "armv9-a", "cortex-a72",
                           "neoverse-n1", "neoverse-v2", "apple-m1"}) {
    CpuTarget arm = target(name);
    EXPECT_EQ(arm.machine, graven::rt::Machine::AArch64) << name;
    EXPECT_EQ(arm.triple, "aarch64-unknown-linux-gnu");
    EXPECT_EQ(arm.info.name, name);
    EXPECT_EQ(arm.info.vectorBytes, 16);
    EXPECT_EQ(arm.info.vectorRegisters, 32);
    EXPECT_TRUE(arm.info.hasFMA);
    EXPECT_FALSE(arm.info.hasInt8Dot || arm.info.hasBF16Dot);
    EXPECT_TRUE(arm.requiredFeatures & GRAVEN_CPU_ARM_SIMD);
    ASSERT_TRUE(arm.createTargetMachine(llvm::CodeGenOptLevel::Default));
  }
  EXPECT_EQ(target("armv8-a").requiredFeatures, GRAVEN_CPU_ARM_SIMD);
  EXPECT_EQ(target("cortex-a72").requiredFeatures, GRAVEN_CPU_ARM_SIMD);
  EXPECT_EQ(target("neoverse-n1").requiredFeatures,
            GRAVEN_CPU_ARM_SIMD | GRAVEN_CPU_ARM_FP16 | GRAVEN_CPU_ARM_RDMA |
                GRAVEN_CPU_ARM_DOTPROD);
  EXPECT_TRUE(target("neoverse-v2").requiredFeatures & GRAVEN_CPU_ARM_BF16);
  EXPECT_EQ(target("neoverse-v2").info.l2Bytes, 2 << 20);
}

TEST_F(CpuTargetTest, codeForAArch64HasVectorsOfKnownWidth) {
  auto machine =
      target("neoverse-v2").createTargetMachine(llvm::CodeGenOptLevel::Default);
  ASSERT_TRUE(machine);
  EXPECT_FALSE(machine->getMCSubtargetInfo()->checkFeatures("+sve"));
  EXPECT_TRUE(machine->getMCSubtargetInfo()->checkFeatures("+bf16"));
}

TEST_F(CpuTargetTest, genericNamesAreKnownAsSuch) {
  for (const char *name : {"x86-64", "x86-64-v3", "armv8-a", "armv9-a"})
    EXPECT_TRUE(target(name).isGeneric()) << name;
  for (const char *name : {"znver5", "haswell", "neoverse-n1", "apple-m1"})
    EXPECT_FALSE(target(name).isGeneric()) << name;
}

TEST_F(CpuTargetTest, listsBeginWithWhatAsksForMost) {
  auto names = [&](llvm::StringRef list) {
    std::string found;
    auto targets = findTargets(list, mlir::UnknownLoc::get(&context));
    if (succeeded(targets))
      for (const CpuTarget &target : *targets)
        found += (found.empty() ? "" : ",") + target.info.name;
    return found;
  };
  EXPECT_EQ(names("x86-64-v2,x86-64-v4,x86-64,x86-64-v3"),
            "x86-64-v4,x86-64-v3,x86-64-v2,x86-64");
  EXPECT_EQ(names("haswell,znver5,skylake-avx512"),
            "znver5,skylake-avx512,haswell");
  EXPECT_EQ(names("armv8-a,neoverse-v2,armv8.4-a"),
            "neoverse-v2,armv8.4-a,armv8-a");
  EXPECT_EQ(names("x86-64,armv8-a"), "");
  EXPECT_EQ(names("x86-64-v3,x86-64-v3"), "");
}

// GRAVEN_MAX_CPU takes as much away as the compiler takes for granted.
TEST_F(CpuTargetTest, levelsOfTheRuntimeAreThoseOfTheCompiler) {
  EXPECT_EQ(target("armv8.2-a").requiredFeatures, GRAVEN_CPU_ARMV8_2_A);
  EXPECT_EQ(target("armv8.4-a").requiredFeatures, GRAVEN_CPU_ARMV8_4_A);
  EXPECT_EQ(target("armv8.6-a").requiredFeatures, GRAVEN_CPU_ARMV8_6_A);
}

TEST_F(CpuTargetTest, nativeIsResolvedAndStable) {
  CpuTarget first = target("native"), second = target("native");
  EXPECT_NE(first.cpu, "native");
  EXPECT_EQ(first.features, second.features);
  // What follows from the CPU's name is not repeated.
  EXPECT_EQ(first.features.find("+sse2"), std::string::npos);
  EXPECT_EQ(first.info.name, first.cpu);
}

TEST_F(CpuTargetTest, unknownNamesAreErrors) {
  for (const char *name :
       {"pentium-9000", "", "i386", "Znver5", "native ", "generic", "cortex-m4",
        "armv7-a", "armv8-r", "armv8.99-a", "cortex-a72,znver5"}) {
    errors.clear();
    EXPECT_TRUE(failed(CpuTarget::get(name, mlir::UnknownLoc::get(&context))))
        << name;
    EXPECT_NE(
        errors.find("[GRV0005] unknown target CPU '" + std::string(name) + "'"),
        std::string::npos)
        << errors;
  }
}

TEST_F(CpuTargetTest, machinesArePositionIndependent) {
  auto machine =
      target("x86-64-v3").createTargetMachine(llvm::CodeGenOptLevel::Default);
  ASSERT_TRUE(machine);
  EXPECT_TRUE(machine->isPositionIndependent());
  EXPECT_EQ(machine->getTargetCPU(), "x86-64-v3");
}
