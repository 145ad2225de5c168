//===- SimulateMain.h - graven-simulate -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the program graven-simulate does.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_SIMULATEMAIN_H
#define COMPILER_CLI_SIMULATEMAIN_H

namespace graven::cli {

/// Runs the kernels of an IR file in the simulator of GPUs; the exit code.
int runSimulate(int argc, char **argv);

} // namespace graven::cli

#endif // COMPILER_CLI_SIMULATEMAIN_H
