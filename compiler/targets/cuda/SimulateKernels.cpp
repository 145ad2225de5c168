//===- SimulateKernels.cpp - GPU kernels on the host -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimulateKernels, which makes kernels code of the host,
// from the NVVM dialect that also becomes PTX. Threads that need nobody go one
// after the other, others are fibers of a simulator.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/FlatLaunch.h"
#include "compiler/targets/cuda/Passes.h"
#include "compiler/targets/cuda/simulator/Origins.h"
#include "compiler/targets/cuda/simulator/ThreadCode.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"
#include <map>

namespace graven::cuda {
#define GEN_PASS_DEF_SIMULATEKERNELS
#include "compiler/targets/cuda/Passes.h.inc"
} // namespace graven::cuda

using namespace mlir;
using graven::cuda::addressOf;
using graven::cuda::FlatLaunch;
using namespace graven::cuda::simulator;

namespace {

/// Of a block of all GPUs, and of the largest ones.
constexpr int64_t kMostThreads = 1024, kMostDeclared = 48 << 10,
                  kMostShared = 227 << 10;

class Simulation {
public:
  Simulation(ModuleOp module, Program &program)
      : module(module), symbols(module), services(module, symbols),
        program(program), i32(IntegerType::get(module.getContext(), 32)),
        i64(IntegerType::get(module.getContext(), 64)),
        ptr(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult run();
  unsigned numKernels = 0, numTogether = 0;

private:
  /// A kernel with the extents of a launch.
  using Key = std::tuple<Operation *, int64_t, int64_t, int64_t>;

  FailureOr<func::FuncOp> simulate(gpu::LaunchFuncOp op, const FlatLaunch &flat,
                                   LLVM::LLVMFuncOp kernel);
  LogicalResult layShared(LLVM::LLVMFuncOp kernel, const FlatLaunch &flat,
                          Kernel &info);
  LogicalResult moveConstants(LLVM::LLVMFuncOp thread, gpu::GPUModuleOp device,
                              const Kernel &info);
  void addRegisters(LLVM::LLVMFuncOp thread, unsigned count);
  func::FuncOp makeFunction(gpu::LaunchFuncOp launch, StringRef name,
                            Location loc);
  SmallVector<Value> kernelArguments(OpBuilder &b, func::FuncOp function);
  void makeLoops(func::FuncOp function, const FlatLaunch &flat,
                 LLVM::LLVMFuncOp thread);
  void makeBlocks(func::FuncOp function, LLVM::LLVMFuncOp thread,
                  const FlatLaunch &flat, uint32_t kernel);
  LLVM::LLVMFuncOp makeFiber(LLVM::LLVMFuncOp thread, const FlatLaunch &flat);
  LogicalResult launch(gpu::LaunchFuncOp op);

  ModuleOp module;
  SymbolTable symbols;
  CodeServices services;
  Program &program;
  IntegerType i32, i64;
  LLVM::LLVMPointerType ptr;
  std::map<Key, func::FuncOp> simulated;
  DenseMap<Operation *, LLVM::GlobalOp> constants;
};

/// Special registers become arguments.
void Simulation::addRegisters(LLVM::LLVMFuncOp thread, unsigned count) {
  SmallVector<Type> added(NumRegisters, i32);
  if (count == NumTogether)
    added.append({ptr, LLVM::LLVMPointerType::get(module.getContext(), 3)});
  SmallVector<Type> arguments(thread.getFunctionType().getParams());
  llvm::append_range(arguments, added);
  thread.setFunctionType(LLVM::LLVMFunctionType::get(
      thread.getFunctionType().getReturnType(), arguments));
  mlir::Block &entry = thread.getBody().front();
  for (Type type : added)
    entry.addArgument(type, thread.getLoc());
  if (ArrayAttr attributes = thread.getArgAttrsAttr()) {
    SmallVector<Attribute> all(attributes.getValue());
    all.append(added.size(), DictionaryAttr::get(module.getContext()));
    thread.setArgAttrsAttr(ArrayAttr::get(module.getContext(), all));
  }
  for (NamedAttribute attribute :
       llvm::to_vector(thread->getDiscardableAttrs()))
    thread->removeDiscardableAttr(attribute.getName());
  thread.setLinkage(LLVM::Linkage::Internal);
}

/// Arrays that are declared with their sizes lie one after the other; the one
/// without gets what the launch asks for.
LogicalResult Simulation::layShared(LLVM::LLVMFuncOp kernel,
                                    const FlatLaunch &flat, Kernel &info) {
  auto device = kernel->getParentOfType<gpu::GPUModuleOp>();
  DataLayout layout(module);
  SymbolTable table(device);
  llvm::SetVector<Operation *> used;
  kernel.walk([&](LLVM::AddressOfOp op) {
    auto global = table.lookup<LLVM::GlobalOp>(op.getGlobalName());
    if (global && global.getAddrSpace() == 3)
      used.insert(global);
  });
  LLVM::GlobalOp dynamic;
  auto place = [&](LLVM::GlobalOp array, int64_t bytes) {
    int64_t alignment = array.getAlignment().value_or(16);
    info.sharedBytes = llvm::alignTo(info.sharedBytes, alignment);
    info.arrays.push_back({array.getName().str(), info.sharedBytes, bytes});
    info.sharedBytes += bytes;
  };
  for (Operation *op : used) {
    auto array = cast<LLVM::GlobalOp>(op);
    if (array.getAlignment().value_or(1) > 1024)
      return array.emitOpError("is aligned to more than 1024 bytes");
    int64_t bytes = layout.getTypeSize(array.getType()).getFixedValue();
    if (bytes > 0)
      place(array, bytes);
    else if (dynamic)
      return array.emitOpError("is a second array of the launch's size");
    else
      dynamic = array;
  }
  auto check = [&](int64_t most, StringRef what) -> LogicalResult {
    if (info.sharedBytes <= most)
      return success();
    return kernel.emitOpError("has ") << info.sharedBytes << " bytes of "
                                      << what << ", a GPU at most " << most;
  };
  if (failed(check(kMostDeclared, "declared arrays in shared memory")))
    return failure();
  if (dynamic)
    place(dynamic, flat.sharedBytes);
  return check(kMostShared, "shared memory");
}

/// Constants of the device that the thread reads become the host's.
LogicalResult Simulation::moveConstants(LLVM::LLVMFuncOp thread,
                                        gpu::GPUModuleOp device,
                                        const Kernel &info) {
  SymbolTable table(device);
  auto result = thread.walk([&](LLVM::AddressOfOp op) {
    if (findArray(op.getGlobalName(), info))
      return WalkResult::advance();
    auto global = table.lookup<LLVM::GlobalOp>(op.getGlobalName());
    if (!global) {
      op.emitOpError("expects a variable of the device");
      return WalkResult::interrupt();
    }
    LLVM::GlobalOp &moved = constants[global];
    if (!moved) {
      OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
      moved = cast<LLVM::GlobalOp>(b.clone(*global));
      moved.setLinkage(LLVM::Linkage::Internal);
      symbols.insert(moved);
    }
    op.setGlobalName(moved.getName());
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// The kernel as the launches of CPUs know it: each of its tasks is a block.
func::FuncOp Simulation::makeFunction(gpu::LaunchFuncOp launch, StringRef name,
                                      Location loc) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types(launch.getKernelOperands().getTypes());
  types.append(2, b.getIndexType());
  auto function =
      func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(graven::kernel::kEntryAttr, b.getUnitAttr());
  symbols.insert(function);
  function.addEntryBlock();
  return function;
}

SmallVector<Value> Simulation::kernelArguments(OpBuilder &b,
                                               func::FuncOp function) {
  Location loc = function.getLoc();
  SmallVector<Value> arguments;
  for (Value argument : function.getArguments().drop_back(2)) {
    if (isa<MemRefType>(argument.getType()))
      argument =
          LLVM::IntToPtrOp::create(b, loc, ptr, addressOf(b, loc, argument));
    else if (argument.getType().isIndex())
      argument = arith::IndexCastOp::create(b, loc, i64, argument);
    arguments.push_back(argument);
  }
  return arguments;
}

/// Threads that need nobody go one after the other.
void Simulation::makeLoops(func::FuncOp function, const FlatLaunch &flat,
                           LLVM::LLVMFuncOp thread) {
  Location loc = function.getLoc();
  mlir::Block *entry = &function.front();
  OpBuilder b = OpBuilder::atBlockBegin(entry);
  SmallVector<Value> arguments = kernelArguments(b, function);
  auto number = [&](int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  };
  Value numThreads = number(flat.threads), numBlocks = number(flat.blocks);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0),
        one = arith::ConstantIndexOp::create(b, loc, 1),
        size = arith::ConstantIndexOp::create(b, loc, flat.threads);
  auto overBlocks = scf::ForOp::create(
      b, loc, entry->getArgument(entry->getNumArguments() - 2),
      entry->getArguments().back(), one);
  b.setInsertionPointToStart(overBlocks.getBody());
  auto overThreads = scf::ForOp::create(b, loc, zero, size, one);
  b.setInsertionPointToStart(overThreads.getBody());
  auto toI32 = [&](Value index) -> Value {
    return arith::IndexCastOp::create(b, loc, i32, index);
  };
  arguments.append({toI32(overThreads.getInductionVar()),
                    toI32(overBlocks.getInductionVar()), numThreads,
                    numBlocks});
  LLVM::CallOp::create(b, loc, thread, arguments);
  b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(b, loc);
}

/// A Simulator::ThreadFunction.
LLVM::LLVMFuncOp Simulation::makeFiber(LLVM::LLVMFuncOp thread,
                                       const FlatLaunch &flat) {
  Location loc = thread.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(module.getContext()), {ptr, ptr, ptr, i32, i32});
  auto fiber =
      LLVM::LLVMFuncOp::create(b, loc, (thread.getName() + ".fiber").str(),
                               type, LLVM::Linkage::Internal);
  symbols.insert(fiber);
  mlir::Block *entry = fiber.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, i32, value);
  };
  SmallVector<Value> arguments;
  ArrayRef<Type> types = thread.getFunctionType().getParams();
  for (auto [i, type] : llvm::enumerate(types.drop_back(NumTogether))) {
    Value at =
        LLVM::GEPOp::create(b, loc, ptr, ptr, entry->getArgument(0),
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    Value place = LLVM::LoadOp::create(b, loc, ptr, at);
    arguments.push_back(LLVM::LoadOp::create(b, loc, type, place));
  }
  Value shared = LLVM::AddrSpaceCastOp::create(b, loc, types.back(),
                                               entry->getArgument(2));
  arguments.append({entry->getArgument(3), entry->getArgument(4),
                    number(flat.threads), number(flat.blocks),
                    entry->getArgument(1), shared});
  LLVM::CallOp::create(b, loc, thread, arguments);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  return fiber;
}

/// Threads that work together are the simulator's.
void Simulation::makeBlocks(func::FuncOp function, LLVM::LLVMFuncOp thread,
                            const FlatLaunch &flat, uint32_t kernel) {
  Location loc = function.getLoc();
  LLVM::LLVMFuncOp fiber = makeFiber(thread, flat);
  mlir::Block *entry = &function.front();
  OpBuilder b = OpBuilder::atBlockBegin(entry);
  SmallVector<Value> arguments = kernelArguments(b, function);
  auto number = [&](Type type, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, type, value);
  };
  auto slots = [&](Type type, int64_t count) -> Value {
    return LLVM::AllocaOp::create(b, loc, ptr, type, number(i64, count),
                                  /*alignment=*/16);
  };
  Value table = slots(ptr, std::max<int64_t>(1, arguments.size()));
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    Value place = slots(argument.getType(), 1);
    LLVM::StoreOp::create(b, loc, argument, place);
    Value at =
        LLVM::GEPOp::create(b, loc, ptr, ptr, table,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    LLVM::StoreOp::create(b, loc, place, at);
  }
  auto toI64 = [&](Value index) -> Value {
    return arith::IndexCastOp::create(b, loc, i64, index);
  };
  Value lo = toI64(entry->getArgument(entry->getNumArguments() - 2)),
        hi = toI64(entry->getArguments().back());
  Value address = LLVM::AddressOfOp::create(b, loc, fiber);
  services.call(b, loc, Service::launch,
                {services.simulator(b, loc), number(i32, kernel), address,
                 table, lo, hi});
  func::ReturnOp::create(b, loc);
}

