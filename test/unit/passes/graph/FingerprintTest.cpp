//===- FingerprintTest.cpp - whether a graph changed ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that fingerprints tell of every change, and that passes that
// would find nothing do not look.
//===----------------------------------------------------------------------===//

#include "passes/graph/Fingerprint.h"
#include "dialects/graven/Graven.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Passes.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;

namespace {

constexpr StringRef text = R"(
graven.graph @forward(%x: tensor<4x4xf32>, %c: tensor<i1>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = graven.softmax %x axis 1 : tensor<4x4xf32>
  %1 = graven.relu %x : tensor<4x4xf32>
  %2 = graven.if %c -> (tensor<4x4xf32>) {
    %3 = graven.tanh %x : tensor<4x4xf32>
    graven.yield %3 : tensor<4x4xf32>
  } else {
    graven.yield %1 : tensor<4x4xf32>
  }
  graven.return %0, %2 : tensor<4x4xf32>, tensor<4x4xf32>
})";

class Fingerprints : public testing::Test {
protected:
  Fingerprints() {
    context.getOrLoadDialect<GravenDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    graph = *module->getOps<GraphOp>().begin();
  }

  template <class OpTy> OpTy first() {
    OpTy found;
    graph->walk([&](OpTy op) { found = op; });
    return found;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  GraphOp graph;
};

TEST_F(Fingerprints, StayWithoutChanges) {
  uint64_t before = fingerprintOf(graph);
  EXPECT_EQ(fingerprintOf(graph), before);
  first<ReluOp>()->setLoc(UnknownLoc::get(&context));
  EXPECT_EQ(fingerprintOf(graph), before);
}

TEST_F(Fingerprints, TellOfEachChange) {
  ASSERT_TRUE(graph);
  std::set<uint64_t> seen{fingerprintOf(graph)};
  auto expectNew = [&](StringRef what) {
    EXPECT_TRUE(seen.insert(fingerprintOf(graph)).second) << what.str();
  };
  first<SoftmaxOp>().setAxis(0);
  expectNew("a property");
  first<SoftmaxOp>()->setDiscardableAttr("a.b", UnitAttr::get(&context));
  expectNew("an attribute");
  first<TanhOp>()->setOperand(0, first<ReluOp>());
  expectNew("an operand in a branch");
  first<SoftmaxOp>()->moveAfter(first<ReluOp>());
  expectNew("the order");
  auto wide = RankedTensorType::get({4, 4}, Float64Type::get(&context));
  first<TanhOp>()->getResult(0).setType(wide);
  expectNew("a type");
  graph.getBody().front().getArgument(0).setType(wide);
  expectNew("an input's type");
  OpBuilder builder(first<ReluOp>());
  auto made = builder.clone(*first<ReluOp>());
  expectNew("a Node more");
  made->erase();
  first<SoftmaxOp>()->getResult(0).replaceAllUsesWith(first<ReluOp>());
  first<SoftmaxOp>()->erase();
  expectNew("a Node less");
}

TEST_F(Fingerprints, NothingRunsTwiceOnOneState) {
  SettledGraphs graphs(*module);
  std::optional<uint64_t> &known = graphs.of(graph).unique;
  Fingerprint now(graph);
  int runs = 0;
  auto look = [&] { ++runs; };
  EXPECT_FALSE(runUnlessSettled(graph, now, &known, look));
  EXPECT_FALSE(runUnlessSettled(graph, now, &known, look));
  EXPECT_EQ(runs, 1);
  // Where nobody keeps what is known, always.
  EXPECT_FALSE(runUnlessSettled(graph, now, nullptr, look));
  EXPECT_EQ(runs, 2);
  // A change by somebody else, then one of its own, then none.
  first<SoftmaxOp>().setAxis(0);
  now = Fingerprint(graph);
  EXPECT_TRUE(runUnlessSettled(graph, now, &known, [&] {
    ++runs;
    first<SoftmaxOp>().setAxis(1);
  }));
  EXPECT_EQ(now.value, fingerprintOf(graph));
  EXPECT_FALSE(runUnlessSettled(graph, now, &known, look));
  EXPECT_EQ(runs, 3);
}

/// Another graph has a state of its own.
TEST_F(Fingerprints, GraphsAreApart) {
  SettledGraphs graphs(*module);
  graphs.of(graph).canonical = 1;
  EXPECT_FALSE(graphs.of(*module).canonical);
  EXPECT_EQ(graphs.of(graph).canonical, 1u);
}

/// How many patterns and folds a pipeline tries, and what is left.
std::pair<int, std::string> tries(ModuleOp module, StringRef pipeline) {
  MLIRContext *context = module.getContext();
  int count = 0;
  context->registerActionHandler(
      [&](function_ref<void()> run, const tracing::Action &action) {
        count += action.getTag() == "apply-pattern";
        run();
      });
  PassManager manager(context);
  EXPECT_TRUE(succeeded(parsePassPipeline(pipeline, manager)));
  EXPECT_TRUE(succeeded(manager.run(module)));
  context->registerActionHandler(nullptr);
  std::string printed;
  llvm::raw_string_ostream(printed) << module;
  return {count, printed};
}

TEST_F(Fingerprints, PipelinesCleanOnce) {
  registerGravenGraphPasses();
  OwningOpRef<ModuleOp> again = module->clone();
  auto [once, left] =
      tries(*module, "graven-infer-shapes,graven.graph(graven-canonicalize)");
  auto [twice, leftAgain] =
      tries(*again, "graven-infer-shapes,graven.graph(graven-canonicalize),"
                    "graven-fold-constants,graven-infer-shapes,"
                    "graven.graph(graven-canonicalize)");
  EXPECT_GT(once, 0);
  EXPECT_EQ(once, twice);
  EXPECT_EQ(left, leftAgain);
}

} // namespace
