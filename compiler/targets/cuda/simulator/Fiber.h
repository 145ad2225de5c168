//===- Fiber.h - stacks that are switched by hand --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what runs the threads of a GPU's block in turn on one
// thread of the host: stacks, and the switch from one to another.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_FIBER_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_FIBER_H

#include <cstddef>
#include <memory>

namespace graven::cuda::simulator {

/// Stacks of one size in one piece of memory, with a page below each that
/// nothing may touch. Pages take memory when they are first used.
class Stacks {
public:
  /// More than the code generator lets one function have.
  static constexpr size_t kBytes = size_t(1280) << 10;

  /// Null where the system refuses the memory.
  static std::unique_ptr<Stacks> create(size_t count);
  ~Stacks();
  Stacks(const Stacks &) = delete;
  Stacks &operator=(const Stacks &) = delete;

  size_t size() const { return count; }
  /// The highest address of a stack, which grows down.
  char *top(size_t index) const;
  /// Whether an address lies in the stack.
  bool contains(size_t index, const void *address) const;

private:
  Stacks(char *memory, size_t count) : memory(memory), count(count) {}
  char *memory;
  size_t count;
};

/// A place to go on from: what the switch saved, on the stack that it left.
using Context = void *;

/// A context that calls entry(argument), which does not return, on the stack
/// that ends at `top`.
Context makeContext(char *top, void (*entry)(void *), void *argument);

/// Saves where the caller is in `from`, and goes on at `to`.
void switchContext(Context *from, Context to);

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_FIBER_H
