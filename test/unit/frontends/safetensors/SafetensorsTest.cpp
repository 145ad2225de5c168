//===- SafetensorsTest.cpp - tests of safetensors files ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests reading the format, writing its header, and reading the
// elements of views.
//
//===----------------------------------------------------------------------===//

#include "frontends/safetensors/Safetensors.h"

#include "gtest/gtest.h"

using namespace graven;
using std::string;

namespace {

std::shared_ptr<llvm::MemoryBuffer> fileOf(const string &header,
                                           const string &data) {
  string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return llvm::MemoryBuffer::getMemBufferCopy(bytes + header + data,
                                              "dir/w.safetensors");
}

string errorOf(const string &header, const string &data) {
  auto weights = safetensors::read(fileOf(header, data));
  return weights ? "good" : llvm::toString(weights.takeError());
}

string elementsOf(const Weights &weights, const WeightTensor &tensor) {
  string result;
  EXPECT_FALSE(weights.read(tensor, [&](llvm::ArrayRef<char> piece) {
    result.append(piece.begin(), piece.end());
    return llvm::Error::success();
  }));
  return result;
}

TEST(SafetensorsTest, ReadsNamesTypesAndPlaces) {
  auto weights = safetensors::read(
      fileOf(R"({"__metadata__":{"a":"b"},"x":{"dtype":"I16","shape":[2,1],)"
             R"("data_offsets":[1,5]},"y":{"shape":[],"data_offsets":[0,1],)"
             R"("dtype":"BOOL"},"z":{"dtype":"F32","shape":[0,3],)"
             R"("data_offsets":[5,5]}}  )",
             "\1abcd"));
  ASSERT_TRUE(static_cast<bool>(weights));
  ASSERT_EQ(weights->tensors.size(), 3u);
  const WeightTensor &x = *weights->find("x");
  EXPECT_EQ(typeText(x), "i16[2,1]");
  EXPECT_EQ(elementsOf(*weights, x), "abcd");
  EXPECT_EQ(typeText(*weights->find("y")), "i1[]");
  EXPECT_EQ(elementsOf(*weights, *weights->find("y")), "\1");
  EXPECT_EQ(elementsOf(*weights, *weights->find("z")), "");
  EXPECT_EQ(weights->find("w"), nullptr);
}

TEST(SafetensorsTest, ErrorsNameTheFileAndTheByte) {
  EXPECT_EQ(errorOf("{\"x\":1}", ""), "w.safetensors: byte 13: expected '{'");
  EXPECT_EQ(errorOf(R"({"x":{"dtype":"F32","shape":[2],)"
                    R"("data_offsets":[0,7]}})",
                    "1234567"),
            "w.safetensors: byte 61: tensor 'x' has bytes [0, 7), expected 8 "
            "of them for f32[2]");
  EXPECT_EQ(errorOf("", ""), "w.safetensors: byte 8: ends where '{' is "
                             "expected");
}

TEST(SafetensorsTest, HeaderPlacesTensorsDense) {
  WeightTensor a, b;
  a.name = "quote\"d";
  a.sizes = {2, 3};
  setDense(a);
  b.name = "b";
  b.type = aten::ScalarType::BFloat16;
  b.sizes = {4};
  setDense(b);
  auto header = safetensors::header({&a, &b});
  ASSERT_TRUE(static_cast<bool>(header));
  EXPECT_EQ(header->size() % 64, 0u);
  auto file = llvm::MemoryBuffer::getMemBufferCopy(*header + string(32, 'x'));
  auto weights = safetensors::read(std::move(file));
  ASSERT_TRUE(static_cast<bool>(weights));
  EXPECT_EQ(typeText(*weights->find("quote\"d")), "f32[2,3]");
  EXPECT_EQ(weights->find("b")->begin, header->size() + 24);
  a.type = aten::ScalarType::ComplexDouble;
  auto refused = safetensors::header({&a});
  EXPECT_EQ(llvm::toString(refused.takeError()),
            "tensor 'quote\"d' has elements of type complex128, which "
            "safetensors does not have");
}

TEST(WeightsTest, ElementsOfViewsComeInOrder) {
  Weights weights;
  weights.files.push_back(llvm::MemoryBuffer::getMemBufferCopy("0123456789"));
  WeightTensor tensor;
  tensor.type = aten::ScalarType::Byte;
  tensor.length = 10;
  tensor.sizes = {2, 3};
  tensor.strides = {1, 2};
  tensor.offset = 2;
  EXPECT_FALSE(tensor.isDense());
  EXPECT_EQ(elementsOf(weights, tensor), "246357");
  tensor.strides = {0, 1};
  EXPECT_EQ(elementsOf(weights, tensor), "234234");
  weights.bigEndian = true;
  tensor.type = aten::ScalarType::Short;
  tensor.sizes = {2};
  tensor.strides = {2};
  tensor.offset = 1;
  EXPECT_EQ(elementsOf(weights, tensor), "3276");
}

TEST(WeightsTest, SharedStoragesCountOnce) {
  Weights weights;
  weights.files.push_back(llvm::MemoryBuffer::getMemBufferCopy("0123456789"));
  WeightTensor a;
  a.type = aten::ScalarType::Byte;
  a.length = 8;
  a.sizes = {8};
  setDense(a);
  WeightTensor b = a, c = a;
  b.offset = 4;
  b.sizes = {4};
  c.begin = 8;
  c.length = 2;
  c.sizes = {2};
  weights.tensors = {a, b, c, a};
  EXPECT_EQ(weights.owners(), (std::vector<size_t>{0, 0, 2, 0}));
  EXPECT_EQ(weights.storageBytes(), 10u);
  EXPECT_TRUE(weights.tensors[3].isTiedTo(a));
  EXPECT_FALSE(b.isTiedTo(a));
  EXPECT_TRUE(b.sharesStorage(a));
}

TEST(WeightsTest, CountsThatOverflow) {
  EXPECT_EQ(countElements({}), 1);
  EXPECT_EQ(countElements({int64_t(1) << 40, int64_t(1) << 40}), std::nullopt);
  EXPECT_EQ(countElements({int64_t(1) << 40, int64_t(1) << 40, 0}), 0);
  EXPECT_EQ(countElements({-1}), std::nullopt);
}

} // namespace
