//===- ExportFile.cpp - the records of a .pt2 file ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ExportFile. Since PyTorch 2.9 each tensor is a record of
// raw bytes with its geometry in a JSON record; before, all tensors were in
// files of torch.save within the archive, and before 2.8 the archive had no
// root folder. Source: torch/export/pt2_archive, torch/_export/serde.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/ExportFile.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/Unpickler.h"

#include "llvm/Support/MathExtras.h"

using namespace graven;
using namespace graven::torch;
using namespace graven::torchexport;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static constexpr StringRef kOldProgram = "serialized_exported_program.json";
/// A tensor's rank; no model has more.
static constexpr size_t kMaxRank = 64;

std::optional<aten::ScalarType>
torchexport::scalarTypeFromExport(int64_t number) {
  using aten::ScalarType;
  switch (number) {
  case 1:
    return ScalarType::Byte;
  case 2:
    return ScalarType::Char;
  case 3:
    return ScalarType::Short;
  case 4:
    return ScalarType::Int;
  case 5:
    return ScalarType::Long;
  case 6:
    return ScalarType::Half;
  case 7:
    return ScalarType::Float;
  case 8:
    return ScalarType::Double;
  case 9:
    return ScalarType::ComplexHalf;
  case 10:
    return ScalarType::ComplexFloat;
  case 11:
    return ScalarType::ComplexDouble;
  case 12:
    return ScalarType::Bool;
  case 13:
    return ScalarType::BFloat16;
  case 28:
    return ScalarType::UInt16;
  case 29:
    return ScalarType::Float8E4M3FN;
  case 30:
    return ScalarType::Float8E5M2;
  case 31:
    return ScalarType::Float8E4M3FNUZ;
  case 32:
    return ScalarType::Float8E5M2FNUZ;
  case 34:
    return ScalarType::UInt32;
  case 35:
    return ScalarType::UInt64;
  default:
    return std::nullopt;
  }
}

std::string ExportFile::path(StringRef record) const {
  return zip->rootFolder().empty() ? record.str()
                                   : (zip->rootFolder() + "/" + record).str();
}

const ZipEntry *ExportFile::find(StringRef record) const {
  return zip->find(path(record));
}

/// The entries in a folder of the archive whose names end so.
static std::vector<StringRef> recordsIn(const ZipReader &zip, StringRef folder,
                                        StringRef suffix) {
  std::vector<StringRef> records;
  for (const ZipEntry &entry : zip.entries()) {
    StringRef name = entry.name;
    if (!zip.rootFolder().empty() &&
        !(name.consume_front(zip.rootFolder()) && name.consume_front("/")))
      continue;
    if (name.starts_with(folder) && name.ends_with(suffix) &&
        !name.drop_front(folder.size()).contains('/'))
      records.push_back(name);
  }
  return records;
}

bool ExportFile::isExport(const ZipReader &zip) {
  return zip.find(kOldProgram) || !recordsIn(zip, "models/", ".json").empty();
}

Expected<std::string> ExportFile::text(StringRef record) const {
  const ZipEntry *entry = find(record);
  if (!entry)
    return parseError("archive has no record '", record, "'");
  return zip->read(*entry);
}

Expected<std::unique_ptr<ExportFile>> ExportFile::open(StringRef bytes,
                                                       ZipReader zip) {
  auto result = std::make_unique<ExportFile>();
  result->file = bytes;
  result->zip = std::move(zip);
  if (Error error = result->read())
    return std::move(error);
  return std::move(result);
}

Error ExportFile::read() {
  if (find("byteorder")) {
    Expected<std::string> order = text("byteorder");
    if (!order)
      return order.takeError();
    bigEndian = StringRef(*order).trim() == "big";
  }
  if (Error error = readProgram())
    return error;
  if (StringRef(programRecord) == kOldProgram) {
    // PyTorch 2.1 and 2.2 named them .json.
    for (StringRef name :
         {"serialized_state_dict.pt", "serialized_state_dict.json",
          "serialized_constants.pt", "serialized_constants.json"})
      if (const ZipEntry *entry = find(name))
        if (entry->size > 0)
          if (Error error = readNested(name))
            return error;
    return Error::success();
  }
  StringRef model =
      StringRef(programRecord).drop_front(strlen("models/")).drop_back(5);
  for (StringRef folder : {"data/weights/", "data/constants/"}) {
    StringRef kind = folder == "data/weights/" ? "weights" : "constants";
    std::string config = (folder + model + "_" + kind + "_config.json").str();
    std::string saved = (folder + model + ".pt").str();
    if (find(config)) {
      if (Error error = readConfig(config, folder))
        return error;
    } else if (find(saved)) {
      if (Error error = readNested(saved))
        return error;
    }
  }
  return Error::success();
}

