//===- TargetMachine.h - a CPU by its name ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares CpuTarget, which turns a name such as "native",
// "x86-64-v3", "znver5" or "neoverse-n1" into what code generation needs:
// triple, features, the numbers of TargetInfo, and the bits of the ABI that say
// which CPUs may run the code.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H
#define GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "passes/lower/TargetInfo.h"
#include "runtime/blobs/Blobs.h"
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
enum class CodeGenOptLevel;
} // namespace llvm

namespace graven::cpu {

/// A CPU that code can be made for. Plain data: copy it freely.
struct CpuTarget {
  rt::Machine machine = rt::Machine::X86_64;
  /// The triple of the code, always 64-bit Linux with glibc.
  std::string triple;
  /// The CPU as LLVM names it; "native" is resolved to the host's name.
  std::string cpu;
  /// Features beyond the CPU's own, "+avx2,-avx512f".
  std::string features;
  /// What tiles are made from; its name is the user's, "native" resolved.
  TargetInfo info;
  /// The GRAVEN_CPU_* bits of runtime.h that the code may use.
  uint64_t requiredFeatures = 0;

  /// Finds the CPU called `name`, which is "native" for the host with exactly
  /// the features it reports, a 64-bit x86 or AArch64 CPU known to LLVM, or a
  /// version of the Arm architecture ("armv8.2-a"). An unknown name is an error
  /// at `loc` that lists a few known ones.
  static mlir::FailureOr<CpuTarget> get(llvm::StringRef name,
                                        mlir::Location loc);

  /// Whether the name stands for many CPUs: a level, a version, or what LLVM
  /// calls a CPU it does not know.
  bool isGeneric() const;

  /// A machine that makes position independent code for this CPU.
  std::unique_ptr<llvm::TargetMachine>
  createTargetMachine(llvm::CodeGenOptLevel level) const;
};

/// Finds the CPUs of a list "x86-64-v2,x86-64-v3,x86-64-v4", the one that asks
/// for most first: an order in which the first that a CPU can run is the best.
/// They have one architecture, and no two of them ask for the same.
mlir::FailureOr<llvm::SmallVector<CpuTarget>> findTargets(llvm::StringRef names,
                                                          mlir::Location loc);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_TARGETMACHINE_H
