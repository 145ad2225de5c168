//===- SharedMemory.h - a block's shared memory, watched -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the shared memory of a simulated block and what is known
// of each of its words: who accessed it last, whether anybody has written it,
// and whether an asynchronous copy is about to.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SHAREDMEMORY_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SHAREDMEMORY_H

#include "compiler/targets/cuda/simulator/Simulator.h"
#include <cstdlib>

namespace graven::cuda::simulator {

/// What a thread knows of the others: how far each had come when it last heard
/// of it, directly or through others. Threads that met share one.
using Clocks = std::shared_ptr<const std::vector<uint32_t>>;

/// Who makes an access, and when.
struct Actor {
  uint32_t thread, now;
  const uint32_t *known; ///< of each thread
  uint32_t fences = 0;   ///< of the proxy, that the thread has come by

  /// Whether what a thread did at a time is over for this one.
  bool isAfter(uint32_t other, uint32_t time) const {
    return other == thread || known[other] >= time;
  }
};

/// What is wrong with an access.
struct Conflict {
  Fault fault;
  int64_t offset;
  std::optional<uint32_t> thread = std::nullopt, site = std::nullopt;
};

class SharedMemory {
public:
  /// No array in shared memory needs to be aligned more.
  static constexpr int64_t kAlignment = 1024;

  /// Makes it `bytes` large, unwritten, for a block whose clocks begin above
  /// `base`.
  void reset(int64_t bytes, uint32_t base);

  char *begin() { return memory.get(); }
  int64_t size() const { return bytes; }
  bool contains(const void *address) const {
    return address >= memory.get() && address < memory.get() + room;
  }
  int64_t offsetOf(const void *address) const {
    return static_cast<const char *>(address) - memory.get();
  }

  /// Notes an access to bytes that exist; the first conflict there is.
  std::optional<Conflict> access(const Actor &actor, uint32_t site,
                                 AccessKind kind, int64_t offset, int64_t size);
  /// An asynchronous copy by the thread that writes these bytes begins, which
  /// is in conflict with what a write would be; and it is over, and is a write
  /// of that moment.
  std::optional<Conflict> beginCopy(const Actor &actor, uint32_t site,
                                    int64_t offset, int64_t size);
  void endCopy(const Actor &actor, uint32_t site, int64_t offset, int64_t size);
  /// The first of bytes, which are read by a descriptor, that was written by a
  /// thread without a fence since; `fencesOf` gives those of a thread.
  std::optional<Conflict>
  unpublished(int64_t offset, int64_t size,
              llvm::function_ref<uint32_t(uint32_t thread)> fencesOf);

private:
  static constexpr int64_t kWord = 4;
  /// An access to some bytes of a word; as old as `base`: none.
  struct Access {
    uint32_t clock, site;
    uint16_t thread;
    uint8_t mask;
    AccessKind kind;
  };
  struct Word {
    Access accesses[4];
    /// Of the block with this base: bytes that were written, and that a copy is
    /// going to write.
    uint32_t base, copySite;
    uint16_t copyThread;
    uint8_t written, copying;
    /// Copies that overlap.
    uint32_t numCopies;
    /// Who wrote it last, and how many fences that thread had come by.
    uint32_t writer, writerFences, writerSite;
  };

  /// Calls f(word, mask, offset) for the words of a range.
  template <typename F> void forWords(int64_t offset, int64_t size, F f);
  std::optional<Conflict> conflictOf(const Actor &actor, const Word &word,
                                     uint8_t mask, AccessKind kind,
                                     int64_t offset) const;
  void remember(const Actor &actor, Word &word, uint8_t mask, uint32_t site,
                AccessKind kind);
  void noteWrite(const Actor &actor, Word &word, uint8_t mask, uint32_t site);

  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };

  std::unique_ptr<char, Free> memory;
  std::vector<Word> words;
  /// What the memory has, and what of it is the block's.
  int64_t room = 0, bytes = 0;
  uint32_t base = 0;
  uint32_t evicted = 0;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_SHAREDMEMORY_H
