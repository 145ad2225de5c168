//===- GeneralImport.h - a model as one graph for all extents -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the import of a model whose Graph keeps its dynamic
// extents, for forms that can say them, as ONNX can.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_GENERALIMPORT_H
#define COMPILER_SESSION_GENERALIMPORT_H

#include "compiler/session/Sizes.h"
#include "frontends/onnx/Export.h"

namespace graven {

/// An extent of an input that is to be dynamic though the model has another.
struct DynamicInput {
  /// The model's name of the input, or its position in decimal.
  std::string input;
  int64_t axis = 0;
  std::string symbol;
};

/// Imports a model at several extents of its symbols, and of what data decide,
/// and makes one Graph of them (passes/graph/Generalize.h). A model without any
/// is imported as it is. `dims` say what a symbol may be; one that they give a
/// single extent is static. `inputs` are extents of the inputs to make dynamic;
/// those that are no extents of inputs, or dynamic already, are passed over.
///
/// Errors: DynamicShape at the Node whose extents, or what it does, do not
/// follow from the symbols; BadOption for dims that name no symbol; those of
/// the import.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importGeneral(mlir::MLIRContext *context, const ImportFunction &import,
              ImportOptions options, llvm::ArrayRef<DimSpec> dims,
              llvm::ArrayRef<DynamicInput> inputs);

/// What --input would say of an input as it is.
InputSpec specOfInput(GraphOp graph, unsigned index);

/// What the names of dynamic axes of an export say of the inputs.
llvm::SmallVector<DynamicInput> dynamicInputs(const OnnxExportOptions &options);

} // namespace graven

#endif // COMPILER_SESSION_GENERALIMPORT_H
