//===- RoomTest.cpp - one graph for all extents -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests Graphs with room: their results for extents below the most,
// which the evaluator computes on inputs with NaN where nothing is used, and
// what is refused.
//===----------------------------------------------------------------------===//

#include "passes/graph/Room.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace graven;

namespace {

/// A Graph of one input x[n, 4] as text, where $n, $h and $t are n, n / 2 and
/// n + 2.
class Rooms : public testing::Test {
protected:
  Rooms() { context.getOrLoadDialect<GravenDialect>(); }

  GraphOp at(std::string text, int64_t n) {
    auto fill = [&](StringRef name, int64_t value) {
      for (size_t i; (i = text.find(name)) != std::string::npos;)
        text.replace(i, name.size(), std::to_string(value));
    };
    fill("$n", n);
    fill("$h", n / 2);
    fill("$t", n + 2);
    modules.push_back(parseSourceString<ModuleOp>(text, &context));
    return modules.back() ? modules.back()->lookupSymbol<GraphOp>("forward")
                          : GraphOp();
  }

  std::variant<Room, PartsProblem> make(const std::string &text,
                                        GraphOp &graph) {
    graph = at(text, 16);
    SmallVector<RoomSample> samples;
    for (int64_t n : {5, 7, 11, 13})
      samples.push_back({{n}, at(text, n)});
    RoomSymbol symbol{"n", 3, 16};
    return makeRoom(graph, symbol, samples, {{0, std::nullopt}});
  }

  std::string reason(const std::string &text) {
    GraphOp graph;
    auto made = make(text, graph);
    auto *problem = std::get_if<PartsProblem>(&made);
    return problem ? problem->reason : "";
  }

  static eval::Tensor input(MLIRContext *context, int64_t rows, int64_t used) {
    auto type = RankedTensorType::get({rows, 4}, Float32Type::get(context));
    eval::Tensor tensor(type);
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, i < used * 4 ? std::sin(double(i)) : NAN);
    return tensor;
  }

  /// The first places of each result, for each number of rows, are those of a
  /// Graph for just these.
  void expectSame(const std::string &text) {
    GraphOp graph;
    auto made = make(text, graph);
    if (auto *problem = std::get_if<PartsProblem>(&made))
      FAIL() << problem->reason;
    const Room &room = std::get<Room>(made);
    eval::Evaluator evaluator;
    for (int64_t n = 3; n <= 16; ++n) {
      SmallVector<eval::Tensor> whole{input(&context, 16, n)};
      for (unsigned function : room.passed) {
        eval::Tensor scalar(
            RankedTensorType::get({}, IntegerType::get(&context, 64)));
        scalar.set(0, room.functions[function].values[n - 3]);
        whole.push_back(scalar);
      }
      auto got = evaluator.run(graph, whole);
      auto want = evaluator.run(at(text, n), {input(&context, n, n)});
      ASSERT_TRUE(succeeded(got) && succeeded(want));
      for (auto [shape, left, right] :
           llvm::zip_equal(room.outputs, *got, *want)) {
        SmallVector<int64_t> used, extents(right.getShape());
        for (const RoomAxis &axis : shape)
          for (const RoomFactor &factor : axis)
            used.push_back(factor.function
                               ? room.functions[*factor.function].values[n - 3]
                               : factor.most);
        SmallVector<int64_t> most;
        for (const RoomAxis &axis : shape)
          for (const RoomFactor &factor : axis)
            most.push_back(factor.most);
        auto places = eval::stridedOffsets(used, eval::stridesOf(most));
        ASSERT_EQ(int64_t(places.size()), right.size()) << n;
        for (auto [i, place] : llvm::enumerate(places))
          ASSERT_NEAR(left.getDouble(place), right.getDouble(i), 1e-5)
              << n << ": " << i;
      }
    }
  }

  MLIRContext context;
  std::vector<OwningOpRef<ModuleOp>> modules;
};

