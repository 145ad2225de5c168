//===- LowerEmpty.cpp - tensors without elements --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the removal of tensors with an extent of 0 from a Graph:
// nothing computes them, nothing reads them, and no buffer stands for them.
// What is left are inputs and outputs of the Graph, which have no bytes.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/lower/LowerUtils.h"

using namespace mlir;

namespace graven {

bool isEmpty(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && llvm::is_contained(tensor.getShape(), 0);
}

RankedTensorType boundaryType(Type type) {
  RankedTensorType lowered = loweredType(type);
  return isEmpty(lowered) ? RankedTensorType::get({0}, lowered.getElementType())
                          : lowered;
}

/// Uses of the value read a constant instead, which lowers to an empty tensor.
static void replaceByConstant(OpBuilder &builder, Value value) {
  if (!isEmpty(value.getType()) || value.use_empty() ||
      value.getDefiningOp<ConstantOp>())
    return;
  auto none = DenseElementsAttr::get(cast<ShapedType>(value.getType()),
                                     ArrayRef<Attribute>());
  value.replaceAllUsesWith(ConstantOp::create(builder, value.getLoc(), none));
}

void replaceEmptyValues(GraphOp graph) {
  OpBuilder builder(graph.getContext());
  graph.walk([&](Block *block) {
    // The Nodes of a fusion become scalar code or are inlined first.
    builder.setInsertionPointToStart(block);
    for (BlockArgument argument : block->getArguments())
      replaceByConstant(builder, argument);
    for (Operation &node : *block) {
      builder.setInsertionPointAfter(&node);
      for (Value result : node.getResults())
        replaceByConstant(builder, result);
    }
  });
  graph.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *node) {
    if (isOpTriviallyDead(node))
      node->erase();
  });
}

} // namespace graven
