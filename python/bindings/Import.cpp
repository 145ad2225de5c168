//===- Import.cpp - a source as IR ------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading a Source: inputs that are constants become
// Parameters whose bytes stay where they are, and its passes run each time.
//===----------------------------------------------------------------------===//
#include "python/bindings/Import.h"
#include "compiler/session/Dialects.h"
#include "compiler/session/WeightsFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <mutex>

using namespace mlir;

namespace graven::python {

/// The type of dense elements as Python gives them.
static RankedTensorType typeOf(MLIRContext *context,
                               const GravenTensor &tensor) {
  return RankedTensorType::get(ArrayRef(tensor.extents, tensor.rank),
                               elementTypeOf(context, tensor.dtype));
}

static InputSpec knownInput(MLIRContext &context, const Constant &known) {
  RankedTensorType type = typeOf(&context, known.tensor);
  size_t bytes =
      type.getNumElements() * eval::storageBytes(type.getElementType());
  InputSpec spec;
  spec.name = known.input;
  spec.value = eval::Tensor::fromBytes(
                   type, {static_cast<const char *>(known.tensor.data), bytes})
                   .toElements();
  return spec;
}

FailureOr<ImportOptions> importOptions(Session &session, const Source &source) {
  ImportOptions options;
  for (const std::string &text : source.inputs) {
    auto spec = parseInputSpec(text);
    if (!spec)
      return emitCoded(UnknownLoc::get(&session.getContext()),
                       Code::BadInputSpec)
             << llvm::toString(spec.takeError());
    options.inputs.push_back(std::move(*spec));
  }
  options.strings = source.strings;
  for (const Constant &known : source.values) {
    if (!elementTypeOf(&session.getContext(), known.tensor.dtype))
      return emitCoded(UnknownLoc::get(&session.getContext()),
                       Code::BadInputType)
             << "input '" << known.input << "' of "
             << graven_dtype_name(known.tensor.dtype)
             << " would have to be known, expected ints, bools or floats";
    options.inputs.push_back(knownInput(session.getContext(), known));
  }
  if (source.state == "explicit")
    options.state = StateMode::Explicit;
  OtherWeights other;
  other.path = source.weights;
  if (!other.path.empty() &&
      failed(useWeights(session, source.path, other, options)))
    return failure();
  return options;
}

FailureOr<SmallVector<DimSpec>> dimSpecs(Session &session,
                                         const Source &source) {
  SmallVector<DimSpec> dims;
  for (const std::string &text : source.dims) {
    auto dim = parseDimSpec(text);
    if (!dim)
      return emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
             << llvm::toString(dim.takeError());
    dims.push_back(std::move(*dim));
  }
  return dims;
}

/// The position of an input by name or position.
static std::optional<unsigned> findInput(GraphOp graph, StringRef input) {
  unsigned count = graph.getNumArguments();
  for (unsigned i = 0; i < count; ++i)
    if (graph.getInputName(i) == input)
      return i;
  unsigned position;
  if (input.getAsInteger(10, position) || position >= count)
    return std::nullopt;
  return position;
}

/// Makes Parameters of the inputs that are constants.
static LogicalResult bindConstants(ModuleOp module,
                                   ArrayRef<Constant> constants) {
  auto graph = module.lookupSymbol<GraphOp>("forward");
  if (constants.empty() || !graph)
    return success();
  MLIRContext *context = module.getContext();
  auto &store = context->getOrLoadDialect<GravenDialect>()->getBlobStore();
  SymbolTable symbols(module);
  llvm::BitVector bound(graph.getNumArguments());
  OpBuilder builder(context);
  builder.setInsertionPointToStart(&graph.getBody().front());
  for (const Constant &constant : constants) {
    auto index = findInput(graph, constant.input);
    if (!index || bound.test(*index))
      return emitCoded(graph.getLoc(), Code::UnknownInput)
             << "constant for input '" << constant.input
             << "': expected one of the " << graph.getNumArguments()
             << " inputs, each once";
    BlockArgument argument = graph.getArgument(*index);
    const GravenTensor &tensor = constant.tensor;
    RankedTensorType type = typeOf(context, tensor);
    if (type != argument.getType())
      return emitCoded(graph.getLoc(), Code::BadInputShape)
             << "constant for input '" << constant.input << "': expected "
             << argument.getType() << ", got " << type;
    int64_t bytes =
        type.getNumElements() * eval::storageBytes(type.getElementType());
    std::string name = graph.getInputName(*index);
    StringRef memory(static_cast<const char *>(tensor.data), bytes);
    std::string blob = store.add(name, llvm::MemoryBuffer::getMemBuffer(
                                           memory, name,
                                           /*RequiresNullTerminator=*/false));
    OperationState state(graph.getLoc(), ParamOp::getOperationName());
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("type", TypeAttr::get(type));
    state.addAttribute("value", BlobAttr::get(context, blob, 0, bytes,
                                              ArrayRef<int64_t>(),
                                              /*bigEndian=*/false));
    Operation *param = Operation::create(state);
    StringAttr symbol = symbols.insert(param, Block::iterator(graph));
    auto read = GetParamOp::create(builder, graph.getLoc(), type,
                                   FlatSymbolRefAttr::get(symbol));
    argument.replaceAllUsesWith(read);
    bound.set(*index);
  }
  if (failed(graph.eraseArguments(bound)))
    return failure();
  graph.updateType();
  return success();
}

FailureOr<OwningOpRef<ModuleOp>> importOne(Session &session,
                                           const Source &source,
                                           const ImportOptions &options) {
  // A file may be called "-", which the session takes for standard input.
  auto module =
      source.bytes
          ? session.importBuffer(llvm::MemoryBuffer::getMemBuffer(
                                     *source.bytes, source.path,
                                     /*RequiresNullTerminator=*/false),
                                 /*directory=*/"", options)
          : session.import(source.path == "-" ? "./-" : source.path, options);
  if (failed(module) || failed(bindConstants(**module, source.constants)))
    return failure();
  for (const std::string &pipeline : source.passes)
    if (failed(runPipeline(*module, pipeline)))
      return failure();
  return module;
}

FailureOr<SizedModel> importSized(Session &session, const Source &source) {
  auto options = importOptions(session, source);
  auto dims = dimSpecs(session, source);
  if (failed(options) || failed(dims))
    return failure();
  return importSizes(
      &session.getContext(),
      [&](const ImportOptions &own) { return importOne(session, source, own); },
      *options, *dims);
}

/// The parts of a pipeline between its outermost commas.
static SmallVector<StringRef> splitPipeline(StringRef text) {
  SmallVector<StringRef> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    depth += StringRef("({[").contains(text[i]);
    depth -= StringRef(")}]").contains(text[i]);
    if (text[i] != ',' || depth > 0)
      continue;
    parts.push_back(text.slice(begin, i).trim());
    begin = i + 1;
  }
  parts.push_back(text.substr(begin).trim());
  return parts;
}

