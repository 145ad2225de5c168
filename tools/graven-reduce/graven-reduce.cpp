//===- graven-reduce.cpp - the smallest IR that still fails -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-reduce`: upstream's reducer with Graven's
// dialects and passes.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerDeviceDialects(registry);
  graven::registerPasses();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
