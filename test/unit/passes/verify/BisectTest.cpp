//===- BisectTest.cpp - wrong steps are found -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the counting of steps, the search among them on wrong
// patterns and a wrong pass, and the comparison of traces.
//===----------------------------------------------------------------------===//

#include "passes/verify/Bisect.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"
#include "test/unit/passes/verify/Faults.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;
using graven::test::Fault;

namespace {

/// A fault as a pattern.
struct PatternPass : PassWrapper<PatternPass, OperationPass<GraphOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PatternPass)
  explicit PatternPass(const Fault &fault) : fault(fault) {}
  StringRef getArgument() const override { return "test-pattern-fault"; }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    test::addWrongPattern(patterns, fault);
    GreedyRewriteConfig config;
    config.enableFolding(false).setMaxIterations(1);
    (void)applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
  const Fault &fault;
};

/// A fault without a pattern: what was an addition is a subtraction.
struct PlainPass : PassWrapper<PlainPass, OperationPass<GraphOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlainPass)
  StringRef getArgument() const override { return "test-plain-fault"; }
  void runOnOperation() override {
    getOperation().walk([](AddOp add) {
      OpBuilder builder(add);
      auto sub = SubOp::create(builder, add.getLoc(), add.getType(),
                               add->getOperands());
      add->replaceAllUsesWith(sub);
      add->erase();
    });
  }
};

class BisectTest : public testing::Test {
protected:
  BisectTest() { context.loadDialect<GravenDialect>(); }

  OwningOpRef<ModuleOp> parse(StringRef text) {
    return parseSourceString<ModuleOp>(text, &context);
  }

  /// What the search finds on random inputs.
  std::optional<Culprit>
  bisect(ModuleOp module, std::function<void(PassManager &)> build,
         std::optional<double> tolerance = std::nullopt) {
    std::mt19937 random(7);
    auto inputs = randomInputs(module.lookupSymbol<GraphOp>("main"), random, 0);
    auto culprit =
        GraphBisection(module, "main", std::move(build), inputs, tolerance)
            .run();
    EXPECT_TRUE(succeeded(culprit));
    return failed(culprit) ? std::nullopt : *culprit;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
};

TEST_F(BisectTest, FindsThePatternAndTheNodeOfEachFault) {
  for (const Fault &fault : test::faults()) {
    OwningOpRef<ModuleOp> module = parse(test::graphText(fault, fault.right));
    auto culprit = bisect(*module, [&](PassManager &manager) {
      manager.addNestedPass<GraphOp>(createCSEPass());
      manager.addNestedPass<GraphOp>(std::make_unique<PatternPass>(fault));
      manager.addNestedPass<GraphOp>(createCanonicalizerPass());
    });
    ASSERT_TRUE(culprit) << fault.name;
    EXPECT_EQ(culprit->step.pass, "test-pattern-fault") << fault.name;
    EXPECT_EQ(culprit->step.pattern, "WrongPattern") << fault.name;
    // "graven.sub" of "graven.sub %x, ...".
    EXPECT_EQ(culprit->step.node, StringRef(fault.right).split(' ').first)
        << fault.name;
    EXPECT_LE(culprit->step.number, culprit->steps) << fault.name;
    EXPECT_NE(culprit->difference.find("output 0 differs by"),
              std::string::npos)
        << fault.name << ": " << culprit->difference;
  }
}

constexpr const char *kThreeNodes = R"mlir(
graven.graph @main(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = graven.relu %x : tensor<4x6xf32> loc("first")
  %1 = graven.add %0, %x : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32> loc("second")
  %2 = graven.exp %1 : tensor<4x6xf32> loc("third")
  graven.return %2 : tensor<4x6xf32>
}
)mlir";

