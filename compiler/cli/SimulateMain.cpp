//===- SimulateMain.cpp - graven-simulate ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-simulate: a main function whose kernels for GPUs
// are written by hand, or were printed after a pass, is compiled for this
// machine, run in the simulator, and what it found is reported.
//===----------------------------------------------------------------------===//

#include "compiler/cli/SimulateMain.h"
#include "compiler/cli/Elements.h"
#include "compiler/cli/Outputs.h"
#include "compiler/session/Dialects.h"
#include "compiler/targets/cpu/CpuTarget.h"
#include "compiler/targets/cuda/Passes.h"
#include "compiler/targets/cuda/simulator/Simulator.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/memory/Passes.h"
#include "runtime/host/LoadedModel.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using graven::cuda::simulator::Simulator;

namespace {

constexpr int ok = 0, checkFailed = 1, badInput = 2, usage = 3;
/// Outputs of at most this many elements are printed whole.
constexpr int64_t shownElements = 64;

/// The main function, whose arguments are inputs and outputs; it gets the rest
/// of those that a compiled model has.
FailureOr<graven::cpu::ModelSignature> prepareMain(ModuleOp module) {
  func::FuncOp main;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(graven::kNumInputsAttr))
      main = function;
  if (!main)
    return module.emitError("expects a function with graven.num_inputs");
  Builder b(module.getContext());
  auto count =
      main->getAttrOfType<IntegerAttr>(graven::kNumInputsAttr).getInt();
  graven::cpu::ModelSignature signature;
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref || !memref.hasStaticShape())
      return main.emitError("expects memrefs of static shape");
    auto &specs =
        static_cast<int64_t>(i) < count ? signature.inputs : signature.outputs;
    specs.push_back({"", memref.getElementType(),
                     llvm::SmallVector<int64_t>(memref.getShape())});
  }
  main->setAttr("graven.num_outputs",
                b.getI64IntegerAttr(signature.outputs.size()));
  auto empty = MemRefType::get({0}, b.getI8Type());
  for (int i = 0; i < 2; ++i)
    if (failed(main.insertArgument(main.getNumArguments(), empty,
                                   /*argAttrs=*/{}, main.getLoc())))
      return failure();
  return signature;
}

FailureOr<graven::rt::LoadedModel> load(ModuleOp module, Simulator &simulator) {
  Location loc = module.getLoc();
  auto signature = prepareMain(module);
  if (failed(signature))
    return failure();
  signature->name = "model";
  PassManager manager(module.getContext());
  graven::cuda::buildNVVMPhase(manager);
  manager.addPass(graven::cuda::createSimulateKernels(simulator.program));
  auto target = graven::cpu::CpuTarget::get("native", loc);
  auto file = graven::OutputFile::createTemporary(loc);
  if (failed(manager.run(module)) || failed(target) || failed(file))
    return failure();
  graven::cpu::EmitOptions emit;
  emit.target = *target;
  emit.exports = {graven::cuda::simulator::kBinding.str()};
  auto emission = graven::cpu::Emission::start(module, *signature, emit);
  if (failed(emission))
    return failure();
  auto artifact = emission->finish(std::move(*file));
  if (failed(artifact) ||
      failed(artifact->commit(graven::Durability::Temporary)))
    return failure();
  auto loaded = graven::rt::LoadedModel::load(artifact->path().str());
  if (!loaded)
    return emitError(loc) << loaded.error().message;
  simulator.bind(loaded->symbol(graven::cuda::simulator::kBinding.data()));
  return std::move(*loaded);
}

/// Numbers that are exact in every format: multiples of 1/8 from -1 to 1, or
/// integers from 0 to 16.
void fill(graven::rt::Array &array, int64_t number) {
  bool isFloat = llvm::is_contained(
      {GRAVEN_F16, GRAVEN_BF16, GRAVEN_F32, GRAVEN_F64}, array.dtype());
  for (int64_t i = 0, e = array.numElements(); i < e; ++i) {
    auto integer = static_cast<double>((i * 5 + number * 3) % 17);
    graven::cli::setNumber(array, i, isFloat ? (integer - 8) / 8 : integer);
  }
}

