//===- Block.h - a block of simulated threads ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Block, which runs the threads of one block of a kernel as
// fibers, lets them meet, and knows what each has heard of the others.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BLOCK_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BLOCK_H

#include "compiler/targets/cuda/simulator/Banks.h"
#include "compiler/targets/cuda/simulator/Fiber.h"
#include "compiler/targets/cuda/simulator/SharedMemory.h"
#include "llvm/ADT/BitVector.h"
#include <deque>
#include <random>

namespace graven::cuda::simulator {

inline constexpr uint32_t kWarp = 32;

/// A copy from global to shared memory that has begun.
struct AsyncCopy {
  char *to;
  const char *from;
  int64_t bytes, sourceBytes;
  uint32_t site;
  int64_t group;
};

/// A product of a group of warps that has begun, and what its warp reads.
struct GroupProduct {
  uint32_t site;
  int64_t group;
  llvm::SmallVector<int32_t, 0> chunks; ///< of 16 bytes, their offsets
  size_t hash;                          ///< of their bytes when it began
};

/// A thread of a block. What simulated code calls gets its address.
struct Thread {
  Block *block = nullptr;
  uint32_t id = 0;
  enum class State { Ready, Waiting, Done } state = State::Ready;
  Context context = nullptr;
  /// Where it waits.
  uint32_t site = 0;
  uint32_t now = 0;
  Clocks known;
  std::deque<AsyncCopy> copies;
  int64_t group = 0;
  /// Of the warp, in its first thread.
  std::deque<GroupProduct> products;
  int64_t productGroup = 0;
  uint32_t numProducts = 0, fences = 0;

  uint32_t warp() const { return id / kWarp; }
  uint32_t lane() const { return id % kWarp; }
  Actor actor() const { return {id, now, known->data(), fences}; }
};

/// Lanes of a warp that meet. `compute` sees what each brought, by lane, null
/// for those that do not take part.
struct Collective {
  using Compute = void (*)(Block &, const Collective &);
  /// Lanes may come to it at different places of the code, if the operation is
  /// the same, or they must come together.
  enum class Form { Loose, Aligned };
  Form form;
  uint32_t operation, site, mask;
  Compute compute;
  uint32_t arrived = 0;
  uint32_t last = 0; ///< the lane that came last
  uint32_t firstThread = 0;
  void *data[kWarp] = {};
};

/// One of a block's sixteen barriers, while threads wait at it.
struct Barrier {
  uint32_t expected = 0, arrived = 0;
  std::vector<uint32_t> threads;
  llvm::BitVector isHere;
  /// By warp, where its first thread came: the others come there too.
  std::vector<std::optional<uint32_t>> sites;
};

class Block {
public:
  explicit Block(Simulator &simulator) : simulator(simulator) {}
  ~Block();

  /// All threads of one block, to their end.
  void run(uint32_t kernel, Simulator::ThreadFunction function,
           void *const *arguments, int64_t index);

  Simulator &simulator;
  SharedMemory shared;
  Banks banks;

  const Kernel &kernel() const { return *kernelInfo; }
  Thread &thread(uint32_t warp, uint32_t lane) {
    return threads[warp * kWarp + lane];
  }

  // What threads ask for; each may go on with another thread meanwhile.

  /// An access to memory of any kind: where it may be, and to whom it belongs.
  void access(Thread &thread, uint32_t site, const void *address, int64_t bytes,
              int64_t alignment, AccessKind kind);
  void beginCopy(Thread &thread, uint32_t site, char *to, const char *from,
                 int64_t bytes, int64_t sourceBytes);
  void waitCopies(Thread &thread, int64_t pending);
  /// The warp of this thread begins a product of its group, on the two operands
  /// of the descriptors, and reads these chunks.
  void beginProduct(Thread &thread, uint32_t site,
                    std::pair<uint64_t, uint64_t> operands,
                    llvm::SmallVector<int32_t, 0> chunks);
  void waitProducts(Thread &thread, int64_t pending);
  /// The thread meets the lanes of a mask.
  void meet(Thread &thread, const Collective &collective, void *data);
  enum class Arrival { Waits, GoesOn };
  void barrier(Thread &thread, uint32_t site, uint32_t id, uint32_t count,
               Arrival arrival);
  /// Threads that meet here hear of all that the others heard of.
  void order(llvm::ArrayRef<uint32_t> ids);

  /// Notes what is wrong at a place.
  void report(Thread &thread, uint32_t site, const Conflict &conflict);
  /// The same, and the block is not gone on with: does not return.
  [[noreturn]] void fail(Thread &thread, Finding &&finding);

private:
  static void enter(void *thread);
  [[noreturn]] void leave(Thread &thread);
  void wait(Thread &thread, uint32_t site);
  void wake(uint32_t id);
  Thread *next();
  [[noreturn]] void abandon();
  void complete(uint32_t warp, size_t index);
  void release(Barrier &barrier);
  void reportDeadlock();
  void checkGlobal(Thread &thread, uint32_t site, const void *address,
                   int64_t bytes);
  void checkShared(Thread &thread, uint32_t site, const void *address,
                   int64_t bytes);
  size_t hashOf(llvm::ArrayRef<int32_t> chunks);
  Finding findingAt(const Thread &thread, uint32_t site, Fault fault) const;

  const Kernel *kernelInfo = nullptr;
  uint32_t kernelIndex = 0;
  Simulator::ThreadFunction function = nullptr;
  void *const *arguments = nullptr;
  int64_t index = 0;
  std::unique_ptr<Stacks> stacks;
  std::vector<Thread> threads;
  /// By warp: lanes that have not ended, and who meets.
  std::vector<uint32_t> living;
  std::vector<std::vector<Collective>> collectives;
  std::vector<Barrier> barriers;
  /// By group of four warps, the operands of its products.
  std::vector<std::vector<std::pair<uint64_t, uint64_t>>> groupProducts;
  std::vector<uint32_t> ready, woken;
  size_t position = 0;
  uint32_t numDone = 0;
  std::mt19937_64 random;
  Context scheduler = nullptr;
  bool abandoned = false;
  uint32_t clock = 0; ///< none of its threads' is higher
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_BLOCK_H
