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

bool isHeard(Operation *op) { return op->getContext()->getRemarkEngine(); }

std::string nameOf(Operation *op) { return op->getName().getStringRef().str(); }

/// Makes the remark with `emit`, which is that of its kind.
void explain(
    function_ref<remark::detail::InFlightRemark(Location, remark::RemarkOpts)>
        emit,
    Pass &pass, Operation *op, function_ref<std::string()> text) {
  if (isHeard(op))
    emit(op->getLoc(),
         remark::RemarkOpts::name(pass.getName()).category(pass.getArgument()))
        << remark::add("{0}: {1}", nameOf(op), text());
}

/// The name of the pattern's class, without namespaces and arguments.
StringRef titleOf(const Pattern &pattern) {
  StringRef name = pattern.getDebugName().split('<').first;
  size_t end = name.rfind("::");
  return end == StringRef::npos ? name : name.drop_front(end + 2);
}

/// What patterns of one pass say, each reason for a place once: the driver
/// visits Nodes again whenever something beside them changed.
class Explainer : public RewriterBase::Listener {
public:
  explicit Explainer(Pass &pass) : pass(pass.getArgument()) {}

  void notifyPatternBegin(const Pattern &pattern, Operation *op) override {
    place = op->getLoc();
    name = nameOf(op);
    reason.clear();
  }

  void notifyMatchFailure(Location,
                          function_ref<void(Diagnostic &)> say) override {
    Diagnostic diagnostic(place, DiagnosticSeverity::Remark);
    say(diagnostic);
    reason = diagnostic.str();
  }

  void notifyPatternEnd(const Pattern &pattern, LogicalResult status) override {
    StringRef title = titleOf(pattern);
    auto options = remark::RemarkOpts::name(title).category(pass);
    if (succeeded(status))
      remark::passed(place, options)
          << remark::add("{0}: {1}", name, title.str());
    else if (!reason.empty() && said.insert(key(title)).second)
      remark::missed(place, options)
          << remark::add("{0}: not {1}: {2}", name, title.str(), reason);
  }

private:
  std::string key(StringRef title) const {
    std::string text;
    llvm::raw_string_ostream(text)
        << place.getAsOpaquePointer() << name << title << reason;
    return text;
  }

  StringRef pass;
  Location place = UnknownLoc();
  std::string name, reason;
  llvm::StringSet<> said;
};

} // namespace

void explainDone(Pass &pass, Operation *op, function_ref<std::string()> text) {
  explain(remark::passed, pass, op, text);
}

void explainNotDone(Pass &pass, Operation *op,
                    function_ref<std::string()> text) {
  explain(remark::missed, pass, op, text);
}

LogicalResult applyPatternsExplained(Pass &pass, Operation *root,
                                     RewritePatternSet &&patterns,
                                     GreedyRewriteConfig config) {
  Explainer explainer(pass);
  if (isHeard(root))
    config.setListener(&explainer);
  return applyPatternsGreedily(root, std::move(patterns), config);
}

} // namespace graven
