//===- LowerConv.cpp - convolutions ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of convolutions: in the blocked layout to
// `kernel.conv` and `kernel.depthwise` over packed weights, in the planar
// layout to a plain reduction nest that takes any rank, group and type.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/LowerWinograd.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"

using namespace mlir;

namespace graven {

static constexpr int64_t block = 16;

/// Extents, strides and the like of a blocked convolution seen as a 2-D one.
struct Conv2d {
  int64_t batch, inChannels, outChannels, groups;
  SmallVector<int64_t, 2> kernel, strides, dilations, out;

  /// Groups that are computed as one, with zeros for the weights between them.
  int64_t joined = 1;

  bool isDepthwise() const {
    return groups == inChannels && groups == outChannels && groups > 1;
  }

  /// Joins as few groups as make whole blocks of channels, on both sides; all
  /// of them where no number of them does. The zeros cost multiplications, of
  /// which a nest of parts of blocks would do one at a time.
  void joinGroups() {
    int64_t in = inChannels / groups, out = outChannels / groups;
    auto isWhole = [&](int64_t count) {
      return groups % count == 0 && count * in % block == 0 &&
             count * out % block == 0;
    };
    while (joined < groups && !isWhole(joined))
      ++joined;
    groups /= joined;
  }
};

static SmallVector<int64_t> withLeadingOne(ArrayRef<int64_t> list,
                                           int64_t one = 1) {
  SmallVector<int64_t> padded(list);
  if (padded.size() == 1)
    padded.insert(padded.begin(), one);
  return padded;
}

/// w [Co,Ci/g,KH,KW] in the order in which the kernel reads it:
/// [Co/oct][Ci/16][KH][KW][16][oct], absent channels 0; `paired`, with two
/// input channels side by side: [Co/oct][Ci/16][KH][KW][8][oct][2].
static Value packWeights(OpBuilder &b, Location loc, Value w,
                         const Conv2d &conv, bool planarInput, bool paired,
                         int64_t oct) {
  auto type = cast<RankedTensorType>(w.getType());
  int64_t outChannels = type.getDimSize(0), stored = type.getDimSize(1),
          perGroup = stored * conv.joined,
          outStored = outChannels / (conv.groups * conv.joined);
  int64_t ici = planarInput ? perGroup : block,
          icb = llvm::divideCeil(perGroup, ici);
  SmallVector<int64_t> shape{
      static_cast<int64_t>(llvm::divideCeil(outChannels, oct)),
      icb,
      conv.kernel[0],
      conv.kernel[1],
      ici,
      oct};
  if (paired) {
    shape[4] = ici / 2;
    shape.push_back(2);
  }
  return generate(
      b, loc, shape, type.getElementType(),
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        auto joined = [&](Value major, int64_t factor, Value minor) -> Value {
          Value scaled = arith::MulIOp::create(
              inner, at, major, indexConstant(inner, at, factor));
          return arith::AddIOp::create(inner, at, scaled, minor);
        };
        Value oc = joined(i[0], oct, i[5]),
              ic = joined(i[1], ici, paired ? joined(i[4], 2, i[6]) : i[4]);
        auto below = [&](Value v, int64_t limit) -> Value {
          return arith::CmpIOp::create(inner, at, arith::CmpIPredicate::slt, v,
                                       indexConstant(inner, at, limit));
        };
        Value real = arith::AndIOp::create(inner, at, below(oc, outChannels),
                                           below(ic, perGroup));
        Value safeOc = arith::MinSIOp::create(
            inner, at, oc, indexConstant(inner, at, outChannels - 1));
        Value safeIc = arith::MinSIOp::create(
            inner, at, ic, indexConstant(inner, at, perGroup - 1));
        if (conv.joined > 1) {
          auto divided = [&](Value v, int64_t by) -> Value {
            return arith::DivUIOp::create(inner, at, v,
                                          indexConstant(inner, at, by));
          };
          auto rest = [&](Value v, int64_t by) -> Value {
            return arith::RemUIOp::create(inner, at, v,
                                          indexConstant(inner, at, by));
          };
          Value same = arith::CmpIOp::create(
              inner, at, arith::CmpIPredicate::eq, divided(safeIc, stored),
              rest(divided(safeOc, outStored), conv.joined));
          real = arith::AndIOp::create(inner, at, real, same);
          safeIc = rest(safeIc, stored);
        }
        Value element = tensor::ExtractOp::create(
            inner, at, w, ValueRange{safeOc, safeIc, i[2], i[3]});
        return arith::SelectOp::create(
            inner, at, real, element,
            emitConstant(inner, at, type.getElementType(), 0));
      });
}

