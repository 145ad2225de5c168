//===- Import.cpp - a model file of any format ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements telling a model's format by its content and handing it
// to the frontend that reads it.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Import.h"
#include "compiler/session/Session.h"
#include "compiler/session/TextLimits.h"
#include "compiler/session/WeightsFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/torchexport/Import.h"
#include "frontends/torchscript/Import.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Passes.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace graven {

static bool isText(StringRef bytes) {
  return llvm::all_of(bytes.take_front(4096), [](unsigned char c) {
    return c >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
}

/// Whether a line begins with a Python definition.
static bool isPythonSource(StringRef text) {
  for (StringRef rest = text; !rest.empty();) {
    auto [line, tail] = rest.split('\n');
    if (line.starts_with("def ") || line.starts_with("class "))
      return true;
    rest = tail;
  }
  return false;
}

ModelFormat detectFormat(StringRef bytes) {
  if (bytes.starts_with("PK\3\4"))
    return ModelFormat::TorchArchive;
  if (bytes.empty())
    return ModelFormat::Unknown;
  if (isText(bytes))
    return isPythonSource(bytes) ? ModelFormat::TorchScriptSource
                                 : ModelFormat::GravenText;
  return isOnnx(bytes) ? ModelFormat::Onnx : ModelFormat::Unknown;
}

/// Gives dynamic extents of the inputs of a text what the options make of them.
static LogicalResult resolveExtents(ModuleOp module,
                                    const ImportOptions &options) {
  auto graph = module.lookupSymbol<GraphOp>("forward");
  if (!graph || !options.extentOf)
    return success();
  InferShapesOptions shapes;
  for (unsigned i = 0; i < graph.getNumArguments(); ++i) {
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[i]);
    if (type.hasStaticShape())
      continue;
    auto noted = graph.getArgAttrOfType<ArrayAttr>(i, "graven.symbols");
    SmallVector<std::string> symbols(type.getRank());
    std::string text = graph.getInputName(i) + ":";
    for (auto [axis, own] : llvm::enumerate(type.getShape())) {
      int64_t extent = own;
      if (ShapedType::isDynamic(extent)) {
        auto name = noted ? dyn_cast<StringAttr>(noted[axis]) : StringAttr();
        symbols[axis] = symbolFor(name ? name.getValue() : StringRef(),
                                  graph.getInputName(i), axis);
        extent = options.resolve(symbols[axis]);
      }
      text += axis ? "x" : "";
      text += ShapedType::isDynamic(extent) ? "?" : std::to_string(extent);
    }
    shapes.inputShapes.push_back(std::move(text));
    SmallVector<StringRef> names(symbols.begin(), symbols.end());
    graph.setArgAttr(i, "graven.symbols",
                     Builder(module.getContext()).getStrArrayAttr(names));
  }
  if (shapes.inputShapes.empty())
    return success();
  PassManager manager(module.getContext());
  manager.addPass(createInlineCalls());
  manager.addPass(createInferShapes(shapes));
  CodeScope scope(module.getContext(), Code::BadGraph);
  return manager.run(module);
}

/// Gives prefixes of a text, which is at the most extents, those that the
/// options assume, and what follows from them its own.
static LogicalResult resolvePrefixes(ModuleOp module,
                                     const ImportOptions &options) {
  auto graph = module.lookupSymbol<GraphOp>("forward");
  if (!graph || !options.extentOfData || graph.getOps<PrefixOp>().empty())
    return success();
  // A count that is met again has the extent that it had.
  llvm::DenseMap<Value, int64_t> known;
  CodeScope scope(module.getContext(), Code::BadGraph);
  for (Operation &node : graph.getBody().front().without_terminator()) {
    if (auto prefix = dyn_cast<PrefixOp>(node)) {
      int64_t most = std::min<int64_t>(
          prefix.getExtent(), cast<RankedTensorType>(prefix.getX().getType())
                                  .getDimSize(prefix.getAxis()));
      auto [entry, isNew] = known.try_emplace(prefix.getCount(), 0);
      if (isNew)
        entry->second = options.extentOfData(most);
      prefix.setExtent(std::min(entry->second, most));
    }
    auto inferring = dyn_cast<InferTypeOpInterface>(node);
    SmallVector<Type> types;
    if (!inferring)
      continue;
    if (failed(inferring.inferReturnTypes(
            module.getContext(), node.getLoc(), node.getOperands(),
            node.getAttrDictionary(), node.getPropertiesStorage(),
            node.getRegions(), types)))
      return failure();
    for (auto [result, type] : llvm::zip_equal(node.getResults(), types))
      result.setType(type);
  }
  graph.updateType();
  return verify(module);
}

static FailureOr<OwningOpRef<ModuleOp>>
importText(MLIRContext *context, std::unique_ptr<llvm::MemoryBuffer> buffer,
           StringRef directory, const ImportOptions &options) {
  Location loc =
      FileLineColLoc::get(context, buffer->getBufferIdentifier(), 1, 1);
  if (auto error = checkTextLimits(buffer->getBuffer()))
    return emitCoded(loc, Code::BadIr) << llvm::toString(std::move(error));
  auto &store = context->getOrLoadDialect<GravenDialect>()->getBlobStore();
  store.setDirectory(directory);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  CodeScope scope(context, Code::BadIr);
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(sources, ParserConfig(context));
  if (!module)
    return failure();
  for (ParamOp param : module->getOps<ParamOp>())
    if (Attribute other = options.weight(param.getSymName()))
      param.setValueAttr(other);
  if (failed(resolveExtents(*module, options)) ||
      failed(resolvePrefixes(*module, options)))
    return failure();
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> Session::import(StringRef path,
                                                 const ImportOptions &options) {
  auto buffer = openFile(context.get(), path);
  if (failed(buffer))
    return failure();
  StringRef directory = llvm::sys::path::parent_path(path);
  return importBuffer(std::move(*buffer), directory.empty() ? "." : directory,
                      options);
}

FailureOr<SizedModel> Session::importSized(StringRef path,
                                           const ImportOptions &options,
                                           ArrayRef<DimSpec> dims) {
  return importSizes(
      context.get(),
      [&](const ImportOptions &own) { return import(path, own); }, options,
      dims);
}

/// TorchScript and torch.export both write zip archives.
static FailureOr<OwningOpRef<ModuleOp>>
importTorchArchive(MLIRContext *context,
                   std::unique_ptr<llvm::MemoryBuffer> buffer,
                   const ImportOptions &options) {
  auto zip = torch::ZipReader::open(buffer->getBuffer());
  if (!zip)
    return emitCoded(FileLineColLoc::get(context, buffer->getBufferIdentifier(),
                                         0, 0),
                     Code::BadArchive)
           << llvm::toString(zip.takeError());
  return isTorchExport(*zip) ? importTorchExport(context, std::move(buffer),
                                                 std::move(*zip), options)
                             : importTorchScript(context, std::move(buffer),
                                                 std::move(*zip), options);
}

FailureOr<OwningOpRef<ModuleOp>>
Session::importBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer,
                      StringRef directory, const ImportOptions &options) {
  TimingScope timing(timer.nest("import"));
  StringRef bytes = buffer->getBuffer(), name = buffer->getBufferIdentifier();
  if (isWeights(bytes))
    return emitCoded(FileLineColLoc::get(context.get(), name, 0, 0),
                     Code::UnknownFormat)
           << "'" << name
           << "' holds weights only, no graph; `graven inspect` lists them, "
              "and "
              "--weights gives them to a model";
  switch (detectFormat(bytes)) {
  case ModelFormat::TorchArchive:
    return importTorchArchive(context.get(), std::move(buffer), options);
  case ModelFormat::TorchScriptSource:
    return importTorchScriptSource(context.get(), *buffer, options);
  case ModelFormat::Onnx:
    return importOnnx(context.get(), std::move(buffer), directory, options);
  case ModelFormat::GravenText:
    return importText(context.get(),
                      llvm::MemoryBuffer::getMemBufferCopy(bytes, name),
                      directory, options);
  case ModelFormat::Unknown:
    break;
  }
  return emitCoded(FileLineColLoc::get(context.get(), name, 0, 0),
                   Code::UnknownFormat)
         << "'" << name << "' is not a model file (" << bytes.size()
         << " bytes)";
}

} // namespace graven
