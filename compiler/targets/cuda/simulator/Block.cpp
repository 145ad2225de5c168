//===- Block.cpp - a block of simulated threads ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the run of a block. Threads go on until they wait, and
// then switch to the next that can. A fiber that is abandoned is never gone
// back to, so nothing on its stack may own anything when it switches.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Block.h"
#include "llvm/ADT/SmallSet.h"
#include <algorithm>
#include <cstring>

using namespace graven::cuda::simulator;

Block::~Block() = default;

/*===- Fibers ---------------------------------------------------------------*/

void Block::enter(void *argument) {
  Thread &thread = *static_cast<Thread *>(argument);
  Block &block = *thread.block;
  block.function(block.arguments, &thread, block.shared.begin(),
                 static_cast<int32_t>(thread.id),
                 static_cast<int32_t>(block.index));
  block.leave(thread);
}

void Block::run(uint32_t number, Simulator::ThreadFunction threadFunction,
                void *const *threadArguments, int64_t blockIndex) {
  kernelIndex = number;
  kernelInfo = &simulator.program.kernels[number];
  function = threadFunction;
  arguments = threadArguments;
  index = blockIndex;
  size_t count = kernelInfo->threads;
  if (!stacks || stacks->size() < count)
    stacks = Stacks::create(count);
  if (!stacks)
    return simulator.report({Fault::NoMemory, kernelIndex, 0},
                            Simulator::Severity::Fatal);
  // Of all blocks that run here, so that old notes are told from new ones.
  if (clock > UINT32_MAX / 2)
    clock = 0;
  shared.reset(kernelInfo->sharedBytes, clock);
  banks.reset(count);
  auto nothing = std::make_shared<std::vector<uint32_t>>(count, clock);
  ++clock;
  uint32_t numWarps = llvm::divideCeil(count, kWarp);
  collectives.assign(numWarps, {});
  living.assign(numWarps, 0);
  barriers.assign(16, {});
  groupProducts.assign(llvm::divideCeil(numWarps, 4), {});
  threads.clear();
  threads.resize(count);
  ready.clear();
  woken.clear();
  position = 0;
  numDone = 0;
  abandoned = false;
  for (uint32_t id = 0; id < count; ++id) {
    Thread &thread = threads[id];
    thread.block = this;
    thread.id = id;
    thread.now = clock;
    thread.known = nothing;
    thread.context = makeContext(stacks->top(id), &Block::enter, &thread);
    living[thread.warp()] |= uint32_t(1) << thread.lane();
    woken.push_back(id);
  }
  random.seed(simulator.options.seed * 0x9e3779b97f4a7c15u + blockIndex);
  switchContext(&scheduler, next()->context);
  if (!abandoned && numDone < count)
    reportDeadlock();
  banks.finish();
}

Thread *Block::next() {
  if (position == ready.size()) {
    ready.swap(woken);
    woken.clear();
    position = 0;
    if (simulator.options.seed != 0)
      std::shuffle(ready.begin(), ready.end(), random);
  }
  return position < ready.size() ? &threads[ready[position++]] : nullptr;
}

void Block::wait(Thread &thread, uint32_t site) {
  thread.state = Thread::State::Waiting;
  thread.site = site;
  Thread *other = next();
  switchContext(&thread.context, other ? other->context : scheduler);
}

void Block::wake(uint32_t id) {
  if (threads[id].state != Thread::State::Waiting)
    return;
  threads[id].state = Thread::State::Ready;
  woken.push_back(id);
}

void Block::leave(Thread &thread) {
  thread.state = Thread::State::Done;
  ++numDone;
  living[thread.warp()] &= ~(uint32_t(1) << thread.lane());
  // Others may have waited for it alone.
  std::vector<Collective> &open = collectives[thread.warp()];
  for (size_t i = open.size(); i-- > 0;)
    if (open[i].form == Collective::Form::Loose &&
        open[i].arrived == (open[i].mask & living[thread.warp()]))
      complete(thread.warp(), i);
  Thread *other = next();
  switchContext(&thread.context, other ? other->context : scheduler);
  llvm_unreachable("a thread that has ended goes on");
}

void Block::abandon() {
  abandoned = true;
  Context unused;
  switchContext(&unused, scheduler);
  llvm_unreachable("a thread that was abandoned goes on");
}

/*===- Findings -------------------------------------------------------------*/

Finding Block::findingAt(const Thread &thread, uint32_t site,
                         Fault fault) const {
  Finding finding = {fault, kernelIndex, site};
  finding.block = index;
  finding.thread = thread.id;
  return finding;
}

void Block::report(Thread &thread, uint32_t site, const Conflict &conflict) {
  Finding finding = findingAt(thread, site, conflict.fault);
  finding.offset = conflict.offset;
  finding.otherThread = conflict.thread;
  finding.otherSite = conflict.site;
  simulator.report(std::move(finding), Simulator::Severity::GoOn);
}

void Block::fail(Thread &thread, Finding &&finding) {
  finding.kernel = kernelIndex;
  finding.block = index;
  finding.thread = thread.id;
  simulator.report(std::move(finding), Simulator::Severity::Fatal);
  abandon();
}