TEST_F(BisectTest, FindsTheNodeOfAPassWithoutPatterns) {
  OwningOpRef<ModuleOp> module = parse(kThreeNodes);
  auto culprit = bisect(*module, [](PassManager &manager) {
    manager.addNestedPass<GraphOp>(createCanonicalizerPass());
    manager.addNestedPass<GraphOp>(std::make_unique<PlainPass>());
  });
  ASSERT_TRUE(culprit);
  EXPECT_EQ(culprit->step.pass, "test-plain-fault");
  EXPECT_EQ(culprit->step.pattern, "");
  EXPECT_EQ(culprit->step.node, "@main");
  ASSERT_TRUE(culprit->node);
  EXPECT_EQ(culprit->node->first, "sub");
  EXPECT_EQ(cast<NameLoc>(culprit->node->second).getName(), "second");
}

TEST_F(BisectTest, FindsNothingWherePassesAreRight) {
  OwningOpRef<ModuleOp> module = parse(kThreeNodes);
  auto right = [](PassManager &manager) {
    manager.addNestedPass<GraphOp>(createCanonicalizerPass());
    manager.addNestedPass<GraphOp>(createCSEPass());
  };
  EXPECT_FALSE(bisect(*module, right));
  // A tolerance that the fault is within.
  EXPECT_FALSE(bisect(
      *module,
      [](PassManager &manager) {
        manager.addNestedPass<GraphOp>(std::make_unique<PlainPass>());
      },
      /*tolerance=*/2));
}

TEST_F(BisectTest, AFailingPassIsACulprit) {
  struct Failing : PassWrapper<Failing, OperationPass<GraphOp>> {
    MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Failing)
    StringRef getArgument() const override { return "test-failing"; }
    void runOnOperation() override {
      getOperation().emitError("gives up");
      signalPassFailure();
    }
  };
  OwningOpRef<ModuleOp> module = parse(kThreeNodes);
  auto culprit = bisect(*module, [](PassManager &manager) {
    manager.addNestedPass<GraphOp>(createCSEPass());
    manager.addNestedPass<GraphOp>(std::make_unique<Failing>());
  });
  ASSERT_TRUE(culprit);
  EXPECT_EQ(culprit->step.pass, "test-failing");
  EXPECT_EQ(culprit->difference, "gives up");
}

TEST_F(BisectTest, ALimitStopsPassesThatNobodyRequires) {
  auto run = [&](StepCounter &counter) {
    OwningOpRef<ModuleOp> module = parse(kThreeNodes);
    PassManager manager(&context);
    manager.addNestedPass<GraphOp>(createCSEPass());
    manager.addNestedPass<GraphOp>(std::make_unique<PlainPass>());
    StepCounter::Scope scope(&counter, &context);
    EXPECT_TRUE(succeeded(manager.run(*module)));
    return !module->lookupSymbol<GraphOp>("main").getOps<SubOp>().empty();
  };
  StepCounter whole;
  EXPECT_TRUE(run(whole));
  EXPECT_EQ(whole.count(), 2);
  EXPECT_FALSE(whole.last());

  StepCounter one(1);
  EXPECT_FALSE(run(one));
  ASSERT_TRUE(one.last());
  EXPECT_EQ(one.last()->pass, "cse");
  std::string text;
  llvm::raw_string_ostream os(text);
  one.print(os);
  EXPECT_EQ(text, "step 1: cse on @main\n"
                  "step 2: test-plain-fault on @main: not run\n");

  StepCounter required(0, {"test-plain-fault"});
  EXPECT_TRUE(run(required));
}

TEST_F(BisectTest, TheSearchEndsAtTheFirstWrongStep) {
  for (int64_t culprit : {1, 7, 99, 100}) {
    int64_t probes = 0;
    FailureOr<int64_t> found =
        firstWrong(0, 100, [&](int64_t limit) -> FailureOr<bool> {
          ++probes;
          return limit < culprit;
        });
    ASSERT_TRUE(succeeded(found));
    EXPECT_EQ(*found, culprit);
    EXPECT_LE(probes, 7);
  }
  EXPECT_TRUE(failed(firstWrong(
      0, 100, [](int64_t) -> FailureOr<bool> { return failure(); })));
}

