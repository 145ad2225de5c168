//===- Import.h - TorchScript models into graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the importer of TorchScript archives (.pt) and of
// TorchScript source text.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_IMPORT_H
#define FRONTENDS_TORCHSCRIPT_IMPORT_H

#include "frontends/ImportOptions.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace graven {

/// Whether the content begins like an archive this importer reads; TorchScript
/// source text has no such mark.
bool isTorchScriptArchive(llvm::StringRef content);

/// Imports the `forward` method of the root module as `graven.graph @forward`,
/// its Parameters as blobs of the buffer, which the dialect's BlobStore keeps.
/// The buffer's identifier names the file in locations. All problems are
/// reported as coded diagnostics, and then there is no module.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchScript(mlir::MLIRContext *context,
                  std::shared_ptr<llvm::MemoryBuffer> archive,
                  const ImportOptions &options);

/// The same of source text: the function `forward`, whose tensor parameters
/// are the inputs.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchScriptSource(mlir::MLIRContext *context,
                        const llvm::MemoryBuffer &source,
                        const ImportOptions &options);

/// Reads the file at `path` and imports it by its content.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchScript(mlir::MLIRContext *context, llvm::StringRef path,
                  const ImportOptions &options);

} // namespace graven

#endif // FRONTENDS_TORCHSCRIPT_IMPORT_H
