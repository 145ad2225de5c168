//===- LowerDeviceLaunch.cpp - launches as calls of the runtime *- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerDeviceLaunch, after which the main function is host
// code on addresses of a device: launches and reads are calls.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/FlatLaunch.h"
#include "compiler/targets/cuda/Passes.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/memory/Passes.h"

namespace graven::cuda {
#define GEN_PASS_DEF_LOWERDEVICELAUNCH
#include "compiler/targets/cuda/Passes.h.inc"
} // namespace graven::cuda

using namespace mlir;
using graven::cuda::addressOf;
using graven::cuda::FlatLaunch;

namespace {

constexpr llvm::StringLiteral launchFunction = "graven_device_launch";
constexpr llvm::StringLiteral readFunction = "graven_device_read";

class Lowering {
public:
  Lowering(ModuleOp module, func::FuncOp main)
      : module(module), main(main), symbols(module), b(module.getContext()),
        ptr(LLVM::LLVMPointerType::get(module.getContext())),
        i32(b.getI32Type()), i64(b.getI64Type()) {}

  LogicalResult run();
  unsigned numLaunches = 0, numReads = 0;

private:
  LogicalResult launch(gpu::LaunchFuncOp op);
  LogicalResult read(memref::LoadOp op);
  LogicalResult checkHost();
  FailureOr<int32_t> numberOf(gpu::LaunchFuncOp op);
  LLVM::LLVMFuncOp function(StringRef name, ArrayRef<Type> arguments);
  Value slots(int64_t count);

  ModuleOp module;
  func::FuncOp main;
  SymbolTable symbols;
  OpBuilder b;
  LLVM::LLVMPointerType ptr;
  Type i32, i64;
  Value device;
  LLVM::AllocaOp array;
  /// The table of kernels, and where each is in it.
  SmallVector<Attribute> kernels;
  llvm::StringMap<int32_t> numbers;
};

LLVM::LLVMFuncOp Lowering::function(StringRef name, ArrayRef<Type> arguments) {
  if (auto existing = symbols.lookup<LLVM::LLVMFuncOp>(name))
    return existing;
  OpBuilder end = OpBuilder::atBlockEnd(module.getBody());
  auto made = LLVM::LLVMFuncOp::create(
      end, module.getLoc(), name,
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()),
                                  arguments));
  made.setVisibility_(LLVM::Visibility::Hidden);
  symbols.insert(made);
  return made;
}

/// Memory of the host for values of 8 bytes: the arguments of a launch, which
/// are read before it returns, or what was read.
Value Lowering::slots(int64_t count) {
  if (!array) {
    OpBuilder start = OpBuilder::atBlockBegin(&main.front());
    Value one = LLVM::ConstantOp::create(start, main.getLoc(), i64, 1);
    array = LLVM::AllocaOp::create(start, main.getLoc(), ptr, i64, one,
                                   /*alignment=*/8);
  }
  auto size = array.getArraySize().getDefiningOp<LLVM::ConstantOp>();
  if (count > cast<IntegerAttr>(size.getValue()).getInt())
    size.setValueAttr(b.getI64IntegerAttr(count));
  return array;
}

/// The place of the kernel in the table.
FailureOr<int32_t> Lowering::numberOf(gpu::LaunchFuncOp op) {
  StringRef name = op.getKernelName();
  if (auto known = numbers.find(name); known != numbers.end())
    return known->second;
  std::optional<FlatLaunch> flat = FlatLaunch::get(op);
  if (!flat)
    return op.emitOpError("is launched in one dimension of known extent only");
  auto entry = [&](StringRef key, int64_t value) {
    return b.getNamedAttr(key, b.getI64IntegerAttr(value));
  };
  kernels.push_back(b.getDictionaryAttr(
      {b.getNamedAttr("name", b.getStringAttr(name)),
       entry("blocks", flat->blocks), entry("threads", flat->threads),
       entry("shared", flat->sharedBytes),
       entry("arguments", op.getKernelOperands().size())}));
  int32_t number = static_cast<int32_t>(numbers.size());
  numbers[name] = number;
  return number;
}

