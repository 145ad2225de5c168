//===- ExportFileTest.cpp - tests of the .pt2 reader ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests what the reader says of damaged archives: each error names
// the record.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/ExportFile.h"

#include "test/unit/frontends/torchfile/ZipBuilder.h"

#include "gtest/gtest.h"

using namespace graven;
using namespace graven::torchexport;

/// An archive of PyTorch 2.9 or later with these records.
static std::string archive(const std::string &program,
                           const std::string &config = "{\"config\": {}}",
                           const std::string &weight = "") {
  using torch::test::stored;
  std::vector<torch::test::ZipMember> members{
      stored("m/archive_format", "pt2"), stored("m/models/model.json", program),
      stored("m/data/weights/model_weights_config.json", config),
      stored("m/data/weights/weight_0", weight)};
  return torch::test::buildZip(members);
}

static llvm::Expected<std::unique_ptr<ExportFile>>
openFile(const std::string &bytes) {
  return ExportFile::open(bytes, llvm::cantFail(torch::ZipReader::open(bytes)));
}

/// What opening the archive reports; empty when nothing is wrong.
static std::string errorOf(const std::string &bytes) {
  auto file = openFile(bytes);
  return file ? "" : llvm::toString(file.takeError());
}

static std::string tensor(const std::string &sizes, const std::string &strides,
                          const std::string &offset = "0") {
  return R"({"config": {"w": {"path_name": "weight_0", "is_param": true,
      "use_pickle": false, "tensor_meta": {"dtype": 7, "sizes": )" +
         sizes + R"(, "strides": )" + strides +
         R"(, "storage_offset": {"as_int": )" + offset + "}}}}}";
}

TEST(ExportFile, reads) {
  std::string bytes = archive("{}",
                              tensor(R"([{"as_int": 2}, {"as_int": 2}])",
                                     R"([{"as_int": 1}, {"as_int": 2}])", "1"),
                              std::string(20, '\1'));
  auto file = openFile(bytes);
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  const torch::PickleTensor *w = (*file)->tensor("w");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->storage.numel, 5u);
  EXPECT_TRUE(w->requiresGrad);
  auto place = (*file)->storage("data", w->storage);
  ASSERT_TRUE(bool(place));
  EXPECT_EQ((*file)->bytes(*place), std::string(20, '\1'));
  EXPECT_FALSE((*file)->tensor("v"));
}

TEST(ExportFile, refusesDamagedPrograms) {
  EXPECT_EQ(errorOf(archive("[]")), "models/model.json: expected an object");
  EXPECT_NE(errorOf(archive("{\"a\": ")).find("models/model.json: ["),
            std::string::npos);
  EXPECT_EQ(errorOf(archive(std::string(100000, '['))),
            "models/model.json: byte 200: nested deeper than 200");
}

TEST(ExportFile, refusesDamagedTensors) {
  auto error = [](const std::string &config) {
    return errorOf(archive("{}", config));
  };
  std::string name = "data/weights/model_weights_config.json: ";
  EXPECT_EQ(error("{}"), name + "no object 'config'");
  EXPECT_EQ(error(R"({"config": {"w": {}}})"),
            name + "tensor 'w' has no path_name");
  EXPECT_EQ(error(tensor(R"([{"as_int": -1}])", R"([{"as_int": 1}])")),
            name + "tensor 'w' has sizes or strides that are no lists of ints");
  EXPECT_EQ(error(tensor(R"([{"as_int": 2}])", "[]")),
            name + "tensor 'w' has sizes or strides that are no lists of ints");
  std::string huge = R"([{"as_int": 4611686018427387904}])";
  EXPECT_EQ(error(tensor(huge, huge)),
            name + "tensor 'w' has an offset, sizes and strides out of bounds");
}

TEST(ExportFile, refusesTensorsBeyondTheirStorage) {
  std::string bytes =
      archive("{}", tensor(R"([{"as_int": 9}])", R"([{"as_int": 1}])"),
              std::string(20, '\1'));
  auto file = openFile(bytes);
  ASSERT_TRUE(bool(file));
  auto place = (*file)->storage("data", (*file)->tensor("w")->storage);
  ASSERT_FALSE(bool(place));
  EXPECT_EQ(llvm::toString(place.takeError()),
            "tensor storage 'data/weights/weight_0' has 20 bytes, expected 9 "
            "elements of float32");
}
