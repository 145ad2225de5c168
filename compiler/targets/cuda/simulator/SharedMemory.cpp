//===- SharedMemory.cpp - a block's shared memory, watched -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the watch over shared memory. A word keeps its last few
// accesses with the time of each by the clock of its thread; a new one races
// with an old one that its thread has not heard of. (The scheme of
// ThreadSanitizer, with clocks that threads which meet share.)
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/SharedMemory.h"
#include "llvm/ADT/bit.h"
#include <cstring>

using namespace graven::cuda::simulator;

void SharedMemory::reset(int64_t size, uint32_t newBase) {
  bytes = size;
  if (room < size || !memory) {
    room = llvm::alignTo(size, kAlignment) + kAlignment;
    memory.reset(static_cast<char *>(std::aligned_alloc(kAlignment, room)));
    if (!memory)
      llvm::report_bad_alloc_error(
          "no memory for the shared memory of a block");
    words.assign(room / kWord, Word());
  }
  // What nobody wrote is a NaN in every format.
  std::memset(memory.get(), 0xff, room);
  // Clocks that start again make old words look new.
  if (newBase < base)
    std::fill(words.begin(), words.end(), Word());
  base = newBase;
}

template <typename F>
void SharedMemory::forWords(int64_t offset, int64_t size, F f) {
  for (int64_t at = offset, end = offset + size; at < end;) {
    int64_t index = at / kWord, next = std::min((index + 1) * kWord, end);
    uint8_t mask = 0;
    for (int64_t i = at; i < next; ++i)
      mask |= uint8_t(1) << (i % kWord);
    Word &word = words[index];
    if (word.base != base) {
      word = Word();
      word.base = base;
    }
    f(word, mask, at);
    at = next;
  }
}

std::optional<Conflict> SharedMemory::conflictOf(const Actor &actor,
                                                 const Word &word, uint8_t mask,
                                                 AccessKind kind,
                                                 int64_t offset) const {
  if (word.copying & mask)
    return Conflict{Fault::CopyInFlight, offset, word.copyThread,
                    word.copySite};
  for (const Access &old : word.accesses) {
    if (old.clock <= base || !(old.mask & mask) ||
        actor.isAfter(old.thread, old.clock))
      continue;
    bool harmless =
        (kind == AccessKind::Read && old.kind == AccessKind::Read) ||
        (kind == AccessKind::Atomic && old.kind == AccessKind::Atomic);
    if (harmless)
      continue;
    Fault fault = kind == AccessKind::Read       ? Fault::ReadAfterWrite
                  : old.kind == AccessKind::Read ? Fault::WriteAfterRead
                                                 : Fault::WriteAfterWrite;
    return Conflict{fault, offset, old.thread, old.site};
  }
  uint8_t missing = mask & ~word.written;
  if (kind != AccessKind::Write && missing)
    return Conflict{Fault::Unwritten,
                    offset / kWord * kWord + llvm::countr_zero(missing)};
  return std::nullopt;
}

/// Takes the place of an access that whoever conflicts with it also conflicts
/// with the new one, or of none, or of any.
void SharedMemory::remember(const Actor &actor, Word &word, uint8_t mask,
                            uint32_t site, AccessKind kind) {
  Access made = {actor.now, site, static_cast<uint16_t>(actor.thread), mask,
                 kind};
  Access *place = nullptr;
  for (Access &old : word.accesses) {
    bool isOld = old.clock <= base;
    bool isCovered = !isOld && (old.mask & ~mask) == 0 &&
                     (old.kind == AccessKind::Read || old.kind == kind ||
                      kind == AccessKind::Write) &&
                     actor.isAfter(old.thread, old.clock);
    if (isCovered && (!place || place->clock <= base))
      place = &old;
    else if (isCovered)
      old.clock = 0;
    else if (isOld && !place)
      place = &old;
  }
  // Rather a read: there may be any number of them between two writes.
  for (size_t i = 0; !place && i < std::size(word.accesses); ++i) {
    Access &next = word.accesses[evicted++ % std::size(word.accesses)];
    if (next.kind == AccessKind::Read)
      place = &next;
  }
  if (!place)
    place = &word.accesses[evicted++ % std::size(word.accesses)];
  *place = made;
}

std::optional<Conflict> SharedMemory::access(const Actor &actor, uint32_t site,
                                             AccessKind kind, int64_t offset,
                                             int64_t size) {
  std::optional<Conflict> first;
  forWords(offset, size, [&](Word &word, uint8_t mask, int64_t at) {
    if (!first)
      first = conflictOf(actor, word, mask, kind, at);
    remember(actor, word, mask, site, kind);
    if (kind != AccessKind::Read)
      noteWrite(actor, word, mask, site);
  });
  return first;
}

void SharedMemory::noteWrite(const Actor &actor, Word &word, uint8_t mask,
                             uint32_t site) {
  word.written |= mask;
  word.writer = actor.thread;
  word.writerFences = actor.fences;
  word.writerSite = site;
}

std::optional<Conflict>
SharedMemory::unpublished(int64_t offset, int64_t size,
                          llvm::function_ref<uint32_t(uint32_t)> fencesOf) {
  std::optional<Conflict> first;
  forWords(offset, size, [&](Word &word, uint8_t mask, int64_t at) {
    if (!first && (word.written & mask) &&
        fencesOf(word.writer) <= word.writerFences)
      first = Conflict{Fault::Unpublished, at, word.writer, word.writerSite};
  });
  return first;
}

std::optional<Conflict> SharedMemory::beginCopy(const Actor &actor,
                                                uint32_t site, int64_t offset,
                                                int64_t size) {
  std::optional<Conflict> first;
  forWords(offset, size, [&](Word &word, uint8_t mask, int64_t at) {
    if (!first)
      first = conflictOf(actor, word, mask, AccessKind::Write, at);
    word.copying |= mask;
    word.copySite = site;
    word.copyThread = static_cast<uint16_t>(actor.thread);
    ++word.numCopies;
  });
  return first;
}

void SharedMemory::endCopy(const Actor &actor, uint32_t site, int64_t offset,
                           int64_t size) {
  forWords(offset, size, [&](Word &word, uint8_t mask, int64_t) {
    // Words with several copies at a time, which were reported or are halves
    // of different ones, are free after the last.
    if (--word.numCopies == 0)
      word.copying = 0;
    noteWrite(actor, word, mask, site);
    remember(actor, word, mask, site, AccessKind::Write);
  });
}
