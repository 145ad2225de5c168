//===- SimulateKernels.cpp - GPU kernels on the host -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimulateKernels, which runs the threads of a kernel one
// after the other on the host, from the NVVM dialect that also becomes PTX.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/FlatLaunch.h"
#include "compiler/targets/cuda/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

namespace graven::cuda {
#define GEN_PASS_DEF_SIMULATEKERNELS
#include "compiler/targets/cuda/Passes.h.inc"
} // namespace graven::cuda

using namespace mlir;
using graven::cuda::addressOf;
using graven::cuda::FlatLaunch;

namespace {

/// What a thread of a one-dimensional launch knows of itself, arguments of its
/// function.
enum Register : unsigned { ThreadId, BlockId, BlockDim, GridDim, NumRegisters };

class Simulation {
public:
  explicit Simulation(ModuleOp module)
      : module(module), symbols(module),
        i32(IntegerType::get(module.getContext(), 32)),
        ptr(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult run();
  unsigned numKernels = 0;

private:
  LogicalResult makeThread(LLVM::LLVMFuncOp kernel);
  func::FuncOp makeBlocks(gpu::LaunchFuncOp launch, const FlatLaunch &flat,
                          LLVM::LLVMFuncOp thread);
  LogicalResult launch(gpu::LaunchFuncOp op);

  ModuleOp module;
  SymbolTable symbols;
  IntegerType i32;
  LLVM::LLVMPointerType ptr;
  DenseMap<Operation *, func::FuncOp> simulated;
};

/// The function of one thread: special registers become arguments.
LogicalResult Simulation::makeThread(LLVM::LLVMFuncOp kernel) {
  SmallVector<Type> arguments(kernel.getFunctionType().getParams());
  arguments.append(NumRegisters, i32);
  kernel.setFunctionType(LLVM::LLVMFunctionType::get(
      kernel.getFunctionType().getReturnType(), arguments));
  Block &entry = kernel.getBody().front();
  unsigned first = entry.getNumArguments();
  for (unsigned i = 0; i < NumRegisters; ++i)
    entry.addArgument(i32, kernel.getLoc());
  if (ArrayAttr attributes = kernel.getArgAttrsAttr()) {
    SmallVector<Attribute> all(attributes.getValue());
    all.append(NumRegisters, DictionaryAttr::get(module.getContext()));
    kernel.setArgAttrsAttr(ArrayAttr::get(module.getContext(), all));
  }
  for (NamedAttribute attribute :
       llvm::to_vector(kernel->getDiscardableAttrs()))
    kernel->removeDiscardableAttr(attribute.getName());
  kernel.setLinkage(LLVM::Linkage::Internal);
  auto result = kernel.walk([&](Operation *op) {
    if (!isa<NVVM::NVVMDialect>(op->getDialect()))
      return WalkResult::advance();
    int known = llvm::TypeSwitch<Operation *, int>(op)
                    .Case([](NVVM::ThreadIdXOp) { return ThreadId; })
                    .Case([](NVVM::BlockIdXOp) { return BlockId; })
                    .Case([](NVVM::BlockDimXOp) { return BlockDim; })
                    .Case([](NVVM::GridDimXOp) { return GridDim; })
                    .Default([](Operation *) { return -1; });
    if (known < 0) {
      op->emitOpError("has no simulation");
      return WalkResult::interrupt();
    }
    op->getResult(0).replaceAllUsesWith(entry.getArgument(first + known));
    op->erase();
    return WalkResult::skip();
  });
  return success(!result.wasInterrupted());
}

/// The kernel as the launches of CPUs know it: each of its tasks is a block.
func::FuncOp Simulation::makeBlocks(gpu::LaunchFuncOp launch,
                                    const FlatLaunch &flat,
                                    LLVM::LLVMFuncOp thread) {
  Location loc = thread.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types(launch.getKernelOperands().getTypes());
  types.append(2, b.getIndexType());
  auto function = func::FuncOp::create(b, loc, launch.getKernelName().strref(),
                                       b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(graven::kernel::kEntryAttr, b.getUnitAttr());
  symbols.insert(function);
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  SmallVector<Value> arguments;
  for (Value argument : entry->getArguments().drop_back(2)) {
    if (isa<MemRefType>(argument.getType())) {
      argument =
          LLVM::IntToPtrOp::create(b, loc, ptr, addressOf(b, loc, argument));
    } else if (argument.getType().isIndex()) {
      argument = arith::IndexCastOp::create(b, loc, b.getI64Type(), argument);
    }
    arguments.push_back(argument);
  }
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
  return function;
}

LogicalResult Simulation::launch(gpu::LaunchFuncOp op) {
  std::optional<FlatLaunch> flat = FlatLaunch::get(op);
  if (!flat || flat->sharedBytes != 0)
    return op.emitOpError("is simulated in one dimension of known extent only");
  auto kernel = dyn_cast_or_null<LLVM::LLVMFuncOp>(
      SymbolTable::lookupNearestSymbolFrom(op, op.getKernel()));
  if (!kernel)
    return op.emitOpError("expects a kernel in the NVVM dialect");
  func::FuncOp &function = simulated[kernel];
  if (!function) {
    if (failed(makeThread(kernel)))
      return failure();
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto thread = cast<LLVM::LLVMFuncOp>(b.clone(*kernel));
    thread.setSymName((kernel.getName() + ".thread").str());
    symbols.insert(thread);
    function = makeBlocks(op, *flat, thread);
    ++numKernels;
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

  void runOnOperation() override {
    Simulation simulation(getOperation());
    if (failed(simulation.run()))
      return signalPassFailure();
    numKernels += simulation.numKernels;
  }
};

} // namespace
