//===- Check.cpp - graven check -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven check MODEL`: how much of a model is supported,
// and what is in the way of the rest. Of a file of self-checking IR it runs the
// expectations.
//===----------------------------------------------------------------------===//

#include "dialects/check/Check.h"
#include "compiler/cli/Command.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

/// One error of the way from the model to native code.
struct Blocker {
  std::string code, text, place;
  bool isUnsupportedOp = false;
};

/// Keeps the errors of a context while they pass to whoever prints them.
class Blockers : public ScopedDiagnosticHandler {
public:
  explicit Blockers(MLIRContext *context) : ScopedDiagnosticHandler(context) {
    setHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        add(diagnostic);
      return failure();
    });
  }

  std::vector<Blocker> list;

private:
  void add(Diagnostic &diagnostic) {
    Blocker blocker;
    blocker.text = diagnostic.str();
    blocker.place = describe(diagnostic.getLocation());
    StringRef text = blocker.text;
    if (text.consume_front("[")) {
      auto [code, rest] = text.split(']');
      blocker.code = code.str();
      blocker.text = rest.ltrim().str();
    }
    auto code = parseCode(blocker.code);
    blocker.isUnsupportedOp = code == Code::UnsupportedOp;
    list.push_back(std::move(blocker));
  }
};

/// How often a program uses an operation.
struct Uses {
  int64_t known = 0, unknown = 0;
};

class CheckCommand : public ModelCommand {
public:
  CheckCommand()
      : ModelCommand("check", "what of a model is supported, and what is in "
                              "the way; check.* expectations in IR") {}

private:
  int runOn(Session &session) override {
    auto options = importOptions(session);
    if (failed(options))
      return BadInput;
    std::map<std::string, Uses> uses;
    std::map<std::string, int64_t> sizes;
    options->onUse = [&](StringRef operation, bool isKnown) {
      ++(isKnown ? uses[operation.str()].known : uses[operation.str()].unknown);
    };
    decideExtents(*options, sizes);
    std::vector<Blocker> blockers;
    {
      Blockers seen(&session.getContext());
      auto module = session.import(flags.model, *options);
      if (succeeded(module) && hasExpectations(**module))
        return runExpectations(**module);
      if (succeeded(module)) {
        countNodes(**module, uses);
        lower(session, **module, *options);
      }
      blockers = std::move(seen.list);
    }
    describe(uses, sizes, blockers);
    if (!isJson())
      print(uses, sizes, blockers);
    return blockers.empty() ? Ok : BadInput;
  }

