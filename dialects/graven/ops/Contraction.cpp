//===- Contraction.cpp - types of the contractions ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference of matrix products, convolutions and
// attention.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

/// C5: Strassen's algorithm is for one right-hand side of even depth.
static LogicalResult checkAlgorithm(OptionalLoc loc, MatmulOp::Adaptor adaptor,
                                    int64_t k, int64_t n) {
  if (adaptor.getAlgorithm() == Algorithm::Direct)
    return success();
  RankedTensorType b = tensorOf(adaptor.getB());
  if (adaptor.getAlgorithm() == Algorithm::Strassen &&
      b.getElementType().isF32() && !adaptor.getTransposeA() &&
      llvm::all_of(b.getShape().drop_back(2),
                   [](int64_t v) { return v == 1; }) &&
      !ShapedType::isDynamic(k) && k > 0 && k % 2 == 0 &&
      !ShapedType::isDynamic(n) && n > 0)
    return success();
  return emitOptionalError(
      loc, "algorithm is ", stringifyAlgorithm(adaptor.getAlgorithm()),
      ", expected direct, or strassen with f32, an a that is not transposed, "
      "and a b with batch axes of 1, an even K and a known N (C5)");
}

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  RankedTensorType a = tensorOf(adaptor.getA()), b = tensorOf(adaptor.getB());
  int64_t rank = a.getRank();
  if (failed(checkElementTypes(loc, adaptor.getOperands())))
    return failure();
  if (rank < 2)
    return emitOptionalError(loc, "a has rank ", rank,
                             ", expected at least 2 (C2)");
  if (failed(checkRank(loc, "b", b.getRank(), rank, rank, "C2")))
    return failure();
  int64_t m = a.getDimSize(rank - 2), k = a.getDimSize(rank - 1),
          bk = b.getDimSize(rank - 2), n = b.getDimSize(rank - 1);
  if (adaptor.getTransposeA())
    std::swap(m, k);
  if (adaptor.getTransposeB())
    std::swap(bk, n);
  if (failed(checkExtent(loc, "b's contracted extent", bk, k, "C3")) ||
      failed(checkAlgorithm(loc, adaptor, k, n)))
    return failure();
  Shape shape;
  for (auto [axis, extents] : llvm::enumerate(
           llvm::zip(a.getShape().drop_back(2), b.getShape().drop_back(2)))) {
    auto [left, right] = extents;
    if (left != 1 && right != 1 && !sameExtent(left, right))
      return emitOptionalError(loc, "b has extent ", right, " on batch axis ",
                               axis, ", expected ", left, " or 1 (C4)");
    bool takeRight = left == 1 || (ShapedType::isDynamic(left) && right != 1);
    shape.push_back(takeRight ? right : left);
  }
  shape.append({m, n});
  return pushResult(loc, shape, a.getElementType(), types);
}

/// Checks the lists that conv and conv_transpose share; C2 and C3 of both.
template <class Adaptor>
static LogicalResult checkConvLists(OptionalLoc loc, Adaptor adaptor,
                                    int64_t spatial) {
  if (failed(
          checkLength(loc, "strides", adaptor.getStrides(), spatial, "C2")) ||
      failed(checkLength(loc, "dilations", adaptor.getDilations(), spatial,
                         "C2")) ||
      failed(checkLength(loc, "pads", adaptor.getPads(), 2 * spatial, "C2")) ||
      failed(checkAtLeast(loc, "strides", adaptor.getStrides(), 1, "C3")) ||
      failed(checkAtLeast(loc, "dilations", adaptor.getDilations(), 1, "C3")))
    return failure();
  int64_t groups = static_cast<int64_t>(adaptor.getGroups());
  if (groups < 1)
    return emitOptionalError(loc, "groups is ", groups,
                             ", expected at least 1 (C3)");
  return success();
}

static LogicalResult checkBias(OptionalLoc loc, Value bias, int64_t channels,
                               StringRef label) {
  if (!bias)
    return success();
  return checkShape(loc, "bias", tensorOf(bias).getShape(), {channels}, label);
}

/// Number of input channels of a conv in layout nchw16c, whose x is blocked or,
/// when it has few channels, planar (C8).
static FailureOr<int64_t>
blockedChannels(OptionalLoc loc, ConvOp::Adaptor adaptor, int64_t spatial) {
  constexpr int64_t block = 16;
  RankedTensorType x = tensorOf(adaptor.getX());
  if (x.getRank() == spatial + 2) {
    int64_t channels = x.getDimSize(1);
    if (adaptor.getChannels() &&
        failed(checkExtent(loc, "channels",
                           static_cast<int64_t>(*adaptor.getChannels()),
                           channels, "C8")))
      return failure();
    return channels;
  }
  if (!adaptor.getChannels())
    return emitOptionalError(loc,
                             "a blocked x needs the attribute channels (C8)");
  int64_t channels = *adaptor.getChannels();
  if (channels < 1)
    return emitOptionalError(loc, "channels is ", channels,
                             ", expected at least 1 (C8)");
  if (failed(checkExtent(loc, "x's number of blocks", x.getDimSize(1),
                         (channels - 1) / block + 1, "C8")) ||
      failed(checkExtent(loc, "x's last extent", x.getShape().back(), block,
                         "C8")))
    return failure();
  return channels;
}