void Block::reportDeadlock() {
  auto waits = [](const Thread &thread) {
    return thread.state == Thread::State::Waiting;
  };
  auto first = llvm::find_if(threads, waits);
  Finding finding = findingAt(*first, first->site, Fault::Deadlock);
  auto elsewhere = llvm::find_if(threads, [&](const Thread &thread) {
    return waits(thread) && thread.site != first->site;
  });
  auto ended = llvm::find_if(threads, [&](const Thread &thread) {
    return thread.state == Thread::State::Done;
  });
  if (elsewhere != threads.end()) {
    finding.otherThread = elsewhere->id;
    finding.otherSite = elsewhere->site;
  } else if (ended != threads.end()) {
    finding.otherThread = ended->id;
    finding.detail = "has ended";
  } else {
    finding.detail = "others wait here for another barrier, or other lanes";
  }
  simulator.report(std::move(finding), Simulator::Severity::Fatal);
}

/*===- Meeting --------------------------------------------------------------*/

void Block::order(llvm::ArrayRef<uint32_t> ids) {
  auto joined =
      std::make_shared<std::vector<uint32_t>>(*threads[ids.front()].known);
  const std::vector<uint32_t> *last = nullptr;
  llvm::SmallPtrSet<const void *, 8> seen = {threads[ids.front()].known.get()};
  for (uint32_t id : ids) {
    const std::vector<uint32_t> *known = threads[id].known.get();
    if (known == last || !seen.insert(known).second)
      continue;
    last = known;
    for (size_t i = 0; i < joined->size(); ++i)
      (*joined)[i] = std::max((*joined)[i], (*known)[i]);
  }
  for (uint32_t id : ids) {
    (*joined)[id] = threads[id].now;
    clock = std::max(clock, ++threads[id].now);
  }
  for (uint32_t id : ids)
    threads[id].known = joined;
}

void Block::complete(uint32_t warp, size_t place) {
  Collective done = collectives[warp][place];
  collectives[warp].erase(collectives[warp].begin() + place);
  done.compute(*this, done);
  for (uint32_t lane = 0; lane < kWarp; ++lane)
    if (done.arrived >> lane & 1)
      wake(warp * kWarp + lane);
}

void Block::meet(Thread &thread, const Collective &collective, void *data) {
  uint32_t bit = uint32_t(1) << thread.lane(), warp = thread.warp();
  uint32_t mask = collective.mask, site = collective.site;
  if (!(mask & bit))
    fail(thread, {.fault = Fault::BadOperand,
                  .site = site,
                  .detail = "the mask leaves out the lane itself"});
  bool isAligned = collective.form == Collective::Form::Aligned;
  if (isAligned && living[warp] != mask)
    fail(thread, {.fault = Fault::Divergent,
                  .site = site,
                  .detail = "some of its lanes have ended or never were"});
  // Some lanes may meet in front of where all do. Aligned operations are all of
  // the warp's, at one place.
  std::vector<Collective> &open = collectives[warp];
  size_t place = 0;
  for (; place < open.size(); ++place) {
    const Collective &other = open[place];
    if (isAligned && other.form == Collective::Form::Aligned)
      break;
    if (other.mask == mask && other.operation == collective.operation)
      break;
  }
  if (place == open.size()) {
    open.push_back(collective);
    open.back().firstThread = thread.id;
  }
  Collective &joined = open[place];
  if (isAligned && joined.site != site)
    fail(thread, {.fault = Fault::Divergent,
                  .site = site,
                  .otherSite = joined.site,
                  .otherThread = joined.firstThread});
  joined.arrived |= bit;
  joined.last = thread.lane();
  joined.data[thread.lane()] = data;
  if (joined.arrived == (mask & living[warp]))
    return complete(warp, place);
  wait(thread, site);
}

void Block::release(Barrier &barrier) {
  order(barrier.threads);
  for (uint32_t id : barrier.threads)
    wake(id);
  barrier = {};
}

void Block::barrier(Thread &thread, uint32_t site, uint32_t id, uint32_t count,
                    Arrival arrival) {
  if (id >= barriers.size())
    fail(thread, {.fault = Fault::BadOperand,
                  .site = site,
                  .detail = "there are barriers 0 to 15"});
  if (count % kWarp != 0 && count != threads.size())
    fail(thread, {.fault = Fault::BadOperand,
                  .site = site,
                  .detail = "the number of threads is no multiple of 32"});
  Barrier &barrier = barriers[id];
  if (barrier.arrived == 0) {
    barrier.expected = count;
    barrier.sites.assign(collectives.size(), std::nullopt);
    barrier.isHere.resize(threads.size());
  }
  std::optional<uint32_t> &place = barrier.sites[thread.warp()];
  if (!place)
    place = site;
  if (barrier.expected != count || *place != site || barrier.isHere[thread.id])
    fail(thread, {.fault = Fault::Divergent,
                  .site = site,
                  .otherSite = *place,
                  .otherThread = barrier.threads.front()});
  barrier.threads.push_back(thread.id);
  barrier.isHere.set(thread.id);
  if (++barrier.arrived == count)
    return release(barrier);
  if (arrival == Arrival::Waits)
    wait(thread, site);
}
