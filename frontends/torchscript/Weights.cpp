//===- Weights.cpp - the tensors of a TorchScript archive ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements listing the tensors of an archive's modules without
// running anything: their names are those of the importer's Parameters.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Import.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/StateDict.h"
#include "frontends/torchscript/Archive.h"

using namespace graven;
using namespace graven::torch;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Kind = PickleValue::Kind;

/// Modules within modules, and attributes of all of them: modules may be met
/// more than once.
static constexpr unsigned kMaxDepth = 200;
static constexpr size_t kMaxVisits = 4000000;

namespace {
class Walk {
public:
  Walk(Archive &archive, Weights &weights)
      : archive(archive), weights(weights) {}

  Error visit(const PickleValue &object, StringRef path, unsigned depth) {
    if (depth > kMaxDepth)
      return parseError("data.pkl: modules are nested more than ", kMaxDepth,
                        " deep");
    if (object.items.empty() || !object.items[0]->is(Kind::Dict))
      return Error::success();
    Expected<DefinedClass> type = archive.findClass(object.text);
    if (!type)
      return type.takeError();
    const auto &items = object.items[0]->items;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (++visits > kMaxVisits)
        return parseError("data.pkl: more than ", kMaxVisits, " attributes");
      const PickleValue &key = *items[i], &value = *items[i + 1];
      if (!value.is(Kind::Object) && !value.is(Kind::Tensor))
        continue;
      std::string name =
          path.empty() ? key.text : (path + "." + key.text).str();
      if (Error error = value.is(Kind::Object)
                            ? visit(value, name, depth + 1)
                            : add(*value.tensor, name, *type, key.text))
        return error;
    }
    return Error::success();
  }

private:
  Error add(const PickleTensor &tensor, StringRef name,
            const DefinedClass &type, StringRef attribute) {
    bool isOwn =
        type && (llvm::is_contained(type.definition->parameters, attribute) ||
                 llvm::is_contained(type.definition->buffers, attribute));
    auto find = [&](const PickleStorage &storage) {
      return archive.storage("data", storage);
    };
    return addTensor(weights, tensor, name, find,
                     isOwn ? WeightRole::Parameter : WeightRole::Optional);
  }

  Archive &archive;
  Weights &weights;
  size_t visits = 0;
};
} // namespace

Expected<Weights>
graven::torchScriptWeights(std::shared_ptr<llvm::MemoryBuffer> file,
                           ZipReader zip) {
  auto archive = Archive::open(file->getBuffer(), std::move(zip));
  if (!archive)
    return archive.takeError();
  Weights weights;
  weights.format = "TorchScript";
  weights.bigEndian = (*archive)->isBigEndian();
  if (Error error = Walk(**archive, weights).visit(*(*archive)->root(), "", 0))
    return std::move(error);
  weights.files.push_back(std::move(file));
  return weights;
}
