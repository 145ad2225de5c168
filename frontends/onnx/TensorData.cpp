//===- TensorData.cpp - the elements of a TensorProto ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of TensorProtos. Nothing of a tensor is
// believed: extents, element type and bytes must agree exactly.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/TensorData.h"

#include "dialects/graven/ShapeMath.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/ExternalFiles.h"
#include "frontends/onnx/Narrow.h"
#include "frontends/onnx/Strings.h"
#include "frontends/onnx/Text.h"
#include "mlir/IR/Builders.h"
#include "onnx/onnx.pb.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>
#include <optional>

using namespace mlir;

namespace graven::onnx {

using pb::TensorProto;

eval::Tensor TensorData::toTensor() const {
  return eval::Tensor::fromBytes(
      type, llvm::ArrayRef<char>(bytes.data(), bytes.size()));
}

Type elementTypeOf(MLIRContext *context, int32_t dataType) {
  Builder builder(context);
  auto unsignedType = [&](unsigned width) {
    return builder.getIntegerType(width, /*isSigned=*/false);
  };
  switch (dataType) {
  case TensorProto::FLOAT:
    return builder.getF32Type();
  case TensorProto::DOUBLE:
    return builder.getF64Type();
  case TensorProto::FLOAT16:
    return builder.getF16Type();
  case TensorProto::BFLOAT16:
    return builder.getBF16Type();
  case TensorProto::BOOL:
    return builder.getI1Type();
  case TensorProto::INT8:
    return builder.getI8Type();
  case TensorProto::INT16:
    return builder.getI16Type();
  case TensorProto::INT32:
    return builder.getI32Type();
  case TensorProto::INT64:
    return builder.getI64Type();
  case TensorProto::UINT8:
    return unsignedType(8);
  case TensorProto::UINT16:
    return unsignedType(16);
  case TensorProto::UINT32:
    return unsignedType(32);
  case TensorProto::UINT64:
    return unsignedType(64);
  default:
    return {};
  }
}

std::string dataTypeName(int32_t dataType) {
  if (pb::TensorProto_DataType_IsValid(dataType))
    return pb::TensorProto_DataType_Name(
        static_cast<pb::TensorProto_DataType>(dataType));
  return "data type " + std::to_string(dataType);
}

int32_t dataTypeNamed(StringRef name) {
  pb::TensorProto_DataType type = pb::TensorProto_DataType_UNDEFINED;
  pb::TensorProto_DataType_Parse(name.str(), &type);
  return type;
}

namespace {

class Reader {
public:
  Reader(Location loc, const TensorProto &tensor, Strings *strings)
      : loc(loc), tensor(tensor), strings(strings) {}

  FailureOr<TensorData> read(const CutBytes *cut, ExternalFiles &files) {
    TensorData data;
    if (failed(readType(data)) || failed(checkHolders(cut)))
      return failure();
    if (isStrings()) {
      if (failed(readStrings(data)))
        return failure();
    } else if (tensor.data_location() == TensorProto::EXTERNAL) {
      if (failed(readExternal(data, files)))
        return failure();
    } else if (cut) {
      data.bytes = cut->bytes;
      data.blob = cut->blob.str();
      data.offset = cut->offset;
    } else if (tensor.has_raw_data()) {
      data.bytes = tensor.raw_data();
    } else if (failed(readTyped(data))) {
      return failure();
    }
    if (static_cast<int64_t>(data.bytes.size()) != byteCount)
      return fail(Code::BadTensor)
             << "of type " << data.type << " needs " << byteCount
             << " bytes, got " << data.bytes.size();
    if (data.narrow && byteCount != count && !isString(data.narrow)) {
      if (!data.owned)
        data.packed = data.bytes;
      data.owned =
          std::make_shared<std::string>(unpack(data.bytes, data.narrow, count));
      data.bytes = *data.owned;
      data.blob.clear();
    }
    return data;
  }

private:
  InFlightDiagnostic fail(Code code) {
    return emitCoded(loc, code) << "tensor " << quoted(tensor.name()) << " ";
  }

  LogicalResult readType(TensorData &data) {
    Type elementType = elementTypeOf(loc.getContext(), tensor.data_type());
    data.narrow = narrowTypeOf(loc.getContext(), tensor.data_type());
    if (strings && isStrings())
      data.narrow = stringType(loc.getContext());
    if (data.narrow)
      elementType = storageOfMeaning(data.narrow);
    if (!elementType)
      return fail(Code::UnsupportedFeature)
             << "has elements of " << dataTypeName(tensor.data_type());
    if (tensor.has_segment())
      return fail(Code::UnsupportedFeature) << "is stored in segments";
    if (tensor.dims_size() > kMaxRank)
      return fail(Code::BadTensor) << "has rank " << tensor.dims_size()
                                   << ", expected at most " << kMaxRank;
    for (int64_t extent : tensor.dims())
      if (extent < 0)
        return fail(Code::BadTensor) << "has the extent " << extent;
    SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
    auto elements = elementCount(shape);
    if (!elements || llvm::MulOverflow(
                         *elements, eval::storageBytes(elementType), byteCount))
      return fail(Code::BadTensor)
             << "has more elements than 64 bits can count";
    count = *elements;
    if (data.narrow && !isString(data.narrow))
      byteCount =
          llvm::divideCeil(count, 8 / data.narrow.getIntOrFloatBitWidth());
    data.type = RankedTensorType::get(shape, elementType);
    return success();
  }

