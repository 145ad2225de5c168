//===- NpyTest.cpp - reading and writing .npy files -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests .npy round trips of every element type and rank, the bytes
// that are written, byte order, Fortran order, and files on disk.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/Npy.h"

#include "test/unit/runtime/TestFiles.h"
#include "gtest/gtest.h"

#include <cstring>
#include <numeric>

using namespace graven::rt;

namespace {

/// Version 1.0 with this dictionary and data, not padded.
std::string npy(const std::string &dictionary, const std::string &data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + data;
}

Result<Array> parse(const std::string &bytes) {
  return parseNpy(std::as_bytes(std::span(bytes)), "x.npy");
}

std::string fileBytes(const Array &array) {
  return npyHeader(array) +
         std::string(reinterpret_cast<const char *>(array.data()),
                     array.numBytes());
}

Array create(int32_t dtype, std::vector<int64_t> extents) {
  Result<Array> array = Array::create(dtype, std::move(extents));
  EXPECT_TRUE(array);
  return std::move(*array);
}

template <typename T> std::vector<T> values(const Array &array) {
  std::span<const T> elements = array.as<T>();
  return {elements.begin(), elements.end()};
}

class NpyRoundTrip : public testing::TestWithParam<int32_t> {};

TEST_P(NpyRoundTrip, keepsTypeShapeAndBytes) {
  std::vector<std::vector<int64_t>> shapes{
      {},     {1},       {7},       {0},
      {2, 3}, {5, 0, 2}, {2, 3, 4}, std::vector<int64_t>(maxNpyRank, 1)};
  for (const std::vector<int64_t> &shape : shapes) {
    Array array = create(GetParam(), shape);
    for (size_t i = 0; i < array.numBytes(); ++i)
      array.data()[i] = std::byte(GetParam() == GRAVEN_I1 ? i % 2 : i * 37 + 1);
    Result<Array> read = parse(fileBytes(array));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->dtype(),
              GetParam() == GRAVEN_BF16 ? GRAVEN_U16 : GetParam());
    EXPECT_EQ(
        std::vector<int64_t>(read->extents().begin(), read->extents().end()),
        shape);
    ASSERT_EQ(read->numBytes(), array.numBytes());
    EXPECT_EQ(std::memcmp(read->data(), array.data(), array.numBytes()), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, NpyRoundTrip,
                         testing::Range<int32_t>(GRAVEN_F16, GRAVEN_U64 + 1),
                         [](const auto &info) {
                           return std::string(graven_dtype_name(info.param));
                         });

TEST(NpyWrite, headerIsWhatNumPyWrites) {
  std::string header = npyHeader(create(GRAVEN_F32, {2, 3}));
  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, "
                                   "'shape': (2, 3), } ");
  EXPECT_EQ(header.back(), '\n');
  EXPECT_EQ(npyHeader(create(GRAVEN_I1, {3})).substr(10, 58),
            "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), } ");
  EXPECT_EQ(npyHeader(create(GRAVEN_I64, {})).substr(10, 56),
            "{'descr': '<i8', 'fortran_order': False, 'shape': (), } ");
}

TEST(NpyRead, takesBFloat16AsU16) {
  Array array = create(GRAVEN_BF16, {2});
  Result<Array> read = parse(fileBytes(array));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->reinterpret(GRAVEN_BF16));
  EXPECT_EQ(read->dtype(), GRAVEN_BF16);
  Status wrong = read->reinterpret(GRAVEN_F32);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "expected a type of the size of bf16, got f32");
}

TEST(NpyRead, swapsBigEndianData) {
  Result<Array> read =
      parse(npy("{'descr': '>u4', 'fortran_order': False, 'shape': (2,), }",
                std::string("\x01\x02\x03\x04\x00\x00\x00\x05", 8)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values<uint32_t>(*read), (std::vector<uint32_t>{0x01020304, 5}));
}

TEST(NpyRead, makesBoolsZeroOrOne) {
  Result<Array> read =
      parse(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }",
                std::string("\x00\x01\xff", 3)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values<uint8_t>(*read), (std::vector<uint8_t>{0, 1, 1}));
}

TEST(NpyRead, turnsFortranOrderIntoRowMajor) {
  std::string data(24, '\0');
  std::iota(data.begin(), data.end(), 0);
  Result<Array> read = parse(npy(
      "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", data));
  ASSERT_TRUE(read) << read.error().message;
  std::vector<uint8_t> got = values<uint8_t>(*read);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        EXPECT_EQ(got[static_cast<size_t>((i * 3 + j) * 4 + k)],
                  i + 2 * (j + 3 * k));
  EXPECT_EQ(describe(read->dtype(), read->extents()), "u8[2,3,4]");
}

TEST(NpyRead, takesFortranOrderOfScalarsAndEmptyTensors) {
  for (const char *shape : {"()", "(0, 3)", "(3, 0)"}) {
    std::string data(std::string(shape) == "()" ? 2 : 0, 'x');
    Result<Array> read =
        parse(npy(std::string("{'descr': '<f2', 'fortran_order': True, "
                              "'shape': ") +
                      shape + ", }",
                  data));
    EXPECT_TRUE(read) << shape << ": " << read.error().message;
  }
}

TEST(NpyRead, takesAnyOrderOfKeysAndQuotes) {
  Result<Array> read = parse(npy(
      "{\"shape\":(1,2),\"descr\":\"=i2\",'fortran_order' : False}", "abcd"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(describe(read->dtype(), read->extents()), "i16[1,2]");
}

TEST(NpyRead, takesVersions2And3) {
  std::string dictionary =
      "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }";
  for (char version : {2, 3}) {
    std::string bytes = "\x93NUMPY";
    bytes += {version, 0, static_cast<char>(dictionary.size()), 0, 0, 0};
    Result<Array> read = parse(bytes + dictionary + "x");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(values<int8_t>(*read), (std::vector<int8_t>{'x'}));
  }
}

TEST(NpyFile, isWrittenAndRead) {
  TestFolder folder;
  std::string path = folder.path("a.npy");
  Array array = create(GRAVEN_F64, {3});
  array.as<double>()[1] = 1.5;
  ASSERT_TRUE(writeNpy(path, array));
  array.as<double>()[1] = 2.5;
  ASSERT_TRUE(writeNpy(path, array)) << "an existing file is replaced";
  Result<Array> read = readNpy(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values<double>(*read), (std::vector<double>{0, 2.5, 0}));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.npy"}))
      << "no temporary file stays";
}

TEST(NpyFile, failuresNameTheFile) {
  TestFolder folder;
  std::string missing = folder.path("none.npy");
  EXPECT_EQ(readNpy(missing).error().message,
            missing + ": cannot be opened: No such file or directory");
  EXPECT_EQ(readNpy(folder.path("")).error().message,
            folder.path("") + ": not a regular file");
  Status status = writeNpy(folder.path("no/a.npy"), create(GRAVEN_F32, {}));
  EXPECT_EQ(status.error().message,
            folder.path("no/a.npy") +
                ": cannot be written: No such file or directory");
}

TEST(NpyFile, aFailedWriteLeavesNothing) {
  TestFolder folder;
  ASSERT_TRUE(folder.makeFolder("taken"));
  EXPECT_FALSE(writeNpy(folder.path("taken"), create(GRAVEN_F32, {})));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"taken"}));
}

} // namespace
