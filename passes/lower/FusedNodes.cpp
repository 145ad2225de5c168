//===- FusedNodes.cpp - Nodes that ride on a contraction --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements building the epilogue region of a kernel from fused
// elementwise Nodes.
//===----------------------------------------------------------------------===//

#include "passes/lower/FusedNodes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {

void FusedNodes::emitRegion(
    OpBuilder &builder, Region &region, Type element,
    function_ref<void(OpBuilder &, Location, Value)> makeYield) const {
  if (nodes.empty())
    return;
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region);
  IRMapping map;
  map.map(anchor->getResult(0), block->addArgument(element, anchor->getLoc()));
  for (Value value : inner)
    map.map(value, block->addArgument(element, value.getLoc()));
  for (Operation *node : nodes) {
    SmallVector<Value> scalars;
    for (Value operand : node->getOperands())
      scalars.push_back(map.lookup(operand));
    // Between f16 or bf16 Nodes the values stay as wide as the accumulator.
    Type own = getElementTypeOrSelf(node->getResult(0).getType());
    map.map(node->getResult(0), own == element
                                    ? emitScalar(node, builder, scalars)
                                    : emitWideScalar(node, builder, scalars));
  }
  makeYield(builder, nodes.back()->getLoc(),
            map.lookup(nodes.back()->getResult(0)));
}

} // namespace graven
