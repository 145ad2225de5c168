//===- graven.cpp - the command line --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is the main of `graven`; the commands are in compiler/cli.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "llvm/Support/InitLLVM.h"
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

/// A compile lives shortly and allocates much: its heaps grow in large steps,
/// and the first one lies in huge pages. A page fault for every 4 KB, and a
/// change of the address space for every few, which interrupts the other
/// threads, took a tenth of the time of a small compile.
static void growHeapsInLargeSteps() {
#ifdef __GLIBC__
  constexpr int step = 16 << 20, hugePage = 2 << 20;
  ::mallopt(M_TOP_PAD, step);
  // What is set by hand stays as it is set: blocks of a few megabytes still go
  // back to the system at once, as glibc would have it.
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 2 * step);
  auto begin = reinterpret_cast<uintptr_t>(::sbrk(0));
  // Makes the heap grow where it is not yet.
  ::free(::malloc(256 << 10));
  auto end = reinterpret_cast<uintptr_t>(::sbrk(0));
  begin = (begin + hugePage - 1) / hugePage * hugePage;
  // Only advice.
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

int main(int argc, char **argv) {
  growHeapsInLargeSteps();
  llvm::InitLLVM init(argc, argv);
  return graven::cli::runCommandLine(argc, argv);
}
