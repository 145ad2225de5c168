//===- Compiler.cpp - the compiler as Python sees it ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements compiling, loading and saving for the Python module on
// top of a Session of its own.
//===----------------------------------------------------------------------===//
#include "python/bindings/Compiler.h"
#include "compiler/support/OutputFile.h"
#include "compiler/targets/cuda/Architecture.h"
#include "dialects/support/Diagnostics.h"
#include "python/bindings/Collector.h"
#include "python/bindings/Import.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graven;
using namespace mlir;
using graven::python::Message;

python::File::~File() {
  if (descriptor >= 0)
    ::close(descriptor);
}

int64_t python::File::size() const {
  struct stat status;
  return descriptor >= 0 && ::fstat(descriptor, &status) == 0 ? status.st_size
                                                              : 0;
}

static int64_t countKernels(const SizedModel &model) {
  int64_t count = 0;
  for (const SizedModel::Size &size : model.sizes)
    for (Operation &op : ModuleOp(size.module).getOps())
      count += op.hasAttr("kernel.entry");
  return count;
}

static CompileOptions compileOptions(const python::Request &request) {
  CompileOptions options;
  options.name = request.name;
  auto device = cuda::DeviceRequest::parse(request.target)
                    .value_or(cuda::DeviceRequest{});
  options.gpus = device.architectures.str();
  options.withoutDevice = device.fallback;
  options.cpu = request.cpu;
  options.threads = request.threads;
  options.level = static_cast<OptLevel>(request.level);
  options.numerics = llvm::StringSwitch<Numerics>(request.numerics)
                         .Case("strict", Numerics::Strict)
                         .Case("fast", Numerics::Fast)
                         .Default(Numerics::Default);
  options.precision =
      request.precision == "bf16" ? Precision::BF16 : Precision::F32;
  return options;
}

static std::optional<python::Artifact>
compileWith(Session &session, const python::Request &request) {
  auto start = std::chrono::steady_clock::now();
  MLIRContext *context = &session.getContext();
  Location loc = UnknownLoc::get(context);
  auto model = python::importSized(session, request.source);
  if (failed(model))
    return std::nullopt;
  SmallString<128> path;
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("graven", path)) {
    emitCoded(loc, Code::CannotWrite)
        << "cannot make a temporary folder: " << code.message();
    return std::nullopt;
  }
  llvm::scope_exit cleanup(
      [folder = path] { llvm::sys::fs::remove_directories(folder); });
  llvm::sys::path::append(path, "model.so");
  if (failed(session.compile(*model, compileOptions(request), path)))
    return std::nullopt;
  auto loaded = rt::LoadedModel::load(path.str().str());
  if (!loaded) {
    (void)report(context, loaded.error());
    return std::nullopt;
  }
  python::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return python::Artifact{std::move(*loaded), std::move(file), time.count(),
                          countKernels(*model)};
}

std::optional<python::Artifact>
python::compile(const Request &request, std::vector<Message> &messages) {
  Session session;
  std::optional<Artifact> artifact;
  {
    Collector collector(&session.getContext(), messages);
    artifact = compileWith(session, request);
  }
  if (!artifact)
    explainFailure(messages, request.source.path);
  return artifact;
}

bool python::write(const Request &request, const std::string &path,
                   std::vector<Message> &messages) {
  Session session;
  bool good;
  {
    Collector collector(&session.getContext(), messages);
    auto model = importSized(session, request.source);
    good = succeeded(model) &&
           succeeded(session.compile(*model, compileOptions(request), path));
  }
  if (!good)
    explainFailure(messages, request.source.path);
  return good;
}

bool python::isArtifact(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFileSlice(path, 4, 0);
  return buffer && (*buffer)->getBuffer() == "\x7f"
                                             "ELF";
}

std::optional<python::Artifact> python::load(const std::string &path,
                                             std::vector<Message> &messages) {
  auto loaded = rt::LoadedModel::load(path);
  if (!loaded) {
    messages.push_back(errorMessage(Code::BadArtifact, loaded.error().message));
    return std::nullopt;
  }
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return Artifact{std::move(*loaded), std::move(file), {}, {}};
}

bool python::save(const File &file, const std::string &path,
                  std::vector<Message> &messages) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  Collector collector(&context, messages);
  Location loc = UnknownLoc::get(&context);
  auto bytes = llvm::MemoryBuffer::getOpenFile(
      llvm::sys::fs::convertFDToNativeFile(file.get()), "artifact", file.size(),
      /*RequiresNullTerminator=*/false);
  if (!bytes) {
    emitCoded(loc, Code::CannotRead)
        << "cannot read the artifact: " << bytes.getError().message();
    return false;
  }
  StringRef content = (*bytes)->getBuffer();
  return succeeded(writeFile(path, {content.data(), content.size()},
                             FileMode::Executable, loc));
}

Message python::describe(const rt::Error &error) {
  switch (error.status) {
  case GRAVEN_ERROR_DTYPE:
    return errorMessage(Code::BadInputType, error.message);
  case GRAVEN_ERROR_RANK:
  case GRAVEN_ERROR_EXTENT:
    return errorMessage(Code::BadInputShape, error.message);
  case GRAVEN_ERROR_INDEX_OUT_OF_RANGE:
    return errorMessage(Code::IndexOutOfRange, error.message);
  default:
    return errorMessage(Code::RunFailed, error.message);
  }
}

Message python::describe(CallError kind, std::string text) {
  switch (kind) {
  case CallError::MissingInput:
    return errorMessage(Code::MissingInput, std::move(text));
  case CallError::UnknownInput:
    return errorMessage(Code::UnknownInput, std::move(text));
  case CallError::BadInputType:
    break;
  }
  return errorMessage(Code::BadInputType, std::move(text));
}
