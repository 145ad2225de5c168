//===- ShapeMathTest.cpp - pure functions on shapes and axes --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the shape functions that verifiers and inference share.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ShapeMath.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <limits>

using namespace graven;
using namespace mlir;

static constexpr int64_t unknown = ShapedType::kDynamic;
static constexpr int64_t most = std::numeric_limits<int64_t>::max();

TEST(ShapeMathTest, ExtentsAreTheSameWhenOneIsUnknown) {
  EXPECT_TRUE(sameExtent(3, 3));
  EXPECT_TRUE(sameExtent(3, unknown));
  EXPECT_TRUE(sameExtent(unknown, 3));
  EXPECT_FALSE(sameExtent(3, 4));
}

TEST(ShapeMathTest, ElementCount) {
  EXPECT_EQ(elementCount({}), 1);
  EXPECT_EQ(elementCount({2, 3, 4}), 24);
  EXPECT_EQ(elementCount({2, 0, 4}), 0);
  EXPECT_EQ(elementCount({2, unknown}), std::nullopt);
  EXPECT_EQ(elementCount({most, 2}), std::nullopt);
  EXPECT_EQ(elementCount({most, 2, 0}), 0) << "zero wins over overflow";
}

TEST(ShapeMathTest, WindowExtentRoundsDown) {
  EXPECT_EQ(windowExtent(224, 7, 2, 1, 3, 3), 112);
  EXPECT_EQ(windowExtent(5, 3, 1, 2, 0, 0), 1);
  EXPECT_EQ(windowExtent(5, 5, 3, 1, 0, 0), 1);
  EXPECT_EQ(windowExtent(4, 5, 1, 1, 0, 0), 0);
  EXPECT_EQ(windowExtent(3, 5, 1, 1, 0, 0), -1);
  EXPECT_EQ(windowExtent(3, 5, 3, 1, 0, 0), 0) << "floor of -2/3 is -1";
  EXPECT_EQ(windowExtent(unknown, 5, 1, 1, 0, 0), unknown);
}

TEST(ShapeMathTest, WindowExtentRoundsUp) {
  EXPECT_EQ(windowExtent(112, 3, 2, 1, 0, 0, Rounding::Ceil), 56);
  EXPECT_EQ(windowExtent(5, 2, 2, 1, 0, 0, Rounding::Ceil), 3);
  // A window that would start in the high padding is dropped.
  EXPECT_EQ(windowExtent(4, 2, 3, 1, 1, 1, Rounding::Ceil), 2);
  EXPECT_EQ(windowExtent(3, 1, 2, 1, 0, 2, Rounding::Ceil), 2);
}

TEST(ShapeMathTest, WindowExtentDoesNotOverflow) {
  EXPECT_EQ(windowExtent(most, 1, 1, 1, most, most), most);
  EXPECT_EQ(windowExtent(1, most, 1, most, 0, 0), -1);
}

TEST(ShapeMathTest, SliceFollowsPython) {
  auto extent = [](int64_t d, int64_t start, int64_t end, int64_t step) {
    return resolveSlice(d, start, end, step).extent;
  };
  EXPECT_EQ(extent(10, 0, most, 1), 10);
  EXPECT_EQ(extent(10, -3, most, 1), 3);
  EXPECT_EQ(extent(10, -100, 100, 3), 4);
  EXPECT_EQ(extent(10, 7, 2, 1), 0);
  EXPECT_EQ(extent(10, 2, -1, 7), 1);
  EXPECT_EQ(extent(0, 0, most, 1), 0);
  EXPECT_EQ(extent(10, std::numeric_limits<int64_t>::min(), most, most), 1);
  EXPECT_EQ(resolveSlice(10, -4, -1, 1).start, 6);
  EXPECT_EQ(resolveSlice(10, -4, -1, 1).end, 9);
}

namespace {
struct ShapeMathTypeTest : testing::Test {
  RankedTensorType f32(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, Float32Type::get(&context));
  }
  bool isRefinement(Type actual, Type inferred) {
    return isRefinementOf(TypeRange(ArrayRef<Type>(actual)),
                          TypeRange(ArrayRef<Type>(inferred)));
  }
  MLIRContext context;
};
} // namespace

TEST_F(ShapeMathTypeTest, RefinementReplacesUnknownExtents) {
  EXPECT_TRUE(isRefinement(f32({2, 3}), f32({unknown, 3})));
  EXPECT_TRUE(isRefinement(f32({unknown, 3}), f32({unknown, 3})));
  EXPECT_FALSE(isRefinement(f32({unknown, 3}), f32({2, 3})));
  EXPECT_FALSE(isRefinement(f32({2, 3}), f32({2, 4})));
  EXPECT_FALSE(isRefinement(f32({2}), f32({2, 1})));
  EXPECT_FALSE(
      isRefinement(f32({2}).clone(Float64Type::get(&context)), f32({2})));
}

TEST_F(ShapeMathTypeTest, ResultsThatDoNotFitAreRefused) {
  SmallVector<Type> types;
  Type element = Float32Type::get(&context);
  EXPECT_TRUE(
      succeeded(pushResult(std::nullopt, {2, unknown}, element, types)));
  EXPECT_EQ(types.back(), f32({2, unknown}));
  EXPECT_TRUE(failed(pushResult(std::nullopt, {-1}, element, types)));
  EXPECT_TRUE(failed(pushResult(std::nullopt, {most, 4}, element, types)));
  EXPECT_TRUE(
      failed(pushResult(std::nullopt, {most, unknown, 4}, element, types)));
  EXPECT_EQ(types.size(), 1u);
}

TEST(ShapeMathTest, AxesAreSortedUniqueAndInRange) {
  EXPECT_TRUE(succeeded(checkAxes(std::nullopt, {0, 2}, 3)));
  EXPECT_TRUE(succeeded(checkAxes(std::nullopt, {}, 0)));
  EXPECT_TRUE(failed(checkAxes(std::nullopt, {2, 0}, 3)));
  EXPECT_TRUE(failed(checkAxes(std::nullopt, {1, 1}, 3)));
  EXPECT_TRUE(failed(checkAxes(std::nullopt, {3}, 3)));
  EXPECT_TRUE(failed(checkAxes(std::nullopt, {-1}, 3)));
  EXPECT_TRUE(failed(checkAxis(std::nullopt, 0, 0)));
}