TEST_F(Rooms, sumsMeansAndProductsAreOfWhatIsUsed) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<4xf32>, tensor<1x4xf32>, tensor<4x4xf32>, tensor<$nx4xf32>) {
      %0 = graven.reduce mean %x axes [0] : (tensor<$nx4xf32>) -> tensor<4xf32>
      %1 = graven.reduce max %x axes [0] keep : (tensor<$nx4xf32>) -> tensor<1x4xf32>
      %2 = graven.transpose %x by [1, 0] : (tensor<$nx4xf32>) -> tensor<4x$nxf32>
      %3 = graven.matmul %2, %x : (tensor<4x$nxf32>, tensor<$nx4xf32>) -> tensor<4x4xf32>
      %4 = graven.softmax %x axis 0 : tensor<$nx4xf32>
      graven.return %0, %1, %3, %4 : tensor<4xf32>, tensor<1x4xf32>, tensor<4x4xf32>, tensor<$nx4xf32>
    })mlir");
}

TEST_F(Rooms, picksFromTheEnd) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<2x4xf32>, tensor<$nx4xf32>, tensor<$tx4xf32>) {
      %0 = graven.slice %x [-2, 0] to [9223372036854775807, 4] by [1, 1] : (tensor<$nx4xf32>) -> tensor<2x4xf32>
      %1 = graven.reverse %x axes [0] : (tensor<$nx4xf32>) -> tensor<$nx4xf32>
      %2 = graven.concat %x, %0 axis 0 : (tensor<$nx4xf32>, tensor<2x4xf32>) -> tensor<$tx4xf32>
      graven.return %0, %1, %2 : tensor<2x4xf32>, tensor<$nx4xf32>, tensor<$tx4xf32>
    })mlir");
}

TEST_F(Rooms, windowsSeeTheirPadding) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<1x4x$hxf32>, tensor<1x4x$nxf32>) {
      %0 = graven.transpose %x by [1, 0] : (tensor<$nx4xf32>) -> tensor<4x$nxf32>
      %1 = graven.reshape %0 to [1, 4, $n] : (tensor<4x$nxf32>) -> tensor<1x4x$nxf32>
      %2 = graven.max_pool %1 kernel [2] strides [2] dilations [1] pads [0, 0] : (tensor<1x4x$nxf32>) -> tensor<1x4x$hxf32>
      %3 = graven.max_pool %1 kernel [3] strides [1] dilations [1] pads [1, 1] : (tensor<1x4x$nxf32>) -> tensor<1x4x$nxf32>
      graven.return %2, %3 : tensor<1x4x$hxf32>, tensor<1x4x$nxf32>
    })mlir");
}

TEST_F(Rooms, constantsThatFollowFromExtents) {
  expectSame(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<$nx4xf32>) {
      %0 = graven.constant dense<$n.0> : tensor<f32>
      %1 = graven.div %x, %0 : (tensor<$nx4xf32>, tensor<f32>) -> tensor<$nx4xf32>
      graven.return %1 : tensor<$nx4xf32>
    })mlir");
}

TEST_F(Rooms, refusesWhatHasNoRule) {
  EXPECT_EQ(reason(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<$nx4xf32>) {
      %0 = graven.layer_norm %x axis 0 epsilon 1.0e-5 : (tensor<$nx4xf32>) -> tensor<$nx4xf32>
      graven.return %0 : tensor<$nx4xf32>
    })mlir"),
            "'graven.layer_norm' normalises along a symbol");
}

TEST_F(Rooms, refusesOtherAttributesAtOtherExtents) {
  EXPECT_EQ(reason(R"mlir(
    graven.graph @forward(%x: tensor<$nx4xf32>) -> (tensor<$nx4xf32>) {
      %0 = graven.layer_norm %x axis 1 epsilon 0.$n : (tensor<$nx4xf32>) -> tensor<$nx4xf32>
      graven.return %0 : tensor<$nx4xf32>
    })mlir"),
            "'graven.layer_norm' has other attributes at other extents");
}

} // namespace