/// w [C,1,KH,KW] as [ceil(C/16)][KH][KW][16].
static Value packDepthwise(OpBuilder &b, Location loc, Value w) {
  auto type = cast<RankedTensorType>(w.getType());
  int64_t channels = type.getDimSize(0),
          blocks = llvm::divideCeil(channels, block);
  SmallVector<int64_t> low(4, 0), high{blocks * block - channels, 0, 0, 0};
  w = padConstant(b, loc, w, low, high,
                  emitConstant(b, loc, type.getElementType(), 0));
  w = reshapeTo(b, loc, w,
                {blocks, block, type.getDimSize(2), type.getDimSize(3)});
  return transposeTo(b, loc, w, {0, 2, 3, 1});
}

/// The input with its zero border; the spatial axes of a blocked tensor are 2
/// and 3, as of a planar one.
static Value padInput(OpBuilder &b, Location loc, Value x,
                      ArrayRef<int64_t> pads) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> low(type.getRank(), 0), high(type.getRank(), 0);
  int64_t spatial = pads.size() / 2;
  for (int64_t axis = 0; axis < spatial; ++axis) {
    low[2 + axis] = pads[axis];
    high[2 + axis] = pads[spatial + axis];
  }
  return padConstant(b, loc, x, low, high,
                     emitConstant(b, loc, type.getElementType(), 0));
}

/// The bias as one more Node in front of the epilogue.
static void addBias(OpBuilder &b, Location loc, Region &region, Type element) {
  if (region.empty()) {
    OpBuilder::InsertionGuard guard(b);
    Block *entry = b.createBlock(&region);
    Value acc = entry->addArgument(element, loc),
          bias = entry->addArgument(element, loc);
    kernel::YieldOp::create(
        b, loc, arith::AddFOp::create(b, loc, acc, bias).getResult());
    return;
  }
  OpBuilder::InsertionGuard guard(b);
  Block &entry = region.front();
  b.setInsertionPointToStart(&entry);
  Value acc = entry.getArgument(0), bias = entry.addArgument(element, loc);
  auto sum = arith::AddFOp::create(b, loc, acc, bias);
  acc.replaceAllUsesExcept(sum, sum);
}

/// An epilogue operand of a convolution: scalar, [C], or full.
static Value convEpilogueOperand(OpBuilder &b, Location loc, Value value,
                                 ArrayRef<int64_t> result, int64_t channels) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getNumElements() == 1)
    return reshapeTo(b, loc, value, {});
  if (type.getShape() == result)
    return value;
  // One value a channel: [1,CB,1,1,16], of which the first `channels` are real.
  bool perChannel = type.getRank() == 5 && type.getDimSize(1) == result[1] &&
                    type.getDimSize(4) == block &&
                    type.getNumElements() == result[1] * block;
  if (perChannel) {
    value = reshapeTo(b, loc, value, {result[1] * block});
    Value none = emitConstant(b, loc, type.getElementType(), 0);
    return padConstant(b, loc, value, {0}, {channels - result[1] * block},
                       none);
  }
  return copyElements(b, loc, result, value,
                      broadcastMap(b.getContext(), type.getShape(), result));
}

