//===- FoldParameters.h - Nodes of Parameters alone ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the evaluation of Nodes that depend on Parameters alone,
// for graphs that are written and not compiled: what is compiled leaves them to
// @prepare.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_FOLDPARAMETERS_H
#define COMPILER_SESSION_FOLDPARAMETERS_H

#include "mlir/IR/BuiltinOps.h"

namespace graven {

/// What counts as small: a table of positions, a mask.
inline constexpr int64_t kSmallBytes = int64_t(1) << 20;

/// Makes Parameters of the results of Nodes of the Graph @forward whose
/// operands are Parameters and constants: of arithmetic and movement, unless a
/// result is not small and larger than all operands together. A Parameter that
/// nothing else reads gives its name to what takes its place. Biases of zeros
/// behind products go. Reports Parameters that cannot be read.
mlir::LogicalResult foldParameters(mlir::ModuleOp module);

} // namespace graven

#endif // COMPILER_SESSION_FOLDPARAMETERS_H
