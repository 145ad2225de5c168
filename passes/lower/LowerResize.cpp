//===- LowerResize.cpp - resampling ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of resize: axis by axis, each a parallel
// nest that reads the taps of its coordinate. Coordinates, taps and weights do
// not depend on data, so they are tables computed here.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/graven/ResizeTaps.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

/// A constant tensor of the given elements.
Value table(OpBuilder &b, Location loc, DenseElementsAttr elements) {
  return arith::ConstantOp::create(b, loc, elements);
}

/// One axis of x resampled by the taps.
Value resampleAxis(OpBuilder &b, Location loc, Value x, int64_t axis,
                   const ResizeTaps &taps, Type compute) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t out = taps.count(), width = taps.width;
  shape[axis] = out;
  auto positions = RankedTensorType::get({out, width}, b.getI32Type());
  auto weights = RankedTensorType::get({out, width}, compute);
  Value where = table(
      b, loc,
      DenseElementsAttr::get(positions, ArrayRef<int32_t>(taps.positions)));
  SmallVector<Attribute> numbers;
  for (double weight : taps.weights)
    numbers.push_back(b.getFloatAttr(compute, weight));
  Value factor = width == 1
                     ? Value()
                     : table(b, loc, DenseElementsAttr::get(weights, numbers));
  return generate(
      b, loc, shape, width == 1 ? type.getElementType() : compute,
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        Value sum;
        for (int64_t tap = 0; tap < width; ++tap) {
          Value t = indexConstant(inner, at, tap);
          Value p = tensor::ExtractOp::create(inner, at, where,
                                              ValueRange{i[axis], t});
          SmallVector<Value> from(i);
          from[axis] =
              arith::IndexCastOp::create(inner, at, inner.getIndexType(), p);
          Value v = tensor::ExtractOp::create(inner, at, x, from);
          if (width == 1)
            return v;
          Value w = tensor::ExtractOp::create(inner, at, factor,
                                              ValueRange{i[axis], t});
          Value term = arith::MulFOp::create(
              inner, at, emitCast(inner, at, v, type.getElementType(), compute),
              w);
          sum = sum ? arith::AddFOp::create(inner, at, sum, term).getResult()
                    : term;
        }
        return sum;
      });
}

/// How many neighbours each element of the axis becomes; 0 where they are not
/// as many for all, or not copies.
int64_t repeatsOf(const ResizeTaps &taps, int64_t in) {
  int64_t out = taps.count();
  if (taps.width != 1 || in == 0 || out % in != 0)
    return 0;
  for (int64_t i = 0; i < out; ++i)
    if (taps.positions[i] != i / (out / in))
      return 0;
  return out / in;
}

/// x with each element of axis n repeated times[n] times: one nest whose map
/// tells how.
Value repeatElements(OpBuilder &b, Location loc, Value x,
                     ArrayRef<int64_t> times) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<AffineExpr> from;
  for (auto [axis, count] : llvm::enumerate(times)) {
    shape[axis] *= count;
    AffineExpr dim = b.getAffineDimExpr(axis);
    from.push_back(count == 1 ? dim : dim.floorDiv(count));
  }
  return copyElements(b, loc, shape, x,
                      AffineMap::get(shape.size(), 0, from, b.getContext()));
}

struct LowerResize : OpConversionPattern<ResizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ResizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    Type nodeElement = op.getType().getElementType(),
         element = signless(nodeElement);
    Type compute = nodeElement.isF64() ? nodeElement : rewriter.getF32Type();
    if (!isa<FloatType>(nodeElement) && op.getMode() != ResizeMode::Nearest)
      return refuse(op, "interpolates ints");
    Value x = adaptor.getX();
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> times(type.getRank(), 1);
    for (size_t n = 0; n < op.getAxes().size(); ++n) {
      int64_t axis = op.getAxes()[n], in = type.getDimSize(axis);
      times[axis] =
          repeatsOf(resizeTaps(op, n, in, resizedExtent(op, n, in)), in);
    }
    if (!llvm::is_contained(times, 0)) {
      rewriter.replaceOp(op, repeatElements(rewriter, loc, x, times));
      return success();
    }
    for (size_t n = 0; n < op.getAxes().size(); ++n) {
      int64_t axis = op.getAxes()[n],
              in = cast<RankedTensorType>(x.getType()).getDimSize(axis);
      x = resampleAxis(rewriter, loc, x, axis,
                       resizeTaps(op, n, in, resizedExtent(op, n, in)),
                       compute);
    }
    if (isa<FloatType>(element))
      x = convertElements(rewriter, loc, x, element);
    rewriter.replaceOp(op, x);
    return success();
  }
};

} // namespace

void populateResizeLowering(RewritePatternSet &patterns) {
  patterns.add<LowerResize>(patterns.getContext());
}

} // namespace graven
