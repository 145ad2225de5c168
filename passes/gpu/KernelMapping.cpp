//===- KernelMapping.cpp - outlined functions to kernels --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the move of outlined functions to the gpu.module.
//===----------------------------------------------------------------------===//
#include "passes/gpu/KernelMapping.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/gpu/Passes.h"
#include "passes/lower/expand/Expand.h"
#include "passes/memory/Passes.h"

using namespace mlir;

namespace graven {
namespace {

/// A function in the gpu.module, and how it is launched.
struct DeviceKernel {
  gpu::GPUFuncOp function;
  LaunchExtents extents;
};

class Move {
public:
  Move(ModuleOp module, const KernelMapping &mapping)
      : module(module), symbols(module), mapping(mapping) {}

  FailureOr<MappedKernels> run();

private:
  gpu::GPUModuleOp device();
  FailureOr<DeviceKernel> moveKernel(func::FuncOp function,
                                     LaunchExtents extents);
  void launch(kernel::LaunchOp op, const DeviceKernel &kernel);

  ModuleOp module;
  SymbolTable symbols;
  const KernelMapping &mapping;
};

SmallVector<Operation *> kernelsOf(func::FuncOp function) {
  SmallVector<Operation *> kernels;
  for (Operation &op : function.front().without_terminator())
    if (expand::isKernel(&op))
      kernels.push_back(&op);
  return kernels;
}

gpu::GPUModuleOp Move::device() {
  if (auto found = symbols.lookup<gpu::GPUModuleOp>(kDeviceModule))
    return found;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto made = gpu::GPUModuleOp::create(b, module.getLoc(), kDeviceModule);
  symbols.insert(made);
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  b.getUnitAttr());
  return made;
}

FailureOr<DeviceKernel> Move::moveKernel(func::FuncOp function,
                                         LaunchExtents extents) {
  OpBuilder b = OpBuilder::atBlockEnd(device().getBody());
  Location loc = function.getLoc();
  auto type = b.getFunctionType(function.getArgumentTypes().drop_back(2), {});
  auto kernel = gpu::GPUFuncOp::create(b, loc, function.getName(), type);
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSize(ArrayRef<int32_t>{extents.threads, 1, 1});
  b.setInsertionPointToStart(&kernel.getBody().front());
  // What the kernel ops refer to moves along; they are expanded in place.
  IRMapping map;
  map.map(function.getArguments().drop_back(2), kernel.getArguments());
  SmallVector<Operation *> kernels;
  for (Operation &op : function.front().without_terminator()) {
    Operation *moved = b.clone(op, map);
    if (expand::isKernel(&op))
      kernels.push_back(moved);
  }
  if (failed(mapping.emit(b, kernels)))
    return failure();
  gpu::ReturnOp::create(b, loc);
  for (Operation *op : kernels)
    op->erase();
  return DeviceKernel{kernel, extents};
}

void Move::launch(kernel::LaunchOp op, const DeviceKernel &kernel) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  Value one = number(1), shared;
  if (kernel.extents.sharedBytes > 0)
    shared = arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(kernel.extents.sharedBytes));
  gpu::LaunchFuncOp::create(
      b, loc, kernel.function,
      gpu::KernelDim3{number(kernel.extents.blocks), one, one},
      gpu::KernelDim3{number(kernel.extents.threads), one, one}, shared,
      op.getOperands());
  op.erase();
}

FailureOr<MappedKernels> Move::run() {
  SmallVector<kernel::LaunchOp> launches;
  // @prepare runs on the host, when a model is compiled.
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kNumInputsAttr) && function.getSymName() != "prepare")
      function.walk([&](kernel::LaunchOp op) { launches.push_back(op); });
  MappedKernels mapped;
  DenseMap<Operation *, std::optional<DeviceKernel>> kernels;
  for (kernel::LaunchOp op : launches) {
    auto function = symbols.lookup<func::FuncOp>(op.getCallee());
    auto [found, isNew] = kernels.try_emplace(function);
    if (isNew) {
      std::optional<LaunchExtents> extents =
          mapping.extentsOf(kernelsOf(function));
      if (!extents)
        continue;
      FailureOr<DeviceKernel> made = moveKernel(function, *extents);
      if (failed(made))
        return failure();
      found->second = *made;
      ++mapped.kernels;
    }
    if (!found->second)
      continue;
    launch(op, *found->second);
    ++mapped.launches;
  }
  for (auto &[function, kernel] : kernels)
    if (kernel && SymbolTable::symbolKnownUseEmpty(function, module))
      symbols.erase(function);
  return mapped;
}

} // namespace

FailureOr<MappedKernels> mapKernels(ModuleOp module,
                                    const KernelMapping &mapping) {
  return Move(module, mapping).run();
}

} // namespace graven
