//===- GeneralizeTest.cpp - one graph with dynamic extents ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests Graphs made of the same model at several extents: their
// results at extents that they were not made of, and what is refused.
//===----------------------------------------------------------------------===//

#include "passes/graph/Generalize.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace graven;

namespace {

/// A Graph of one input x[n, m] as text, where $n, $m, $p, $t and $h are n, m,
/// n m, n + m and (n + 1) / 2, $8 the next multiple of 8 and $g how far it is,
/// $q the greater one and $d and $e what n and m have more than the other, $l
/// at most 10, $c the rest by 4, and $r the root of n.
class Generalized : public testing::Test {
protected:
  Generalized() { context.getOrLoadDialect<GravenDialect>(); }

  GraphOp at(std::string text, int64_t n, int64_t m) {
    auto fill = [&](StringRef name, const std::string &value) {
      for (size_t i; (i = text.find(name)) != std::string::npos;)
        text.replace(i, name.size(), value);
    };
    fill("$n", std::to_string(n));
    fill("$m", std::to_string(m));
    fill("$p", std::to_string(n * m));
    fill("$t", std::to_string(n + m));
    fill("$h", std::to_string((n + 1) / 2));
    fill("$8", std::to_string((n + 7) / 8 * 8));
    fill("$g", std::to_string((8 - n % 8) % 8));
    fill("$q", std::to_string(std::max(n, m)));
    fill("$d", std::to_string(std::max<int64_t>(n - m, 0)));
    fill("$e", std::to_string(std::max<int64_t>(m - n, 0)));
    fill("$l", std::to_string(std::min<int64_t>(n, 10)));
    fill("$c", std::to_string(n % 4));
    fill("$r", std::to_string(std::sqrt(double(n))));
    modules.push_back(parseSourceString<ModuleOp>(text, &context));
    return modules.back() ? modules.back()->lookupSymbol<GraphOp>("forward")
                          : GraphOp();
  }

  std::optional<PartsProblem> make(const std::string &text, GraphOp &graph) {
    graph = at(text, 5, 11);
    SmallVector<GraphOp> samples{at(text, 7, 5), at(text, 12, 19),
                                 at(text, 18, 7), at(text, 31, 13)};
    return generalize(graph, samples);
  }

  std::string reason(const std::string &text) {
    GraphOp graph;
    auto problem = make(text, graph);
    return problem ? problem->reason : "";
  }

  void expectSame(const std::string &text) {
    GraphOp graph;
    if (auto problem = make(text, graph))
      FAIL() << problem->reason;
    EXPECT_TRUE(
        cast<RankedTensorType>(graph.getArgumentTypes()[0]).isDynamicDim(0));
    eval::Evaluator evaluator;
    for (auto [n, m] : {std::pair(3, 4), std::pair(8, 8), std::pair(31, 2)}) {
      eval::Tensor x(RankedTensorType::get({n, m}, Float32Type::get(&context)));
      for (int64_t i = 0; i < x.size(); ++i)
        x.set(i, std::sin(double(i)));
      auto got = evaluator.run(graph, {x}),
           want = evaluator.run(at(text, n, m), {x});
      ASSERT_TRUE(succeeded(got) && succeeded(want));
      for (auto [left, right] : llvm::zip_equal(*got, *want)) {
        ASSERT_EQ(left.getShape(), right.getShape()) << n << " " << m;
        for (int64_t i = 0; i < left.size(); ++i)
          ASSERT_NEAR(left.getDouble(i), right.getDouble(i), 1e-5) << i;
      }
    }
  }

