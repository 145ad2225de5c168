//===- MatrixUnits.h - who multiplies matrices on a GPU ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the instructions that products of tensor cores are made
// of.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_MATRIXUNITS_H
#define GRAVEN_PASSES_GPU_MATRIXUNITS_H

namespace graven {

/// Warps multiply what is in their registers (mma.sync, on all GPUs); groups of
/// four warps what is in shared memory, while they go on (wgmma, on sm_90a
/// alone).
enum class MatrixUnits { Warps, Warpgroups };

} // namespace graven

#endif // GRAVEN_PASSES_GPU_MATRIXUNITS_H
