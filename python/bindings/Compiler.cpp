//===- Compiler.cpp - the compiler as Python sees it ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements compiling, loading and saving for the Python module on
// top of a Session of its own, and the translation of diagnostics.
//===----------------------------------------------------------------------===//
#include "python/bindings/Compiler.h"
#include "compiler/session/Session.h"
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/IR/Diagnostics.h"
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

/// The longest chain of locations that a message shows.
static constexpr unsigned maxLocationDepth = 8;

/// A location as people write it: "file:line:column", a name in quotes.
static std::string describeLocation(Location loc, unsigned depth = 0) {
  if (depth == maxLocationDepth)
    return "...";
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    std::string text = file.getFilename().str();
    if (file.getLine())
      text += ":" + std::to_string(file.getLine());
    if (file.getLine() && file.getColumn())
      text += ":" + std::to_string(file.getColumn());
    return text;
  }
  if (auto name = dyn_cast<NameLoc>(loc)) {
    std::string inner = describeLocation(name.getChildLoc(), depth + 1);
    std::string text = "'" + name.getName().str() + "'";
    return inner.empty() ? text : text + " (" + inner + ")";
  }
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describeLocation(call.getCallee(), depth + 1) + ", called from " +
           describeLocation(call.getCaller(), depth + 1);
  std::string text;
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string inner = describeLocation(part, depth + 1); !inner.empty())
        text += (text.empty() ? "" : ", ") + inner;
  return text;
}

static Message convert(Diagnostic &diagnostic) {
  Message message;
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    message.severity = "error";
    break;
  case DiagnosticSeverity::Warning:
    message.severity = "warning";
    break;
  default:
    message.severity = "remark";
    break;
  }
  message.text = diagnostic.str();
  StringRef text = message.text;
  if (text.consume_front("[")) {
    auto [code, rest] = text.split(']');
    if (parseCode(code)) {
      message.code = code.str();
      message.text = rest.ltrim().str();
    }
  }
  message.location = describeLocation(diagnostic.getLocation());
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string location = describeLocation(note.getLocation());
    message.notes.push_back((location.empty() ? "" : location + ": ") +
                            note.str());
  }
  return message;
}

namespace {
/// While it lives, the diagnostics of a context are appended to a list.
class Collector : public ScopedDiagnosticHandler {
public:
  Collector(MLIRContext *context, std::vector<Message> &messages)
      : ScopedDiagnosticHandler(context) {
    setHandler([&messages](Diagnostic &diagnostic) {
      messages.push_back(convert(diagnostic));
      return success();
    });
  }
};
} // namespace

static Message error(Code code, std::string text) {
  return {"error", codeName(code), std::move(text), "", {}};
}

static FailureOr<ImportOptions> importOptions(Location loc,
                                              ArrayRef<std::string> inputs) {
  ImportOptions options;
  for (const std::string &text : inputs) {
    auto spec = parseInputSpec(text);
    if (!spec)
      return emitCoded(loc, Code::BadInputSpec)
             << llvm::toString(spec.takeError());
    options.inputs.push_back(std::move(*spec));
  }
  return options;
}

static FailureOr<SizedModel> importModel(Session &session,
                                         const python::Request &request) {
  Location loc = UnknownLoc::get(&session.getContext());
  auto options = importOptions(loc, request.inputs);
  if (failed(options))
    return failure();
  std::vector<DimSpec> dims;
  for (const std::string &text : request.dims) {
    auto dim = parseDimSpec(text);
    if (!dim)
      return emitCoded(loc, Code::BadOption) << llvm::toString(dim.takeError());
    dims.push_back(std::move(*dim));
  }
  auto import = [&](const ImportOptions &own) {
    if (request.bytes)
      return session.importBuffer(
          llvm::MemoryBuffer::getMemBuffer(*request.bytes, request.path,
                                           /*RequiresNullTerminator=*/false),
          /*directory=*/"", own);
    // A file may be called "-", which the session takes for standard input.
    return session.import(request.path == "-" ? "./-" : request.path, own);
  };
  return importSizes(&session.getContext(), import, *options, dims);
}

static int64_t countKernels(const SizedModel &model) {
  int64_t count = 0;
  for (const SizedModel::Size &size : model.sizes)
    for (Operation &op : ModuleOp(size.module).getOps())
      count += op.hasAttr("kernel.entry");
  return count;
}

static std::optional<python::Artifact>
compileWith(Session &session, const python::Request &request) {
  auto start = std::chrono::steady_clock::now();
  MLIRContext *context = &session.getContext();
  Location loc = UnknownLoc::get(context);
  auto model = importModel(session, request);
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
  CompileOptions options;
  options.name = request.name;
  options.cpu = request.cpu;
  options.level = static_cast<OptLevel>(request.level);
  options.numerics = llvm::StringSwitch<Numerics>(request.numerics)
                         .Case("strict", Numerics::Strict)
                         .Case("fast", Numerics::Fast)
                         .Default(Numerics::Default);
  options.precision =
      request.precision == "bf16" ? Precision::BF16 : Precision::F32;
  if (failed(session.compile(*model, options, path)))
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
  if (!artifact && llvm::none_of(messages, [](const Message &message) {
        return message.severity == "error";
      }))
    messages.push_back(
        {"error", "", "internal error: no reason was given", request.path, {}});
  return artifact;
}

std::optional<python::Artifact> python::load(const std::string &path,
                                             std::vector<Message> &messages) {
  auto loaded = rt::LoadedModel::load(path);
  if (!loaded) {
    messages.push_back(error(Code::BadArtifact, loaded.error().message));
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
    return ::error(Code::BadInputType, error.message);
  case GRAVEN_ERROR_RANK:
  case GRAVEN_ERROR_EXTENT:
    return ::error(Code::BadInputShape, error.message);
  case GRAVEN_ERROR_INDEX_OUT_OF_RANGE:
    return ::error(Code::IndexOutOfRange, error.message);
  default:
    return ::error(Code::RunFailed, error.message);
  }
}

Message python::describe(CallError kind, std::string text) {
  switch (kind) {
  case CallError::MissingInput:
    return error(Code::MissingInput, std::move(text));
  case CallError::UnknownInput:
    return error(Code::UnknownInput, std::move(text));
  case CallError::BadInputType:
    break;
  }
  return error(Code::BadInputType, std::move(text));
}
