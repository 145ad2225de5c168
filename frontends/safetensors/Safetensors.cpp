//===- Safetensors.cpp - safetensors files ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reader and the header's writer. The header's schema
// is fixed, so it is read without building a tree, and whatever is not in the
// schema is an error.
//
//===----------------------------------------------------------------------===//

#include "frontends/safetensors/Safetensors.h"

#include "dialects/graven/PlainFile.h"
#include "frontends/safetensors/JsonReader.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace graven;
using aten::ScalarType;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

/// The limit of the reference implementation.
static constexpr uint64_t kMaxHeader = 100000000;
static constexpr uint64_t kLengthBytes = 8;
static constexpr size_t kMaxRank = 64;
/// Files of one index.
static constexpr size_t kMaxShards = 10000;

namespace {
struct Row {
  const char *name;
  ScalarType type;
};
} // namespace

static constexpr Row kTypes[] = {{"F64", ScalarType::Double},
                                 {"F32", ScalarType::Float},
                                 {"F16", ScalarType::Half},
                                 {"BF16", ScalarType::BFloat16},
                                 {"I64", ScalarType::Long},
                                 {"I32", ScalarType::Int},
                                 {"I16", ScalarType::Short},
                                 {"I8", ScalarType::Char},
                                 {"U64", ScalarType::UInt64},
                                 {"U32", ScalarType::UInt32},
                                 {"U16", ScalarType::UInt16},
                                 {"U8", ScalarType::Byte},
                                 {"BOOL", ScalarType::Bool},
                                 {"C64", ScalarType::ComplexFloat},
                                 {"F8_E4M3", ScalarType::Float8E4M3FN},
                                 {"F8_E5M2", ScalarType::Float8E5M2}};

std::optional<StringRef> safetensors::dtypeName(ScalarType type) {
  for (const Row &row : kTypes)
    if (row.type == type)
      return row.name;
  return std::nullopt;
}

static std::optional<ScalarType> typeOf(StringRef name) {
  for (const Row &row : kTypes)
    if (name == row.name)
      return row.type;
  return std::nullopt;
}

bool safetensors::isFile(StringRef bytes) {
  return bytes.size() > kLengthBytes &&
         llvm::support::endian::read64le(bytes.data()) <= kMaxHeader &&
         bytes[kLengthBytes] == '{';
}

bool safetensors::isIndex(StringRef bytes) {
  StringRef text = bytes.take_front(4096).ltrim();
  return text.consume_front("{") && text.ltrim().starts_with("\"");
}

/// Reads one entry: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}.
static Expected<WeightTensor> readEntry(JsonReader &json, StringRef name) {
  WeightTensor tensor;
  tensor.name = name.str();
  std::optional<ScalarType> type;
  llvm::SmallVector<int64_t, 2> offsets;
  bool hasShape = false;
  auto naturals = [&](llvm::SmallVectorImpl<int64_t> &list) {
    return json.array([&]() -> Error {
      Expected<int64_t> value = json.natural();
      if (!value)
        return value.takeError();
      if (list.size() == kMaxRank)
        return json.fail("more than " + Twine(kMaxRank) + " numbers");
      list.push_back(*value);
      return Error::success();
    });
  };
  Error error = json.object([&](StringRef key) -> Error {
    if (key == "dtype") {
      Expected<std::string> text = json.string();
      if (!text)
        return text.takeError();
      type = typeOf(*text);
      // Powers of two, which PyTorch keeps and no graph has.
      if (*text == "F8_E8M0") {
        type = ScalarType::Byte;
        tensor.unsupported = "of type F8_E8M0";
      }
      return type ? Error::success()
                  : json.fail("unknown dtype '" + Twine(*text) + "'");
    }
    if (key == "shape") {
      hasShape = true;
      return naturals(tensor.sizes);
    }
    if (key == "data_offsets")
      return naturals(offsets);
    return json.fail("unknown key '" + key + "' of a tensor");
  });
  if (error)
    return std::move(error);
  if (!type || !hasShape || offsets.size() != 2)
    return json.fail("tensor '" + name +
                     "' needs dtype, shape and two data_offsets");
  tensor.type = *type;
  std::optional<int64_t> count = countElements(tensor.sizes);
  int64_t bytes = 0;
  if (!count || llvm::MulOverflow(*count, aten::itemSize(*type), bytes))
    return json.fail("tensor '" + name + "' has more than 2^63 bytes");
  if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes)
    return json.fail("tensor '" + name + "' has bytes [" + Twine(offsets[0]) +
                     ", " + Twine(offsets[1]) + "), expected " + Twine(bytes) +
                     " of them for " + typeText(tensor));
  tensor.begin = offsets[0];
  tensor.length = bytes;
  setDense(tensor);
  return tensor;
}

/// Each byte of the data belongs to one tensor.
static Error checkPlaces(llvm::ArrayRef<WeightTensor> tensors, uint64_t size,
                         StringRef record) {
  std::vector<const WeightTensor *> order;
  for (const WeightTensor &tensor : tensors)
    order.push_back(&tensor);
  llvm::sort(order, [](const WeightTensor *a, const WeightTensor *b) {
    return std::pair(a->begin, a->length) < std::pair(b->begin, b->length);
  });
  uint64_t end = 0;
  for (const WeightTensor *tensor : order) {
    if (tensor->begin != end)
      return llvm::createStringError(
          record + ": tensor '" + tensor->name + "' begins at byte " +
          Twine(tensor->begin) + " of the data, expected " + Twine(end) +
          (tensor->begin < end ? ": it overlaps the one before it"
                               : ": a gap is before it"));
    end += tensor->length;
  }
  if (end != size)
    return llvm::createStringError(record + ": the tensors have " + Twine(end) +
                                   " bytes, the file " + Twine(size) +
                                   " for them");
  return Error::success();
}

