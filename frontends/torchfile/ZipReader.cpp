//===- ZipReader.cpp - the records of a zip archive in memory ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ZipReader. The central directory is the truth and the
// local headers must agree with it; sizes are checked against the file before
// anything is allocated.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/ZipReader.h"

#include "frontends/torchfile/Errors.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"

#include <algorithm>
#include <optional>
#include <zlib.h>

using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace {
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22;
constexpr uint64_t kEnd64Size = 56, kLocatorSize = 20;
/// Encryption, patched data, strong encryption and masked headers.
constexpr uint16_t kForbiddenFlags = 0x1 | 0x20 | 0x40 | 0x2000;
constexpr uint16_t kDescriptorFlag = 0x8;
constexpr uint16_t kStored = 0, kDeflated = 8;

uint16_t get16(StringRef file, uint64_t at) {
  return llvm::support::endian::read16le(file.data() + at);
}
uint32_t get32(StringRef file, uint64_t at) {
  return llvm::support::endian::read32le(file.data() + at);
}
uint64_t get64(StringRef file, uint64_t at) {
  return llvm::support::endian::read64le(file.data() + at);
}
/// Whether [at, at + length) lies in a file of `size` bytes.
bool inside(uint64_t at, uint64_t length, uint64_t size) {
  return at <= size && length <= size - at;
}

/// Where the central directory lies and how many entries it has.
struct DirectoryPlace {
  uint64_t offset, size, count;
};
} // namespace

/// The position of the end record whose comment ends with the file. Two such
/// records mean that two readers may see two archives, so that is an error.
static Expected<uint64_t> findEndRecord(StringRef file) {
  if (file.size() < kEndSize)
    return parseError("not a zip archive: ", file.size(), " bytes");
  uint64_t lowest = file.size() > kEndSize + 0xffff
                        ? file.size() - kEndSize - 0xffff
                        : uint64_t(0);
  std::optional<uint64_t> found;
  for (uint64_t at = file.size() - kEndSize + 1; at-- > lowest;) {
    if (get32(file, at) != kEnd ||
        at + kEndSize + get16(file, at + 20) != file.size())
      continue;
    if (found)
      return parseError("zip archive has two end records, at bytes ", at,
                        " and ", *found);
    found = at;
  }
  if (!found)
    return parseError("zip archive has no end record: the file is truncated or "
                      "has bytes after it");
  return *found;
}

static Expected<DirectoryPlace> findDirectory(StringRef file) {
  Expected<uint64_t> end = findEndRecord(file);
  if (!end)
    return end.takeError();
  if (get16(file, *end + 4) != 0 || get16(file, *end + 6) != 0)
    return parseError("zip archive spans several disks");
  if (get16(file, *end + 8) != get16(file, *end + 10))
    return parseError("zip end record counts ", get16(file, *end + 8), " and ",
                      get16(file, *end + 10), " entries");
  DirectoryPlace place{get32(file, *end + 16), get32(file, *end + 12),
                       get16(file, *end + 10)};
  uint64_t limit = *end;
  if (*end >= kLocatorSize && get32(file, *end - kLocatorSize) == kLocator64) {
    uint64_t at = get64(file, *end - kLocatorSize + 8);
    limit = *end - kLocatorSize;
    if (!inside(at, kEnd64Size, limit) || get32(file, at) != kEnd64)
      return parseError("zip64 locator points at byte ", at,
                        ", which is no zip64 end record");
    uint64_t length = get64(file, at + 4);
    if (length < kEnd64Size - 12 || length != limit - at - 12)
      return parseError("zip64 end record has length ", length, ", expected ",
                        limit - at - 12);
    if (get32(file, at + 16) != 0 || get32(file, at + 20) != 0)
      return parseError("zip archive spans several disks");
    DirectoryPlace wide{get64(file, at + 48), get64(file, at + 40),
                        get64(file, at + 32)};
    // The narrow record repeats the wide one or holds the escape value.
    if ((place.offset != 0xffffffff && place.offset != wide.offset) ||
        (place.size != 0xffffffff && place.size != wide.size) ||
        (place.count != 0xffff && place.count != wide.count))
      return parseError("zip end record and zip64 end record disagree");
    place = wide;
    limit = at;
  }
  if (!inside(place.offset, place.size, limit) ||
      place.offset + place.size != limit)
    return parseError("zip directory at byte ", place.offset, " of ",
                      place.size, " bytes does not end at byte ", limit);
  return place;
}

bool ZipReader::isZip(StringRef file) {
  return file.size() >= 4 && get32(file, 0) == kLocalHeader;
}

Expected<ZipReader> ZipReader::open(StringRef file, const ZipLimits &limits) {
  ZipReader reader(file, limits);
  if (Error error = reader.readDirectory())
    return std::move(error);
  return std::move(reader);
}

