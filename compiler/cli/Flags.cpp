//===- Flags.cpp - flags that commands share ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading the shared flags and the inputs that they name.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Flags.h"
#include "compiler/targets/cuda/Architecture.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/host/Npy.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <random>

using namespace mlir;
using namespace llvm;

namespace graven::cli {

ModelFlags::ModelFlags(cl::SubCommand &sub)
    : modelFlag(cl::Positional, cl::Required, cl::desc("MODEL"), cl::sub(sub)),
      inputFlag(
          "input",
          cl::desc(
              "NAME:f32[1,3,224,224] or NAME=@file.npy; NAME may be an index"),
          cl::value_desc("spec"), cl::sub(sub)),
      dimFlag("dim",
              cl::desc("what a dynamic extent may be: batch=1..64, batch=8, or "
                       "sizes to have code of their own: batch=1,32,1..64"),
              cl::value_desc("NAME=range"), cl::sub(sub)),
      weightsFlag("weights",
                  cl::desc("takes Parameters and buffers from this file: "
                           "safetensors, torch.save or another model"),
                  cl::value_desc("file"), cl::sub(sub)),
      prefixFlag("weights-prefix",
                 cl::desc("takes the names of --weights that begin so, without "
                          "it; default: found if there is one way only"),
                 cl::value_desc("model."), cl::sub(sub)),
      keepMissingFlag("keep-missing-weights",
                      cl::desc("keep the model's values where --weights has "
                               "none"),
                      cl::sub(sub)),
      opaqueFlag("allow-opaque",
                 cl::desc("of a file of weights, leave out what is no tensor "
                          "and made by unknown names"),
                 cl::sub(sub)),
      stateFlag(
          "state", cl::desc("what a model of PyTorch writes beyond a run"),
          cl::init(StateMode::Initial), cl::sub(sub),
          cl::values(clEnumValN(StateMode::Initial, "initial",
                                "is lost: each run begins as the first one"),
                     clEnumValN(StateMode::Explicit, "explicit",
                                "more inputs, and outputs NAME.next"))) {}

void ModelFlags::read() {
  model = modelFlag;
  inputs.assign(inputFlag.begin(), inputFlag.end());
  dims.assign(dimFlag.begin(), dimFlag.end());
  state = stateFlag;
  opaque = opaqueFlag ? OpaqueValues::LeftOut : OpaqueValues::Refused;
  if (weightsFlag.getNumOccurrences() == 0)
    return;
  weights.emplace();
  weights->path = weightsFlag;
  if (prefixFlag.getNumOccurrences() > 0)
    weights->prefix = prefixFlag;
  if (keepMissingFlag)
    weights->missing = OtherWeights::Missing::Kept;
}

static bool namesFile(StringRef text) { return text.contains("=@"); }

FailureOr<ImportOptions> ModelFlags::importOptions(MLIRContext *context) const {
  ImportOptions options;
  options.state = state;
  Location loc = UnknownLoc::get(context);
  llvm::StringSet<> specified, filled;
  for (const std::string &text : inputs) {
    if (namesFile(text))
      continue;
    auto spec = parseInputSpec(text);
    if (!spec)
      return emitCoded(loc, Code::BadInputSpec) << toString(spec.takeError());
    if (!specified.insert(spec->name).second)
      return emitCoded(loc, Code::BadInputSpec)
             << "--input gives the shape of '" << spec->name << "' twice";
    options.inputs.push_back(*spec);
  }
  for (auto &[name, path] : files()) {
    if (!filled.insert(name).second)
      return emitCoded(loc, Code::BadInputSpec)
             << "--input gives an array for '" << name << "' twice";
    // An array also gives the shape the model is compiled for.
    auto array = rt::readNpy(path);
    if (!array)
      return emitCoded(loc, Code::BadNpy) << array.error().message;
    if (specified.contains(name))
      continue;
    InputSpec spec;
    spec.name = name;
    spec.elementType = graven_dtype_name(array->dtype());
    for (int64_t extent : array->extents())
      spec.shape.push_back(InputExtent{extent, {}});
    options.inputs.push_back(std::move(spec));
  }
  auto dims = dimSpecs(context);
  if (failed(dims))
    return failure();
  llvm::StringMap<int64_t> decided;
  for (const DimSpec &dim : *dims)
    if (!dim.range && dim.sizes.size() == 1)
      decided[dim.name] = dim.sizes.front();
  if (!decided.empty())
    options.extentOf = [decided = std::move(decided)](StringRef symbol) {
      auto found = decided.find(symbol);
      return found == decided.end() ? InputExtent::kDynamic : found->second;
    };
  return options;
}

FailureOr<std::vector<DimSpec>>
ModelFlags::dimSpecs(MLIRContext *context) const {
  std::vector<DimSpec> specs;
  for (const std::string &text : dims) {
    auto spec = parseDimSpec(text);
    if (!spec)
      return emitCoded(UnknownLoc::get(context), Code::BadOption)
             << toString(spec.takeError());
    specs.push_back(std::move(*spec));
  }
  return specs;
}

std::vector<std::pair<std::string, std::string>> ModelFlags::files() const {
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string &text : inputs)
    if (namesFile(text)) {
      auto [name, path] = StringRef(text).split("=@");
      files.emplace_back(name.str(), path.str());
    }
  return files;
}

