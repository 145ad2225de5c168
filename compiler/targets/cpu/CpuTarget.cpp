//===- CpuTarget.cpp - compiled models for a CPU ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the way from a module to a file: check the signature,
// run the llvm phase, translate, add the model table, optimize, generate code,
// link, and write with room for the weights. Top to bottom it is the story of
// the target.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/CpuTarget.h"
#include "compiler/targets/cpu/KernelObjects.h"
#include "compiler/targets/cpu/Linker.h"
#include "compiler/targets/cpu/ModelTable.h"
#include "compiler/targets/cpu/Passes.h"
#include "compiler/targets/cpu/WeightsImage.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/blobs/Blobs.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace graven::cpu;

namespace {

using Bytes = llvm::SmallVector<char, 0>;

LinkInput blob(StringRef name, graven::rt::Blob blob) {
  return {name, {reinterpret_cast<const char *>(blob.data), blob.size}};
}

/// Symbols of a variant begin with PREFIX, those of further ones with PREFIX.v1
/// and so on.
std::string variantPrefix(const ModelSignature &signature, size_t index) {
  std::string prefix = symbolPrefix(signature.name);
  return index == 0 ? prefix : prefix + ".v" + std::to_string(index);
}

/// The emission of one variant, from the module to objects or text.
class Emitter {
public:
  /// `signature` is that of the module's size, `whole` the artifact's.
  Emitter(ModuleOp module, const CpuTarget &target, size_t index,
          const ModelSignature &whole, const ModelSignature &signature,
          const EmitOptions &options)
      : module(module), target(target), index(index), whole(whole),
        signature(signature), options(options), loc(module.getLoc()),
        machine(target.createTargetMachine(codegenLevel(options.optLevel))),
        timer(options.timer) {}

  LogicalResult findMain();
  void prepareModule();
  LogicalResult makeKernels();
  LogicalResult lower();
  LogicalResult translate();
  LogicalResult generateObjects(llvm::SmallVectorImpl<Bytes> &objects);
  LogicalResult makeText(Bytes &image);

private:
  LogicalResult checkTensor(const TensorSpec &spec, Type argument,
                            StringRef what);
  LogicalResult checkBuffer(Type argument, int64_t size, StringRef what);
  LogicalResult report(llvm::ArrayRef<std::string> problems);
  void addTable();
  LogicalResult bug(const Twine &what) { return emitError(loc) << what; }