  MLIRContext context;
  std::vector<OwningOpRef<ModuleOp>> modules;
};

TEST_F(Generalized, shapesAreComputed) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> (tensor<$pxf32>, tensor<1x$mx$nxf32>, tensor<2x$nx$mxf32>, tensor<$tx1xf32>) {
      %0 = graven.reshape %x to [$p] : (tensor<$nx$mxf32>) -> tensor<$pxf32>
      %1 = graven.transpose %x by [1, 0] : (tensor<$nx$mxf32>) -> tensor<$mx$nxf32>
      %2 = graven.reshape %1 to [1, $m, $n] : (tensor<$mx$nxf32>) -> tensor<1x$mx$nxf32>
      %3 = graven.broadcast %x to [2, $n, $m] axes [1, 2] : (tensor<$nx$mxf32>) -> tensor<2x$nx$mxf32>
      %4 = graven.slice %x [0, 0] to [$n, 1] by [1, 1] : (tensor<$nx$mxf32>) -> tensor<$nx1xf32>
      %5 = graven.slice %1 [0, 0] to [$m, 1] by [1, 1] : (tensor<$mx$nxf32>) -> tensor<$mx1xf32>
      %6 = graven.concat %4, %5 axis 0 : (tensor<$nx1xf32>, tensor<$mx1xf32>) -> tensor<$tx1xf32>
      graven.return %0, %2, %3, %6 : tensor<$pxf32>, tensor<1x$mx$nxf32>, tensor<2x$nx$mxf32>, tensor<$tx1xf32>
    })mlir");
}

TEST_F(Generalized, boundsAndPlacesAreComputed) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> (tensor<$hx$mxf32>, tensor<$nx$mxf32>, tensor<$nxi64>) {
      %0 = graven.slice %x [0, 0] to [$h, $m] by [1, 1] : (tensor<$nx$mxf32>) -> tensor<$hx$mxf32>
      %1 = graven.slice %x [0, 0] to [1, $m] by [1, 1] : (tensor<$nx$mxf32>) -> tensor<1x$mxf32>
      %2 = graven.insert_slice %1 into %x [$h, 0] by [1, 1] : (tensor<$nx$mxf32>, tensor<1x$mxf32>) -> tensor<$nx$mxf32>
      %3 = graven.iota [$n] axis 0 of i64 : () -> tensor<$nxi64>
      graven.return %0, %2, %3 : tensor<$hx$mxf32>, tensor<$nx$mxf32>, tensor<$nxi64>
    })mlir");
}

TEST_F(Generalized, numbersThatFollowFromExtentsAreComputed) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> (tensor<$nx$mxf32>, tensor<$nx$mxf32>, tensor<2xi64>) {
      %root = graven.constant dense<$r> : tensor<f32>
      %ones = graven.constant dense<2.0> : tensor<$nx1xf32>
      %list = graven.constant dense<[$n, $m]> : tensor<2xi64>
      %zero = graven.constant dense<0> : tensor<2xi64>
      %0 = graven.mul %x, %root : (tensor<$nx$mxf32>, tensor<f32>) -> tensor<$nx$mxf32>
      %1 = graven.add %0, %ones : (tensor<$nx$mxf32>, tensor<$nx1xf32>) -> tensor<$nx$mxf32>
      %2 = graven.add %list, %zero : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
      graven.return %0, %1, %2 : tensor<$nx$mxf32>, tensor<$nx$mxf32>, tensor<2xi64>
    })mlir");
}

TEST_F(Generalized, multiplesRestsAndExtremesAreComputed) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> (tensor<$8x$mxf32>, tensor<$qx$qxf32>, tensor<$lx$mxf32>, tensor<1xi64>) {
      %one = graven.constant dense<1.0> : tensor<f32>
      %rest = graven.constant dense<[$c]> : tensor<1xi64>
      %zero = graven.constant dense<0> : tensor<1xi64>
      %0 = graven.pad %x value %one low [0, 0] high [$g, 0] : (tensor<$nx$mxf32>, tensor<f32>) -> tensor<$8x$mxf32>
      %1 = graven.pad %x low [$e, 0] high [0, $d] : (tensor<$nx$mxf32>) -> tensor<$qx$qxf32>
      %2 = graven.slice %x [0, 0] to [$l, $m] by [1, 1] : (tensor<$nx$mxf32>) -> tensor<$lx$mxf32>
      %3 = graven.add %rest, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
      graven.return %0, %1, %2, %3 : tensor<$8x$mxf32>, tensor<$qx$qxf32>, tensor<$lx$mxf32>, tensor<1xi64>
    })mlir");
}

