//===- Contiguous.cpp - kernels on contiguous rows --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements copies around kernels for operands whose last axis is
// not contiguous, such as every second column of a tensor: the generated code
// reads and writes vectors along it.
//===----------------------------------------------------------------------===//
#include "passes/memory/Destinations.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace graven::memory {

static bool hasContiguousRows(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  return type.getRank() == 0 ||
         (succeeded(type.getStridesAndOffset(strides, offset)) &&
          strides.back() == 1);
}

void copyStridedOperands(func::FuncOp function) {
  function.walk([](DestinationStyleOpInterface op) {
    if (!isa<kernel::KernelDialect>(op->getDialect()))
      return;
    OpBuilder before(op), after(op->getContext());
    after.setInsertionPointAfter(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Value strided = operand.get();
      auto type = dyn_cast<MemRefType>(strided.getType());
      if (!type || hasContiguousRows(type))
        continue;
      Value rows = memref::AllocOp::create(
          before, op->getLoc(),
          MemRefType::get(type.getShape(), type.getElementType()));
      // A kernel writes all of its destination and reads nothing of it.
      if (op.isDpsInit(&operand))
        linalg::CopyOp::create(after, op->getLoc(), rows, strided);
      else
        linalg::CopyOp::create(before, op->getLoc(), strided, rows);
      operand.set(rows);
    }
  });
}

} // namespace graven::memory
