//===- ExternalFiles.cpp - files beside a model ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the opening of external data. Checks are made on the
// opened descriptor, never on a path, so that nothing can change in between.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ExternalFiles.h"

#include "dialects/graven/BlobStore.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

using namespace llvm;

namespace graven::onnx {

static Error refused(StringRef location, const Twine &why) {
  return createStringError(inconvertibleErrorCode(),
                           "external data '" + location + "': " + why);
}

/// Splits a relative path into plain names.
static Expected<SmallVector<StringRef>> splitLocation(StringRef location) {
  SmallVector<StringRef> names;
  location.split(names, '/');
  for (StringRef name : names)
    if (name.empty() || name == "." || name == ".." || name.contains('\\') ||
        name.contains('\0') || name.contains(':'))
      return refused(location,
                     "expected a relative path of plain names inside the "
                     "model's folder");
  return names;
}

/// A descriptor of the file, which the caller closes.
static Expected<int> openBeneath(StringRef directory, StringRef location) {
  auto names = splitLocation(location);
  if (!names)
    return names.takeError();
  std::string root = directory.empty() ? "." : directory.str();
  int at = ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (auto [i, name] : enumerate(*names)) {
    if (at < 0)
      break;
    bool isLast = i + 1 == names->size();
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    int next =
        ::openat(at, name.str().c_str(),
                 (isLast ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY) |
                     O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    ::close(at);
    errno = error;
    at = next;
  }
  if (at < 0)
    return refused(location, std::generic_category().message(errno));
  return at;
}

Expected<ExternalFile> ExternalFiles::open(StringRef location) {
  auto found = files.find(location);
  if (found != files.end())
    return found->second;
  if (directory.empty())
    return refused(location, "the folder of the model is not known");
  auto descriptor = openBeneath(directory, location);
  if (!descriptor)
    return descriptor.takeError();
  scope_exit closing([&] { ::close(*descriptor); });
  struct stat status;
  if (::fstat(*descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return refused(location, "not a regular file");
  if (status.st_nlink != 1)
    return refused(location, "the file has " + Twine(status.st_nlink) +
                                 " names (hard links), expected 1");
  auto buffer = MemoryBuffer::getOpenFile(
      sys::fs::convertFDToNativeFile(*descriptor), location, status.st_size,
      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refused(location, buffer.getError().message());
  std::shared_ptr<MemoryBuffer> shared(std::move(*buffer));
  ExternalFile file{{}, shared->getBuffer()};
  file.blob = blobs.add(location, std::move(shared));
  return files[location] = file;
}

} // namespace graven::onnx
