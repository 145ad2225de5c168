//===- OutlineKernels.cpp - kernels to functions ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves each kernel to a function of its
// own, equal kernels to the same one, and launches it.

#include "passes/lower/Passes.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/lower/expand/Expand.h"
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

Outlined outline(Operation *op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  SmallVector<Value> operands;
  SmallVector<Operation *> constants;
  for (Value value : used) {
    Operation *definition = value.getDefiningOp();
    if (definition && definition->hasTrait<OpTrait::ConstantLike>())
      constants.push_back(definition);
    else
      operands.push_back(value);
  }
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
  for (Operation *constant : constants)
    builder.clone(*constant, map);
  builder.clone(*op, map);
  func::ReturnOp::create(builder, op->getLoc());
  return {OwningOpRef<func::FuncOp>(function), operands};
}

class OutlineKernelsPass : public impl::OutlineKernelsBase<OutlineKernelsPass> {
public:
  using OutlineKernelsBase::OutlineKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::StringMap<StringAttr> known;
    SmallVector<Operation *> kernels;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->hasAttr(kernel::kEntryAttr))
        return WalkResult::skip();
      if (!expand::isKernel(op))
        return WalkResult::advance();
      kernels.push_back(op);
      return WalkResult::skip();
    });
    int64_t next = 0;
    for (Operation *op : kernels) {
      Outlined outlined = outline(op);
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
      kernel::LaunchOp::create(builder, op->getLoc(), name, outlined.operands,
                               expand::taskCount(op));
      op->erase();
      ++numLaunches;
    }
  }
};

} // namespace
} // namespace graven
