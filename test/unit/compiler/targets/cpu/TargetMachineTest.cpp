//===- TargetMachineTest.cpp - CPUs by name ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests CpuTarget: known names, what tiles and the ABI learn, and
// errors.
//===----------------------------------------------------------------------===//
#include "llvm/Target/TargetMachine.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"

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
       {"pentium-9000", "", "i386", "Znver5", "native ", "cortex-a72"}) {
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
