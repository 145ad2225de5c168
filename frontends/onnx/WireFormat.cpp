//===- WireFormat.cpp - protobuf's wire format ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the bounded walk over the wire format that finds the
// `raw_data` of a model's tensors.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/WireFormat.h"

#include "llvm/ADT/Twine.h"

#include <optional>

using namespace llvm;

namespace graven::onnx {

namespace {

/// Messages on the way from the model to a tensor.
enum class Level { Model, Graph, Node, Attribute, Tensor };

/// Field numbers of onnx.proto.
constexpr uint32_t kModelGraph = 7, kGraphNode = 1, kGraphInitializer = 5,
                   kNodeAttribute = 5, kAttributeTensor = 5, kTensorRaw = 9;

std::optional<Level> levelBelow(Level level, uint32_t field) {
  if (level == Level::Model && field == kModelGraph)
    return Level::Graph;
  if (level == Level::Graph && field == kGraphNode)
    return Level::Node;
  if (level == Level::Graph && field == kGraphInitializer)
    return Level::Tensor;
  if (level == Level::Node && field == kNodeAttribute)
    return Level::Attribute;
  if (level == Level::Attribute && field == kAttributeTensor)
    return Level::Tensor;
  return std::nullopt;
}

/// One field: its tag begins at `begin`, its payload is [payload, end).
struct Field {
  uint32_t number;
  bool isBytes;
  size_t begin, payload, end;
};

Error brokenAt(size_t position, const Twine &what) {
  return createStringError(inconvertibleErrorCode(),
                           "at byte " + Twine(position) + ": " + what);
}

/// Reads fields of the file, never past an end.
class WireReader {
public:
  explicit WireReader(StringRef file) : file(file) {}

  Expected<uint64_t> readVarint(size_t &position, size_t end) {
    uint64_t value = 0;
    size_t begin = position;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (position == end)
        return brokenAt(begin, "the number is cut off");
      uint8_t byte = file[position++];
      if (shift < 64)
        value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return value;
    }
    return brokenAt(begin, "the number has more than 10 bytes");
  }

  Expected<Field> readField(size_t &position, size_t end) {
    Field field{0, false, position, 0, 0};
    auto tag = readVarint(position, end);
    if (!tag)
      return tag.takeError();
    if (*tag >> 32 || !(*tag >> 3))
      return brokenAt(field.begin, "field number " + Twine(*tag >> 3));
    field.number = *tag >> 3;
    field.payload = position;
    uint64_t length = 0;
    switch (*tag & 7) {
    case 0: {
      auto value = readVarint(position, end);
      if (!value)
        return value.takeError();
      field.end = position;
      return field;
    }
    case 1:
      length = 8;
      break;
    case 5:
      length = 4;
      break;
    case 2: {
      auto size = readVarint(position, end);
      if (!size)
        return size.takeError();
      length = *size;
      field.payload = position;
      field.isBytes = true;
      break;
    }
    default:
      return brokenAt(field.begin, "wire type " + Twine(*tag & 7));
    }
    if (length > end - position)
      return brokenAt(field.begin, "field " + Twine(field.number) + " claims " +
                                       Twine(length) + " bytes, " +
                                       Twine(end - position) + " are left");
    position += length;
    field.end = position;
    return field;
  }

protected:
  StringRef file;
};

class Cutter : public WireReader {
public:
  using WireReader::WireReader;

  Error cut(CutModel &result) {
    out = &result;
    return cutMessage(Level::Model, 0, file.size(), result.message);
  }

private:
  static void writeVarint(std::string &to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      to.push_back(static_cast<char>(value | 0x80));
    to.push_back(static_cast<char>(value));
  }

  /// Copies the message at [position, end) to `to` without big raw_data. The
  /// depth is that of Level.
  Error cutMessage(Level level, size_t position, size_t end, std::string &to) {
    unsigned attribute = 0;
    while (position < end) {
      auto field = readField(position, end);
      if (!field)
        return field.takeError();
      if (level == Level::Tensor && field->number == kTensorRaw &&
          field->isBytes && field->end - field->payload >= kLeastCutBytes) {
        raw = ByteRange{field->payload, field->end - field->payload};
        continue;
      }
      auto below = levelBelow(level, field->number);
      if (!below || !field->isBytes) {
        to += file.slice(field->begin, field->end);
        continue;
      }
      if (*below == Level::Tensor || *below == Level::Attribute)
        raw.reset();
      std::string inner;
      if (Error error = cutMessage(*below, field->payload, field->end, inner))
        return error;
      writeVarint(to, uint64_t(field->number) << 3 | 2);
      writeVarint(to, inner.size());
      to += inner;
      if (level == Level::Graph && *below == Level::Node)
        ++node;
      if (level == Level::Graph && *below == Level::Tensor) {
        if (raw)
          out->initializers[initializer] = *raw;
        ++initializer;
      }
      if (*below == Level::Attribute) {
        if (raw)
          out->attributes[{node, attribute}] = *raw;
        ++attribute;
      }
    }
    return Error::success();
  }

  CutModel *out = nullptr;
  std::optional<ByteRange> raw; ///< of the tensor that was walked last
  unsigned node = 0, initializer = 0;
};

} // namespace

Expected<CutModel> cutRawData(StringRef file) {
  CutModel result;
  if (Error error = Cutter(file).cut(result))
    return error;
  return result;
}

bool looksLikeModel(StringRef file) {
  WireReader reader(file);
  bool hasGraph = false;
  for (size_t position = 0; position < file.size();) {
    auto field = reader.readField(position, file.size());
    if (!field) {
      consumeError(field.takeError());
      return false;
    }
    // ir_version and model_version are numbers; the rest are texts or messages.
    bool isNumber = field->number == 1 || field->number == 5;
    bool isKnown = field->number <= 8 || field->number == 14 ||
                   field->number == 20 || field->number == 25 ||
                   field->number == 26;
    if (!isKnown || isNumber == field->isBytes)
      return false;
    hasGraph |= field->number == kModelGraph;
  }
  return hasGraph;
}

} // namespace graven::onnx
