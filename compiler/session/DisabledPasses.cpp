//===- DisabledPasses.cpp - passes and patterns left out --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements leaving out passes and patterns. Both are actions of
// MLIR, which whoever handles them need not execute: so it works for passes
// and drivers that know nothing of it.
//===----------------------------------------------------------------------===//

#include "compiler/session/DisabledPasses.h"
#include "mlir/IR/Action.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Explain.h"
#include "llvm/ADT/StringSet.h"
#include <mutex>

using namespace mlir;

namespace graven {
namespace {

/// Names, and those of them that something had.
class Names {
public:
  explicit Names(std::vector<std::string> names) : names(std::move(names)) {}

  bool empty() const { return names.empty(); }

  bool has(StringRef name) const { return llvm::is_contained(names, name); }

  /// Whether the name, with or without its arguments, is one of them.
  bool take(StringRef name) {
    std::lock_guard<std::mutex> lock(mutex);
    for (StringRef known : {name, name.split('<').first})
      if (has(known)) {
        taken.insert(known);
        return true;
      }
    return false;
  }

  std::vector<std::string> unknown() const {
    std::vector<std::string> rest;
    for (const std::string &name : names)
      if (!taken.contains(name))
        rest.push_back(name);
    return rest;
  }

private:
  std::vector<std::string> names;
  llvm::StringSet<> taken;
  std::mutex mutex;
};

/// The pattern of an action that applies one, whose class is not public.
std::string patternOf(const tracing::Action &action) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  action.print(stream);
  return titleOfPattern(StringRef(text).split("pattern: ").second);
}

/// The elements of a pipeline in text, "a,b{x=1 y=2},c(d,e)" without `disabled`
/// ones, up to the end or to a closing parenthesis.
std::string filtered(StringRef &text, const Names &disabled) {
  std::string kept;
  while (!text.empty() && text.front() != ')') {
    text.consume_front(",");
    StringRef name =
        text.take_while([](char c) { return !StringRef("{(,)").contains(c); });
    StringRef rest = text.drop_front(name.size());
    size_t depth = 0, end = 0;
    for (; end < rest.size(); ++end) {
      depth += rest[end] == '{';
      if (depth == 0)
        break;
      depth -= rest[end] == '}';
    }
    std::string element = (name + rest.take_front(end)).str();
    text = rest.drop_front(end);
    if (text.consume_front("(")) {
      element += "(" + filtered(text, disabled) + ")";
      text.consume_front(")");
      if (StringRef(element).ends_with("()"))
        continue;
    }
    if (!disabled.has(name))
      kept += (kept.empty() ? "" : ",") + element;
  }
  return kept;
}

} // namespace

class DisabledPasses::State {
public:
  State(std::vector<std::string> passes, std::vector<std::string> patterns)
      : passes(std::move(passes)), patterns(std::move(patterns)) {}

  bool skips(const tracing::Action &action) {
    if (auto *execution = dyn_cast<PassExecutionAction>(&action))
      return passes.take(execution->getPass().getArgument());
    return !patterns.empty() && action.getTag() == "apply-pattern" &&
           patterns.take(patternOf(action));
  }

  Names passes, patterns;
};

DisabledPasses::DisabledPasses(std::vector<std::string> passes,
                               std::vector<std::string> patterns)
    : state(std::make_shared<State>(std::move(passes), std::move(patterns))) {}

bool DisabledPasses::empty() const {
  return state->passes.empty() && state->patterns.empty();
}

void DisabledPasses::skipIn(MLIRContext &context) const {
  if (empty())
    return;
  context.registerActionHandler([state = state](function_ref<void()> execute,
                                                const tracing::Action &action) {
    if (!state->skips(action))
      execute();
  });
}

std::vector<std::string> DisabledPasses::unknownPasses() const {
  return state->passes.unknown();
}

std::vector<std::string> DisabledPasses::unknownPatterns() const {
  return state->patterns.unknown();
}

std::string DisabledPasses::pipelineOf(const OpPassManager &manager) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  manager.printAsTextualPipeline(stream);
  StringRef rest = text;
  std::string kept = filtered(rest, state->passes);
  return kept.empty() ? "builtin.module()" : kept;
}

} // namespace graven