Expected<Weights> safetensors::read(std::shared_ptr<llvm::MemoryBuffer> file) {
  StringRef bytes = file->getBuffer();
  StringRef record = llvm::sys::path::filename(file->getBufferIdentifier());
  if (bytes.size() < kLengthBytes)
    return llvm::createStringError(record + ": " + Twine(bytes.size()) +
                                   " bytes, expected a safetensors header");
  uint64_t length = llvm::support::endian::read64le(bytes.data());
  uint64_t most = std::min<uint64_t>(kMaxHeader, bytes.size() - kLengthBytes);
  if (length > most)
    return llvm::createStringError(record + ": byte 0: header of " +
                                   Twine(length) + " bytes, expected at most " +
                                   Twine(most));
  Weights weights;
  weights.format = "safetensors";
  JsonReader json(bytes.substr(kLengthBytes, length), record, kLengthBytes);
  Error error = json.object([&](StringRef name) -> Error {
    if (name == "__metadata__")
      return json.object([&](StringRef) -> Error {
        Expected<std::string> text = json.string();
        return text ? Error::success() : text.takeError();
      });
    Expected<WeightTensor> tensor = readEntry(json, name);
    if (!tensor)
      return tensor.takeError();
    weights.tensors.push_back(std::move(*tensor));
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (Error error = json.end())
    return std::move(error);
  uint64_t data = kLengthBytes + length;
  if (Error error = checkPlaces(weights.tensors, bytes.size() - data, record))
    return std::move(error);
  for (WeightTensor &tensor : weights.tensors)
    tensor.begin += data;
  weights.files.push_back(std::move(file));
  return weights;
}

Expected<Weights> safetensors::readIndex(const llvm::MemoryBuffer &index,
                                         StringRef folder) {
  StringRef record = llvm::sys::path::filename(index.getBufferIdentifier());
  if (index.getBufferSize() > kMaxHeader)
    return llvm::createStringError(
        record + ": index of " + Twine(index.getBufferSize()) +
        " bytes, expected at most " + Twine(kMaxHeader));
  JsonReader json(index.getBuffer(), record);
  std::vector<std::pair<std::string, size_t>> wanted; // name, shard
  std::vector<std::string> names;
  llvm::StringMap<size_t> shardOf;
  bool hasMap = false;
  Error error = json.object([&](StringRef key) -> Error {
    if (key != "weight_map")
      return json.skip();
    hasMap = true;
    return json.object([&](StringRef name) -> Error {
      Expected<std::string> file = json.string();
      if (!file)
        return file.takeError();
      auto [it, isNew] = shardOf.try_emplace(*file, names.size());
      if (isNew)
        names.push_back(*file);
      if (names.size() > kMaxShards)
        return json.fail("more than " + Twine(kMaxShards) + " files");
      wanted.emplace_back(name.str(), it->second);
      return Error::success();
    });
  });
  if (error)
    return std::move(error);
  if (Error error = json.end())
    return std::move(error);
  if (!hasMap)
    return llvm::createStringError(record + ": no 'weight_map'");

  Weights result;
  result.format =
      "safetensors, " + std::to_string(names.size()) + " files of an index";
  std::vector<llvm::StringMap<size_t>> places;
  std::vector<Weights> shards;
  for (const std::string &name : names) {
    auto file = mapPlainFile(folder, name);
    if (!file)
      return llvm::createStringError(record + ": " +
                                     llvm::toString(file.takeError()));
    Expected<Weights> shard = read(std::move(*file));
    if (!shard)
      return shard.takeError();
    llvm::StringMap<size_t> &place = places.emplace_back();
    for (auto [i, tensor] : llvm::enumerate(shard->tensors))
      place[tensor.name] = i;
    result.files.push_back(shard->files.front());
    shards.push_back(std::move(*shard));
  }
  for (auto &[name, shard] : wanted) {
    auto found = places[shard].find(name);
    if (found == places[shard].end())
      return llvm::createStringError(record + ": '" + names[shard] +
                                     "' has no tensor '" + name + "'");
    WeightTensor tensor = shards[shard].tensors[found->second];
    tensor.file = shard;
    result.tensors.push_back(std::move(tensor));
  }
  return result;
}

Expected<std::string>
safetensors::header(llvm::ArrayRef<const WeightTensor *> tensors) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  // Libraries of Hugging Face ask for this key.
  stream << "{\"__metadata__\":{\"format\":\"pt\"}";
  uint64_t end = 0;
  for (const WeightTensor *tensor : tensors) {
    std::optional<StringRef> dtype = dtypeName(tensor->type);
    if (!dtype)
      return llvm::createStringError(
          "tensor '" + tensor->name + "' has elements of type " +
          aten::name(tensor->type) + ", which safetensors does not have");
    std::string name = llvm::json::fixUTF8(tensor->name);
    uint64_t bytes = tensor->bytes();
    stream << "," << llvm::json::Value(name) << ":{\"dtype\":\"" << *dtype
           << "\",\"shape\":[";
    llvm::interleave(tensor->sizes, stream, ",");
    stream << "],\"data_offsets\":[" << end << "," << end + bytes << "]}";
    end += bytes;
  }
  stream << "}";
  text.resize(llvm::alignTo(text.size() + kLengthBytes, 64) - kLengthBytes,
              ' ');
  if (text.size() > kMaxHeader)
    return llvm::createStringError("a header of " + Twine(text.size()) +
                                   " bytes, safetensors has at most " +
                                   Twine(kMaxHeader));
  char length[kLengthBytes];
  llvm::support::endian::write64le(length, text.size());
  return std::string(length, kLengthBytes) + text;
}
