//===- WeightSource.h - the elements of weights -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how a pass reads the weights of a contraction to measure
// what an algorithm or a type would cost them in accuracy.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_WEIGHTSOURCE_H
#define PASSES_GRAPH_WEIGHTSOURCE_H

#include "dialects/graven/Graven.h"
#include "dialects/graven/eval/Tensor.h"
#include <optional>

namespace graven {

/// The Node of the Parameter or constant of which `matrix` has the elements, in
/// order, or of the concatenation of such; null for any other value.
mlir::Operation *sourceOfMatrix(mlir::Value matrix);

/// The Node of the Parameter or constant behind weights whose output channels
/// were multiplied (which changes no relative error); null for any other value.
mlir::Operation *sourceOfFilters(mlir::Value weights);

/// The elements of such a Node; nothing when it is null, or when its file
/// cannot be read now (no diagnostic).
std::optional<eval::Tensor> readSource(mlir::Operation *source);

} // namespace graven

#endif // PASSES_GRAPH_WEIGHTSOURCE_H
