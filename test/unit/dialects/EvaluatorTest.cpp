//===- EvaluatorTest.cpp - the reference evaluator ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests running Graphs with inputs and reading Parameters from blobs.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace graven;
using namespace graven::eval;
using namespace mlir;

namespace {
struct EvaluatorTest : testing::Test {
  EvaluatorTest() {
    context.loadDialect<GravenDialect>();
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
  }

  GraphOp parse(StringRef source) {
    module = parseSourceString<ModuleOp>(source, &context);
    EXPECT_TRUE(module) << message;
    return module ? *module->getOps<GraphOp>().begin() : GraphOp();
  }

  /// Bytes known to the dialect as "f".
  void addBlob(StringRef bytes) {
    auto *dialect = context.getLoadedDialect<GravenDialect>();
    dialect->getBlobStore().add("f",
                                llvm::MemoryBuffer::getMemBufferCopy(bytes));
  }

  /// What the Graph returns, as doubles; empty with `message` on an error.
  std::vector<double> run(GraphOp graph, ArrayRef<Tensor> inputs = {}) {
    if (!graph)
      return {};
    Evaluator evaluator;
    auto outputs = evaluator.run(graph, inputs);
    return succeeded(outputs) ? outputs->front().toDoubles()
                              : std::vector<double>();
  }

  Tensor input(ArrayRef<int64_t> shape) {
    return Tensor(RankedTensorType::get(shape, Float32Type::get(&context)));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string message;
};
} // namespace

static constexpr StringLiteral readsParam = R"(
  graven.graph @forward() -> tensor<2x2xi16> {
    %0 = graven.get_param @p : tensor<2x2xi16>
    graven.return %0 : tensor<2x2xi16>
  }
  graven.param @p : tensor<2x2xi16> = )";

TEST_F(EvaluatorTest, DenseBlobs) {
  addBlob(StringRef("??\1\0\2\0\3\0\4\0", 10));
  auto graph = parse((readsParam + "#graven.blob<\"f\", 2, 8>").str());
  EXPECT_EQ(run(graph), (std::vector<double>{1, 2, 3, 4}));
}

TEST_F(EvaluatorTest, StridedBlobs) {
  addBlob(StringRef("\1\0\2\0\3\0\4\0", 8));
  auto graph =
      parse((readsParam + "#graven.blob<\"f\", 0, 8, strides = [1, 2]>").str());
  EXPECT_EQ(run(graph), (std::vector<double>{1, 3, 2, 4})) << message;
}

TEST_F(EvaluatorTest, RepeatedBlobs) {
  addBlob(StringRef("\1\0\2\0", 4));
  auto graph =
      parse((readsParam + "#graven.blob<\"f\", 0, 4, strides = [0, 1]>").str());
  EXPECT_EQ(run(graph), (std::vector<double>{1, 2, 1, 2})) << message;
}

TEST_F(EvaluatorTest, BigEndianBlobs) {
  addBlob(StringRef("\0\1\0\2\0\3\1\0", 8));
  auto graph = parse(
      (readsParam + "#graven.blob<\"f\", 0, 8, big_endian = true>").str());
  EXPECT_EQ(run(graph), (std::vector<double>{1, 2, 3, 256})) << message;
}

TEST_F(EvaluatorTest, BlobsOutsideTheirFileAreErrors) {
  addBlob("four");
  auto graph = parse((readsParam + "#graven.blob<\"f\", 0, 8>").str());
  EXPECT_TRUE(run(graph).empty());
  EXPECT_NE(message.find("lie outside 'f' of 4 bytes"), std::string::npos)
      << message;
}

TEST_F(EvaluatorTest, InputsOfOtherTypesAreErrors) {
  auto graph = parse(R"(
    graven.graph @forward(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
      %0 = graven.add %x, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
      graven.return %0 : tensor<?x2xf32>
    })");
  Tensor x = input({1, 2});
  x.set(1, 1.5);
  EXPECT_EQ(run(graph, x), (std::vector<double>{0, 3}));
  EXPECT_TRUE(run(graph, input({1, 3})).empty());
  EXPECT_NE(message.find("input 'input0' has type 'tensor<?x2xf32>', got "
                         "'tensor<1x3xf32>'"),
            std::string::npos)
      << message;
  EXPECT_TRUE(run(graph).empty());
  EXPECT_NE(message.find("takes 1 inputs, got 0"), std::string::npos);
}

TEST_F(EvaluatorTest, TensorsBeyondTheLimitAreRefused) {
  auto graph = parse(R"(
    graven.graph @forward(%x: tensor<1xf32>) -> tensor<1099511627776xf32> {
      %0 = graven.broadcast %x to [1099511627776] axes [0] : (tensor<1xf32>) -> tensor<1099511627776xf32>
      graven.return %0 : tensor<1099511627776xf32>
    })");
  EXPECT_TRUE(run(graph, input({1})).empty());
  EXPECT_NE(message.find("more than the evaluator's limit"), std::string::npos)
      << message;
}
