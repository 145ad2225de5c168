//===- ModelCommand.cpp - commands that work on a model -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what these commands share: reading the model, printing
// diagnostics, the JSON report, and the exit code.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {

ModelCommand::ModelCommand(const char *name, const char *help)
    : Command(name, help), flags(sub),
      jsonFlag("json", cl::desc("print the report as JSON"), cl::sub(sub)) {}

void ModelCommand::read() {
  flags.read();
  json = jsonFlag;
}

FailureOr<ImportOptions> ModelCommand::importOptions(Session &session) const {
  MLIRContext *context = &session.getContext();
  auto options = flags.importOptions(context);
  if (failed(options) || !flags.weights)
    return options;
  // The file is read once for its names and again for its program.
  if (flags.model == "-")
    return emitCoded(UnknownLoc::get(context), Code::BadOption)
           << "--weights needs a model in a file, not on standard input";
  if (failed(useWeights(session, flags.model, *flags.weights, *options)))
    return failure();
  return options;
}

FailureOr<OwningOpRef<ModuleOp>> ModelCommand::importModel(Session &session) {
  auto options = importOptions(session);
  if (failed(options))
    return failure();
  return session.import(flags.model, *options);
}

FailureOr<SizedModel> ModelCommand::importSized(Session &session) {
  auto options = importOptions(session);
  auto dims = flags.dimSpecs(&session.getContext());
  if (failed(options) || failed(dims))
    return failure();
  return session.importSized(flags.model, *options, *dims);
}

FailureOr<rt::LoadedModel>
ModelCommand::openModel(Session &session, const CompileOptions &options) {
  Location loc = UnknownLoc::get(&session.getContext());
  FailureOr<rt::LoadedModel> opened = failure();
  if (isArtifact(flags.model)) {
    if (flags.weights)
      return emitCoded(loc, Code::BadOption)
             << "--weights is for models; the weights of an artifact are part "
                "of its code";
    auto loaded = rt::LoadedModel::load(flags.model);
    if (!loaded)
      return emitCoded(loc, Code::BadArtifact) << loaded.error().message;
    opened = std::move(*loaded);
  } else {
    auto sized = importSized(session);
    if (failed(sized))
      return failure();
    opened = session.load(*sized, options);
    if (failed(opened))
      return failure();
  }
  if (rt::Status status = opened->setThreads(options.threads); !status)
    return emitCoded(loc, Code::RunFailed) << status.error().message;
  return opened;
}

/// Standard output may be a full disk too.
static LogicalResult flushOutput(MLIRContext *context) {
  outs().flush();
  if (!outs().has_error())
    return success();
  std::string why = outs().error().message();
  outs().clear_error();
  return emitCoded(UnknownLoc::get(context), Code::CannotWrite)
         << "cannot write to standard output: " << why;
}

int ModelCommand::run() {
  Session session;
  MLIRContext *context = &session.getContext();
  DiagnosticPrinter printer(context, errs());
  printer.setSource(flags.model);
  PassFlags *passes = passFlags();
  if (passes)
    passes->applyTo(*context);
  int exit = runOn(session);
  if (passes && exit == Ok)
    for (const std::string &text : passes->warnings())
      emitWarning(UnknownLoc::get(context)) << text;
  Explanations *explained = passes ? passes->explanations() : nullptr;
  if (explained && exit != Usage) {
    if (json && passes->isDocument())
      report["explanation"] = explained->toJson();
    else
      explained->finish();
  }
  if (!json && failed(flushOutput(context)))
    exit = BadInput;
  if (exit == BadInput && printer.isOnlyUsage())
    exit = Usage;
  // A failure that no error explains is a bug, as one without a code is.
  if (exit == BadInput && (printer.isInternal() || printer.numErrors() == 0)) {
    errs() << "graven: internal error: this is a bug in Graven; please report "
              "it with the model and the command\n";
    exit = Internal;
  }
  if (json) {
    report["exit"] = exit;
    if (json::Array records = printer.takeRecords(); !records.empty())
      report["diagnostics"] = std::move(records);
    outs() << formatv("{0:2}", json::Value(std::move(report))) << "\n";
    if (failed(flushOutput(context)) && exit == Ok)
      exit = BadInput;
  }
  return exit;
}

bool isArtifact(StringRef path) {
  auto buffer = MemoryBuffer::getFileSlice(path, 4, 0);
  return buffer && (*buffer)->getBuffer() == "\x7f"
                                             "ELF";
}

json::Object describeTensor(StringRef name, int32_t dtype,
                            ArrayRef<int64_t> extents,
                            const char *const *symbols) {
  json::Array shape;
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    if (extent >= 0)
      shape.push_back(extent);
    else
      shape.push_back(symbols && symbols[axis] ? json::fixUTF8(symbols[axis])
                                               : "?");
  }
  return json::Object{{"name", json::fixUTF8(name)},
                      {"dtype", graven_dtype_name(dtype)},
                      {"shape", std::move(shape)}};
}

} // namespace graven::cli
