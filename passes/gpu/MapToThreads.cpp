//===- MapToThreads.cpp - outlined functions to GPU kernels -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves outlined kernels to a gpu.module,
// where each thread does one unit of work.
//===----------------------------------------------------------------------===//
#include "passes/gpu/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/lower/expand/Expand.h"
#include "passes/memory/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_MAPTOTHREADS
#include "passes/gpu/Passes.h.inc"

TargetInfo deviceTarget() {
  TargetInfo target;
  target.name = "cuda";
  target.processor = Processor::GPU;
  target.vectorBytes = 16;
  // Of four 32-bit registers each: a thread has 255, and with half of them
  // twice as many threads fit.
  target.vectorRegisters = 16;
  return target;
}
} // namespace graven

using namespace mlir;
using namespace graven;

namespace {

class Mapping {
public:
  explicit Mapping(ModuleOp module)
      : module(module), symbols(module), target(deviceTarget()) {}

  LogicalResult run();
  unsigned numKernels = 0, numLaunches = 0;

private:
  FailureOr<gpu::GPUFuncOp> mapKernel(func::FuncOp function);
  LogicalResult emitThread(OpBuilder &b, ArrayRef<Operation *> kernels,
                           Value thread);
  void launch(kernel::LaunchOp op, gpu::GPUFuncOp kernel);

  ModuleOp module;
  SymbolTable symbols;
  TargetInfo target;
  gpu::GPUModuleOp device;
  /// By kernel.
  DenseMap<Operation *, int64_t> threads;
};

/// What one thread does for each of the kernels of a function; those with fewer
/// units of work than the others leave some threads out.
LogicalResult Mapping::emitThread(OpBuilder &b, ArrayRef<Operation *> kernels,
                                  Value thread) {
  for (Operation *op : kernels) {
    Location loc = op->getLoc();
    Value count =
        arith::ConstantIndexOp::create(b, loc, expand::threadCount(op));
    Value works =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, thread, count);
    auto guarded = scf::IfOp::create(b, loc, works, /*withElseRegion=*/false);
    OpBuilder inner = guarded.getThenBodyBuilder();
    if (failed(expand::expandThread(inner, op, thread, target)))
      return failure();
  }
  return success();
}

FailureOr<gpu::GPUFuncOp> Mapping::mapKernel(func::FuncOp function) {
  OpBuilder b = OpBuilder::atBlockEnd(device.getBody());
  Location loc = function.getLoc();
  auto type = b.getFunctionType(function.getArgumentTypes().drop_back(2), {});
  auto kernel = gpu::GPUFuncOp::create(b, loc, function.getName(), type);
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSize(ArrayRef<int32_t>{kThreadsPerBlock, 1, 1});
  b.setInsertionPointToStart(&kernel.getBody().front());
  Value block = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  Value inBlock = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
  Value size = arith::ConstantIndexOp::create(b, loc, kThreadsPerBlock);
  Value thread = arith::AddIOp::create(
      b, loc, arith::MulIOp::create(b, loc, block, size), inBlock);
  // What the kernel ops refer to moves along; they are expanded in place.
  IRMapping map;
  map.map(function.getArguments().drop_back(2), kernel.getArguments());
  SmallVector<Operation *> kernels;
  for (Operation &op : function.front().without_terminator()) {
    Operation *moved = b.clone(op, map);
    if (expand::isKernel(&op))
      kernels.push_back(moved);
  }
  if (failed(emitThread(b, kernels, thread)))
    return failure();
  gpu::ReturnOp::create(b, loc);
  int64_t most = 1;
  for (Operation *op : kernels) {
    most = std::max(most, expand::threadCount(op));
    op->erase();
  }
  threads[kernel] = most;
  return kernel;
}

void Mapping::launch(kernel::LaunchOp op, gpu::GPUFuncOp kernel) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value one = number(1);
  gpu::LaunchFuncOp::create(
      b, loc, kernel,
      gpu::KernelDim3{
          number(llvm::divideCeilSigned(threads[kernel], kThreadsPerBlock)),
          one, one},
      gpu::KernelDim3{number(kThreadsPerBlock), one, one},
      /*dynamicSharedMemorySize=*/Value(), op.getOperands());
  op.erase();
}

LogicalResult Mapping::run() {
  SmallVector<kernel::LaunchOp> launches;
  // @prepare runs on the host, when a model is compiled.
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kNumInputsAttr) && function.getSymName() != "prepare")
      function.walk([&](kernel::LaunchOp op) { launches.push_back(op); });
  if (launches.empty())
    return success();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  device = gpu::GPUModuleOp::create(b, module.getLoc(), kDeviceModule);
  symbols.insert(device);
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  b.getUnitAttr());
  DenseMap<Operation *, gpu::GPUFuncOp> kernels;
  for (kernel::LaunchOp op : launches) {
    auto function = symbols.lookup<func::FuncOp>(op.getCallee());
    gpu::GPUFuncOp &kernel = kernels[function];
    if (!kernel) {
      FailureOr<gpu::GPUFuncOp> made = mapKernel(function);
      if (failed(made))
        return failure();
      kernel = *made;
      ++numKernels;
    }
    launch(op, kernel);
    ++numLaunches;
  }
  for (auto [function, kernel] : kernels)
    if (SymbolTable::symbolKnownUseEmpty(function, module))
      symbols.erase(function);
  return success();
}

struct MapToThreads : public graven::impl::MapToThreadsBase<MapToThreads> {
  using MapToThreadsBase::MapToThreadsBase;

  void runOnOperation() override {
    Mapping mapping(getOperation());
    if (failed(mapping.run()))
      return signalPassFailure();
    numKernels += mapping.numKernels;
    numLaunches += mapping.numLaunches;
  }
};

} // namespace
