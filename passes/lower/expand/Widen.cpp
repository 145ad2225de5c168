//===- Widen.cpp - scalar regions at vector type ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the cloning of a block of scalar elementwise operations
// at vector type.

#include "passes/lower/expand/Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven::expand {

bool canWiden(Block &block) {
  return llvm::all_of(block.without_terminator(), [](Operation &op) {
    return OpTrait::hasElementwiseMappableTraits(&op) ||
           matchPattern(&op, m_Constant());
  });
}

SmallVector<Value> cloneWidened(Emitter &emitter, Block &block, IRMapping &map,
                                int64_t lanes) {
  OpBuilder &builder = emitter.builder();
  auto widen = [&](Type type) { return VectorType::get({lanes}, type); };
  auto vectorOf = [&](Value scalar) {
    Value mapped = map.lookupOrDefault(scalar);
    return isa<VectorType>(mapped.getType())
               ? mapped
               : emitter.broadcast(mapped, widen(mapped.getType()));
  };
  for (Operation &op : block.without_terminator()) {
    Attribute value;
    if (matchPattern(&op, m_Constant(&value))) {
      auto splat =
          DenseElementsAttr::get(widen(op.getResult(0).getType()), value);
      map.map(op.getResult(0),
              Value(arith::ConstantOp::create(builder, emitter.loc(), splat)));
      continue;
    }
    SmallVector<Value> inputs(llvm::map_range(op.getOperands(), vectorOf));
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      types.push_back(widen(type));
    OperationState state(emitter.loc(), op.getName(), inputs, types,
                         op.getAttrs());
    Operation *wide = builder.create(state);
    relax(wide, /*reassociate=*/false);
    map.map(op.getResults(), wide->getResults());
  }
  return SmallVector<Value>(
      llvm::map_range(block.getTerminator()->getOperands(), vectorOf));
}

void relax(Operation *op, bool reassociate) {
  auto relaxed = dyn_cast<arith::ArithFastMathInterface>(op);
  if (!relaxed || !isa<arith::ArithDialect>(op->getDialect()))
    return;
  // A cast has no flags: contracted, a narrowing and a widening would cancel
  // and lose the rounding between them.
  arith::FastMathFlagsAttr given = relaxed.getFastMathFlagsAttr();
  if (!given)
    return;
  arith::FastMathFlags flags =
      given.getValue() | arith::FastMathFlags::contract;
  if (reassociate)
    flags = flags | arith::FastMathFlags::reassoc;
  // Which of two zeros is the greater one takes as many instructions as the
  // rest, and no frontend says it.
  if (isa<arith::MaximumFOp, arith::MinimumFOp>(op))
    flags = flags | arith::FastMathFlags::nsz;
  op->setAttr(relaxed.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), flags));
}

} // namespace graven::expand
