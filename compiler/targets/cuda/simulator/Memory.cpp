//===- Memory.cpp - accesses of simulated threads --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what a block checks of accesses to memory, and copies
// from global to shared memory that go on while their thread does.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Block.h"
#include <cstring>

using namespace graven::cuda::simulator;

/// The buffers of a launch are all the global memory that there is. An address
/// is within the one that it comes from, where the code says which that is.
void Block::checkGlobal(Thread &thread, uint32_t site, const void *address,
                        int64_t bytes) {
  const Origin &origin = simulator.program.sites[site].origin;
  const auto *at = static_cast<const char *>(address);
  int64_t nearest = INT64_MAX;
  bool isKnown = true;
  for (auto [i, size] : llvm::enumerate(kernelInfo->bufferBytes)) {
    if (origin.kind == Origin::Argument && origin.index != i)
      continue;
    // An address of a launch may be a number, too.
    if (size == kUnknownBytes || origin.kind == Origin::Argument)
      isKnown &= size >= 0;
    if (size < 0)
      continue;
    int64_t offset = at - *static_cast<const char *const *>(arguments[i]);
    if (offset >= 0 && offset + bytes <= size)
      return;
    if (std::abs(offset) < std::abs(nearest))
      nearest = offset;
  }
  if (!isKnown ||
      (origin.kind == Origin::Unknown && stacks->contains(thread.id, address)))
    return;
  fail(thread, {.fault = Fault::GlobalBounds, .site = site, .offset = nearest});
}

void Block::checkShared(Thread &thread, uint32_t site, const void *address,
                        int64_t bytes) {
  const Origin &origin = simulator.program.sites[site].origin;
  int64_t offset = shared.offsetOf(address);
  int64_t begin = 0, end = shared.size();
  if (origin.kind == Origin::Shared) {
    const SharedArray &array = kernelInfo->arrays[origin.index];
    begin = array.offset;
    end = begin + array.bytes;
  }
  if (offset < begin || offset + bytes > end)
    fail(
        thread,
        {.fault = Fault::SharedBounds, .site = site, .offset = offset - begin});
}

void Block::access(Thread &thread, uint32_t site, const void *address,
                   int64_t bytes, int64_t alignment, AccessKind kind) {
  const Origin &origin = simulator.program.sites[site].origin;
  bool isShared = origin.kind == Origin::Shared ||
                  (origin.kind == Origin::Unknown && shared.contains(address));
  if (isShared)
    checkShared(thread, site, address, bytes);
  else if (origin.kind != Origin::Local)
    checkGlobal(thread, site, address, bytes);
  if (reinterpret_cast<uintptr_t>(address) % alignment != 0)
    fail(thread, {.fault = Fault::Misaligned,
                  .site = site,
                  .offset = isShared ? shared.offsetOf(address) : -1,
                  .detail = std::to_string(alignment)});
  if (!isShared)
    return;
  int64_t offset = shared.offsetOf(address);
  if (auto conflict = shared.access(thread.actor(), site, kind, offset, bytes))
    report(thread, site, *conflict);
}

static void perform(const AsyncCopy &copy) {
  std::memcpy(copy.to, copy.from, copy.sourceBytes);
  std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
}

void Block::beginCopy(Thread &thread, uint32_t site, char *to, const char *from,
                      int64_t bytes, int64_t sourceBytes) {
  if (sourceBytes < 0 || sourceBytes > bytes)
    fail(thread, {.fault = Fault::BadOperand,
                  .site = site,
                  .detail = "more bytes to read than to write"});
  checkShared(thread, site, to, bytes);
  // The place where it reads has a number of its own.
  if (sourceBytes > 0)
    checkGlobal(thread, site + 1, from, sourceBytes);
  for (const void *address :
       {static_cast<const void *>(to), static_cast<const void *>(from)})
    if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
      fail(thread, {.fault = Fault::Misaligned,
                    .site = site,
                    .offset = address == to ? shared.offsetOf(to) : -1,
                    .detail = std::to_string(bytes)});
  if (auto conflict =
          shared.beginCopy(thread.actor(), site, shared.offsetOf(to), bytes))
    report(thread, site, *conflict);
  thread.copies.push_back({to, from, bytes, sourceBytes, site, thread.group});
  if (simulator.options.copies == Copies::Early)
    perform(thread.copies.back());
}

void Block::waitCopies(Thread &thread, int64_t pending) {
  while (!thread.copies.empty() &&
         thread.copies.front().group < thread.group - pending) {
    const AsyncCopy &copy = thread.copies.front();
    if (simulator.options.copies == Copies::Late)
      perform(copy);
    shared.endCopy(thread.actor(), copy.site, shared.offsetOf(copy.to),
                   copy.bytes);
    thread.copies.pop_front();
  }
}
