//===- TraceTest.cpp - tests of models written in C++ ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests what a recording makes of inputs, Parameters and calls, and
// what it reports.
//
//===----------------------------------------------------------------------===//

#include "test/unit/frontends/trace/TraceFixture.h"

using namespace graven;
using namespace graven::trace;

namespace {

using TraceTest = TraceFixture;
using Numbers = std::vector<double>;

TEST_F(TraceTest, NodesHaveTheLineOfTheProgram) {
  Tensor x = input({2, 3});
  Tensor y = relu(x);
  int line = __LINE__ - 1;
  Tensor z = y + 1;
  ASSERT_NE(finish(z), "");
  std::vector<std::string> places;
  (**module).walk([&](mlir::Operation *op) {
    if (mlir::isa<ReluOp, AddOp>(op)) {
      auto place = mlir::cast<mlir::FileLineColLoc>(op->getLoc());
      EXPECT_TRUE(place.getFilename().getValue().ends_with("TraceTest.cpp"));
      places.push_back(std::to_string(int(place.getLine()) - line));
    }
  });
  EXPECT_EQ(places, (std::vector<std::string>{"0", "2"}));
}

TEST_F(TraceTest, OperatorsBroadcastAndPromote) {
  Tensor x = input({2, 1}),
         i = trace->constant(2, std::vector<int64_t>{10, 20});
  Tensor y = (2 - x) * i / 4;
  EXPECT_EQ(y.dtype(), DType::Float);
  EXPECT_EQ(y.shape(), llvm::ArrayRef<int64_t>({2, 2}));
  EXPECT_EQ((i + 1).dtype(), DType::Long);
  EXPECT_EQ((i / 4).dtype(), DType::Float);
  EXPECT_EQ((1.5 + i).dtype(), DType::Float);
  EXPECT_EQ((x < i).dtype(), DType::Bool);
  EXPECT_EQ(evaluate(y, {{1, 0}}), (Numbers{2.5, 5, 5, 10}));
}

TEST_F(TraceTest, ModulesNameTheirParameters) {
  struct Scale : Module {
    Tensor factor, offset;
    Scale(const Module &parent, llvm::StringRef name)
        : Module(parent, name),
          factor(parameter("factor", 2, std::vector<float>{2, 3})),
          offset(buffer("offset", 2, std::vector<float>{1, 1})) {}
    Tensor operator()(const Tensor &x) const { return x * factor + offset; }
  };
  Module root(*trace);
  Scale first(root, "first"), inner(first, "0");
  EXPECT_EQ(inner.path(), "first.0");
  Tensor y = inner(first(input({2})));
  EXPECT_EQ(evaluate(y, {{1, 1}}), (Numbers{7, 13}));
  auto params = (**module).getOps<ParamOp>();
  std::vector<std::string> names;
  for (ParamOp param : params)
    names.push_back(
        (param.getSymName() + (param.getIsBuffer() ? " buffer" : "")).str());
  EXPECT_EQ(names, (std::vector<std::string>{
                       "first.factor", "first.offset buffer", "first.0.factor",
                       "first.0.offset buffer"}));
}

TEST_F(TraceTest, ParametersMayStayInAFile) {
  const float elements[] = {9, 1, 2};
  auto bytes = llvm::MemoryBuffer::getMemBuffer(
      llvm::StringRef(reinterpret_cast<const char *>(elements),
                      sizeof(elements)),
      "weights", false);
  ParameterBytes place{std::shared_ptr<llvm::MemoryBuffer>(std::move(bytes)),
                       4};
  Tensor w = trace->parameter("w", 2, DType::Float, place);
  EXPECT_EQ(evaluate(input({2}) + w, {{1, 1}}), (Numbers{2, 3}));
}

TEST_F(TraceTest, ExtentsWithANameAreGivenByTheOptions) {
  ImportOptions options;
  options.extentOf = [](llvm::StringRef symbol) {
    return symbol == "batch" ? 4 : InputExtent::kDynamic;
  };
  Trace sized(context, options);
  Tensor x = sized.input("x", {"batch", 3});
  EXPECT_EQ(x.shape(), llvm::ArrayRef<int64_t>({4, 3}));
  sized.output(relu(x));
  auto finished = sized.finish();
  ASSERT_TRUE(mlir::succeeded(finished));
  std::string text;
  llvm::raw_string_ostream(text) << **finished;
  EXPECT_NE(text.find("graven.symbols = [\"batch\", \"\"]"), std::string::npos);
  EXPECT_FALSE(input({"batch", 3}).isValid());
  EXPECT_TRUE(reported("[GRV0207] input 'x' has the extent 'batch'")) << errors;
}

TEST_F(TraceTest, ErrorsAreLocatedAndAllReported) {
  Tensor x = input({2, 3});
  Tensor bad = matmul(x, x);
  int line = __LINE__ - 1;
  Tensor worse = relu(bad) + bad; // says nothing more
  Tensor other = cat({x, bad}, 0);
  Tensor third = x + input({4}, "z");
  EXPECT_FALSE(worse.isValid());
  EXPECT_FALSE(other.isValid());
  EXPECT_EQ(finish(third), "");
  EXPECT_EQ(llvm::StringRef(errors).count("\n"), 2u) << errors;
  EXPECT_TRUE(reported("TraceTest.cpp\":" + std::to_string(line))) << errors;
  EXPECT_TRUE(reported("[GRV0202] aten::matmul: ")) << errors;
  EXPECT_TRUE(reported("[GRV0202] aten::add: ")) << errors;
}

TEST_F(TraceTest, RefusesNoneAndTensorsOfOtherTraces) {
  Trace other(context);
  Tensor x = input({2}), foreign = other.input("x", {2});
  EXPECT_FALSE((x + foreign).isValid());
  EXPECT_TRUE(reported("belongs to another trace")) << errors;
  EXPECT_TRUE(relu(Tensor()).isNone());
  EXPECT_EQ(finish(Tensor()), "");
  EXPECT_TRUE(reported("[GRV0107] a tensor is used that stands for no value"))
      << errors;
}

TEST_F(TraceTest, RefusesNamesThatAreThereTwice) {
  Tensor x = input({2});
  EXPECT_FALSE(input({2}).isValid());
  trace->parameter("w", 2, std::vector<float>{1, 2});
  EXPECT_FALSE(trace->parameter("w", 2, std::vector<float>{1, 2}).isValid());
  EXPECT_TRUE(reported("[GRV0107] input 'x' is there twice")) << errors;
  EXPECT_TRUE(reported("[GRV0107] parameter 'w' is there twice")) << errors;
  EXPECT_EQ(finish(x), "");
}

TEST_F(TraceTest, RefusesParametersOfTheWrongSize) {
  EXPECT_FALSE(
      trace->parameter("w", {2, 2}, std::vector<float>{1, 2}).isValid());
  EXPECT_TRUE(
      reported("[GRV0105] parameter 'w' needs 16 bytes at offset 0, got 8"))
      << errors;
  EXPECT_FALSE(trace->parameter("v", {-1}, std::vector<float>{}).isValid());
  EXPECT_TRUE(reported("[GRV0105] parameter 'v' has no type")) << errors;
  EXPECT_FALSE(trace->constant({3}, std::vector<float>{1}).isValid());
  EXPECT_TRUE(reported("a constant needs 12 bytes, got 4")) << errors;
}

} // namespace