  /// Native code for the host stands for that of any CPU. Where data decide
  /// extents it is that of the model with room for them.
  void lower(Session &session, ModuleOp module, ImportOptions options) {
    bool isCounted =
        module.walk([](PrefixOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    if (!isCounted) {
      (void)session.runPhases(module, Phase::Kernel, CompileOptions());
      return;
    }
    options.onUse = {};
    auto sized = session.importSized(flags.model, options, {});
    if (succeeded(sized))
      (void)session.runPhases(sized->sizes.front().module, Phase::Kernel,
                              CompileOptions());
  }

  static bool hasExpectations(ModuleOp module) {
    return module
        .walk([](Operation *op) {
          return isa_and_nonnull<check::CheckDialect>(op->getDialect())
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  int runExpectations(ModuleOp module) {
    int64_t graphs = llvm::count_if(module.getOps<GraphOp>(), [](GraphOp op) {
      return op.getArgumentTypes().empty();
    });
    bool passed = succeeded(check::runChecks(module));
    report["graphs"] = graphs;
    report["passed"] = passed;
    return passed ? Ok : CheckFailed;
  }

  /// Extents that nobody decided are tried at one size.
  void decideExtents(ImportOptions &options,
                     std::map<std::string, int64_t> &sizes) const {
    options.extentOf =
        [own = options.extentOf, &sizes,
         ranges = symbolRanges(flags.model)](StringRef symbol) -> int64_t {
      int64_t decided = own ? own(symbol) : InputExtent::kDynamic;
      if (decided == InputExtent::kDynamic)
        decided = sizes[symbol.str()] = usualExtent(ranges, symbol);
      return decided;
    };
  }

  /// A graph in text has no operations but its Nodes.
  static void countNodes(ModuleOp module, std::map<std::string, Uses> &uses) {
    if (!uses.empty())
      return;
    if (auto graph = module.lookupSymbol<GraphOp>("forward"))
      graph.walk([&](Operation *node) {
        if (!isa<GraphOp, ReturnOp, GetParamOp>(node))
          ++uses[node->getName().getStringRef().str()].known;
      });
  }

  /// Uses that nothing is in the way of: not of unknown operations, nor those
  /// that an error points to.
  static std::pair<int64_t, int64_t>
  countSupported(const std::map<std::string, Uses> &uses,
                 ArrayRef<Blocker> blockers) {
    int64_t all = 0, known = 0;
    for (auto &[name, use] : uses) {
      all += use.known + use.unknown;
      known += use.known;
    }
    int64_t refused = llvm::count_if(blockers, [](const Blocker &blocker) {
      return !blocker.isUnsupportedOp;
    });
    return {std::max<int64_t>(known - refused, 0), all};
  }

  static double percent(std::pair<int64_t, int64_t> part) {
    return part.second ? 100.0 * part.first / part.second
                       : (part.first ? 100.0 : 0.0);
  }

  static StringRef advice(const Blocker &blocker) {
    auto code = parseCode(blocker.code);
    return code ? codeExplanation(*code) : StringRef();
  }

  void describe(const std::map<std::string, Uses> &uses,
                const std::map<std::string, int64_t> &sizes,
                ArrayRef<Blocker> blockers) {
    llvm::json::Array operations, list;
    for (auto &[name, use] : uses)
      operations.push_back(
          llvm::json::Object{{"name", llvm::json::fixUTF8(name)},
                             {"uses", use.known + use.unknown},
                             {"supported", use.unknown == 0}});
    for (const Blocker &blocker : blockers)
      list.push_back(
          llvm::json::Object{{"code", blocker.code},
                             {"message", llvm::json::fixUTF8(blocker.text)},
                             {"place", llvm::json::fixUTF8(blocker.place)},
                             {"advice", advice(blocker)}});
    auto supported = countSupported(uses, blockers);
    llvm::json::Object cpu{{"supported", blockers.empty()},
                           {"supported_uses", supported.first},
                           {"uses", supported.second},
                           {"percent", percent(supported)},
                           {"blockers", std::move(list)}};
    report["operations"] = std::move(operations);
    report["targets"] = llvm::json::Object{{"cpu", std::move(cpu)}};
    if (!sizes.empty()) {
      llvm::json::Object at;
      for (auto &[symbol, size] : sizes)
        at[symbol] = size;
      report["checked_at"] = std::move(at);
    }
  }

  static void print(const std::map<std::string, Uses> &uses,
                    const std::map<std::string, int64_t> &sizes,
                    ArrayRef<Blocker> blockers) {
    auto supported = countSupported(uses, blockers);
    outs() << "target cpu: "
           << (blockers.empty() ? "supported" : "not supported") << ", "
           << supported.first << " of " << supported.second << " uses of "
           << uses.size() << " operations ("
           << format("%.1f", percent(supported)) << " %)\n";
    for (auto &[symbol, size] : sizes)
      outs() << "checked at " << symbol << "=" << size << "\n";
    for (auto &[name, use] : uses)
      outs() << (use.unknown ? "missing   " : "supported ") << name << " "
             << use.known + use.unknown << "\n";
    for (const Blocker &blocker : blockers) {
      outs() << "blocker   " << blocker.place
             << (blocker.place.empty() ? "" : ": ");
      if (!blocker.code.empty())
        outs() << "[" << blocker.code << "] ";
      outs() << blocker.text << "\n";
      if (StringRef what = advice(blocker); !what.empty())
        outs() << "          " << what << "\n";
    }
  }
};

} // namespace

std::unique_ptr<Command> makeCheck() {
  return std::make_unique<CheckCommand>();
}

} // namespace graven::cli
