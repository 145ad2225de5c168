//===- GraphTest.cpp - the Graph view and its printer -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the Graph, Block, Node and Value view of the IR.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graph.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace graven;
using view::Block;
using view::Graph;
using view::Node;
using view::Value;

namespace {

constexpr const char *text = R"(
graven.param @w : tensor<4x3xf32> = dense<0.5> : tensor<4x3xf32>
graven.graph @forward(%x: tensor<2x3xf32> {graven.name = "image"}, %c: tensor<i1>)
    -> (tensor<2x4xf32> {graven.name = "logits"}) {
  %w = graven.get_param @w : tensor<4x3xf32>
  %0 = graven.matmul %x, %w transpose_b : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %1 = graven.relu %0 : tensor<2x4xf32>
  %2 = graven.if %c -> (tensor<2x4xf32>) {
    %3 = graven.add %0, %1 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    graven.yield %3 : tensor<2x4xf32>
  } else {
    graven.yield %1 : tensor<2x4xf32>
  }
  graven.return %2 : tensor<2x4xf32>
}
)";

class GraphTest : public testing::Test {
protected:
  GraphTest() {
    context.loadDialect<GravenDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    graph = Graph(module->lookupSymbol<GraphOp>("forward"));
  }
  bool isValid() { return succeeded(mlir::verify(*module)); }
  Node find(llvm::StringRef kind) {
    Node found;
    graph.getBlock().walk([&](Node node) {
      if (!found && node.getKind() == kind)
        found = node;
    });
    return found;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Graph graph;
};

TEST_F(GraphTest, HandlesAreOnePointer) {
  EXPECT_EQ(sizeof(Graph), sizeof(void *));
  EXPECT_EQ(sizeof(Block), sizeof(void *));
  EXPECT_EQ(sizeof(Node), sizeof(void *));
  EXPECT_EQ(sizeof(Value), sizeof(void *));
  EXPECT_FALSE(Node());
  EXPECT_FALSE(Value());
}

TEST_F(GraphTest, Signature) {
  EXPECT_EQ(graph.getName(), "forward");
  ASSERT_EQ(graph.getNumInputs(), 2u);
  EXPECT_EQ(graph.getInputName(0), "image");
  EXPECT_EQ(graph.getInputName(1), "input1");
  ASSERT_EQ(graph.getNumOutputs(), 1u);
  EXPECT_EQ(graph.getOutputName(0), "logits");
  EXPECT_EQ(graph.getOutput(0).getNode(), find("if"));
  EXPECT_FALSE(graph.getInput(0).getNode());
  EXPECT_EQ(graph.getInput(0).getShape(), llvm::ArrayRef<int64_t>({2, 3}));
}

TEST_F(GraphTest, TopologicalOrder) {
  std::vector<std::string> kinds;
  for (Node node : graph.getBlock().getNodes())
    kinds.push_back(node.getKind().str());
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"get_param", "matmul", "relu", "if"}));
  kinds.clear();
  graph.getBlock().walk(
      [&](Node node) { kinds.push_back(node.getKind().str()); });
  EXPECT_EQ(kinds, (std::vector<std::string>{"get_param", "matmul", "relu",
                                             "if", "add"}));
}

TEST_F(GraphTest, SubBlocks) {
  Node branch = find("if");
  auto blocks = branch.getBlocks();
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].getOwner(), branch);
  EXPECT_FALSE(graph.getBlock().getOwner());
  EXPECT_EQ(blocks[1].getReturn().getInput(0).getNode(), find("relu"));
  EXPECT_TRUE(blocks[1].getReturn().isTerminator());
}

TEST_F(GraphTest, UsersAndNeighbours) {
  Node matmul = find("matmul"), relu = find("relu");
  auto users = matmul.getOutput().getUsers();
  EXPECT_EQ(users.size(), 2u);
  EXPECT_EQ(matmul.getNext(), relu);
  EXPECT_EQ(relu.getPrevious(), matmul);
  EXPECT_FALSE(find("get_param").getPrevious());
}

TEST_F(GraphTest, InsertAndReplace) {
  Node relu = find("relu");
  mlir::OpBuilder builder = relu.after();
  Node tanh =
      TanhOp::create(builder, relu.getLocation(), relu.getInput(0).get())
          .getOperation();
  EXPECT_EQ(relu.getNext(), tanh);
  relu.getOutput().replaceAllUsesWith(tanh.getOutput());
  EXPECT_FALSE(relu.getOutput().isUsed());
  relu.erase();
  EXPECT_FALSE(find("relu"));
  mlir::OpBuilder before = tanh.before();
  Node abs = AbsOp::create(before, tanh.getLocation(), tanh.getInput(0).get())
                 .getOperation();
  tanh.setInput(0, abs.getOutput());
  EXPECT_EQ(abs.getNext(), tanh);
  EXPECT_TRUE(isValid());
}

TEST_F(GraphTest, MoveKeepsTheOrderValid) {
  Node get = find("get_param"), matmul = find("matmul");
  get.moveBefore(matmul);
  EXPECT_TRUE(isValid());
  find("relu").moveAfter(matmul);
  EXPECT_TRUE(isValid());
}

TEST_F(GraphTest, PrintsLikeTorch) {
  std::string printed;
  llvm::raw_string_ostream os(printed);
  printGraph(graph.get(), os);
  EXPECT_EQ(printed, R"(graph(%image : Float(2, 3),
      %input1 : Bool()):
  %0 : Float(4, 3) = graven::get_param[param=w]()
  %1 : Float(2, 4) = graven::matmul[transpose_b](%image, %0)
  %2 : Float(2, 4) = graven::relu(%1)
  %3 : Float(2, 4) = graven::if(%input1)
    block0():
      %4 : Float(2, 4) = graven::add(%1, %2)
      -> (%4)
    block1():
      -> (%2)
  return (%3)
)");
}

} // namespace
