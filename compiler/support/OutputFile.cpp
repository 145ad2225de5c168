//===- OutputFile.cpp - files that appear whole or not at all ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements OutputFile on POSIX calls: every way in which a disk can
// refuse must come back as an error, which is why nothing is mapped: a page
// that has no place is a signal.
//===----------------------------------------------------------------------===//
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graven;
using mlir::failure;
using mlir::LogicalResult;
using mlir::success;

namespace {
/// Bytes whose way to the disk is worth a call of its own.
constexpr uint64_t worthStarting = 1 << 20;
/// Names tried for a temporary file; they are random, so one is enough.
constexpr int mostAttempts = 16;
} // namespace

mlir::FailureOr<OutputFile>
OutputFile::create(llvm::StringRef path, FileMode mode, mlir::Location loc) {
  OutputFile file(path, loc);
  struct stat status;
  if (path.empty())
    return file.fail(ENOENT);
  if (::stat(file.target.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode))
      return file.fail(EISDIR);
    return graven::emitCoded(loc, graven::Code::CannotWrite)
           << "cannot write '" << path << "': not a regular file";
  }
  llvm::SmallString<128> folder(llvm::sys::path::parent_path(path));
  if (failed(file.open(folder, mode == FileMode::Executable ? 0777 : 0666)))
    return failure();
  return std::move(file);
}

mlir::FailureOr<OutputFile> OutputFile::createTemporary(mlir::Location loc) {
  OutputFile file("", loc);
  llvm::SmallString<128> folder;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
  if (failed(file.open(folder, 0700)))
    return failure();
  return std::move(file);
}

LogicalResult OutputFile::open(llvm::StringRef folder, unsigned bits) {
  llvm::SmallString<128> model(folder), name;
  llvm::sys::path::append(model, ".graven-%%%%%%%%%%%%.tmp");
  // Registered before it exists: a signal in between would leave it behind.
  std::error_code error;
  for (int attempt = 0; attempt < mostAttempts; ++attempt) {
    llvm::sys::fs::createUniquePath(model, name, /*MakeAbsolute=*/false);
    llvm::sys::RemoveFileOnSignal(name);
    error = llvm::sys::fs::openFileForReadWrite(name, descriptor,
                                                llvm::sys::fs::CD_CreateNew,
                                                llvm::sys::fs::OF_None, bits);
    if (!error) {
      temporary = std::string(name);
      return success();
    }
    llvm::sys::DontRemoveFileOnSignal(name);
    if (error != std::errc::file_exists)
      break;
  }
  return fail(error.value(), folder);
}

OutputFile::OutputFile(OutputFile &&other)
    : target(std::move(other.target)), temporary(std::move(other.temporary)),
      loc(other.loc), descriptor(std::exchange(other.descriptor, -1)),
      written(other.written) {
  other.temporary.clear();
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
    llvm::sys::DontRemoveFileOnSignal(temporary);
  }
}

LogicalResult OutputFile::fail(int error, llvm::StringRef folder) const {
  return graven::emitCoded(loc, graven::Code::CannotWrite)
         << "cannot write '" << (path().empty() ? folder : path())
         << "': " << std::generic_category().message(error);
}

/// Beyond this limit the kernel sends a signal that ends the process.
bool OutputFile::fitsLimit(uint64_t size) const {
  struct rlimit limit;
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
         limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
}

std::error_code OutputFile::writeAt(uint64_t offset,
                                    llvm::ArrayRef<char> bytes) {
  uint64_t begin = offset;
  auto refusal = [](int error) {
    return std::error_code(error, std::generic_category());
  };
  while (!bytes.empty()) {
    ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return refusal(errno);
    if (count == 0)
      return refusal(ENOSPC);
    offset += count;
    bytes = bytes.drop_front(count);
  }
  // Only advice, so that the wait at the end is short.
  if (!target.empty() && offset - begin >= worthStarting)
    ::sync_file_range(descriptor, begin, offset - begin, SYNC_FILE_RANGE_WRITE);
  return {};
}

LogicalResult OutputFile::write(llvm::ArrayRef<char> bytes) {
  if (!fitsLimit(written + bytes.size()))
    return fail(EFBIG);
  if (std::error_code error = writeAt(written, bytes))
    return fail(error.value());
  written += bytes.size();
  return success();
}

LogicalResult OutputFile::extend(uint64_t size) {
  if (!fitsLimit(size))
    return fail(EFBIG);
  if (::ftruncate(descriptor, static_cast<off_t>(size)) != 0)
    return fail(errno);
  written = size;
  return success();
}

LogicalResult OutputFile::commit(Durability durability) {
  if (durability == Durability::Durable && ::fsync(descriptor) != 0)
    return fail(errno);
  if (::close(std::exchange(descriptor, -1)) != 0)
    return fail(errno);
  if (target.empty())
    return success();
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return fail(errno);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return success();
}

void OutputStream::write_impl(const char *data, size_t size) {
  position += size;
  if (!failed)
    failed = mlir::failed(file.write({data, size}));
}

LogicalResult graven::writeFile(llvm::StringRef path,
                                llvm::ArrayRef<char> bytes, FileMode mode,
                                mlir::Location loc) {
  mlir::FailureOr<OutputFile> file = OutputFile::create(path, mode, loc);
  return success(mlir::succeeded(file) && mlir::succeeded(file->write(bytes)) &&
                 mlir::succeeded(file->commit()));
}
