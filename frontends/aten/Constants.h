//===- Constants.h - values known at import ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the evaluation of graph values that depend on constants
// alone: the shape arithmetic of traces, and conditions on it.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_CONSTANTS_H
#define FRONTENDS_ATEN_CONSTANTS_H

#include "dialects/graven/eval/Tensor.h"
#include "frontends/aten/Value.h"

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <optional>

namespace graven::aten {

class ConstantEvaluator {
public:
  /// The elements of `value`, when it is computed from constants and small
  /// Parameters only, by tensors of at most 65536 elements; else nothing.
  std::optional<eval::Tensor> evaluate(mlir::Value value);

  /// The one element of `value` as a bool, int or float.
  std::optional<Value> evaluateScalar(mlir::Value value);

private:
  llvm::DenseMap<mlir::Value, eval::Tensor> known;
  llvm::DenseSet<mlir::Value> unknown;
};

/// Element i of a tensor as a bool, int or float.
Value elementOf(const eval::Tensor &tensor, int64_t i);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_CONSTANTS_H
