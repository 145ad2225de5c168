//===- Session.cpp - a model's way through the compiler -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements compiling an imported module: phases, the weights made
// by @prepare, and the artifact.
//===----------------------------------------------------------------------===//

#include "compiler/session/Session.h"
#include "compiler/session/Dialects.h"
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "passes/lower/LowerUtils.h"
#include "passes/memory/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

Session::Session() {
  DialectRegistry registry;
  registerDialects(registry);
  context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
}

int32_t dtypeOf(Type elementType) { return cpu::dtypeOf(elementType); }

Type elementTypeOf(MLIRContext *context, int32_t dtype) {
  return parseElementType(context, graven_dtype_name(dtype));
}

LogicalResult report(MLIRContext *context, const rt::Error &error) {
  return emitCoded(UnknownLoc::get(context), Code::RunFailed) << error.message;
}

static GraphOp entryGraph(ModuleOp module) {
  return module.lookupSymbol<GraphOp>("forward");
}

static cpu::TensorSpec specOf(std::string name, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return {std::move(name), tensor.getElementType(),
          SmallVector<int64_t>(tensor.getShape())};
}

/// What the outside sees of the model; taken before the graph is lowered,
/// because lowering drops signs of types.
static cpu::ModelSignature signatureOf(GraphOp graph, StringRef name) {
  cpu::ModelSignature signature;
  signature.name = name.str();
  for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes()))
    signature.inputs.push_back(specOf(graph.getInputName(i), type));
  for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
    signature.outputs.push_back(specOf(graph.getOutputName(i), type));
  return signature;
}

static func::FuncOp mainFunction(ModuleOp module) {
  for (func::FuncOp function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kNumInputsAttr))
      return function;
  return {};
}

static void addSizes(cpu::ModelSignature &signature, ModuleOp module) {
  func::FuncOp function = mainFunction(module);
  auto number = [&](StringRef name) {
    auto attr = function->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  signature.workspaceSize = number(kWorkspaceSizeAttr);
  signature.weightsSize = number(kWeightsSizeAttr);
}

LogicalResult Session::runPhases(ModuleOp module, Phase last,
                                 const CompileOptions &options) {
  auto target = cpu::CpuTarget::get(options.cpu, module.getLoc());
  if (failed(target))
    return failure();
  PassManager manager(context.get());
  buildPhases(manager, last, options.level, options.numerics, target->info);
  return manager.run(module);
}

/// Takes @prepare out of the module into one of its own; null when there is
/// none.
static OwningOpRef<ModuleOp> takePrepare(ModuleOp module) {
  auto prepare = module.lookupSymbol<func::FuncOp>("prepare");
  if (!prepare)
    return nullptr;
  OwningOpRef<ModuleOp> own(ModuleOp::create(module.getLoc()));
  prepare->moveBefore(&own->getBodyRegion().front(),
                      own->getBodyRegion().front().end());
  return own;
}

namespace {
/// A folder of its own for files that only this process uses.
class TemporaryFolder {
public:
  static FailureOr<TemporaryFolder> create(Location loc) {
    SmallString<128> path;
    if (std::error_code error =
            llvm::sys::fs::createUniqueDirectory("graven", path))
      return emitCoded(loc, Code::CannotWrite)
             << "cannot make a temporary folder: " << error.message();
    return TemporaryFolder(path.str().str());
  }
  TemporaryFolder(TemporaryFolder &&other)
      : path(std::exchange(other.path, {})) {}
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(StringRef name) const { return path + "/" + name.str(); }

private:
  explicit TemporaryFolder(std::string path) : path(std::move(path)) {}
  std::string path;
};

/// The bytes of a Parameter as compiled code reads them: in place where they
/// are dense, aligned and little-endian, otherwise in a copy.
class ParamBytes {
public:
  static FailureOr<ParamBytes> get(ParamOp param) {
    ParamBytes bytes;
    auto blob = dyn_cast<BlobAttr>(param.getValue());
    Type element = param.getTensorType().getElementType();
    if (blob && blob.getStrides().empty() && !blob.getBigEndian() &&
        !element.isInteger(1)) {
      auto &store = cast<GravenDialect>(param->getDialect())->getBlobStore();
      auto mapped =
          store.read(blob.getFile(), blob.getOffset(), blob.getLength());
      if (!mapped)
        return param.emitError(llvm::toString(mapped.takeError()));
      if (reinterpret_cast<uintptr_t>(mapped->data()) %
              eval::storageBytes(element) ==
          0) {
        bytes.pointer = mapped->data();
        return bytes;
      }
    }
    auto copy = eval::readParam(param);
    if (failed(copy))
      return failure();
    // The copy stands for the file's pages, which need not stay beside it.
    if (blob)
      cast<GravenDialect>(param->getDialect())
          ->getBlobStore()
          .release(blob.getFile());
    bytes.copy = *copy;
    bytes.pointer = bytes.copy.getBytes().data();
    return bytes;
  }

  void *data() const { return const_cast<char *>(pointer); }

private:
  const char *pointer = nullptr;
  eval::Tensor copy;
};
} // namespace

/// Compiles @prepare, runs it on the Parameters of `module`, and has it write
/// into `weights`.
static LogicalResult makeWeights(Session &session, ModuleOp module,
                                 ModuleOp prepare,
                                 const CompileOptions &options,
                                 MutableArrayRef<char> weights) {
  Location loc = module.getLoc();
  auto function = prepare.lookupSymbol<func::FuncOp>("prepare");
  SmallVector<int64_t> offsets(
      function->getAttrOfType<DenseI64ArrayAttr>(offsetsAttrName).asArrayRef());
  SmallVector<ParamBytes> params;
  cpu::ModelSignature signature;
  signature.name = "prepare";
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto symbol = function.getArgAttrOfType<StringAttr>(i, paramAttrName);
    auto bytes = ParamBytes::get(module.lookupSymbol<ParamOp>(symbol));
    if (failed(bytes))
      return failure();
    params.push_back(std::move(*bytes));
    signature.inputs.push_back(specOf(symbol.str(), type));
  }
  for (Type type : function.getResultTypes())
    signature.outputs.push_back(specOf("", type));
  // The host runs this code once, whatever the target is.
  auto target = cpu::CpuTarget::get("native", loc);
  auto folder = TemporaryFolder::create(loc);
  if (failed(target) || failed(folder))
    return failure();
  PassManager manager(&session.getContext());
  buildBufferPhase(manager);
  buildLoopsPhase(manager, target->info);
  if (failed(manager.run(prepare)))
    return failure();
  addSizes(signature, prepare);
  cpu::EmitOptions emit;
  emit.target = *target;
  std::string path = folder->file("prepare.so");
  auto artifact = cpu::emitArtifact(prepare, signature, emit, path);
  if (failed(artifact) || failed(artifact->commit(cpu::Durability::Temporary)))
    return failure();
  auto loaded = rt::LoadedModel::load(path);
  if (!loaded)
    return report(&session.getContext(), loaded.error());
  SmallVector<void *> inputs, outputs;
  for (ParamBytes &bytes : params)
    inputs.push_back(bytes.data());
  for (int64_t offset : offsets)
    outputs.push_back(weights.data() + offset);
  if (rt::Status status = loaded->call({inputs.data(), inputs.size()},
                                       {outputs.data(), outputs.size()});
      !status)
    return report(&session.getContext(), status.error());
  return success();
}

