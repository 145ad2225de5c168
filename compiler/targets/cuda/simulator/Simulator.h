//===- Simulator.h - kernels whose threads work together -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Simulator, which runs blocks of threads on the host and
// watches them: what it finds wrong, and what it counts.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SIMULATOR_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SIMULATOR_H

#include "compiler/targets/cuda/simulator/Program.h"
#include "llvm/ADT/SmallVector.h"
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace graven::cuda::simulator {

class Block;

/// The variable of simulated code that says where the simulator is.
inline constexpr llvm::StringLiteral kBinding = "graven_simulator";

/// When an asynchronous copy is done: as soon, or as late, as the program
/// allows. One that waits for too little gives wrong results late.
enum class Copies { Early, Late };

struct Options {
  /// Of the order in which threads go on; 0 is the order of their numbers.
  uint64_t seed = 0;
  Copies copies = Copies::Late;
};

/// "seed=3,copies=early"; an error says what it takes.
llvm::Expected<Options> parseOptions(llvm::StringRef text);

/// What can be wrong with a kernel.
enum class Fault : uint8_t {
  ReadAfterWrite,  ///< by another thread, and nothing orders the two
  WriteAfterRead,  ///< the same
  WriteAfterWrite, ///< the same
  CopyInFlight,    ///< an access to what an asynchronous copy writes
  Unwritten,       ///< a read of shared memory that nothing has written
  Unpublished,     ///< a read by another proxy than what was written by
  Overwritten,     ///< a write of what is still read asynchronously
  SharedBounds,    ///< an address outside of the array in shared memory
  GlobalBounds,    ///< an address outside of the launch's buffers
  Misaligned,      ///< an address that is no multiple of what it must be
  Divergent,       ///< threads that should meet are at different places
  Deadlock,        ///< threads wait, and nobody is left to come
  BadOperand,      ///< a mask or a lane that the operation cannot have
  NoMemory,        ///< the system refuses memory for a block
};

struct Finding {
  Fault fault;
  uint32_t kernel = 0, site = 0;
  /// The place that this one is in conflict with.
  std::optional<uint32_t> otherSite = std::nullopt;
  int64_t block = 0;
  uint32_t thread = 0;
  std::optional<uint32_t> otherThread = std::nullopt;
  /// A byte of shared memory, or of a buffer; -1 without one.
  int64_t offset = -1;
  /// What there is to say beyond that.
  std::string detail = {};
  /// How often the same places were found.
  int64_t count = 1;
};

/// What the blocks of a kernel did, all launches together.
struct KernelStatistics {
  int64_t blocks = 0;
  /// Cycles that accesses to shared memory take with its banks as they are, and
  /// would take if no two of a warp met in one.
  int64_t sharedCycles = 0, idealSharedCycles = 0;
};

class Simulator {
public:
  explicit Simulator(Options options = {});
  ~Simulator();
  Simulator(const Simulator &) = delete;
  Simulator &operator=(const Simulator &) = delete;

  const Options options;
  /// Filled before the first launch.
  Program program;

  /// Lets simulated code call this: `variable` is its kBinding, null in code
  /// without kernels whose threads work together.
  void bind(void *variable);

  /// A thread of the kernel, given the addresses of its arguments.
  using ThreadFunction = void (*)(void *const *arguments, void *thread,
                                  void *shared, int32_t threadId,
                                  int32_t blockId);
  /// Runs blocks `lo` to `hi`; on any thread of the host, several at a time.
  void launch(uint32_t kernel, ThreadFunction function, void *const *arguments,
              int64_t lo, int64_t hi);

  /// Notes a fault; after one that is fatal no block is begun any more.
  enum class Severity { GoOn, Fatal };
  void report(Finding finding, Severity severity);

  /// Emits what was found, an error for each pair of places; false where that
  /// is nothing.
  bool emitFindings() const;
  const std::vector<Finding> &findings() const { return found; }
  /// One for each kernel of the program.
  const std::vector<KernelStatistics> &statistics() const { return counts; }

private:
  std::unique_ptr<Block> takeBlock();

  /// What the variable points to.
  struct Binding {
    Simulator *simulator;
    void *const *services;
  };
  const Binding binding;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  std::vector<std::unique_ptr<Block>> idle;
  std::vector<Finding> found;
  std::map<std::tuple<Fault, uint32_t, uint32_t>, size_t> known;
  std::vector<KernelStatistics> counts;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SIMULATOR_H
