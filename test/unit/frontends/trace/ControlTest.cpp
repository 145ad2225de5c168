//===- ControlTest.cpp - tests of branches and loops in C++ ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests control flow that is decided when the model runs.
//
//===----------------------------------------------------------------------===//

#include "test/unit/frontends/trace/TraceFixture.h"

using namespace graven;
using namespace graven::trace;

namespace {

using TraceControlTest = TraceFixture;
using Numbers = std::vector<double>;

TEST_F(TraceControlTest, BranchesGiveATensorEach) {
  Tensor x = input({2});
  Tensor y = if_(sum(x) > 0, [&] { return x * 2; }, [&] { return -x; });
  EXPECT_EQ(evaluate(y, {{1, 2}}), (Numbers{2, 4}));
}

TEST_F(TraceControlTest, BranchesGiveTuplesAndLists) {
  Tensor x = input({2});
  auto [a, b] = if_(
      sum(x) > 0, [&] { return std::tuple(x + 1, x + 2); },
      [&] { return std::tuple(x, x); });
  auto list = if_(
      sum(x) > 0, [&] { return std::vector{a, b}; },
      [&] { return std::vector{b, a}; });
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(evaluate(list[0] * list[1], {{-1, -2}}), (Numbers{1, 4}));
}

TEST_F(TraceControlTest, LoopsCarryStates) {
  Tensor x = input({2});
  auto [a, n] = loop(3, std::tuple(x, sum(x)),
                     [&](Tensor i, std::tuple<Tensor, Tensor> state) {
                       auto [h, s] = state;
                       return std::tuple(h + x, s + i);
                     });
  EXPECT_EQ(evaluate(a + n, {{1, 2}}), (Numbers{10, 14}));
}

TEST_F(TraceControlTest, LoopsTakeTheirCountFromData) {
  Tensor x = input({2});
  Tensor times = to(sum(x), DType::Long);
  Tensor y = loop(times, x, [&](Tensor, Tensor h) { return h * 2; });
  EXPECT_EQ(evaluate(y, {{1, 2}}), (Numbers{8, 16}));
}

TEST_F(TraceControlTest, LoopsRunWhileACondition) {
  Tensor x = input({1});
  Tensor y = loopWhile(
      x, [](Tensor h) { return h < 100; }, [](Tensor h) { return h * 3; });
  EXPECT_EQ(evaluate(y, {{2}}), (Numbers{162}));
}

TEST_F(TraceControlTest, ScansStackWhatTheyGive) {
  Tensor x = input({2});
  auto [last, all] = scan(3, x, [&](Tensor, Tensor h) {
    Tensor next = h + 1;
    return std::pair(next, next * 10);
  });
  EXPECT_EQ(all.shape(), llvm::ArrayRef<int64_t>({3, 2}));
  EXPECT_EQ(evaluate(all + last, {{0, 1}}), (Numbers{13, 24, 23, 34, 33, 44}));
}

TEST_F(TraceControlTest, ParametersMayBeMadeInABody) {
  Tensor x = input({2});
  Tensor y = loop(2, x, [&](Tensor i, Tensor h) {
    return h + trace->parameter("w", 2, std::vector<float>{1, 2});
  });
  EXPECT_EQ(evaluate(y, {{1, 1}}), (Numbers{3, 5}));
}

TEST_F(TraceControlTest, RefusesBranchesOfDifferentTypes) {
  Tensor x = input({2, 2});
  Tensor y = if_(sum(x) > 0, [&] { return x; }, [&] { return sum(x, 0); });
  EXPECT_FALSE(y.isValid());
  EXPECT_TRUE(reported("the branches give ('tensor<2x2xf32>') and "
                       "('tensor<2xf32>'), expected equal types"))
      << errors;
  EXPECT_EQ(finish(x), "");
}

TEST_F(TraceControlTest, RefusesCarriedTensorsThatChangeTheirType) {
  Tensor x = input({2});
  loop(3, x, [](Tensor, Tensor h) { return cat({h, h}, 0); });
  EXPECT_TRUE(reported("carried tensor 0 is 'tensor<2xf32>', the body gives "
                       "'tensor<4xf32>'"))
      << errors;
  loop(x, x, [](Tensor, Tensor h) { return h; });
  EXPECT_TRUE(reported("the number of iterations is 'tensor<2xf32>', expected "
                       "one int"))
      << errors;
  EXPECT_EQ(finish(x), "");
}

TEST_F(TraceControlTest, RefusesTensorsThatLeaveTheirBody) {
  Tensor x = input({2}), kept;
  loop(3, x, [&](Tensor, Tensor h) { return kept = h + 1; });
  EXPECT_FALSE((kept + x).isValid());
  EXPECT_TRUE(reported("outside of the body of the loop or branch that made "
                       "it"))
      << errors;
  EXPECT_EQ(finish(x), "");
}

TEST_F(TraceControlTest, ErrorsInABodyFailTheWhole) {
  Tensor x = input({2, 3});
  Tensor y = if_(sum(x) > 0, [&] { return matmul(x, x); }, [&] { return x; });
  EXPECT_FALSE((y + 1).isValid());
  EXPECT_EQ(finish(x), "");
  EXPECT_EQ(llvm::StringRef(errors).count("error"), 0u);
  EXPECT_TRUE(reported("[GRV0202] aten::matmul")) << errors;
}

} // namespace