/// C4, C5 and C7: groups divide the channels, and w and bias fit them.
static LogicalResult checkConvChannels(OptionalLoc loc, ConvOp::Adaptor adaptor,
                                       int64_t channels) {
  RankedTensorType w = tensorOf(adaptor.getW());
  int64_t groups = adaptor.getGroups(), outChannels = w.getDimSize(0),
          perGroup = channels;
  if (!ShapedType::isDynamic(channels)) {
    if (channels % groups != 0)
      return emitOptionalError(
          loc, "x has ", channels,
          " channels, expected a multiple of groups = ", groups, " (C4)");
    perGroup = channels / groups;
  }
  if (!ShapedType::isDynamic(outChannels) && outChannels % groups != 0)
    return emitOptionalError(loc, "w has ", outChannels,
                             " output channels, expected a multiple of "
                             "groups = ",
                             groups, " (C4)");
  if (failed(checkExtent(loc, "w's extent on axis 1", w.getDimSize(1), perGroup,
                         "C5")))
    return failure();
  return checkBias(loc, adaptor.getBias(), outChannels, "C7");
}

/// C9: Winograd's algorithms are for plain 3x3 convolutions of blocks.
static LogicalResult checkAlgorithm(OptionalLoc loc, ConvOp::Adaptor adaptor) {
  if (adaptor.getAlgorithm() == Algorithm::Direct)
    return success();
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW());
  auto isOne = [](int64_t v) { return v == 1; };
  auto isThree = [](int64_t v) { return v == 3; };
  bool fits = adaptor.getAlgorithm() != Algorithm::Strassen &&
              x.getElementType().isF32() && x.getRank() == 5 &&
              adaptor.getLayout() == Layout::Blocked && w.getRank() == 4 &&
              llvm::all_of(w.getShape().drop_front(2), isThree) &&
              llvm::all_of(adaptor.getStrides(), isOne) &&
              llvm::all_of(adaptor.getDilations(), isOne) &&
              adaptor.getGroups() == 1;
  if (fits)
    return success();
  return emitOptionalError(
      loc, "algorithm ", stringifyAlgorithm(adaptor.getAlgorithm()),
      " expects f32, a blocked x, 3x3 kernels, strides and dilations 1, and "
      "one group (C9)");
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                       Adaptor adaptor, InferredTypes &types) {
  constexpr int64_t block = 16;
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW());
  bool blocked = adaptor.getLayout() == Layout::Blocked;
  int64_t spatial = w.getRank() - 2;
  if (failed(checkElementTypes(loc, adaptor.getOperands())) ||
      failed(checkRank(loc, "w", w.getRank(), 3, 5, "C2")) ||
      failed(checkRank(loc, "x", x.getRank(), 2 + spatial,
                       2 + spatial + (blocked ? 1 : 0), "C2")) ||
      failed(checkConvLists(loc, adaptor, spatial)) ||
      failed(checkAtLeast(loc, "pads", adaptor.getPads(), 0, "C3")))
    return failure();
  FailureOr<int64_t> channels = x.getDimSize(1);
  if (blocked)
    channels = blockedChannels(loc, adaptor, spatial);
  if (failed(channels) || failed(checkConvChannels(loc, adaptor, *channels)) ||
      failed(checkAlgorithm(loc, adaptor)))
    return failure();
  Shape shape{x.getDimSize(0), w.getDimSize(0)};
  if (blocked && !ShapedType::isDynamic(shape[1]))
    shape[1] = (shape[1] + block - 1) / block;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t kernel = w.getDimSize(2 + i), extent = ShapedType::kDynamic;
    if (kernel == 0)
      return emitOptionalError(loc, "w has extent 0 on axis ", 2 + i,
                               ", expected at least 1 (C3)");
    if (!ShapedType::isDynamic(kernel))
      extent =
          windowExtent(x.getDimSize(2 + i), kernel, adaptor.getStrides()[i],
                       adaptor.getDilations()[i], adaptor.getPads()[i],
                       adaptor.getPads()[spatial + i]);
    if (extent < 0 && !ShapedType::isDynamic(extent))
      return emitOptionalError(loc, "the kernel does not fit spatial axis ", i,
                               " of extent ", x.getDimSize(2 + i),
                               " with its pads (C6)");
    shape.push_back(extent);
  }
  if (blocked)
    shape.push_back(block);
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult ConvTransposeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                                Adaptor adaptor,
                                                InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW());
  int64_t spatial = x.getRank() - 2;
  ArrayRef<int64_t> added = adaptor.getOutputPadding();
  if (failed(checkElementTypes(loc, adaptor.getOperands())) ||
      failed(checkRank(loc, "x", x.getRank(), 3, 5, "C2")) ||
      failed(
          checkRank(loc, "w", w.getRank(), 2 + spatial, 2 + spatial, "C2")) ||
      failed(checkConvLists(loc, adaptor, spatial)) ||
      failed(checkLength(loc, "output_padding", added, spatial, "C2")) ||
      failed(checkAtLeast(loc, "output_padding", added, 0, "C3")))
    return failure();
  int64_t groups = adaptor.getGroups(), channels = x.getDimSize(1);
  if (!ShapedType::isDynamic(channels) && channels % groups != 0)
    return emitOptionalError(
        loc, "x has ", channels,
        " channels, expected a multiple of groups = ", groups, " (C4)");
  if (failed(checkExtent(loc, "w's extent on axis 0", w.getDimSize(0), channels,
                         "C4")))
    return failure();
  Shape shape{x.getDimSize(0), w.getDimSize(1)};
  if (!ShapedType::isDynamic(shape[1]) &&
      llvm::MulOverflow(shape[1], groups, shape[1]))
    return emitOptionalError(loc, "the number of output channels does not fit "
                                  "i64 (V7)");
  if (failed(checkBias(loc, adaptor.getBias(), shape[1], "C6")))
    return failure();
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t d = x.getDimSize(2 + i), kernel = w.getDimSize(2 + i),
            stride = adaptor.getStrides()[i],
            dilation = adaptor.getDilations()[i];
    if (added[i] >= std::max(stride, dilation))
      return emitOptionalError(loc, "output_padding has the entry ", added[i],
                               ", expected less than the stride ", stride,
                               " or the dilation ", dilation, " (C3)");
    if (kernel == 0)
      return emitOptionalError(loc, "w has extent 0 on axis ", 2 + i,
                               ", expected at least 1 (C3)");
    if (ShapedType::isDynamic(d) || ShapedType::isDynamic(kernel)) {
      shape.push_back(ShapedType::kDynamic);
      continue;
    }
    __int128 extent = __int128(d - 1) * stride +
                      __int128(dilation) * (kernel - 1) + 1 + added[i] -
                      adaptor.getPads()[i] - adaptor.getPads()[spatial + i];
    if (extent < 0 || extent > std::numeric_limits<int64_t>::max())
      return emitOptionalError(loc, "the result's extent on spatial axis ", i,
                               " is negative or does not fit i64 (C5)");
    shape.push_back(static_cast<int64_t>(extent));
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType q = tensorOf(adaptor.getQ()), k = tensorOf(adaptor.getK()),
                   v = tensorOf(adaptor.getV());
  if (failed(checkElementTypes(
          loc, {adaptor.getQ(), adaptor.getK(), adaptor.getV()})) ||
      failed(checkRank(loc, "q", q.getRank(), 4, 4, "C2")) ||
      failed(checkRank(loc, "k", k.getRank(), 4, 4, "C2")) ||
      failed(checkRank(loc, "v", v.getRank(), 4, 4, "C2")) ||
      failed(checkExtent(loc, "k's batch", k.getDimSize(0), q.getDimSize(0),
                         "C3")) ||
      failed(checkExtent(loc, "v's batch", v.getDimSize(0), q.getDimSize(0),
                         "C3")) ||
      failed(checkExtent(loc, "v's number of heads", v.getDimSize(1),
                         k.getDimSize(1), "C3")) ||
      failed(checkExtent(loc, "v's number of keys", v.getDimSize(2),
                         k.getDimSize(2), "C3")) ||
      failed(checkExtent(loc, "k's head size", k.getDimSize(3), q.getDimSize(3),
                         "C3")))
    return failure();
  int64_t heads = q.getDimSize(1), keyHeads = k.getDimSize(1);
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads) &&
      (keyHeads == 0 ? heads != 0 : heads % keyHeads != 0))
    return emitOptionalError(loc, "q has ", heads,
                             " heads, expected a multiple of the ", keyHeads,
                             " of k (C3)");
  if (Value mask = adaptor.getMask()) {
    Type element = tensorOf(mask).getElementType();
    if (element != q.getElementType() && !element.isInteger(1))
      return emitOptionalError(loc, "mask has element type ", element,
                               ", expected i1 or ", q.getElementType(),
                               " (C1)");
    if (failed(checkRank(loc, "mask", tensorOf(mask).getRank(), 4, 4, "C4")) ||
        failed(checkBroadcastsTo(
            loc, "mask", tensorOf(mask).getShape(),
            {q.getDimSize(0), heads, q.getDimSize(2), k.getDimSize(2)}, "C4")))
      return failure();
  }
  return pushResult(loc,
                    {q.getDimSize(0), heads, q.getDimSize(2), v.getDimSize(3)},
                    q.getElementType(), types);
}

} // namespace graven
