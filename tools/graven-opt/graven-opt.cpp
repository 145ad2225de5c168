//===- graven-opt.cpp - passes on IR files --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-opt`: mlir-opt with Graven's dialects,
// passes and phases.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Graven optimizer driver\n", registry));
}
