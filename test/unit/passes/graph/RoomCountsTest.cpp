//===- RoomCountsTest.cpp - extents that data decide ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests Graphs with prefixes: for every number of elements that are
// found, room for the most gives what a Graph of just these extents does, with
// NaN wherever nothing is used.
//===----------------------------------------------------------------------===//

#include "mlir/Parser/Parser.h"
#include "passes/graph/Room.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace graven;

namespace {

/// A Graph of x[12, 4], a mask a[12] and another b[12] as text, where $n and $m
/// are how many elements of the masks are set; $s is their sum, $k the lesser
/// of $n and 5, $q 4 * $n.
class Counts : public testing::Test {
protected:
  static constexpr int64_t rows = 12;

  Counts() { context.getOrLoadDialect<GravenDialect>(); }

  GraphOp at(std::string text, int64_t n, int64_t m) {
    auto fill = [&](StringRef name, int64_t value) {
      for (size_t i; (i = text.find(name)) != std::string::npos;)
        text.replace(i, name.size(), std::to_string(value));
    };
    fill("$n", n);
    fill("$m", m);
    fill("$s", n + m);
    fill("$k", std::min<int64_t>(n, 5));
    fill("$q", 4 * n);
    modules.push_back(parseSourceString<ModuleOp>(
        "graven.graph @forward(%x: tensor<12x4xf32>, %a: tensor<12xi1>, %b: "
        "tensor<12xi1>) -> " +
            text,
        &context));
    return modules.back() ? modules.back()->lookupSymbol<GraphOp>("forward")
                          : GraphOp();
  }

  std::variant<Room, PartsProblem> make(const std::string &text, GraphOp &graph,
                                        int64_t lowest) {
    graph = at(text, rows, rows);
    SmallVector<RoomSample> samples;
    SmallVector<PrefixRange> ranges(2, {{}, lowest});
    for (auto [n, m] : {std::pair<int64_t, int64_t>{3, 7},
                        {7, 5},
                        {2, 3},
                        {11, 10},
                        {1, 2},
                        {0, 1}}) {
      if (n < lowest)
        continue;
      samples.push_back({{}, at(text, n, m)});
      ranges[0].extents.push_back(n);
      ranges[1].extents.push_back(m);
    }
    for (PrefixRange &range : ranges)
      range.extents.push_back(rows);
    SmallVector<InputAxes> axes{
        {std::nullopt, std::nullopt}, {std::nullopt}, {std::nullopt}};
    return makeRoom(graph, {}, samples, axes, ranges);
  }

  std::string reason(const std::string &text) {
    GraphOp graph;
    auto made = make(text, graph, 0);
    auto *problem = std::get_if<PartsProblem>(&made);
    return problem ? problem->reason : "";
  }

  /// Of which `count` elements are set, spread by `seed`.
  eval::Tensor mask(int64_t count, int64_t seed) {
    eval::Tensor tensor(
        RankedTensorType::get({rows}, IntegerType::get(&context, 1)));
    for (int64_t i = 0; i < count; ++i)
      tensor.set((i * 5 + seed) % rows, int64_t(1));
    return tensor;
  }

  void expectSame(const std::string &text, int64_t lowest = 0) {
    GraphOp graph;
    auto made = make(text, graph, lowest);
    if (auto *problem = std::get_if<PartsProblem>(&made))
      FAIL() << problem->reason;
    const Room &room = std::get<Room>(made);
    EXPECT_TRUE(room.passed.empty());
    bool left = false;
    graph.walk([&](PrefixOp) { left = true; });
    EXPECT_FALSE(left);
    eval::Tensor x(
        RankedTensorType::get({rows, 4}, Float32Type::get(&context)));
    for (int64_t i = 0; i < x.size(); ++i)
      x.set(i, i == 9 ? NAN : std::sin(double(i)));
    for (int64_t n = lowest; n <= rows; ++n)
      for (int64_t m : {int64_t(1), int64_t(4), rows})
        compare(text, graph, room, {x, mask(n, 3 + m), mask(m, n)}, n, m);
  }