LogicalResult Session::compile(ModuleOp module, const CompileOptions &options,
                               StringRef output) {
  Location loc = module.getLoc();
  auto kind = cpu::outputKindOf(output);
  if (!kind)
    return emitCoded(loc, Code::BadOption)
           << "'" << output << "' does not end in .so .o .a .s .ll or .mlir";
  auto target = cpu::CpuTarget::get(options.cpu, loc);
  if (failed(target))
    return failure();
  GraphOp graph = entryGraph(module);
  if (!graph)
    return emitCoded(loc, Code::BadGraph) << "the module has no graph @forward";
  std::string name =
      options.name.empty() ? llvm::sys::path::stem(output).str() : options.name;
  PassManager first(context.get());
  buildPhases(first, Phase::Graph, options.level, options.numerics,
              target->info);
  if (failed(first.run(module)))
    return failure();
  cpu::ModelSignature signature = signatureOf(entryGraph(module), name);
  PassManager kernels(context.get());
  buildKernelPhase(kernels, target->info);
  if (failed(kernels.run(module)))
    return failure();
  OwningOpRef<ModuleOp> prepare = takePrepare(module);
  PassManager last(context.get());
  buildBufferPhase(last);
  buildLoopsPhase(last, target->info);
  if (failed(last.run(module)))
    return failure();
  addSizes(signature, module);
  cpu::EmitOptions emit;
  emit.kind = *kind;
  emit.target = *target;
  emit.optLevel = static_cast<cpu::OptLevel>(options.level);
  // Parameters stay in `params` because emission rewrites the module.
  OwningOpRef<ModuleOp> params(ModuleOp::create(loc));
  for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
    param->moveBefore(&params->getBodyRegion().front(),
                      params->getBodyRegion().front().end());
  auto artifact = cpu::emitArtifact(module, signature, emit, output);
  if (failed(artifact))
    return failure();
  if (prepare && !artifact->weights().empty()) {
    if (failed(makeWeights(*this, *params, *prepare, options,
                           artifact->weights())))
      return failure();
    artifact->releaseWeights(0, artifact->weights().size());
  }
  if (!options.headerPath.empty() &&
      failed(cpu::writeHeader(signature, options.headerPath, loc)))
    return failure();
  return artifact->commit();
}

FailureOr<rt::LoadedModel> Session::load(ModuleOp module,
                                         const CompileOptions &options) {
  auto folder = TemporaryFolder::create(module.getLoc());
  if (failed(folder))
    return failure();
  std::string path = folder->file("model.so");
  if (failed(compile(module, options, path)))
    return failure();
  auto loaded = rt::LoadedModel::load(path);
  if (!loaded)
    return report(context.get(), loaded.error());
  return std::move(*loaded);
}

FailureOr<std::vector<rt::Array>>
Session::evaluate(ModuleOp module, ArrayRef<rt::Array *> inputs) {
  GraphOp graph = entryGraph(module);
  if (!graph)
    return emitCoded(module.getLoc(), Code::BadGraph)
           << "the module has no graph @forward";
  SmallVector<eval::Tensor> tensors;
  for (rt::Array *input : inputs) {
    auto type = RankedTensorType::get(
        ArrayRef(input->extents().data(), input->extents().size()),
        elementTypeOf(context.get(), input->dtype()));
    tensors.push_back(eval::Tensor::fromBytes(
        type, ArrayRef(reinterpret_cast<const char *>(input->data()),
                       input->numBytes())));
  }
  eval::Evaluator evaluator;
  auto results = evaluator.run(graph, tensors);
  if (failed(results))
    return failure();
  std::vector<rt::Array> outputs;
  for (const eval::Tensor &tensor : *results) {
    auto array =
        rt::Array::create(dtypeOf(tensor.getElementType()),
                          std::vector<int64_t>(tensor.getShape().begin(),
                                               tensor.getShape().end()));
    if (!array)
      return report(context.get(), array.error());
    llvm::copy(tensor.getBytes(), reinterpret_cast<char *>(array->data()));
    outputs.push_back(std::move(*array));
  }
  return outputs;
}

} // namespace graven
