//===- SplitKernels.h - one module as several -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares splitKernels, which deals a module's kernels out to
// several modules so that threads can compile them at the same time.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_SPLITKERNELS_H
#define GRAVEN_COMPILER_TARGETS_CPU_SPLITKERNELS_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace graven::cpu {

/// The bitcode of the parts of `module`: everything but the kernels first, then
/// the kernels in groups of about equal size. A single, empty part means that
/// splitting is not worth it and leaves the module as it is. Otherwise kernels
/// become hidden symbols called "PREFIX.name", so that two models can be linked
/// together. The split depends on the module alone, not on how many threads
/// there are.
llvm::SmallVector<llvm::SmallVector<char, 0>>
splitKernels(llvm::Module &module, llvm::ArrayRef<llvm::Function *> kernels,
             llvm::StringRef prefix);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_SPLITKERNELS_H
