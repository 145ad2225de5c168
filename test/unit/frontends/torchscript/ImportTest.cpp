//===- ImportTest.cpp - tests of the TorchScript importer ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the walk from TorchScript source text to a graph: what it
// decides at import, what it builds, judged by the reference evaluator, and
// what it reports.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Import.h"

#include "dialects/graven/Graven.h"

#include "gtest/gtest.h"

using namespace graven;
using std::string;

namespace {

class ImportTest : public testing::Test {
protected:
  ImportTest() {
    context.getOrLoadDialect<GravenDialect>();
    handler.emplace(&context, [this](mlir::Diagnostic &diagnostic) {
      llvm::raw_string_ostream stream(errors);
      stream << diagnostic.getLocation() << ": " << diagnostic.str() << "\n";
      for (mlir::Diagnostic &note : diagnostic.getNotes())
        stream << note.getLocation() << ": " << note.str() << "\n";
      return mlir::success();
    });
  }

  /// Imports `def forward(<parameters>): <body>` and helper functions.
  bool import(const string &text, std::vector<string> inputs) {
    errors.clear();
    ImportOptions options;
    for (const string &input : inputs)
      options.inputs.push_back(llvm::cantFail(parseInputSpec(input)));
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(text, "m.py");
    auto result = importTorchScriptSource(&context, *buffer, options);
    if (mlir::failed(result))
      return false;
    module = std::move(*result);
    return true;
  }
  bool importForward(const string &body, std::vector<string> inputs,
                     const string &parameters = "x: Tensor") {
    return import("def forward(" + parameters + "):\n" + body,
                  std::move(inputs));
  }

  /// The first output for f32 inputs, as doubles.
  std::vector<double> evaluate(std::vector<std::vector<float>> inputs) {
    auto graph = module->lookupSymbol<GraphOp>("forward");
    std::vector<eval::Tensor> tensors;
    for (auto [type, values] : llvm::zip(graph.getArgumentTypes(), inputs))
      tensors.push_back(eval::Tensor::fromBytes(
          mlir::cast<mlir::RankedTensorType>(type),
          llvm::ArrayRef(reinterpret_cast<const char *>(values.data()),
                         values.size() * sizeof(float))));
    eval::Evaluator evaluator;
    auto outputs = evaluator.run(graph, tensors);
    if (mlir::failed(outputs) || outputs->empty())
      return {};
    return outputs->front().toDoubles();
  }
  template <class Op> size_t count() {
    size_t total = 0;
    module->walk([&](Op) { ++total; });
    return total;
  }
  void expectError(const string &part) {
    EXPECT_NE(errors.find(part), string::npos) << errors;
  }