  void compare(const std::string &text, GraphOp graph, const Room &room,
               ArrayRef<eval::Tensor> inputs, int64_t n, int64_t m) {
    eval::Evaluator evaluator;
    auto got = evaluator.run(graph, inputs);
    auto want = evaluator.run(at(text, n, m), inputs);
    ASSERT_TRUE(succeeded(got) && succeeded(want));
    ASSERT_EQ(got->size(), want->size() + !room.counts.empty());
    DenseMap<unsigned, int64_t> counts;
    for (auto [i, count] : llvm::enumerate(room.counts))
      counts[count.function] = got->back().getInt(i);
    for (auto [i, shape] : llvm::enumerate(room.outputs)) {
      SmallVector<int64_t> used, most;
      for (const RoomAxis &axis : shape)
        for (const RoomFactor &factor : axis) {
          ASSERT_TRUE(!factor.function || counts.contains(*factor.function));
          used.push_back(factor.function ? counts[*factor.function]
                                         : factor.most);
          most.push_back(factor.most);
        }
      auto places = eval::stridedOffsets(used, eval::stridesOf(most));
      const eval::Tensor &left = (*got)[i], &right = (*want)[i];
      ASSERT_EQ(int64_t(places.size()), right.size()) << n << " " << m;
      for (auto [k, place] : llvm::enumerate(places)) {
        double x = left.getDouble(place), y = right.getDouble(k);
        if (!std::isnan(x) || !std::isnan(y))
          ASSERT_NEAR(x, y, 1e-5) << n << " " << m << ": " << k;
      }
    }
  }

  MLIRContext context;
  std::vector<OwningOpRef<ModuleOp>> modules;
};

/// %r, the rows of x that a takes, [$n, 4].
const std::string taken = R"mlir(
      %p, %c = graven.nonzero %a : (tensor<12xi1>) -> (tensor<12x1xi64>, tensor<i64>)
      %u = graven.prefix %p count %c axis 0 extent $n : (tensor<12x1xi64>, tensor<i64>) -> tensor<$nx1xi64>
      %i = graven.reshape %u to [$n] : (tensor<$nx1xi64>) -> tensor<$nxi64>
      %r = graven.gather %x[%i] axis 0 : (tensor<12x4xf32>, tensor<$nxi64>) -> tensor<$nx4xf32>)mlir";

/// %t, those that b takes, [$m, 4].
const std::string others = R"mlir(
      %o, %d = graven.nonzero %b : (tensor<12xi1>) -> (tensor<12x1xi64>, tensor<i64>)
      %v = graven.prefix %o count %d axis 0 extent $m : (tensor<12x1xi64>, tensor<i64>) -> tensor<$mx1xi64>
      %j = graven.reshape %v to [$m] : (tensor<$mx1xi64>) -> tensor<$mxi64>
      %t = graven.gather %x[%j] axis 0 : (tensor<12x4xf32>, tensor<$mxi64>) -> tensor<$mx4xf32>)mlir";

TEST_F(Counts, rowsOfAMask) {
  expectSame("(tensor<$nx4xf32>, tensor<4xf32>, tensor<4x4xf32>) {" + taken +
             R"mlir(
      %0 = graven.reduce sum %r axes [0] : (tensor<$nx4xf32>) -> tensor<4xf32>
      %1 = graven.transpose %r by [1, 0] : (tensor<$nx4xf32>) -> tensor<4x$nxf32>
      %2 = graven.matmul %1, %r : (tensor<4x$nxf32>, tensor<$nx4xf32>) -> tensor<4x4xf32>
      graven.return %r, %0, %2 : tensor<$nx4xf32>, tensor<4xf32>, tensor<4x4xf32>
    })mlir");
}

TEST_F(Counts, ofSeveralMasksOneAfterTheOther) {
  expectSame("(tensor<$sx4xf32>, tensor<$qxf32>) {" + taken + others + R"mlir(
      %0 = graven.concat %r, %t axis 0 : (tensor<$nx4xf32>, tensor<$mx4xf32>) -> tensor<$sx4xf32>
      %1 = graven.reshape %r to [$q] : (tensor<$nx4xf32>) -> tensor<$qxf32>
      graven.return %0, %1 : tensor<$sx4xf32>, tensor<$qxf32>
    })mlir");
}