/// Bytes from a buffer's beginning to the end of what the memref covers.
int64_t bytesOf(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return kNoBuffer;
  if (!memref.hasStaticShape())
    return kUnknownBytes;
  auto [strides, offset] = memref.getStridesAndOffset();
  if (ShapedType::isDynamic(offset) || ShapedType::isDynamicShape(strides))
    return kUnknownBytes;
  int64_t last = offset;
  for (auto [extent, stride] : llvm::zip_equal(memref.getShape(), strides)) {
    if (extent == 0)
      return 0;
    last += (extent - 1) * stride;
  }
  Type element = memref.getElementType();
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return (last + 1) * llvm::divideCeil(bits, 8);
}

FailureOr<func::FuncOp> Simulation::simulate(gpu::LaunchFuncOp op,
                                             const FlatLaunch &flat,
                                             LLVM::LLVMFuncOp kernel) {
  auto device = kernel->getParentOfType<gpu::GPUModuleOp>();
  Kernel info{.name = kernel.getName().str(),
              .loc = kernel.getLoc(),
              .blocks = flat.blocks,
              .threads = flat.threads};
  for (Type type : op.getKernelOperands().getTypes())
    info.bufferBytes.push_back(bytesOf(type));
  bool together = worksTogether(kernel);
  if (flat.threads > kMostThreads)
    return op.emitOpError("has blocks of ")
           << flat.threads << " threads, a GPU at most " << kMostThreads;
  if (together && failed(layShared(kernel, flat, info)))
    return failure();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto thread = cast<LLVM::LLVMFuncOp>(b.clone(*kernel));
  thread.setSymName((kernel.getName() + ".thread").str());
  symbols.insert(thread);
  unsigned numArguments = thread.getNumArguments();
  addRegisters(thread, together ? NumTogether : NumRegisters);
  if (failed(moveConstants(thread, device, info)) ||
      failed(ThreadCode(thread, numArguments, services, program, info).lower()))
    return failure();
  func::FuncOp function = makeFunction(op, kernel.getName(), kernel.getLoc());
  ++numKernels;
  if (!together)
    return makeLoops(function, flat, thread), function;
  makeBlocks(function, thread, flat, program.kernels.size());
  program.kernels.push_back(std::move(info));
  ++numTogether;
  return function;
}

