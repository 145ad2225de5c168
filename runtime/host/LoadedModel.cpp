//===- LoadedModel.cpp - a compiled model loaded from its file --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements loading an artifact with dlopen and running it. It uses
// the support functions inside the artifact, which fit the artifact's version.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/LoadedModel.h"
#include "runtime/host/ElfFile.h"

#include <algorithm>
#include <charconv>

#include <dlfcn.h>

using namespace graven::rt;

void LoadedModel::CloseLibrary::operator()(void *library) const {
  ::dlclose(library);
}

LoadedModel &LoadedModel::operator=(LoadedModel &&other) noexcept {
  // Not member by member: that would unload the code of the pool that is left.
  std::swap(library, other.library);
  std::swap(model, other.model);
  std::swap(pool, other.pool);
  std::swap(workspace, other.workspace);
  return *this;
}

/// Reads the version before anything else: only it has a place that is certain.
Status LoadedModel::checkTable(const std::string &path) const {
  if (model->abi_version != GRAVEN_ABI_VERSION)
    return Error{path + ": expected abi version " +
                 std::to_string(GRAVEN_ABI_VERSION) + ", got " +
                 std::to_string(model->abi_version)};
  if (model->struct_size != sizeof(GravenModel))
    return Error{path + ": expected a model table of " +
                 std::to_string(sizeof(GravenModel)) + " bytes, got " +
                 std::to_string(model->struct_size)};
  if (!model->variants || !model->support || !model->name)
    return Error{path + ": the model table is incomplete"};
  if (model->support->abi_version != GRAVEN_ABI_VERSION ||
      model->support->struct_size != sizeof(GravenSupport))
    return Error{path + ": expected support functions of abi version " +
                 std::to_string(GRAVEN_ABI_VERSION) + ", got " +
                 std::to_string(model->support->abi_version)};
  return {};
}

Status LoadedModel::createWorkspace() {
  if (model->workspace_size <= 0)
    return {};
  Result<Buffer> buffer =
      Buffer::allocate(static_cast<size_t>(model->workspace_size),
                       static_cast<size_t>(model->workspace_alignment));
  if (!buffer)
    return buffer.takeError();
  workspace = std::move(*buffer);
  return {};
}

Result<LoadedModel> LoadedModel::load(const std::string &path,
                                      const std::string &name) {
  // Without a slash dlopen would search the system's libraries.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  if (Status status = checkSharedObject(path); !status)
    return status.takeError();
  LoadedModel loaded;
  loaded.library.reset(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!loaded.library) {
    const char *reason = ::dlerror();
    return Error{path + ": cannot be loaded: " + (reason ? reason : "unknown")};
  }
  std::string symbol = name.empty() ? "graven_model" : name + "_model";
  loaded.model = static_cast<const GravenModel *>(
      ::dlsym(loaded.library.get(), symbol.c_str()));
  if (!loaded.model)
    return Error{path + ": not a compiled model: no symbol '" + symbol + "'"};
  Status status = loaded.checkTable(path);
  if (status)
    status = loaded.createWorkspace();
  if (!status)
    return status.takeError();
  return loaded;
}

Result<size_t> LoadedModel::findInput(std::string_view nameOrIndex) const {
  size_t index = 0;
  for (const GravenTensorInfo &info : inputs()) {
    if (nameOrIndex == info.name)
      return index;
    ++index;
  }
  const char *end = nameOrIndex.data() + nameOrIndex.size();
  auto [stop, error] = std::from_chars(nameOrIndex.data(), end, index);
  if (error == std::errc() && stop == end && index < inputs().size())
    return index;
  std::string known;
  for (const GravenTensorInfo &info : inputs())
    known += (known.empty() ? "'" : ", '") + std::string(info.name) + "'";
  return Error{"model '" + std::string(name()) + "' has no input '" +
               std::string(nameOrIndex) + "', only " +
               (known.empty() ? "no inputs" : known)};
}

void *LoadedModel::symbol(const char *name) const {
  return ::dlsym(library.get(), name);
}

Status LoadedModel::setThreads(int threads) {
  pool.reset();
  if (threads == 1)
    return {};
  pool = {model->support->pool_create(threads), EndPool{model->support}};
  if (!pool)
    return Error{"no pool of " + std::to_string(threads) +
                 " threads could be created"};
  return {};
}

