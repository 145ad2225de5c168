//===- TuningTest.cpp - the text of tuning databases ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests TuningDatabase: what is printed is read again, and nothing
// that was changed is trusted.
//===----------------------------------------------------------------------===//
#include "passes/lower/Tuning.h"
#include <gtest/gtest.h>

using namespace graven;

namespace {

TuningDatabase twoCpus() {
  TuningDatabase database;
  database.set("znver5", "kernel.gemm(1x8x8xf32)", {14});
  database.set("znver3", "kernel.conv(1x1x8x8x16xf32)", {1, 6, 4});
  database.set("znver3", "kernel.gemm(1x8x8xf32)", {6});
  return database;
}

std::string refusal(llvm::StringRef text) {
  auto parsed = TuningDatabase::parse(text);
  return parsed ? "" : llvm::toString(parsed.takeError());
}

/// The text with its hash made anew, as somebody who knows how could write it.
std::string rehashed(std::string text, llvm::StringRef from,
                     llvm::StringRef to) {
  text.replace(text.find(from), from.size(), to.str());
  std::string wanted = refusal(text);
  size_t place = wanted.rfind(' ');
  size_t end = text.rfind(' ');
  return text.substr(0, end + 1) + wanted.substr(place + 1) + "\n";
}

} // namespace

TEST(TuningDatabase, readsWhatItPrints) {
  TuningDatabase database = twoCpus();
  auto again = TuningDatabase::parse(database.print());
  ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
  EXPECT_EQ(again->size(), 3u);
  EXPECT_EQ(again->print(), database.print());
  const Tiles *tiles = again->find("znver3", "kernel.conv(1x1x8x8x16xf32)");
  ASSERT_TRUE(tiles);
  EXPECT_EQ(*tiles, Tiles({1, 6, 4}));
  EXPECT_FALSE(again->find("znver5", "kernel.conv(1x1x8x8x16xf32)"));
  EXPECT_TRUE(again->hasCpu("znver5"));
  EXPECT_FALSE(again->hasCpu("znver"));
}

TEST(TuningDatabase, laterEntriesReplaceEarlierOnes) {
  TuningDatabase database = twoCpus(), other;
  other.set("znver5", "kernel.gemm(1x8x8xf32)", {12});
  database.add(other);
  EXPECT_EQ(database.size(), 3u);
  EXPECT_EQ(*database.find("znver5", "kernel.gemm(1x8x8xf32)"), Tiles({12}));
}

TEST(TuningDatabase, refusesEveryChangedByteAndEveryTruncation) {
  const std::string text = twoCpus().print();
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    EXPECT_NE(refusal(changed), "") << "byte " << i;
    // Without the last line's end nothing is missing.
    if (i + 1 < text.size())
      EXPECT_NE(refusal(text.substr(0, i)), "") << i << " bytes";
  }
}

TEST(TuningDatabase, refusesLinesThatAreNoEntries) {
  const std::string text = twoCpus().print();
  EXPECT_NE(refusal("").find("does not begin with"), std::string::npos);
  EXPECT_NE(refusal(rehashed(text, " 1 6 4", " 1 6 4 2"))
                .find("line 2 is no CPU, signature and up to three numbers"),
            std::string::npos);
  EXPECT_NE(refusal(rehashed(text, " 1 6 4", " 1 six 4"))
                .find("line 2 has 'six' for a number"),
            std::string::npos);
  EXPECT_NE(refusal(rehashed(text, "znver5", "znver1"))
                .find("line 4 is out of order"),
            std::string::npos);
  EXPECT_NE(refusal(text + text).find("is not the last"), std::string::npos);
  EXPECT_NE(refusal(text + std::string(10000, 'x')), "");
}
