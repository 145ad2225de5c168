//===- OptMain.cpp - the command line of graven-opt -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven-opt` around MlirOptMain, which reads the input,
// fills the pass manager and writes the output.
//===----------------------------------------------------------------------===//

#include "compiler/cli/OptMain.h"
#include "compiler/cli/PassFlags.h"
#include "compiler/phases/Phases.h"
#include "compiler/session/Dialects.h"
#include "compiler/session/TextLimits.h"
#include "compiler/targets/cpu/CpuTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/graph/Passes.h"
#include "passes/verify/NumericsVerifier.h"
#include "passes/verify/Steps.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace graven::cli {
namespace {

int fail(const llvm::Twine &message) {
  llvm::errs() << "graven-opt: " << message << "\n";
  return EXIT_FAILURE;
}

/// The limit of steps, which has the name of an option that LLVM brings along
/// for its own passes: there are none of these here.
cl::opt<int> &findLimit() {
  cl::Option *option = cl::getRegisteredOptions().lookup("opt-bisect-limit");
  option->setDescription("do the first steps of passes and patterns only, "
                         "those that can be left out; -1: all");
  option->setHiddenFlag(cl::NotHidden);
  return static_cast<cl::opt<int> &>(*option);
}

class Opt {
public:
  Opt()
      : printPipeline(
            "print-pipeline",
            cl::desc("print the pipeline and run nothing; without passes that "
                     "of `graven compile` on this machine")),
        tolerance("verify-numerics", cl::ValueOptional,
                  cl::value_desc("rtol,atol"),
                  cl::desc("evaluate Graphs on random inputs before and after "
                           "each pass")),
        reproducer(
            "verify-numerics-reproducer", cl::value_desc("file"),
            cl::init(NumericsOptions().reproducer),
            cl::desc("where the module before a pass that changed it goes")),
        patternFiles("pdl", cl::value_desc("file.pdll"),
                     cl::desc("apply the patterns of a file first")),
        patternFolders("pdl-include", cl::value_desc("folder"),
                       cl::desc("where files of --pdl find what they include")),
        limit(findLimit()) {}

  int run(StringRef input, StringRef output, DialectRegistry &registry) {
    passes.read(llvm::errs());
    if (tolerance.getNumOccurrences() > 0) {
      numerics.emplace();
      numerics->tolerance = parseTolerance(tolerance);
      numerics->reproducer = reproducer;
      if (!tolerance.empty() && !numerics->tolerance)
        return fail("--verify-numerics expects rtol,atol, got '" + tolerance +
                    "'");
    }
    if (limit.getNumOccurrences() > 0) {
      if (!passes.disabled().empty())
        return fail("--opt-bisect-limit counts the steps of all passes; leave "
                    "out --disable-pass and --disable-pattern");
      steps.emplace(limit, requiredPasses());
    }
    MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
    if (printPipeline)
      return print(config, registry);
    config.setPassPipelineSetupFn(
        [this, parsed = config](PassManager &manager) {
          // MlirOptMain has an engine for remarks also where no flag asks for
          // any; passes would compute all of them for nobody.
          if (!parsed.shouldEmitRemarks())
            manager.getContext()->setRemarkEngine(nullptr);
          return success(succeeded(fill(manager, parsed)) &&
                         succeeded(instrument(manager)));
        });
    std::string problem;
    auto file = openInputFile(input, &problem);
    if (!file)
      return fail(problem);
    if (auto error = checkTextLimits(file->getBuffer()))
      return fail(input + ": " + toString(std::move(error)));
    auto result = openOutputFile(output, &problem);
    if (!result)
      return fail(problem);
    bool ok =
        succeeded(MlirOptMain(result->os(), std::move(file), registry, config));
    if (passes.explanations())
      passes.explanations()->finish();
    if (steps)
      steps->print(llvm::errs());
    if (!ok)
      return EXIT_FAILURE;
    for (const std::string &text : passes.warnings())
      llvm::errs() << "graven-opt: warning: " << text << "\n";
    result->keep();
    return EXIT_SUCCESS;
  }

private:
  LogicalResult fill(PassManager &manager, const MlirOptMainConfig &config) {
    for (const std::string &file : patternFiles) {
      RewriteByPdlOptions options;
      options.file = file;
      llvm::append_range(options.includes, patternFolders);
      manager.addPass(createRewriteByPdl(options));
    }
    return config.setupPassPipeline(manager);
  }

  LogicalResult instrument(PassManager &manager) {
    passes.applyTo(*manager.getContext());
    if (steps)
      steps->install(manager.getContext());
    if (passes.explanations()) {
      // Decisions in the order of the Nodes, not of threads.
      manager.getContext()->disableMultithreading();
      passes.explanations()->watch(manager);
    }
    if (numerics)
      verifyNumerics(manager, *numerics);
    return success();
  }

  int print(const MlirOptMainConfig &config, DialectRegistry &registry) {
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    PassManager manager(&context, ModuleOp::getOperationName(),
                        OpPassManager::Nesting::Implicit);
    if (failed(fill(manager, config)))
      return EXIT_FAILURE;
    if (manager.empty()) {
      auto target = cpu::CpuTarget::get("native", UnknownLoc::get(&context));
      if (failed(target))
        return EXIT_FAILURE;
      buildPhases(manager, Phase::Loops, OptLevel::O2, Numerics::Default,
                  Precision::F32, target->info);
    }
    llvm::outs() << passes.disabled().pipelineOf(manager) << "\n";
    return EXIT_SUCCESS;
  }

  PassFlags passes;
  std::optional<NumericsOptions> numerics;
  cl::opt<bool> printPipeline;
  cl::opt<std::string> tolerance, reproducer;
  cl::list<std::string> patternFiles, patternFolders;
  std::optional<StepCounter> steps;
  cl::opt<int> &limit;
};

} // namespace

int runOpt(int argc, char **argv) {
  Opt opt;
  DialectRegistry registry;
  registerDialects(registry);
  registerDeviceDialects(registry);
  registerPasses();
  auto [input, output] = registerAndParseCLIOptions(
      argc, argv, "Graven optimizer driver\n", registry);
  return opt.run(input, output, registry);
}

} // namespace graven::cli
