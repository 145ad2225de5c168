//===- LowerMatmul.cpp - matrix products to packed kernels ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of matmul, alone or with fused Nodes behind
// it, to `kernel.gemm` over packed panels; ints go through a plain reduction
// nest.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerStrassen.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"

using namespace mlir;

namespace graven {

bool multipliesNarrow(const TargetInfo &target, Type left, Type right) {
  if (target.processor == Processor::GPU)
    return left == right && (left.isF16() || left.isBF16());
  return target.hasBF16Dot && left.isBF16() && right.isBF16();
}

static void emitEpilogue(OpBuilder &b, const FusedNodes &fused, Region &body,
                         Type element) {
  fused.emitRegion(b, body, element,
                   [](OpBuilder &inner, Location at, Value value) {
                     kernel::YieldOp::create(inner, at, value);
                   });
}

Value emitGemm(OpBuilder &b, Location loc, const TargetInfo &target, Value lhs,
               Value rhs, bool rhsTransposed, const FusedNodes &fused,
               ValueRange epilogue) {
  auto a = cast<RankedTensorType>(lhs.getType()),
       r = cast<RankedTensorType>(rhs.getType());
  // Pairs of bf16 have an instruction that adds up their products in f32.
  Type element = a.getElementType(), compute = kernel::computeType(element);
  bool paired =
      target.hasBF16Dot && element.isBF16() && r.getElementType().isBF16();
  int64_t batch = a.getDimSize(0), m = a.getDimSize(1), k = a.getDimSize(2);
  int64_t n = r.getDimSize(rhsTransposed ? 1 : 2);
  expand::GemmTile tile = expand::chooseGemmTile(
      target, m, n, k, compute.getIntOrFloatBitWidth() / 8);
  SmallVector<int64_t> panels{
      r.getDimSize(0), static_cast<int64_t>(llvm::divideCeil(n, tile.nr)), k,
      tile.nr};
  if (paired) {
    panels[2] = llvm::divideCeil(k, 2);
    panels.push_back(2);
  }
  Value packed = emptyTensor(b, loc, panels, element);
  auto pack = kernel::PackOp::create(b, loc, packed.getType(), rhs, packed,
                                     rhsTransposed);
  Value out = emptyTensor(b, loc, {batch, m, n}, compute);
  auto gemm =
      kernel::GemmOp::create(b, loc, out.getType(), lhs, pack.getResults()[0],
                             epilogue, out, tile.mr, tile.kc);
  emitEpilogue(b, fused, gemm.getBody(), compute);
  return gemm.getResults()[0];
}

/// x repeated so that its batch axes are those of `batch`.
static Value broadcastBatch(OpBuilder &b, Location loc, Value x,
                            ArrayRef<int64_t> batch) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(batch);
  llvm::append_range(shape, type.getShape().take_back(2));
  if (type.getShape() == ArrayRef<int64_t>(shape))
    return x;
  return copyElements(b, loc, shape, x,
                      broadcastMap(b.getContext(), type.getShape(), shape));
}

/// Swaps the last two axes.
static Value transposeLast(OpBuilder &b, Location loc, Value x) {
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(order[rank - 1], order[rank - 2]);
  return transposeTo(b, loc, x, order);
}

static int64_t product(ArrayRef<int64_t> shape) { return *elementCount(shape); }

/// The tensor in one of the shapes an epilogue takes: scalar, row, or the full
/// [B, M, N].
static Value epilogueOperand(OpBuilder &b, Location loc, Value value,
                             ArrayRef<int64_t> result, ArrayRef<int64_t> full) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getNumElements() == 1)
    return reshapeTo(b, loc, value, {});
  int64_t n = result.back();
  if (type.getNumElements() == n && type.getShape().back() == n)
    return reshapeTo(b, loc, value, {n});
  if (type.getShape() != result)
    value = copyElements(b, loc, result, value,
                         broadcastMap(b.getContext(), type.getShape(), result));
  return reshapeTo(b, loc, value, full);
}

/// The tensor before it was widened.
static Value narrowOf(Value value) {
  Value narrow = sourceOfCast<arith::ExtFOp>(value);
  return narrow ? narrow : value;
}