/// A support function's status as the host reports it.
static Status toStatus(int status, const char *message,
                       const GravenSupport &support) {
  if (status == GRAVEN_OK)
    return {};
  return Error{*message ? message : support.status_string(status), status};
}

Status LoadedModel::run(std::span<const GravenTensor> inputs,
                        std::span<GravenTensor> outputs) {
  return run(inputs, outputs, threads());
}

Status LoadedModel::run(std::span<const GravenTensor> inputs,
                        std::span<GravenTensor> outputs,
                        const GravenParallel *parallel) {
  char message[512] = "";
  const GravenSupport &support = *model->support;
  int status =
      support.run(model, inputs.data(), static_cast<int64_t>(inputs.size()),
                  outputs.data(), static_cast<int64_t>(outputs.size()),
                  workspace.data(), parallel, message, sizeof(message));
  return toStatus(status, message, support);
}

Status LoadedModel::call(std::span<void *const> inputs,
                         std::span<void *const> outputs) {
  return call(inputs, outputs, workspace.data(), threads());
}

Status LoadedModel::call(std::span<void *const> inputs,
                         std::span<void *const> outputs, void *workspace,
                         const GravenParallel *parallel) const {
  if (inputs.size() != this->inputs().size() ||
      outputs.size() != this->outputs().size())
    return Error{"model '" + std::string(name()) + "': expected " +
                 std::to_string(this->inputs().size()) + " inputs and " +
                 std::to_string(this->outputs().size()) + " outputs, got " +
                 std::to_string(inputs.size()) + " and " +
                 std::to_string(outputs.size())};
  char message[512] = "";
  const GravenSupport &support = *model->support;
  int status = support.call(model, inputs.data(), outputs.data(), workspace,
                            parallel, message, sizeof(message));
  return toStatus(status, message, support);
}

Result<std::vector<int64_t>>
LoadedModel::symbolExtents(std::span<const GravenTensor> tensors) const {
  std::vector<int64_t> extents(static_cast<size_t>(model->num_symbols));
  char message[512] = "";
  int status = model->support->extents(
      model, tensors.data(), static_cast<int64_t>(tensors.size()),
      extents.data(), message, sizeof(message));
  if (Status good = toStatus(status, message, *model->support); !good)
    return good.takeError();
  return extents;
}

Result<std::vector<int64_t>>
LoadedModel::outputExtents(const GravenTensorInfo &info,
                           std::span<const GravenTensor> tensors) const {
  std::vector<int64_t> extents(info.extents, info.extents + info.rank);
  if (std::none_of(extents.begin(), extents.end(),
                   [](int64_t extent) { return extent < 0; }))
    return extents;
  Result<std::vector<int64_t>> symbols = std::vector<int64_t>();
  if (model->num_symbols > 0)
    symbols = symbolExtents(tensors);
  if (!symbols)
    return symbols;
  char message[512] = "";
  int status = model->support->output_extents(
      model, symbols->data(), &info - model->outputs, extents.data(), message,
      sizeof(message));
  if (Status good = toStatus(status, message, *model->support); !good)
    return good.takeError();
  return extents;
}

bool LoadedModel::isCounted(const GravenTensorInfo &info) {
  return std::find(info.extents, info.extents + info.rank, GRAVEN_COUNTED) !=
         info.extents + info.rank;
}

Result<std::vector<Array>>
LoadedModel::createOutputs(std::span<const GravenTensor> tensors) const {
  std::vector<Array> arrays;
  for (const GravenTensorInfo &info : outputs()) {
    Result<std::vector<int64_t>> extents = outputExtents(info, tensors);
    if (!extents)
      return extents.takeError();
    Result<Array> array = Array::create(info.dtype, std::move(*extents));
    if (!array)
      return Error{"output '" + std::string(info.name) +
                   "': " + array.error().message};
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

Result<std::vector<Array>> LoadedModel::run(std::span<Array> inputs) {
  std::vector<GravenTensor> inputTensors, outputTensors;
  for (Array &array : inputs)
    inputTensors.push_back(array.tensor());
  Result<std::vector<Array>> outputs = createOutputs(inputTensors);
  if (!outputs)
    return outputs;
  for (Array &array : *outputs)
    outputTensors.push_back(array.tensor());
  Status status = run(inputTensors, outputTensors);
  if (!status)
    return status.takeError();
  for (size_t i = 0; i < outputs->size(); ++i)
    if (isCounted(this->outputs()[i]))
      (*outputs)[i].settle();
  return outputs;
}
