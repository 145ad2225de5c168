//===- Import.cpp - ONNX models in ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the entry points of the ONNX importer.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Import.h"

#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/WireFormat.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

FailureOr<OwningOpRef<ModuleOp>>
importOnnx(MLIRContext *context, std::unique_ptr<llvm::MemoryBuffer> buffer,
           StringRef directory, const ImportOptions &options) {
  auto file = onnx::ModelFile::parse(context, std::move(buffer), directory);
  if (failed(file))
    return failure();
  onnx::OpTable table;
  return onnx::GraphImporter(**file, options, table).run();
}

FailureOr<OwningOpRef<ModuleOp>>
importOnnx(MLIRContext *context, StringRef path, const ImportOptions &options) {
  auto refuse = [&](const Twine &why) {
    return emitCoded(FileLineColLoc::get(context, path, 0, 0), Code::CannotRead)
           << why.str();
  };
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return refuse(error.message());
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return refuse("not a regular file");
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse(buffer.getError().message());
  StringRef directory = llvm::sys::path::parent_path(path);
  return importOnnx(context, std::move(*buffer),
                    directory.empty() ? "." : directory, options);
}

bool isOnnx(StringRef bytes) { return onnx::looksLikeModel(bytes); }

} // namespace graven