LogicalResult parsePipeline(StringRef text, OpPassManager &manager,
                            Location loc) {
  static std::once_flag once;
  std::call_once(once, registerPasses);
  StringRef inner = text.trim();
  if (inner.consume_front("builtin.module(") && !inner.consume_back(")"))
    return emitCoded(loc, Code::BadOption)
           << "pipeline '" << text << "': a parenthesis is not closed";
  for (StringRef part : splitPipeline(inner)) {
    // MLIR ends the process when the passes of a named pipeline do not fit.
    SmallVector<StringRef> words;
    if (part.contains('('))
      llvm::SplitString(part, words, "(){}, =");
    for (StringRef word : words)
      if (PassPipelineInfo::lookup(word))
        return emitCoded(loc, Code::BadOption)
               << "pipeline '" << text << "': '" << word
               << "' is for modules and stands in no parentheses";
    // Some passes are of modules, others of Graphs; MLIR's parser wants to be
    // told of which.
    std::string why;
    llvm::raw_string_ostream os(why);
    OpPassManager ofModule(ModuleOp::getOperationName()),
        ofGraph(GraphOp::getOperationName());
    if (succeeded(parsePassPipeline(part, ofModule, llvm::nulls())))
      (void)parsePassPipeline(part, manager, llvm::nulls());
    else if (succeeded(parsePassPipeline(part, ofGraph, os)))
      (void)parsePassPipeline(part, manager.nest(GraphOp::getOperationName()),
                              llvm::nulls());
    else
      return emitCoded(loc, Code::BadOption)
             << "pipeline '" << text << "': " << StringRef(why).trim();
  }
  return success();
}

LogicalResult runPipeline(OwningOpRef<ModuleOp> &module, StringRef text) {
  MLIRContext *context = module->getContext();
  PassManager manager(context, ModuleOp::getOperationName());
  if (failed(parsePipeline(text, manager, module->getLoc())))
    return failure();
  OwningOpRef<ModuleOp> changed = module->clone();
  CodeScope scope(context, Code::BadGraph);
  if (failed(manager.run(*changed)))
    return failure();
  module = std::move(changed);
  return success();
}

} // namespace graven::python
