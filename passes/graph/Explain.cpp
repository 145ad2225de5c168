//===- Explain.cpp - why a pass did what it did -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements explanations as remarks, and the listener that takes
// them from patterns.
//===----------------------------------------------------------------------===//

#include "passes/graph/Explain.h"
#include "mlir/IR/Remarks.h"
#include "passes/graph/Fingerprint.h"
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

/// Which Nodes that nothing was done to are told of.
enum class Refusals {
  /// All: each pattern is to give its reason.
  All,
  /// Those with a reason: patterns from elsewhere give few.
  WithReason,
};

/// What patterns of one pass say, each reason for a place once: the driver
/// visits Nodes again whenever something beside them changed.
class Explainer : public RewriterBase::ForwardingListener {
public:
  Explainer(Pass &pass, OpBuilder::Listener *next, Refusals refusals)
      : ForwardingListener(next), pass(pass.getArgument()), refusals(refusals) {
  }

  void announce(RewritePatternSet &patterns, Location loc) const {
    for (auto &pattern : patterns.getNativePatterns()) {
      std::string title = titleOfPattern(pattern->getDebugName());
      remark::analysis(loc, remark::RemarkOpts::name(title).category(pass))
          << Arg(kExplainedPattern, title);
    }
  }

  void notifyPatternBegin(const Pattern &pattern, Operation *op) override {
    ForwardingListener::notifyPatternBegin(pattern, op);
    running.push_back({op->getLoc(), nameOf(op), ""});
  }

  void notifyMatchFailure(Location loc,
                          function_ref<void(Diagnostic &)> say) override {
    ForwardingListener::notifyMatchFailure(loc, say);
    if (running.empty())
      return;
    Diagnostic diagnostic(running.back().place, DiagnosticSeverity::Remark);
    say(diagnostic);
    running.back().reason = diagnostic.str();
  }

  void notifyPatternEnd(const Pattern &pattern, LogicalResult status) override {
    ForwardingListener::notifyPatternEnd(pattern, status);
    Attempt attempt = running.pop_back_val();
    std::string title = titleOfPattern(pattern.getDebugName());
    // Patterns of the pdl dialect have none.
    if (title.empty())
      return;
    auto options = remark::RemarkOpts::name(title).category(pass);
    if (succeeded(status)) {
      remark::passed(attempt.place, options)
          << Arg(kExplainedOp, attempt.name) << Arg(kExplainedPattern, title);
      return;
    }
    bool isTold = refusals == Refusals::All || !attempt.reason.empty();
    if (!isTold || !said.insert(key(attempt, title)).second)
      return;
    auto missed = remark::missed(attempt.place, options);
    missed << Arg(kExplainedOp, attempt.name) << Arg(kExplainedPattern, title);
    if (!attempt.reason.empty())
      missed << Arg(kExplainedWhy, attempt.reason);
  }

protected:
  bool isInPattern() const { return !running.empty(); }

  StringRef pass;

private:
  /// Of a pattern at a Node; conversions try others in the middle of one.
  struct Attempt {
    Location place;
    StringRef name;
    std::string reason;
  };

  static std::string key(const Attempt &attempt, StringRef title) {
    std::string text;
    llvm::raw_string_ostream(text) << attempt.place.getAsOpaquePointer()
                                   << attempt.name << title << attempt.reason;
    return text;
  }

  Refusals refusals;
  SmallVector<Attempt> running;
  llvm::StringSet<> said;
};

/// Canonicalization: what an op's folder replaced counts as a pattern.
class CanonicalizationExplainer : public Explainer {
public:
  explicit CanonicalizationExplainer(Pass &pass)
      : Explainer(pass, /*next=*/nullptr, Refusals::WithReason) {}

  void notifyOperationReplaced(Operation *op, ValueRange values) override {
    Explainer::notifyOperationReplaced(op, values);
    if (!isInPattern())
      remark::passed(op->getLoc(),
                     remark::RemarkOpts::name(kFold).category(pass))
          << Arg(kExplainedOp, nameOf(op)) << Arg(kExplainedPattern, kFold);
  }

private:
  static constexpr llvm::StringLiteral kFold = "fold";
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

std::unique_ptr<RewriterBase::Listener> explainConversion(Pass &pass,
                                                          Operation *root) {
  if (!isHeard(root))
    return nullptr;
  return std::make_unique<Explainer>(pass, /*next=*/nullptr,
                                     Refusals::WithReason);
}

/// Regions have one Block each, so that there is nothing to simplify of their
/// control flow: looking for it walks over all Nodes after each round. Dead
/// Nodes are the driver's own.
static void skipRegions(GreedyRewriteConfig &config) {
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
}

LogicalResult canonicalizeExplained(Pass &pass, Operation *root,
                                    const FrozenRewritePatternSet &patterns,
                                    GreedyRewriteConfig config) {
  skipRegions(config);
  CanonicalizationExplainer explainer(pass);
  if (isHeard(root))
    config.setListener(&explainer);
  return applyPatternsGreedily(root, patterns, config);
}

/// Whether each of the patterns is for Nodes of known names.
static bool areRooted(const FrozenRewritePatternSet &patterns) {
  auto any = patterns.getMatchAnyOpNativePatterns();
  return any.empty() && !patterns.getPDLByteCode();
}

/// applyPatternsGreedily for patterns with known roots: begins with Nodes that
/// have patterns, which few of a large graph do.
static void applyAtRoots(Region &region,
                         const FrozenRewritePatternSet &patterns,
                         GreedyRewriteConfig config) {
  config.setScope(&region);
  const auto &rooted = patterns.getOpSpecificNativePatterns();
  bool changed = true;
  for (int64_t round = 0; changed && round != config.getMaxIterations();
       ++round) {
    SmallVector<Operation *> nodes;
    auto collect = [&](Operation *node) {
      if (rooted.contains(node->getName()))
        nodes.push_back(node);
    };
    // The driver takes the last one first.
    if (config.getUseTopDownTraversal()) {
      region.walk<WalkOrder::PreOrder>(collect);
      std::reverse(nodes.begin(), nodes.end());
    } else {
      region.walk(collect);
    }
    if (nodes.empty())
      break;
    (void)applyOpPatternsGreedily(nodes, patterns, config, &changed);
  }
}

void applyPatternsExplained(
    Pass &pass, Operation *root, RewritePatternSet &&patterns,
    GreedyRewriteConfig config,
    std::optional<std::reference_wrapper<SettledGraphs>> known) {
  skipRegions(config);
  Explainer explainer(pass, config.getListener(), Refusals::All);
  if (isHeard(root)) {
    explainer.announce(patterns, root->getLoc());
    config.setListener(&explainer);
  }
  FrozenRewritePatternSet frozen(std::move(patterns));
  bool isClean = known && known->get().of(root).canonical;
  if (!isClean || !areRooted(frozen))
    return (void)applyPatternsGreedily(root, frozen, config);
  for (Region &region : root->getRegions())
    applyAtRoots(region, frozen, config);
}

LogicalResult applyPatternsExplained(Pass &pass, ArrayRef<Operation *> nodes,
                                     RewritePatternSet &&patterns) {
  Explainer explainer(pass, /*next=*/nullptr, Refusals::All);
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingOps);
  if (patterns.getContext()->getRemarkEngine()) {
    explainer.announce(patterns, UnknownLoc::get(patterns.getContext()));
    config.setListener(&explainer);
  }
  return applyOpPatternsGreedily(nodes, std::move(patterns), config);
}

} // namespace graven
