//===- graven-opt.cpp - passes on IR files --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-opt`: mlir-opt with Graven's dialects,
// passes and phases, and `--explain`.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

/// The explanations of passes are remarks, which MlirOptMain prints.
static void showRemarks(bool wanted) {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *filter : {"remarks-filter-passed", "remarks-filter-missed"})
    if (wanted)
      options.lookup(filter)->addOccurrence(0, filter, ".*");
}

int main(int argc, char **argv) {
  llvm::cl::opt<bool> explain(
      "explain",
      llvm::cl::desc("say of each Node what passes did to it, and why not"),
      llvm::cl::callback([](const bool &wanted) { showRemarks(wanted); }));
  mlir::DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Graven optimizer driver\n", registry));
}
