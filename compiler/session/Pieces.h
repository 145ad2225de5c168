//===- Pieces.h - @prepare in parts -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how @prepare runs: in pieces that make a few megabytes of
// weights each, several at a time, in memory that the next piece uses again. A
// page that is touched for the first time costs more than computing its
// contents does, which is also why the file is written and not mapped.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_PIECES_H
#define COMPILER_SESSION_PIECES_H

#include "compiler/targets/cpu/CpuTarget.h"
#include "compiler/targets/cpu/WeightsImage.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/host/LoadedModel.h"

namespace llvm {
class ThreadPoolInterface;
} // namespace llvm

namespace graven {

/// A part of @prepare that needs none of the others.
struct Piece {
  /// Results, in the order of their places in the weights.
  llvm::SmallVector<unsigned> outputs;
  uint64_t bytes = 0;
};

/// Divides a main function whose kernels are outlined. It gets one more input,
/// the last: memref<1xi64>, which piece to run. `places` says where in the
/// weights each output belongs. What uses temporaries stays together, and
/// small weights that are neighbours become one piece.
llvm::SmallVector<Piece>
splitIntoPieces(mlir::func::FuncOp prepare,
                llvm::ArrayRef<cpu::WeightsPlace> places);

/// Runs them on the threads of `pool`, or without one on this thread, and
/// writes what they make into `artifact`. `inputs` are those of the function
/// before it was divided.
mlir::LogicalResult
runPieces(const rt::LoadedModel &prepare, llvm::ArrayRef<Piece> pieces,
          llvm::ArrayRef<void *> inputs,
          llvm::ArrayRef<cpu::WeightsPlace> places, cpu::Artifact &artifact,
          llvm::ThreadPoolInterface *pool, mlir::MLIRContext *context);

} // namespace graven

#endif // COMPILER_SESSION_PIECES_H
