//===- Import.h - a source as IR --------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading a Source into a Session: the file, then its
// constants, then its passes.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_IMPORT_H
#define PYTHON_BINDINGS_IMPORT_H

#include "compiler/session/Session.h"
#include "python/bindings/Source.h"

namespace graven::python {

/// What the source says of its inputs and of their dynamic extents; errors go
/// to the session's diagnostics.
mlir::FailureOr<ImportOptions> importOptions(Session &session,
                                             const Source &source);
mlir::FailureOr<llvm::SmallVector<DimSpec>> dimSpecs(Session &session,
                                                     const Source &source);

/// The model at the extents that `options` decide.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOne(Session &session, const Source &source, const ImportOptions &options);

/// The model at all sizes that its `dims` ask for.
mlir::FailureOr<SizedModel> importSized(Session &session, const Source &source);

/// Adds the passes of a pipeline to the manager of a module; an error at `loc`
/// when it is none. `builtin.module(...)` around it may be left out.
mlir::LogicalResult parsePipeline(llvm::StringRef text,
                                  mlir::OpPassManager &manager,
                                  mlir::Location loc);

/// Runs a pipeline; on failure the module is as it was.
mlir::LogicalResult runPipeline(mlir::OwningOpRef<mlir::ModuleOp> &module,
                                llvm::StringRef text);

} // namespace graven::python

#endif // PYTHON_BINDINGS_IMPORT_H
