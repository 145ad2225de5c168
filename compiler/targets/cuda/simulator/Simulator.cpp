//===- Simulator.cpp - kernels whose threads work together -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements launches of a simulation and its report.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Simulator.h"
#include "compiler/targets/cuda/simulator/Block.h"
#include "compiler/targets/cuda/simulator/Services.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace graven::cuda::simulator;

llvm::Expected<Options>
graven::cuda::simulator::parseOptions(llvm::StringRef text) {
  Options options;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [key, value] = part.split('=');
    if (key == "seed" && !value.getAsInteger(10, options.seed))
      continue;
    if (key == "copies" && (value == "early" || value == "late"))
      options.copies = value == "early" ? Copies::Early : Copies::Late;
    else
      return llvm::createStringError(
          "expected seed=NUMBER or copies=early|late, got '" + part + "'");
  }
  return options;
}

Simulator::Simulator(Options options)
    : options(options), binding{this, serviceTable()} {}

Simulator::~Simulator() = default;

void Simulator::bind(void *variable) {
  if (variable)
    *static_cast<const Binding **>(variable) = &binding;
}

std::unique_ptr<Block> Simulator::takeBlock() {
  std::lock_guard<std::mutex> lock(mutex);
  if (idle.empty())
    return std::make_unique<Block>(*this);
  std::unique_ptr<Block> block = std::move(idle.back());
  idle.pop_back();
  return block;
}

void Simulator::launch(uint32_t kernel, ThreadFunction function,
                       void *const *arguments, int64_t lo, int64_t hi) {
  if (stopped)
    return;
  std::unique_ptr<Block> block = takeBlock();
  block->banks.cycles = block->banks.ideal = 0;
  int64_t begun = lo;
  for (; begun < hi && !stopped; ++begun)
    block->run(kernel, function, arguments, begun);
  std::lock_guard<std::mutex> lock(mutex);
  if (counts.size() < program.kernels.size())
    counts.resize(program.kernels.size());
  counts[kernel].blocks += begun - lo;
  counts[kernel].sharedCycles += block->banks.cycles;
  counts[kernel].idealSharedCycles += block->banks.ideal;
  idle.push_back(std::move(block));
}

void Simulator::report(Finding finding, Severity severity) {
  std::lock_guard<std::mutex> lock(mutex);
  if (severity == Severity::Fatal)
    stopped = true;
  auto [place, isNew] = known.try_emplace(
      {finding.fault, finding.site, finding.otherSite.value_or(UINT32_MAX)},
      found.size());
  if (isNew)
    found.push_back(std::move(finding));
  else
    ++found[place->second].count;
}

/*===- The report -----------------------------------------------------------*/

/// What the thread does: a sentence without its subject.
static std::string describe(const Finding &finding) {
  std::string byte = "byte " + llvm::itostr(finding.offset),
              shared = byte + " of shared memory";
  std::string other = finding.otherThread
                          ? "thread " + llvm::utostr(*finding.otherThread)
                          : std::string("another thread");
  switch (finding.fault) {
  case Fault::ReadAfterWrite:
    return "reads " + shared + ", which " + other +
           " has written, and nothing orders the two";
  case Fault::WriteAfterRead:
    return "writes " + shared + ", which " + other +
           " has read, and nothing orders the two";
  case Fault::WriteAfterWrite:
    return "writes " + shared + ", which " + other +
           " has written, and nothing orders the two";
  case Fault::CopyInFlight:
    return "accesses " + shared + ", which an asynchronous copy of " + other +
           " writes that has not been waited for";
  case Fault::Unwritten:
    return "reads " + shared + ", which nothing has written";
  case Fault::Unpublished:
    return "reads " + shared + " by a descriptor, which " + other +
           " has written without a fence of the proxy since";
  case Fault::Overwritten:
    return "still reads " + shared + ", which was written meanwhile";
  case Fault::SharedBounds:
    return "accesses " + byte + " of an array in shared memory, outside of it";
  case Fault::GlobalBounds:
    return "accesses " + byte + " of a buffer, outside of it";
  case Fault::Misaligned:
    return "has an address that is no multiple of " + finding.detail;
  case Fault::Divergent:
    if (!finding.otherThread)
      return "waits for its whole warp: " + finding.detail;
    return "comes here while " + other + " waits for it at another operation";
  case Fault::Deadlock:
    if (!finding.otherThread)
      return "waits for ever: " + finding.detail;
    return "waits for ever: " + other +
           (finding.otherSite ? " waits elsewhere" : " " + finding.detail);
  case Fault::BadOperand:
    return "has a wrong operand: " + finding.detail;
  case Fault::NoMemory:
    return "has no memory on this machine";
  }
  llvm_unreachable("a finding of no kind");
}

bool Simulator::emitFindings() const {
  for (const Finding &finding : found) {
    const Kernel &kernel = program.kernels[finding.kernel];
    if (finding.fault == Fault::NoMemory) {
      emitCoded(kernel.loc, Code::OutOfMemory)
          << "no memory for the threads of kernel '" << kernel.name << "'";
      continue;
    }
    const Site &site = program.sites[finding.site];
    auto error = emitCoded(site.loc, Code::Internal);
    error << "'" << site.name << "' of kernel '" << kernel.name << "': thread "
          << finding.thread << " of block " << finding.block << " "
          << describe(finding);
    if (finding.count > 1)
      error << " (and " << finding.count - 1 << " more)";
    if (finding.otherSite) {
      const Site &other = program.sites[*finding.otherSite];
      error.attachNote(other.loc) << "the other is '" << other.name << "' here";
    }
  }
  return !found.empty();
}
