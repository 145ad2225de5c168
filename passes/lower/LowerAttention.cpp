//===- LowerAttention.cpp - attention to one kernel -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of attention to kernel.attention. What
// moves heads to the front of q, k and v, and back in the result, becomes a map
// of the kernel's operands.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/AttentionShape.h"
#include "dialects/kernel/Kernel.h"
#include "passes/lower/ElementMap.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// A flat operand of the kernel and its map.
struct Operand {
  Value value;
  SmallVector<int64_t> map;
};

/// The flat operand that holds the elements of a map of four axes.
Operand makeOperand(OpBuilder &b, Location loc, Value base,
                    const ElementMap &map) {
  SmallVector<int64_t> entries{map.offset};
  llvm::append_range(entries, map.strides);
  return {reshapeTo(b, loc, base, {tensorOf(base).getNumElements()}), entries};
}

struct LowerAttention : OpConversionPattern<AttentionOp> {
  LowerAttention(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern(context), target(target) {}

  LogicalResult
  matchAndRewrite(AttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType q = tensorOf(adaptor.getQ()), k = tensorOf(adaptor.getK()),
                     v = tensorOf(adaptor.getV());
    Type element = q.getElementType();
    Type compute =
        element.isF16() || element.isBF16() ? rewriter.getF32Type() : element;
    RankedTensorType type = loweredType(op.getType());
    if (k.getDimSize(2) == 0) {
      // Every row is without keys.
      double nothing = op.getEmptyRow() == EmptyRow::Zero
                           ? 0
                           : std::numeric_limits<double>::quiet_NaN();
      rewriter.replaceOp(
          op, filledTensor(rewriter, loc, type.getShape(),
                           emitConstant(rewriter, loc, element, nothing)));
      return success();
    }
    SmallVector<int64_t> extents{
        q.getDimSize(0), q.getDimSize(1), k.getDimSize(1), q.getDimSize(2),
        k.getDimSize(2), q.getDimSize(3), v.getDimSize(3)};
    expand::AttentionTileSizes tile = expand::chooseAttentionTile(
        target, extents[0] * extents[1], extents[3], extents[4], extents[5],
        extents[6], compute.getIntOrFloatBitWidth() / 8);
    auto read = [&](Value from, Value to) {
      return rows(rewriter, loc, from, to, compute);
    };
    Operand queries, keys;
    if (extents[5] == 0) {
      // The scores are sums of nothing: those of one zero.
      extents[5] = 1;
      queries = zeros(rewriter, loc, q, compute);
      keys = zeros(rewriter, loc, k, compute);
    } else {
      queries = read(op.getQ(), adaptor.getQ());
      keys = read(op.getK(), adaptor.getK());
    }
    Operand values = read(op.getV(), adaptor.getV()), mask;
    if (op.getMask())
      mask = lowerMask(rewriter, loc, op.getMask(), adaptor.getMask(), compute);

    // The transpose that brings the heads back is where the result is written.
    auto back = op->hasOneUse() ? dyn_cast<TransposeOp>(*op->user_begin())
                                : TransposeOp();
    SmallVector<int64_t> order{0, 1, 2, 3}, shape;
    if (back && keepsColumns(back))
      order.assign(back.getPermutation().begin(), back.getPermutation().end());
    for (int64_t axis : order)
      shape.push_back(type.getDimSize(axis));
    SmallVector<int64_t> outMap(5, 0);
    int64_t size = 1;
    for (int64_t i = 3; i >= 0; --i) {
      outMap[order[i] + 1] = size;
      size *= shape[i];
    }
    // Of one column, and so of a stride that does not matter.
    outMap[4] = 1;
    bool paired = op.getRounded() && target.hasBF16Dot && compute.isF32();
    kernel::AttentionShape layout(extents, tile.mr, tile.panel, tile.block,
                                  tile.group, paired ? 2 : 1);
    Value out = emptyTensor(rewriter, loc, {size}, compute),
          scratch = emptyTensor(rewriter, loc, {layout.scratchSize()}, compute);
    Value made = kernel::AttentionOp::create(
                     rewriter, loc, TypeRange{out.getType(), scratch.getType()},
                     queries.value, keys.value, values.value, mask.value, out,
                     scratch, extents, queries.map, keys.map, values.map,
                     mask.value ? rewriter.getDenseI64ArrayAttr(mask.map)
                                : DenseI64ArrayAttr(),
                     outMap, op.getScale(), op.getSoftcap(), op.getCausal(),
                     op.getEmptyRow() == EmptyRow::Zero, paired, tile.mr,
                     tile.panel, tile.block, tile.group)
                     .getResult(0);
    made = convertElements(rewriter, loc, reshapeTo(rewriter, loc, made, shape),
                           element);
    SmallVector<int64_t> inverse(4);
    for (auto [i, axis] : llvm::enumerate(order))
      inverse[axis] = i;
    if (llvm::is_sorted(order)) {
      rewriter.replaceOp(op, made);
      return success();
    }
    rewriter.replaceOp(back, made);
    // Of no use but to this transpose.
    rewriter.replaceOp(op, transposeTo(rewriter, loc, made, inverse));
    return success();
  }

private:
  /// Whether columns stay innermost, but for axes of one.
  static bool keepsColumns(TransposeOp op) {
    for (auto [i, axis] : llvm::enumerate(op.getPermutation()))
      if (axis == 3)
        return llvm::all_of(op.getType().getShape().drop_front(i + 1),
                            [](int64_t extent) { return extent == 1; });
    return false;
  }

  /// Rows of `from`, lowered to `to`, in place where their columns are
  /// contiguous.
  static Operand rows(ConversionPatternRewriter &b, Location loc, Value from,
                      Value to, Type compute) {
    ElementMap map = elementsOf(from);
    if (map.strides[3] != 1 && map.shape[3] != 1)
      map = contiguousMap(from);
    map.strides[3] = 1;
    Value base = map.base == from ? to : b.getRemappedValue(map.base);
    return makeOperand(b, loc, convertElements(b, loc, base, compute), map);
  }

  static Operand zeros(OpBuilder &b, Location loc, RankedTensorType type,
                       Type compute) {
    SmallVector<int64_t> shape(type.getShape());
    shape[3] = 1;
    Value value = filledTensor(b, loc, shape, emitConstant(b, loc, compute, 0));
    return makeOperand(b, loc, value, contiguousMap(value));
  }

  /// A bool mask as the numbers to be added; axes that repeat have no stride.
  static Operand lowerMask(ConversionPatternRewriter &b, Location loc,
                           Value from, Value to, Type compute) {
    ElementMap map = elementsOf(from);
    if (map.strides[3] > 1 && map.shape[3] != 1)
      map = contiguousMap(from);
    Value base = map.base == from ? to : b.getRemappedValue(map.base);
    for (auto [stride, extent] : llvm::zip_equal(map.strides, map.shape))
      if (extent == 1)
        stride = 0;
    if (!tensorOf(base).getElementType().isInteger(1))
      return makeOperand(b, loc, convertElements(b, loc, base, compute), map);
    ArrayRef<int64_t> shape = tensorOf(base).getShape();
    Value added = mapElements(
        b, loc, shape, compute, base,
        {AffineMap::getMultiDimIdentityMap(shape.size(), b.getContext())},
        [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
          return arith::SelectOp::create(
              inner, at, args[0], emitConstant(inner, at, compute, 0),
              emitConstant(inner, at, compute, -kInfinity));
        });
    return makeOperand(b, loc, added, map);
  }

  const TargetInfo &target;
};

} // namespace

void populateAttentionLowering(RewritePatternSet &patterns,
                               const TargetInfo &target) {
  patterns.add<LowerAttention>(patterns.getContext(), target);
}

} // namespace graven
