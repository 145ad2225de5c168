//===- Surgery.h - ONNX models as lists of nodes ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what tools do with a model as it is in its file: counting
// its nodes, and cutting some of them out.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_SURGERY_H
#define FRONTENDS_ONNX_SURGERY_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <map>
#include <string>
#include <vector>

namespace graven {

/// What a file says of a model.
struct OnnxSummary {
  /// Of ai.onnx; 0 when the model does not import it.
  int64_t opset = 0;
  /// How many nodes there are of each op, those of sub-graphs and of functions
  /// included. Ops of other domains are called "domain/Op".
  std::map<std::string, int64_t> ops;
};

/// Errors are reported.
mlir::FailureOr<OnnxSummary> summarizeOnnx(mlir::MLIRContext *context,
                                           llvm::StringRef path);

/// A value that a node of the model's own graph gives, and the place that an
/// import gives what it makes of the node.
struct OnnxValue {
  std::string name;
  mlir::Location place;
};

/// In the order of the nodes. Errors are reported.
mlir::FailureOr<std::vector<OnnxValue>>
listOnnxValues(mlir::MLIRContext *context, llvm::StringRef path);

/// The type of a value that the file does not declare; reports why there is
/// none.
using TypeOf = llvm::function_ref<mlir::FailureOr<mlir::RankedTensorType>(
    llvm::StringRef)>;

/// The nodes of the model between some values and others, as a model: `from`
/// are its inputs, `to` its outputs. Inputs of the model that are needed as
/// well stay inputs. Reports names that no value has.
mlir::FailureOr<std::string> extractOnnx(mlir::MLIRContext *context,
                                         llvm::StringRef path,
                                         llvm::ArrayRef<std::string> from,
                                         llvm::ArrayRef<std::string> to,
                                         TypeOf typeOf);

} // namespace graven

#endif // FRONTENDS_ONNX_SURGERY_H