  ModuleOp module;
  const CpuTarget &target;
  size_t index;
  const ModelSignature &whole, &signature;
  const EmitOptions &options;
  Location loc;
  std::unique_ptr<llvm::TargetMachine> machine;
  Timer timer;
  std::string mainName;
  llvm::StringSet<> kernels;
  llvm::LLVMContext context;
  CodegenProblems problems{context};
  std::unique_ptr<llvm::Module> code;
  std::unique_ptr<KernelBuild> kernelBuild;
};

LogicalResult Emitter::checkTensor(const TensorSpec &spec, Type argument,
                                   StringRef what) {
  if (!dtypeOf(spec.elementType))
    return graven::emitCoded(loc, graven::Code::UnsupportedFeature)
           << what << " '" << spec.name << "' has element type "
           << spec.elementType << ", which no compiled model can take";
  if (llvm::any_of(spec.extents, ShapedType::isDynamic))
    return graven::emitCoded(loc, graven::Code::DynamicShape)
           << what << " '" << spec.name << "' has an extent that is not known";
  auto memref = dyn_cast<MemRefType>(argument);
  if (!memref || !memref.hasStaticShape() ||
      memref.getNumElements() != spec.numElements())
    return bug(what + " '" + spec.name +
               "' does not have the elements of its argument");
  return success();
}

LogicalResult Emitter::checkBuffer(Type argument, int64_t size,
                                   StringRef what) {
  auto memref = dyn_cast<MemRefType>(argument);
  if (!memref || !memref.hasStaticShape() ||
      !memref.getElementType().isInteger(8))
    return bug("the " + what + " is not a static memref of bytes");
  if (memref.getNumElements() != size)
    return bug("the signature has " + Twine(size) + " bytes of " + what +
               ", the main function " + Twine(memref.getNumElements()));
  return success();
}

LogicalResult Emitter::findMain() {
  func::FuncOp main;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function->hasAttr("kernel.entry"))
      kernels.insert(function.getName());
    if (!function->hasAttr("graven.num_inputs"))
      continue;
    if (main)
      return bug("two main functions");
    main = function;
  }
  if (!main || main.isExternal())
    return bug("no function has 'graven.num_inputs'");
  mainName = main.getName().str();
  size_t numInputs = signature.inputs.size(),
         numOutputs = signature.outputs.size();
  ArrayRef<Type> arguments = main.getArgumentTypes();
  size_t numDevices = options.wrapEntry ? 1 : 0;
  if (arguments.size() != numInputs + numOutputs + 2 + numDevices)
    return bug("the main function has " + Twine(arguments.size()) +
               " arguments, the signature needs " +
               Twine(numInputs + numOutputs + 2 + numDevices));
  ArrayRef<Type> results = main.getResultTypes();
  if (results.size() > 1 ||
      (results.size() == 1 && !results.front().isInteger(32)))
    return bug("the main function returns more than a status");
  for (auto [index, spec] : llvm::enumerate(signature.inputs))
    if (failed(checkTensor(spec, arguments[index], "input")))
      return failure();
  for (auto [index, spec] : llvm::enumerate(signature.outputs))
    if (failed(checkTensor(spec, arguments[numInputs + index], "output")))
      return failure();
  ArrayRef<Type> buffers = arguments.drop_back(numDevices).take_back(2);
  return success(
      succeeded(
          checkBuffer(buffers[0], signature.workspaceSize, "workspace")) &&
      succeeded(checkBuffer(buffers[1], signature.weightsSize, "weights")));
}

/// What the phases noted about arguments and results means nothing to LLVM,
/// whose translation warns about each such attribute.
static void dropNotes(FunctionOpInterface function) {
  auto isNote = [](NamedAttribute attr) {
    return attr.getName().strref().starts_with("graven.");
  };
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    for (NamedAttribute attr : llvm::to_vector(function.getArgAttrs(i)))
      if (isNote(attr))
        function.removeArgAttr(i, attr.getName());
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    for (NamedAttribute attr : llvm::to_vector(function.getResultAttrs(i)))
      if (isNote(attr))
        function.removeResultAttr(i, attr.getName());
}

/// Gives the kernels objects of their own, which are made meanwhile.
LogicalResult Emitter::makeKernels() {
  FailureOr<std::unique_ptr<KernelBuild>> started =
      KernelBuild::start(module, target, options);
  if (failed(started))
    return failure();
  kernelBuild = std::move(*started);
  return success();
}

static void listLaunches(ModuleOp module,
                         llvm::SmallVectorImpl<LaunchInfo> &list) {
  for (graven::kernel::LaunchOp launch : launchesOf(module))
    list.push_back({launch.getCallee().str(),
                    launch.getKind().value_or("").str(), launch.getLoc(),
                    static_cast<int64_t>(launch.getTasks()),
                    static_cast<int64_t>(launch.getMultiplyAdds().value_or(0)),
                    static_cast<int64_t>(launch.getBytes().value_or(0))});
}

/// Before anything is lowered: what all modules that come of this one have.
void Emitter::prepareModule() {
  // By the names that kernels have now: reports use them too.
  if (options.launches && index == 0)
    listLaunches(module, *options.launches);
  for (auto function : module.getOps<func::FuncOp>())
    dropNotes(function);
  Builder b(module.getContext());
  module->setAttr(
      LLVM::LLVMDialect::getDataLayoutAttrName(),
      b.getStringAttr(machine->createDataLayout().getStringRepresentation()));
  module->setAttr(LLVM::LLVMDialect::getTargetTripleAttrName(),
                  b.getStringAttr(target.triple));
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
}