  /// At most one field may hold elements, and it must be the right one.
  LogicalResult checkHolders(const CutBytes *cut) {
    bool external = tensor.data_location() == TensorProto::EXTERNAL;
    int holders =
        external + (cut || tensor.has_raw_data()) +
        (tensor.float_data_size() > 0) + (tensor.int32_data_size() > 0) +
        (tensor.int64_data_size() > 0) + (tensor.double_data_size() > 0) +
        (tensor.uint64_data_size() > 0) + (tensor.string_data_size() > 0);
    if (holders > 1)
      return fail(Code::BadTensor)
             << "has elements in " << holders << " places, expected one";
    return success();
  }

  /// Of narrow types an entry is a byte, as in raw data.
  template <class To, class List>
  LogicalResult convert(TensorData &data, const List &list) {
    int64_t entries = data.narrow ? byteCount : count;
    if (list.size() != entries)
      return fail(Code::BadTensor)
             << "of type " << data.type << " needs " << entries
             << " elements, got " << list.size();
    data.owned = std::make_shared<std::string>();
    data.owned->resize(byteCount);
    char *to = data.owned->data();
    for (auto value : list) {
      To element = static_cast<To>(value);
      if (static_cast<decltype(value)>(element) != value && value == value)
        return fail(Code::BadTensor)
               << "has the element " << static_cast<int64_t>(value)
               << ", which is no " << data.type.getElementType();
      std::memcpy(to, &element, sizeof(To));
      to += sizeof(To);
    }
    data.bytes = *data.owned;
    return success();
  }

  bool isStrings() const { return tensor.data_type() == TensorProto::STRING; }

  LogicalResult readStrings(TensorData &data) {
    if (tensor.string_data_size() != count)
      return fail(Code::BadTensor)
             << "of strings needs " << count << " elements, got "
             << tensor.string_data_size();
    data.owned = std::make_shared<std::string>();
    for (const std::string &text : tensor.string_data()) {
      if (!llvm::json::isUTF8(text))
        return fail(Code::BadTensor)
               << "has the string " << quoted(text) << ", which is not UTF-8";
      int64_t number = strings->number(text);
      data.owned->append(reinterpret_cast<const char *>(&number),
                         sizeof number);
    }
    data.bytes = *data.owned;
    return success();
  }

  LogicalResult readTyped(TensorData &data) {
    if (data.narrow)
      return convert<uint8_t>(data, tensor.int32_data());
    switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return convert<float>(data, tensor.float_data());
    case TensorProto::DOUBLE:
      return convert<double>(data, tensor.double_data());
    case TensorProto::INT64:
      return convert<int64_t>(data, tensor.int64_data());
    case TensorProto::INT32:
      return convert<int32_t>(data, tensor.int32_data());
    case TensorProto::INT16:
      return convert<int16_t>(data, tensor.int32_data());
    case TensorProto::INT8:
      return convert<int8_t>(data, tensor.int32_data());
    case TensorProto::BOOL:
    case TensorProto::UINT8:
      return convert<uint8_t>(data, tensor.int32_data());
    case TensorProto::UINT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return convert<uint16_t>(data, tensor.int32_data());
    case TensorProto::UINT32:
      return convert<uint32_t>(data, tensor.uint64_data());
    case TensorProto::UINT64:
      return convert<uint64_t>(data, tensor.uint64_data());
    default:
      llvm_unreachable("readType has checked the element type");
    }
  }

  LogicalResult readExternal(TensorData &data, ExternalFiles &files) {
    StringRef location;
    uint64_t offset = 0, length = byteCount;
    for (const auto &entry : tensor.external_data()) {
      StringRef key = entry.key(), value = entry.value();
      if (key == "location")
        location = value;
      else if ((key == "offset" && value.getAsInteger(10, offset)) ||
               (key == "length" && value.getAsInteger(10, length)))
        return fail(Code::BadExternalData)
               << "has the " << key << " " << quoted(value)
               << ", expected a number";
    }
    if (length != static_cast<uint64_t>(byteCount))
      return fail(Code::BadExternalData)
             << "of type " << data.type << " needs " << byteCount
             << " bytes, external data has " << length;
    auto file = files.open(location);
    if (!file)
      return fail(Code::BadExternalData)
             << "has " << llvm::toString(file.takeError());
    uint64_t size = file->bytes.size();
    if (offset > size || length > size - offset)
      return fail(Code::BadExternalData)
             << "lies at bytes [" << offset << ", +" << length << ") of "
             << quoted(location) << ", which has " << size;
    data.bytes = file->bytes.substr(offset, length);
    data.blob = file->blob;
    data.offset = offset;
    return success();
  }

  Location loc;
  const TensorProto &tensor;
  Strings *strings;
  int64_t count = 0, byteCount = 0;
};

} // namespace

FailureOr<TensorData> readTensor(Location loc, const TensorProto &tensor,
                                 const CutBytes *cut, ExternalFiles &files,
                                 Strings *strings) {
  return Reader(loc, tensor, strings).read(cut, files);
}

} // namespace graven::onnx
