//===- Halos.cpp - padding without a copy -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements padding in place: a tensor into which a slice is
// inserted is filled just before the first op that computes the slice, so that
// one-shot bufferization can let that op write into the padded buffer; and then
// only the strips around the slice are filled.
//===----------------------------------------------------------------------===//
#include "passes/memory/Destinations.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace graven::memory {

static SmallVector<OpFoldResult> indices(OpBuilder &builder,
                                         ArrayRef<int64_t> values) {
  return llvm::map_to_vector(values, [&](int64_t value) -> OpFoldResult {
    return builder.getIndexAttr(value);
  });
}

/// The first op, in `user`'s block and before it, that may write what becomes
/// the value: it and the ops before it that made its destination.
static Operation *firstWriter(Value value, Operation *user) {
  Operation *first = user;
  llvm::SetVector<Value> values;
  values.insert(value);
  for (size_t i = 0; i < values.size(); ++i) {
    Operation *op = values[i].getDefiningOp();
    if (!op || op->getBlock() != user->getBlock())
      continue;
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
      values.insert(op->getOperand(0));
      continue;
    }
    auto writer = dyn_cast<DestinationStyleOpInterface>(op);
    if (!writer || !writer.hasPureTensorSemantics())
      continue;
    if (op->isBeforeInBlock(first))
      first = op;
    values.insert(writer.getTiedOpOperand(cast<OpResult>(values[i]))->get());
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      values.insert(insert.getSource());
  }
  return first;
}

/// The value at the builder's point, where constants may have to be cloned;
/// null where it is computed later.
static Value makeAvailable(OpBuilder &builder, Value value) {
  Operation *op = value.getDefiningOp();
  Block *block = builder.getInsertionBlock();
  if (!op || op->getBlock() != block)
    return value;
  if (op->isBeforeInBlock(&*builder.getInsertionPoint()))
    return value;
  if (!matchPattern(op, m_Constant()))
    return {};
  return builder.clone(*op)->getResult(0);
}

/// On a linalg.fill: the offsets, then the sizes, of the slice that need not be
/// filled because it is written before it is read.
static constexpr llvm::StringLiteral kAroundAttr = "graven.around";

static void fillAround(tensor::InsertSliceOp insert) {
  auto fill = insert.getDest().getDefiningOp<linalg::FillOp>();
  auto isStatic = [](ArrayRef<int64_t> list) {
    return llvm::none_of(list, ShapedType::isDynamic);
  };
  if (!fill || !fill->hasOneUse() || fill->getBlock() != insert->getBlock() ||
      !fill.getOutputs().front().getDefiningOp<tensor::EmptyOp>() ||
      !insert.getDestType().hasStaticShape() ||
      !isStatic(insert.getStaticOffsets()) ||
      !isStatic(insert.getStaticSizes()) || !insert.hasUnitStride())
    return;
  SmallVector<int64_t> slice(insert.getStaticOffsets());
  llvm::append_range(slice, insert.getStaticSizes());
  OpBuilder builder(firstWriter(insert.getSource(), insert));
  fill->setAttr(kAroundAttr, builder.getDenseI64ArrayAttr(slice));
  // Splitting has put the empty tensor at the start of the block.
  Value value = makeAvailable(builder, fill.getInputs().front());
  if (!value || !makeAvailable(builder, fill.getOutputs().front()))
    return;
  fill.getInputsMutable().assign(value);
  if (&*builder.getInsertionPoint() != fill)
    fill->moveBefore(&*builder.getInsertionPoint());
}

/// Fills the strips around the slice: along each axis those below and above
/// it, as wide as the slice on the axes before and as the whole on the axes
/// after, so that each element is in one strip.
static void fillStrips(OpBuilder &builder, linalg::FillOp fill,
                       ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  Location loc = fill.getLoc();
  Value buffer = fill.getOutputs().front();
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> ones =
      indices(builder, SmallVector<int64_t>(type.getRank(), 1));
  SmallVector<int64_t> stripOffsets(type.getRank(), 0);
  SmallVector<int64_t> stripSizes(type.getShape());
  auto fillStrip = [&](size_t axis, int64_t begin, int64_t end) {
    if (begin == end)
      return;
    stripOffsets[axis] = begin;
    stripSizes[axis] = end - begin;
    Value strip = memref::SubViewOp::create(builder, loc, buffer,
                                            indices(builder, stripOffsets),
                                            indices(builder, stripSizes), ones);
    linalg::FillOp::create(builder, loc, fill.getInputs().front(), strip);
  };
  for (auto [axis, offset, size] : llvm::enumerate(offsets, sizes)) {
    fillStrip(axis, 0, offset);
    fillStrip(axis, offset + size, type.getDimSize(axis));
    stripOffsets[axis] = offset;
    stripSizes[axis] = size;
  }
}

void shrinkFills(func::FuncOp function) {
  SmallVector<linalg::FillOp> fills;
  function.walk([&](linalg::FillOp fill) {
    if (fill->hasAttr(kAroundAttr))
      fills.push_back(fill);
  });
  for (linalg::FillOp fill : fills) {
    auto slice =
        fill->getAttrOfType<DenseI64ArrayAttr>(kAroundAttr).asArrayRef();
    OpBuilder builder(fill);
    fillStrips(builder, fill, slice.take_front(slice.size() / 2),
               slice.drop_front(slice.size() / 2));
    fill.erase();
  }
}

void fillAroundSlices(func::FuncOp function) {
  SmallVector<tensor::InsertSliceOp> inserts;
  function.walk([&](tensor::InsertSliceOp op) { inserts.push_back(op); });
  for (tensor::InsertSliceOp insert : inserts)
    fillAround(insert);
}

} // namespace graven::memory