CompileFlags::CompileFlags(cl::SubCommand &sub)
    : passes(sub),
      target("target",
             cl::desc("what runs the kernels: cpu, or cuda for "
                      "sm_80, or cuda:sm_90"),
             cl::value_desc("cpu|cuda[:arch]"), cl::init("cpu"), cl::sub(sub)),
      cpu("target-cpu",
          cl::desc("native, x86-64, x86-64-v2, -v3, -v4, armv8-a or a CPU "
                   "name (znver5, neoverse-n1, ...); several, separated by "
                   "commas, go into one artifact"),
          cl::init("native"), cl::sub(sub)),
      level("O", cl::Prefix, cl::desc("optimization level 0..3"), cl::init(2),
            cl::sub(sub)),
      numerics(
          "numerics", cl::desc("how much rounding may differ from plain sums"),
          cl::init(Numerics::Default), cl::sub(sub),
          cl::values(clEnumValN(Numerics::Strict, "strict", "plain sums only"),
                     clEnumValN(Numerics::Default, "default",
                                "within the accuracy policy"),
                     clEnumValN(Numerics::Fast, "fast", "not measured"))),
      precision(
          "precision",
          cl::desc("what matrix products and convolutions multiply"),
          cl::init(Precision::F32), cl::sub(sub),
          cl::values(clEnumValN(Precision::F32, "f32", "the model's own types"),
                     clEnumValN(Precision::BF16, "bf16",
                                "f32 rounded to bf16, sums in f32"))),
      threads("threads",
              cl::desc("threads of a run and of NAME_run, 0: one a CPU"),
              cl::init(1), cl::sub(sub)),
      cacheFolder("cache-dir",
                  cl::desc("folder of compiled kernels; default: "
                           "GRAVEN_CACHE_DIR, else ~/.cache/graven/kernels"),
                  cl::value_desc("folder"), cl::sub(sub)),
      noCache("no-cache", cl::desc("neither use nor keep compiled kernels"),
              cl::sub(sub)),
      tuningFile("tune-db",
                 cl::desc("file of measured tiles; default: GRAVEN_TUNE_DB, "
                          "else ~/.config/graven/tuning.db"),
                 cl::value_desc("file"), cl::sub(sub)),
      verifyFlag("verify-numerics", cl::ValueOptional,
                 cl::desc("evaluate the graph on random inputs before and "
                          "after each pass"),
                 cl::value_desc("rtol,atol"), cl::sub(sub)) {}

void CompileFlags::read() {
  options.cpu = cpu;
  auto device =
      cuda::DeviceRequest::parse(target).value_or(cuda::DeviceRequest{});
  options.gpus = device.architectures.str();
  options.withoutDevice = device.fallback;
  cpuIsGiven = cpu.getNumOccurrences() > 0;
  wantedLevel = level;
  options.level = static_cast<OptLevel>(std::min(wantedLevel, 3u));
  options.numerics = numerics;
  options.precision = precision;
  options.threads = threads;
  passes.read(outs());
  options.explanations = passes.explanations();
  if (verifyFlag.getNumOccurrences() > 0) {
    options.verification.emplace();
    options.verification->tolerance = parseTolerance(verifyFlag);
    options.verification->rounding = {"graven-lower-precision"};
  }
  if (noCache)
    options.cacheFolder = "";
  else if (!cacheFolder.empty())
    options.cacheFolder = cacheFolder;
  if (tuningFile.getNumOccurrences() > 0)
    options.tuningFile = tuningFile;
}

void CompileFlags::warnOfGenericCpu(MLIRContext *context) const {
  Location loc = UnknownLoc::get(context);
  auto host = cpu::CpuTarget::get("native", loc);
  if (!cpuIsGiven && succeeded(host) && host->isGeneric())
    emitWarning(loc) << "the code is for any " << host->cpu
                     << ", because LLVM does not know this CPU; name the CPU "
                        "that is to run it with --target-cpu";
}