/// A convolution of images of one pixel with blocked channels.
static bool isProduct(const Conv2d &conv, Value x, ArrayRef<int64_t> pads,
                      const FusedNodes &fused, ArrayRef<int64_t> result) {
  auto type = cast<RankedTensorType>(x.getType());
  auto isOne = [](int64_t extent) { return extent == 1; };
  auto isZero = [](int64_t pad) { return pad == 0; };
  auto fits = [&](Value value) {
    int64_t count = cast<RankedTensorType>(value.getType()).getNumElements(),
            columns = result[1] * block;
    return count == 1 || count == columns || count == conv.batch * columns;
  };
  Type element = type.getElementType();
  return (element.isF32() || element.isF64()) && conv.groups == 1 &&
         conv.joined == 1 && llvm::all_of(conv.kernel, isOne) &&
         llvm::all_of(conv.out, isOne) &&
         llvm::all_of(type.getShape().slice(2, 2), isOne) &&
         llvm::all_of(pads, isZero) && llvm::all_of(fused.outer, fits);
}

/// Of images of one pixel, a product with the weights: [1, batch, channels]
/// times [1, channels, whole blocks of output channels].
static Value lowerAsProduct(OpBuilder &b, Location loc,
                            const TargetInfo &target, Value x, Value w,
                            Value bias, const Conv2d &conv,
                            const FusedNodes &fused, ArrayRef<int64_t> result) {
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  int64_t columns = result[1] * block,
          stored = cast<RankedTensorType>(x.getType()).getDimSize(1) * block;
  Value zero = emitConstant(b, loc, element, 0);
  x = reshapeTo(b, loc, x, {1, conv.batch, stored});
  // Nothing is known of the lanes behind the last channel.
  if (stored != conv.inChannels) {
    auto list = [&](ArrayRef<int64_t> values) {
      return getAsIndexOpFoldResult(b.getContext(), values);
    };
    x = tensor::ExtractSliceOp::create(b, loc, x, list({0, 0, 0}),
                                       list({1, conv.batch, conv.inChannels}),
                                       list({1, 1, 1}));
  }
  // What is widened here is packed as narrow panels.
  w = reshapeTo(b, loc, convertElements(b, loc, w, element),
                {1, conv.outChannels, conv.inChannels});
  w = padConstant(b, loc, w, {0, 0, 0}, {0, columns - conv.outChannels, 0},
                  zero);
  SmallVector<Value> epilogue;
  for (Value value : fused.outer) {
    int64_t count = cast<RankedTensorType>(value.getType()).getNumElements();
    SmallVector<int64_t> shape;
    if (count == columns)
      shape = {columns};
    else if (count != 1)
      shape = {1, conv.batch, columns};
    epilogue.push_back(
        reshapeTo(b, loc, convertElements(b, loc, value, element), shape));
  }
  if (bias)
    epilogue.push_back(padConstant(b, loc,
                                   convertElements(b, loc, bias, element), {0},
                                   {columns - conv.outChannels}, zero));
  auto gemm =
      emitGemm(b, loc, target, x, w, /*rhsTransposed=*/true, fused, epilogue)
          .getDefiningOp<kernel::GemmOp>();
  if (bias)
    addBias(b, loc, gemm.getBody(), element);
  return gemm.getResults()[0];
}

/// Whether narrow elements are multiplied as they are: of blocks, of which
/// depthwise convolutions do not add up channels.
static bool staysNarrow(const TargetInfo &target, ConvOp op, Value x, Value w) {
  return multipliesNarrow(target, getElementTypeOrSelf(x),
                          getElementTypeOrSelf(w)) &&
         op.getAlgorithm() == Algorithm::Direct &&
         cast<RankedTensorType>(x.getType()).getRank() ==
             op.getSpatialRank() + 3 &&
         (op.getGroups() == 1 ||
          cast<RankedTensorType>(w.getType()).getDimSize(1) > 1);
}