/// Files that are given as K=@x.npy, and numbers for the others.
FailureOr<std::vector<graven::rt::Array>>
gather(const graven::rt::LoadedModel &model, ArrayRef<std::string> given,
       Location loc) {
  std::vector<graven::rt::Array> inputs;
  for (auto [i, info] : llvm::enumerate(model.inputs())) {
    auto array = graven::rt::Array::create(
        info.dtype, {info.extents, info.extents + info.rank});
    std::string prefix = std::to_string(i) + "=@";
    for (const std::string &text : given)
      if (StringRef(text).starts_with(prefix))
        array = graven::rt::readNpy(text.substr(prefix.size()));
    if (!array)
      return emitError(loc) << array.error().message;
    inputs.push_back(std::move(*array));
    if (llvm::none_of(given,
                      [&](StringRef text) { return text.starts_with(prefix); }))
      fill(inputs.back(), static_cast<int64_t>(i));
  }
  return inputs;
}

void print(ArrayRef<graven::rt::Array> outputs, const Simulator &simulator) {
  for (auto [i, output] : llvm::enumerate(outputs)) {
    llvm::outs() << i << ":";
    for (int64_t k = 0, e = std::min(output.numElements(), shownElements);
         k < e; ++k)
      llvm::outs() << ' ' << llvm::format("%g", graven::cli::number(output, k));
    llvm::outs() << '\n';
  }
  for (auto [kernel, counts] :
       llvm::zip(simulator.program.kernels, simulator.statistics()))
    llvm::outs() << "kernel " << kernel.name << ": " << counts.blocks
                 << " blocks, " << kernel.sharedBytes
                 << " bytes of shared memory, " << counts.sharedCycles
                 << " cycles of its banks, " << counts.idealSharedCycles
                 << " at best\n";
}

/// LLVM keeps references to these until the end of the process.
struct Flags {
  llvm::cl::opt<std::string> file{
      llvm::cl::Positional, llvm::cl::desc("FILE.mlir"), llvm::cl::init("-")};
  llvm::cl::opt<std::string> how{
      "simulate", llvm::cl::desc("seed=NUMBER,copies=early|late")};
  llvm::cl::list<std::string> inputs{"input", llvm::cl::desc("K=@x.npy")};
  llvm::cl::opt<std::string> folder{"save-outputs",
                                    llvm::cl::desc("write K.npy")};
};

} // namespace

int graven::cli::runSimulate(int argc, char **argv) {
  Flags flags;
  llvm::cl::ParseCommandLineOptions(
      argc, argv, "run kernels for GPUs on this machine and check them\n");
  // lld gives the options their first values again when it links.
  std::string folder = flags.folder;
  std::vector<std::string> given(flags.inputs.begin(), flags.inputs.end());
  DialectRegistry registry;
  registerDialects(registry);
  registerDeviceDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler(sources, &context);
  Location loc = UnknownLoc::get(&context);
  auto options = cuda::simulator::parseOptions(flags.how);
  if (!options) {
    emitCoded(loc, Code::BadOption) << llvm::toString(options.takeError());
    return usage;
  }
  Simulator simulator(*options);
  auto module = parseSourceFile<ModuleOp>(flags.file, sources, &context);
  if (!module)
    return badInput;
  auto model = load(*module, simulator);
  if (failed(model))
    return badInput;
  auto inputs = gather(*model, given, loc);
  if (failed(inputs))
    return badInput;
  auto outputs = model->run(*inputs);
  if (!outputs) {
    emitError(loc) << outputs.error().message;
    return badInput;
  }
  print(*outputs, simulator);
  if (!folder.empty() && failed(saveOutputs(*outputs, folder, loc)))
    return badInput;
  return simulator.emitFindings() ? checkFailed : ok;
}