LogicalResult CompileFlags::check(MLIRContext *context) const {
  Location loc = UnknownLoc::get(context);
  if (!cuda::DeviceRequest::parse(target))
    return emitCoded(loc, Code::BadOption)
           << "--target takes cpu, cuda, cuda:sm_80 or cuda,cpu, got '"
           << target << "'";
  if (!options.gpus.empty() &&
      failed(cuda::findArchitectures(options.gpus, loc)))
    return failure();
  if (wantedLevel > 3)
    return emitCoded(loc, Code::BadOption)
           << "-O takes 0 to 3, got " << wantedLevel;
  if (options.threads < 0 || options.threads > mostThreads)
    return emitCoded(loc, Code::BadOption)
           << "--threads takes 0 to " << mostThreads << ", got "
           << options.threads;
  if (!verifyFlag.empty() && !options.verification->tolerance)
    return emitCoded(loc, Code::BadOption)
           << "--verify-numerics takes rtol,atol, got '" << verifyFlag << "'";
  return success();
}

/// Values from a fixed seed: floats normal, ints small and non-negative, so
/// that they are valid indices.
static void fillRandom(rt::Array &array, std::mt19937 &generator) {
  std::normal_distribution<float> normal;
  int64_t count = array.numElements();
  for (int64_t i = 0; i < count; ++i) {
    if (array.dtype() == GRAVEN_F32)
      array.as<float>()[i] = normal(generator);
    else if (array.dtype() == GRAVEN_F64)
      array.as<double>()[i] = normal(generator);
    else
      array.data()[i * graven_dtype_size(array.dtype())] =
          static_cast<std::byte>(generator() & 1);
  }
}

/// Position of the input with this name, else of that index.
static std::optional<size_t> findInput(ArrayRef<GravenTensorInfo> infos,
                                       StringRef name) {
  for (auto [i, info] : llvm::enumerate(infos))
    if (info.name && info.name == name)
      return i;
  size_t index = 0;
  if (name.getAsInteger(10, index) || index >= infos.size())
    return std::nullopt;
  return index;
}

static LogicalResult checkArray(Location loc, const GravenTensorInfo &info,
                                const rt::Array &array) {
  if (array.dtype() != info.dtype)
    return emitCoded(loc, Code::BadInputType)
           << "input '" << info.name << "': expected "
           << graven_dtype_name(info.dtype) << ", got "
           << graven_dtype_name(array.dtype());
  ArrayRef<int64_t> wanted(info.extents, info.rank);
  ArrayRef<int64_t> got(array.extents().data(), array.extents().size());
  bool equal = wanted.size() == got.size();
  for (size_t axis = 0; equal && axis < wanted.size(); ++axis)
    equal = wanted[axis] < 0 || wanted[axis] == got[axis];
  if (equal)
    return success();
  auto diagnostic = emitCoded(loc, Code::BadInputShape)
                    << "input '" << info.name << "': expected extents [";
  llvm::interleaveComma(wanted, diagnostic, [&](int64_t extent) {
    extent < 0 ? diagnostic << "?" : diagnostic << extent;
  });
  return diagnostic << "], got [" << got << "]";
}

namespace {
/// The extents of random inputs.
class Extents {
public:
  static FailureOr<Extents> get(MLIRContext *context, const ModelFlags &flags,
                                ArrayRef<GravenTensorInfo> infos,
                                ArrayRef<std::optional<rt::Array>> given) {
    Extents extents;
    auto dims = flags.dimSpecs(context);
    auto options = flags.importOptions(context);
    if (failed(dims) || failed(options))
      return failure();
    for (const DimSpec &dim : *dims)
      if (!dim.range && dim.sizes.size() == 1)
        extents.known[dim.name] = dim.sizes.front();
    for (auto [i, info] : llvm::enumerate(infos)) {
      const InputSpec *spec = options->find(info.name, i);
      for (int32_t axis = 0; info.symbols && axis < info.rank; ++axis) {
        if (!info.symbols[axis])
          continue;
        if (given[i])
          extents.known[info.symbols[axis]] = given[i]->extents()[axis];
        else if (spec && axis < static_cast<int32_t>(spec->shape.size()) &&
                 !spec->shape[axis].isDynamic())
          extents.known[info.symbols[axis]] = spec->shape[axis].size;
      }
    }
    return extents;
  }

