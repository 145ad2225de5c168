//===- LowerKernelLaunch.cpp - launches as shared calls ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerKernelLaunch, which gives each kernel a task
// function of the ABI's type, (args, lo, hi), and calls it through one helper
// that picks between this thread and the caller's parallel_for.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace graven::cpu {
#define GEN_PASS_DEF_LOWERKERNELLAUNCH
#include "compiler/targets/cpu/Passes.h.inc"
} // namespace graven::cpu

using namespace mlir;
using graven::kernel::LaunchOp;

namespace {

constexpr llvm::StringLiteral launchHelper = "graven.launch";
constexpr llvm::StringLiteral announceHelper = "graven.announce";
/// The alignment of the workspace, of the weights and of all offsets into them.
constexpr int64_t bufferAlignment = 64;

/// True where the buffer that `value` lies in is a view of the workspace or the
/// weights, the last two arguments of the main function, at a constant multiple
/// of 64 bytes. (Offsets of subviews are part of a type, not of the pointer.)
bool isAlignedView(Value value, func::FuncOp main) {
  auto view = value.getDefiningOp<memref::ViewOp>();
  while (!view) {
    auto viewLike = value.getDefiningOp<ViewLikeOpInterface>();
    if (!viewLike)
      return false;
    value = viewLike.getViewSource();
    view = value.getDefiningOp<memref::ViewOp>();
  }
  auto source = dyn_cast<BlockArgument>(view.getSource());
  if (!source || source.getOwner() != &main.front())
    return false;
  auto inputs = main->getAttrOfType<IntegerAttr>("graven.num_inputs");
  auto outputs = main->getAttrOfType<IntegerAttr>("graven.num_outputs");
  if (source.getArgNumber() < inputs.getInt() + outputs.getInt())
    return false;
  APInt shift;
  return matchPattern(view.getByteShift(), m_ConstantInt(&shift)) &&
         shift.getSExtValue() % bufferAlignment == 0;
}

func::FuncOp mainFunction(ModuleOp module) {
  func::FuncOp main;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("graven.num_inputs"))
      main = function;
  return main;
}

class Lowering {
public:
  Lowering(ModuleOp module, func::FuncOp main)
      : module(module), main(main), symbols(module),
        converter(module.getContext()),
        ptr(LLVM::LLVMPointerType::get(module.getContext())),
        i64(IntegerType::get(module.getContext(), 64)) {}

