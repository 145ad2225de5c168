//===- StateDict.cpp - what torch.save wrote ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk over a pickled object: dicts, lists and modules
// give names, tensors become Weights. A module's own attributes are left alone;
// any other object is opaque.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/StateDict.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/Unpickler.h"

#include "llvm/ADT/StringSet.h"

using namespace graven;
using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

/// Containers within containers.
static constexpr unsigned kMaxDepth = 200;
/// Values of the walk: what is shared is met once for each of its names.
static constexpr size_t kMaxVisits = 4000000;
/// Bytes of a name.
static constexpr size_t kMaxName = 4096;

bool torch::isSavedObject(const ZipReader &zip) {
  StringRef root = zip.rootFolder();
  auto has = [&](const llvm::Twine &record) {
    return zip.find((root + "/" + record).str()) != nullptr;
  };
  if (root.empty() || !has("data.pkl") || has("constants.pkl"))
    return false;
  std::string code = (root + "/code/").str();
  return llvm::none_of(zip.entries(), [&](const ZipEntry &entry) {
    return entry.name.starts_with(code);
  });
}

Error torch::addTensor(Weights &weights, const PickleTensor &tensor,
                       StringRef name, FindStorage find, WeightRole role) {
  WeightTensor result;
  result.name = name.str();
  result.type = tensor.storage.type;
  result.sizes = tensor.sizes;
  result.strides = tensor.strides;
  result.offset = tensor.offset;
  result.role = role;
  result.unsupported = tensor.unsupported;
  if (result.hasBytes()) {
    Expected<StorageBytes> place = find(tensor.storage);
    if (!place)
      return place.takeError();
    result.begin = place->offset;
    result.length = place->length;
  }
  weights.tensors.push_back(std::move(result));
  return Error::success();
}

namespace {
class Walk {
public:
  Walk(Weights &weights, StringRef record, FindStorage find)
      : weights(weights), record(record), find(find) {}

  Error visit(const PickleValue &value, const std::string &name,
              unsigned depth);

private:
  Error visitDict(const PickleValue &dict, const std::string &name,
                  unsigned depth);
  Error visitModule(const PickleValue &state, const std::string &name,
                    unsigned depth);
  Error add(const PickleTensor &tensor, StringRef name, WeightRole role);
  void addOpaque(const PickleValue &value, StringRef name, StringRef what) {
    std::string place = record.str();
    if (value.integer)
      place += ": pickle byte " + std::to_string(value.integer);
    weights.opaque.push_back({name.str(), what.str(), std::move(place)});
  }

  Weights &weights;
  StringRef record;
  FindStorage find;
  llvm::StringSet<> names;
  size_t visits = 0;
};
} // namespace

static std::string join(StringRef name, StringRef key) {
  return name.empty() ? key.str() : (name + "." + key).str();
}

/// The state of a module: a dict that has the dicts of one; else null.
static const PickleValue *moduleState(const PickleValue &value) {
  if (!value.is(Kind::Object) || value.items.empty())
    return nullptr;
  const PickleValue *state = value.items[0];
  for (StringRef key : {"_parameters", "_buffers", "_modules"}) {
    const PickleValue *part = state->lookup(key);
    if (!part || !part->is(Kind::Dict))
      return nullptr;
  }
  return state;
}

Error Walk::add(const PickleTensor &tensor, StringRef name, WeightRole role) {
  if (!names.insert(name).second)
    return parseError(record, ": two tensors are called '", printable(name),
                      "'");
  if (Error error = addTensor(weights, tensor, name, find, role))
    return parseError(record, ": tensor '", printable(name),
                      "': ", llvm::toString(std::move(error)));
  return Error::success();
}

Error Walk::visitDict(const PickleValue &dict, const std::string &name,
                      unsigned depth) {
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue &key = *dict.items[i], &value = *dict.items[i + 1];
    std::string own;
    if (key.is(Kind::String))
      own = key.text;
    else if (key.is(Kind::Int))
      own = std::to_string(key.integer);
    else if (!value.is(Kind::Tensor) && value.items.empty())
      continue;
    else
      return parseError(record, ": '", printable(name),
                        "' has a key that is neither a string nor an int");
    if (Error error = visit(value, join(name, own), depth + 1))
      return error;
  }
  return Error::success();
}

