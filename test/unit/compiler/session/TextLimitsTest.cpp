//===- TextLimitsTest.cpp - what IR text may ask of the parser -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "compiler/session/TextLimits.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace {

std::string limitOf(StringRef text) {
  return toString(graven::checkTextLimits(text));
}

TEST(TextLimits, BoundsNesting) {
  EXPECT_EQ(limitOf(std::string(256, '(')), "");
  EXPECT_EQ(limitOf("\n" + std::string(257, '[')),
            "line 2: nested deeper than 256");
  EXPECT_EQ(limitOf("// " + std::string(257, '<') + "\n"), "");
  EXPECT_EQ(limitOf("\"" + std::string(257, '{') + "\""), "");
}

TEST(TextLimits, PassesOverStringsWithEscapes) {
  EXPECT_EQ(limitOf(R"("a\"%x#99" "%y#99)"), "");
  EXPECT_EQ(limitOf("\"\\"), "");
}

TEST(TextLimits, BoundsResultNumbers) {
  EXPECT_EQ(limitOf("%0:2 = a.b : () -> (i1, i1)\nuse %0#1"), "");
  std::string message = "line 1: a value has more results than the text has "
                        "bytes";
  EXPECT_EQ(limitOf("use %100#2147483647"), message);
  EXPECT_EQ(limitOf("use %0#99999999999999999999"), message);
}

TEST(TextLimits, BoundsResultNumbersOfAllValuesTogether) {
  EXPECT_EQ(limitOf("%a#9 %a#9 %a#9 %a#9 %a#9"), "");
  EXPECT_NE(limitOf("%a#9 %b#9 %c#9 %d#9"), "");
}

} // namespace
