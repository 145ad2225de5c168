//===- GraphDiff.h - where two Graphs differ ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the comparison of Graphs up to names, places and the order
// of Nodes that do not depend on each other.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_GRAPHDIFF_H
#define COMPILER_SESSION_GRAPHDIFF_H

#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace graven {

/// A place where one Graph has something else than the other.
struct GraphDifference {
  /// What there is: "relu at 'Relu_3'", "input 'x'".
  std::string first, second;
  /// What differs: "the op", "an attribute", "the elements", ...
  std::string what;
};

/// The places nearest to the inputs from which on the outputs of the Graphs
/// @forward differ, at most `most`; empty when they are the same. Both modules
/// are of one context. Parameters that cannot be read are reported.
mlir::FailureOr<std::vector<GraphDifference>>
diffGraphs(mlir::ModuleOp first, mlir::ModuleOp second, size_t most);

} // namespace graven

#endif // COMPILER_SESSION_GRAPHDIFF_H
