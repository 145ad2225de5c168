//===- LowerNorm.cpp - normalisations and softmax -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of normalisations and softmax to row
// kernels; other axes are brought to the end first, or, where neighbours are
// enough for vectors, reduced as they lie. f16 and bf16 are computed in f32.
//===----------------------------------------------------------------------===//

#include "passes/lower/LowerNorm.h"
#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Reductions.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {

static Type computeTypeOf(Type element) {
  return element.isF16() || element.isBF16()
             ? Float32Type::get(element.getContext())
             : element;
}

Value emitSoftmax(OpBuilder &b, Location loc, Value x, SoftmaxForm form) {
  auto type = cast<RankedTensorType>(x.getType());
  if (type.getNumElements() == 0)
    return x;
  Value out = emptyTensor(b, loc, type.getShape(), type.getElementType());
  return kernel::SoftmaxOp::create(b, loc, out.getType(), x, out,
                                   form == SoftmaxForm::Log)
      .getResults()[0];
}

namespace {

/// Elements behind an axis from which on it is not brought to the end.
constexpr int64_t kNeighbours = 16;

/// Softmax over an axis with neighbours behind it: their maxima and sums are
/// vectors.
Value softmaxAcross(OpBuilder &b, Location loc, Value x, int64_t axis,
                    SoftmaxForm form) {
  auto type = cast<RankedTensorType>(x.getType());
  Type element = type.getElementType();
  int64_t rank = type.getRank();
  SmallVector<int64_t> kept, shape;
  for (int64_t other = 0; other < rank; ++other)
    if (other != axis) {
      kept.push_back(other);
      shape.push_back(type.getDimSize(other));
    }
  AffineMap whole = AffineMap::getMultiDimIdentityMap(rank, b.getContext()),
            line = selectAxes(b.getContext(), rank, kept);
  SmallVector<utils::IteratorType> parallel(rank,
                                            utils::IteratorType::parallel),
      reducing(parallel);
  reducing[axis] = utils::IteratorType::reduction;
  auto reduce = [&](ReduceKind kind, Value of) {
    Value start =
        arith::ConstantOp::create(b, loc, identityOf(kind, element, element));
    Value init = filledTensor(b, loc, shape, start);
    return linalg::GenericOp::create(
               b, loc, init.getType(), of, init, ArrayRef{whole, line},
               reducing,
               [&](OpBuilder &inner, Location at, ValueRange args) {
                 linalg::YieldOp::create(
                     inner, at,
                     combine(inner, at, kind, element, args[1], args[0]));
               })
        .getResult(0);
  };
  auto map = [&](Value of, Value perLine, ScalarBody body) {
    return mapElements(b, loc, type.getShape(), element, {of, perLine},
                       {whole, line}, body);
  };
  auto less = [](OpBuilder &inner, Location at, ValueRange args) -> Value {
    return arith::SubFOp::create(inner, at, args[0], args[1]);
  };
  Value most = reduce(ReduceKind::Max, x);
  if (form == SoftmaxForm::Plain) {
    Value weights = map(
        x, most, [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
          return math::ExpOp::create(inner, at, less(inner, at, args));
        });
    return map(weights, reduce(ReduceKind::Sum, weights),
               [](OpBuilder &inner, Location at, ValueRange args) -> Value {
                 return arith::DivFOp::create(inner, at, args[0], args[1]);
               });
  }
  // The logarithm of the sum comes off last: a great maximum would swallow it.
  Value shifted = map(x, most, less);
  Value weights =
      mapElements(b, loc, type.getShape(), element, shifted, whole,
                  [](OpBuilder &inner, Location at, ValueRange args) -> Value {
                    return math::ExpOp::create(inner, at, args[0]);
                  });
  return map(shifted, reduce(ReduceKind::Sum, weights),
             [](OpBuilder &inner, Location at, ValueRange args) -> Value {
               return arith::SubFOp::create(
                   inner, at, args[0], math::LogOp::create(inner, at, args[1]));
             });
}

Value softmaxOnAxis(OpBuilder &b, Location loc, Value x, int64_t axis,
                    SoftmaxForm form) {
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  x = convertElements(b, loc, x, computeTypeOf(element));
  auto type = cast<RankedTensorType>(x.getType());
  int64_t rank = type.getRank();
  if (type.getNumElements() > 0 &&
      *elementCount(type.getShape().drop_front(axis + 1)) >= kNeighbours)
    return convertElements(b, loc, softmaxAcross(b, loc, x, axis, form),
                           element);
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(order[axis], order[rank - 1]);
  if (axis != rank - 1)
    x = transposeTo(b, loc, x, order);
  x = emitSoftmax(b, loc, x, form);
  if (axis != rank - 1)
    x = transposeTo(b, loc, x, order);
  return convertElements(b, loc, x, element);
}

/// The axes from `axis` on as one row; params come flattened.
Value normalizeRows(OpBuilder &b, Location loc, kernel::NormKind kind, Value x,
                    int64_t axis, ArrayRef<Value> parameters, double epsilon) {
  auto type = cast<RankedTensorType>(x.getType());
  Type element = type.getElementType(), compute = computeTypeOf(element);
  if (type.getNumElements() == 0)
    return x;
  int64_t width = *elementCount(type.getShape().drop_front(axis));
  SmallVector<int64_t> rows{type.getNumElements() / width, width};
  x = reshapeTo(b, loc, convertElements(b, loc, x, compute), rows);
  SmallVector<Value> params;
  for (Value parameter : parameters)
    params.push_back(reshapeTo(
        b, loc, convertElements(b, loc, parameter, compute), {width}));
  Value out = emptyTensor(b, loc, rows, compute);
  Value y = kernel::RowNormOp::create(b, loc, out.getType(), kind, x, params,
                                      out, llvm::APFloat(epsilon))
                .getResults()[0];
  return convertElements(b, loc, reshapeTo(b, loc, y, type.getShape()),
                         element);
}

struct LowerSoftmax : OpConversionPattern<SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(op, softmaxOnAxis(rewriter, op.getLoc(), adaptor.getX(),
                                         op.getAxis(), SoftmaxForm::Plain));
    return success();
  }
};