  LogicalResult check(LaunchOp launch);
  void announce(LaunchOp launch, int64_t number);
  void callDirectly(LaunchOp launch);
  void callShared(LaunchOp launch);

private:
  func::FuncOp kernelOf(LaunchOp launch) {
    return symbols.lookup<func::FuncOp>(launch.getCallee());
  }
  Value parallel();
  Value argumentArray();
  LLVM::LLVMFuncOp
  helper(StringRef name, TypeRange arguments,
         llvm::function_ref<void(OpBuilder &, Block *)> alone,
         llvm::function_ref<void(OpBuilder &, Block *)> shared);
  LLVM::LLVMFuncOp launchFunction();
  LLVM::LLVMFuncOp announceFunction();
  void callParallelFor(OpBuilder &b, Location loc, Value parallel, Value tasks,
                       Value task, Value args);
  func::FuncOp taskOf(func::FuncOp kernel);
  Value pack(OpBuilder &b, Location loc, Value operand);
  Value unpack(OpBuilder &b, Location loc, Value slot, Type type);
  Type slotType(Type type) {
    return isa<MemRefType>(type)  ? Type(ptr)
           : isa<IndexType>(type) ? Type(i64)
                                  : type;
  }
  Value slotOf(OpBuilder &b, Location loc, Value array, int64_t index) {
    return LLVM::GEPOp::create(
        b, loc, ptr, i64, array,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  }

  ModuleOp module;
  func::FuncOp main;
  SymbolTable symbols;
  LLVMTypeConverter converter;
  LLVM::LLVMPointerType ptr;
  IntegerType i64;
  DenseMap<Operation *, func::FuncOp> tasks;
  LLVM::AllocaOp array;
  int64_t arraySize = 0;
};

LogicalResult Lowering::check(LaunchOp launch) {
  func::FuncOp kernel = kernelOf(launch);
  if (!kernel ||
      (kernel.isExternal() && !kernel->hasAttr(graven::cpu::kObjectAttr)))
    return launch.emitOpError("expects a kernel with a body, got '")
           << launch.getCallee() << "'";
  for (Type type : launch.getOperandTypes()) {
    auto memref = dyn_cast<MemRefType>(type);
    bool plain = type.isIndex() ||
                 (type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 64);
    bool bare = memref && LLVMTypeConverter::canConvertToBarePtr(memref);
    if (!plain && !bare)
      return launch.emitOpError(
                 "expects numbers and memrefs with static shape, strides and "
                 "offset, got ")
             << type;
  }
  return success();
}

Value Lowering::parallel() { return main.front().getArguments().back(); }

/// One array serves all launches: each is over before the next fills it.
Value Lowering::argumentArray() {
  if (!array) {
    OpBuilder b = OpBuilder::atBlockBegin(&main.front());
    Value one = LLVM::ConstantOp::create(b, main.getLoc(), i64, 1);
    array = LLVM::AllocaOp::create(b, main.getLoc(), ptr, i64, one,
                                   /*alignment=*/8);
  }
  return array;
}

/// A function whose first argument is the caller's GravenParallel: one body for
/// when it is null, one for when it is not.
LLVM::LLVMFuncOp
Lowering::helper(StringRef name, TypeRange arguments,
                 llvm::function_ref<void(OpBuilder &, Block *)> alone,
                 llvm::function_ref<void(OpBuilder &, Block *)> shared) {
  if (auto existing = symbols.lookup<LLVM::LLVMFuncOp>(name))
    return existing;
  MLIRContext *context = module.getContext();
  Location loc = UnknownLoc::get(context);
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto function = LLVM::LLVMFuncOp::create(
      b, loc, name,
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                  llvm::to_vector(arguments)),
      LLVM::Linkage::Internal);
  symbols.insert(function);
  Block *entry = function.addEntryBlock(b);
  Block *aloneBlock = b.createBlock(&function.getBody());
  Block *sharedBlock = b.createBlock(&function.getBody());
  b.setInsertionPointToEnd(entry);
  Value null = LLVM::ZeroOp::create(b, loc, ptr);
  Value isNull = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq,
                                      entry->getArgument(0), null);
  LLVM::CondBrOp::create(b, loc, isNull, aloneBlock, sharedBlock);
  b.setInsertionPointToEnd(aloneBlock);
  alone(b, entry);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
  b.setInsertionPointToEnd(sharedBlock);
  shared(b, entry);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
  return function;
}

/// GravenParallel is { context, threads, parallel_for }, 8 bytes each.
void Lowering::callParallelFor(OpBuilder &b, Location loc, Value parallel,
                               Value tasks, Value task, Value args) {
  auto none = LLVM::LLVMVoidType::get(module.getContext());
  Value context = LLVM::LoadOp::create(b, loc, ptr, parallel, /*alignment=*/8);
  Value callback =
      LLVM::LoadOp::create(b, loc, ptr, slotOf(b, loc, parallel, 2), 8);
  LLVM::CallOp::create(b, loc,
                       LLVM::LLVMFunctionType::get(none, {ptr, i64, ptr, ptr}),
                       ValueRange{callback, context, tasks, task, args});
}

LLVM::LLVMFuncOp Lowering::launchFunction() {
  Location loc = UnknownLoc::get(module.getContext());
  auto none = LLVM::LLVMVoidType::get(module.getContext());
  return helper(
      launchHelper, {ptr, i64, ptr, ptr},
      [&](OpBuilder &b, Block *entry) {
        Value zero = LLVM::ConstantOp::create(b, loc, i64, 0);
        LLVM::CallOp::create(
            b, loc, LLVM::LLVMFunctionType::get(none, {ptr, i64, i64}),
            ValueRange{entry->getArgument(2), entry->getArgument(3), zero,
                       entry->getArgument(1)});
      },
      [&](OpBuilder &b, Block *entry) {
        callParallelFor(b, loc, entry->getArgument(0), entry->getArgument(1),
                        entry->getArgument(2), entry->getArgument(3));
      });
}

