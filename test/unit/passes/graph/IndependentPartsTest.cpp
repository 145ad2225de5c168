//===- IndependentPartsTest.cpp - graphs that work part by part -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests which Graphs keep the samples of a batch apart, and which
// depend on how many there are.
//===----------------------------------------------------------------------===//

#include "passes/graph/IndependentParts.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;

namespace {

class Parts : public testing::Test {
protected:
  Parts() { context.getOrLoadDialect<GravenDialect>(); }

  GraphOp parse(const std::string &text) {
    modules.push_back(parseSourceString<ModuleOp>(text, &context));
    return modules.back()->lookupSymbol<GraphOp>("forward");
  }

  /// Two parts along axis 0 of the first input.
  static IndependentParts flow(GraphOp graph) {
    SmallVector<std::optional<PartsAxis>> inputs(graph.getNumArguments());
    inputs[0] = PartsAxis{0, 1};
    return IndependentParts(graph, 2, inputs);
  }

  static std::string reason(const IndependentParts &parts) {
    return parts.problem() ? parts.problem()->reason : "";
  }

  MLIRContext context;
  std::vector<OwningOpRef<ModuleOp>> modules;
};

TEST_F(Parts, followsReshapesTransposesAndProducts) {
  GraphOp graph = parse(R"mlir(
    graven.graph @forward(%x: tensor<2x3x8xf32>, %w: tensor<8x8xf32>) -> (tensor<6x8xf32>, tensor<4x2x3x2xf32>) {
      %0 = graven.reshape %x to [6, 8] : (tensor<2x3x8xf32>) -> tensor<6x8xf32>
      %1 = graven.matmul %0, %w : (tensor<6x8xf32>, tensor<8x8xf32>) -> tensor<6x8xf32>
      %2 = graven.reshape %1 to [2, 3, 4, 2] : (tensor<6x8xf32>) -> tensor<2x3x4x2xf32>
      %3 = graven.transpose %2 by [2, 0, 1, 3] : (tensor<2x3x4x2xf32>) -> tensor<4x2x3x2xf32>
      graven.return %1, %3 : tensor<6x8xf32>, tensor<4x2x3x2xf32>
    })mlir");
  ASSERT_TRUE(graph);
  IndependentParts parts = flow(graph);
  EXPECT_EQ(reason(parts), "");
  EXPECT_EQ(parts.of(graph.getReturn().getOperand(0)), (PartsAxis{0, 3}));
  EXPECT_EQ(parts.of(graph.getReturn().getOperand(1)), (PartsAxis{1, 1}));
}

TEST_F(Parts, refusesReductionsOverThem) {
  IndependentParts parts = flow(parse(R"mlir(
    graven.graph @forward(%x: tensor<2x3xf32>) -> (tensor<3xf32>) {
      %0 = graven.reduce sum %x axes [0] : (tensor<2x3xf32>) -> tensor<3xf32>
      graven.return %0 : tensor<3xf32>
    })mlir"));
  EXPECT_EQ(reason(parts), "'graven.reduce' combines parts of the inputs");
}

TEST_F(Parts, refusesProductsOfThem) {
  IndependentParts parts = flow(parse(R"mlir(
    graven.graph @forward(%x: tensor<2x3xf32>) -> (tensor<2x2xf32>) {
      %0 = graven.matmul %x, %x transpose_b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf32>
      graven.return %0 : tensor<2x2xf32>
    })mlir"));
  EXPECT_NE(reason(parts), "");
}

TEST_F(Parts, refusesReshapesThatMixThem) {
  IndependentParts parts = flow(parse(R"mlir(
    graven.graph @forward(%x: tensor<2x3xf32>) -> (tensor<3x2xf32>) {
      %0 = graven.reshape %x to [3, 2] : (tensor<2x3xf32>) -> tensor<3x2xf32>
      graven.return %0 : tensor<3x2xf32>
    })mlir"));
  EXPECT_EQ(reason(parts),
            "'graven.reshape' mixes parts of the inputs in one axis");
}

TEST_F(Parts, refusesConstantsThatDifferBetweenThem) {
  const char *text = R"mlir(
    graven.graph @forward(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>) {
      %c = graven.constant dense<{0}> : tensor<2x3xf32>
      %0 = graven.add %x, %c : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      graven.return %0 : tensor<2x3xf32>
    })mlir";
  auto with = [&](StringRef value) {
    auto [head, tail] = StringRef(text).split("{0}");
    return flow(parse((head + value + tail).str()));
  };
  EXPECT_EQ(reason(with("1.0")), "");
  EXPECT_EQ(reason(with("[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]")), "");
  EXPECT_NE(reason(with("[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]")), "");
}

TEST_F(Parts, refusesSomeOfThem) {
  IndependentParts parts = flow(parse(R"mlir(
    graven.graph @forward(%x: tensor<2x3xf32>) -> (tensor<1x3xf32>) {
      %0 = graven.slice %x [0, 0] to [1, 3] by [1, 1] : (tensor<2x3xf32>) -> tensor<1x3xf32>
      graven.return %0 : tensor<1x3xf32>
    })mlir"));
  EXPECT_EQ(reason(parts), "'graven.slice' picks some of the parts");
}

/// x / value for `count` samples.
std::string divided(int count, const std::string &value) {
  std::string type = "tensor<" + std::to_string(count) + "x3xf32>";
  return "graven.graph @forward(%x: " + type + ") -> (" + type +
         ") {\n %c = graven.constant dense<" + value +
         "> : tensor<1x1xf32>\n %0 = graven.div %x, %c : (" + type +
         ", tensor<1x1xf32>) -> " + type + "\n graven.return %0 : " + type +
         "\n}";
}

TEST_F(Parts, findsConstantsThatFollowTheirNumber) {
  GraphOp two = parse(divided(2, "2.0")), three = parse(divided(3, "2.0")),
          other = parse(divided(3, "3.0"));
  EXPECT_FALSE(findDifference(two, 2, three, 3));
  auto problem = findDifference(two, 2, other, 3);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->reason,
            "'graven.constant' depends on the number of parts");
}

} // namespace