LogicalResult Emitter::lower() {
  PassManager pm(module->getName());
  TimingScope timing(timer.nest("llvm phase"));
  pm.enableTiming(timing);
  pm.enableVerifier(false);
  if (options.expandKernels)
    options.expandKernels(pm, target.info);
  buildLLVMPhase(pm, options.launches ? Launches::Announced : Launches::Silent);
  if (failed(pm.run(module)))
    return failure();
  if (options.inputAlignment == InputAlignment::Byte)
    assumeNoAlignment(module);
  return verify(module);
}

LogicalResult Emitter::translate() {
  TimingScope timing(timer.nest("translate to LLVM"));
  // What the arguments mean to earlier phases means nothing to LLVM, which
  // would warn of each.
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      for (NamedAttribute attribute :
           function_interface_impl::getArgAttrs(function, i))
        if (attribute.getName().strref().starts_with("graven."))
          function.removeArgAttr(i, attribute.getName());
  code = translateModuleToLLVMIR(module, context, symbolPrefix(signature.name));
  if (!code)
    return bug("the LLVM dialect could not be translated");
  for (llvm::Function &function : *code) {
    if (kernels.contains(function.getName()))
      function.addFnAttr(llvm::Attribute::NoInline);
    // A kernel in an object of its own is in the same image.
    if (kernelBuild && kernelBuild->symbols().contains(function.getName()))
      function.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }

  std::string entry = variantPrefix(signature, index) + "_entry";
  addEntry(*code, *code->getFunction(mainName),
           options.wrapEntry ? entry + "_device" : entry, signature);
  if (options.wrapEntry)
    options.wrapEntry(*code, entry, signature);
  if (index == 0)
    addTable();
  prepareFunctions(*code, *machine, target.info.vectorBytes, problems);
  return report(problems.all());
}

/// The table is in the first variant's module.
void Emitter::addTable() {
  TableFeature features = TableFeature::None;
  if (options.kind == OutputKind::SharedObject)
    features = features | TableFeature::FixedAlias;
  if (!isText(options.kind))
    features = features | TableFeature::ReserveWeights;
  llvm::SmallVector<VariantSymbol> variants;
  auto add = [&](const CpuTarget &target) {
    std::string prefix = variantPrefix(signature, variants.size());
    variants.push_back({prefix + "_entry", &target});
  };
  add(target);
  for (const Variant &other : options.others)
    add(other.target);
  addModelTable(*code, whole, variants, features);
}

/// What LLVM objects to is a mistake of the code it was given.
LogicalResult Emitter::report(llvm::ArrayRef<std::string> problems) {
  for (const std::string &problem : problems)
    emitError(loc) << "cannot generate code: " << problem;
  return success(problems.empty());
}

/// The code of everything but the kernels that have objects of their own, and
/// those.
LogicalResult Emitter::generateObjects(llvm::SmallVectorImpl<Bytes> &objects) {
  {
    TimingScope timing(timer.nest("machine code"));
    optimize(*code, *machine, options.optLevel);
    generateCode(*code, *machine, llvm::CodeGenFileType::ObjectFile,
                 objects.emplace_back(), problems, options.reports);
  }
  if (!kernelBuild)
    return report(problems.all());
  FailureOr<KernelObjects> made = kernelBuild->finish();
  if (failed(made))
    return failure();
  if (options.reports)
    options.reports->append(made->reports);
  if (options.counts) {
    options.counts->total += made->objects.size();
    options.counts->cached += made->numCached;
  }
  for (Bytes &kernel : made->objects)
    objects.push_back(std::move(kernel));
  return report(problems.all());
}

