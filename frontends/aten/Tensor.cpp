//===- Tensor.cpp - tensors with PyTorch's aliasing ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements functionalization: views are re-derived by cloning
// their Nodes onto the storage's new value, and writes are put back by the
// inverse of each view.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Tensor.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"

#include "mlir/IR/IRMapping.h"

using namespace graven;
using namespace graven::aten;

Tensor::Ptr Tensor::make(mlir::Value value) {
  auto tensor = std::make_shared<Tensor>();
  tensor->storage = std::make_shared<Storage>();
  tensor->storage->value = value;
  tensor->storage->home = value.getParentBlock();
  tensor->cached = value;
  return tensor;
}

Tensor::Ptr Tensor::view(const Ptr &base, mlir::Value result) {
  llvm::SmallVector<mlir::Operation *> steps;
  mlir::Value value = result;
  while (value != base->cached) {
    mlir::Operation *op = value.getDefiningOp();
    if (!op || op->getNumOperands() != 1 ||
        !mlir::isa<ReshapeOp, TransposeOp, SliceOp, BroadcastOp>(op))
      return make(result);
    steps.push_back(op);
    value = op->getOperand(0);
  }
  auto tensor = std::make_shared<Tensor>();
  tensor->storage = base->storage;
  tensor->chain = base->chain;
  tensor->chain.append(steps.rbegin(), steps.rend());
  tensor->cached = result;
  tensor->version = base->version;
  return tensor;
}

/// The view `step` of another value, of the type its operand has.
static mlir::Value reapply(mlir::OpBuilder &builder, mlir::Operation *step,
                           mlir::Value operand) {
  mlir::IRMapping mapping;
  mapping.map(step->getOperand(0), operand);
  return builder.clone(*step, mapping)->getResult(0);
}

bool aten::isWithin(mlir::Block *block, mlir::Block *outer) {
  for (; block; block = block->getParentOp() ? block->getParentOp()->getBlock()
                                             : nullptr)
    if (block == outer)
      return true;
  return false;
}

mlir::Value Tensor::read(mlir::OpBuilder &builder) {
  if (version == storage->version &&
      (chain.empty() ||
       isWithin(builder.getInsertionBlock(), cached.getParentBlock())))
    return cached;
  mlir::Value value = storage->value;
  for (mlir::Operation *step : chain)
    value = reapply(builder, step, value);
  version = storage->version;
  return cached = value;
}

/// The value before the view `step`, such that the view of it is `result` and
/// the rest is as in `before`; null when there is none.
static mlir::Value unapply(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Operation *step, mlir::Value before,
                           mlir::Value result) {
  auto type = mlir::cast<mlir::RankedTensorType>(before.getType());
  auto reshape = [&](mlir::Value value) -> mlir::Value {
    auto op = tryCreate<ReshapeOp>(builder, loc, value, mlir::ValueRange(),
                                   type.getShape());
    return mlir::failed(op) ? mlir::Value() : op->getResult();
  };
  if (mlir::isa<ReshapeOp>(step))
    return reshape(result);
  if (auto op = mlir::dyn_cast<TransposeOp>(step)) {
    llvm::SmallVector<int64_t> inverse(type.getRank());
    for (auto [i, axis] : llvm::enumerate(op.getPermutation()))
      inverse[axis] = i;
    auto back = tryCreate<TransposeOp>(builder, loc, result, inverse);
    return mlir::failed(back) ? mlir::Value() : back->getResult();
  }
  if (auto op = mlir::dyn_cast<SliceOp>(step)) {
    if (result.getType() == type)
      return result;
    llvm::SmallVector<int64_t> starts;
    for (int64_t i = 0; i < type.getRank(); ++i)
      starts.push_back(resolveSlice(type.getDimSize(i), op.getStarts()[i],
                                    op.getEnds()[i], op.getSteps()[i])
                           .start);
    auto insert =
        tryCreate<InsertSliceOp>(builder, loc, before, result,
                                 mlir::ValueRange(), starts, op.getSteps());
    return mlir::failed(insert) ? mlir::Value() : insert->getResult();
  }
  auto shape = mlir::cast<mlir::RankedTensorType>(result.getType());
  if (shape.getNumElements() == type.getNumElements())
    return reshape(result);
  emitCoded(loc, Code::UnsupportedFeature)
      << "write into an expanded tensor, whose elements share a place";
  return {};
}

mlir::LogicalResult Tensor::write(mlir::OpBuilder &builder, mlir::Location loc,
                                  mlir::Value value) {
  assert(value.getType() == type() && "a write keeps type and shape");
  if (storage->isShared) {
    emitCoded(loc, Code::DataDependent)
        << "write into a tensor that, depending on data, shares its storage "
           "with another";
    return mlir::failure();
  }
  llvm::SmallVector<mlir::Value> befores{storage->value};
  for (mlir::Operation *step : llvm::ArrayRef(chain).drop_back(!chain.empty()))
    befores.push_back(reapply(builder, step, befores.back()));
  mlir::Value result = value;
  for (size_t i = chain.size(); i-- > 0;) {
    result = unapply(builder, loc, chain[i], befores[i], result);
    if (!result)
      return mlir::failure();
  }
  storage->value = result;
  version = ++storage->version;
  cached = value;
  return mlir::success();
}

bool Tensor::isContiguous() const {
  for (mlir::Operation *step : chain) {
    if (mlir::isa<ReshapeOp>(step))
      continue;
    auto from =
        mlir::cast<mlir::RankedTensorType>(step->getOperand(0).getType());
    auto to = mlir::cast<mlir::RankedTensorType>(step->getResult(0).getType());
    if (from == to && mlir::isa<SliceOp, BroadcastOp>(step))
      continue;
    // A window of the outermost axis with more than one element stays dense.
    if (auto slice = mlir::dyn_cast<SliceOp>(step);
        slice && from.getRank() > 0 && slice.getSteps()[0] == 1 &&
        from.getShape().drop_front() == to.getShape().drop_front())
      continue;
    return false;
  }
  return true;
}
