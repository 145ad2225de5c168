//===- Prepare.cpp - the weights of an artifact ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements taking @prepare out of a module, reading Parameters in
// place where that can be, and the run.
//===----------------------------------------------------------------------===//

#include "compiler/session/Prepare.h"
#include "compiler/session/Pieces.h"
#include "compiler/session/Signature.h"
#include "compiler/support/OutputFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "passes/lower/LowerUtils.h"
#include "passes/memory/Passes.h"

using namespace mlir;

namespace graven {

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

Prepare Prepare::take(ModuleOp module) {
  Prepare taken;
  if (auto prepare = module.lookupSymbol<func::FuncOp>("prepare")) {
    taken.function = ModuleOp::create(module.getLoc());
    prepare->moveBefore(&taken.function->getBodyRegion().front(),
                        taken.function->getBodyRegion().front().end());
  }
  // Parameters stay because the rest rewrites the module.
  taken.params = ModuleOp::create(module.getLoc());
  for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
    param->moveBefore(&taken.params->getBodyRegion().front(),
                      taken.params->getBodyRegion().front().end());
  return taken;
}

struct WeightsProgram::State {
  MLIRContext *context;
  SmallVector<ParamBytes> read;
  SmallVector<cpu::WeightsPlace> places;
  SmallVector<Piece> pieces;
  cpu::ModelSignature signature;
  cpu::EmitOptions options;
  std::optional<cpu::Emission> emission;
  std::optional<OutputFile> file;
};

WeightsProgram::WeightsProgram(std::unique_ptr<State> state)
    : state(std::move(state)) {}
WeightsProgram::WeightsProgram(WeightsProgram &&) = default;
WeightsProgram::~WeightsProgram() = default;

/// From how many bytes of weights on vectors are worth making: for one loop
/// that packs LLVM takes 5 to 15 ms, and scalar code, which runs once, packs a
/// megabyte in one or two.
constexpr uint64_t kWorthVectors = 1 << 20;
/// Up to how many bytes that kernels read and write code as it is selected is
/// good enough: it takes a third of a millisecond for a hundred thousand
/// elements, and a third of the time to make.
constexpr uint64_t kWorthNothing = 4 << 20;

/// Whether a kernel of this kind visits each element once, but for products.
static bool isOnePass(StringRef kind) {
  return kind == "kernel.pack" || kind == "memref.copy" ||
         kind.starts_with("linalg.");
}

/// Whether a program only moves and combines few elements: no products and no
/// loops.
static bool isShort(func::FuncOp prepare) {
  uint64_t bytes = 0;
  bool isSimple = true;
  prepare.walk([&](Operation *op) {
    if (auto launch = dyn_cast<kernel::LaunchOp>(op)) {
      isSimple &= isOnePass(launch.getKind().value_or("")) &&
                  launch.getMultiplyAdds().value_or(0) == 0;
      bytes += launch.getBytes().value_or(0);
    }
    isSimple &= !isa<LoopLikeOpInterface>(op);
  });
  return isSimple && bytes < kWorthNothing;
}

static cpu::OptLevel levelFor(func::FuncOp prepare,
                              ArrayRef<cpu::WeightsPlace> places) {
  uint64_t bytes = 0;
  for (const cpu::WeightsPlace &place : places)
    bytes += place.size;
  if (bytes >= kWorthVectors)
    return cpu::OptLevel::O2;
  return isShort(prepare) ? cpu::OptLevel::O0 : cpu::OptLevel::O1;
}

/// The code runs once, on this machine, whatever the target is.
static cpu::EmitOptions hostOptions(const cpu::EmitOptions &like,
                                    cpu::CpuTarget target,
                                    cpu::OptLevel level) {
  cpu::EmitOptions options(like);
  options.kind = cpu::OutputKind::SharedObject;
  options.optLevel = level;
  options.target = std::move(target);
  options.others.clear();
  options.reports = nullptr;
  options.launches = nullptr;
  options.inputAlignment = cpu::InputAlignment::Byte;
  // An object more costs more than the code of such kernels.
  if (level == cpu::OptLevel::O0)
    options.kernelPlace = cpu::KernelPlace::Module;
  return options;
}

FailureOr<WeightsProgram> Prepare::start(Session &session,
                                         const TargetInfo &layout,
                                         const cpu::EmitOptions &like) {
  Location loc = params->getLoc();
  MLIRContext *context = &session.getContext();
  auto state = std::make_unique<WeightsProgram::State>();
  state->context = context;
  auto prepare = function->lookupSymbol<func::FuncOp>("prepare");
  SmallVector<int64_t> offsets(
      prepare->getAttrOfType<DenseI64ArrayAttr>(offsetsAttrName).asArrayRef());
  cpu::ModelSignature &signature = state->signature;
  signature.name = "prepare";
  for (auto [i, type] : llvm::enumerate(prepare.getArgumentTypes())) {
    auto symbol = prepare.getArgAttrOfType<StringAttr>(i, paramAttrName);
    auto bytes = ParamBytes::get(params->lookupSymbol<ParamOp>(symbol));
    if (failed(bytes))
      return failure();
    state->read.push_back(std::move(*bytes));
    signature.inputs.push_back(specOf(symbol.str(), type));
  }
  signature.inputs.push_back(specOf(
      "piece", RankedTensorType::get({1}, IntegerType::get(context, 64))));
  for (auto [offset, type] :
       llvm::zip_equal(offsets, prepare.getResultTypes())) {
    signature.outputs.push_back(specOf("", type));
    auto tensor = cast<RankedTensorType>(type);
    uint64_t bytes =
        tensor.getNumElements() * eval::storageBytes(tensor.getElementType());
    state->places.push_back({static_cast<uint64_t>(offset), bytes});
  }
  auto target = cpu::CpuTarget::get("native", loc);
  auto file = OutputFile::createTemporary(loc);
  if (failed(target) || failed(file))
    return failure();
  state->file.emplace(std::move(*file));
  // Panels are as wide as the target's vectors, which may be narrower than the
  // host's.
  target->info.vectorBytes =
      std::min(target->info.vectorBytes, layout.vectorBytes);
  PassManager manager(context);
  buildBufferPhase(manager);
  buildOutlining(manager, target->info, /*tuning=*/nullptr);
  Timer timer = like.timer;
  if (failed(runChecked(manager, *function, timer.nest("buffer phase"))))
    return failure();
  prepare = function->lookupSymbol<func::FuncOp>("prepare");
  cpu::OptLevel level = levelFor(prepare, state->places);
  state->pieces = splitIntoPieces(prepare, state->places);
  signature.workspaceSize = bytesOf(*function, kWorkspaceSizeAttr);
  signature.weightsSize = bytesOf(*function, kWeightsSizeAttr);
  state->options = hostOptions(like, std::move(*target), level);
  auto emission = cpu::Emission::start(*function, signature, state->options);
  if (failed(emission))
    return failure();
  state->emission.emplace(std::move(*emission));
  return WeightsProgram(std::move(state));
}

LogicalResult WeightsProgram::run(cpu::Artifact &weights) {
  auto artifact = state->emission->finish(std::move(*state->file));
  if (failed(artifact) || failed(artifact->commit(Durability::Temporary)))
    return failure();
  TimingScope timing(state->options.timer.nest("run"));
  auto loaded = rt::LoadedModel::load(artifact->path().str());
  MLIRContext *context = state->context;
  if (!loaded)
    return report(context, loaded.error());
  SmallVector<void *> inputs;
  for (ParamBytes &bytes : state->read)
    inputs.push_back(bytes.data());
  return runPieces(
      *loaded, state->pieces, inputs, state->places, weights,
      context->isMultithreadingEnabled() ? &context->getThreadPool() : nullptr,
      context);
}

} // namespace graven
