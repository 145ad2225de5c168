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
#include "frontends/safetensors/Weights.h"
#include "frontends/torchfile/ZipReader.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace graven {

/// Imports the `forward` method of the root module as `graven.graph @forward`,
/// its Parameters as blobs of the buffer, which the dialect's BlobStore keeps.
/// The buffer's identifier names the file in locations. All problems are
/// reported as coded diagnostics, and then there is no module.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchScript(mlir::MLIRContext *context,
                  std::shared_ptr<llvm::MemoryBuffer> archive,
                  torch::ZipReader zip, const ImportOptions &options);

/// The same of source text: the function `forward`, whose tensor parameters
/// are the inputs.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchScriptSource(mlir::MLIRContext *context,
                        const llvm::MemoryBuffer &source,
                        const ImportOptions &options);

/// The tensors that the modules of an archive have, by their paths; what is
/// neither a Parameter nor a buffer is WeightRole::Optional.
llvm::Expected<Weights>
torchScriptWeights(std::shared_ptr<llvm::MemoryBuffer> file,
                   torch::ZipReader zip);

} // namespace graven

#endif // FRONTENDS_TORCHSCRIPT_IMPORT_H
