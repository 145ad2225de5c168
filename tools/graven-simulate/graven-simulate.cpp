//===- graven-simulate.cpp - kernels for GPUs on this machine -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-simulate`; what it does is in compiler/cli.
//===----------------------------------------------------------------------===//

#include "compiler/cli/SimulateMain.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return graven::cli::runSimulate(argc, argv);
}
