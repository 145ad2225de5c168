//===- ShippedTuningTest.cpp - databases of the compiler --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the databases built into the compiler are whole and in
// order: those that a compile would take without a word.
//===----------------------------------------------------------------------===//
#include "compiler/tuning/TuningFiles.h"
#include "passes/lower/Tuning.h"
#include <gtest/gtest.h>

using namespace graven;

TEST(ShippedTuning, isWhatMeasuringWrote) {
  ASSERT_FALSE(shippedTuning().empty());
  for (llvm::StringRef text : shippedTuning()) {
    auto parsed = TuningDatabase::parse(text);
    ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
    EXPECT_GT(parsed->size(), 0u);
    EXPECT_EQ(parsed->print(), text.str());
  }
}
