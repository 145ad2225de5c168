//===- OutlineKernels.cpp - kernels to functions ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves each kernel to a function of its
// own, equal kernels to the same one, and launches it.

#include "passes/lower/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Work.h"
#include "llvm/ADT/StringMap.h"

namespace graven {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// A function that holds `op`, and what it is called with.
struct Outlined {
  OwningOpRef<func::FuncOp> function;
  SmallVector<Value> operands;
};

/// A view of other extents or strides, not of other bytes.
bool isShapedView(Operation *op) {
  return isa<ViewLikeOpInterface>(op) && !isa<memref::ViewOp>(op) && isPure(op);
}

Value rootOf(Value value) {
  while (Operation *definition = value.getDefiningOp()) {
    if (!isShapedView(definition))
      break;
    value = cast<ViewLikeOpInterface>(definition).getViewSource();
  }
  return value;
}

/// The values a kernel needs: those that are passed, and the operations that
/// move along, in order.
struct Needs {
  void add(Value value) {
    Operation *definition = value.getDefiningOp();
    if (!definition || !movesAlong(value, definition)) {
      passed.insert(value);
      return;
    }
    for (Value operand : definition->getOperands())
      add(operand);
    moved.insert(definition);
  }

  llvm::SetVector<Value> passed;
  llvm::SetVector<Operation *> moved;
  /// Memrefs of which several views are used. Passed one by one, these would
  /// overlap, so the kernel takes all of them.
  llvm::SmallDenseSet<Value> shared;

private:
  /// Constants, and views with strides or an offset: a launch passes pointers
  /// to the first element of contiguous memrefs.
  bool movesAlong(Value value, Operation *definition) {
    if (definition->hasTrait<OpTrait::ConstantLike>())
      return true;
    auto memref = dyn_cast<MemRefType>(value.getType());
    return memref && isShapedView(definition) &&
           (!memref.getLayout().isIdentity() || shared.contains(rootOf(value)));
  }
};

/// What becomes one function: a kernel, or fills of parts of one buffer.
using Group = SmallVector<Operation *, 1>;

/// The buffer of which a small fill covers a part, null for other kernels.
Value partlyFilled(Operation *op) {
  auto fill = dyn_cast<linalg::FillOp>(op);
  if (!fill || expand::taskCount(op) != 1)
    return {};
  Value part = fill.getOutputs().front(), whole = rootOf(part);
  return part == whole ? Value() : whole;
}

/// Fills around an image follow each other with their views between them.
bool joins(Operation *op, const Group &group) {
  Value whole = partlyFilled(op);
  if (!whole || op->getBlock() != group.back()->getBlock() ||
      partlyFilled(group.back()) != whole)
    return false;
  for (Operation *between = group.back()->getNextNode(); between != op;
       between = between->getNextNode())
    if (!isPure(between))
      return false;
  return true;
}

Outlined outline(const Group &group) {
  llvm::SetVector<Value> used;
  for (Operation *op : group) {
    used.insert(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
  }
  Operation *op = group.back();
  Needs needs;
  llvm::SmallDenseSet<Value> roots;
  for (Value value : used)
    if (isa<MemRefType>(value.getType()) && !roots.insert(rootOf(value)).second)
      needs.shared.insert(rootOf(value));
  for (Value value : used)
    needs.add(value);
  SmallVector<Value> operands = needs.passed.takeVector();
  OpBuilder builder(op->getContext());
  SmallVector<Type> types(ValueRange(operands).getTypes());
  types.append(2, builder.getIndexType());
  // Every kernel is named alike here, so that equal kernels print alike.
  auto function = func::FuncOp::create(op->getLoc(), "k",
                                       builder.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(kernel::kEntryAttr, builder.getUnitAttr());
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  IRMapping map;
  map.map(operands, entry->getArguments().drop_back(2));
  for (Operation *moved : needs.moved)
    builder.clone(*moved, map);
  for (Operation *kernel : group)
    builder.clone(*kernel, map);
  func::ReturnOp::create(builder, op->getLoc());
  return {OwningOpRef<func::FuncOp>(function), operands};
}

/// Whether the elements of `type` lie one after another, in order.
bool isDense(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t expected = 1;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    if (type.getDimSize(i) == 1)
      continue;
    if (strides[i] != expected)
      return false;
    expected *= type.getDimSize(i);
  }
  return true;
}

/// The part of a buffer that begins at an aligned place and is dense, as a
/// buffer: kernels are then the same wherever in a buffer they work. Null where
/// it cannot be, or where a kernel also sees another part of the buffer, since
/// two arguments never overlap.
memref::ViewOp placedView(memref::SubViewOp part) {
  constexpr int64_t alignment = 64;
  auto view = part.getSource().getDefiningOp<memref::ViewOp>();
  MemRefType type = part.getType();
  APInt shift;
  if (!view || !view.getSizes().empty() || !type.hasStaticShape() ||
      !matchPattern(view.getByteShift(), m_ConstantInt(&shift)))
    return {};
  auto [strides, offset] = type.getStridesAndOffset();
  if (ShapedType::isDynamic(offset) || !isDense(type) ||
      !type.getElementType().isIntOrFloat())
    return {};
  int64_t bytes = offset * (type.getElementTypeBitWidth() / 8);
  if (type.getElementTypeBitWidth() % 8 != 0 || bytes % alignment != 0)
    return {};
  for (Operation *user : part->getUsers()) {
    if (!expand::isKernel(user))
      return {};
    llvm::SetVector<Value> used(user->operand_begin(), user->operand_end());
    getUsedValuesDefinedAbove(user->getRegions(), used);
    for (Value value : used)
      if (value != part.getResult() && isa<MemRefType>(value.getType()) &&
          rootOf(value) == view.getResult())
        return {};
  }
  OpBuilder b(part);
  Value placed = arith::ConstantIndexOp::create(b, part.getLoc(),
                                                shift.getSExtValue() + bytes);
  return memref::ViewOp::create(
      b, part.getLoc(), MemRefType::get(type.getShape(), type.getElementType()),
      view.getSource(), placed, /*sizes=*/ValueRange());
}

class OutlineKernelsPass : public impl::OutlineKernelsBase<OutlineKernelsPass> {
public:
  using OutlineKernelsBase::OutlineKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    module.walk([&](memref::SubViewOp part) {
      if (memref::ViewOp placed = placedView(part)) {
        part.getResult().replaceAllUsesWith(placed);
        part.erase();
        ++numPlaced;
      }
    });
    llvm::StringMap<StringAttr> known;
    SmallVector<Group> groups;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->hasAttr(kernel::kEntryAttr))
        return WalkResult::skip();
      if (!expand::isKernel(op))
        return WalkResult::advance();
      if (!groups.empty() && joins(op, groups.back()))
        groups.back().push_back(op);
      else
        groups.push_back({op});
      return WalkResult::skip();
    });
    int64_t next = 0;
    for (const Group &group : groups) {
      Operation *op = group.back();
      Outlined outlined = outline(group);
      std::string text;
      llvm::raw_string_ostream os(text);
      outlined.function->print(os, OpPrintingFlags().printGenericOpForm());
      StringAttr &name = known[text];
      if (!name) {
        while (symbols.lookup("k_" + std::to_string(next)))
          ++next;
        outlined.function->setSymName("k_" + std::to_string(next));
        name = outlined.function->getSymNameAttr();
        symbols.insert(outlined.function.release());
        ++numKernels;
      }
      OpBuilder builder(op);
      expand::Work work = expand::workOf(op);
      for (Operation *other : ArrayRef(group).drop_back())
        work.bytes += expand::workOf(other).bytes;
      kernel::LaunchOp::create(
          builder, op->getLoc(), name.getValue(), outlined.operands,
          expand::taskCount(op),
          builder.getStringAttr(op->getName().getStringRef()),
          builder.getI64IntegerAttr(work.multiplyAdds),
          builder.getI64IntegerAttr(work.bytes));
      for (Operation *outlinedOp : group)
        outlinedOp->erase();
      ++numLaunches;
    }
  }
};

} // namespace
} // namespace graven
