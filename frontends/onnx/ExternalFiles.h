//===- ExternalFiles.h - files beside a model -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the opening of the files in which a model keeps tensors:
// only plain files inside the model's own folder.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_EXTERNALFILES_H
#define FRONTENDS_ONNX_EXTERNALFILES_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace graven {
class BlobStore;
} // namespace graven

namespace graven::onnx {

/// A mapped file and the name under which the blob store knows it.
struct ExternalFile {
  std::string blob;
  llvm::StringRef bytes;
};

/// Opens each file once. A location is a relative path of plain names; every
/// folder and the file are opened beneath the one before without following
/// links, and the file must be regular and have one name only, so that nothing
/// outside the folder can be read.
class ExternalFiles {
public:
  ExternalFiles(BlobStore &blobs, llvm::StringRef directory)
      : blobs(blobs), directory(directory) {}

  llvm::Expected<ExternalFile> open(llvm::StringRef location);

private:
  BlobStore &blobs;
  std::string directory;
  llvm::StringMap<ExternalFile> files;
};

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_EXTERNALFILES_H
