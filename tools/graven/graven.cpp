//===- graven.cpp - the command line --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven`; the commands are in compiler/cli.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return graven::cli::runCommandLine(argc, argv);
}
