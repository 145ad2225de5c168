//===- ZipReaderTest.cpp - tests of the zip directory reader ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests ZipReader on sound archives and on archives whose fields lie
// in each of the ways an attacker may choose.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/ZipReader.h"

#include "ZipBuilder.h"

#include "gtest/gtest.h"

using namespace graven::torch;
using namespace graven::torch::test;

namespace {

/// The message of a failed open, or "" when it succeeds.
std::string openError(const std::string &file, ZipLimits limits = {}) {
  auto reader = ZipReader::open(file, limits);
  return reader ? "" : llvm::toString(reader.takeError());
}

struct TwoMembers {
  std::vector<ZipMember> members{stored("m/data.pkl", "first record"),
                                 stored("m/version", "3\n")};
  std::string file = buildZip(members);
};

TEST(ZipReader, ReadsStoredAndDeflated) {
  std::string text(1000, 'x');
  for (size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>('a' + i * i % 26);
  std::vector<ZipMember> members{stored("m/a", "abc"),
                                 deflated("m/b.py", text)};
  std::string file = buildZip(members);
  auto reader = ZipReader::open(file);
  ASSERT_TRUE(bool(reader)) << llvm::toString(reader.takeError());
  EXPECT_EQ(reader->rootFolder(), "m");
  ASSERT_NE(reader->find("m/b.py"), nullptr);
  EXPECT_EQ(reader->find("m/c"), nullptr);
  EXPECT_EQ(*reader->read(*reader->find("m/b.py")), text);
  EXPECT_EQ(*reader->view(*reader->find("m/a")), "abc");
  auto view = reader->view(*reader->find("m/b.py"));
  EXPECT_EQ(llvm::toString(view.takeError()),
            "zip entry 'm/b.py' is deflated, expected a stored record");
}

TEST(ZipReader, RootFolderNeedsAllRecords) {
  std::vector<ZipMember> members{stored("m/a", ""), stored("n/a", "")};
  std::string file = buildZip(members);
  auto reader = ZipReader::open(file);
  ASSERT_TRUE(bool(reader)) << llvm::toString(reader.takeError());
  EXPECT_EQ(reader->rootFolder(), "");
}

TEST(ZipReader, RefusesEveryTruncation) {
  TwoMembers zip;
  for (size_t size = 0; size < zip.file.size(); ++size)
    EXPECT_NE(openError(zip.file.substr(0, size)), "") << size;
  EXPECT_EQ(openError(zip.file), "");
}

TEST(ZipReader, AFlippedByteNeverChangesARecord) {
  TwoMembers zip;
  for (size_t at = 0; at < zip.file.size(); ++at)
    for (uint8_t mask : {0x01, 0x80, 0xff}) {
      std::string file = zip.file;
      file[at] ^= mask;
      auto reader = ZipReader::open(file);
      if (!reader) {
        llvm::consumeError(reader.takeError());
        continue;
      }
      const ZipEntry *entry = reader->find("m/data.pkl");
      if (!entry)
        continue;
      auto bytes = reader->read(*entry);
      if (bytes)
        EXPECT_EQ(*bytes, "first record") << at;
      else
        llvm::consumeError(bytes.takeError());
    }
}

TEST(ZipReader, RefusesBytesBeforeAndAfter) {
  TwoMembers zip;
  EXPECT_NE(openError(zip.file + "x").find("no end record"), std::string::npos);
  EXPECT_NE(openError("junk" + zip.file), "");
}

TEST(ZipReader, RefusesTwoEndRecords) {
  TwoMembers zip;
  // The whole of a second end record as the comment of the first.
  std::string end = zip.file.substr(zip.file.size() - 22);
  std::string file = zip.file + end;
  patch(file, zip.file.size() - 2, 22, 2);
  EXPECT_NE(openError(file).find("two end records"), std::string::npos);
}

TEST(ZipReader, RefusesUnsafeNames) {
  for (const char *name :
       {"/etc/passwd", "m/../x", "..", "m\\x", "c:/x", "m/./x", "m/\x01"}) {
    std::vector<ZipMember> members{stored(name, "x")};
    EXPECT_NE(openError(buildZip(members)).find("unsafe name"),
              std::string::npos)
        << name;
  }
}

TEST(ZipReader, RefusesDuplicateNames) {
  std::vector<ZipMember> members{stored("m/a", "1"), stored("m/A", "2")};
  EXPECT_EQ(openError(buildZip(members)), "zip entry 'm/A' occurs twice");
}

TEST(ZipReader, RefusesLyingSizes) {
  TwoMembers zip;
  std::string file = zip.file;
  patch(file, zip.members[0].centralOffset + 20, 0x7fffffff, 4);
  EXPECT_NE(openError(file).find("other sizes"), std::string::npos);
  file = zip.file;
  // Both headers claim more than the file has.
  for (size_t at :
       {zip.members[0].centralOffset + 20, zip.members[0].centralOffset + 24,
        zip.members[0].localOffset + 18, zip.members[0].localOffset + 22})
    patch(file, at, 0x7fffffff, 4);
  EXPECT_NE(openError(file).find("leaves the file"), std::string::npos);
}

TEST(ZipReader, RefusesOtherNameInLocalHeader) {
  TwoMembers zip;
  zip.file[zip.members[0].localOffset + 30] = 'z';
  EXPECT_NE(openError(zip.file).find("another name"), std::string::npos);
}

TEST(ZipReader, RefusesOverlappingEntries) {
  TwoMembers zip;
  // The first record claims the bytes of the second.
  for (size_t at :
       {zip.members[0].centralOffset + 20, zip.members[0].centralOffset + 24,
        zip.members[0].localOffset + 18, zip.members[0].localOffset + 22})
    patch(zip.file, at, 20, 4);
  EXPECT_EQ(openError(zip.file),
            "zip entry 'm/version' overlaps the entry before it");
}

TEST(ZipReader, RefusesEncryptionAndOtherMethods) {
  std::vector<ZipMember> members{stored("m/a", "x")};
  members[0].flags = 1;
  EXPECT_NE(openError(buildZip(members)).find("encrypted"), std::string::npos);
  members[0].flags = 0;
  members[0].method = 12;
  EXPECT_NE(openError(buildZip(members)).find("compression method 12"),
            std::string::npos);
}

TEST(ZipReader, RefusesBombs) {
  std::vector<ZipMember> members{deflated("m/a", std::string(1 << 20, 'x'))};
  EXPECT_NE(openError(buildZip(members)).find("claims to inflate"),
            std::string::npos);
  members = {deflated("m/a", "abcabcabd"), deflated("m/b", "abcabcabd")};
  ZipLimits limits;
  limits.inflatedTotal = 10;
  EXPECT_NE(openError(buildZip(members), limits).find("inflates to more"),
            std::string::npos);
}

TEST(ZipReader, ChecksTheChecksum) {
  TwoMembers zip;
  zip.file[zip.members[0].localOffset + 40] ^= 1;
  auto reader = ZipReader::open(zip.file);
  ASSERT_TRUE(bool(reader));
  auto bytes = reader->read(*reader->find("m/data.pkl"));
  EXPECT_NE(llvm::toString(bytes.takeError()).find("checksum"),
            std::string::npos);
}

TEST(ZipReader, RefusesShortInflation) {
  std::vector<ZipMember> members{deflated("m/a", "abcabcabd")};
  members[0].size = 10;
  std::string file = buildZip(members);
  auto reader = ZipReader::open(file);
  ASSERT_TRUE(bool(reader));
  auto bytes = reader->read(*reader->find("m/a"));
  EXPECT_NE(llvm::toString(bytes.takeError()).find("does not inflate"),
            std::string::npos);
}

TEST(ZipReader, RefusesTooManyEntries) {
  TwoMembers zip;
  patch(zip.file, zip.file.size() - 14, 9999, 2);
  patch(zip.file, zip.file.size() - 12, 9999, 2);
  EXPECT_NE(openError(zip.file).find("claims 9999 entries"), std::string::npos);
}

} // namespace
