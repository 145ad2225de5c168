//===- Signs.h - what never is negative -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a question about the signs of Values that a pass can ask
// before it uses a formula that holds for some signs only.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_SIGNS_H
#define PASSES_GRAPH_SIGNS_H

#include "mlir/IR/Value.h"

namespace graven {

/// Whether every element is NaN, or a number without a sign: neither below
/// zero nor -0. By the Nodes that compute it, a few of them deep.
bool hasNoSign(mlir::Value value);

} // namespace graven

#endif // PASSES_GRAPH_SIGNS_H
