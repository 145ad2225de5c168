//===- KernelCache.cpp - object code kept between compiles -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements KernelCache. An entry is a file: a header with the key,
// the length and the hash of what follows, and the object. Names begin as
// llvm::pruneCache wants them.
//===----------------------------------------------------------------------===//
#include "compiler/cache/KernelCache.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace graven {
namespace {

constexpr char magic[8] = {'G', 'R', 'V', 'K', 'O', 'B', 'J', '1'};
constexpr uint64_t mostBytes = 256 << 20;
constexpr uint64_t usualLimit = 512 << 20;

struct Header {
  char magic[8];
  CacheKey key;
  uint64_t size;
  CacheKey hash;
};
static_assert(sizeof(Header) == 80 && std::is_trivially_copyable_v<Header>);

class Descriptor {
public:
  explicit Descriptor(int number) : number(number) {}
  Descriptor(const Descriptor &) = delete;
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
  int operator*() const { return number; }
  explicit operator bool() const { return number >= 0; }

private:
  int number;
};

CacheKey hashOf(ArrayRef<char> bytes) {
  return BLAKE3::hash(
      ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
}

Error refuse(const Twine &why) {
  return createStringError(inconvertibleErrorCode(), why);
}

/// The object in an open entry, or what is wrong with it.
Expected<SmallVector<char, 0>> readEntry(int file, const CacheKey &key) {
  struct stat status;
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    return refuse("is not a regular file");
  Header header;
  uint64_t size = status.st_size;
  if (size < sizeof(header) || size > mostBytes)
    return refuse("has " + Twine(size) + " bytes");
  // Read, not mapped: another process may write to it.
  auto buffer = MemoryBuffer::getOpenFile(file, "entry", size,
                                          /*RequiresNullTerminator=*/false,
                                          /*IsVolatile=*/true);
  if (!buffer)
    return refuse("cannot be read: " + buffer.getError().message());
  StringRef bytes = (*buffer)->getBuffer();
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.magic, magic, sizeof(magic)) != 0)
    return refuse("does not begin as an entry does");
  if (header.key != key)
    return refuse("is the entry of another kernel");
  if (header.size != size - sizeof(header))
    return refuse("has " + Twine(size - sizeof(header)) +
                  " bytes of code, expected " + Twine(header.size));
  StringRef object = bytes.drop_front(sizeof(header));
  if (hashOf(ArrayRef(object.data(), object.size())) != header.hash)
    return refuse("does not have the bytes that were written");
  return SmallVector<char, 0>(object.begin(), object.end());
}

} // namespace

CacheKey cacheKeyOf(StringRef text) {
  return hashOf(ArrayRef(text.data(), text.size()));
}

std::string KernelCache::defaultFolder() {
  auto variable = [](const char *name) {
    return sys::Process::GetEnv(name).value_or("");
  };
  if (auto own = sys::Process::GetEnv("GRAVEN_CACHE_DIR"))
    return *own;
  SmallString<128> folder(variable("XDG_CACHE_HOME"));
  // The specification has relative ones ignored.
  if (!sys::path::is_absolute(folder)) {
    folder = variable("HOME");
    if (!sys::path::is_absolute(folder))
      return "";
    sys::path::append(folder, ".cache");
  }
  sys::path::append(folder, "graven", "kernels");
  return std::string(folder);
}

uint64_t KernelCache::defaultLimit() {
  std::string text = sys::Process::GetEnv("GRAVEN_CACHE_SIZE").value_or("");
  StringRef digits(text);
  unsigned shift = digits.consume_back_insensitive("k")   ? 10
                   : digits.consume_back_insensitive("m") ? 20
                   : digits.consume_back_insensitive("g") ? 30
                                                          : 0;
  uint64_t size = 0;
  if (digits.getAsInteger(10, size) || size > (UINT64_MAX >> shift))
    return usualLimit;
  return size << shift;
}

Expected<std::unique_ptr<KernelCache>> KernelCache::open(StringRef folder,
                                                         uint64_t limit) {
  if (std::error_code error = sys::fs::create_directories(
          folder, /*IgnoreExisting=*/true, sys::fs::perms::owner_all))
    return refuse("it cannot be made: " + error.message());
  struct stat status;
  if (::stat(folder.str().c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return refuse("it is not a folder");
  // Whoever may write an entry may choose the code that this user runs.
  if (status.st_uid != ::geteuid())
    return refuse("it belongs to another user");
  if (status.st_mode & (S_IWGRP | S_IWOTH))
    return refuse("others may write to it");
  return std::unique_ptr<KernelCache>(new KernelCache(folder, limit));
}

KernelCache::~KernelCache() {
  if (!hasStored)
    return;
  CachePruningPolicy policy;
  policy.Interval = std::chrono::seconds(0);
  policy.Expiration = std::chrono::seconds(0);
  policy.MaxSizePercentageOfAvailableSpace = 0;
  // Zero means no limit there.
  policy.MaxSizeBytes = std::max<uint64_t>(limit, 1);
  pruneCache(folder, policy);
}

std::string KernelCache::pathOf(const CacheKey &key) const {
  SmallString<128> path(folder);
  sys::path::append(path, "llvmcache-" + toHex(ArrayRef(key), true));
  return std::string(path);
}

std::optional<SmallVector<char, 0>> KernelCache::find(const CacheKey &key) {
  std::string path = pathOf(key);
  Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file)
    return std::nullopt;
  auto object = readEntry(*file, key);
  if (!object) {
    ::unlink(path.c_str());
    std::lock_guard<std::mutex> lock(mutex);
    problems.push_back("'" + path + "' " + toString(object.takeError()));
    return std::nullopt;
  }
  // Entries are dropped by the time of their last use, which not every disk
  // keeps.
  ::futimens(*file, nullptr);
  return std::move(*object);
}

void KernelCache::store(const CacheKey &key, ArrayRef<char> object) {
  Header header;
  std::memcpy(header.magic, magic, sizeof(magic));
  header.key = key;
  header.size = object.size();
  header.hash = hashOf(object);
  std::string path = pathOf(key);
  SmallString<128> temporary;
  int number = -1;
  if (sys::fs::createUniqueFile(path + ".%%%%%%%%", number, temporary,
                                sys::fs::OF_None,
                                sys::fs::owner_read | sys::fs::owner_write))
    return;
  raw_fd_ostream file(number, /*shouldClose=*/true);
  file.write(reinterpret_cast<const char *>(&header), sizeof(header));
  file.write(object.data(), object.size());
  file.close();
  bool good = !file.has_error();
  file.clear_error();
  // No wait for the disk: what a power failure leaves is found to be damaged.
  if (!good || ::rename(temporary.c_str(), path.c_str()) != 0) {
    ::unlink(temporary.c_str());
    return;
  }
  std::lock_guard<std::mutex> lock(mutex);
  hasStored = true;
}

SmallVector<std::string> KernelCache::takeProblems() {
  std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(problems, {});
}

} // namespace graven
