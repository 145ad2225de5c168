//===- Codegen.h - LLVM IR to machine code ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the two halves of making machine code from LLVM IR, which
// are LLVM's optimization pipeline and a code generator without its machine
// scheduler.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H
#define GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H

#include "llvm/ADT/SmallVector.h"

namespace llvm {
class Module;
class TargetMachine;
enum class CodeGenFileType;
} // namespace llvm

namespace graven::cpu {

/// How hard to optimize, as -O0 to -O3 mean it to everybody.
enum class OptLevel { O0, O1, O2, O3 };

/// Lets multiplications and additions fuse everywhere in `module` (the only
/// freedom with floating point that generated code has), sets the width of
/// vectors that loops may use, and runs the pipeline of `level`.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              int64_t vectorBytes, OptLevel level);

/// Appends assembly text or an ELF object to `out`. The machine scheduler is
/// off: it moves the loads of a register tile together and so spills the
/// accumulators. False when the target cannot make that kind of file.
bool generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                  llvm::CodeGenFileType kind, llvm::SmallVectorImpl<char> &out);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H
