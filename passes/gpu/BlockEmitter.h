//===- BlockEmitter.h - what the threads of a block share -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares BlockEmitter, which the kernels of blocks are written
// with: who a thread is, shared memory, barriers, shuffles and reductions.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_BLOCKEMITTER_H
#define GRAVEN_PASSES_GPU_BLOCKEMITTER_H

#include "passes/gpu/MatrixUnits.h"
#include "passes/lower/expand/Emitter.h"

namespace graven {

/// Threads that execute one instruction at a time, and can exchange registers.
inline constexpr int32_t kWarpSize = 32;

class BlockEmitter : public expand::Emitter {
public:
  /// `builder` is in a gpu.func.
  BlockEmitter(mlir::OpBuilder &builder, mlir::Location loc,
               const TargetInfo &target, MatrixUnits units);

  MatrixUnits units() const { return matrixUnits; }

  /// Along x, the only dimension of a launch.
  mlir::Value blockId();
  mlir::Value threadId();

  /// Waits for all threads of the block, whose shared memory is then the same
  /// for all of them.
  void barrier();
  /// A piece of the block's static shared memory; no two overlap.
  mlir::Value shared(int64_t elements, mlir::Type element);
  /// The value of the thread of the warp whose number differs from this one's
  /// in the bit `distance`; of at most 64 bits. All threads of the warp come
  /// here.
  mlir::Value exchange(mlir::Value value, int32_t distance);

  using Join = llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)>;
  /// What `join` makes of the values of each `threads` neighbours, a power of
  /// two: the same in all of them, and from one tree. More than a warp are the
  /// block.
  mlir::Value reduce(mlir::Value value, int32_t threads, Join join);

private:
  mlir::Value exchangeWord(mlir::Value word, int32_t distance);

  MatrixUnits matrixUnits;
};

} // namespace graven

#endif // GRAVEN_PASSES_GPU_BLOCKEMITTER_H