Error ZipReader::readDirectory() {
  Expected<DirectoryPlace> place = findDirectory(file);
  if (!place)
    return place.takeError();
  if (place->count > limits.entries ||
      place->count > place->size / kCentralSize)
    return parseError("zip directory of ", place->size, " bytes claims ",
                      place->count, " entries");
  directory.reserve(place->count);
  uint64_t position = place->offset, end = place->offset + place->size;
  for (uint64_t i = 0; i < place->count; ++i)
    if (Error error = readCentralEntry(position, end))
      return error;
  if (position != end)
    return parseError("zip directory has ", end - position,
                      " bytes after its last entry");
  uint64_t total = 0;
  llvm::StringSet<> folded;
  for (ZipEntry &entry : directory) {
    if (Error error = checkLocalHeader(entry, place->offset))
      return error;
    if (!folded.insert(entry.name.lower()).second)
      return parseError("zip entry '", entry.name, "' occurs twice");
    if (entry.deflated && (total += entry.size) > limits.inflatedTotal)
      return parseError("zip archive inflates to more than ",
                        limits.inflatedTotal, " bytes");
    byName[entry.name] = &entry - directory.data();
  }
  if (Error error = checkDisjoint())
    return error;
  findRootFolder();
  return Error::success();
}

Error ZipReader::readCentralEntry(uint64_t &position, uint64_t end) {
  if (!inside(position, kCentralSize, end) ||
      get32(file, position) != kCentralHeader)
    return parseError("zip directory has no entry at byte ", position);
  uint16_t flags = get16(file, position + 8);
  uint16_t method = get16(file, position + 10);
  uint16_t nameLength = get16(file, position + 28);
  uint16_t extraLength = get16(file, position + 30);
  uint64_t length =
      kCentralSize + nameLength + extraLength + get16(file, position + 32);
  if (!inside(position, length, end))
    return parseError("zip directory entry at byte ", position,
                      " leaves the directory");
  ZipEntry entry;
  entry.name = file.substr(position + kCentralSize, nameLength);
  if (Error error = checkName(entry.name))
    return error;
  if (flags & kForbiddenFlags)
    return parseError("zip entry '", entry.name, "' is encrypted or patched");
  if (method != kStored && method != kDeflated)
    return parseError("zip entry '", entry.name, "' has compression method ",
                      method, ", expected 0 or 8");
  entry.deflated = method == kDeflated;
  entry.crc = get32(file, position + 16);
  entry.compressedSize = get32(file, position + 20);
  entry.size = get32(file, position + 24);
  entry.headerOffset = get32(file, position + 42);

  // The zip64 extra field holds exactly the values that did not fit.
  uint64_t at = position + kCentralSize + nameLength,
           extraEnd = at + extraLength;
  while (extraEnd - at >= 4) {
    uint16_t id = get16(file, at), size = get16(file, at + 2);
    at += 4;
    if (size > extraEnd - at)
      return parseError("zip entry '", entry.name,
                        "' has a broken extra field");
    uint64_t next = at, fieldEnd = at + size;
    if (id == 1)
      for (uint64_t *value :
           {&entry.size, &entry.compressedSize, &entry.headerOffset}) {
        if (*value != 0xffffffff)
          continue;
        if (fieldEnd - next < 8)
          return parseError("zip entry '", entry.name,
                            "' has a short zip64 extra field");
        *value = get64(file, next);
        next += 8;
      }
    at = fieldEnd;
  }
  directory.push_back(entry);
  position += length;
  return Error::success();
}

Error ZipReader::checkName(StringRef name) const {
  if (name.empty() || name.size() > limits.nameLength)
    return parseError("zip entry has a name of ", name.size(), " bytes");
  if (llvm::any_of(name, [](char c) { return uint8_t(c) < 0x20; }) ||
      name.contains('\\') || name.front() == '/' ||
      (name.size() > 1 && name[1] == ':'))
    return parseError("zip entry has an unsafe name '", printable(name), "'");
  llvm::SmallVector<StringRef> parts;
  name.split(parts, '/');
  for (StringRef part : parts)
    if (part == ".." || part == ".")
      return parseError("zip entry has an unsafe name '", printable(name), "'");
  return Error::success();
}

