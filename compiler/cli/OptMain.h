//===- OptMain.h - the command line of graven-opt -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what `graven-opt` does.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_OPTMAIN_H
#define COMPILER_CLI_OPTMAIN_H

namespace graven::cli {

/// mlir-opt with Graven's dialects, passes and phases, and --explain,
/// --disable-pass, --disable-pattern, --pdl, --print-pipeline and
/// --verify-numerics. Returns the exit code.
int runOpt(int argc, char **argv);

} // namespace graven::cli

#endif // COMPILER_CLI_OPTMAIN_H