LogicalResult Simulation::launch(gpu::LaunchFuncOp op) {
  std::optional<FlatLaunch> flat = FlatLaunch::get(op);
  if (!flat)
    return op.emitOpError("is simulated in one dimension of known extent only");
  auto kernel = dyn_cast_or_null<LLVM::LLVMFuncOp>(
      SymbolTable::lookupNearestSymbolFrom(op, op.getKernel()));
  if (!kernel)
    return op.emitOpError("expects a kernel in the NVVM dialect");
  func::FuncOp &function =
      simulated[{kernel, flat->blocks, flat->threads, flat->sharedBytes}];
  if (!function) {
    auto made = simulate(op, *flat, kernel);
    if (failed(made))
      return failure();
    function = *made;
  }
  OpBuilder b(op);
  graven::kernel::LaunchOp::create(
      b, op.getLoc(), function.getName(), op.getKernelOperands(), flat->blocks,
      /*kind=*/StringAttr(),
      /*multiply_adds=*/IntegerAttr(), /*bytes=*/IntegerAttr());
  op.erase();
  return success();
}

LogicalResult Simulation::run() {
  services.declare();
  SmallVector<gpu::LaunchFuncOp> launches;
  module.walk([&](gpu::LaunchFuncOp op) { launches.push_back(op); });
  for (gpu::LaunchFuncOp op : launches)
    if (failed(launch(op)))
      return failure();
  for (auto device : llvm::to_vector(module.getOps<gpu::GPUModuleOp>()))
    symbols.erase(device);
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  return success();
}

struct SimulateKernels
    : public graven::cuda::impl::SimulateKernelsBase<SimulateKernels> {
  using SimulateKernelsBase::SimulateKernelsBase;
  explicit SimulateKernels(Program *program) : program(program) {}

  void runOnOperation() override {
    // Text alone needs no tables.
    Program unused;
    Simulation simulation(getOperation(), program ? *program : unused);
    if (failed(simulation.run()))
      return signalPassFailure();
    numKernels += simulation.numKernels;
    numTogether += simulation.numTogether;
  }

private:
  Program *program = nullptr;
};

} // namespace

std::unique_ptr<Pass> graven::cuda::createSimulateKernels(Program &program) {
  return std::make_unique<SimulateKernels>(&program);
}