static Value lowerFloatMatmul(OpBuilder &b, MatmulOp op, Value lhs, Value rhs,
                              const FusedNodes &fused,
                              const TargetInfo &target) {
  Location loc = op.getLoc();
  Type element = cast<RankedTensorType>(lhs.getType()).getElementType();
  bool narrow = element.isF16() || element.isBF16();
  Type compute = narrow ? b.getF32Type() : element;
  if (op.getAlgorithm() == Algorithm::Direct &&
      multipliesNarrow(target, getElementTypeOrSelf(narrowOf(lhs)),
                       getElementTypeOrSelf(narrowOf(rhs)))) {
    lhs = narrowOf(lhs);
    rhs = narrowOf(rhs);
  } else {
    lhs = convertElements(b, loc, lhs, compute);
    rhs = convertElements(b, loc, rhs, compute);
  }
  if (op.getTransposeA())
    lhs = transposeLast(b, loc, lhs);
  ArrayRef<int64_t> result = op.getType().getShape();
  ArrayRef<int64_t> a = cast<RankedTensorType>(lhs.getType()).getShape();
  ArrayRef<int64_t> r = cast<RankedTensorType>(rhs.getType()).getShape();
  SmallVector<int64_t> full, left, right;
  if (product(r.drop_back(2)) == 1) {
    // One right-hand side for all: the batch joins the rows.
    int64_t rows = product(a.drop_back(1));
    left = {1, rows, a.back()};
    right = {1, r[r.size() - 2], r.back()};
    full = {1, rows, result.back()};
  } else {
    ArrayRef<int64_t> batch = result.drop_back(2);
    lhs = broadcastBatch(b, loc, lhs, batch);
    rhs = broadcastBatch(b, loc, rhs, batch);
    int64_t count = product(batch);
    left = {count, a[a.size() - 2], a.back()};
    right = {count, r[r.size() - 2], r.back()};
    full = {count, result[result.size() - 2], result.back()};
  }
  SmallVector<Value> epilogue;
  for (Value value : fused.outer)
    epilogue.push_back(epilogueOperand(
        b, loc, convertElements(b, loc, value, compute), result, full));
  lhs = reshapeTo(b, loc, lhs, left);
  rhs = reshapeTo(b, loc, rhs, right);
  kernel::StrassenOp strassen;
  if (op.getAlgorithm() == Algorithm::Strassen)
    strassen =
        emitStrassen(b, loc, target, lhs, rhs, op.getTransposeB(), epilogue);
  Value product;
  if (strassen) {
    emitEpilogue(b, fused, strassen.getBody(), compute);
    product = strassen.getResults()[0];
  } else {
    product =
        emitGemm(b, loc, target, lhs, rhs, op.getTransposeB(), fused, epilogue);
  }
  return convertElements(b, loc, reshapeTo(b, loc, product, result), element);
}

static Value lowerIntMatmul(OpBuilder &b, MatmulOp op, Value lhs, Value rhs) {
  Location loc = op.getLoc();
  ArrayRef<int64_t> result = op.getType().getShape();
  Type element = cast<RankedTensorType>(lhs.getType()).getElementType();
  if (op.getTransposeA())
    lhs = transposeLast(b, loc, lhs);
  if (op.getTransposeB())
    rhs = transposeLast(b, loc, rhs);
  lhs = broadcastBatch(b, loc, lhs, result.drop_back(2));
  rhs = broadcastBatch(b, loc, rhs, result.drop_back(2));
  int64_t rank = result.size();
  SmallVector<int64_t> outAxes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<int64_t> leftAxes(outAxes), rightAxes(outAxes);
  leftAxes[rank - 1] = rank;
  rightAxes[rank - 2] = rank;
  SmallVector<AffineMap> maps;
  for (ArrayRef<int64_t> axes :
       {ArrayRef(leftAxes), ArrayRef(rightAxes), ArrayRef(outAxes)})
    maps.push_back(selectAxes(b.getContext(), rank + 1, axes));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value init = filledTensor(b, loc, result, emitConstant(b, loc, element, 0));
  return linalg::GenericOp::create(
             b, loc, init.getType(), ValueRange{lhs, rhs}, init, maps,
             iterators,
             [](OpBuilder &inner, Location at, ValueRange args) {
               Value term = arith::MulIOp::create(inner, at, args[0], args[1]);
               linalg::YieldOp::create(
                   inner, at,
                   arith::AddIOp::create(inner, at, args[2], term).getResult());
             })
      .getResult(0);
}

FailureOr<Value> lowerMatmul(OpBuilder &b, MatmulOp op, Value lhs, Value rhs,
                             const FusedNodes &fused,
                             const TargetInfo &target) {
  RankedTensorType type = loweredType(op.getType());
  int64_t k = op.getA().getType().getShape()[op.getA().getType().getRank() -
                                             (op.getTransposeA() ? 2 : 1)];
  if (type.getNumElements() == 0 || k == 0) {
    if (!fused.nodes.empty())
      return failure();
    return filledTensor(b, op.getLoc(), type.getShape(),
                        emitConstant(b, op.getLoc(), type.getElementType(), 0));
  }
  if (isa<FloatType>(type.getElementType()))
    return lowerFloatMatmul(b, op, lhs, rhs, fused, target);
  if (!fused.nodes.empty())
    return failure();
  return lowerIntMatmul(b, op, lhs, rhs);
}

namespace {
struct LowerMatmul : OpConversionPattern<MatmulOp> {
  LowerMatmul(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern(context), target(target) {}

  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    FusedNodes alone;
    alone.anchor = op;
    auto value = lowerMatmul(rewriter, op, adaptor.getA(), adaptor.getB(),
                             alone, target);
    if (failed(value))
      return failure();
    rewriter.replaceOp(op, *value);
    return success();
  }

  const TargetInfo &target;
};
} // namespace

void populateMatmulLowering(RewritePatternSet &patterns,
                            const TargetInfo &target) {
  patterns.add<LowerMatmul>(patterns.getContext(), target);
}

} // namespace graven
