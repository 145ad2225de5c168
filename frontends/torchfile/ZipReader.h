//===- ZipReader.h - the records of a zip archive in memory ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ZipReader, which reads the central directory of a zip
// archive that may be hostile and hands out its records. Nothing is written to
// disk; stored records are views of the mapped file.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_ZIPREADER_H
#define FRONTENDS_TORCHFILE_ZIPREADER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace graven::torch {

/// One record, as the central directory describes it and the local header
/// confirms it. Offsets and sizes are in bytes.
struct ZipEntry {
  llvm::StringRef name;        ///< a view of the file, folders divided by '/'
  uint64_t headerOffset = 0;   ///< of the local header
  uint64_t dataOffset = 0;     ///< of the first data byte
  uint64_t compressedSize = 0; ///< of the data in the file
  uint64_t size = 0;           ///< of the data when inflated
  uint32_t crc = 0;
  bool deflated = false;
};

/// What a record may cost; an archive that asks for more is refused.
struct ZipLimits {
  size_t entries = 1000000;
  size_t nameLength = 4096;
  uint64_t inflatedRecord = uint64_t(64) << 20; ///< bytes of one record
  uint64_t inflatedTotal = uint64_t(1) << 30;   ///< bytes of all of them
  uint64_t ratio = 200;                         ///< size / compressedSize
};

class ZipReader {
public:
  /// Reads the directory of `file`, which must outlive the reader. Fails when
  /// the directory contradicts the file size, the local headers or itself.
  static llvm::Expected<ZipReader> open(llvm::StringRef file,
                                        const ZipLimits &limits = {});

  /// Whether `file` begins like a zip archive.
  static bool isZip(llvm::StringRef file);

  llvm::ArrayRef<ZipEntry> entries() const { return directory; }

  /// The folder that all records are in, without the slash; empty if none is.
  llvm::StringRef rootFolder() const { return root; }

  /// The record of that full name, or null.
  const ZipEntry *find(llvm::StringRef name) const;

  /// The bytes of a stored record, as a view of the file. Its checksum is not
  /// computed: weights are large and every caller checks their geometry.
  llvm::Expected<llvm::StringRef> view(const ZipEntry &entry) const;

  /// The bytes of a record, inflated if need be, the checksum verified.
  llvm::Expected<std::string> read(const ZipEntry &entry) const;

private:
  ZipReader(llvm::StringRef file, const ZipLimits &limits)
      : file(file), limits(limits) {}
  llvm::Error readDirectory();
  llvm::Error readCentralEntry(uint64_t &position, uint64_t end);
  llvm::Error checkLocalHeader(ZipEntry &entry, uint64_t directoryStart) const;
  llvm::Error checkDisjoint() const;
  llvm::Error checkName(llvm::StringRef name) const;
  void findRootFolder();

  llvm::StringRef file;
  ZipLimits limits;
  std::vector<ZipEntry> directory;
  llvm::StringMap<size_t> byName;
  llvm::StringRef root;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_ZIPREADER_H
