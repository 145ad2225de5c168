//===- LegacyFile.cpp - torch.save before PyTorch 1.6 ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading the legacy form: pickles of a magic number, a
// version, the machine, the object and the keys of its storages, and then for
// each key the number of elements and the elements. Source: PyTorch,
// torch/serialization.py, _legacy_save.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/StateDict.h"
#include "frontends/torchfile/Unpickler.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"

using namespace graven;
using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

/// The pickle of the magic number 0x1950a86a20f9469cfc6c.
static constexpr StringRef kMagic =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
static constexpr int64_t kVersion = 1001;

bool torch::isLegacyFile(StringRef bytes) { return bytes.starts_with(kMagic); }

namespace {
class LegacyReader {
public:
  explicit LegacyReader(StringRef bytes)
      : bytes(bytes), position(kMagic.size()) {}
  Error read(Weights &weights);

private:
  /// The next pickle; `record` is what errors call it.
  Expected<PickleValue *> next(StringRef record);
  Error readHead(Weights &weights);
  /// Finds the storages, in the order of `keys`.
  Error placeStorages(const PickleValue &keys);

  StringRef bytes;
  size_t position;
  PickleArena arena;
  llvm::StringMap<StorageBytes> places;
};
} // namespace

Expected<PickleValue *> LegacyReader::next(StringRef record) {
  // Positions in errors are those of the pickle; the name says where it is.
  std::string name =
      (record + " (at byte " + llvm::Twine(position) + " of the file)").str();
  UnpickleOptions options;
  options.record = name;
  options.unknown = UnknownGlobals::Opaque;
  size_t end = 0;
  options.end = &end;
  Expected<PickleValue *> value =
      unpickle(bytes.drop_front(position), arena, options);
  position += end;
  return value;
}

Error LegacyReader::readHead(Weights &weights) {
  Expected<PickleValue *> version = next("protocol version");
  if (!version)
    return version.takeError();
  if (!(*version)->is(Kind::Int) || (*version)->integer != kVersion)
    return parseError("legacy file of a protocol version other than ",
                      kVersion);
  Expected<PickleValue *> machine = next("description of the machine");
  if (!machine)
    return machine.takeError();
  const PickleValue *little = (*machine)->lookup("little_endian");
  if (!little || !little->is(Kind::Bool))
    return parseError("legacy file does not say its byte order");
  weights.bigEndian = !little->integer;
  return Error::success();
}

Error LegacyReader::placeStorages(const PickleValue &keys) {
  // Of what type, and how many elements.
  llvm::StringMap<const PickleStorage *> storages;
  for (const PickleValue &value : arena.all())
    if (value.is(Kind::Storage))
      storages.try_emplace(value.tensor->storage.key, &value.tensor->storage);
  if (!keys.is(Kind::List))
    return parseError("legacy file has no list of storages");
  for (const PickleValue *key : keys.items) {
    auto fail = [&](StringRef what) {
      return parseError("storage '", printable(key->text), "' at byte ",
                        position, " ", what);
    };
    auto found = storages.find(key->text);
    if (!key->is(Kind::String) || found == storages.end())
      return fail("is used by no tensor");
    const PickleStorage &storage = *found->second;
    if (bytes.size() - position < 8)
      return fail("is cut off");
    uint64_t count = llvm::support::endian::read64le(bytes.data() + position);
    position += 8;
    uint64_t length = 0;
    if (count != storage.numel)
      return fail("has another number of elements than its tensors say");
    if (__builtin_mul_overflow(count, aten::itemSize(storage.type), &length) ||
        length > bytes.size() - position)
      return fail("leaves the file");
    if (!places.try_emplace(key->text, StorageBytes{position, length}).second)
      return fail("occurs twice");
    position += length;
  }
  if (position != bytes.size())
    return parseError("legacy file has ", bytes.size() - position,
                      " bytes behind its storages");
  return Error::success();
}

Error LegacyReader::read(Weights &weights) {
  if (Error error = readHead(weights))
    return error;
  Expected<PickleValue *> object = next("object");
  if (!object)
    return object.takeError();
  Expected<PickleValue *> keys = next("list of storages");
  if (!keys)
    return keys.takeError();
  if (Error error = placeStorages(**keys))
    return error;
  auto find = [&](const PickleStorage &storage) -> Expected<StorageBytes> {
    auto it = places.find(storage.key);
    uint64_t length = 0;
    if (it == places.end())
      return parseError("storage '", printable(storage.key),
                        "' is not in the file");
    if (__builtin_mul_overflow(storage.numel, aten::itemSize(storage.type),
                               &length) ||
        length > it->second.length)
      return parseError("storage '", printable(storage.key), "' has ",
                        it->second.length, " bytes, expected ", storage.numel,
                        " elements of ", aten::name(storage.type));
    return StorageBytes{it->second.offset, length};
  };
  return addTensors(weights, **object, "object", find);
}

Expected<Weights>
torch::readLegacyFile(std::shared_ptr<llvm::MemoryBuffer> file) {
  Weights weights;
  LegacyReader reader(file->getBuffer());
  if (Error error = reader.read(weights))
    return std::move(error);
  weights.format += " of torch.save, legacy form";
  weights.files.push_back(std::move(file));
  return weights;
}
