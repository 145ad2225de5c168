//===- BlobStore.cpp - where the bytes of Parameters live -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements BlobStore. Files are mapped, and opened without
// following links, so that a model can name nothing outside its own folder.
//===----------------------------------------------------------------------===//

#include "dialects/graven/BlobStore.h"
#include "dialects/graven/PlainFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

using namespace llvm;

namespace graven {

std::string BlobStore::add(StringRef name,
                           std::shared_ptr<MemoryBuffer> buffer) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string unique = name.str();
  for (unsigned n = 1; buffers.count(unique); ++n)
    unique = (name + "#" + Twine(n)).str();
  buffers[unique] = std::move(buffer);
  return unique;
}

void BlobStore::setDirectory(StringRef path) {
  std::lock_guard<std::mutex> lock(mutex);
  directory = path.str();
}

Expected<std::shared_ptr<MemoryBuffer>> mapPlainFile(StringRef directory,
                                                     StringRef name) {
  if (directory.empty())
    return createStringError(
        "no file '" + name +
        "' is loaded, and no folder is known to look for it");
  if (name.empty() || name == "." || name == ".." || name.contains('/') ||
      name.contains('\\') || name.contains('\0'))
    return createStringError("'" + name + "' is not a plain file name");
  SmallString<256> path(directory);
  sys::path::append(path, name);
  int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return createStringError("cannot open '" + path.str() +
                             "': " + std::generic_category().message(errno));
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return createStringError("'" + path.str() + "' is not a regular file");
  }
  auto buffer = MemoryBuffer::getOpenFile(sys::fs::convertFDToNativeFile(fd),
                                          path, status.st_size,
                                          /*RequiresNullTerminator=*/false);
  ::close(fd);
  if (!buffer)
    return createStringError("cannot read '" + path.str() +
                             "': " + buffer.getError().message());
  return std::shared_ptr<MemoryBuffer>(std::move(*buffer));
}

Expected<MemoryBuffer *> BlobStore::find(StringRef name) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = buffers.find(name);
  if (found != buffers.end())
    return found->second.get();
  auto mapped = mapPlainFile(directory, name);
  if (!mapped)
    return mapped.takeError();
  return (buffers[name] = std::move(*mapped)).get();
}

Expected<StringRef> BlobStore::read(StringRef name, int64_t offset,
                                    int64_t length) {
  auto buffer = find(name);
  if (!buffer)
    return buffer.takeError();
  int64_t size = (*buffer)->getBufferSize();
  if (offset < 0 || length < 0 || offset > size || length > size - offset)
    return createStringError("bytes [" + Twine(offset) + ", +" + Twine(length) +
                             ") lie outside '" + name + "' of " + Twine(size) +
                             " bytes");
  return (*buffer)->getBuffer().substr(offset, length);
}

Expected<int64_t> BlobStore::size(StringRef name) {
  auto buffer = find(name);
  if (!buffer)
    return buffer.takeError();
  return static_cast<int64_t>((*buffer)->getBufferSize());
}

void BlobStore::release(StringRef name) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = buffers.find(name);
  if (found != buffers.end())
    found->second->dontNeedIfMmap();
}

} // namespace graven
