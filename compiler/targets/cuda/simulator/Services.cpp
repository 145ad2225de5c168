//===- Services.cpp - what simulated code calls ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the functions that simulated code calls, but for those
// on matrices.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Services.h"
#include "compiler/targets/cuda/simulator/Block.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstring>

using namespace graven::cuda::simulator;
using mlir::NVVM::ReduxKind;
using mlir::NVVM::ShflKind;
using mlir::NVVM::VoteSyncKind;

void *const *graven::cuda::simulator::serviceTable() {
  static void *const table[] = {
#define GRAVEN_SERVICE_ADDRESS(name) reinterpret_cast<void *>(&services::name),
      GRAVEN_SIMULATOR_SERVICES(GRAVEN_SERVICE_ADDRESS)
#undef GRAVEN_SERVICE_ADDRESS
  };
  return table;
}

void services::launch(Simulator *simulator, int32_t kernel, void *function,
                      void *arguments, int64_t lo, int64_t hi) {
  simulator->launch(kernel,
                    reinterpret_cast<Simulator::ThreadFunction>(function),
                    static_cast<void *const *>(arguments), lo, hi);
}

/*===- Memory ---------------------------------------------------------------*/

static const Site &siteOf(const Thread *thread, int32_t site) {
  return thread->block->simulator.program.sites[site];
}

static void accessBytes(Thread *thread, int32_t site, void *address,
                        int64_t bytes, int64_t alignment) {
  Block &block = *thread->block;
  block.access(*thread, site, address, bytes, alignment,
               siteOf(thread, site).kind);
  if (block.shared.contains(address))
    block.banks.access(thread->id, site, block.shared.offsetOf(address), bytes);
}

void services::access(Thread *thread, int32_t site, void *address) {
  const Site &place = siteOf(thread, site);
  accessBytes(thread, site, address, place.bytes, place.alignment);
}

void services::accessRange(Thread *thread, int32_t site, void *address,
                           int64_t bytes) {
  if (bytes > 0)
    accessBytes(thread, site, address, bytes, siteOf(thread, site).alignment);
}

void services::accessMasked(Thread *thread, int32_t site, void *address,
                            int64_t mask) {
  const Site &place = siteOf(thread, site);
  for (int64_t i = 0; mask >> i; ++i)
    if (mask >> i & 1)
      thread->block->access(*thread, site,
                            static_cast<char *>(address) + i * place.bytes,
                            place.bytes, place.alignment, place.kind);
}

void services::copyAsync(Thread *thread, int32_t site, void *to, void *from,
                         int32_t bytes, int32_t sourceBytes) {
  thread->block->beginCopy(*thread, site, static_cast<char *>(to),
                           static_cast<const char *>(from), bytes, sourceBytes);
}

void services::commitCopies(Thread *thread) { ++thread->group; }

void services::waitCopies(Thread *thread, int32_t pending) {
  thread->block->waitCopies(*thread, pending);
}

/*===- Meeting --------------------------------------------------------------*/

void services::barrier(Thread *thread, int32_t site, int32_t id,
                       int32_t count) {
  thread->block->barrier(*thread, site, id, count, Block::Arrival::Waits);
}

void services::arrive(Thread *thread, int32_t site, int32_t id, int32_t count) {
  thread->block->barrier(*thread, site, id, count, Block::Arrival::GoesOn);
}

/// Lanes meet at operation `service` of a kind.
static void meetLoosely(Thread *thread, int32_t site, int32_t mask,
                        Service service, int32_t kind,
                        Collective::Compute compute, void *data) {
  Collective collective = {
      Collective::Form::Loose,
      static_cast<uint32_t>(service) << 8 | static_cast<uint32_t>(kind),
      static_cast<uint32_t>(site), static_cast<uint32_t>(mask), compute};
  thread->block->meet(*thread, collective, data);
}

/// Calls f(lane, what it brought) for the lanes that met.
template <typename T, typename F>
static void forLanes(const Collective &collective, F f) {
  for (uint32_t lane = 0; lane < kWarp; ++lane)
    if (collective.arrived >> lane & 1)
      f(lane, *static_cast<T *>(collective.data[lane]));
}

namespace {
struct Shuffle {
  Thread *thread;
  ShflKind kind;
  int32_t value, offset, clamp;
  int32_t result, isValid;
};

/// The lane that is read, and whether it is in range (PTX, shfl.sync).
std::pair<int32_t, bool> sourceLane(const Shuffle &shuffle, int32_t lane) {
  int32_t offset = shuffle.offset & 31, clamp = shuffle.clamp & 31,
          segment = shuffle.clamp >> 8 & 31;
  int32_t most = (lane & segment) | (clamp & ~segment & 31);
  int32_t source = lane;
  bool isValid = false;
  switch (shuffle.kind) {
  case ShflKind::up:
    source = lane - offset;
    isValid = source >= most;
    break;
  case ShflKind::down:
    source = lane + offset;
    isValid = source <= most;
    break;
  case ShflKind::bfly:
    source = lane ^ offset;
    isValid = source <= most;
    break;
  case ShflKind::idx:
    source = (lane & segment) | (offset & ~segment & 31);
    isValid = source <= most;
    break;
  }
  return {isValid ? source : lane, isValid};
}

void computeShuffle(Block &block, const Collective &collective) {
  forLanes<Shuffle>(collective, [&](uint32_t lane, Shuffle &shuffle) {
    auto [source, isValid] = sourceLane(shuffle, static_cast<int32_t>(lane));
    if (!(collective.arrived >> source & 1))
      block.fail(*shuffle.thread,
                 {.fault = Fault::BadOperand,
                  .site = collective.site,
                  .detail = "it reads lane " + std::to_string(source) +
                            ", which does not take part"});
    shuffle.result = static_cast<Shuffle *>(collective.data[source])->value;
    shuffle.isValid = isValid;
  });
}
} // namespace

