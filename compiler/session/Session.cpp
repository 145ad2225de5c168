//===- Session.cpp - a model's way through the compiler -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements compiling an imported module: the phases of each size
// and CPU, and the artifact.
//===----------------------------------------------------------------------===//

#include "compiler/session/Session.h"
#include "compiler/cache/BuildIdentity.h"
#include "compiler/cache/KernelCache.h"
#include "compiler/session/DeviceCode.h"
#include "compiler/session/Dialects.h"
#include "compiler/session/MergeWeights.h"
#include "compiler/session/Prepare.h"
#include "compiler/session/Signature.h"
#include "compiler/session/Targets.h"
#include "compiler/support/OutputFile.h"
#include "compiler/targets/cpu/HeaderEmitter.h"
#include "compiler/targets/cpu/Passes.h"
#include "compiler/targets/cuda/Passes.h"
#include "compiler/targets/cuda/simulator/Simulator.h"
#include "compiler/tuning/TuningFiles.h"
#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "passes/gpu/Passes.h"
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

/// Text may hold any IR; what a compile starts from is one graph and what it
/// needs.
static LogicalResult checkGraph(ModuleOp module) {
  if (failed(requireGraph(module)))
    return failure();
  auto result = module.walk([&](Operation *op) {
    if (op == module || isa<GravenDialect>(op->getDialect()))
      return WalkResult::advance();
    emitCoded(op->getLoc(), Code::BadGraph)
        << "'" << op->getName() << "' is no operation of a graph";
    return WalkResult::interrupt();
  });
  return success(!result.wasInterrupted());
}

static void watch(PassManager &manager, const CompileOptions &options) {
  if (options.explanations)
    options.explanations->watch(manager);
}

/// What is said of a graph while its extents become known is about the model:
/// shapes that contradict each other are found out here.
static LogicalResult runGraphPhase(ModuleOp module, Phase last,
                                   const CompileOptions &options,
                                   const TargetInfo &target,
                                   TimingScope timing) {
  CodeScope scope(module.getContext(), Code::BadGraph);
  // An artifact has one entry: nobody can call the others when they are
  // inlined.
  for (auto graph : module.getOps<GraphOp>())
    if (graph.getSymName() != "forward" && graph.getSymName() != "prepare")
      graph.setPrivate();
  PassManager manager(module.getContext());
  manager.enableTiming(timing);
  buildPhases(manager, last, options.level, options.numerics, options.precision,
              target);
  if (options.verification)
    verifyNumerics(manager, *options.verification);
  watch(manager, options);
  StepCounter::Scope counted(options.steps, module.getContext());
  if (failed(manager.run(module)))
    return failure();
  return options.onGraph && last >= Phase::Graph
             ? options.onGraph(graphOf(module))
             : success();
}

/// A Node that is left here is one that native code does not have.
static LogicalResult runKernelPhase(ModuleOp module,
                                    const CompileOptions &options,
                                    const TargetInfo &target, Sharing sharing,
                                    TimingScope timing) {
  CodeScope scope(module.getContext(), Code::UnsupportedFeature);
  PassManager manager(module.getContext());
  manager.enableTiming(timing);
  buildKernelPhase(manager, target, sharing);
  watch(manager, options);
  StepCounter::Scope counted(options.steps, module.getContext());
  return manager.run(module);
}

static std::shared_ptr<const TuningDatabase>
tuningOf(const CompileOptions &options, Location loc) {
  return options.tuning ? options.tuning : usualTuning(options.tuningFile, loc);
}

FailureOr<std::function<void(PassManager &)>>
Session::graphPhase(const CompileOptions &options, Location loc) {
  auto targets = Targets::get(options, loc);
  if (failed(targets))
    return failure();
  return std::function<void(PassManager &)>(
      [level = options.level, numerics = options.numerics,
       precision = options.precision,
       layout = targets->layout](PassManager &manager) {
        buildGraphPhase(manager, level, numerics, precision, layout);
      });
}

LogicalResult Session::runPhases(ModuleOp module, Phase last,
                                 const CompileOptions &options) {
  auto target = Targets::get(options, module.getLoc());
  if (failed(target) ||
      failed(target->checkOne(/*sizes=*/1, module.getLoc())) ||
      failed(checkGraph(module)))
    return failure();
  const TargetInfo &info = target->layout;
  if (failed(runGraphPhase(module, std::min(last, Phase::Graph), options, info,
                           timer.nest("graph phase"))))
    return failure();
  if (last >= Phase::Kernel &&
      failed(runKernelPhase(module, options, info, Sharing::OneSize,
                            timer.nest("kernel phase"))))
    return failure();
  PassManager manager(context.get());
  TimingScope timing(timer.nest("buffer and loops phases"));
  manager.enableTiming(timing);
  if (last >= Phase::Buffer)
    buildBufferPhase(manager);
  if (last >= Phase::Loops && info.processor == Processor::GPU)
    buildDevicePhase(manager, target->units);
  else if (last >= Phase::Loops)
    buildLoopsPhase(manager, info, tuningOf(options, module.getLoc()));
  watch(manager, options);
  return manager.run(module);
}

