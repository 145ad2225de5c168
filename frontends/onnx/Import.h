//===- Import.h - ONNX models in ------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ONNX importer: from a file or a buffer to a module
// that holds the Graph `@forward` and the Parameters it reads.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_IMPORT_H
#define FRONTENDS_ONNX_IMPORT_H

#include "frontends/ImportOptions.h"
#include "frontends/safetensors/Weights.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace graven {

/// Imports the ONNX model at `path`. The file is mapped and stays so as long as
/// the context lives: Parameters refer to its bytes. Initializers become
/// `graven.param`s of their name; inputs and outputs keep theirs as
/// `graven.name`; a Node's location is the name of the ONNX node.
///
/// Opsets 1 to 28 are read, as far as the ops used did not change after the
/// version that is understood. Errors are reported to the context, with codes
/// (dialects/support/ErrorCodes.def): CannotRead, BadProtobuf, BadTensor,
/// BadExternalData, BadGraph, UnsupportedOp (all of them at once),
/// UnsupportedFeature, UnsupportedVersion, DataDependent, DynamicShape,
/// MissingInput, UnknownInput, BadInputType, BadInputShape.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(mlir::MLIRContext *context, llvm::StringRef path,
           const ImportOptions &options = {});

/// As above, from bytes. External data are looked up in `directory`; without
/// one, a model that has external data is refused.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(mlir::MLIRContext *context,
           std::unique_ptr<llvm::MemoryBuffer> buffer,
           llvm::StringRef directory, const ImportOptions &options = {});

/// Whether the bytes look like an ONNX ModelProto: fields of the right numbers
/// and kinds, and among them a graph.
/// The initializers of a model; those that are no floating-point numbers are
/// WeightRole::Optional. Errors are reported.
mlir::FailureOr<Weights> onnxWeights(mlir::MLIRContext *context,
                                     std::unique_ptr<llvm::MemoryBuffer> buffer,
                                     llvm::StringRef directory);

bool isOnnx(llvm::StringRef bytes);

} // namespace graven

#endif // FRONTENDS_ONNX_IMPORT_H
