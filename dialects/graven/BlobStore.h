//===- BlobStore.h - where the bytes of Parameters live -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the table of mapped files and buffers that `#graven.blob`
// attributes refer to by name. Nothing is read until somebody asks for the
// bytes.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_BLOBSTORE_H
#define DIALECTS_GRAVEN_BLOBSTORE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <mutex>
#include <string>

namespace graven {

/// Maps names to read-only bytes. Safe to use from several threads.
class BlobStore {
public:
  /// Adds a mapped file or buffer and returns the name under which it is known:
  /// `name`, made unique.
  std::string add(llvm::StringRef name,
                  std::shared_ptr<llvm::MemoryBuffer> buffer);

  /// The directory in which files named by textual IR are looked up. Without
  /// one, only added buffers are found.
  void setDirectory(llvm::StringRef directory);

  /// `length` bytes at `offset` of the named buffer. A name that was not added
  /// is opened as a plain file name in the directory (no separators, no `..`,
  /// no links). Errors: unknown name, range outside the file.
  llvm::Expected<llvm::StringRef> read(llvm::StringRef name, int64_t offset,
                                       int64_t length);

  /// Size of the named buffer, opened as by `read`.
  llvm::Expected<int64_t> size(llvm::StringRef name);

  /// Says that the bytes read so far are not needed in the near future: mapped
  /// pages leave the process's memory and come back from the file when read.
  void release(llvm::StringRef name);

private:
  llvm::Expected<llvm::MemoryBuffer *> find(llvm::StringRef name);

  std::mutex mutex;
  std::string directory;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> buffers;
};

} // namespace graven

#endif // DIALECTS_GRAVEN_BLOBSTORE_H
