//===- Program.h - what a simulation knows of its kernels ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tables that SimulateKernels fills: simulated code
// refers to its places and kernels by their numbers in them.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_PROGRAM_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_PROGRAM_H

#include "mlir/IR/Location.h"
#include <string>
#include <vector>

namespace graven::cuda::simulator {

enum class AccessKind : uint8_t { Read, Write, Atomic };

/// Where an address comes from, as far as the code says.
struct Origin {
  enum Kind : uint8_t { Unknown, Argument, Shared, Local };
  Kind kind = Unknown;
  /// Of the kernel's arguments, or of its arrays in shared memory.
  uint32_t index = 0;
};

/// In place of a buffer's bytes.
inline constexpr int64_t kNoBuffer = -1, kUnknownBytes = -2;

/// An operation of a kernel that the simulator is told of.
struct Site {
  mlir::Location loc;
  /// As in the NVVM and LLVM dialects.
  std::string name;
  AccessKind kind = AccessKind::Read;
  /// Of an access to memory, or of an element of one with a mask.
  uint32_t bytes = 0, alignment = 1;
  Origin origin = {};
};

/// An array in the shared memory of a block.
struct SharedArray {
  std::string name;
  int64_t offset = 0, bytes = 0;
};

struct Kernel {
  std::string name;
  mlir::Location loc;
  int64_t blocks = 1, threads = 1;
  std::vector<SharedArray> arrays;
  int64_t sharedBytes = 0;
  /// Of the buffer that each argument is.
  std::vector<int64_t> bufferBytes;
};

/// The kernels whose threads work together, and the places in them.
struct Program {
  std::vector<Kernel> kernels;
  std::vector<Site> sites;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_PROGRAM_H