static FailureOr<SmallVector<Value>>
lowerBlockedConv(OpBuilder &b, ConvOp op, Value x, Value w, Value bias,
                 const FusedNodes &fused, const TargetInfo &target) {
  Location loc = op.getLoc();
  auto xType = cast<RankedTensorType>(x.getType()),
       wType = cast<RankedTensorType>(w.getType());
  RankedTensorType type = loweredType(op.getType());
  // Weights stay as narrow as they are: each is widened once for a register
  // tile, an element of the input for each multiplication.
  Type element = type.getElementType(), compute = kernel::computeType(element);
  if (Value narrow = sourceOfCast<arith::ExtFOp>(w);
      narrow && winogradTileOf(op.getAlgorithm()) == 0)
    w = narrow;
  Value narrow = sourceOfCast<arith::ExtFOp>(x);
  bool isNarrow = staysNarrow(target, op, narrow ? narrow : x, w),
       paired = isNarrow && target.hasBF16Dot;
  if (isNarrow)
    x = narrow ? narrow : x;
  else
    x = convertElements(b, loc, x, compute);
  if (element.isF16() && !target.hasF16Convert)
    w = convertElements(b, loc, w, compute);
  int64_t spatial = op.getSpatialRank();
  bool planarInput = xType.getRank() == spatial + 2;
  Conv2d conv;
  conv.batch = xType.getDimSize(0);
  conv.groups = op.getGroups();
  conv.inChannels = wType.getDimSize(1) * conv.groups;
  conv.outChannels = wType.getDimSize(0);
  if (!conv.isDepthwise())
    conv.joinGroups();
  conv.kernel = withLeadingOne(wType.getShape().drop_front(2));
  conv.strides = withLeadingOne(op.getStrides());
  conv.dilations = withLeadingOne(op.getDilations());
  conv.out = withLeadingOne(type.getShape().slice(2, spatial));
  // A 1-D convolution is a 2-D one of height 1.
  auto as2d = [&](Value v, int64_t leading) {
    SmallVector<int64_t> shape(cast<RankedTensorType>(v.getType()).getShape());
    if (spatial == 1 && !shape.empty())
      shape.insert(shape.begin() + leading, 1);
    return reshapeTo(b, loc, v, shape);
  };
  SmallVector<int64_t> pads(op.getPads());
  if (spatial == 1)
    pads = {0, pads[0], 0, pads[1]};
  int64_t tile = winogradTileOf(op.getAlgorithm());
  if (fused.pool && tile == 0)
    return failure();
  // Whole tiles are read, and as much of their output stored as there is.
  for (int64_t axis = 0; tile > 0 && axis < 2; ++axis)
    pads[2 + axis] += llvm::alignTo(conv.out[axis], tile) - conv.out[axis];
  x = padInput(b, loc, as2d(x, 2), pads);
  w = as2d(w, 2);
  SmallVector<int64_t> result{conv.batch, type.getDimSize(1), conv.out[0],
                              conv.out[1], block};
  if (!planarInput && tile == 0 && isProduct(conv, x, pads, fused, result))
    return SmallVector<Value>{
        convertElements(b, loc,
                        reshapeTo(b, loc,
                                  lowerAsProduct(b, loc, target, x, w, bias,
                                                 conv, fused, result),
                                  type.getShape()),
                        element)};
  SmallVector<Value> epilogue;
  for (Value value : fused.outer)
    epilogue.push_back(convEpilogueOperand(
        b, loc, as2d(convertElements(b, loc, value, compute), 2), result,
        conv.outChannels));
  if (bias)
    epilogue.push_back(convertElements(b, loc, bias, compute));
  Value out = emptyTensor(b, loc, result, compute);
  auto fillRegion = [&](Region &region) {
    fused.emitRegion(b, region, compute,
                     [](OpBuilder &inner, Location at, Value value) {
                       kernel::YieldOp::create(inner, at, value);
                     });
    if (bias)
      addBias(b, loc, region, compute);
  };
  auto finish = [&](Operation *made, Region &region) {
    fillRegion(region);
    Value whole = reshapeTo(b, loc, made->getResult(0), type.getShape());
    return SmallVector<Value>{convertElements(b, loc, whole, element)};
  };
  if (conv.isDepthwise()) {
    expand::DepthwiseTile tile =
        expand::chooseDepthwiseTile(target, conv.out[0], conv.out[1]);
    auto made = kernel::DepthwiseOp::create(
        b, loc, out.getType(), x, packDepthwise(b, loc, w), epilogue, out,
        conv.outChannels, conv.strides, conv.dilations,
        ArrayRef<int64_t>{tile.rows, tile.columns});
    return finish(made, made.getBody());
  }
  if (fused.pool) {
    RankedTensorType pooled = loweredType(fused.pool->getResult(0).getType());
    Value small =
        emptyTensor(b, loc, pooled.getShape(), pooled.getElementType());
    auto made = emitWinograd(b, loc, target, x, w, epilogue,
                             fused.keepsWhole ? out : Value(), small, tile,
                             conv.out[0] / pooled.getDimSize(2));
    fillRegion(made.getBody());
    return SmallVector<Value>(made->getResults().drop_back());
  }
  if (tile > 0) {
    auto made = emitWinograd(b, loc, target, x, w, epilogue, Value(), out, tile,
                             /*pool=*/1);
    return finish(made, made.getBody());
  }
  expand::ConvTileShape shape{
      conv.batch,     conv.inChannels, conv.outChannels, conv.groups,
      conv.kernel[0], conv.kernel[1],  conv.strides[0],  conv.strides[1],
      conv.out[0],    conv.out[1]};
  expand::ConvTile direct = expand::chooseConvTile(
      target, shape, compute.getIntOrFloatBitWidth() / 8);
  Value packed =
      packWeights(b, loc, w, conv, planarInput, paired, direct.channels);
  auto made = kernel::ConvOp::create(
      b, loc, out.getType(), x, packed, epilogue, out, conv.inChannels,
      conv.outChannels, conv.strides, conv.dilations, conv.groups,
      ArrayRef<int64_t>{direct.rows, direct.columns}, direct.rowBlock);
  return finish(made, made.getBody());
}

