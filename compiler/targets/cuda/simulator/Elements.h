//===- Elements.h - elements of simulated matrices -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the operations on matrices share: what the bits of an
// element are worth, and how a warp comes to one.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ELEMENTS_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ELEMENTS_H

#include "compiler/targets/cuda/simulator/Block.h"
#include "compiler/targets/cuda/simulator/Services.h"

namespace graven::cuda::simulator {

double halfToDouble(uint32_t bits);

/// Element `i` of a register.
double elementOf(uint32_t bits, Element type, uint32_t i);

/// All lanes of a warp meet at one place of the code.
void meetAligned(Thread *thread, int32_t site, Service service,
                 Collective::Compute compute, void *data);

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ELEMENTS_H
