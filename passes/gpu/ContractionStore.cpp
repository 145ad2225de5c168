//===- ContractionStore.cpp - results of products ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the epilogues of products on tensor cores.
//===----------------------------------------------------------------------===//
#include "passes/gpu/ContractionStore.h"

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lower/expand/Epilogue.h"

using namespace mlir;
using graven::expand::Idx;

namespace graven {

std::optional<StaticMemRef> StaticMemRef::get(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  StaticMemRef result{type, {}, 0};
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(result.strides, result.offset)) ||
      ShapedType::isDynamic(result.offset) ||
      llvm::any_of(result.strides, ShapedType::isDynamic))
    return std::nullopt;
  return result;
}

bool StaticMemRef::isSmall() const {
  int64_t last = offset;
  for (auto [extent, stride] : llvm::zip_equal(type.getShape(), strides)) {
    if (stride < 0)
      return false;
    last += (std::max<int64_t>(extent, 1) - 1) * stride;
  }
  return last < (int64_t(1) << 31) - kChunkBytes;
}

bool ContractionStore::canEmit() const {
  auto isPlain = [](Value value) {
    std::optional<StaticMemRef> memref = StaticMemRef::get(value);
    return memref &&
           kernel::computeType(memref->type.getElementType()).isF32() &&
           (memref->strides.empty() || memref->strides.back() == 1);
  };
  return isPlain(out) && llvm::all_of(operands, isPlain);
}

/// How many elements a thread stores at a time: they exist all or not at all,
/// and all that is read or written of as many is aligned.
int64_t ContractionStore::lanes(int64_t columns) const {
  int64_t lanes = 4;
  auto fit = [&](int64_t distance) {
    while (distance % lanes != 0)
      lanes /= 2;
  };
  fit(columns);
  auto fitAll = [&](Value value) {
    std::optional<StaticMemRef> memref = StaticMemRef::get(value);
    if (memref->strides.empty())
      return;
    fit(memref->offset);
    for (int64_t stride : ArrayRef(memref->strides).drop_back())
      fit(stride);
  };
  fitAll(out);
  llvm::for_each(operands, fitAll);
  return lanes;
}

/// Says of the vectors in a region that they are aligned to their size.
static void alignVectors(Region &region, int64_t lanes) {
  auto align = [&](auto op) {
    VectorType type = op.getVectorType();
    if (type.getNumElements() == lanes)
      op.setAlignment(lanes * type.getElementTypeBitWidth() / 8);
  };
  region.walk([&](vector::LoadOp op) { align(op); });
  region.walk([&](vector::StoreOp op) { align(op); });
}

LogicalResult ContractionStore::emit(
    BlockBuilder &u, ContractionEmitter &tile, const ContractionShape &shape,
    const ContractionTile &extent, Value row, Value column,
    ContractionEmitter::Order order,
    function_ref<Position(Idx row, Idx column)> positionOf) const {
  BlockEmitter &e = u.e;
  auto type = cast<MemRefType>(out.getType());
  FailureOr<expand::Buffer> to = e.buffer(out);
  FailureOr<expand::Epilogue> epilogue =
      expand::Epilogue::create(e, operands, body, type.getShape());
  if (failed(to) || failed(epilogue))
    return failure();
  int64_t count =
      order == ContractionEmitter::Order::Columns ? 1 : lanes(shape.columns);
  tile.store(count, order, [&](Value inRow, Value inColumn, Value sums) {
    Value atRow = u.add(row, inRow), atColumn = u.add(column, inColumn);
    Value exists = u.both(
        shape.rows % extent.rows == 0 ? Value() : u.isLess(atRow, shape.rows),
        shape.columns % extent.columns == 0
            ? Value()
            : u.isLess(atColumn, shape.columns));
    OpBuilder::InsertionGuard guard(u.b);
    if (exists)
      u.b.setInsertionPointToStart(
          scf::IfOp::create(u.b, u.loc, exists, /*withElseRegion=*/false)
              .thenBlock());
    auto vector = cast<VectorType>(sums.getType());
    Idx channel(u.toIndex(atColumn));
    Position position = positionOf(Idx(u.toIndex(atRow)), channel);
    Value result = epilogue->apply(
        e, sums, epilogue->channelValues(e, channel, vector, count),
        [&](const expand::Buffer &full) {
          return e.loadVector(full, e.at(full, position), vector, count);
        });
    e.storeVector(result, *to, e.at(*to, position), count);
    alignVectors(*u.b.getInsertionBlock()->getParent(), count);
  });
  return success();
}

} // namespace graven