Error ZipReader::checkLocalHeader(ZipEntry &entry,
                                  uint64_t directoryStart) const {
  uint64_t at = entry.headerOffset;
  if (!inside(at, kLocalSize, directoryStart) ||
      get32(file, at) != kLocalHeader)
    return parseError("zip entry '", entry.name,
                      "' has no local header at byte ", at);
  uint16_t flags = get16(file, at + 6), method = get16(file, at + 8);
  uint64_t names = uint64_t(get16(file, at + 26)) + get16(file, at + 28);
  if (!inside(at + kLocalSize, names, directoryStart) ||
      file.substr(at + kLocalSize, get16(file, at + 26)) != entry.name)
    return parseError("zip entry '", entry.name,
                      "' has another name in its local header");
  if ((flags & kForbiddenFlags) ||
      method != (entry.deflated ? kDeflated : kStored))
    return parseError("zip entry '", entry.name,
                      "' has another method in its local header");
  // With a data descriptor the local sizes are 0; otherwise they must agree.
  if (!(flags & kDescriptorFlag)) {
    uint32_t packed = get32(file, at + 18), size = get32(file, at + 22);
    if ((packed != 0xffffffff && packed != entry.compressedSize) ||
        (size != 0xffffffff && size != entry.size) ||
        get32(file, at + 14) != entry.crc)
      return parseError("zip entry '", entry.name,
                        "' has other sizes in its local header");
  }
  entry.dataOffset = at + kLocalSize + names;
  if (!inside(entry.dataOffset, entry.compressedSize, directoryStart))
    return parseError("zip entry '", entry.name, "' of ", entry.compressedSize,
                      " bytes leaves the file");
  if (!entry.deflated && entry.size != entry.compressedSize)
    return parseError("zip entry '", entry.name, "' is stored with sizes ",
                      entry.compressedSize, " and ", entry.size);
  if (entry.deflated && (entry.size > limits.inflatedRecord ||
                         entry.size / limits.ratio > entry.compressedSize))
    return parseError("zip entry '", entry.name, "' claims to inflate from ",
                      entry.compressedSize, " to ", entry.size, " bytes");
  return Error::success();
}

Error ZipReader::checkDisjoint() const {
  std::vector<const ZipEntry *> order;
  order.reserve(directory.size());
  for (const ZipEntry &entry : directory)
    order.push_back(&entry);
  llvm::sort(order, [](const ZipEntry *a, const ZipEntry *b) {
    return a->headerOffset < b->headerOffset;
  });
  uint64_t end = 0;
  for (const ZipEntry *entry : order) {
    if (entry->headerOffset < end)
      return parseError("zip entry '", entry->name,
                        "' overlaps the entry before it");
    end = entry->dataOffset + entry->compressedSize;
  }
  if (!order.empty() && order.front()->headerOffset != 0)
    return parseError("zip archive has ", order.front()->headerOffset,
                      " bytes before its first entry");
  return Error::success();
}

void ZipReader::findRootFolder() {
  for (const ZipEntry &entry : directory) {
    size_t slash = entry.name.find('/');
    StringRef folder =
        slash == StringRef::npos ? StringRef() : entry.name.take_front(slash);
    if (&entry == directory.data())
      root = folder;
    else if (folder != root)
      root = {};
    if (root.empty())
      return;
  }
}

const ZipEntry *ZipReader::find(StringRef name) const {
  auto it = byName.find(name);
  return it == byName.end() ? nullptr : &directory[it->second];
}

Expected<StringRef> ZipReader::view(const ZipEntry &entry) const {
  if (entry.deflated)
    return parseError("zip entry '", entry.name,
                      "' is deflated, expected a stored record");
  return file.substr(entry.dataOffset, entry.size);
}

/// Inflates raw deflate data into exactly `bytes.size()` bytes, using all of
/// `packed`. Both sizes are below 4 GiB, which zlib's counters take.
static bool inflateExactly(StringRef packed, std::string &bytes) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = packed.size();
  // An empty result still needs room for zlib to see the end of the stream.
  Bytef none = 0;
  stream.next_out =
      bytes.empty() ? &none : reinterpret_cast<Bytef *>(bytes.data());
  stream.avail_out = bytes.size();
  bool done = inflate(&stream, Z_FINISH) == Z_STREAM_END &&
              stream.avail_in == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  return done;
}

Expected<std::string> ZipReader::read(const ZipEntry &entry) const {
  StringRef packed = file.substr(entry.dataOffset, entry.compressedSize);
  if (entry.size > limits.inflatedRecord ||
      entry.compressedSize > limits.inflatedRecord)
    return parseError("zip entry '", entry.name, "' has ", entry.size,
                      " bytes, expected at most ", limits.inflatedRecord);
  std::string bytes;
  if (!entry.deflated) {
    bytes = packed.str();
  } else {
    bytes.resize(entry.size);
    if (!inflateExactly(packed, bytes))
      return parseError("zip entry '", entry.name, "' does not inflate to the ",
                        entry.size, " bytes it claims");
  }
  uint32_t crc =
      crc32(0, reinterpret_cast<const Bytef *>(bytes.data()), bytes.size());
  if (crc != entry.crc)
    return parseError("zip entry '", entry.name, "' has checksum ", crc,
                      ", expected ", entry.crc);
  return bytes;
}