LogicalResult Emitter::makeText(Bytes &image) {
  if (options.kind == OutputKind::LLVMDialect) {
    std::string text;
    llvm::raw_string_ostream(text) << module << "\n";
    image.assign(text.begin(), text.end());
    return success();
  }
  optimize(*code, *machine, options.optLevel);
  if (options.kind == OutputKind::LLVMIR) {
    llvm::raw_svector_ostream stream(image);
    code->print(stream, /*AAW=*/nullptr);
    return success();
  }
  generateCode(*code, *machine, llvm::CodeGenFileType::AssemblyFile, image,
               problems, options.reports);
  return report(problems.all());
}

/// The objects of all variants as one file.
LogicalResult link(llvm::ArrayRef<Bytes> objects,
                   const ModelSignature &signature, const EmitOptions &options,
                   Location loc, Bytes &image) {
  Timer timer = options.timer;
  TimingScope timing(timer.nest("link"));
  llvm::SmallVector<LinkInput> inputs;
  for (const Bytes &object : objects)
    inputs.push_back({"model", object});
  Machine machine = options.target.machine;
  inputs.push_back(blob("graven_support", graven::rt::supportObject(machine)));
  if (options.wrapEntry)
    inputs.push_back(blob("graven_device", graven::rt::deviceObject(machine)));
  FailureOr<Bytes> linked;
  if (options.kind == OutputKind::SharedObject) {
    SharedLink shared;
    shared.machine = machine;
    shared.hasWeights = signature.weightsSize > 0;
    shared.objects = inputs;
    shared.libraries = {blob("libc", graven::rt::libcStub(machine)),
                        blob("libm", graven::rt::libmStub(machine))};
    std::string prefix = symbolPrefix(signature.name);
    if (signature.threads != 1)
      shared.unloading = Unloading::Never;
    shared.exports = {prefix + "_model", prefix + "_run", "graven_model"};
    llvm::append_range(shared.exports, options.exports);
    linked = linkShared(shared, loc);
  } else {
    linked = linkRelocatable(inputs, machine, loc);
  }
  if (failed(linked))
    return failure();
  image = std::move(*linked);
  return success();
}

/// One variant, with what it refers to.
class VariantEmission {
public:
  VariantEmission(Variant variant, size_t index, const ModelSignature &whole,
                  const EmitOptions &options)
      : variant(std::move(variant)),
        sized(whole.sizes.empty() ? whole : whole.atSize(this->variant.size)),
        options(options), emitter(this->variant.module, this->variant.target,
                                  index, whole, sized, this->options) {
    this->options.wrapEntry = this->variant.wrapEntry;
    if (index > 0)
      this->options.reports = nullptr;
  }

  /// Its kernels are compiled from here on.
  LogicalResult start() {
    if (failed(emitter.findMain()))
      return failure();
    emitter.prepareModule();
    bool isOneModule =
        isText(options.kind) || options.kernelPlace == KernelPlace::Module;
    return isOneModule ? success() : emitter.makeKernels();
  }

  LogicalResult finish(llvm::SmallVectorImpl<Bytes> &objects, Bytes &text) {
    if (failed(emitter.lower()))
      return failure();
    if (options.kind != OutputKind::LLVMDialect && failed(emitter.translate()))
      return failure();
    return isText(options.kind) ? emitter.makeText(text)
                                : emitter.generateObjects(objects);
  }

private:
  Variant variant;
  ModelSignature sized;
  EmitOptions options;
  Emitter emitter;
};

/// Room for weights in the linked file.
FailureOr<WeightsPlace> makeRoom(const ModelSignature &signature,
                                 OutputKind kind, Bytes &image) {
  bool hasWeights = signature.weightsSize > 0;
  if (kind == OutputKind::Archive)
    return wrapInArchive(image, symbolPrefix(signature.name) + ".o",
                         hasWeights);
  if (!hasWeights || isText(kind))
    return WeightsPlace{};
  return placeWeights(image);
}

} // namespace

