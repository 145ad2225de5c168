//===- RewriteByPdl.cpp - patterns out of a file ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements RewriteByPdl, which applies the patterns of a file. LLVM
// has the parser of PDLL as a program only, so that is what reads them.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/PDL/IR/PDL.h"
#include "mlir/Dialect/PDL/IR/PDLOps.h"
#include "mlir/Dialect/PDLInterp/IR/PDLInterp.h"
#include "mlir/IR/Action.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include <set>

namespace graven {
#define GEN_PASS_DEF_REWRITEBYPDL
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

constexpr StringLiteral kParser = "mlir-pdll";

/// Counts what patterns replace.
struct Counter : RewriterBase::Listener {
  void notifyOperationReplaced(Operation *, ValueRange) override { ++replaced; }
  int64_t replaced = 0;
};

void addConstraints(PDLPatternModule &patterns) {
  patterns.registerConstraintFunction("HasOneUse",
                                      [](PatternRewriter &, Value value) {
                                        return success(value.hasOneUse());
                                      });
  patterns.registerConstraintFunction("IsParameterValue",
                                      [](PatternRewriter &, Value value) {
                                        return success(isParameterValue(value));
                                      });
  patterns.registerConstraintFunction(
      "HasStaticShape", [](PatternRewriter &, Value value) {
        return success(tensorType(value).hasStaticShape());
      });
}

/// The try of a pattern, as the drivers of C++ patterns announce theirs: who
/// handles actions may leave it out.
class TryPattern : public tracing::ActionImpl<TryPattern> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TryPattern)
  static constexpr StringLiteral tag = "apply-pattern";

  TryPattern(ArrayRef<IRUnit> units, StringRef pattern)
      : ActionImpl(units), pattern(pattern) {}
  void print(raw_ostream &os) const override {
    os << "`" << tag << "` pattern: " << pattern;
  }

private:
  StringRef pattern;
};

/// Has each pattern say its name, which MLIR forgets when it compiles them:
/// before it is applied, and when it rewrites.
class Names {
public:
  explicit Names(Pass &pass) : pass(pass) {}

  void addTo(ModuleOp patterns) {
    patterns.walk([&](pdl::RewriteOp rewrite) {
      // A rewrite in C++ has no body, one of several roots may name none.
      if (rewrite.getRoot() && !rewrite.getBodyRegion().empty())
        add(rewrite);
    });
  }

  void registerIn(PDLPatternModule &patterns) {
    for (const std::string &name : names) {
      patterns.registerConstraintFunction(
          "graven.try " + name, [name](PatternRewriter &, Operation *op) {
            bool isTried = false;
            op->getContext()->executeAction<TryPattern>([&] { isTried = true; },
                                                        {op}, StringRef(name));
            return success(isTried);
          });
      patterns.registerRewriteFunction(
          "graven.say " + name, [this, name](PatternRewriter &, Operation *op) {
            explainRewrite(pass, op, name);
          });
    }
  }

private:
  void add(pdl::RewriteOp rewrite) {
    std::string name = rewrite->getParentOfType<pdl::PatternOp>()
                           .getSymName()
                           .value_or("")
                           .str();
    names.insert(name);
    OpBuilder builder(rewrite);
    pdl::ApplyNativeConstraintOp::create(
        builder, rewrite.getLoc(), TypeRange(), "graven.try " + name,
        ValueRange(rewrite.getRoot()), /*isNegated=*/false);
    builder.setInsertionPointToStart(&rewrite.getBodyRegion().front());
    pdl::ApplyNativeRewriteOp::create(builder, rewrite.getLoc(), TypeRange(),
                                      "graven.say " + name,
                                      ValueRange(rewrite.getRoot()));
  }

  Pass &pass;
  std::set<std::string> names;
};

class RewriteByPdlPass : public impl::RewriteByPdlBase<RewriteByPdlPass> {
public:
  using RewriteByPdlBase::RewriteByPdlBase;

private:
  void runOnOperation() override {
    OwningOpRef<ModuleOp> module = read();
    if (!module)
      return signalPassFailure();
    Names names(*this);
    names.addTo(*module);
    PDLPatternModule described(std::move(module));
    addConstraints(described);
    names.registerIn(described);
    RewritePatternSet patterns(std::move(described));
    Counter counter;
    GreedyRewriteConfig config;
    config.setListener(&counter);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), config);
    numRewritten += counter.replaced;
  }

  InFlightDiagnostic fail() {
    return mlir::emitError(UnknownLoc::get(&getContext()));
  }

  /// The patterns in the pdl dialect; null after an error.
  OwningOpRef<ModuleOp> read() {
    ParserConfig config(&getContext());
    if (!llvm::sys::fs::exists(file)) {
      fail() << "cannot read the patterns '" << file << "': no such file";
      return nullptr;
    }
    if (StringRef(file).ends_with(".mlir"))
      return parseSourceFile<ModuleOp>(file, config);
    SmallString<128> translated;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile(
            "graven", "pdl.mlir", translated)) {
      fail() << "cannot write a temporary file: " << error.message();
      return nullptr;
    }
    llvm::FileRemover remover(translated);
    if (failed(translate(translated)))
      return nullptr;
    return parseSourceFile<ModuleOp>(translated, config);
  }

  LogicalResult translate(StringRef output) {
    auto program = llvm::sys::findProgramByName(kParser);
    if (!program)
      program = llvm::sys::findProgramByName(kParser, {GRAVEN_LLVM_TOOLS});
    if (!program)
      return fail() << "cannot read the patterns '" << file << "': '" << kParser
                    << "' is neither in PATH nor in " << GRAVEN_LLVM_TOOLS;
    StringRef own = llvm::sys::path::parent_path(file);
    SmallVector<std::string> folders{own.empty() ? "." : own.str()};
    llvm::append_range(folders, includes);
    SmallVector<StringRef> arguments{kParser, "-x=mlir", file, "-o", output};
    for (StringRef folder : folders)
      arguments.append({"-I", folder});
    std::string problem;
    // It says itself what is wrong with the patterns, and where.
    if (llvm::sys::ExecuteAndWait(*program, arguments, /*Env=*/std::nullopt,
                                  /*Redirects=*/{}, /*SecondsToWait=*/0,
                                  /*MemoryLimit=*/0, &problem) == 0)
      return success();
    auto error = fail() << "cannot read the patterns '" << file << "'";
    return problem.empty() ? error : error << ": " << problem;
  }
};

} // namespace
} // namespace graven
