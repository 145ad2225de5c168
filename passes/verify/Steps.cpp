//===- Steps.cpp - what passes do, counted ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the counting of steps on MLIR's actions, which announce
// each run of a pass and each try of a pattern, and let a handler refuse it.
//===----------------------------------------------------------------------===//

#include "passes/verify/Steps.h"

#include "mlir/IR/Operation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Rewrite/PatternApplicator.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace graven {

void StepCounter::install(MLIRContext *context) {
  context->disableMultithreading();
  context->registerActionHandler(
      [this](function_ref<void()> apply, const tracing::Action &action) {
        handle(apply, action);
      });
}

StepCounter::Scope::Scope(StepCounter *counter, MLIRContext *context) {
  if (!counter)
    return;
  this->context = context;
  counter->install(context);
}

StepCounter::Scope::~Scope() {
  if (context)
    context->registerActionHandler(nullptr);
}

/// "@forward" of a symbol, else the name of the op.
static std::string nameOf(Operation *op) {
  auto symbol = op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
  return symbol ? "@" + symbol.str() : op->getName().getStringRef().str();
}

/// The class of the pattern, without namespaces.
static std::string patternOf(const tracing::Action &action) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  action.print(stream);
  StringRef name = StringRef(text).split("pattern: ").second.trim();
  size_t end = name.split('<').first.rfind("::");
  return name.drop_front(end == StringRef::npos ? 0 : end + 2).str();
}

void StepCounter::handle(function_ref<void()> apply,
                         const tracing::Action &action) {
  if (auto *run = dyn_cast<PassExecutionAction>(&action)) {
    // What has no flag holds the passes of a nested pipeline.
    StringRef name = run->getPass().getArgument();
    return name.empty() ? apply() : runPass(apply, name, run->getOp());
  }
  if (isa<ApplyPatternAction>(action) && !open.empty())
    return tryPattern(apply, action);
  apply();
}

void StepCounter::runPass(function_ref<void()> apply, StringRef name,
                          Operation *op) {
  int64_t number = ++counted;
  bool isRequired = openRequired > 0 || required.contains(name);
  size_t index = passes.size();
  passes.push_back(
      {name.str(), nameOf(op), number, number, PassRun::Fate::Whole});
  if (number == limit)
    lastStep = Step{number, name.str(), "", nameOf(op), op->getLoc()};
  if (number > limit && !isRequired) {
    passes.back().fate = PassRun::Fate::Skipped;
    return;
  }
  open.push_back(index);
  openRequired += isRequired;
  apply();
  openRequired -= isRequired;
  open.pop_back();
  PassRun &run = passes[index];
  run.last = counted;
  if (run.last > limit && !isRequired)
    run.fate = PassRun::Fate::InPart;
}

void StepCounter::tryPattern(function_ref<void()> apply,
                             const tracing::Action &action) {
  int64_t number = ++counted;
  if (number > limit && openRequired == 0)
    return;
  if (number == limit) {
    auto *node = cast<Operation *>(action.getContextIRUnits().front());
    lastStep = Step{number, passes[open.back()].pass, patternOf(action),
                    node->getName().getStringRef().str(), node->getLoc()};
  }
  apply();
}

void StepCounter::print(raw_ostream &os) const {
  for (const PassRun &run : passes) {
    os << "step " << run.first;
    if (run.last > run.first)
      os << " to " << run.last;
    os << ": " << run.pass << " on " << run.on;
    if (run.fate == PassRun::Fate::InPart)
      os << ", up to step " << limit;
    os << (run.fate == PassRun::Fate::Skipped ? ": not run\n" : "\n");
  }
}

} // namespace graven
