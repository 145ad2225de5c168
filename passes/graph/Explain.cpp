//===- Explain.cpp - why a pass did what it did -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements explanations as remarks, and the listener that takes
// them from patterns.
//===----------------------------------------------------------------------===//

#include "passes/graph/Explain.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace graven {
namespace {

using Arg = remark::detail::Remark::Arg;

bool isHeard(Operation *op) { return op->getContext()->getRemarkEngine(); }

StringRef nameOf(Operation *op) { return op->getName().getStringRef(); }

/// Makes the remark with `emit`, which is that of its kind.
void explain(
    function_ref<remark::detail::InFlightRemark(Location, remark::RemarkOpts)>
        emit,
    Pass &pass, Operation *op, function_ref<std::string()> text) {
  if (isHeard(op))
    emit(op->getLoc(),
         remark::RemarkOpts::name(pass.getName()).category(pass.getArgument()))
        << Arg(kExplainedOp, nameOf(op)) << Arg(kExplainedWhy, text());
}

/// What patterns of one pass say, each reason for a place once: the driver
/// visits Nodes again whenever something beside them changed.
class Explainer : public RewriterBase::ForwardingListener {
public:
  Explainer(Pass &pass, OpBuilder::Listener *next)
      : ForwardingListener(next), pass(pass.getArgument()) {}

  void announce(RewritePatternSet &patterns, Location loc) const {
    for (auto &pattern : patterns.getNativePatterns()) {
      std::string title = titleOfPattern(pattern->getDebugName());
      remark::analysis(loc, remark::RemarkOpts::name(title).category(pass))
          << Arg(kExplainedPattern, title);
    }
  }

  void notifyPatternBegin(const Pattern &pattern, Operation *op) override {
    ForwardingListener::notifyPatternBegin(pattern, op);
    place = op->getLoc();
    name = nameOf(op);
    reason.clear();
  }

  void notifyMatchFailure(Location loc,
                          function_ref<void(Diagnostic &)> say) override {
    ForwardingListener::notifyMatchFailure(loc, say);
    Diagnostic diagnostic(place, DiagnosticSeverity::Remark);
    say(diagnostic);
    reason = diagnostic.str();
  }

  void notifyPatternEnd(const Pattern &pattern, LogicalResult status) override {
    ForwardingListener::notifyPatternEnd(pattern, status);
    std::string title = titleOfPattern(pattern.getDebugName());
    // Patterns of the pdl dialect have none.
    if (title.empty())
      return;
    auto options = remark::RemarkOpts::name(title).category(pass);
    if (succeeded(status)) {
      remark::passed(place, options)
          << Arg(kExplainedOp, name) << Arg(kExplainedPattern, title);
      return;
    }
    if (!said.insert(key(title)).second)
      return;
    auto missed = remark::missed(place, options);
    missed << Arg(kExplainedOp, name) << Arg(kExplainedPattern, title);
    if (!reason.empty())
      missed << Arg(kExplainedWhy, reason);
  }

private:
  std::string key(StringRef title) const {
    std::string text;
    llvm::raw_string_ostream(text)
        << place.getAsOpaquePointer() << name << title << reason;
    return text;
  }

  StringRef pass, name;
  Location place = UnknownLoc();
  std::string reason;
  llvm::StringSet<> said;
};

} // namespace

std::string titleOfPattern(StringRef debugName) {
  auto [name, arguments] = debugName.split('<');
  auto last = [](StringRef path) {
    size_t end = path.rfind("::");
    return end == StringRef::npos ? path : path.drop_front(end + 2);
  };
  std::string title = last(name).str();
  if (!arguments.empty())
    title += ("<" + last(arguments.rtrim('>')) + ">").str();
  return title;
}

void explainDone(Pass &pass, Operation *op, function_ref<std::string()> text) {
  explain(remark::passed, pass, op, text);
}

void explainNotDone(Pass &pass, Operation *op,
                    function_ref<std::string()> text) {
  explain(remark::missed, pass, op, text);
}

void explainRewrite(Pass &pass, Operation *op, StringRef pattern) {
  if (isHeard(op))
    remark::passed(op->getLoc(), remark::RemarkOpts::name(pattern).category(
                                     pass.getArgument()))
        << Arg(kExplainedOp, nameOf(op)) << Arg(kExplainedPattern, pattern);
}

LogicalResult applyPatternsExplained(Pass &pass, Operation *root,
                                     RewritePatternSet &&patterns,
                                     GreedyRewriteConfig config) {
  Explainer explainer(pass, config.getListener());
  if (isHeard(root)) {
    explainer.announce(patterns, root->getLoc());
    config.setListener(&explainer);
  }
  return applyPatternsGreedily(root, std::move(patterns), config);
}

LogicalResult applyPatternsExplained(Pass &pass, ArrayRef<Operation *> nodes,
                                     RewritePatternSet &&patterns) {
  Explainer explainer(pass, /*next=*/nullptr);
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingOps);
  if (patterns.getContext()->getRemarkEngine()) {
    explainer.announce(patterns, UnknownLoc::get(patterns.getContext()));
    config.setListener(&explainer);
  }
  return applyOpPatternsGreedily(nodes, std::move(patterns), config);
}

} // namespace graven