std::optional<OutputKind> graven::cpu::outputKindOf(StringRef path) {
  return llvm::StringSwitch<std::optional<OutputKind>>(
             llvm::sys::path::extension(path))
      .Case(".mlir", OutputKind::LLVMDialect)
      .Case(".ll", OutputKind::LLVMIR)
      .Case(".s", OutputKind::Assembly)
      .Case(".o", OutputKind::Object)
      .Case(".a", OutputKind::Archive)
      .Case(".so", OutputKind::SharedObject)
      .Default(std::nullopt);
}

bool graven::cpu::isText(OutputKind kind) {
  return kind == OutputKind::LLVMDialect || kind == OutputKind::LLVMIR ||
         kind == OutputKind::Assembly;
}

FailureOr<Artifact> graven::cpu::emitArtifact(ModuleOp module,
                                              const ModelSignature &signature,
                                              const EmitOptions &options,
                                              StringRef path) {
  // A path that cannot be written is found out before minutes of work.
  bool executable = options.kind == OutputKind::SharedObject;
  FailureOr<OutputFile> file = OutputFile::create(
      path, executable ? FileMode::Executable : FileMode::Plain,
      module.getLoc());
  if (failed(file))
    return failure();
  return emitArtifact(module, signature, options, std::move(*file));
}

FailureOr<Artifact> graven::cpu::emitArtifact(ModuleOp module,
                                              const ModelSignature &signature,
                                              const EmitOptions &options,
                                              OutputFile &&file) {
  FailureOr<Emission> emission = Emission::start(module, signature, options);
  if (failed(emission))
    return failure();
  return emission->finish(std::move(file));
}

struct Emission::State {
  ModuleOp module;
  const ModelSignature &signature;
  const EmitOptions &options;
  std::unique_ptr<VariantEmission> first;

  LogicalResult finish(Bytes &image);
};

Emission::Emission(std::unique_ptr<State> state) : state(std::move(state)) {}
Emission::Emission(Emission &&) = default;
Emission::~Emission() = default;

FailureOr<Emission> Emission::start(ModuleOp module,
                                    const ModelSignature &signature,
                                    const EmitOptions &options) {
  assert((options.others.empty() || !isText(options.kind)) &&
         "text is the code for one CPU");
  auto first = std::make_unique<VariantEmission>(
      Variant{module, options.target, /*size=*/0, options.wrapEntry},
      /*index=*/0, signature, options);
  if (failed(first->start()))
    return failure();
  return Emission(std::make_unique<State>(
      State{module, signature, options, std::move(first)}));
}

/// The other variants are lowered, compiled and forgotten one by one.
LogicalResult Emission::State::finish(Bytes &image) {
  llvm::SmallVector<Bytes> objects;
  if (failed(first->finish(objects, image)))
    return failure();
  first = nullptr;
  for (auto [index, other] : llvm::enumerate(options.others)) {
    VariantEmission variant(other, index + 1, signature, options);
    if (failed(variant.start()) || failed(variant.finish(objects, image)))
      return failure();
  }
  if (isText(options.kind))
    return success();
  return link(objects, signature, options, module.getLoc(), image);
}

FailureOr<Artifact> Emission::finish(OutputFile &&file) {
  Bytes image;
  if (failed(state->finish(image)))
    return failure();
  const ModelSignature &signature = state->signature;
  OutputKind kind = state->options.kind;
  FailureOr<WeightsPlace> weights = makeRoom(signature, kind, image);
  if (failed(weights))
    return emitError(state->module.getLoc())
           << "the linked file has no room for weights";
  if (failed(file.write(image)))
    return failure();
  if (weights->size > 0 && failed(file.extend(weights->offset + weights->size)))
    return failure();
  return Artifact(std::move(file), weights->offset,
                  weights->size > 0 ? signature.weightsSize : 0);
}
