//===- TargetMachine.h - a CPU by its name ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares CpuTarget, which turns a name such as "native",
// "x86-64-v3" or "znver5" into what code generation needs: triple, features,
// the numbers of TargetInfo, and the bits of the ABI that say which CPUs may
// run the code.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H
#define GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "passes/lower/TargetInfo.h"
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
enum class CodeGenOptLevel;
} // namespace llvm

namespace graven::cpu {

/// A CPU that code can be made for. Plain data: copy it freely.
struct CpuTarget {
  /// The triple of the code, always 64-bit Linux on x86.
  std::string triple;
  /// The CPU as LLVM names it; "native" is resolved to the host's name.
  std::string cpu;
  /// Features beyond the CPU's own, "+avx2,-avx512f": empty unless "native".
  std::string features;
  /// What tiles are made from.
  TargetInfo info;
  /// The GRAVEN_CPU_* bits of runtime.h that the code may use.
  uint64_t requiredFeatures = 0;

  /// Finds the CPU called `name`, which is "native" for the host with exactly
  /// the features it reports, or a 64-bit x86 CPU known to LLVM. An unknown
  /// name is an error at `loc` that lists a few known ones.
  static mlir::FailureOr<CpuTarget> get(llvm::StringRef name,
                                        mlir::Location loc);

  /// A machine that makes position independent code for this CPU.
  std::unique_ptr<llvm::TargetMachine>
  createTargetMachine(llvm::CodeGenOptLevel level) const;
};

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H
