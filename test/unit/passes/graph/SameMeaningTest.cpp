//===- SameMeaningTest.cpp - passes keep what graphs compute ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the passes of passes/graph keep the meaning of graphs:
// the inputs of their lit tests, with random inputs and Parameters, give the
// same outputs in the reference evaluator before and after the pass.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"
#include "passes/graph/Pipeline.h"
#include "passes/verify/Comparison.h"
#include "test/unit/passes/graph/LitInputs.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace graven;
using eval::Evaluator;
using eval::Tensor;

namespace {

/// Parameters serve as variances, too: they are positive.
void randomizeParams(ModuleOp module, std::mt19937 &random) {
  std::uniform_real_distribution<double> positive(0.25, 1.5);
  for (auto param : module.getOps<ParamOp>()) {
    if (isa<PreparedAttr>(param.getValue()))
      continue;
    Tensor tensor(param.getTensorType());
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, positive(random));
    param.setValueAttr(tensor.toElements());
  }
}

/// Passes that are meant to round, to bf16.
bool rounds(ArrayRef<std::string> flags) {
  return llvm::any_of(flags, [](StringRef flag) {
    return flag.starts_with("graven-lower-precision");
  });
}

void expectClose(const Tensor &before, const Tensor &after, bool rounded,
                 StringRef where) {
  ASSERT_EQ(before.getShape(), after.getShape()) << where.str();
  std::vector<double> olds = before.toDoubles(), news = after.toDoubles();
  bool narrow = rounded || before.getElementType().isF16() ||
                before.getElementType().isBF16();
  // What torch.testing.assert_close allows bf16.
  double relative = narrow ? 1.6e-2 : 2e-5, largest = 1;
  // What is rounded in a sum counts in proportion to the sum's terms.
  for (double value : olds)
    if (rounded && std::isfinite(value))
      largest = std::max(largest, std::abs(value));
  for (int64_t i = 0; i < before.size(); ++i) {
    double a = olds[i], b = news[i];
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    ASSERT_LE(std::abs(a - b),
              relative * std::max({largest, std::abs(a), std::abs(b)}))
        << where.str() << ": element " << i << " was " << a << ", is " << b;
  }
}

class SameMeaning : public testing::TestWithParam<std::string> {
protected:
  SameMeaning() {
    registry.insert<GravenDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    static bool registered = [] {
      registerGravenGraphPasses();
      registerGraphPipeline();
      registerTransformsPasses();
      return true;
    }();
    (void)registered;
  }

  /// Evaluates every graph of the text before and after the passes.
  void check(StringRef text, ArrayRef<std::string> flags) {
    std::mt19937 random(7);
    ParserConfig config(&context);
    OwningOpRef<ModuleOp> before = parseSourceString<ModuleOp>(text, config);
    ASSERT_TRUE(before);
    randomizeParams(*before, random);
    OwningOpRef<ModuleOp> after = before->clone();
    PassManager manager(&context, ModuleOp::getOperationName(),
                        OpPassManager::Nesting::Implicit);
    ASSERT_TRUE(succeeded(addPasses(manager, flags)));
    ASSERT_TRUE(succeeded(manager.run(*after)));
    for (auto graph : after->getOps<GraphOp>()) {
      // What @prepare gives is compared where other Graphs read it.
      if (graph.getSymName() == "prepare")
        continue;
      auto old = before->lookupSymbol<GraphOp>(graph.getSymName());
      ASSERT_TRUE(old) << graph.getSymName().str();
      SmallVector<Tensor> inputs = randomInputs(graph, random);
      Evaluator one, other;
      auto expected = one.run(old, inputs), got = other.run(graph, inputs);
      // What fails to run (an index out of range) must go on failing.
      ASSERT_EQ(succeeded(expected), succeeded(got))
          << graph.getSymName().str();
      if (failed(expected))
        continue;
      for (auto [a, b] : llvm::zip_equal(*expected, *got))
        expectClose(a, b, rounds(flags), graph.getSymName());
    }
  }

  DialectRegistry registry;
  MLIRContext context;
};

TEST_P(SameMeaning, OfLitInputs) {
  auto file = llvm::MemoryBuffer::getFile(GetParam());
  ASSERT_TRUE(static_cast<bool>(file));
  StringRef text = (*file)->getBuffer();
  SmallVector<SmallVector<std::string>> runs = flagsOf(GetParam(), text);
  ASSERT_FALSE(runs.empty());
  const SmallVector<std::string> &flags = runs.front();
  SmallVector<StringRef> parts;
  text.split(parts, "// -----\n");
  int checked = 0;
  for (StringRef part : parts)
    if (!part.contains("expected-error")) {
      check(part, flags);
      ++checked;
    }
  EXPECT_GT(checked, 0);
}

INSTANTIATE_TEST_SUITE_P(Passes, SameMeaning,
                         testing::ValuesIn(litInputsIn(GRAVEN_LIT_INPUTS)),
                         [](const testing::TestParamInfo<std::string> &info) {
                           std::string name =
                               llvm::sys::path::stem(info.param).str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
