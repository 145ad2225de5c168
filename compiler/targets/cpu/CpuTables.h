//===- CpuTables.h - features and caches of CPUs ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tables that LLVM does not have, which are: the bits of
// the ABI that stand for features of an architecture, and the sizes of caches.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_CPUTABLES_H
#define GRAVEN_COMPILER_TARGETS_CPU_CPUTABLES_H

#include "runtime/blobs/Blobs.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace graven::cpu {

using rt::Machine;

/// A feature as LLVM calls it beside the bit that the runtime tests.
struct FeatureBit {
  llvm::StringLiteral feature;
  uint64_t bit;
};
llvm::ArrayRef<FeatureBit> featureBitsOf(Machine machine);

/// Sizes in KiB; the last level is the share that one core can expect to keep.
struct CacheSizes {
  llvm::StringLiteral cpu;
  int64_t l1, l2, l3;
};
/// Null for a CPU that is not in the table. Sizes come from a table, so that
/// two hosts with one CPU name make the same code.
const CacheSizes *cacheSizesOf(llvm::StringRef cpu);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_CPUTABLES_H