/// Sums over channels and taps in a plain nest; groups become an axis of their
/// own.
static Value lowerPlanarConv(OpBuilder &b, ConvOp op, Value x, Value w,
                             Value bias) {
  Location loc = op.getLoc();
  MLIRContext *context = b.getContext();
  RankedTensorType type = loweredType(op.getType());
  Type element = type.getElementType();
  bool narrow = element.isF16() || element.isBF16();
  Type compute = narrow ? b.getF32Type() : element;
  int64_t spatial = op.getSpatialRank(), groups = op.getGroups();
  x = padInput(b, loc, convertElements(b, loc, x, compute), op.getPads());
  w = convertElements(b, loc, w, compute);
  auto split = [&](ArrayRef<int64_t> shape, int64_t axis) {
    SmallVector<int64_t> grouped(shape);
    grouped[axis] /= groups;
    grouped.insert(grouped.begin() + axis, groups);
    return grouped;
  };
  x = reshapeTo(b, loc, x,
                split(cast<RankedTensorType>(x.getType()).getShape(), 1));
  w = reshapeTo(b, loc, w,
                split(cast<RankedTensorType>(w.getType()).getShape(), 0));
  SmallVector<int64_t> shape = split(type.getShape(), 1);
  // Dimensions: n, g, co, o.., ci, k..
  int64_t rank = 4 + 2 * spatial, ci = 3 + spatial;
  auto dim = [&](int64_t i) { return getAffineDimExpr(i, context); };
  SmallVector<AffineExpr> xExprs{dim(0), dim(1), dim(ci)},
      wExprs{dim(1), dim(2), dim(ci)}, outExprs{dim(0), dim(1), dim(2)};
  for (int64_t s = 0; s < spatial; ++s) {
    xExprs.push_back(dim(3 + s) * op.getStrides()[s] +
                     dim(ci + 1 + s) * op.getDilations()[s]);
    wExprs.push_back(dim(ci + 1 + s));
    outExprs.push_back(dim(3 + s));
  }
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs :
       {ArrayRef(xExprs), ArrayRef(wExprs), ArrayRef(outExprs)})
    maps.push_back(AffineMap::get(rank, 0, exprs, context));
  SmallVector<utils::IteratorType> iterators(3 + spatial,
                                             utils::IteratorType::parallel);
  iterators.append(1 + spatial, utils::IteratorType::reduction);
  Value init = filledTensor(b, loc, shape, emitConstant(b, loc, compute, 0));
  Value sums =
      linalg::GenericOp::create(
          b, loc, init.getType(), ValueRange{x, w}, init, maps, iterators,
          [](OpBuilder &inner, Location at, ValueRange args) {
            Value term = arith::MulFOp::create(inner, at, args[0], args[1]);
            linalg::YieldOp::create(
                inner, at,
                arith::AddFOp::create(inner, at, args[2], term).getResult());
          })
          .getResult(0);
  sums = reshapeTo(b, loc, sums, type.getShape());
  if (bias) {
    int64_t outRank = type.getRank();
    SmallVector<AffineMap> biasMaps{
        AffineMap::getMultiDimIdentityMap(outRank, context),
        selectAxes(context, outRank, 1)};
    sums = mapElements(
        b, loc, type.getShape(), compute,
        {sums, convertElements(b, loc, bias, compute)}, biasMaps,
        [](OpBuilder &inner, Location at, ValueRange args) -> Value {
          return arith::AddFOp::create(inner, at, args[0], args[1]);
        });
  }
  return convertElements(b, loc, sums, element);
}