TEST_F(BisectTest, ErrorsAreCountedByTheirSize) {
  auto type = RankedTensorType::get({5}, Float32Type::get(&context));
  auto expected =
      eval::Tensor::fromVector<double>(type, {4, 0, 1, INFINITY, NAN});
  auto got =
      eval::Tensor::fromVector<double>(type, {4, 0.25, 1, -INFINITY, NAN});
  Errors errors = errorsOf(expected, got);
  EXPECT_EQ(errors.scale, 4);
  EXPECT_EQ(errors.greatest, 0.25);
  EXPECT_EQ(errors.histogram[0], 3);
  EXPECT_EQ(errors.histogram[8], 1) << "0.25 of 4 is below 1e-1";
  EXPECT_EQ(errors.numNotFinite(), 1);
  EXPECT_EQ(errors.worst, 3);
  EXPECT_EQ(errors.relative(), INFINITY);
  EXPECT_EQ(errorsOf(expected, expected).relative(), 0);
  EXPECT_EQ(binName(8), "< 1e-1");
}

TEST_F(BisectTest, ADifferenceThatOthersMakeUpForIsNotTheFirst) {
  auto type = RankedTensorType::get({1}, Float32Type::get(&context));
  auto trace = [&](ArrayRef<double> values) {
    std::vector<NodeValue> nodes;
    for (auto [i, value] : llvm::enumerate(values))
      nodes.push_back({std::to_string(i),
                       "node",
                       UnknownLoc::get(&context),
                       eval::Tensor::fromVector<double>(type, {value}),
                       {i + 1},
                       false});
    nodes.back().readers.clear();
    nodes.back().isSeen = true;
    return nodes;
  };
  std::vector<NodeValue> expected = trace({1, 2, 3, 4});
  auto first = [&](const std::vector<NodeValue> &got) -> std::string {
    auto comparisons = compareTraces(expected, got);
    const NodeComparison *node = firstDivergence(got, comparisons, {});
    return node ? node->got->key : "none";
  };
  EXPECT_EQ(first(trace({1, 2, 3, 4})), "none");
  EXPECT_EQ(first(trace({1, 9, 3, 4})), "none");
  EXPECT_EQ(first(trace({9, 2, 9, 9})), "2");
  // Through what has no counterpart, too.
  std::vector<NodeValue> got = trace({9, 0, 9, 9});
  got[1].key = "other";
  EXPECT_EQ(first(got), "0");
}

TEST_F(BisectTest, TracesAreComparedByPlaceInEitherLayout) {
  OwningOpRef<ModuleOp> module = parse(kThreeNodes);
  std::mt19937 random(7);
  auto graph = module->lookupSymbol<GraphOp>("main");
  auto inputs = randomInputs(graph, random);
  auto trace = traceGraph(graph, inputs);
  ASSERT_TRUE(succeeded(trace));
  EXPECT_EQ(graph.getNumResults(), 1u) << "the Graph is as it was";
  ASSERT_EQ(trace->nodes.size(), 3u);
  EXPECT_EQ(trace->nodes[1].kind, "add");
  ASSERT_EQ(trace->outputs.size(), 1u);

  EXPECT_EQ(trace->nodes[0].readers, SmallVector<size_t>{1});
  EXPECT_FALSE(trace->nodes[1].isSeen);
  EXPECT_TRUE(trace->nodes[2].isSeen);

  // A fused place counts as its last part.
  EXPECT_EQ(placeKey(FusedLoc::get(&context,
                                   {trace->nodes[0].loc, trace->nodes[1].loc})),
            trace->nodes[1].key);
  EXPECT_EQ(placeKey(UnknownLoc::get(&context)), "");

  auto f32 = Float32Type::get(&context);
  eval::Tensor planar =
      randomTensor(RankedTensorType::get({1, 3, 2, 2}, f32), random);
  eval::Tensor blocked(RankedTensorType::get({1, 1, 2, 2, 16}, f32));
  for (int64_t channel = 0; channel < 3; ++channel)
    for (int64_t at = 0; at < 4; ++at)
      blocked.set(at * 16 + channel, planar.getDouble(channel * 4 + at));
  auto formed = inFormOf(planar, blocked);
  ASSERT_TRUE(formed);
  EXPECT_EQ(errorsOf(planar, *formed).relative(), 0);
  EXPECT_FALSE(inFormOf(planar, trace->outputs[0]));
}

} // namespace