struct LowerLogSoftmax : OpConversionPattern<LogSoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LogSoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(op, softmaxOnAxis(rewriter, op.getLoc(), adaptor.getX(),
                                         op.getAxis(), SoftmaxForm::Log));
    return success();
  }
};

/// The parameters a row kernel takes: scale and bias, where a missing scale
/// before a bias is 1.
SmallVector<Value> rowParameters(OpBuilder &b, Location loc, Value scale,
                                 Value bias) {
  if (!scale && bias) {
    auto type = cast<RankedTensorType>(bias.getType());
    scale = filledTensor(b, loc, type.getShape(),
                         emitConstant(b, loc, type.getElementType(), 1));
  }
  SmallVector<Value> parameters;
  for (Value parameter : {scale, bias})
    if (parameter)
      parameters.push_back(parameter);
  return parameters;
}

struct LowerLayerNorm : OpConversionPattern<LayerNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LayerNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    rewriter.replaceOp(
        op, normalizeRows(rewriter, loc, kernel::NormKind::Layer,
                          adaptor.getX(), op.getAxis(),
                          rowParameters(rewriter, loc, adaptor.getScale(),
                                        adaptor.getBias()),
                          op.getEpsilon().convertToDouble()));
    return success();
  }
};

struct LowerRmsNorm : OpConversionPattern<RmsNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RmsNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    rewriter.replaceOp(
        op, normalizeRows(rewriter, loc, kernel::NormKind::Rms, adaptor.getX(),
                          op.getAxis(),
                          rowParameters(rewriter, loc, adaptor.getScale(), {}),
                          op.getEpsilon().convertToDouble()));
    return success();
  }
};

