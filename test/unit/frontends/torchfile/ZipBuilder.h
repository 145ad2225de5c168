//===- ZipBuilder.h - makes zip archives for tests ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a writer of small zip archives whose every field a test
// can then falsify.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_UNIT_FRONTENDS_TORCHFILE_ZIPBUILDER_H
#define TEST_UNIT_FRONTENDS_TORCHFILE_ZIPBUILDER_H

#include <cstdint>
#include <string>
#include <vector>
#include <zlib.h>

namespace graven::torch::test {

struct ZipMember {
  std::string name;
  std::string data; ///< as stored in the file
  uint16_t method = 0;
  uint32_t size = 0; ///< inflated; taken from the data when stored
  uint32_t crc = 0;
  uint16_t flags = 0;
  // Set by the builder, for tests that overwrite fields.
  size_t localOffset = 0, centralOffset = 0;
};

inline ZipMember stored(std::string name, std::string data) {
  ZipMember member{std::move(name), std::move(data)};
  member.size = member.data.size();
  member.crc = crc32(0, reinterpret_cast<const Bytef *>(member.data.data()),
                     member.data.size());
  return member;
}

inline ZipMember deflated(std::string name, const std::string &data) {
  ZipMember member = stored(std::move(name), data);
  member.method = 8;
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(data.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(data.data()));
  stream.avail_in = data.size();
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = packed.size();
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  member.data = packed;
  return member;
}

inline void put(std::string &out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

/// Overwrites `bytes` bytes at `at`.
inline void patch(std::string &out, size_t at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out[at + i] = static_cast<char>(value >> (8 * i));
}

/// The archive; fills in the offsets of the members.
inline std::string buildZip(std::vector<ZipMember> &members) {
  std::string out;
  for (ZipMember &m : members) {
    m.localOffset = out.size();
    put(out, 0x04034b50, 4);
    put(out, 20, 2);
    put(out, m.flags, 2);
    put(out, m.method, 2);
    put(out, 0, 4);
    put(out, m.crc, 4);
    put(out, m.data.size(), 4);
    put(out, m.size, 4);
    put(out, m.name.size(), 2);
    put(out, 0, 2);
    out += m.name + m.data;
  }
  size_t directory = out.size();
  for (ZipMember &m : members) {
    m.centralOffset = out.size();
    put(out, 0x02014b50, 4);
    put(out, 20, 2);
    put(out, 20, 2);
    put(out, m.flags, 2);
    put(out, m.method, 2);
    put(out, 0, 4);
    put(out, m.crc, 4);
    put(out, m.data.size(), 4);
    put(out, m.size, 4);
    put(out, m.name.size(), 2);
    put(out, 0, 12);
    put(out, m.localOffset, 4);
    out += m.name;
  }
  size_t size = out.size() - directory;
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, members.size(), 2);
  put(out, members.size(), 2);
  put(out, size, 4);
  put(out, directory, 4);
  put(out, 0, 2);
  return out;
}

} // namespace graven::torch::test

#endif // TEST_UNIT_FRONTENDS_TORCHFILE_ZIPBUILDER_H