LogicalResult Lowering::launch(gpu::LaunchFuncOp op) {
  FailureOr<int32_t> number = numberOf(op);
  if (failed(number))
    return failure();
  Location loc = op.getLoc();
  int64_t count = std::max<int64_t>(1, op.getKernelOperands().size());
  Value arguments = slots(count);
  b.setInsertionPoint(op);
  for (auto [i, operand] : llvm::enumerate(op.getKernelOperands())) {
    Value value = operand;
    if (isa<MemRefType>(value.getType()))
      value = addressOf(b, loc, value);
    else if (value.getType().isIndex())
      value = arith::IndexCastOp::create(b, loc, i64, value);
    Value slot =
        LLVM::GEPOp::create(b, loc, ptr, i64, arguments,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    LLVM::StoreOp::create(b, loc, value, slot, /*alignment=*/8);
  }
  Value kernel = LLVM::ConstantOp::create(b, loc, i32, *number);
  LLVM::CallOp::create(b, loc, function(launchFunction, {ptr, i32, ptr}),
                       ValueRange{device, kernel, arguments});
  op.erase();
  ++numLaunches;
  return success();
}

/// A condition or a count that the device computed.
LogicalResult Lowering::read(memref::LoadOp op) {
  Location loc = op.getLoc();
  MemRefType type = op.getMemRefType();
  auto [strides, offset] = type.getStridesAndOffset();
  Type element = type.getElementType();
  if (ShapedType::isDynamic(offset) || ShapedType::isDynamicShape(strides) ||
      !element.isIntOrFloat() || element.getIntOrFloatBitWidth() > 64)
    return op.emitOpError("expects numbers in a static memref");
  int64_t bytes = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  Value place = slots(1);
  b.setInsertionPoint(op);
  Value index = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(offset));
  for (auto [stride, step] : llvm::zip_equal(strides, op.getIndices())) {
    Value distance =
        arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(stride));
    Value at = arith::IndexCastOp::create(b, loc, i64, step);
    index = arith::AddIOp::create(b, loc, index,
                                  arith::MulIOp::create(b, loc, at, distance));
  }
  Value size = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(bytes));
  Value address =
      arith::AddIOp::create(b, loc, addressOf(b, loc, op.getMemRef()),
                            arith::MulIOp::create(b, loc, index, size));
  Value from = LLVM::IntToPtrOp::create(b, loc, ptr, address);
  LLVM::CallOp::create(b, loc, function(readFunction, {ptr, ptr, ptr, i64}),
                       ValueRange{device, place, from, size});
  // A truth value is a byte that holds 0 or 1.
  Type stored = element.isInteger(1) ? b.getI8Type() : element;
  Value value = LLVM::LoadOp::create(b, loc, stored, place, /*alignment=*/8);
  if (stored != element)
    value = arith::TruncIOp::create(b, loc, element, value);
  op.replaceAllUsesWith(value);
  op.erase();
  ++numReads;
  return success();
}

/// The memory of the main function is the device's, which the host reaches by
/// the calls alone.
LogicalResult Lowering::checkHost() {
  auto result = main.walk([&](Operation *op) {
    if (isMemoryEffectFree(op) ||
        op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
        isa<gpu::LaunchFuncOp, memref::LoadOp, func::FuncOp>(op))
      return WalkResult::advance();
    graven::emitCoded(op->getLoc(), graven::Code::UnsupportedFeature)
        << "'" << op->getName() << "' of the host has no form for a device";
    return WalkResult::interrupt();
  });
  return success(!result.wasInterrupted());
}

LogicalResult Lowering::run() {
  if (failed(checkHost()))
    return failure();
  if (failed(main.insertArgument(main.getNumArguments(), ptr, /*argAttrs=*/{},
                                 main.getLoc())))
    return failure();
  device = main.front().getArguments().back();
  SmallVector<gpu::LaunchFuncOp> launches;
  SmallVector<memref::LoadOp> reads;
  main.walk([&](Operation *op) {
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      launches.push_back(launch);
    else if (auto load = dyn_cast<memref::LoadOp>(op))
      reads.push_back(load);
  });
  for (gpu::LaunchFuncOp op : launches)
    if (failed(launch(op)))
      return failure();
  for (memref::LoadOp op : reads)
    if (failed(read(op)))
      return failure();
  for (auto kernels : llvm::to_vector(module.getOps<gpu::GPUModuleOp>()))
    symbols.erase(kernels);
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  module->setAttr(graven::cuda::kKernelsAttr, b.getArrayAttr(kernels));
  return success();
}

struct LowerDeviceLaunch
    : public graven::cuda::impl::LowerDeviceLaunchBase<LowerDeviceLaunch> {
  using LowerDeviceLaunchBase::LowerDeviceLaunchBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function->hasAttr(graven::kNumInputsAttr))
        continue;
      Lowering lowering(module, function);
      if (failed(lowering.run()))
        return signalPassFailure();
      numLaunches += lowering.numLaunches;
      numReads += lowering.numReads;
      return;
    }
  }
};

} // namespace
