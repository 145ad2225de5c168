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
#include <array>
#include <cstdint>
#include <deque>

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
  static constexpr uint32_t kLanes = 32;
  struct Instruction {
    int64_t bytes = 0;
    uint32_t lanes = 0; ///< a bit for each that has come
    std::array<int64_t, kLanes> offsets;
  };
  /// What the lanes of a warp do at one place.
  struct Place {
    /// How often each was here.
    std::array<uint32_t, kLanes> visits = {};
    /// Those that lanes have yet to come to, beginning with the one of this
    /// number.
    uint32_t first = 0;
    std::deque<Instruction> open;
  };
  void count(const Instruction &instruction);

  uint32_t numThreads = 0;
  /// By warp and site.
  llvm::DenseMap<uint64_t, Place> places;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BANKS_H
