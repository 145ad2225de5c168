//===- NpyHostileTest.cpp - .npy files made to do harm ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that the .npy reader refuses what NumPy would not write: code
// in the header, object types, sizes that overflow, shapes that do not fit the
// file, every truncation and every changed byte of a good file.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/Npy.h"

#include "test/unit/runtime/TestFiles.h"
#include "gtest/gtest.h"

#include <sys/stat.h>

using namespace graven::rt;

namespace {

std::string npy(const std::string &dictionary, size_t dataSize = 0) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + std::string(dataSize, 'd');
}

std::string messageOf(const std::string &bytes) {
  Result<Array> array = parseNpy(std::as_bytes(std::span(bytes)), "x.npy");
  return array ? "accepted" : array.error().message;
}

/// The message for a header with this shape and 24 bytes of f4 data.
std::string messageOfShape(const std::string &shape) {
  return messageOf(
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }",
          24));
}

std::string messageOfDescr(const std::string &descr) {
  return messageOf(npy(
      "{'descr': " + descr + ", 'fortran_order': False, 'shape': (6,), }", 24));
}

TEST(NpyHostile, theGoodFileIsAccepted) {
  EXPECT_EQ(messageOfShape("(2, 3)"), "accepted");
  EXPECT_EQ(messageOfDescr("'<f4'"), "accepted");
}

TEST(NpyHostile, magicAndVersion) {
  EXPECT_EQ(messageOf(""), "x.npy: not a .npy file");
  EXPECT_EQ(messageOf("\x93NUMPX\x01"), "x.npy: not a .npy file");
  EXPECT_EQ(messageOf("PK\x03\x04 some archive of arrays"),
            "x.npy: not a .npy file");
  EXPECT_EQ(messageOf(std::string("\x93NUMPY\x04\x00\x00\x00", 10)),
            "x.npy: expected .npy format 1.0, 2.0 or 3.0, got 4.0");
  EXPECT_EQ(messageOf(std::string("\x93NUMPY\x01\x07\x00\x00", 10)),
            "x.npy: expected .npy format 1.0, 2.0 or 3.0, got 1.7");
}

