//===- Origins.cpp - where the addresses of a kernel come from -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search for the buffer that an address lies in.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Origins.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace graven::cuda::simulator;

std::optional<uint32_t>
graven::cuda::simulator::findArray(StringRef symbol, const Kernel &kernel) {
  for (auto [i, array] : llvm::enumerate(kernel.arrays))
    if (array.name == symbol)
      return i;
  return std::nullopt;
}

/// What branches pass for an argument of a block; null in it for what no value
/// passes.
static SmallVector<Value> passedTo(BlockArgument argument) {
  SmallVector<Value> values;
  mlir::Block *block = argument.getOwner();
  for (auto it = block->pred_begin(), end = block->pred_end(); it != end;
       ++it) {
    auto branch = dyn_cast<BranchOpInterface>((*it)->getTerminator());
    values.push_back(branch
                         ? branch.getSuccessorOperands(
                               it.getSuccessorIndex())[argument.getArgNumber()]
                         : Value());
  }
  return values;
}

/// The member of a struct that was put together in sight, a memref's; null for
/// others.
static Value insertedAt(Value container, ArrayRef<int64_t> position) {
  while (auto insert = container.getDefiningOp<LLVM::InsertValueOp>()) {
    if (insert.getPosition() == position)
      return insert.getValue();
    container = insert.getContainer();
  }
  return nullptr;
}

Origin graven::cuda::simulator::findOrigin(Value pointer,
                                           LLVM::LLVMFuncOp function,
                                           const Kernel &kernel) {
  std::optional<Origin> found;
  SmallVector<Value> open = {pointer};
  llvm::DenseSet<Value> seen;
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (!value)
      return {};
    if (!seen.insert(value).second)
      continue;
    std::optional<Origin> origin;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() != &function.getBody().front()) {
        llvm::append_range(open, passedTo(argument));
        continue;
      }
      origin = Origin{Origin::Argument, argument.getArgNumber()};
    } else {
      bool goesOn =
          llvm::TypeSwitch<Operation *, bool>(value.getDefiningOp())
              .Case([&](LLVM::GEPOp op) {
                open.push_back(op.getBase());
                return true;
              })
              .Case([&](LLVM::AddrSpaceCastOp op) {
                open.push_back(op.getArg());
                return true;
              })
              .Case([&](LLVM::SelectOp op) {
                open.append({op.getTrueValue(), op.getFalseValue()});
                return true;
              })
              .Case([&](LLVM::ExtractValueOp op) {
                open.push_back(insertedAt(op.getContainer(), op.getPosition()));
                return true;
              })
              .Case([&](LLVM::AddressOfOp op) {
                auto array = findArray(op.getGlobalName(), kernel);
                origin = array ? Origin{Origin::Shared, *array}
                               : Origin{Origin::Local, 0};
                return false;
              })
              .Case([&](LLVM::AllocaOp) {
                origin = Origin{Origin::Local, 0};
                return false;
              })
              .Default([](Operation *) { return false; });
      if (goesOn)
        continue;
    }
    if (!origin || (found && (found->kind != origin->kind ||
                              found->index != origin->index)))
      return {};
    found = origin;
  }
  return found.value_or(Origin{});
}
