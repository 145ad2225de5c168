//===- graven-opt.cpp - passes on IR files --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-opt`: mlir-opt with Graven's dialects,
// passes and phases, `--explain`, `--verify-numerics` and `--opt-bisect-limit`.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "compiler/session/Dialects.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/verify/NumericsVerifier.h"
#include "passes/verify/Steps.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

/// The explanations of passes are remarks, which MlirOptMain prints.
static void showRemarks(bool wanted) {
  auto &options = cl::getRegisteredOptions();
  for (const char *filter : {"remarks-filter-passed", "remarks-filter-missed"})
    if (wanted)
      options.lookup(filter)->addOccurrence(0, filter, ".*");
}

/// The limit of steps, which has the name of an option that LLVM brings along
/// for its own passes: there are none of these here.
static cl::opt<int> &findLimit() {
  cl::Option *option = cl::getRegisteredOptions().lookup("opt-bisect-limit");
  option->setDescription("do the first steps of passes and patterns only, "
                         "those that can be left out; -1: all");
  option->setHiddenFlag(cl::NotHidden);
  return static_cast<cl::opt<int> &>(*option);
}

static int fail(const llvm::Twine &message) {
  llvm::errs() << "graven-opt: " << message << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::opt<bool> explain(
      "explain",
      cl::desc("say of each Node what passes did to it, and why not"),
      cl::callback([](const bool &wanted) { showRemarks(wanted); }));
  cl::opt<std::string> tolerance(
      "verify-numerics", cl::ValueOptional, cl::value_desc("rtol,atol"),
      cl::desc("evaluate Graphs on random inputs before and after each pass"));
  cl::opt<std::string> reproducer(
      "verify-numerics-reproducer", cl::value_desc("file"),
      cl::init(graven::NumericsOptions().reproducer),
      cl::desc("where the module before a pass that changed it goes"));
  cl::opt<int> &limit = findLimit();
  DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerPasses();
  auto [input, output] = registerAndParseCLIOptions(
      argc, argv, "Graven optimizer driver\n", registry);

  bool isVerified = tolerance.getNumOccurrences() > 0,
       isCounted = limit.getNumOccurrences() > 0;
  if (!isVerified && !isCounted)
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));

  graven::NumericsOptions numerics;
  numerics.tolerance = graven::parseTolerance(tolerance);
  numerics.reproducer = reproducer;
  if (!tolerance.empty() && !numerics.tolerance)
    return fail("--verify-numerics expects rtol,atol, got '" + tolerance + "'");
  graven::StepCounter steps(limit, graven::requiredPasses());
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  config.setPassPipelineSetupFn([&, parsed = config](PassManager &manager) {
    if (failed(parsed.setupPassPipeline(manager)))
      return failure();
    if (isCounted)
      steps.install(manager.getContext());
    if (isVerified)
      graven::verifyNumerics(manager, numerics);
    return success();
  });
  std::string problem;
  auto file = openInputFile(input, &problem);
  if (!file)
    return fail(problem);
  auto result = openOutputFile(output, &problem);
  if (!result)
    return fail(problem);
  auto done = MlirOptMain(result->os(), std::move(file), registry, config);
  steps.print(llvm::errs());
  if (failed(done))
    return EXIT_FAILURE;
  result->keep();
  return EXIT_SUCCESS;
}