TEST_F(Counts, theGreatestAndTheFirst) {
  expectSame("(tensor<$kx4xf32>, tensor<$kxi64>, tensor<$kx4xf32>, "
             "tensor<$nx4xf32>) {" +
             taken + R"mlir(
      %0, %1 = graven.topk %r k $k axis 0 : (tensor<$nx4xf32>) -> (tensor<$kx4xf32>, tensor<$kx4xi64>)
      %2 = graven.slice %r [0, 0] to [5, 4] by [1, 1] : (tensor<$nx4xf32>) -> tensor<$kx4xf32>
      %3, %4 = graven.topk %r k $n axis 0 largest false : (tensor<$nx4xf32>) -> (tensor<$nx4xf32>, tensor<$nx4xi64>)
      %5 = graven.slice %1 [0, 0] to [5, 1] by [1, 1] : (tensor<$kx4xi64>) -> tensor<$kx1xi64>
      %6 = graven.reshape %5 to [$k] : (tensor<$kx1xi64>) -> tensor<$kxi64>
      graven.return %0, %6, %2, %3 : tensor<$kx4xf32>, tensor<$kxi64>, tensor<$kx4xf32>, tensor<$nx4xf32>
    })mlir");
}

TEST_F(Counts, updatesThatAreNotUsedDoNotLand) {
  expectSame("(tensor<12x4xf32>, tensor<$nx4xf32>) {" + taken + R"mlir(
      %0 = graven.neg %r : tensor<$nx4xf32>
      %1 = graven.scatter_nd %0 into %x[%u] : (tensor<12x4xf32>, tensor<$nx1xi64>, tensor<$nx4xf32>) -> tensor<12x4xf32>
      %2 = graven.gather_nd %1[%u] : (tensor<12x4xf32>, tensor<$nx1xi64>) -> tensor<$nx4xf32>
      graven.return %1, %2 : tensor<12x4xf32>, tensor<$nx4xf32>
    })mlir");
}

TEST_F(Counts, ofWhatWasFoundBefore) {
  expectSame("(tensor<$qx2xi64>, tensor<$nx4xf32>) {" + taken + R"mlir(
      %z = graven.constant dense<0> : tensor<i64>
      %l = graven.iota [$n, 4] axis 0 of i64 : () -> tensor<$nx4xi64>
      %0 = graven.compare ge %l, %z : (tensor<$nx4xi64>, tensor<i64>) -> tensor<$nx4xi1>
      %1, %2 = graven.nonzero %0 : (tensor<$nx4xi1>) -> (tensor<$qx2xi64>, tensor<i64>)
      %3 = graven.prefix %1 count %2 axis 0 extent $q : (tensor<$qx2xi64>, tensor<i64>) -> tensor<$qx2xi64>
      %4 = graven.cum_reduce sum %r axis 0 reverse : (tensor<$nx4xf32>) -> tensor<$nx4xf32>
      graven.return %3, %4 : tensor<$qx2xi64>, tensor<$nx4xf32>
    })mlir");
}

TEST_F(Counts, equalCountsAreOneExtent) {
  expectSame("(tensor<$nx4xf32>) {" + taken + R"mlir(
      %q, %e = graven.nonzero %a : (tensor<12xi1>) -> (tensor<12x1xi64>, tensor<i64>)
      %w = graven.prefix %q count %e axis 0 extent $n : (tensor<12x1xi64>, tensor<i64>) -> tensor<$nx1xi64>
      %0 = graven.gather_nd %x[%w] : (tensor<12x4xf32>, tensor<$nx1xi64>) -> tensor<$nx4xf32>
      %1 = graven.add %0, %r : (tensor<$nx4xf32>, tensor<$nx4xf32>) -> tensor<$nx4xf32>
      graven.return %1 : tensor<$nx4xf32>
    })mlir");
}

TEST_F(Counts, theGreatestOfAllAreOfAtLeastOne) {
  std::string text = "(tensor<4xi64>) {" + taken + R"mlir(
      %0 = graven.arg_reduce max %r axis 0 : (tensor<$nx4xf32>) -> tensor<4xi64>
      graven.return %0 : tensor<4xi64>
    })mlir";
  expectSame(text, 1);
  GraphOp graph;
  Room room = std::get<Room>(make(text, graph, 1));
  ASSERT_EQ(room.counts.size(), 1u);
  EXPECT_EQ(room.counts[0].lowest, 1);
  EXPECT_EQ(room.counts[0].most, 12);
}

