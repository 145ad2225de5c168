//===- Import.h - exported PyTorch programs into graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the importer of torch.export's files (.pt2).
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_IMPORT_H
#define FRONTENDS_TORCHEXPORT_IMPORT_H

#include "frontends/ImportOptions.h"
#include "frontends/safetensors/Weights.h"
#include "frontends/torchfile/ZipReader.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graven {

/// Whether torch.export.save wrote the archive.
bool isTorchExport(const torch::ZipReader &zip);

/// Imports the program as `graven.graph @forward`, its Parameters as blobs of
/// the buffer, which the dialect's BlobStore keeps. Inputs are named as the
/// parameters of the module's forward; symbolic extents must be decided by the
/// options. All problems are reported as coded diagnostics, and then there is
/// no module.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importTorchExport(mlir::MLIRContext *context,
                  std::shared_ptr<llvm::MemoryBuffer> file,
                  torch::ZipReader zip, const ImportOptions &options);

/// What a program was exported for: extents of a symbol, each end included.
struct SymbolRange {
  std::string symbol;
  int64_t lowest = 1;
  std::optional<int64_t> highest;
};

/// The ranges of a program's symbols, in the order of their names.
llvm::Expected<std::vector<SymbolRange>>
torchExportSymbols(llvm::StringRef bytes, torch::ZipReader zip);

/// The Parameters, buffers and constants of a program, in the order of its
/// signature.
llvm::Expected<Weights>
torchExportWeights(std::shared_ptr<llvm::MemoryBuffer> file,
                   torch::ZipReader zip);

} // namespace graven

#endif // FRONTENDS_TORCHEXPORT_IMPORT_H
