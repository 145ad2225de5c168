//===- Banks.h - conflicts of banks of shared memory -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what counts the cycles that accesses to shared memory
// take: a warp's meet in its 32 banks.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BANKS_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BANKS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace graven::cuda::simulator {

/// Lanes make an access at the same place one after the other; the n-th of each
/// are one instruction of the warp.
class Banks {
public:
  void reset(uint32_t threads);
  void access(uint32_t thread, uint32_t site, int64_t offset, int64_t bytes);
  /// Lanes' rows of 16 bytes that one instruction reads or writes together.
  void rows(llvm::ArrayRef<int64_t> offsets);
  /// Counts what is not complete: lanes that went other ways.
  void finish();

  int64_t cycles = 0, ideal = 0;

private:
  struct Instruction {
    int64_t bytes = 0;
    /// With the lane.
    llvm::SmallVector<std::pair<uint32_t, int64_t>, 0> offsets;
  };
  void count(Instruction &instruction);

  uint32_t numThreads = 0;
  /// How often each thread was at each place.
  llvm::DenseMap<std::pair<uint32_t, uint32_t>, uint32_t> visits;
  /// By warp and place, and the number of the visit.
  llvm::DenseMap<std::pair<uint64_t, uint32_t>, Instruction> open;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BANKS_H
