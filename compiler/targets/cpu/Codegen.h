//===- Codegen.h - LLVM IR to machine code ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the steps of making machine code from LLVM IR, which are
// what functions must have before, LLVM's optimization pipeline, and a code
// generator without its machine scheduler.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H
#define GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <string>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
enum class CodeGenFileType;
enum class CodeGenOptLevel;
} // namespace llvm

namespace graven::cpu {

/// How hard to optimize, as -O0 to -O3 mean it to everybody.
enum class OptLevel { O0, O1, O2, O3 };

/// How hard the code generator of a level works.
llvm::CodeGenOptLevel codegenLevel(OptLevel level);

/// The most bytes one function may have on the stack: threads of a host may
/// have small ones.
inline constexpr uint64_t stackLimit = 1 << 20;

/// What register allocation made of one function.
struct FunctionReport {
  /// As in the module that was compiled, whatever the object calls it.
  std::string name;
  /// Stores of registers to the stack and loads back from it, in the code (not
  /// in the run): a tile in an inner loop should have none.
  unsigned spills = 0;
  unsigned reloads = 0;
  /// Those of both that stand in loops without loops inside, and all
  /// instructions there.
  unsigned innermostSpills = 0;
  unsigned innermostSize = 0;
  uint64_t stackBytes = 0;
};

/// While it lives, what LLVM reports about code of `context` is collected here
/// instead of being printed or ending the process.
class CodegenProblems {
public:
  explicit CodegenProblems(llvm::LLVMContext &context);
  ~CodegenProblems();
  CodegenProblems(const CodegenProblems &) = delete;
  CodegenProblems &operator=(const CodegenProblems &) = delete;

  void add(const std::string &line) { lines.push_back(line); }
  llvm::ArrayRef<std::string> all() const { return lines; }

private:
  llvm::LLVMContext &context;
  llvm::SmallVector<std::string> lines;
};

/// Gives all functions of `module` the attributes of the machine, and moves
/// stack memory that a loop would allocate again and again to the function's
/// entry. Memory whose size is not constant is a problem. Floating-point
/// operations keep the flags they came with: expanders allow contraction where
/// it is welcome, and expansions of elementary functions depend on its absence.
void prepareFunctions(llvm::Module &module, const llvm::TargetMachine &machine,
                      int64_t vectorBytes, CodegenProblems &problems);

/// Optimizes each function for itself: one with scalar loops by the passes of
/// LLVM's pipeline of `level`, which make vectors of them; one that has vectors
/// already, or no loops, by the few passes that such code needs. -O1 is those
/// few passes for all.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              OptLevel level);

/// Appends assembly text or an ELF object to `out`. The machine scheduler is
/// off: it moves the loads of a register tile together and so spills the
/// accumulators. So is loop strength reduction, which costs a third of a
/// compile and gives kernels nothing.
void generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                  llvm::CodeGenFileType kind, llvm::SmallVectorImpl<char> &out,
                  CodegenProblems &problems,
                  llvm::SmallVectorImpl<FunctionReport> *reports = nullptr);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_CODEGEN_H