TEST(NpyHostile, headerLength) {
  EXPECT_EQ(messageOf(std::string("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12)),
            "x.npy: expected a header of at most 65536 bytes, got 2147483647");
  EXPECT_EQ(messageOf(std::string("\x93NUMPY\x01\x00\xff\xff{}", 12)),
            "x.npy: expected a header of 65535 bytes, got 2");
}

TEST(NpyHostile, objectAndStructuredTypes) {
  EXPECT_EQ(messageOfDescr("'|O'"), "x.npy: header: expected a numeric type "
                                    "such as '<f4', got '|O', at byte 9");
  for (const char *descr :
       {"'|V4'", "'<V2'", "'|S6'", "'<U6'", "'<M8'", "'<c8'", "'<f16'", "'f4'",
        "'<f3'", "'|f4'", "''", "'<'", "'<f4 '", "'\x01\x02'"})
    EXPECT_NE(messageOfDescr(descr).find("expected a numeric type"),
              std::string::npos)
        << descr;
  for (const char *descr : {"[('a', '<f4')]", "4", "None", "f4", "'<f4"})
    EXPECT_NE(messageOfDescr(descr).find("header: expected"), std::string::npos)
        << descr;
}

TEST(NpyHostile, codeInTheHeader) {
  for (const char *text :
       {"__import__('os').system('id')", "{'descr': open('/etc/passwd')}",
        "{**{}}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': tuple([1])}",
        "{'descr': '<f4' '<f4', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}; x",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': false, 'shape': (6,)}"})
    EXPECT_NE(messageOf(npy(text, 24)).find("header: expected"),
              std::string::npos)
        << text;
}

TEST(NpyHostile, keys) {
  EXPECT_EQ(messageOf(npy("{'descr': '<f4', 'descr': '<f4'}")),
            "x.npy: header: expected each of the keys descr, fortran_order and "
            "shape once at byte 17");
  EXPECT_EQ(messageOf(npy("{'descr': '<f4', 'shape': (6,)}", 24)),
            "x.npy: header: expected the keys descr, fortran_order and shape "
            "at byte 31");
  EXPECT_EQ(messageOf(npy("{'other': 1}")),
            "x.npy: header: expected each of the keys descr, fortran_order and "
            "shape once at byte 1");
  EXPECT_NE(messageOf(npy("{")).find("expected a string"), std::string::npos);
  EXPECT_NE(messageOf(npy("")).find("expected '{'"), std::string::npos);
}

TEST(NpyHostile, shapes) {
  EXPECT_EQ(messageOfShape("(2, -3)"),
            "x.npy: header: expected an extent of at least 0 at byte 54");
  EXPECT_EQ(messageOfShape("(6)"),
            "x.npy: header: expected a tuple, got a number, at byte 53");
  EXPECT_EQ(messageOfShape("(9223372036854775808,)"),
            "x.npy: header: expected an extent below 2^63 at byte 69");
  EXPECT_EQ(messageOfShape("(4294967296, 4294967296, 4294967296)"),
            "x.npy: expected over 2^63 bytes of data for "
            "f32[4294967296,4294967296,4294967296], got 24");
  EXPECT_EQ(messageOfShape("(1000000000000,)"),
            "x.npy: expected 4000000000000 bytes of data for "
            "f32[1000000000000], got 24");
  EXPECT_EQ(messageOfShape("(5,)"),
            "x.npy: expected 20 bytes of data for f32[5], got 24");
  EXPECT_EQ(messageOfShape("(0, 9223372036854775807)"),
            "x.npy: expected 0 bytes of data for f32[0,9223372036854775807], "
            "got 24");
  for (const char *shape : {"6", "[6]", "(6,,)", "(,)", "(6 6)", "(1e1,)",
                            "(0x6,)", "(6.0,)", "(True,)", "((6,),)", "("})
    EXPECT_NE(messageOfShape(shape).find("header: expected"), std::string::npos)
        << shape;
}

TEST(NpyHostile, rank) {
  std::string shape = "(";
  for (size_t i = 0; i < maxNpyRank; ++i)
    shape += "1, ";
  EXPECT_NE(messageOfShape(shape + "6)").find("a rank of at most 32"),
            std::string::npos);
}

TEST(NpyHostile, manyNestedTuplesAndKeys) {
  EXPECT_NE(messageOfShape(std::string(60000, '(')).find("header: expected"),
            std::string::npos);
  std::string keys = "{";
  while (keys.size() < 60000)
    keys += "'descr': '<f4', ";
  EXPECT_NE(messageOf(npy(keys + "}")).find("once"), std::string::npos);
}

TEST(NpyHostile, everyTruncationIsRefused) {
  std::string good =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24);
  ASSERT_EQ(messageOf(good), "accepted");
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(messageOf(good.substr(0, size)), "accepted") << size;
}

TEST(NpyHostile, everyChangedByteIsSafe) {
  std::string good =
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24);
  size_t accepted = 0;
  for (size_t i = 0; i < good.size() - 24; ++i)
    for (int value = 0; value < 256; ++value) {
      std::string bad = good;
      bad[i] = static_cast<char>(value);
      Result<Array> array = parseNpy(std::as_bytes(std::span(bad)), "x");
      if (array) {
        ++accepted;
        EXPECT_EQ(array->numBytes(), 24u);
      }
    }
  EXPECT_GT(accepted, 0u) << "'>f4' and '<i4' are good files too";
}

TEST(NpyHostile, aPipeIsNotWaitedFor) {
  TestFolder folder;
  std::string path = folder.path("pipe.npy");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(readNpy(path).error().message, path + ": not a regular file");
}

} // namespace
