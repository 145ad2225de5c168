//===- ModelTable.h - the C interface of a compiled model -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares addModelTable, which adds to a translated module
// everything a host can see: the GravenModel table, the generic entry and the
// typed entry.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_MODELTABLE_H
#define GRAVEN_COMPILER_TARGETS_CPU_MODELTABLE_H

#include "compiler/targets/cpu/ModelSignature.h"
#include "compiler/targets/cpu/TargetMachine.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace graven::cpu {

/// The section that holds the weights: read only, and on x86-64 "large", which
/// makes linkers place it after all other sections, where it pushes nothing out
/// of reach.
inline constexpr llvm::StringLiteral weightsSection = ".lrodata.graven";

/// What differs between the kinds of output.
enum class TableFeature : unsigned {
  None = 0,
  /// The table is also called graven_model, which only one model per binary can
  /// be.
  FixedAlias = 1,
  /// The weights are space in `weightsSection` without contents, filled in
  /// later; without this they are an undefined symbol.
  ReserveWeights = 2,
};
inline TableFeature operator|(TableFeature a, TableFeature b) {
  return static_cast<TableFeature>(static_cast<unsigned>(a) |
                                   static_cast<unsigned>(b));
}

/// A version of the code: the hidden symbol of its entry, and the CPU it is
/// for.
struct VariantSymbol {
  std::string entry;
  const CpuTarget *target;
};

/// Adds the function `name`, a GravenEntry that calls `main`, the translated
/// main function, and gives everything else that is defined in the module
/// internal linkage, but for weak variables.
void addEntry(llvm::Module &module, llvm::Function &main, llvm::StringRef name,
              const ModelSignature &signature);

/// Adds the table, its strings and the typed entry, which are `PREFIX_model`,
/// `PREFIX_run` and the fixed alias; PREFIX is symbolPrefix(signature.name).
/// Entries of variants may be defined in other modules. The variants are in the
/// order in which a run tries them, those of each size of the signature after
/// those of the size before, for the same CPUs.
void addModelTable(llvm::Module &module, const ModelSignature &signature,
                   llvm::ArrayRef<VariantSymbol> variants,
                   TableFeature features);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_MODELTABLE_H
