//===- graven-lsp-server.cpp - IR in editors -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-lsp-server`: upstream's language server with
// Graven's dialects.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  graven::registerDialects(registry);
  graven::registerDeviceDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
