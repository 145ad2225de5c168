//===- Npy.cpp - NumPy's .npy files -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading and writing of .npy files: where the bytes come
// from and go to, and byte order, Fortran order and bools. The header has a
// file of its own.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/Npy.h"

#include "runtime/host/NpyHeader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graven::rt;

namespace {

/// An open file that is closed with its owner.
class File {
public:
  explicit File(int descriptor) : descriptor(descriptor) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    if (descriptor >= 0)
      ::close(descriptor);
  }

  explicit operator bool() const { return descriptor >= 0; }
  int get() const { return descriptor; }

  /// Fills `bytes` from the offset on; false at a read error or the file's end.
  bool read(std::span<std::byte> bytes, size_t offset) const;
  bool write(std::span<const std::byte> bytes) const;

private:
  int descriptor;
};

/// Where the bytes of a .npy file are: in memory or in a file.
class Source {
public:
  virtual ~Source() = default;
  virtual size_t size() const = 0;
  virtual bool read(std::span<std::byte> bytes, size_t offset) const = 0;
};

class MemorySource : public Source {
public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes(bytes) {}
  size_t size() const override { return bytes.size(); }
  bool read(std::span<std::byte> to, size_t offset) const override {
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), to.size(),
                to.begin());
    return true;
  }

private:
  std::span<const std::byte> bytes;
};

class FileSource : public Source {
public:
  FileSource(const File &file, size_t fileSize)
      : file(file), fileSize(fileSize) {}
  size_t size() const override { return fileSize; }
  bool read(std::span<std::byte> to, size_t offset) const override {
    return file.read(to, offset);
  }

private:
  const File &file;
  size_t fileSize;
};

} // namespace

bool File::read(std::span<std::byte> bytes, size_t offset) const {
  while (!bytes.empty()) {
    ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(),
                          static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(got));
    offset += static_cast<size_t>(got);
  }
  return true;
}

bool File::write(std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return true;
}

static void swapBytes(Array &array) {
  size_t size = graven_dtype_size(array.dtype());
  std::byte *data = array.data();
  for (size_t i = 0; i + size <= array.numBytes(); i += size)
    std::reverse(data + i, data + i + size);
}

static void normalizeBools(Array &array) {
  for (uint8_t &value : array.as<uint8_t>())
    value = value != 0;
}

/// Copies column-major elements into row-major order. `fortran` has the array's
/// extents reversed, so it is the transposed tensor in row-major order.
static Result<Array> fromFortranOrder(const Array &fortran) {
  std::vector<int64_t> extents(fortran.extents().rbegin(),
                               fortran.extents().rend());
  Result<Array> result = Array::create(fortran.dtype(), extents);
  if (!result)
    return result;
  size_t rank = extents.size();
  size_t size = graven_dtype_size(fortran.dtype());
  std::array<int64_t, maxNpyRank> strides{}, index{};
  int64_t stride = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    strides[axis] = stride;
    stride *= extents[axis];
  }
  int64_t from = 0, count = result->numElements();
  std::byte *to = result->data();
  for (int64_t i = 0; i < count; ++i, to += size) {
    std::memcpy(to, fortran.data() + static_cast<size_t>(from) * size, size);
    for (size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < extents[axis])
        break;
      from -= strides[axis] * extents[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/// Reads the tensor; messages do not name the file.
static Result<Array> readArray(const Source &source) {
  std::array<std::byte, npyPrefixSize> prefix;
  std::span<std::byte> start(prefix.data(),
                             std::min(source.size(), prefix.size()));
  if (!source.read(start, 0))
    return Error{"cannot be read"};
  Result<NpyHeaderRange> range = locateNpyHeader(start);
  if (!range)
    return range.takeError();
  size_t end = range->offset + range->length;
  if (end > source.size())
    return Error{
        "expected a header of " + std::to_string(range->length) +
        " bytes, got " +
        std::to_string(source.size() - std::min(source.size(), range->offset))};
  std::string text(range->length, '\0');
  if (!source.read(std::as_writable_bytes(std::span(text)), range->offset))
    return Error{"cannot be read"};
  Result<NpyHeader> header = parseNpyHeader(text);
  if (!header)
    return header.takeError();

  std::optional<size_t> bytes = byteSize(header->dtype, header->extents);
  if (!bytes || *bytes != source.size() - end)
    return Error{"expected " +
                 (bytes ? std::to_string(*bytes) : std::string("over 2^63")) +
                 " bytes of data for " +
                 describe(header->dtype, header->extents) + ", got " +
                 std::to_string(source.size() - end)};
  std::vector<int64_t> extents = header->extents;
  if (header->fortranOrder)
    std::reverse(extents.begin(), extents.end());
  Result<Array> array = Array::create(header->dtype, std::move(extents));
  if (!array)
    return array;
  if (!source.read({array->data(), array->numBytes()}, end))
    return Error{"cannot be read"};
  if (header->bigEndian)
    swapBytes(*array);
  if (header->dtype == GRAVEN_I1)
    normalizeBools(*array);
  return header->fortranOrder ? fromFortranOrder(*array) : std::move(array);
}

static Error failure(const std::string &name, const std::string &what) {
  return Error{name + ": " + what};
}

static Error systemFailure(const std::string &name, const std::string &what) {
  return failure(name, what + ": " + std::strerror(errno));
}

Result<Array> graven::rt::parseNpy(std::span<const std::byte> bytes,
                                   const std::string &name) {
  Result<Array> array = readArray(MemorySource(bytes));
  if (!array)
    return failure(name, array.error().message);
  return array;
}

Result<Array> graven::rt::readNpy(const std::string &path) {
  // O_NONBLOCK: opening a pipe must not wait for somebody who writes to it.
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return systemFailure(path, "cannot be opened");
  struct stat info;
  if (::fstat(file.get(), &info) != 0)
    return systemFailure(path, "cannot be opened");
  if (!S_ISREG(info.st_mode))
    return failure(path, "not a regular file");
  Result<Array> array =
      readArray(FileSource(file, static_cast<size_t>(info.st_size)));
  if (!array)
    return failure(path, array.error().message);
  return array;
}

std::string graven::rt::npyHeader(const Array &array) {
  std::string text = "{'descr': '";
  text += npyDescription(array.dtype());
  text += "', 'fortran_order': False, 'shape': (";
  std::span<const int64_t> extents = array.extents();
  for (size_t axis = 0; axis < extents.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(extents[axis]);
  text += extents.size() == 1 ? ",), }" : "), }";
  size_t padded = (10 + text.size() + 1 + 63) / 64 * 64 - 10;
  text.append(padded - 1 - text.size(), ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(padded & 0xff);
  header += static_cast<char>(padded >> 8);
  return header + text;
}

/// Creates a file beside `path` that nobody has, and says its name.
static int createBeside(const std::string &path, std::string &name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = path + "." + std::to_string(::getpid()) + "." +
           std::to_string(attempt) + ".tmp";
    int descriptor =
        ::open(name.c_str(),
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST)
      return descriptor;
  }
  return -1;
}

Status graven::rt::writeNpy(const std::string &path, const Array &array) {
  std::string temporary;
  File file(createBeside(path, temporary));
  if (!file)
    return systemFailure(path, "cannot be written");
  std::string header = npyHeader(array);
  if (!file.write(std::as_bytes(std::span(header))) ||
      !file.write({array.data(), array.numBytes()}) ||
      ::fsync(file.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = systemFailure(path, "cannot be written");
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}