FailureOr<std::string> Session::pipelineOf(Phase last,
                                           const CompileOptions &options,
                                           const DisabledPasses &disabled) {
  Location loc = UnknownLoc::get(context.get());
  auto target = Targets::get(options, loc);
  if (failed(target) || failed(target->checkOne(/*sizes=*/1, loc)))
    return failure();
  PassManager manager(context.get(), ModuleOp::getOperationName());
  buildPhases(manager, last, options.level, options.numerics, options.precision,
              target->layout, target->units);
  return disabled.pipelineOf(manager);
}

/// The kernels of GPUs become functions of the host.
static LogicalResult simulateDevice(ModuleOp module,
                                    const CompileOptions &options,
                                    MatrixUnits units, Timer &timer) {
  PassManager device(module.getContext());
  buildDeviceCode(device, units);
  device.addPass(cuda::createSimulateKernels(options.simulator->program));
  watch(device, options);
  return runChecked(device, module, timer.nest("device phase"));
}

/// From the buffer phase on there is a module for each CPU, and one for GPUs,
/// with their program; the first of all is `module` itself.
static LogicalResult
runLastPhases(ModuleOp module, const CompileOptions &options,
              const Targets &targets,
              std::shared_ptr<const TuningDatabase> tuning, Timer &timer,
              SmallVectorImpl<OwningOpRef<ModuleOp>> &others,
              std::vector<cuda::DeviceProgram> &programs) {
  PassManager buffer(module.getContext());
  buildBufferPhase(buffer);
  watch(buffer, options);
  if (failed(runChecked(buffer, module, timer.nest("buffer phase"))))
    return failure();
  size_t numDevices = targets.device ? 1 : 0;
  for (size_t i = 1; i < numDevices + targets.cpus.size(); ++i)
    others.push_back(module.clone());
  if (options.simulator)
    return simulateDevice(module, options, targets.units, timer);
  if (targets.device) {
    TimingScope timing(timer.nest("device code"));
    FailureOr<cuda::DeviceProgram> program = makeDeviceProgram(module, options);
    if (failed(program))
      return failure();
    programs.push_back(std::move(*program));
  }
  for (auto [i, target] : llvm::enumerate(targets.cpus)) {
    PassManager loops(module.getContext());
    size_t place = numDevices + i;
    if (place > 0)
      loops.addNestedPass<func::FuncOp>(createRetileKernels(target.info));
    buildOutlining(loops, target.info, tuning);
    watch(loops, options);
    if (failed(runChecked(loops, place == 0 ? module : *others[place - 1],
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
  std::unique_lock<std::mutex> lock(mutex);
  auto wait = [](void *argument) -> void * {
    std::lock_guard<std::mutex> guard(*static_cast<std::mutex *>(argument));
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

/// One size on its way to the kernel phase: its graph's signature.
static FailureOr<cpu::ModelSignature>
makeKernels(ModuleOp module, const CompileOptions &options,
            const TargetInfo &layout, Sharing sharing, StringRef name,
            Timer &timer) {
  if (failed(checkGraph(module)) ||
      failed(runGraphPhase(module, Phase::Graph, options, layout,
                           timer.nest("graph phase"))))
    return failure();
  cpu::ModelSignature signature = signatureOf(graphOf(module), name);
  if (failed(runKernelPhase(module, options, layout, sharing,
                            timer.nest("kernel phase"))))
    return failure();
  return signature;
}

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
      (isOne && failed(targets->checkOne(model.sizes.size(), loc))))
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
  // Steps are counted in one order.
  size_t withoutThreads = options.steps ? model.sizes.size() : 1;
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
    if (own.size() == withoutThreads && areThreadsAllowed())
      context->enableMultithreading();
  }
  int64_t threads = signature.threads;
  signature = own.front();
  signature.threads = threads;
  bool isSized = !model.symbols.empty() || model.sizes.front().room;
  if (isSized && failed(addSizes(signature, model, own, loc)))
    return failure();
  OwningOpRef<ModuleOp> merged;
  if (modules.size() > 1)
    merged = mergeWeights(modules);
  Prepare prepare = Prepare::take(merged ? *merged : module);
  auto tuning = tuningOf(options, loc);
  cpu::EmitOptions emit;
  std::vector<cuda::DeviceProgram> programs;
  std::vector<SmallVector<OwningOpRef<ModuleOp>>> others(modules.size());
  // The entry of a size on a device; programs are all there when it is made.
  auto wrapEntryOf = [&](size_t size) -> cpu::WrapEntry {
    if (!targets->device || options.simulator)
      return {};
    return [&programs, size](llvm::Module &code, StringRef name,
                             const cpu::ModelSignature &signature) {
      cuda::addDeviceEntry(code, name, signature, programs[size]);
    };
  };
  ArrayRef cpus(targets->cpus);
  for (auto [i, sized] : llvm::enumerate(modules)) {
    if (failed(runLastPhases(sized, options, *targets, tuning, timer, others[i],
                             programs)))
      return failure();
    if (i > 0)
      emit.others.push_back({sized, targets->host(), i, wrapEntryOf(i)});
    for (auto [other, target] :
         llvm::zip_equal(others[i], targets->device ? cpus : cpus.drop_front()))
      emit.others.push_back({*other, target, i});
    setWorkspace(signature, i, bytesOf(sized, kWorkspaceSizeAttr));
  }
  signature.weightsSize = bytesOf(module, kWeightsSizeAttr);
  if (options.tunables)
    listTunables(module, targets->host().info, *options.tunables);
  emit.kind = kind;
  emit.target = targets->host();
  emit.optLevel = static_cast<cpu::OptLevel>(options.level);
  emit.timer = Timer(timer);
  emit.launches = options.launches;
  emit.reports = options.reports;
  emit.expandKernels = buildExpansion;
  emit.cache = cache.get();
  if (options.simulator)
    emit.exports.push_back(cuda::simulator::kBinding.str());
  emit.wrapEntry = wrapEntryOf(0);
  if (emit.wrapEntry)
    signature.provenance.emplace_back("gpus", options.gpus);
  emit.counts = &counts;
  auto emission = cpu::Emission::start(module, signature, emit);
  if (failed(emission))
    return failure();
  if (!prepare || signature.weightsSize == 0 || cpu::isText(kind))
    return emission->finish(std::move(file));
  // Both programs' kernels are on the threads by then.
  cpu::EmitOptions weightsEmit(emit);
  weightsEmit.wrapEntry = {};
  weightsEmit.exports = {};
  weightsEmit.timer = timer.nest("weights");
  auto timed = [&](auto step) {
    TimingScope timing((Timer(weightsEmit.timer)));
    return step();
  };
  auto weights = timed(
      [&] { return prepare.start(session, targets->layout, weightsEmit); });
  if (failed(weights))
    return failure();
  auto artifact = emission->finish(std::move(file));
  if (failed(artifact) ||
      failed(timed([&] { return weights->run(*artifact); })))
    return failure();
  return artifact;
}

FailureOr<CompileSummary> Session::compile(const SizedModel &model,
                                           const CompileOptions &options,
                                           StringRef output) {
  Location loc = model.sizes.front().module->getLoc();
  if (!options.gpus.empty() && isDeviceCode(output))
    return compileDeviceCode(*this, model, options, output);
  auto kind = cpu::outputKindOf(output);
  if (!kind)
    return emitCoded(loc, Code::BadOption)
           << "'" << output << "' does not end in .so .o .a .s .ll or .mlir"
           << (isDeviceCode(output) ? "; kernels alone are for --target cuda"
                                    : "");
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
                        signature.workspaceSize,
                        signature.weightsSize,
                        counts,
                        std::max<size_t>(1, signature.sizes.size()),
                        /*deviceKernels=*/{}};
}

FailureOr<rt::LoadedModel> Session::load(const SizedModel &model,
                                         const CompileOptions &options) {
  Location loc = model.sizes.front().module->getLoc();
  auto file = OutputFile::createTemporary(loc);
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
  if (options.simulator)
    options.simulator->bind(loaded->symbol(cuda::simulator::kBinding.data()));
  return std::move(*loaded);
}

SmallVector<eval::Tensor> toTensors(MLIRContext *context,
                                    ArrayRef<rt::Array> arrays) {
  SmallVector<eval::Tensor> tensors;
  for (const rt::Array &array : arrays) {
    auto type = RankedTensorType::get(
        ArrayRef(array.extents().data(), array.extents().size()),
        elementTypeOf(context, array.dtype()));
    tensors.push_back(eval::Tensor::fromBytes(
        type, ArrayRef(reinterpret_cast<const char *>(array.data()),
                       array.numBytes())));
  }
  return tensors;
}

FailureOr<std::vector<rt::Array>>
Session::evaluate(ModuleOp module, ArrayRef<rt::Array> inputs) {
  FailureOr<GraphOp> found = requireGraph(module);
  if (failed(found))
    return failure();
  GraphOp graph = *found;
  auto prefixes = graph.getOps<PrefixOp>();
  if (!prefixes.empty())
    emitWarning((*prefixes.begin()).getLoc())
        << "data decide an extent; the evaluator takes the most, native code "
           "what there is";
  SmallVector<eval::Tensor> tensors = toTensors(context.get(), inputs);
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
