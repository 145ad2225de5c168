//===- Session.cpp - a model's way through the compiler -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements compiling an imported module: phases, the weights made
// by @prepare, and the artifact.
//===----------------------------------------------------------------------===//

#include "compiler/session/Session.h"
#include "compiler/cache/BuildIdentity.h"
#include "compiler/cache/KernelCache.h"
#include "compiler/session/Dialects.h"
#include "compiler/session/MergeWeights.h"
#include "compiler/support/OutputFile.h"
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "compiler/targets/cpu/Passes.h"
#include "compiler/tuning/TuningFiles.h"
#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "passes/memory/Passes.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include <mutex>
#include <pthread.h>

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

static int64_t sizeOf(ModuleOp module, StringRef name) {
  auto attr = mainFunction(module)->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : 0;
}

static void addSizes(cpu::ModelSignature &signature, ModuleOp module) {
  signature.workspaceSize = sizeOf(module, kWorkspaceSizeAttr);
  signature.weightsSize = sizeOf(module, kWeightsSizeAttr);
}

/// Checks the module once at the end and not after every pass, which would be
/// an eighth of the time of a compile: only a mistake of ours can be found.
static LogicalResult runPasses(PassManager &manager, ModuleOp module,
                               TimingScope timing) {
  manager.enableVerifier(false);
  manager.enableTiming(timing);
  return success(succeeded(manager.run(module)) && succeeded(verify(module)));
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
/// The bytes of a Parameter as @prepare reads them: in place where they are
/// dense and little-endian, on whatever address, otherwise in a copy.
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
        return emitCoded(param.getLoc(), Code::BadTensor)
               << llvm::toString(mapped.takeError());
      bytes.pointer = mapped->data();
      return bytes;
    }
    auto copy = eval::readParam(param);
    if (failed(copy))
      return failure();
    // The copy stands for the file's pages, which need not stay beside it.
    if (blob)
      cast<GravenDialect>(param->getDialect())
          ->getBlobStore()
          .release(blob.getFile());
    bytes.copy = std::move(*copy);
    bytes.pointer = bytes.copy.getBytes().data();
    return bytes;
  }

  void *data() const { return const_cast<char *>(pointer); }

private:
  const char *pointer = nullptr;
  eval::Tensor copy;
};
} // namespace

/// The CPUs that code is made for, and what the layout of their one copy of the
/// weights follows from.
namespace {
struct Targets {
  SmallVector<cpu::CpuTarget> cpus;
  TargetInfo layout;

  static FailureOr<Targets> get(const CompileOptions &options, Location loc) {
    auto cpus = cpu::findTargets(options.cpu, loc);
    if (failed(cpus))
      return failure();
    // Panels as the widest vectors want them: narrower ones take them in parts.
    // Products of pairs and quadruples need panels of their own, so all CPUs or
    // none have them.
    Targets targets{std::move(*cpus), {}};
    targets.layout = targets.cpus.front().info;
    for (const cpu::CpuTarget &target : targets.cpus) {
      targets.layout.hasInt8Dot &= target.info.hasInt8Dot;
      targets.layout.hasBF16Dot &= target.info.hasBF16Dot;
      targets.layout.hasF16Convert &= target.info.hasF16Convert;
    }
    return targets;
  }
};
} // namespace

