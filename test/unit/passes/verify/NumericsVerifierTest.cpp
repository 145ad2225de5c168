//===- NumericsVerifierTest.cpp - wrong passes are found --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests --verify-numerics on patterns that are wrong, and on passes
// that are right.
//===----------------------------------------------------------------------===//

#include "passes/verify/NumericsVerifier.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Passes.h"
#include "test/unit/passes/verify/Faults.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;
using graven::test::Fault;
using graven::test::graphText;

namespace {

/// The fault that the pass `graven-test-fault` makes; the pass is made by name
/// where the pattern to blame is looked for.
const Fault *current = nullptr;

struct FaultPass : PassWrapper<FaultPass, OperationPass<GraphOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FaultPass)
  StringRef getArgument() const override { return "graven-test-fault"; }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    test::addWrongPattern(patterns, *current);
    GreedyRewriteConfig config;
    config.enableFolding(false).setMaxIterations(1);
    (void)applyPatternsGreedily(getOperation(), std::move(patterns), config);
  }
};

class NumericsVerifierTest : public testing::Test {
protected:
  NumericsVerifierTest() {
    context.loadDialect<GravenDialect>();
    static bool registered = [] {
      PassRegistration<FaultPass>();
      registerGravenGraphPasses();
      return true;
    }();
    (void)registered;
  }

  /// The messages of running a pass on the Graph under verification; empty when
  /// it succeeds.
  std::string run(StringRef text, std::unique_ptr<Pass> pass,
                  const NumericsOptions &options) {
    std::string messages;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      for (Diagnostic &note : diagnostic.getNotes())
        messages += "note: " + note.str() + "\n";
      return success();
    });
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return "does not parse: " + messages;
    PassManager manager(&context);
    manager.addNestedPass<GraphOp>(std::move(pass));
    verifyNumerics(manager, options);
    bool failed = mlir::failed(manager.run(*module));
    EXPECT_EQ(failed, !messages.empty()) << messages;
    return messages;
  }

  MLIRContext context;
};

TEST_F(NumericsVerifierTest, FaultsAreFoundAndNamed) {
  EXPECT_EQ(test::faults().size(), 50u);
  for (const Fault &fault : test::faults()) {
    current = &fault;
    std::string messages =
        run(graphText(fault, fault.right), std::make_unique<FaultPass>(),
            {std::nullopt, ""});
    EXPECT_NE(messages.find("GRV0602] pass 'graven-test-fault' changed what "
                            "graph 'main' computes: output 0"),
              std::string::npos)
        << fault.name << ": " << messages;
    EXPECT_NE(messages.find("WrongPattern' on this 'graven."),
              std::string::npos)
        << fault.name << ": " << messages;
  }
}

TEST_F(NumericsVerifierTest, AToleranceIsTheUsers) {
  const Fault *gelu = llvm::find_if(test::faults(), [](const Fault &fault) {
    return fault.name == StringRef("the fast gelu");
  });
  current = gelu;
  NumericsOptions wide{Tolerance{1e-2, 1e-2}, ""};
  EXPECT_EQ(
      run(graphText(*gelu, gelu->right), std::make_unique<FaultPass>(), wide),
      "");
  EXPECT_TRUE(parseTolerance("1e-3,0"));
  for (StringRef text : {"", "1e-3", "1e-3,", "-1,0", "a,b", "nan,0"})
    EXPECT_FALSE(parseTolerance(text)) << text.str();
}

TEST_F(NumericsVerifierTest, TheReproducerHasTheModuleAndThePass) {
  current = test::faults().begin();
  SmallString<128> file;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("numerics", "mlir", file));
  run(graphText(*current, current->right), std::make_unique<FaultPass>(),
      {std::nullopt, file.str().str()});
  auto text = llvm::MemoryBuffer::getFile(file);
  ASSERT_TRUE(static_cast<bool>(text));
  EXPECT_TRUE((*text)->getBuffer().starts_with(
      "// RUN: graven-opt --pass-pipeline='builtin.module("
      "graven.graph(graven-test-fault))' --verify-numerics %s\n"));
  EXPECT_TRUE((*text)->getBuffer().contains("graven.sub"));
  llvm::sys::fs::remove(file);
}

} // namespace
