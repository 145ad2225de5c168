//===- graven-opt.cpp - passes on IR files --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-opt`: mlir-opt with Graven's dialects,
// passes and phases, and `--explain`.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "compiler/session/ExplanationPrinter.h"
#include "dialects/graven/Graven.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  llvm::cl::opt<bool> explain(
      "explain",
      llvm::cl::desc("say of each Node what passes did to it, and why not"));
  mlir::DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerPasses();
  // MlirOptMain makes the context, and tells us when it meets the first graph.
  registry.addExtension(
      +[](mlir::MLIRContext *context, graven::GravenDialect *) {
        auto &options = llvm::cl::getRegisteredOptions();
        if (options.lookup("explain")->getNumOccurrences() > 0)
          graven::printExplanations(*context, llvm::errs());
      });
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Graven optimizer driver\n", registry));
}