/// x * scale[c] + bias[c] on [N,C,D..]; either may be absent.
Value scaleChannels(OpBuilder &b, Location loc, Value x, Value scale,
                    Value bias) {
  auto type = cast<RankedTensorType>(x.getType());
  AffineMap identity =
      AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
  AffineMap channel = selectAxes(b.getContext(), type.getRank(), 1);
  SmallVector<Value> inputs{x};
  SmallVector<AffineMap> maps{identity};
  for (Value parameter : {scale, bias})
    if (parameter) {
      inputs.push_back(parameter);
      maps.push_back(channel);
    }
  return mapElements(
      b, loc, type.getShape(), type.getElementType(), inputs, maps,
      [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
        Value y = args[0];
        size_t next = 1;
        if (scale)
          y = arith::MulFOp::create(inner, at, y, args[next++]);
        if (bias)
          y = arith::AddFOp::create(inner, at, y, args[next]);
        return y;
      });
}

struct LowerGroupNorm : OpConversionPattern<GroupNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GroupNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(adaptor.getX().getType());
    Type compute = computeTypeOf(type.getElementType());
    auto wide = [&](Value v) {
      return v ? convertElements(rewriter, loc, v, compute) : v;
    };
    SmallVector<int64_t> grouped(type.getShape());
    grouped[1] /= op.getGroups();
    grouped.insert(grouped.begin() + 1, op.getGroups());
    Value x = reshapeTo(rewriter, loc, wide(adaptor.getX()), grouped);
    x = normalizeRows(rewriter, loc, kernel::NormKind::Layer, x, /*axis=*/2, {},
                      op.getEpsilon().convertToDouble());
    x = reshapeTo(rewriter, loc, x, type.getShape());
    if (adaptor.getScale() || adaptor.getBias())
      x = scaleChannels(rewriter, loc, x, wide(adaptor.getScale()),
                        wide(adaptor.getBias()));
    rewriter.replaceOp(
        op, convertElements(rewriter, loc, x, type.getElementType()));
    return success();
  }
};

/// As x * a[c] + b[c] with a = scale / sqrt(variance + epsilon), b = bias -
/// mean a: both are Parameters' work.
struct LowerBatchNorm : OpConversionPattern<BatchNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(BatchNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    Type element =
             cast<RankedTensorType>(adaptor.getX().getType()).getElementType(),
         compute = computeTypeOf(element);
    auto wide = [&](Value v) {
      return convertElements(rewriter, loc, v, compute);
    };
    ArrayRef<int64_t> shape = op.getScale().getType().getShape();
    AffineMap identity = rewriter.getMultiDimIdentityMap(1);
    SmallVector<Value> first{wide(adaptor.getScale()),
                             wide(adaptor.getVariance())};
    Value a = mapElements(
        rewriter, loc, shape, compute, first, {identity, identity},
        [&](OpBuilder &b, Location at, ValueRange args) -> Value {
          Value epsilon =
              emitConstant(b, at, compute, op.getEpsilon().convertToDouble());
          Value root = math::SqrtOp::create(
              b, at, arith::AddFOp::create(b, at, args[1], epsilon));
          return arith::DivFOp::create(b, at, args[0], root);
        });
    SmallVector<Value> second{wide(adaptor.getBias()), wide(adaptor.getMean()),
                              a};
    Value c = mapElements(
        rewriter, loc, shape, compute, second, {identity, identity, identity},
        [](OpBuilder &b, Location at, ValueRange args) -> Value {
          Value shift = arith::MulFOp::create(b, at, args[1], args[2]);
          return arith::SubFOp::create(b, at, args[0], shift);
        });
    Value y = scaleChannels(rewriter, loc, wide(adaptor.getX()), a, c);
    rewriter.replaceOp(op, convertElements(rewriter, loc, y, element));
    return success();
  }
};

} // namespace

void populateNormLowering(RewritePatternSet &patterns) {
  patterns.add<LowerSoftmax, LowerLogSoftmax, LowerLayerNorm, LowerRmsNorm,
               LowerGroupNorm, LowerBatchNorm>(patterns.getContext());
}

} // namespace graven
