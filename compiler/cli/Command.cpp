//===- Command.cpp - the command line of `graven` -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements choosing the command, the flags that commands share, and
// reading inputs.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/MemoryBuffer.h"
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
          cl::value_desc("spec"), cl::sub(sub)) {}

static bool namesFile(StringRef text) { return text.contains("=@"); }

FailureOr<ImportOptions> ModelFlags::importOptions(MLIRContext *context) const {
  ImportOptions options;
  Location loc = UnknownLoc::get(context);
  for (const std::string &text : inputs) {
    if (!namesFile(text)) {
      auto spec = parseInputSpec(text);
      if (!spec)
        return emitCoded(loc, Code::BadInputSpec) << toString(spec.takeError());
      options.inputs.push_back(*spec);
      continue;
    }
    // A given array also gives the shape the model is compiled for.
    auto [name, path] = StringRef(text).split("=@");
    auto array = rt::readNpy(path.str());
    if (!array)
      return emitCoded(loc, Code::BadNpy) << array.error().message;
    InputSpec spec;
    spec.name = name.str();
    spec.elementType = graven_dtype_name(array->dtype());
    for (int64_t extent : array->extents())
      spec.shape.push_back(InputExtent{extent, {}});
    options.inputs.push_back(std::move(spec));
  }
  return options;
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
    : cpu("target-cpu",
          cl::desc("native, x86-64, x86-64-v2, -v3, -v4 or a CPU name"),
          cl::init("native"), cl::sub(sub)),
      level("O", cl::Prefix, cl::desc("optimization level 0..3"), cl::init(2),
            cl::sub(sub)),
      numerics("numerics",
               cl::desc("how much rounding may differ from plain sums"),
               cl::init(Numerics::Default), cl::sub(sub),
               cl::values(clEnumValN(Numerics::Strict, "strict",
                                     "direct convolutions only"),
                          clEnumValN(Numerics::Default, "default",
                                     "within the accuracy policy"),
                          clEnumValN(Numerics::Fast, "fast", "not measured"))),
      threads("threads", cl::desc("threads of a run, 0 for one a CPU"),
              cl::init(1), cl::sub(sub)) {}

void CompileFlags::read() {
  options.cpu = cpu;
  options.level = static_cast<OptLevel>(std::min(level.getValue(), 3u));
  options.numerics = numerics;
  options.threads = threads;
}

void ModelFlags::read() {
  model = modelFlag;
  inputs.assign(inputFlag.begin(), inputFlag.end());
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

FailureOr<std::vector<rt::Array>> gatherInputs(MLIRContext *context,
                                               const ModelFlags &flags,
                                               ArrayRef<GravenTensorInfo> infos,
                                               Missing missing) {
  Location loc = UnknownLoc::get(context);
  std::vector<std::optional<rt::Array>> given(infos.size());
  for (auto &[name, path] : flags.files()) {
    size_t index = infos.size();
    for (size_t i = 0; i < infos.size(); ++i)
      if (infos[i].name && infos[i].name == name)
        index = i;
    if (index == infos.size() && StringRef(name).getAsInteger(10, index))
      index = infos.size();
    if (index >= infos.size())
      return emitCoded(loc, Code::UnknownInput)
             << "the model has no input '" << name << "'";
    auto array = rt::readNpy(path);
    if (!array)
      return emitCoded(loc, Code::BadNpy) << array.error().message;
    // NumPy has no bf16: such arrays travel as u16.
    if (infos[index].dtype == GRAVEN_BF16 && array->dtype() == GRAVEN_U16)
      (void)array->reinterpret(GRAVEN_BF16);
    given[index] = std::move(*array);
  }
  std::mt19937 generator(0);
  std::vector<rt::Array> arrays;
  for (auto [i, info] : llvm::enumerate(infos)) {
    if (given[i]) {
      arrays.push_back(std::move(*given[i]));
      continue;
    }
    if (missing == Missing::IsError)
      return emitCoded(loc, Code::MissingInput)
             << "input '" << info.name << "' is not given; use --input "
             << info.name << "=@file.npy";
    auto array =
        rt::Array::create(info.dtype, {info.extents, info.extents + info.rank});
    if (!array)
      return emitCoded(loc, Code::MissingInput) << array.error().message;
    fillRandom(*array, generator);
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

static bool isArtifact(StringRef path) {
  auto buffer = MemoryBuffer::getFileSlice(path, 4, 0);
  return buffer && (*buffer)->getBuffer() == "\x7f"
                                             "ELF";
}

FailureOr<rt::LoadedModel> openModel(Session &session, const ModelFlags &flags,
                                     const CompileFlags &compile) {
  Location loc = UnknownLoc::get(&session.getContext());
  FailureOr<rt::LoadedModel> opened = failure();
  if (isArtifact(flags.model)) {
    auto loaded = rt::LoadedModel::load(flags.model);
    if (!loaded)
      return emitCoded(loc, Code::BadArtifact) << loaded.error().message;
    opened = std::move(*loaded);
  } else {
    auto options = flags.importOptions(&session.getContext());
    if (failed(options))
      return failure();
    auto module = session.import(flags.model, *options);
    if (failed(module))
      return failure();
    opened = session.load(**module, compile.options);
    if (failed(opened))
      return failure();
  }
  if (rt::Status status = opened->setThreads(compile.options.threads); !status)
    return emitCoded(loc, Code::RunFailed) << status.error().message;
  return opened;
}

int runCommandLine(int argc, char **argv) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(makeImport());
  commands.push_back(makeCompile());
  commands.push_back(makeRun());
  commands.push_back(makeBench());
  commands.push_back(makeInspect());
  commands.push_back(makeCheck());
  commands.push_back(makeExplain());
  if (!cl::ParseCommandLineOptions(
          argc, argv, "Graven compiles trained models to native code\n",
          &errs()))
    return Usage;
  for (auto &command : commands)
    if (command->subCommand()) {
      command->read();
      return command->run();
    }
  errs() << "graven: no command; see graven --help\n";
  return Usage;
}

} // namespace graven::cli