int32_t services::shuffle(Thread *thread, int32_t site, int32_t kind,
                          int32_t mask, void *value, int32_t offset,
                          int32_t clamp) {
  Shuffle shuffle = {thread, static_cast<ShflKind>(kind), 0, offset, clamp, 0,
                     0};
  std::memcpy(&shuffle.value, value, sizeof(shuffle.value));
  meetLoosely(thread, site, mask, Service::shuffle, kind, computeShuffle,
              &shuffle);
  std::memcpy(value, &shuffle.result, sizeof(shuffle.result));
  return shuffle.isValid;
}

namespace {
struct Ballot {
  VoteSyncKind kind;
  int32_t predicate;
  int32_t result;
};

void computeVote(Block &, const Collective &collective) {
  uint32_t votes = 0;
  forLanes<Ballot>(collective, [&](uint32_t lane, Ballot &ballot) {
    votes |= static_cast<uint32_t>(ballot.predicate & 1) << lane;
  });
  forLanes<Ballot>(collective, [&](uint32_t, Ballot &ballot) {
    switch (ballot.kind) {
    case VoteSyncKind::any:
      ballot.result = votes != 0;
      break;
    case VoteSyncKind::all:
      ballot.result = votes == collective.arrived;
      break;
    case VoteSyncKind::uni:
      ballot.result = votes == 0 || votes == collective.arrived;
      break;
    case VoteSyncKind::ballot:
      ballot.result = static_cast<int32_t>(votes);
      break;
    }
  });
}

struct Redux {
  ReduxKind kind;
  int32_t value;
  int32_t result;
};

int32_t combine(ReduxKind kind, int32_t a, int32_t b) {
  auto ua = static_cast<uint32_t>(a), ub = static_cast<uint32_t>(b);
  switch (kind) {
  case ReduxKind::ADD:
    return static_cast<int32_t>(ua + ub);
  case ReduxKind::AND:
    return a & b;
  case ReduxKind::OR:
    return a | b;
  case ReduxKind::XOR:
    return a ^ b;
  case ReduxKind::MAX:
    return std::max(a, b);
  case ReduxKind::MIN:
    return std::min(a, b);
  case ReduxKind::UMAX:
    return static_cast<int32_t>(std::max(ua, ub));
  case ReduxKind::UMIN:
    return static_cast<int32_t>(std::min(ua, ub));
  case ReduxKind::FMAX:
  case ReduxKind::FMIN: {
    float fa = llvm::bit_cast<float>(a), fb = llvm::bit_cast<float>(b);
    return llvm::bit_cast<int32_t>(kind == ReduxKind::FMAX ? std::fmax(fa, fb)
                                                           : std::fmin(fa, fb));
  }
  }
  llvm_unreachable("a reduction of no kind");
}

void computeReduction(Block &, const Collective &collective) {
  std::optional<int32_t> result;
  forLanes<Redux>(collective, [&](uint32_t, Redux &reduction) {
    result = result ? combine(reduction.kind, *result, reduction.value)
                    : reduction.value;
  });
  forLanes<Redux>(collective, [&](uint32_t, Redux &reduction) {
    reduction.result = *result;
  });
}

void computeElection(Block &, const Collective &collective) {
  uint32_t elected = llvm::countr_zero(collective.arrived);
  forLanes<int32_t>(collective, [&](uint32_t lane, int32_t &isElected) {
    isElected = lane == elected;
  });
}

void computeSync(Block &block, const Collective &collective) {
  llvm::SmallVector<uint32_t, kWarp> ids;
  forLanes<Thread>(collective,
                   [&](uint32_t, Thread &thread) { ids.push_back(thread.id); });
  block.order(ids);
}
} // namespace

int32_t services::vote(Thread *thread, int32_t site, int32_t kind, int32_t mask,
                       int32_t predicate) {
  Ballot ballot = {static_cast<VoteSyncKind>(kind), predicate, 0};
  meetLoosely(thread, site, mask, Service::vote, kind, computeVote, &ballot);
  return ballot.result;
}

int32_t services::reduce(Thread *thread, int32_t site, int32_t kind,
                         int32_t mask, int32_t value) {
  Redux reduction = {static_cast<ReduxKind>(kind), value, 0};
  meetLoosely(thread, site, mask, Service::reduce, kind, computeReduction,
              &reduction);
  return reduction.result;
}

int32_t services::elect(Thread *thread, int32_t site, int32_t mask) {
  int32_t isElected = 0;
  meetLoosely(thread, site, mask, Service::elect, 0, computeElection,
              &isElected);
  return isElected;
}

void services::syncWarp(Thread *thread, int32_t site, int32_t mask) {
  meetLoosely(thread, site, mask, Service::syncWarp, 0, computeSync, thread);
}