/// The Block of a loop over the rows that a takes.
const std::string eachRow = R"mlir(
      ^bb0(%k: tensor<i64>):
        %true = graven.constant dense<true> : tensor<i1>
        %y = graven.gather %r[%k] axis 0 nonneg : (tensor<$nx4xf32>, tensor<i64>) -> tensor<4xf32>
        %g = graven.exp %y : tensor<4xf32>
        graven.yield %true, %g : tensor<i1>, tensor<4xf32>
      })mlir";

TEST_F(Counts, anIterationForEachRow) {
  expectSame("(tensor<$nx4xf32>, tensor<4xf32>) {" + taken + R"mlir(
      %trip = graven.constant dense<$n> : tensor<i64>
      %0 = graven.loop trip(%trip) init() stacked(tensor<$nx4xf32>) {)mlir" +
             eachRow + R"mlir(
      %zero = graven.constant dense<0.0> : tensor<4xf32>
      %1 = graven.loop trip(%trip) init(%zero : tensor<4xf32>) -> (tensor<4xf32>) {
      ^bb0(%k: tensor<i64>, %sum: tensor<4xf32>):
        %true = graven.constant dense<true> : tensor<i1>
        %y = graven.gather %r[%k] axis 0 nonneg : (tensor<$nx4xf32>, tensor<i64>) -> tensor<4xf32>
        %s = graven.add %sum, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        graven.yield %true, %s : tensor<i1>, tensor<4xf32>
      }
      graven.return %0, %1 : tensor<$nx4xf32>, tensor<4xf32>
    })mlir");
}

TEST_F(Counts, refusesLoopsThatSeeWhatVaries) {
  // Ends by a condition, so that there may be fewer slices.
  EXPECT_EQ(reason("(tensor<$nx4xf32>) {" + taken + R"mlir(
      %trip = graven.constant dense<$n> : tensor<i64>
      %0 = graven.loop trip(%trip) init() stacked(tensor<$nx4xf32>) {
      ^bb0(%k: tensor<i64>):
        %y = graven.gather %r[%k] axis 0 nonneg : (tensor<$nx4xf32>, tensor<i64>) -> tensor<4xf32>
        %end = graven.constant dense<20> : tensor<i64>
        %more = graven.compare lt %k, %end : (tensor<i64>, tensor<i64>) -> tensor<i1>
        graven.yield %more, %y : tensor<i1>, tensor<4xf32>
      }
      graven.return %0 : tensor<$nx4xf32>
    })mlir"),
            "'graven.loop' stacks slices along a symbol, and carries tensors "
            "or ends by a condition");
  EXPECT_EQ(reason("(tensor<$nx4xf32>) {" + taken + R"mlir(
      %trip = graven.constant dense<3> : tensor<i64>
      %0 = graven.loop trip(%trip) init(%r : tensor<$nx4xf32>) -> (tensor<$nx4xf32>) {
      ^bb0(%k: tensor<i64>, %h: tensor<$nx4xf32>):
        %true = graven.constant dense<true> : tensor<i1>
        %y = graven.exp %h : tensor<$nx4xf32>
        graven.yield %true, %y : tensor<i1>, tensor<$nx4xf32>
      }
      graven.return %0 : tensor<$nx4xf32>
    })mlir"),
            "'graven.loop' has Blocks that depend on the extents");
  // Rows may be counted from the end.
  EXPECT_EQ(reason("(tensor<3x4xf32>) {" + taken + R"mlir(
      %trip = graven.constant dense<3> : tensor<i64>
      %0 = graven.loop trip(%trip) init() stacked(tensor<3x4xf32>) {
      ^bb0(%k: tensor<i64>):
        %true = graven.constant dense<true> : tensor<i1>
        %y = graven.gather %r[%k] axis 0 : (tensor<$nx4xf32>, tensor<i64>) -> tensor<4xf32>
        graven.yield %true, %y : tensor<i1>, tensor<4xf32>
      }
      graven.return %0 : tensor<3x4xf32>
    })mlir"),
            "'graven.loop' has Blocks that depend on the extents");
}

TEST_F(Counts, refusesWhatHasNoRule) {
  EXPECT_EQ(reason("(tensor<$nx4xf32>) {" + taken + R"mlir(
      %0 = graven.layer_norm %r axis 0 epsilon 1.0e-5 : (tensor<$nx4xf32>) -> tensor<$nx4xf32>
      graven.return %0 : tensor<$nx4xf32>
    })mlir"),
            "'graven.layer_norm' normalises along a symbol");
}

} // namespace
