//===- Classic.h - what classifiers share ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what ai.onnx.ml's classifiers and regressors do with
// scores.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_CLASSIC_H
#define FRONTENDS_ONNX_OPS_CLASSIC_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// The numbers as a row [1, count].
mlir::Value rowOf(NodeBuilder &n, llvm::ArrayRef<double> values,
                  mlir::Type type);

/// Scores [N, C] after the attribute post_transform.
mlir::Value postTransform(NodeBuilder &n, mlir::Value scores,
                          llvm::StringRef transform);

/// The labels that a classifier gives, ints or strings.
struct Classes {
  int64_t count = 0;
  mlir::Value labels;
  bool areStrings = false;
};
/// Those of `ints`, or of classlabels_strings.
std::optional<Classes> readClasses(NodeBuilder &n, llvm::StringRef ints);

/// Output 0 is the label at these places [N], output 1 the scores.
mlir::LogicalResult giveClasses(NodeBuilder &n, const Classes &classes,
                                mlir::Value places, mlir::Value scores);

/// Output 0 is the label of the greatest of scores [N, C], output 1 the scores
/// after post_transform.
mlir::LogicalResult finishClassifier(NodeBuilder &n, const Classes &classes,
                                     mlir::Value scores);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_CLASSIC_H