/// A convolution that reads nothing but padding, or over no channels.
static Value onlyBias(OpBuilder &b, ConvOp op, Value bias) {
  Location loc = op.getLoc();
  RankedTensorType type = loweredType(op.getType());
  if (!bias)
    return filledTensor(b, loc, type.getShape(),
                        emitConstant(b, loc, type.getElementType(), 0));
  if (op.getLayout() == Layout::Blocked) {
    int64_t blocks = type.getDimSize(1),
            channels = cast<RankedTensorType>(bias.getType()).getDimSize(0);
    bias = padConstant(b, loc, bias, {0}, {blocks * block - channels},
                       emitConstant(b, loc, type.getElementType(), 0));
    bias = reshapeTo(b, loc, bias, {blocks, block});
    return copyElements(
        b, loc, type.getShape(), bias,
        selectAxes(b.getContext(), type.getRank(), {1, type.getRank() - 1}));
  }
  return copyElements(b, loc, type.getShape(), bias,
                      selectAxes(b.getContext(), type.getRank(), {1}));
}

FailureOr<SmallVector<Value>> lowerConv(OpBuilder &b, ConvOp op, Value x,
                                        Value w, Value bias,
                                        const FusedNodes &fused,
                                        const TargetInfo &target) {
  bool isAlone = fused.nodes.empty() && !fused.pool;
  if (isEmpty(x.getType()) || isEmpty(w.getType())) {
    if (!isAlone)
      return failure();
    return SmallVector<Value>{onlyBias(b, op, bias)};
  }
  if (op.getLayout() == Layout::Blocked)
    return lowerBlockedConv(b, op, x, w, bias, fused, target);
  if (!isAlone)
    return failure();
  return SmallVector<Value>{lowerPlanarConv(b, op, x, w, bias)};
}

namespace {

struct LowerConv : OpConversionPattern<ConvOp> {
  LowerConv(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern(context), target(target) {}

  LogicalResult
  matchAndRewrite(ConvOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    FusedNodes alone;
    alone.anchor = op;
    auto values = lowerConv(rewriter, op, adaptor.getX(), adaptor.getW(),
                            adaptor.getBias(), alone, target);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
    return success();
  }

  const TargetInfo &target;
};

} // namespace

void populateConvLowering(RewritePatternSet &patterns,
                          const TargetInfo &target) {
  patterns.add<LowerConv>(patterns.getContext(), target);
  populateConvTransposeLowering(patterns);
}

} // namespace graven
