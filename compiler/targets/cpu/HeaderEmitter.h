//===- HeaderEmitter.h - the C header of a compiled model -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the maker of the header that comes with a compiled model,
// C99 and C++, with sizes as macros and a typed entry whose parameters say the
// shapes.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_HEADEREMITTER_H
#define GRAVEN_COMPILER_TARGETS_CPU_HEADEREMITTER_H

#include "compiler/targets/cpu/ModelSignature.h"
#include "mlir/IR/Location.h"

namespace graven::cpu {

/// The header's text. It includes only <stdint.h>; with P = symbolPrefix(name)
/// it declares `int P_run(const T in[..].., T out[..].., void *workspace)`, the
/// table `P_model`, and macros such as P_WORKSPACE_SIZE in upper case. f16 and
/// bf16 are uint16_t, i1 is uint8_t; scalars and tensors without elements are
/// pointers.
std::string makeHeader(const ModelSignature &signature);

/// Writes it, whole or not at all; CannotWrite at `loc`.
mlir::LogicalResult writeHeader(const ModelSignature &signature,
                                llvm::StringRef path, mlir::Location loc);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_HEADEREMITTER_H
