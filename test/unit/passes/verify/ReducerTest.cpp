//===- ReducerTest.cpp - Graphs are reduced ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that what a check needs stays, and nothing else does.
//===----------------------------------------------------------------------===//

#include "passes/verify/Reducer.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;

namespace {

class ReducerTest : public testing::Test {
protected:
  ReducerTest() { context.loadDialect<GravenDialect>(); }

  std::string reduce(StringRef text, Interesting interesting) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    if (!module)
      return "";
    OwningOpRef<ModuleOp> least =
        Reducer(*module, "forward", interesting).run();
    std::string result;
    llvm::raw_string_ostream(result) << *least;
    return result;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
};

constexpr const char *kModel = R"mlir(
graven.param @w : tensor<8x3x3x3xf32> = dense<0.25> : tensor<8x3x3x3xf32>
graven.param @scale : tensor<8xf32> = dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
graven.param @mean : tensor<8xf32> = dense<0.5> : tensor<8xf32>
graven.graph @helper(%x: tensor<1x8x30x30xf32>) -> tensor<1x8x30x30xf32> {
  %0 = graven.sigmoid %x : tensor<1x8x30x30xf32>
  graven.return %0 : tensor<1x8x30x30xf32>
}
graven.graph @forward(%x: tensor<1x3x32x32xf32> {graven.name = "x"}) -> (tensor<1x8x30x30xf32> {graven.name = "y"}, tensor<1x8x30x30xf32> {graven.name = "z"}) {
  %w = graven.get_param @w : tensor<8x3x3x3xf32>
  %s = graven.get_param @scale : tensor<8xf32>
  %m = graven.get_param @mean : tensor<8xf32>
  %0 = graven.relu %x : tensor<1x3x32x32xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x32x32xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x30x30xf32>
  %2 = graven.batch_norm %1 scale %s bias %m mean %m variance %s epsilon 1.0e-3 : (tensor<1x8x30x30xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x30x30xf32>
  %3 = graven.gelu %2 : tensor<1x8x30x30xf32>
  %4 = graven.call @helper(%3) : (tensor<1x8x30x30xf32>) -> tensor<1x8x30x30xf32>
  graven.return %3, %4 : tensor<1x8x30x30xf32>, tensor<1x8x30x30xf32>
}
)mlir";

TEST_F(ReducerTest, KeepsWhatTheCheckNeedsAndNothingElse) {
  std::string least = reduce(kModel, [](ModuleOp module) {
    bool found = false;
    module.walk([&](BatchNormOp norm) {
      found |= isa_and_present<ConvOp>(norm.getX().getDefiningOp());
    });
    return found;
  });
  EXPECT_NE(least.find("graven.batch_norm"), std::string::npos) << least;
  EXPECT_NE(least.find("graven.conv"), std::string::npos) << least;
  for (const char *gone : {"relu", "gelu", "call", "@helper", "param", "32x32",
                           "30x30", "8x3x3x3"})
    EXPECT_EQ(least.find(gone), std::string::npos) << gone << " in " << least;
}

TEST_F(ReducerTest, WeightsBecomePlainWhereTheCheckReadsThem) {
  std::string least = reduce(kModel, [](ModuleOp module) {
    auto scale = module.lookupSymbol<ParamOp>("scale");
    bool isRead = false;
    module.walk([&](GetParamOp get) { isRead |= get.getParam() == "scale"; });
    return scale && isRead;
  });
  EXPECT_NE(least.find("@scale : tensor<1xf32> = dense<"), std::string::npos)
      << least;
  EXPECT_EQ(least.find("graven.conv"), std::string::npos) << least;
}

TEST_F(ReducerTest, AnUninterestingChangeIsNotKept) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(kModel, &context);
  std::string before;
  llvm::raw_string_ostream(before) << *module;
  EXPECT_EQ(reduce(kModel, [](ModuleOp) { return false; }), before);
}

TEST_F(ReducerTest, ShapesInAttributesShrinkWithTheirInputs) {
  std::string least = reduce(R"mlir(
graven.graph @forward(%x: tensor<4x96xf32>) -> tensor<4x2x48xf32> {
  %0 = graven.reshape %x to [4, 2, 48] : (tensor<4x96xf32>) -> tensor<4x2x48xf32>
  %1 = graven.relu %0 : tensor<4x2x48xf32>
  graven.return %1 : tensor<4x2x48xf32>
}
)mlir",
                             [](ModuleOp module) {
                               bool found = false;
                               module.walk([&](ReshapeOp) { found = true; });
                               return found;
                             });
  EXPECT_EQ(least.find("tensor<4x"), std::string::npos) << least;
  EXPECT_NE(least.find("graven.reshape"), std::string::npos) << least;
}

} // namespace
