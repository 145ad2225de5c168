//===- Parameters.cpp - the tensors of a file as Parameters ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the making of Parameters: a tensor becomes a blob of
// the mapped file with its strides, and tensors that are the same bytes in the
// same order become one Parameter.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/Parameters.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/aten/Complex.h"
#include "frontends/aten/Emitter.h"
#include "frontends/torchfile/Errors.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;

/// Constants of at most this many elements stand in the graph itself.
static constexpr int64_t kMaxConstant = 1024;

llvm::Expected<StorageBytes> torch::storageIn(const ZipReader &zip,
                                              StringRef record, StringRef name,
                                              const PickleStorage &storage) {
  const ZipEntry *entry = zip.find(record);
  if (!entry)
    return parseError("tensor storage '", printable(name),
                      "' is not in the archive");
  llvm::Expected<StringRef> view = zip.view(*entry);
  if (!view)
    return view.takeError();
  uint64_t length = 0, itemSize = aten::itemSize(storage.type);
  if (__builtin_mul_overflow(storage.numel, itemSize, &length) ||
      length > view->size())
    return parseError("tensor storage '", printable(name), "' has ",
                      view->size(), " bytes, expected ", storage.numel,
                      " elements of ", aten::name(storage.type));
  return StorageBytes{entry->dataOffset, length};
}

ParameterLoader::ParameterLoader(const StorageFile &file,
                                 mlir::OpBuilder &builder,
                                 mlir::Operation *module, std::string blob,
                                 const ImportOptions &options)
    : file(file), builder(builder), module(module),
      entry(builder.getInsertionBlock()), blob(std::move(blob)),
      options(options) {}

mlir::DenseElementsAttr
ParameterLoader::readElements(const PickleTensor &tensor,
                              mlir::RankedTensorType type,
                              StringRef bytes) const {
  size_t width = aten::itemSize(tensor.storage.type);
  std::vector<char> dense;
  dense.reserve(type.getNumElements() * width);
  eval::forEachIndex(type.getShape(), [&](llvm::ArrayRef<int64_t> index) {
    uint64_t at = tensor.offset;
    for (auto [i, stride] : llvm::zip(index, tensor.strides))
      at += i * stride;
    StringRef element = bytes.substr(at * width, width);
    if (file.isBigEndian())
      dense.insert(dense.end(), element.rbegin(), element.rend());
    else
      dense.insert(dense.end(), element.begin(), element.end());
  });
  return eval::Tensor::fromBytes(type, dense).toElements();
}

/// Whether the strides are those of dense row-major elements.
static bool isDense(const PickleTensor &tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected)
      return false;
    expected *= tensor.sizes[i];
  }
  return true;
}

/// The same for tensors that are the same bytes in the same order.
static std::string geometry(const PickleTensor &tensor, StringRef folder) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  stream << folder << "/" << tensor.storage.key << "/"
         << static_cast<int>(tensor.storage.type) << "/" << tensor.offset;
  for (auto [size, stride] : llvm::zip(tensor.sizes, tensor.strides))
    stream << "," << size << ":" << stride;
  return key;
}

/// A complex tensor as one of floats with an axis more, of real and imaginary
/// parts; nothing for other tensors.
static std::optional<PickleTensor> asPairs(const PickleTensor &tensor) {
  bool isWide = tensor.storage.type == aten::ScalarType::ComplexDouble;
  if (!isWide && tensor.storage.type != aten::ScalarType::ComplexFloat)
    return std::nullopt;
  PickleTensor pairs = tensor;
  pairs.storage.type =
      isWide ? aten::ScalarType::Double : aten::ScalarType::Float;
  pairs.storage.numel *= 2;
  pairs.offset *= 2;
  for (int64_t &stride : pairs.strides)
    stride *= 2;
  pairs.sizes.push_back(2);
  pairs.strides.push_back(1);
  return pairs;
}

aten::Value ParameterLoader::load(const PickleTensor &tensor, StringRef name,
                                  StringRef folder, bool isBuffer,
                                  mlir::Location loc) {
  auto fail = [&](Code code, const llvm::Twine &what) {
    emitCoded(loc, code) << "tensor '" << name << "' " << what;
    return aten::Value::unknown();
  };
  if (!tensor.unsupported.empty())
    return fail(Code::UnsupportedFeature, "is " + tensor.unsupported);
  if (auto pairs = asPairs(tensor); pairs && !options.weight(name)) {
    aten::Value value = load(*pairs, name, folder, isBuffer, loc);
    if (!value.is(aten::Value::Kind::Tensor))
      return value;
    mlir::OpBuilder::InsertionGuard inEntry(builder);
    if (builder.getInsertionBlock() != entry)
      builder.setInsertionPointToStart(entry);
    return aten::ComplexTensor::ofPairs({builder, loc}, value.tensor());
  }
  mlir::Type element = aten::toMLIR(builder.getContext(), tensor.storage.type);
  bool isSmallFloat = aten::isFloating(tensor.storage.type) &&
                      aten::itemSize(tensor.storage.type) == 1;
  if (!element || isSmallFloat)
    return fail(Code::UnsupportedFeature,
                "has elements of type " + aten::name(tensor.storage.type));
  auto type = mlir::RankedTensorType::get(tensor.sizes, element);
  // Other Blocks may use it later.
  mlir::OpBuilder::InsertionGuard inEntry(builder);
  if (builder.getInsertionBlock() != entry)
    builder.setInsertionPointToStart(entry);
  aten::Emitter emitter(builder, loc);
  if (type.getNumElements() == 0)
    return aten::Value(
        aten::Tensor::make(emitter.full(element, type.getShape(), int64_t(0))));
  auto place = file.storage(folder, tensor.storage);
  if (!place)
    return fail(Code::BadTensor,
                "is damaged: " + llvm::toString(place.takeError()));
  mlir::Attribute other = options.weight(name);
  if (!other && folder == "constants" && type.getNumElements() <= kMaxConstant)
    return aten::Value(aten::Tensor::make(
        emitter.constant(readElements(tensor, type, file.bytes(*place)))));

  std::string key = geometry(tensor, folder);
  std::string &symbol = names[key];
  if (symbol.empty()) {
    symbol = name.str();
    if (unsigned count = used[name]++)
      symbol += "_" + std::to_string(count);
    int64_t skipped = tensor.offset * aten::itemSize(tensor.storage.type);
    llvm::ArrayRef<int64_t> strides;
    if (!isDense(tensor))
      strides = tensor.strides;
    if (!other)
      other =
          BlobAttr::get(builder.getContext(), blob, place->offset + skipped,
                        place->length - skipped, strides, file.isBigEndian());
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&module->getRegion(0).front());
    auto unit = [&](bool set) {
      return set ? builder.getUnitAttr() : mlir::UnitAttr();
    };
    ParamOp::create(builder, loc, builder.getStringAttr(symbol),
                    mlir::TypeAttr::get(type), other, unit(tensor.requiresGrad),
                    unit(isBuffer), mlir::StringAttr());
  }
  mlir::Value read = GetParamOp::create(builder, loc, type, symbol);
  auto result = aten::Tensor::make(read);
  result->setParameterName(symbol);
  loaded.push_back({result, read});
  return aten::Value(result);
}

void ParameterLoader::warnOfWrites(mlir::Location loc) const {
  for (const auto &[tensor, initial] : loaded)
    if (tensor->wasWritten())
      mlir::emitWarning(loc)
          << "the model writes its buffer '" << tensor->parameterName()
          << "', which the compiled model does not keep between runs; --state "
             "explicit makes inputs and outputs of it";
}
