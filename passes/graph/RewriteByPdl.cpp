//===- RewriteByPdl.cpp - patterns out of a file ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements RewriteByPdl, which applies the patterns of a file. LLVM
// has the parser of PDLL as a program only, so that is what reads them.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/PDL/IR/PDL.h"
#include "mlir/Dialect/PDL/IR/PDLOps.h"
#include "mlir/Dialect/PDLInterp/IR/PDLInterp.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

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

/// The function that each pattern calls with its name when it rewrites.
constexpr StringLiteral kSayName = "graven.say_name";

/// MLIR forgets the names of patterns when it compiles them.
void nameRewrites(ModuleOp patterns) {
  patterns.walk([](pdl::RewriteOp rewrite) {
    if (!rewrite.getRoot() || rewrite.getBodyRegion().empty())
      return;
    auto pattern = rewrite->getParentOfType<pdl::PatternOp>();
    OpBuilder builder =
        OpBuilder::atBlockBegin(&rewrite.getBodyRegion().front());
    Value name = pdl::AttributeOp::create(
        builder, rewrite.getLoc(),
        builder.getStringAttr(pattern.getSymName().value_or("")));
    pdl::ApplyNativeRewriteOp::create(builder, rewrite.getLoc(), TypeRange(),
                                      kSayName,
                                      ValueRange{rewrite.getRoot(), name});
  });
}

class RewriteByPdlPass : public impl::RewriteByPdlBase<RewriteByPdlPass> {
public:
  using RewriteByPdlBase::RewriteByPdlBase;

private:
  void runOnOperation() override {
    OwningOpRef<ModuleOp> module = read();
    if (!module)
      return signalPassFailure();
    nameRewrites(*module);
    PDLPatternModule described(std::move(module));
    addConstraints(described);
    described.registerRewriteFunction(
        kSayName, [this](PatternRewriter &, Operation *op, Attribute name) {
          explainRewrite(*this, op, cast<StringAttr>(name).getValue());
        });
    RewritePatternSet patterns(std::move(described));
    Counter counter;
    GreedyRewriteConfig config;
    config.setListener(&counter);
    if (failed(applyPatternsExplained(*this, getOperation(),
                                      std::move(patterns), config)))
      signalPassFailure();
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
