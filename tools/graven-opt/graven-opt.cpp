//===- graven-opt.cpp - passes on IR files --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven-opt`; what it does is in compiler/cli.
//===----------------------------------------------------------------------===//

#include "compiler/cli/OptMain.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return graven::cli::runOpt(argc, argv);
}
