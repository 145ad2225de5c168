//===- BlockBuilder.h - code of a block of threads --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares BlockBuilder, which kernels whose threads work together
// are written with: arithmetic of 32 bits, pointers to the device's and to
// shared memory, asynchronous copies, and instructions of whole warps.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_BLOCKBUILDER_H
#define GRAVEN_PASSES_GPU_BLOCKBUILDER_H

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "passes/gpu/BlockEmitter.h"

namespace graven {

/// Bytes of the widest copy, and of what a matrix instruction loads of a row.
inline constexpr int64_t kChunkBytes = 16;

class BlockBuilder {
public:
  explicit BlockBuilder(BlockEmitter &e) : b(e.builder()), loc(e.loc()), e(e) {}

  // Ints of 32 bits, which are not negative unless it says so.
  mlir::Value number(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, number(y)); }
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, int64_t y);
  mlir::Value div(mlir::Value x, int64_t y);
  mlir::Value rem(mlir::Value x, int64_t y);
  mlir::Value bitAnd(mlir::Value x, int64_t mask);
  mlir::Value bitXor(mlir::Value x, mlir::Value y);
  /// x, which may be negative, brought to [low, high].
  mlir::Value clamp(mlir::Value x, int64_t low, int64_t high);
  mlir::Value isLess(mlir::Value x, mlir::Value y);
  mlir::Value isLess(mlir::Value x, int64_t y) { return isLess(x, number(y)); }
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value toIndex(mlir::Value x);

  mlir::Value threadId();
  mlir::Value blockId();

  // Memory.
  /// The first element of a memref whose strides and offset are known.
  mlir::Value pointer(mlir::Value memref);
  /// `pointer` and as many elements on.
  mlir::Value at(mlir::Value pointer, mlir::Value offset, mlir::Type element);
  mlir::Value load(mlir::Type type, mlir::Value pointer, int64_t alignment);
  void store(mlir::Value value, mlir::Value pointer, int64_t alignment);
  /// Declares that memory, where the builder is in its function.
  void useShared();
  /// The shared memory that a launch gives the block, from byte `offset` on.
  mlir::Value shared(mlir::Value offset);
  /// A copy of `bytes` (4, 8 or 16) that is over when its group is; of which
  /// `valid` bytes are read, where given, and zeros written for the others.
  void copyAsync(mlir::Value to, mlir::Value from, int64_t bytes,
                 mlir::Value valid);
  void commitCopies();
  /// Until at most `groups` of this thread's groups of copies are under way.
  void waitForCopies(int64_t groups);
  void barrier();

  // Warps.
  /// `count` matrices of 8 rows of 16 bytes, of which the threads of a warp
  /// give the addresses; transposed, as matrices of 16-bit elements.
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value pointer,
                                              int64_t count,
                                              mlir::NVVM::MMALayout layout);
  /// Takes the bits of f32 apart into numbers with 10 bits after the point, all
  /// that is multiplied of them, which `values` are then, and the rests.
  llvm::SmallVector<mlir::Value>
  splitAll(llvm::MutableArrayRef<mlir::Value> values);
  /// sums + left right, for 16 rows, 8 columns and 32 bytes of depth.
  llvm::SmallVector<mlir::Value> multiplyAdd(llvm::ArrayRef<mlir::Value> left,
                                             llvm::ArrayRef<mlir::Value> right,
                                             llvm::ArrayRef<mlir::Value> sums,
                                             mlir::NVVM::MMATypes type);

  /// The members of a struct, or the value itself.
  llvm::SmallVector<mlir::Value> membersOf(mlir::Value value);

  // Groups of four warps, which multiply 64 rows and 16 steps of depth of what
  // is in shared memory (sm_90a).
  /// A value that a warp has once, as its first thread knows it.
  mlir::Value sameInWarp(mlir::Value x);
  /// The address of the block's shared memory there.
  mlir::Value sharedAddress();
  /// The descriptor of what is at an address, of the form `bits`; and one that
  /// is `units` of 16 bytes on.
  mlir::Value descriptor(mlir::Value address, int64_t bits);
  mlir::Value addWide(mlir::Value descriptor, int64_t units);
  /// The sums of a thread, of a group's 64 rows and `columns`.
  mlir::Value zeroSums(int64_t columns);
  /// What this thread's copies, and its stores, have written products read.
  void publishCopies();
  /// Products after this read registers that were written before it.
  void beginProducts();
  /// sums + left right, under way.
  mlir::Value multiplyShared(mlir::Value left, mlir::Value right,
                             mlir::Value sums, int64_t columns,
                             mlir::NVVM::MMATypes type);
  void commitProducts();
  /// Until at most `groups` of this group's products are under way.
  void waitForProducts(int64_t groups);

  mlir::OpBuilder &b;
  mlir::Location loc;
  BlockEmitter &e;

private:
  mlir::Value sharedStart;
};

/// The symbol of the shared memory of which a launch says how much there is.
inline constexpr llvm::StringLiteral kSharedMemory = "shared";

} // namespace graven

#endif // GRAVEN_PASSES_GPU_BLOCKBUILDER_H