  FailureOr<std::vector<int64_t>> of(Location loc,
                                     const GravenTensorInfo &info) const {
    std::vector<int64_t> extents(info.extents, info.extents + info.rank);
    for (auto [axis, extent] : llvm::enumerate(extents)) {
      if (extent >= 0)
        continue;
      StringRef symbol = info.symbols && info.symbols[axis]
                             ? StringRef(info.symbols[axis])
                             : StringRef("?");
      auto value = valueOf(symbol);
      if (!value)
        return emitCoded(loc, Code::MissingInput)
               << "the extent '" << symbol << "' of input '" << info.name
               << "' is not given; use --dim "
               << symbol.substr(symbol.find('*') + 1) << "=8";
      extent = *value;
    }
    return extents;
  }

private:
  std::optional<int64_t> valueOf(StringRef text) const {
    SmallVector<cpu::SymbolSpec> names;
    SmallVector<int64_t> values;
    for (const auto &entry : known) {
      names.push_back({entry.first().str()});
      values.push_back(entry.second);
    }
    auto extent = parseExtent(text, names);
    return extent ? std::optional(extent->scale * values[extent->symbol] +
                                  extent->offset)
                  : std::nullopt;
  }
  llvm::StringMap<int64_t> known;
};
} // namespace

FailureOr<std::vector<rt::Array>> gatherInputs(MLIRContext *context,
                                               const ModelFlags &flags,
                                               ArrayRef<GravenTensorInfo> infos,
                                               Missing missing) {
  Location loc = UnknownLoc::get(context);
  std::vector<std::optional<rt::Array>> given(infos.size());
  bool good = true;
  auto bad = [&](LogicalResult result) { good &= succeeded(result); };
  for (auto &[name, path] : flags.files()) {
    std::optional<size_t> index = findInput(infos, name);
    if (!index) {
      auto diagnostic = emitCoded(loc, Code::UnknownInput)
                        << "the model has no input '" << name << "'";
      for (const GravenTensorInfo &info : infos)
        diagnostic << (&info == infos.data() ? "; it has '" : ", '")
                   << (info.name ? info.name : "") << "'";
      bad(diagnostic);
      continue;
    }
    if (given[*index]) {
      bad(emitCoded(loc, Code::BadInputSpec)
          << "--input gives an array for '" << infos[*index].name
          << "' twice, by name and by index");
      continue;
    }
    auto array = rt::readNpy(path);
    if (!array) {
      bad(emitCoded(loc, Code::BadNpy) << array.error().message);
      continue;
    }
    // NumPy has no bf16: such arrays travel as u16.
    if (infos[*index].dtype == GRAVEN_BF16 && array->dtype() == GRAVEN_U16)
      (void)array->reinterpret(GRAVEN_BF16);
    bad(checkArray(loc, infos[*index], *array));
    given[*index] = std::move(*array);
  }
  auto extents = Extents::get(context, flags, infos, given);
  if (failed(extents))
    return failure();
  std::mt19937 generator(0);
  std::vector<rt::Array> arrays;
  for (auto [i, info] : llvm::enumerate(infos)) {
    if (given[i]) {
      arrays.push_back(std::move(*given[i]));
      continue;
    }
    if (missing == Missing::IsError) {
      bad(emitCoded(loc, Code::MissingInput)
          << "input '" << info.name << "' is not given; use --input "
          << info.name << "=@file.npy");
      continue;
    }
    auto shape = extents->of(loc, info);
    if (failed(shape)) {
      good = false;
      continue;
    }
    auto array = rt::Array::create(info.dtype, std::move(*shape));
    if (!array) {
      bad(emitCoded(loc, Code::MissingInput) << array.error().message);
      continue;
    }
    fillRandom(*array, generator);
    arrays.push_back(std::move(*array));
  }
  if (!good)
    return failure();
  return arrays;
}

FailureOr<std::vector<rt::Array>> gatherInputs(MLIRContext *context,
                                               const ModelFlags &flags,
                                               GraphOp graph, Missing missing) {
  std::vector<std::string> names;
  names.reserve(graph.getNumArguments());
  for (unsigned i = 0; i < graph.getNumArguments(); ++i)
    names.push_back(graph.getInputName(i));
  std::vector<GravenTensorInfo> infos;
  infos.reserve(names.size());
  for (auto [name, type] : llvm::zip(names, graph.getArgumentTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    infos.push_back({name.c_str(), tensor.getShape().data(), nullptr,
                     dtypeOf(tensor.getElementType()),
                     static_cast<int32_t>(tensor.getRank())});
  }
  return gatherInputs(context, flags, infos, missing);
}

} // namespace graven::cli
