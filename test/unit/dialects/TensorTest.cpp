//===- TensorTest.cpp - tensors of the reference evaluator ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests how the evaluator stores, rounds and addresses elements.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace graven::eval;
using namespace mlir;

namespace {
struct TensorTest : testing::Test {
  Tensor of(Type element, ArrayRef<int64_t> shape = {1}) {
    return Tensor(RankedTensorType::get(shape, element));
  }
  MLIRContext context;
  Builder builder{&context};
};
} // namespace

TEST_F(TensorTest, BeginsAsZero) {
  Tensor x = of(builder.getF32Type(), {2, 3});
  EXPECT_EQ(x.size(), 6);
  for (double value : x.toDoubles())
    EXPECT_EQ(value, 0);
}

TEST_F(TensorTest, FloatsRoundToNearestEven) {
  Tensor half = of(builder.getF16Type());
  half.set(0, 2049.0);
  EXPECT_EQ(half.getDouble(0), 2048);
  half.set(0, 1e9);
  EXPECT_EQ(half.getDouble(0), std::numeric_limits<double>::infinity());
  Tensor brain = of(builder.getBF16Type());
  brain.set(0, 257.0);
  EXPECT_EQ(brain.getDouble(0), 256);
}

TEST_F(TensorTest, IntsBecomeFloatsWithOneRounding) {
  Tensor single = of(builder.getF32Type());
  // By way of double this would round up twice.
  int64_t value = (int64_t(1) << 62) + (int64_t(1) << 38) + 1;
  single.set(0, value);
  EXPECT_EQ(single.getDouble(0),
            static_cast<double>(static_cast<float>(value)));
  single.set(0, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(single.getDouble(0), 0x1p64);
}

TEST_F(TensorTest, IntsKeepTheLowBits) {
  Tensor byte = of(builder.getI8Type());
  byte.set(0, int64_t(200));
  EXPECT_EQ(byte.getInt(0), -56);
  Tensor unsignedByte = of(builder.getIntegerType(8, /*isSigned=*/false));
  unsignedByte.set(0, int64_t(-1));
  EXPECT_EQ(unsignedByte.getInt(0), 255);
  Tensor boolean = of(builder.getI1Type());
  boolean.set(0, int64_t(3));
  EXPECT_EQ(boolean.getUnsigned(0), 1u);
}

TEST_F(TensorTest, ElementsSurviveAttributes) {
  for (Type element : {Type(builder.getF16Type()), Type(builder.getF32Type()),
                       Type(builder.getI1Type()), Type(builder.getI64Type()),
                       Type(builder.getIntegerType(16, /*isSigned=*/false))}) {
    Tensor x = of(element, {3});
    x.set(1, int64_t(1));
    Tensor y = Tensor::fromElements(x.toElements());
    EXPECT_EQ(y.getType(), x.getType());
    EXPECT_EQ(y.getBytes(), x.getBytes());
  }
}

TEST_F(TensorTest, OffsetTables) {
  EXPECT_EQ(stridedOffsets({2, 2}, {1, 10}, 5),
            (std::vector<int64_t>{5, 15, 6, 16}));
  EXPECT_EQ(stridedOffsets({}, {}, 7), (std::vector<int64_t>{7}));
  EXPECT_TRUE(stridedOffsets({2, 0}, {1, 1}).empty());
  EXPECT_EQ(broadcastOffsets({1, 2}, {2, 2}),
            (std::vector<int64_t>{0, 1, 0, 1}));
  EXPECT_EQ(broadcastOffsets({}, {3}), (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(gridOffsets({{0, outside}, {1, 2}}),
            (std::vector<int64_t>{1, 2, outside, outside}));
}