LLVM::LLVMFuncOp Lowering::announceFunction() {
  Location loc = UnknownLoc::get(module.getContext());
  return helper(
      announceHelper, {ptr, i64}, [](OpBuilder &, Block *) {},
      [&](OpBuilder &b, Block *entry) {
        Value null = LLVM::ZeroOp::create(b, loc, ptr);
        callParallelFor(b, loc, entry->getArgument(0), entry->getArgument(1),
                        null, null);
      });
}

Value Lowering::pack(OpBuilder &b, Location loc, Value operand) {
  Type type = operand.getType();
  if (isa<IndexType>(type))
    return arith::IndexCastOp::create(b, loc, i64, operand);
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return operand;
  Value descriptor = UnrealizedConversionCastOp::create(
                         b, loc, converter.convertType(memref), operand)
                         .getResult(0);
  return MemRefDescriptor(descriptor).alignedPtr(b, loc);
}

Value Lowering::unpack(OpBuilder &b, Location loc, Value slot, Type type) {
  Value value =
      LLVM::LoadOp::create(b, loc, slotType(type), slot, /*alignment=*/8);
  if (isa<IndexType>(type))
    return arith::IndexCastOp::create(b, loc, type, value);
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return value;
  Value descriptor =
      MemRefDescriptor::fromStaticShape(b, loc, converter, memref, value);
  return UnrealizedConversionCastOp::create(b, loc, memref, descriptor)
      .getResult(0);
}

func::FuncOp Lowering::taskOf(func::FuncOp kernel) {
  func::FuncOp &task = tasks[kernel];
  if (task)
    return task;
  OpBuilder b(module.getContext());
  b.setInsertionPointAfter(kernel);
  Location loc = kernel.getLoc();
  task = func::FuncOp::create(b, loc, (kernel.getName() + ".task").str(),
                              b.getFunctionType({ptr, i64, i64}, {}));
  task.setPrivate();
  symbols.insert(task);
  Block *entry = task.addEntryBlock();
  b.setInsertionPointToEnd(entry);
  SmallVector<Value> operands;
  unsigned numOperands = kernel.getNumArguments() - 2;
  for (unsigned i = 0; i < numOperands; ++i)
    operands.push_back(unpack(b, loc, slotOf(b, loc, entry->getArgument(0), i),
                              kernel.getArgumentTypes()[i]));
  for (unsigned i : {1, 2})
    operands.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                                  entry->getArgument(i)));
  func::CallOp::create(b, loc, kernel, operands);
  func::ReturnOp::create(b, loc);
  return task;
}

void Lowering::announce(LaunchOp launch, int64_t number) {
  OpBuilder b(launch);
  Location loc = launch.getLoc();
  Value tasks = LLVM::ConstantOp::create(b, loc, i64, -1 - number);
  LLVM::CallOp::create(b, loc, announceFunction(),
                       ValueRange{parallel(), tasks});
}

void Lowering::callDirectly(LaunchOp launch) {
  OpBuilder b(launch);
  SmallVector<Value> operands(launch.getOperands());
  operands.push_back(arith::ConstantIndexOp::create(b, launch.getLoc(), 0));
  operands.push_back(
      arith::ConstantIndexOp::create(b, launch.getLoc(), launch.getTasks()));
  func::CallOp::create(b, launch.getLoc(), kernelOf(launch), operands);
  launch.erase();
}