Error ExportFile::readProgram() {
  if (find(kOldProgram)) {
    programRecord = kOldProgram.str();
  } else {
    std::vector<StringRef> models = recordsIn(*zip, "models/", ".json");
    if (models.size() != 1)
      return parseError("archive has ", models.size(),
                        " programs in models/, expected one");
    programRecord = models.front().str();
  }
  Expected<std::string> content = text(programRecord);
  if (!content)
    return content.takeError();
  auto object = parseObject(*content, programRecord);
  if (!object)
    return object.takeError();
  programObject = std::move(*object);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Static sizes of a TensorMeta: [{"as_int": 3}, ...].
static bool readSizes(const json::Object &meta, StringRef key,
                      llvm::SmallVectorImpl<int64_t> &sizes) {
  for (const json::Value &item : listIn(meta, key)) {
    auto size = asUnion(item);
    std::optional<int64_t> value =
        size ? size->value->getAsInteger() : item.getAsInteger();
    if (!value || *value < 0)
      return false;
    sizes.push_back(*value);
  }
  return sizes.size() <= kMaxRank;
}

/// The elements from a storage's first to the last that the tensor reaches.
static std::optional<uint64_t> extentOf(const PickleTensor &tensor) {
  int64_t last = tensor.offset, count = 1;
  for (auto [size, stride] : llvm::zip(tensor.sizes, tensor.strides)) {
    int64_t step = 0;
    if (llvm::MulOverflow(count, size, count) ||
        (size > 0 && (llvm::MulOverflow(size - 1, stride, step) ||
                      llvm::AddOverflow(last, step, last))))
      return std::nullopt;
  }
  return count == 0 ? 0 : static_cast<uint64_t>(last) + 1;
}

Error ExportFile::readConfig(StringRef record, StringRef folder) {
  Expected<std::string> content = text(record);
  if (!content)
    return content.takeError();
  auto config = parseObject(*content, record);
  if (!config)
    return config.takeError();
  const json::Object *entries = config->getObject("config");
  if (!entries)
    return parseError(record, ": no object 'config'");
  for (const auto &[name, value] : *entries) {
    auto damaged = [&](StringRef what) {
      return parseError(record, ": tensor '", printable(name.str()), "' ",
                        what);
    };
    const json::Object *entry = value.getAsObject();
    auto file = entry ? entry->getString("path_name") : std::nullopt;
    if (!file)
      return damaged("has no path_name");
    const json::Object *meta = entry->getObject("tensor_meta");
    PickleTensor &tensor = tensors[name.str()];
    tensor.requiresGrad = entry->getBoolean("is_param").value_or(false);
    if (!meta || entry->getBoolean("use_pickle").value_or(false)) {
      // A subclass of Tensor, or an object that is none.
      tensor.unsupported = "stored as a pickled object";
      continue;
    }
    auto type = scalarTypeFromExport(meta->getInteger("dtype").value_or(0));
    if (!type)
      return damaged("has an unknown dtype");
    llvm::SmallVector<int64_t, 1> offset;
    if (!readSizes(*meta, "sizes", tensor.sizes) ||
        !readSizes(*meta, "strides", tensor.strides) ||
        tensor.sizes.size() != tensor.strides.size())
      return damaged("has sizes or strides that are no lists of ints");
    if (const json::Value *at = meta->get("storage_offset")) {
      auto member = asUnion(*at);
      tensor.offset =
          (member ? member->value->getAsInteger() : at->getAsInteger())
              .value_or(-1);
    }
    auto elements = extentOf(tensor);
    if (tensor.offset < 0 || !elements)
      return damaged("has an offset, sizes and strides out of bounds");
    tensor.storage.type = *type;
    tensor.storage.key = (folder + *file).str();
    tensor.storage.numel = *elements;
  }
  return Error::success();
}

Error ExportFile::readNested(StringRef record) {
  const ZipEntry *entry = find(record);
  Expected<StringRef> content = zip->view(*entry);
  if (!content)
    return content.takeError();
  Expected<ZipReader> inner = ZipReader::open(*content);
  if (!inner)
    return parseError(record, ": ", llvm::toString(inner.takeError()));
  const ZipEntry *pickle =
      inner->find((inner->rootFolder() + "/data.pkl").str());
  if (!pickle)
    return parseError(record, ": archive has no record 'data.pkl'");
  Expected<std::string> text = inner->read(*pickle);
  if (!text)
    return text.takeError();
  UnpickleOptions options;
  std::string name = (record + "/data.pkl").str();
  options.record = name;
  auto isClass = [](StringRef) { return false; };
  options.isClass = isClass;
  Expected<PickleValue *> value = unpickle(*text, arena, options);
  if (!value)
    return value.takeError();
  nested.push_back({std::move(*inner), entry->dataOffset});
  return readNestedValue(**value, record);
}

Error ExportFile::readNestedValue(const PickleValue &value, StringRef record) {
  if (!value.is(PickleValue::Kind::Dict))
    return parseError(record, ": expected a dict of tensors");
  for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const PickleValue &key = *value.items[i], &item = *value.items[i + 1];
    if (!key.is(PickleValue::Kind::String))
      return parseError(record, ": a key is no string");
    if (!item.is(PickleValue::Kind::Tensor))
      continue; // objects of TorchScript classes
    PickleTensor &tensor = tensors[key.text];
    tensor.storage = item.tensor->storage;
    tensor.storage.key =
        std::to_string(nested.size() - 1) + ":" + tensor.storage.key;
    tensor.offset = item.tensor->offset;
    tensor.sizes = item.tensor->sizes;
    tensor.strides = item.tensor->strides;
    tensor.requiresGrad = item.tensor->requiresGrad;
    tensor.unsupported = item.tensor->unsupported;
  }
  return Error::success();
}

const PickleTensor *ExportFile::tensor(StringRef name) const {
  auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}

Expected<StorageBytes> ExportFile::storage(StringRef,
                                           const PickleStorage &storage) const {
  if (storage.numel == 0)
    return StorageBytes();
  const ZipReader *archive = &*zip;
  uint64_t base = 0;
  std::string name = path(storage.key);
  // "0:5" is the storage 5 of the first file within.
  auto [index, key] = StringRef(storage.key).split(':');
  size_t number = 0;
  if (!key.empty() && !index.getAsInteger(10, number) &&
      number < nested.size()) {
    archive = &nested[number].zip;
    base = nested[number].offset;
    name = (archive->rootFolder() + "/data/" + key).str();
  }
  auto place = storageIn(*archive, name, storage.key, storage);
  if (place)
    place->offset += base;
  return place;
}