TEST_F(Generalized, blocksAreWalked) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> tensor<$nx$mxf32> {
      %two = graven.constant dense<2> : tensor<i64>
      %0 = graven.loop trip(%two) init(%x : tensor<$nx$mxf32>) -> (tensor<$nx$mxf32>) {
      ^bb0(%i: tensor<i64>, %h: tensor<$nx$mxf32>):
        %true = graven.constant dense<true> : tensor<i1>
        %1 = graven.reshape %h to [$p] : (tensor<$nx$mxf32>) -> tensor<$pxf32>
        %2 = graven.relu %1 : tensor<$pxf32>
        %3 = graven.reshape %2 to [$n, $m] : (tensor<$pxf32>) -> tensor<$nx$mxf32>
        graven.yield %true, %3 : tensor<i1>, tensor<$nx$mxf32>
      }
      graven.return %0 : tensor<$nx$mxf32>
    })mlir");
}

TEST_F(Generalized, aPrefixIsASlice) {
  GraphOp graph;
  auto problem = make(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>, %y: tensor<64x4xf32>, %count: tensor<i64>) -> tensor<$mx4xf32> {
      %0 = graven.prefix %y count %count axis 0 extent $m : (tensor<64x4xf32>, tensor<i64>) -> tensor<$mx4xf32>
      %1 = graven.reshape %0 to [$m, 4] : (tensor<$mx4xf32>) -> tensor<$mx4xf32>
      graven.return %1 : tensor<$mx4xf32>
    })mlir",
                      graph);
  ASSERT_FALSE(problem) << problem->reason;
  EXPECT_TRUE(graph.getOps<PrefixOp>().empty());
  for (SliceOp slice : graph.getOps<SliceOp>())
    EXPECT_EQ(slice.getDynamicEnds().front(), graph.getArgument(2));
}

TEST_F(Generalized, whatDoesNotFollowIsRefused) {
  EXPECT_EQ(reason(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> tensor<$nx$mxf32> {
      %0 = graven.constant dense<0.$n7> : tensor<f32>
      %1 = graven.add %x, %0 : (tensor<$nx$mxf32>, tensor<f32>) -> tensor<$nx$mxf32>
      graven.return %1 : tensor<$nx$mxf32>
    })mlir"),
            "graven.add reads a constant that depends on the extents");
  EXPECT_EQ(reason(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> tensor<4x$mxf32> {
      %0 = graven.pad %x low [0, 0] high [-$n, 0] : (tensor<$nx$mxf32>) -> tensor<0x$mxf32>
      %1 = graven.pad %0 low [4, 0] high [0, 0] : (tensor<0x$mxf32>) -> tensor<4x$mxf32>
      graven.return %1 : tensor<4x$mxf32>
    })mlir"),
            "graven.pad crops at some extents");
  EXPECT_EQ(reason(R"mlir(
    graven.graph @forward(%x: tensor<$nx$mxf32>) -> tensor<$8x$mxf32> {
      %0 = graven.pad %x low [0, 0] high [$g, 0] mode edge : (tensor<$nx$mxf32>) -> tensor<$8x$mxf32>
      graven.return %0 : tensor<$8x$mxf32>
    })mlir"),
            "graven.pad repeats other numbers of elements at other extents");
}

TEST_F(Generalized, otherNodesAtOtherExtentsAreRefused) {
  GraphOp graph = at("graven.graph @forward(%x: tensor<$nx4xf32>) -> "
                     "tensor<$nx4xf32> {\n%0 = graven.relu %x : "
                     "tensor<$nx4xf32>\ngraven.return %0 : tensor<$nx4xf32>\n}",
                     5, 1);
  GraphOp other = at("graven.graph @forward(%x: tensor<$nx4xf32>) -> "
                     "tensor<$nx4xf32> {\n%0 = graven.abs %x : "
                     "tensor<$nx4xf32>\ngraven.return %0 : tensor<$nx4xf32>\n}",
                     7, 1);
  auto problem = generalize(graph, other);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->reason, "graven.relu is another Node at other extents");
}

} // namespace
