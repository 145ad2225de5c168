//===- Weights.cpp - tensors and symbols of a .pt2 file ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements listing the tensors that an exported program's signature
// names, and the ranges of its symbols, without reading the program.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/ExportFile.h"
#include "frontends/torchexport/Import.h"
#include "frontends/torchfile/Errors.h"
#include "frontends/torchfile/StateDict.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// Adds the tensor of one input's specification, if it is one.
static Error addInput(Weights &weights, const ExportFile &file,
                      const Union &spec) {
  const json::Object *object = spec.value->getAsObject();
  StringRef key = spec.tag == "parameter"         ? "parameter_name"
                  : spec.tag == "buffer"          ? "buffer_name"
                  : spec.tag == "tensor_constant" ? "tensor_constant_name"
                                                  : "";
  auto name = object && !key.empty() ? object->getString(key) : std::nullopt;
  const torch::PickleTensor *tensor = name ? file.tensor(*name) : nullptr;
  if (!tensor)
    return Error::success();
  // A state_dict has no buffers that are not persistent.
  bool isOwn = spec.tag != "tensor_constant" &&
               object->getBoolean("persistent").value_or(true);
  auto find = [&](const torch::PickleStorage &storage) {
    return file.storage("data", storage);
  };
  return torch::addTensor(weights, *tensor, *name, find,
                          isOwn ? WeightRole::Parameter : WeightRole::Optional);
}

Expected<Weights>
graven::torchExportWeights(std::shared_ptr<llvm::MemoryBuffer> buffer,
                           torch::ZipReader zip) {
  auto file = ExportFile::open(buffer->getBuffer(), std::move(zip));
  if (!file)
    return file.takeError();
  Weights weights;
  weights.format = "torch.export";
  weights.bigEndian = (*file)->isBigEndian();
  const json::Object *module = (*file)->program().getObject("graph_module");
  const json::Object *signature =
      module ? module->getObject("signature") : nullptr;
  if (!signature)
    return torch::parseError((*file)->programName(), ": no signature");
  for (const json::Value &item : listIn(*signature, "input_specs"))
    if (auto spec = asUnion(item))
      if (Error error = addInput(weights, **file, *spec))
        return std::move(error);
  weights.files.push_back(std::move(buffer));
  return weights;
}

Expected<std::vector<SymbolRange>>
graven::torchExportSymbols(StringRef bytes, torch::ZipReader zip) {
  auto file = ExportFile::open(bytes, std::move(zip));
  if (!file)
    return file.takeError();
  std::vector<SymbolRange> result;
  if (const json::Object *ranges =
          (*file)->program().getObject("range_constraints"))
    for (const auto &[symbol, value] : *ranges)
      if (const json::Object *range = value.getAsObject())
        result.push_back(
            {symbol.str(),
             std::max<int64_t>(range->getInteger("min_val").value_or(1), 1),
             range->getInteger("max_val")});
  llvm::sort(result, [](const SymbolRange &a, const SymbolRange &b) {
    return a.symbol < b.symbol;
  });
  return result;
}
