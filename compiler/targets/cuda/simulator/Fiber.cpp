//===- Fiber.cpp - stacks that are switched by hand ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the switch between stacks, which saves the registers
// that a call keeps and nothing else: ucontext would ask the system for the
// signal mask each time, and a block has a switch for each thread and
// collective operation.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Fiber.h"
#include <cstdint>
#include <sys/mman.h>

using namespace graven::cuda::simulator;

extern "C" {
void graven_simulator_switch(Context *from, Context to)
    __attribute__((visibility("hidden")));
void graven_simulator_start(void) __attribute__((visibility("hidden")));
}

#if defined(__x86_64__)
asm(R"(
    .pushsection .text
    .hidden graven_simulator_switch
    .globl graven_simulator_switch
    .type graven_simulator_switch, @function
graven_simulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size graven_simulator_switch, .-graven_simulator_switch
    .hidden graven_simulator_start
    .globl graven_simulator_start
    .type graven_simulator_start, @function
graven_simulator_start:
    movq %r13, %rdi
    callq *%r12
    ud2
    .size graven_simulator_start, .-graven_simulator_start
    .popsection
)");
#elif defined(__aarch64__)
asm(R"(
    .pushsection .text
    .hidden graven_simulator_switch
    .globl graven_simulator_switch
    .type graven_simulator_switch, %function
graven_simulator_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size graven_simulator_switch, .-graven_simulator_switch
    .hidden graven_simulator_start
    .globl graven_simulator_start
    .type graven_simulator_start, %function
graven_simulator_start:
    mov x0, x20
    blr x19
    brk #0
    .size graven_simulator_start, .-graven_simulator_start
    .popsection
)");
#else
#error "the simulator of GPUs has no switch of stacks for this CPU"
#endif

namespace {
constexpr size_t guardBytes = size_t(64) << 10;
constexpr size_t stride = Stacks::kBytes + guardBytes;
} // namespace

std::unique_ptr<Stacks> Stacks::create(size_t count) {
  void *memory =
      ::mmap(nullptr, count * stride, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /*fd=*/-1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  std::unique_ptr<Stacks> stacks(
      new Stacks(static_cast<char *>(memory), count));
  for (size_t i = 0; i < count; ++i)
    if (::mprotect(stacks->top(i) - kBytes, kBytes, PROT_READ | PROT_WRITE))
      return nullptr;
  return stacks;
}

Stacks::~Stacks() { ::munmap(memory, count * stride); }

char *Stacks::top(size_t index) const { return memory + (index + 1) * stride; }

bool Stacks::contains(size_t index, const void *address) const {
  const char *end = top(index);
  return address >= end - kBytes && address < end;
}

Context graven::cuda::simulator::makeContext(char *top, void (*entry)(void *),
                                             void *argument) {
  auto word = [](auto pointer) { return reinterpret_cast<uintptr_t>(pointer); };
#if defined(__x86_64__)
  // r15, r14, r13, r12, rbx, rbp and where to return to.
  uintptr_t *frame = reinterpret_cast<uintptr_t *>(top) - 9;
  frame[2] = word(argument);
  frame[3] = word(entry);
  frame[5] = 0;
  frame[6] = word(&graven_simulator_start);
#else
  // x19 and x20; x29 and x30, where to return to.
  uintptr_t *frame = reinterpret_cast<uintptr_t *>(top) - 20;
  frame[0] = word(entry);
  frame[1] = word(argument);
  frame[10] = 0;
  frame[11] = word(&graven_simulator_start);
#endif
  return frame;
}

void graven::cuda::simulator::switchContext(Context *from, Context to) {
  graven_simulator_switch(from, to);
}