/// Compiles @prepare, runs it on the Parameters of `module`, and has it write
/// into `weights`.
static LogicalResult makeWeights(Session &session, ModuleOp module,
                                 ModuleOp prepare, const TargetInfo &layout,
                                 const cpu::EmitOptions &like,
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
  // The host runs this code once, whatever the target is. Panels are as wide as
  // the target's vectors, which may be narrower than the host's.
  auto target = cpu::CpuTarget::get("native", loc);
  auto file = OutputFile::createTemporary(loc);
  if (failed(target) || failed(file))
    return failure();
  target->info.vectorBytes =
      std::min(target->info.vectorBytes, layout.vectorBytes);
  PassManager manager(&session.getContext());
  buildBufferPhase(manager);
  buildOutlining(manager, target->info, /*tuning=*/nullptr);
  Timer timer = like.timer;
  if (failed(runPasses(manager, prepare, timer.nest("buffer phase"))))
    return failure();
  addSizes(signature, prepare);
  cpu::EmitOptions emit(like);
  emit.kind = cpu::OutputKind::SharedObject;
  emit.optLevel = cpu::OptLevel::O2;
  emit.target = *target;
  emit.others.clear();
  emit.reports = nullptr;
  emit.launches = nullptr;
  emit.inputAlignment = cpu::InputAlignment::Byte;
  auto artifact = cpu::emitArtifact(prepare, signature, emit, std::move(*file));
  if (failed(artifact) || failed(artifact->commit(Durability::Temporary)))
    return failure();
  TimingScope timing(timer.nest("run"));
  auto loaded = rt::LoadedModel::load(artifact->path().str());
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

/// Text may hold any IR; what a compile starts from is one graph and what it
/// needs.
static LogicalResult checkGraph(ModuleOp module) {
  if (!entryGraph(module))
    return emitCoded(module.getLoc(), Code::BadGraph)
           << "the module has no graph @forward";
  auto result = module.walk([&](Operation *op) {
    if (op == module || isa<GravenDialect>(op->getDialect()))
      return WalkResult::advance();
    emitCoded(op->getLoc(), Code::BadGraph)
        << "'" << op->getName() << "' is no operation of a graph";
    return WalkResult::interrupt();
  });
  return success(!result.wasInterrupted());
}

/// What is said of a graph while its extents become known is about the model:
/// shapes that contradict each other are found out here.
static LogicalResult runGraphPhase(ModuleOp module, Phase last,
                                   const CompileOptions &options,
                                   const TargetInfo &target,
                                   TimingScope timing) {
  CodeScope scope(module.getContext(), Code::BadGraph);
  PassManager manager(module.getContext());
  manager.enableTiming(timing);
  buildPhases(manager, last, options.level, options.numerics, options.precision,
              target);
  return manager.run(module);
}

/// A Node that is left here is one that native code does not have.
static LogicalResult runKernelPhase(ModuleOp module, const TargetInfo &target,
                                    Sharing sharing, TimingScope timing) {
  CodeScope scope(module.getContext(), Code::UnsupportedFeature);
  PassManager manager(module.getContext());
  manager.enableTiming(timing);
  buildKernelPhase(manager, target, sharing);
  return manager.run(module);
}

/// IR and text show the code for one CPU and one size.
static LogicalResult checkOne(const Targets &targets, size_t sizes,
                              Location loc) {
  if (sizes > 1)
    return emitCoded(loc, Code::BadOption)
           << "there are " << sizes
           << " sizes, and only .so, .o and .a hold code for more than one; "
              "choose one, as in --dim batch=8";
  if (targets.cpus.size() == 1)
    return success();
  return emitCoded(loc, Code::BadOption)
         << "--target-cpu names " << targets.cpus.size()
         << " CPUs, and only .so, .o and .a hold code for more than one";
}

static std::shared_ptr<const TuningDatabase>
tuningOf(const CompileOptions &options, Location loc) {
  return options.tuning ? options.tuning : usualTuning(options.tuningFile, loc);
}

LogicalResult Session::runPhases(ModuleOp module, Phase last,
                                 const CompileOptions &options) {
  auto target = Targets::get(options, module.getLoc());
  if (failed(target) || failed(checkOne(*target, 1, module.getLoc())) ||
      failed(checkGraph(module)))
    return failure();
  const TargetInfo &info = target->layout;
  if (failed(runGraphPhase(module, std::min(last, Phase::Graph), options, info,
                           timer.nest("graph phase"))))
    return failure();
  if (last >= Phase::Kernel &&
      failed(runKernelPhase(module, info, Sharing::OneSize,
                            timer.nest("kernel phase"))))
    return failure();
  PassManager manager(context.get());
  TimingScope timing(timer.nest("buffer and loops phases"));
  manager.enableTiming(timing);
  if (last >= Phase::Buffer)
    buildBufferPhase(manager);
  if (last >= Phase::Loops)
    buildLoopsPhase(manager, info, tuningOf(options, module.getLoc()));
  return manager.run(module);
}

/// From the buffer phase on there is a module for each CPU; the first one's is
/// `module` itself.
static LogicalResult
runLastPhases(ModuleOp module, const Targets &targets,
              std::shared_ptr<const TuningDatabase> tuning, Timer &timer,
              SmallVectorImpl<OwningOpRef<ModuleOp>> &others) {
  PassManager buffer(module.getContext());
  buildBufferPhase(buffer);
  if (failed(runPasses(buffer, module, timer.nest("buffer phase"))))
    return failure();
  for (size_t i = 1; i < targets.cpus.size(); ++i)
    others.push_back(module.clone());
  for (auto [i, target] : llvm::enumerate(targets.cpus)) {
    PassManager loops(module.getContext());
    if (i > 0)
      loops.addNestedPass<func::FuncOp>(createRetileKernels(target.info));
    buildOutlining(loops, target.info, tuning);
    if (failed(runPasses(loops, i == 0 ? module : *others[i - 1],
                         timer.nest("outlining"))))
      return failure();
  }
  return success();
}

/// What of each launch in the main function can be tuned.
static void listTunables(ModuleOp module, const TargetInfo &target,
                         SmallVectorImpl<TunableLaunch> &tunables) {
  SymbolTable symbols(module);
  for (kernel::LaunchOp launch : cpu::launchesOf(module)) {
    TunableLaunch &tunable = tunables.emplace_back();
    for (Operation &op :
         symbols.lookup<func::FuncOp>(launch.getCallee()).front())
      if (!tilesOf(&op).empty()) {
        tunable.signature = tuningSignature(&op);
        tunable.candidates = tileCandidates(&op, target);
      }
  }
}

/// Whether the system lets this process have a thread for each CPU. LLVM ends
/// the process where it is refused one, which a library must not.
static bool areThreadsAllowed() {
  unsigned wanted = llvm::hardware_concurrency().compute_thread_count();
  SmallVector<pthread_t> threads;
  // They wait for each other, so that all of them exist at one time.
  std::mutex mutex;
  std::unique_lock lock(mutex);
  auto wait = [](void *argument) -> void * {
    std::lock_guard guard(*static_cast<std::mutex *>(argument));
    return nullptr;
  };
  for (pthread_t thread; threads.size() < wanted &&
                         ::pthread_create(&thread, nullptr, wait, &mutex) == 0;)
    threads.push_back(thread);
  lock.unlock();
  for (pthread_t thread : threads)
    ::pthread_join(thread, nullptr);
  return threads.size() == wanted;
}

/// The cache of compiled kernels, unless there is to be none or its folder
/// cannot be used. That is worth a word only where the user chose the folder,
/// or where it is as somebody else may have made it.
static std::unique_ptr<KernelCache> openCache(const CompileOptions &options,
                                              Location loc) {
  std::string folder =
      options.cacheFolder.value_or(KernelCache::defaultFolder());
  if (folder.empty() || buildIdentity().empty())
    return nullptr;
  auto cache = KernelCache::open(folder, KernelCache::defaultLimit());
  if (cache)
    return std::move(*cache);
  std::string why = llvm::toString(cache.takeError());
  if (options.cacheFolder || llvm::sys::fs::exists(folder))
    warnCoded(loc, Code::CacheUnusable)
        << "the kernel cache '" << folder << "' is not used: " << why;
  return nullptr;
}

/// Everything that differs between the sizes goes into `signature`, which has
/// the tensors of the first.
static LogicalResult addSizes(cpu::ModelSignature &signature,
                              const SizedModel &model,
                              ArrayRef<cpu::ModelSignature> own, Location loc) {
  signature.symbols = model.symbols;
  signature.split = model.split;
  signature.splitUnits = model.splitUnits;
  for (auto [size, one] : llvm::zip_equal(model.sizes, own)) {
    cpu::SizeSpec spec;
    spec.extents = size.extents;
    for (const cpu::TensorSpec &tensor : one.inputs)
      spec.inputs.push_back(tensor.extents);
    for (auto [i, tensor] : llvm::enumerate(one.outputs)) {
      if (tensor.extents.size() != signature.outputs[i].extents.size())
        return emitCoded(loc, Code::DynamicShape)
               << "output '" << tensor.name << "' has rank "
               << signature.outputs[i].extents.size() << " or "
               << tensor.extents.size()
               << ", as the dynamic extents of the inputs are";
      spec.outputs.push_back(tensor.extents);
    }
    signature.sizes.push_back(std::move(spec));
  }
  for (auto [tensor, symbols] :
       llvm::zip_equal(signature.inputs, model.inputSymbols)) {
    tensor.symbols = symbols;
    for (auto [extent, symbol] : llvm::zip_equal(tensor.extents, symbols))
      extent = symbol.empty() ? extent : ShapedType::kDynamic;
  }
  // What is the extent of a symbol in all sizes is called by its name.
  for (auto [i, tensor] : llvm::enumerate(signature.outputs))
    for (size_t axis = 0; axis < tensor.extents.size(); ++axis) {
      auto isAlways = [&](auto extentAt) {
        return llvm::all_of(signature.sizes, [&](const cpu::SizeSpec &size) {
          return size.outputs[i][axis] == extentAt(size);
        });
      };
      int64_t unit = model.split && axis == 0
                         ? model.splitUnits[signature.inputs.size() + i]
                         : 0;
      if (unit == 0 && isAlways([&, extent = tensor.extents[axis]](
                                    const auto &) { return extent; }))
        continue;
      tensor.extents[axis] = ShapedType::kDynamic;
      tensor.symbols.resize(tensor.extents.size());
      for (size_t s = 0; s < signature.symbols.size(); ++s)
        if (isAlways([&](const auto &size) { return size.extents[s]; }))
          tensor.symbols[axis] = signature.symbols[s].name;
    }
  return success();
}

/// Runs of several sizes put an output together along axis 0, and only there.
static LogicalResult checkSplit(const cpu::ModelSignature &signature,
                                Location loc) {
  for (auto [i, tensor] : llvm::enumerate(signature.outputs)) {
    int64_t unit = signature.splitUnits[signature.inputs.size() + i];
    llvm::SmallDenseMap<llvm::hash_code, ArrayRef<int64_t>> others;
    for (const cpu::SizeSpec &size : signature.sizes) {
      SmallVector<int64_t> rest(size.extents);
      int64_t count = std::exchange(rest[*signature.split], 0);
      ArrayRef<int64_t> extents = size.outputs[i];
      bool good = unit == 0 || extents.front() == unit * count;
      ArrayRef<int64_t> tail = extents.drop_front(unit == 0 ? 0 : 1);
      auto [entry, isNew] =
          others.try_emplace(llvm::hash_combine_range(rest), tail);
      if (!good || entry->second != tail)
        return emitCoded(loc, Code::DynamicShape)
               << "the extents of output '" << tensor.name
               << "' do not follow from the extent '"
               << signature.symbols[*signature.split].name
               << "' of the inputs; name the sizes there is to be code for";
    }
  }
  return success();
}

/// One size on its way to the kernel phase: its graph's signature.
static FailureOr<cpu::ModelSignature>
makeKernels(ModuleOp module, const CompileOptions &options,
            const TargetInfo &layout, Sharing sharing, StringRef name,
            Timer &timer) {
  if (failed(checkGraph(module)) ||
      failed(runGraphPhase(module, Phase::Graph, options, layout,
                           timer.nest("graph phase"))))
    return failure();
  cpu::ModelSignature signature = signatureOf(entryGraph(module), name);
  if (failed(
          runKernelPhase(module, layout, sharing, timer.nest("kernel phase"))))
    return failure();
  return signature;
}

/// @prepare and the Parameters that it reads.
struct Weights {
  OwningOpRef<ModuleOp> prepare, params;

  static Weights take(ModuleOp module) {
    Weights weights{takePrepare(module), ModuleOp::create(module.getLoc())};
    // Parameters stay because the rest rewrites the module.
    for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
      param->moveBefore(&weights.params->getBodyRegion().front(),
                        weights.params->getBodyRegion().front().end());
    return weights;
  }
};

/// Takes a model through all phases into `file`, weights and all; `signature`
/// has the name and gets the rest.
static FailureOr<cpu::Artifact>
buildArtifact(Session &session, const SizedModel &model,
              const CompileOptions &options, Timer timer, cpu::OutputKind kind,
              cpu::ModelSignature &signature, cpu::KernelCounts &counts,
              OutputFile &&file) {
  MLIRContext *context = &session.getContext();
  ModuleOp module = model.sizes.front().module;
  Location loc = module.getLoc();
  auto targets = Targets::get(options, loc);
  bool isOne = cpu::isText(kind) || options.launches || options.tunables;
  if (failed(targets) ||
      (isOne && failed(checkOne(*targets, model.sizes.size(), loc))))
    return failure();
  std::unique_ptr<KernelCache> cache = openCache(options, loc);
  llvm::scope_exit complain([&] {
    if (cache)
      for (const std::string &problem : cache->takeProblems())
        warnCoded(loc, Code::CacheDamaged) << "the cached kernel " << problem;
  });
  CodeScope coded(context, Code::Internal);
  // Starting the threads of the compiler costs more than a short command takes,
  // so only this has them, and only when the first graph is known to be good.
  std::vector<cpu::ModelSignature> own;
  SmallVector<ModuleOp> modules;
  for (const SizedModel::Size &size : model.sizes) {
    auto made = makeKernels(size.module, options, targets->layout,
                            model.sizes.size() > 1 ? Sharing::SeveralSizes
                                                   : Sharing::OneSize,
                            signature.name, timer);
    if (failed(made))
      return failure();
    own.push_back(std::move(*made));
    modules.push_back(size.module);
    if (own.size() == 1 && areThreadsAllowed())
      context->enableMultithreading();
  }
  int64_t threads = signature.threads;
  signature = own.front();
  signature.threads = threads;
  if (!model.symbols.empty()) {
    if (failed(addSizes(signature, model, own, loc)) ||
        (model.split && failed(checkSplit(signature, loc))))
      return failure();
  }
  OwningOpRef<ModuleOp> merged;
  if (modules.size() > 1)
    merged = mergeWeights(modules);
  Weights weights = Weights::take(merged ? *merged : module);
  auto tuning = tuningOf(options, loc);
  cpu::EmitOptions emit;
  std::vector<SmallVector<OwningOpRef<ModuleOp>>> others(modules.size());
  for (auto [i, sized] : llvm::enumerate(modules)) {
    if (failed(runLastPhases(sized, *targets, tuning, timer, others[i])))
      return failure();
    if (i > 0)
      emit.others.push_back({sized, targets->cpus.front(), i});
    for (auto [other, target] :
         llvm::zip_equal(others[i], ArrayRef(targets->cpus).drop_front()))
      emit.others.push_back({*other, target, i});
    int64_t workspace = sizeOf(sized, kWorkspaceSizeAttr);
    if (!signature.sizes.empty())
      signature.sizes[i].workspaceSize = workspace;
    signature.workspaceSize = std::max(signature.workspaceSize, workspace);
  }
  signature.weightsSize = sizeOf(module, kWeightsSizeAttr);
  if (options.tunables)
    listTunables(module, targets->cpus.front().info, *options.tunables);
  emit.kind = kind;
  emit.target = targets->cpus.front();
  emit.optLevel = static_cast<cpu::OptLevel>(options.level);
  emit.timer = Timer(timer);
  emit.launches = options.launches;
  emit.reports = options.reports;
  emit.expandKernels = buildExpansion;
  emit.cache = cache.get();
  emit.counts = &counts;
  auto artifact = cpu::emitArtifact(module, signature, emit, std::move(file));
  if (failed(artifact))
    return failure();
  if (weights.prepare && !artifact->weights().empty()) {
    emit.timer = timer.nest("weights");
    TimingScope timing((Timer(emit.timer)));
    if (failed(makeWeights(session, *weights.params, *weights.prepare,
                           targets->layout, emit, artifact->weights())))
      return failure();
    artifact->releaseWeights(0, artifact->weights().size());
  }
  return artifact;
}

FailureOr<CompileSummary> Session::compile(const SizedModel &model,
                                           const CompileOptions &options,
                                           StringRef output) {
  Location loc = model.sizes.front().module->getLoc();
  auto kind = cpu::outputKindOf(output);
  if (!kind)
    return emitCoded(loc, Code::BadOption)
           << "'" << output << "' does not end in .so .o .a .s .ll or .mlir";
  // Paths that cannot be written are found out before minutes of work.
  auto file = OutputFile::create(output,
                                 *kind == cpu::OutputKind::SharedObject
                                     ? FileMode::Executable
                                     : FileMode::Plain,
                                 loc);
  if (failed(file))
    return failure();
  std::optional<OutputFile> header;
  if (!options.headerPath.empty()) {
    auto opened = OutputFile::create(options.headerPath, FileMode::Plain, loc);
    if (failed(opened))
      return failure();
    header.emplace(std::move(*opened));
  }
  cpu::ModelSignature signature;
  signature.name =
      options.name.empty() ? llvm::sys::path::stem(output).str() : options.name;
  signature.threads = options.threads;
  cpu::KernelCounts counts;
  auto artifact = buildArtifact(*this, model, options, timer, *kind, signature,
                                counts, std::move(*file));
  if (failed(artifact))
    return failure();
  if (header && failed(header->write(llvm::arrayRefFromStringRef<char>(
                    cpu::makeHeader(signature)))))
    return failure();
  TimingScope timing(timer.nest("write"));
  if (failed(artifact->commit()) || (header && failed(header->commit())))
    return failure();
  return CompileSummary{cpu::symbolPrefix(signature.name),
                        signature.workspaceSize, signature.weightsSize, counts,
                        std::max<size_t>(1, signature.sizes.size())};
}

FailureOr<rt::LoadedModel> Session::load(const SizedModel &model,
                                         const CompileOptions &options) {
  auto file = OutputFile::createTemporary(model.sizes.front().module->getLoc());
  if (failed(file))
    return failure();
  cpu::ModelSignature signature;
  signature.name = options.name.empty() ? "model" : options.name;
  cpu::KernelCounts counts;
  auto artifact =
      buildArtifact(*this, model, options, timer, cpu::OutputKind::SharedObject,
                    signature, counts, std::move(*file));
  if (failed(artifact) || failed(artifact->commit(Durability::Temporary)))
    return failure();
  auto loaded = rt::LoadedModel::load(artifact->path().str());
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
  CodeScope scope(context.get(), Code::RunFailed);
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