Error Walk::visitModule(const PickleValue &state, const std::string &name,
                        unsigned depth) {
  // A state_dict has no buffers that were registered as not persistent.
  llvm::StringSet<> transient;
  if (const PickleValue *set = state.lookup("_non_persistent_buffers_set"))
    for (const PickleValue *item : set->items)
      transient.insert(item->text);
  for (StringRef part : {"_parameters", "_buffers"}) {
    const PickleValue &dict = *state.lookup(part);
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue &key = *dict.items[i], &value = *dict.items[i + 1];
      if (!value.is(Kind::Tensor))
        continue;
      if (++visits > kMaxVisits)
        return parseError(record, ": more than ", kMaxVisits, " values");
      bool isTransient = part == "_buffers" && transient.contains(key.text);
      if (Error error =
              add(*value.tensor, join(name, key.text),
                  isTransient ? WeightRole::Optional : WeightRole::Parameter))
        return error;
    }
  }
  return visitDict(*state.lookup("_modules"), name, depth);
}

Error Walk::visit(const PickleValue &value, const std::string &name,
                  unsigned depth) {
  if (depth > kMaxDepth || name.size() > kMaxName)
    return parseError(record, ": '", printable(name), "' is nested more than ",
                      kMaxDepth, " deep or has a name of more than ", kMaxName,
                      " bytes");
  if (++visits > kMaxVisits)
    return parseError(record, ": more than ", kMaxVisits, " values");
  switch (value.kind) {
  case Kind::None:
  case Kind::Bool:
  case Kind::Int:
  case Kind::Float:
  case Kind::Complex:
  case Kind::String:
  case Kind::Device:
  case Kind::Global: // a dtype, a class
    return Error::success();
  case Kind::Tensor:
    return add(*value.tensor, name.empty() ? "tensor" : name,
               WeightRole::Parameter);
  case Kind::Dict:
    return visitDict(value, name, depth);
  case Kind::List:
  case Kind::Tuple:
    for (auto [i, item] : llvm::enumerate(value.items))
      if (Error error = visit(*item, join(name, std::to_string(i)), depth + 1))
        return error;
    return Error::success();
  case Kind::Object:
    if (const PickleValue *state = moduleState(value))
      return visitModule(*state, name, depth);
    addOpaque(value, name, value.text);
    return Error::success();
  case Kind::Enum:
  case Kind::Opaque:
    addOpaque(value, name, value.text);
    return Error::success();
  case Kind::Storage:
    addOpaque(value, name, "a storage without a tensor");
    return Error::success();
  }
  return Error::success();
}

static StringRef describe(const PickleValue &root) {
  if (moduleState(root))
    return "pickled module";
  if (!root.is(Kind::Dict))
    return "saved tensors";
  for (size_t i = 1; i < root.items.size(); i += 2)
    if (!root.items[i]->is(Kind::Tensor))
      return "checkpoint";
  return "state_dict";
}

Error torch::addTensors(Weights &weights, const PickleValue &root,
                        StringRef record, FindStorage find) {
  weights.format = describe(root);
  return Walk(weights, record, find).visit(root, "", 0);
}

Expected<Weights>
torch::readSavedObject(std::shared_ptr<llvm::MemoryBuffer> file,
                       const ZipReader &zip) {
  Weights weights;
  auto path = [&](StringRef record) {
    return (zip.rootFolder() + "/" + record).str();
  };
  if (const ZipEntry *order = zip.find(path("byteorder"))) {
    Expected<std::string> text = zip.read(*order);
    if (!text)
      return text.takeError();
    weights.bigEndian = StringRef(*text).trim() == "big";
  }
  Expected<std::string> bytes = zip.read(*zip.find(path("data.pkl")));
  if (!bytes)
    return bytes.takeError();
  UnpickleOptions options;
  options.record = "data.pkl";
  options.unknown = UnknownGlobals::Opaque;
  PickleArena arena;
  Expected<PickleValue *> root = unpickle(*bytes, arena, options);
  if (!root)
    return root.takeError();
  auto find = [&](const PickleStorage &storage) {
    std::string name = "data/" + storage.key;
    return storageIn(zip, path(name), name, storage);
  };
  if (Error error = addTensors(weights, **root, "data.pkl", find))
    return std::move(error);
  weights.format += " of torch.save";
  weights.files.push_back(std::move(file));
  return weights;
}