  mlir::MLIRContext context;
  std::optional<mlir::ScopedDiagnosticHandler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  string errors;
};

using Doubles = std::vector<double>;

TEST_F(ImportTest, KnownConditionsLeaveOneBranch) {
  ASSERT_TRUE(importForward("  if torch.eq(torch.dim(x), 2):\n"
                            "    y = torch.relu(x)\n"
                            "  else:\n"
                            "    ops.prim.RaiseException(\"bad\")\n"
                            "    y = x\n"
                            "  return y\n",
                            {"x:f32[1,3]"}))
      << errors;
  EXPECT_EQ(count<ReluOp>(), 1u);
  EXPECT_EQ(evaluate({{-1, 0, 2}}), (Doubles{0, 0, 2}));
}

TEST_F(ImportTest, LoopsUnrollAndListsAreKnown) {
  ASSERT_TRUE(importForward("  l = annotate(List[Tensor], [])\n"
                            "  for i in range(torch.len(torch.size(x))):\n"
                            "    _0 = torch.append(l, torch.mul(x, i))\n"
                            "  return torch.cat(l, 1)\n",
                            {"x:f32[1,2]"}))
      << errors;
  EXPECT_EQ(evaluate({{3, 4}}), (Doubles{0, 0, 3, 4}));
}

TEST_F(ImportTest, ParallelCopiesSwap) {
  ASSERT_TRUE(importForward("  a = x\n"
                            "  b = torch.neg(x)\n"
                            "  for i in range(3):\n"
                            "    a, b = b, a\n"
                            "  return a\n",
                            {"x:f32[1]"}))
      << errors;
  EXPECT_EQ(evaluate({{5}}), (Doubles{-5}));
}

TEST_F(ImportTest, WhileWithKnownCondition) {
  ASSERT_TRUE(importForward("  i = 0\n"
                            "  go = True\n"
                            "  y = x\n"
                            "  while go:\n"
                            "    y = torch.add(y, 1)\n"
                            "    i = torch.add(i, 1)\n"
                            "    go = torch.lt(i, 4)\n"
                            "  return y\n",
                            {"x:f32[1]"}))
      << errors;
  EXPECT_EQ(evaluate({{0}}), (Doubles{4}));
}

TEST_F(ImportTest, TraceShapeArithmeticFolds) {
  ASSERT_TRUE(importForward(
      "  n = ops.prim.NumToTensor(torch.size(x, 1))\n"
      "  h = int(torch.floor_divide(n, ops.prim.NumToTensor(2)))\n"
      "  return torch.view(x, [h, -1])\n",
      {"x:f32[1,6]"}))
      << errors;
  EXPECT_EQ(count<DivOp>(), 0u);
  auto graph = module->lookupSymbol<GraphOp>("forward");
  EXPECT_EQ(
      mlir::cast<mlir::RankedTensorType>(graph.getResultTypes()[0]).getShape(),
      (llvm::ArrayRef<int64_t>{3, 2}));
}

//===----------------------------------------------------------------------===//
// Mutation
//===----------------------------------------------------------------------===//

TEST_F(ImportTest, WritesThroughViewChains) {
  ASSERT_TRUE(importForward(
      "  z = torch.mul(x, 1)\n"
      "  _0 = torch.add_(torch.select(torch.slice(z), 1, 1), 10)\n"
      "  return z\n",
      {"x:f32[2,2]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 2, 3, 4}}), (Doubles{1, 12, 3, 14}));
}

TEST_F(ImportTest, ViewsSeeWritesToTheirBase) {
  ASSERT_TRUE(importForward("  z = torch.mul(x, 1)\n"
                            "  t = torch.transpose(z, 0, 1)\n"
                            "  _0 = torch.relu_(z)\n"
                            "  return t\n",
                            {"x:f32[2,2]"}))
      << errors;
  EXPECT_EQ(evaluate({{-1, 2, 3, -4}}), (Doubles{0, 3, 2, 0}));
}

TEST_F(ImportTest, ClonesDoNotSeeWrites) {
  ASSERT_TRUE(importForward("  z = torch.mul(x, 1)\n"
                            "  c = torch.clone(z)\n"
                            "  _0 = torch.fill_(z, 7)\n"
                            "  return torch.add(c, z)\n",
                            {"x:f32[2]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 2}}), (Doubles{8, 9}));
}

TEST_F(ImportTest, InPlaceKeepsTheType) {
  ASSERT_TRUE(importForward("  i = torch.to(x, 4)\n"
                            "  _0 = torch.mul_(i, 3)\n"
                            "  return torch.add(i, 0.5)\n",
                            {"x:f32[2]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 2}}), (Doubles{3.5, 6.5}));
}

TEST_F(ImportTest, MaskedAssignment) {
  ASSERT_TRUE(importForward(
      "  z = torch.mul(x, 1)\n"
      "  m = annotate(List[Optional[Tensor]], [torch.gt(z, 1.5)])\n"
      "  _0 = torch.index_put_(z, m, torch.tensor(0.))\n"
      "  return z\n",
      {"x:f32[3]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 2, 3}}), (Doubles{1, 0, 0}));
}

TEST_F(ImportTest, WriteIntoExpandedTensorIsRefused) {
  EXPECT_FALSE(importForward("  e = torch.expand(torch.mul(x, 1), [2, 3])\n"
                             "  return torch.add_(e, 1)\n",
                             {"x:f32[1,3]"}));
  expectError("GRV0202");
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

TEST_F(ImportTest, PromotesLikePyTorch) {
  ASSERT_TRUE(importForward("  return torch.add(x, 1.5)\n", {"x:i32[2]"}))
      << errors;
  auto graph = module->lookupSymbol<GraphOp>("forward");
  EXPECT_TRUE(mlir::cast<mlir::RankedTensorType>(graph.getResultTypes()[0])
                  .getElementType()
                  .isF32());
  ASSERT_TRUE(importForward("  return torch.mul(x, 2)\n", {"x:f16[2]"}));
  graph = module->lookupSymbol<GraphOp>("forward");
  EXPECT_TRUE(mlir::cast<mlir::RankedTensorType>(graph.getResultTypes()[0])
                  .getElementType()
                  .isF16());
}

TEST_F(ImportTest, FloorDivisionAndRemainderOfFloats) {
  ASSERT_TRUE(
      importForward("  return torch.floor_divide(x, 0.1)\n", {"x:f64[1]"}));
  ASSERT_TRUE(importForward("  return torch.remainder(x, 3)\n", {"x:f32[2]"}));
  EXPECT_EQ(evaluate({{-1, 4}}), (Doubles{2, 1}));
}

TEST_F(ImportTest, AdvancedIndexing) {
  ASSERT_TRUE(importForward(
      "  i = torch.tensor([[1], [0]])\n"
      "  j = torch.tensor([0, -1])\n"
      "  return torch.index(x, annotate(List[Optional[Tensor]], [i, j]))\n",
      {"x:f32[2,3]"}))
      << errors;
  EXPECT_EQ(evaluate({{0, 1, 2, 3, 4, 5}}), (Doubles{3, 5, 0, 2}));
}

TEST_F(ImportTest, Einsum) {
  ASSERT_TRUE(importForward("  return torch.einsum(\"bij,bkj->bki\", [x, x])\n",
                            {"x:f32[1,2,2]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 2, 3, 4}}), (Doubles{5, 11, 11, 25}));
}

TEST_F(ImportTest, AdaptivePoolWithOverlappingBins) {
  ASSERT_TRUE(importForward("  return torch.adaptive_avg_pool1d(x, [2])\n",
                            {"x:f32[1,1,3]"}))
      << errors;
  EXPECT_EQ(evaluate({{1, 3, 5}}), (Doubles{2, 4}));
}

TEST_F(ImportTest, DictsAndTuplesBecomeOutputs) {
  ASSERT_TRUE(importForward("  return {\"a\": x, \"b\": (x, torch.neg(x))}\n",
                            {"x:f32[1]"}))
      << errors;
  auto graph = module->lookupSymbol<GraphOp>("forward");
  ASSERT_EQ(graph.getResultTypes().size(), 3u);
  EXPECT_EQ(graph.getOutputName(0), "a");
  EXPECT_EQ(graph.getOutputName(2), "b.1");
  EXPECT_EQ(graph.getInputName(0), "x");
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(ImportTest, AllUnsupportedOperationsAtOnce) {
  EXPECT_FALSE(importForward("  a = torch.to_sparse(x)\n"
                             "  if torch.gt(torch.sum(a), 0.):\n"
                             "    b = torch.to_sparse(a)\n"
                             "  else:\n"
                             "    b = torch.linalg_eigvals(a)\n"
                             "  return torch.add(b, x)\n",
                             {"x:f32[2,2]"}));
  expectError("\"m.py\":2:22): [GRV0201] aten::to_sparse is not supported: 2 "
              "uses, also at m.py:4");
  expectError(
      "\"m.py\":6:29): [GRV0201] aten::linalg_eigvals is not supported: 1 use");
}

TEST_F(ImportTest, ConditionsOnDataAreLocated) {
  EXPECT_FALSE(importForward("  if bool(torch.sum(x)):\n    return x\n"
                             "  return torch.neg(x)\n",
                             {"x:f32[2]"}));
  expectError("[GRV0204]");
  expectError("\"m.py\":2:");
}

TEST_F(ImportTest, TheModelsOwnErrors) {
  EXPECT_FALSE(importForward(
      "  if torch.ne(torch.dim(x), 4):\n"
      "    _0 = torch.format(\"expected 4D (got {}D)\", torch.dim(x))\n"
      "    ops.prim.RaiseException(_0, \"builtins.ValueError\")\n"
      "  return x\n",
      {"x:f32[2]"}));
  expectError("[GRV0205] the model raises: expected 4D (got 1D)");
}

TEST_F(ImportTest, Inputs) {
  EXPECT_FALSE(importForward("  return torch.add(x, y)\n", {"x:f32[1]"},
                             "x: Tensor, y: Tensor"));
  expectError("[GRV0301] input 'y'");
  EXPECT_FALSE(importForward("  return x\n", {"x:f32[1]", "z:f32[1]"}));
  expectError("[GRV0302]");
  EXPECT_FALSE(importForward("  return x\n", {"x:f32[?]"}));
  expectError("[GRV0207]");
  EXPECT_TRUE(importForward("  return torch.add(x, k)\n", {"0:f32[1]"},
                            "x: Tensor, k: int=2"))
      << errors;
  EXPECT_EQ(evaluate({{1}}), (Doubles{3}));
}

TEST_F(ImportTest, ProgramsWithoutEnd) {
  EXPECT_FALSE(import("def g(x):\n  return g(x)\n"
                      "def forward(x: Tensor):\n  return g(x)\n",
                      {"x:f32[1]"}));
  expectError("nested more than");
  EXPECT_FALSE(
      importForward("  while True:\n    y = x\n  return x\n", {"x:f32[1]"}));
  expectError("more than 10000 times");
}

TEST_F(ImportTest, LongLoopsAreNotUnrolled) {
  EXPECT_TRUE(importForward("  for i in range(100000):\n"
                            "    x = torch.add(x, torch.remainder(i, 2))\n"
                            "  return x\n",
                            {"x:f32[1]"}))
      << errors;
  EXPECT_EQ(evaluate({{1}}), (Doubles{50001}));
}

TEST_F(ImportTest, SourceErrors) {
  EXPECT_FALSE(importForward("  return y\n", {"x:f32[1]"}));
  expectError("[GRV0103] name 'y' is not defined");
  EXPECT_FALSE(importForward("  return (x\n", {"x:f32[1]"}));
  expectError("[GRV0103] m.py:");
  EXPECT_FALSE(import("def other(x):\n  return x\n", {}));
  expectError("no method 'forward'");
  EXPECT_FALSE(importForward("  return torch.relu(x, x, x)\n", {"x:f32[1]"}));
  expectError("no overload takes (Tensor, Tensor, Tensor)");
  EXPECT_FALSE(importForward("  return torch.view(x, [3])\n", {"x:f32[2]"}));
  expectError("[GRV0202] aten::view: shape [3] does not hold 2 elements");
  EXPECT_FALSE(
      importForward("  return torch.dropout(x, 0.5, True)\n", {"x:f32[2]"}));
  expectError("[GRV0206]");
}

TEST_F(ImportTest, QuantizedOperatorsWithoutTheirArguments) {
  for (llvm::StringRef name : {"linear_prepack_fp16", "linear_prepack",
                               "linear", "conv2d", "add", "conv2d_unpack"}) {
    std::string line = ("  return ops.quantized." + name + "()\n").str();
    EXPECT_FALSE(importForward(line, {"x:f32[2]"})) << name.str();
    expectError("[GRV0");
  }
}

} // namespace