void Lowering::callShared(LaunchOp launch) {
  Location loc = launch.getLoc();
  OpBuilder b(launch);
  Value args = argumentArray();
  for (auto [index, operand] : llvm::enumerate(launch.getOperands()))
    LLVM::StoreOp::create(b, loc, pack(b, loc, operand),
                          slotOf(b, loc, args, index), 8);
  int64_t needed = std::max<int64_t>(launch.getOperands().size(), 1);
  if (needed > arraySize) {
    arraySize = needed;
    auto size = array.getArraySize().getDefiningOp<LLVM::ConstantOp>();
    size.setValueAttr(b.getI64IntegerAttr(needed));
  }
  func::FuncOp task = taskOf(kernelOf(launch));
  Value function = func::ConstantOp::create(b, loc, task.getFunctionType(),
                                            SymbolRefAttr::get(task));
  Value address =
      UnrealizedConversionCastOp::create(b, loc, ptr, function).getResult(0);
  Value count = LLVM::ConstantOp::create(b, loc, i64, launch.getTasks());
  LLVM::CallOp::create(b, loc, launchFunction(),
                       ValueRange{parallel(), count, address, args});
  launch.erase();
}

} // namespace

llvm::SmallVector<LaunchOp> graven::cpu::launchesOf(ModuleOp module) {
  SmallVector<LaunchOp> launches;
  module.walk([&](LaunchOp launch) { launches.push_back(launch); });
  return launches;
}

namespace {

struct LowerKernelLaunch
    : public graven::cpu::impl::LowerKernelLaunchBase<LowerKernelLaunch> {
  using LowerKernelLaunchBase::LowerKernelLaunchBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp main = mainFunction(module);
    SmallVector<LaunchOp> launches = graven::cpu::launchesOf(module);
    for (LaunchOp launch : launches)
      if (!main || !main->isProperAncestor(launch)) {
        launch.emitOpError("expects to be in the main function, the one with "
                           "'graven.num_inputs'");
        return signalPassFailure();
      }
    if (!main)
      return;
    Lowering lowering(module, main);
    for (LaunchOp launch : launches)
      if (failed(lowering.check(launch)))
        return signalPassFailure();
    graven::cpu::annotateKernels(module);
    auto ptr = LLVM::LLVMPointerType::get(&getContext());
    // Host code of a device has that in place of threads, and no launches.
    if (main.getNumArguments() > 0 && main.getArgumentTypes().back() == ptr)
      return;
    if (failed(main.insertArgument(main.getNumArguments(), ptr, /*argAttrs=*/{},
                                   main.getLoc())))
      return signalPassFailure();
    for (auto [number, launch] : llvm::enumerate(launches)) {
      if (announces)
        lowering.announce(launch, static_cast<int64_t>(number));
      if (launch.getTasks() == 1) {
        lowering.callDirectly(launch);
        ++numDirect;
      } else {
        lowering.callShared(launch);
        ++numShared;
      }
    }
  }
};

} // namespace

void graven::cpu::annotateKernels(ModuleOp module) {
  func::FuncOp main = mainFunction(module);
  if (!main)
    return;
  SymbolTable symbols(module);
  // Keyed by kernel, in the order of the first launch: arguments always
  // aligned.
  llvm::MapVector<Operation *, SmallVector<bool>> aligned;
  main.walk([&](LaunchOp launch) {
    auto kernel = symbols.lookup<func::FuncOp>(launch.getCallee());
    // The object of a kernel that has one is as it is.
    if (!kernel || kernel.isExternal())
      return;
    auto &flags = aligned[kernel];
    flags.resize(launch.getOperands().size(), true);
    for (auto [flag, operand] : llvm::zip_equal(flags, launch.getOperands()))
      flag = flag && isAlignedView(operand, main);
  });
  Builder b(module.getContext());
  for (auto &[op, flags] : aligned) {
    auto kernel = cast<func::FuncOp>(op);
    for (auto [index, flag] : llvm::enumerate(flags)) {
      auto type = dyn_cast<MemRefType>(kernel.getArgument(index).getType());
      if (!type)
        continue;
      kernel.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
      kernel.setArgAttr(index, LLVM::LLVMDialect::getNoUndefAttrName(),
                        b.getUnitAttr());
      if (type.hasStaticShape() && type.getNumElements() > 0)
        kernel.setArgAttr(index, LLVM::LLVMDialect::getNonNullAttrName(),
                          b.getUnitAttr());
      if (flag)
        kernel.setArgAttr(index, LLVM::LLVMDialect::getAlignAttrName(),
                          b.getI64IntegerAttr(bufferAlignment));
    }
  }
}
