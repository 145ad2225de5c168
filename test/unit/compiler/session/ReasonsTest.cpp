//===- ReasonsTest.cpp - each pattern says why it does nothing --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the patterns of all passes on graphs report: on the
// inputs of the lit tests each one fires, and each one is refused, always with
// a reason; and no pass applies patterns that nobody hears of.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "compiler/session/Explanations.h"
#include "mlir/IR/Action.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Explain.h"
#include "test/unit/passes/graph/LitInputs.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <map>
#include <set>

using namespace mlir;
using namespace graven;

namespace {

/// "pass: pattern".
std::string nameOf(StringRef pass, StringRef pattern) {
  return (pass + ": " + pattern).str();
}

/// What was seen of the patterns of passes.
struct Seen {
  std::set<std::string> announced, fired, refused, silent, tried;
};

class Reasons : public testing::Test {
protected:
  Reasons() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    static bool registered = (registerPasses(), true);
    (void)registered;
    explanations.listenTo(context);
    listTried();
  }

  /// Runs the passes of a lit test on its modules.
  void run(StringRef path) {
    auto file = llvm::MemoryBuffer::getFile(path);
    ASSERT_TRUE(static_cast<bool>(file));
    StringRef text = (*file)->getBuffer();
    SmallVector<StringRef> parts;
    text.split(parts, "// -----\n");
    for (const SmallVector<std::string> &flags : flagsOf(path, text))
      for (StringRef part : parts)
        run(part, flags);
  }

  void run(StringRef text, ArrayRef<std::string> flags) {
    // Some of the modules are meant to be refused.
    ScopedDiagnosticHandler quiet(&context,
                                  [](Diagnostic &) { return success(); });
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(text, ParserConfig(&context));
    if (!module)
      return;
    PassManager manager(&context, ModuleOp::getOperationName(),
                        OpPassManager::Nesting::Implicit);
    ASSERT_TRUE(succeeded(addPasses(manager, flags)));
    (void)manager.run(*module);
  }

  void collect() {
    explanations.visit([&](const Explanation &decision) { add(decision); },
                       [&](StringRef pass, StringRef pattern) {
                         seen.announced.insert(nameOf(pass, pattern));
                       });
  }

  void add(const Explanation &decision) {
    if (decision.pattern.empty())
      return;
    std::string name = nameOf(decision.pass, decision.pattern);
    if (decision.fired)
      seen.fired.insert(name);
    else if (decision.why.empty())
      seen.silent.insert(name);
    else
      seen.refused.insert(name);
  }

  /// Lists the patterns that any driver tries, explained or not.
  void listTried() {
    RewritePatternSet canonical(&context);
    for (RegisteredOperationName op : context.getRegisteredOperations())
      op.getCanonicalizationPatterns(canonical, &context);
    for (auto &pattern : canonical.getNativePatterns())
      known.insert(titleOfPattern(pattern->getDebugName()));
    context.registerActionHandler(
        [this, pass = std::string()](function_ref<void()> execute,
                                     const tracing::Action &action) mutable {
          std::string outer = pass;
          if (auto *execution = dyn_cast<PassExecutionAction>(&action)) {
            pass = execution->getPass().getArgument();
          } else if (action.getTag() == "apply-pattern") {
            std::string print;
            llvm::raw_string_ostream stream(print);
            action.print(stream);
            std::string title =
                titleOfPattern(StringRef(print).split("pattern: ").second);
            // Patterns of a file are not compiled: they cannot give reasons.
            if (StringRef(pass).starts_with("graven-") &&
                pass != "graven-rewrite-by-pdl" && !known.contains(title))
              seen.tried.insert(nameOf(pass, title));
          }
          execute();
          pass = outer;
        });
  }

  MLIRContext context;
  Explanations explanations{ExplanationForm::Json, llvm::nulls()};
  /// Canonicalizations of ops: not of a pass, though some passes apply them,
  /// too.
  std::set<std::string> known;
  Seen seen;
};

TEST_F(Reasons, OfEveryPattern) {
  for (StringRef path : litInputsIn(GRAVEN_LIT_INPUTS "/graph"))
    run(path);
  for (StringRef name : {"fold-input-scale.mlir", "fold-kernel-casts.mlir"})
    run((GRAVEN_LIT_INPUTS "/lower/" + name).str());
  collect();
  EXPECT_FALSE(seen.announced.empty());
  for (const std::string &name : seen.announced) {
    if (known.contains(StringRef(name).split(": ").second.str()))
      continue;
    EXPECT_TRUE(seen.fired.contains(name))
        << "no lit test of the pass shows it rewriting something: " << name;
    EXPECT_TRUE(seen.refused.contains(name))
        << "no lit test shows it refusing a Node, with the reason: " << name;
    EXPECT_FALSE(seen.silent.contains(name))
        << "returns failure() without notifyMatchFailure: " << name;
  }
  for (const std::string &name : seen.tried)
    EXPECT_TRUE(seen.announced.contains(name))
        << "is not applied by applyPatternsExplained: " << name;
}

} // namespace
