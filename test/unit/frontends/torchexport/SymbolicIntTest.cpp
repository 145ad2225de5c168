//===- SymbolicIntTest.cpp - tests of extent expressions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the evaluation of the two forms in which torch.export writes
// extents, and what it makes of damaged ones.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/SymbolicInt.h"

#include "gtest/gtest.h"

using namespace graven::torchexport;
using llvm::StringRef;

/// The value with s0 = 6 and u1 = -7; "?" when it is not known, the message
/// when the text is no expression.
static std::string value(StringRef text) {
  auto result = evaluate(text, [](StringRef symbol) -> std::optional<int64_t> {
    if (symbol == "s0")
      return 6;
    if (symbol == "u1")
      return -7;
    return std::nullopt;
  });
  if (!result)
    return llvm::toString(result.takeError());
  return *result ? std::to_string(**result) : "?";
}

TEST(SymbolicInt, readsSymPysForm) {
  EXPECT_EQ(value("Integer(12)"), "12");
  EXPECT_EQ(value("Symbol('s0', positive=True, integer=True)"), "6");
  EXPECT_EQ(value("Mul(Integer(2), Symbol('s0', integer=True))"), "12");
  EXPECT_EQ(value("Add(Mul(Integer(-1), Symbol('s0')), Integer(10))"), "4");
  EXPECT_EQ(value("FloorDiv(Symbol('u1'), Integer(2))"), "-4");
  EXPECT_EQ(value("PythonMod(Symbol('u1'), Integer(4))"), "1");
  EXPECT_EQ(value("Max(Integer(1), Symbol('u1'), Integer(3))"), "3");
  EXPECT_EQ(value("Pow(Symbol('s0'), Integer(2))"), "36");
  EXPECT_EQ(value("CeilToInt(IntTrueDiv(Symbol('s0'), Integer(3)))"), "2");
}

TEST(SymbolicInt, readsInfix) {
  EXPECT_EQ(value("2*s0 + 1"), "13");
  EXPECT_EQ(value("(s0 - 1)//2"), "2");
  EXPECT_EQ(value("-s0 + 10"), "4");
  EXPECT_EQ(value("s0**2 % 5"), "1");
  EXPECT_EQ(value("10 - 3 - 2"), "5");
}

TEST(SymbolicInt, givesNothingForWhatIsNotKnown) {
  EXPECT_EQ(value("s9 + 1"), "?");
  EXPECT_EQ(value("Mul(Integer(9223372036854775807), Integer(2))"), "?");
  EXPECT_EQ(value("FloorDiv(Integer(1), Integer(0))"), "?");
  EXPECT_EQ(value("IntTrueDiv(Integer(3), Integer(2))"), "?");
  EXPECT_EQ(value("Pow(Integer(2), Integer(1000000))"), "?");
}

TEST(SymbolicInt, refusesWhatIsNoExpression) {
  for (StringRef text :
       {"", "2 +", "Mul(", "Mul()", "Nonsense(1, 2)", "1 2", "Symbol(s0)",
        "Symbol('s0", "99999999999999999999", "a b", ")"})
    EXPECT_EQ(value(text), "extent '" + text.str() + "' is no expression");
  EXPECT_NE(value(std::string(100000, '(')).find("is no expression"),
            std::string::npos);
  EXPECT_NE(value(std::string(100000, '-')).find("is no expression"),
            std::string::npos);
}

TEST(SymbolicInt, knowsLinesOfOneSymbol) {
  auto text = [](StringRef expression) {
    auto linear = linearIn(expression);
    return linear ? linear->text() : "";
  };
  EXPECT_EQ(text("Symbol('s77', integer=True)"), "s77");
  EXPECT_EQ(text("batch"), "batch");
  EXPECT_EQ(text("Mul(Integer(2), Symbol('s0', integer=True))"), "2*s0");
  EXPECT_EQ(text("32*(s0 + 1)"), "32*s0+32");
  EXPECT_EQ(text("s0 - 1"), "s0-1");
  EXPECT_EQ(text("s0 - s0"), "");
  EXPECT_EQ(text("-s0"), "");
  EXPECT_EQ(text("s0*s0"), "");
  EXPECT_EQ(text("s0 + s1"), "");
  EXPECT_EQ(text("Min(s0, 1000)"), "");
  EXPECT_EQ(text("7"), "");
  EXPECT_EQ(text("2 +"), "");
}

TEST(SymbolicInt, solvesLines) {
  graven::LinearExtent extent{"s", 4, -1};
  EXPECT_EQ(extent.solve(7), 2);
  EXPECT_EQ(extent.solve(8), std::nullopt);
  EXPECT_EQ(extent.solve(-5), std::nullopt);
}
