//===- DecomposeConvTranspose.cpp - sub-pixel convolutions ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements DecomposeConvTranspose, which turns a transposed
// convolution into one plain convolution for each remainder of an output
// position by the strides, with the taps that reach such positions.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

namespace graven {
#define GEN_PASS_DEF_DECOMPOSECONVTRANSPOSE
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Each is a kernel launch; more of them, over few pixels each, do not pay.
constexpr int64_t kMostPhases = 256;

/// Along one axis, the output positions `first + stride q` for 0 <= q < count.
/// Their taps are first tap + `tapStep` m for 0 <= m < taps, and position q
/// reads x from q + `begin` on, the last tap first, `dilation` apart.
struct AxisPhase {
  int64_t first, count, firstTap, tapStep, taps, begin, dilation;

  /// Elements of x that all positions read.
  int64_t window() const { return count + (taps - 1) * dilation; }
};

AxisPhase phaseOf(int64_t remainder, int64_t stride, int64_t dilation,
                  int64_t kernel, int64_t low, int64_t out) {
  AxisPhase phase{};
  int64_t common = std::gcd(stride, dilation);
  phase.first = remainder;
  phase.count = llvm::divideCeilSigned(out - remainder, stride);
  phase.tapStep = stride / common;
  phase.dilation = dilation / common;
  phase.firstTap = kernel;
  // o = i s - lo + k d has an i for the taps with k d = o + lo (mod s).
  for (int64_t k = 0; k < std::min(kernel, phase.tapStep); ++k)
    if ((remainder + low - k * dilation) % stride == 0)
      phase.firstTap = k;
  phase.taps = llvm::divideCeilSigned(kernel - phase.firstTap, phase.tapStep);
  if (phase.taps > 0)
    phase.begin = (remainder + low - phase.firstTap * dilation) / stride -
                  (phase.taps - 1) * phase.dilation;
  return phase;
}

/// The elementwise Nodes behind the convolution that can be done on the phases
/// one by one: what else they read is one number, or one a channel.
SmallVector<Operation *> elementwiseBehind(ConvTransposeOp op) {
  SmallVector<Operation *> nodes;
  Value current = op.getResult();
  RankedTensorType type = op.getType();
  for (;;) {
    Operation *user = soleUser(current);
    if (!user || user->getBlock() != op->getBlock() ||
        !user->hasTrait<Elementwise>() || user->getNumResults() != 1 ||
        user->getResult(0).getType() != type)
      return nodes;
    for (Value operand : user->getOperands()) {
      RankedTensorType other = tensorType(operand);
      bool isSmall =
          other.hasStaticShape() &&
          (other.getRank() == 0 ||
           (other.getRank() == type.getRank() &&
            llvm::all_of(llvm::enumerate(other.getShape()), [](auto extent) {
              return extent.index() == 1 || extent.value() == 1;
            })));
      if (operand != current && !isSmall)
        return nodes;
    }
    nodes.push_back(user);
    current = user->getResult(0);
  }
}

struct ToPhases : CountingPattern<ConvTransposeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvTransposeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType x = tensorType(op.getX()), w = tensorType(op.getW()),
                     type = op.getType();
    if (!x.hasStaticShape() || !w.hasStaticShape() || !type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    if (type.getNumElements() == 0 || x.getNumElements() == 0 ||
        w.getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "it is empty");
    int64_t spatial = op.getStrides().size(), count = 1;
    for (int64_t stride : op.getStrides()) {
      count *= stride;
      if (count > kMostPhases)
        return rewriter.notifyMatchFailure(op, "the strides are large");
    }
    SmallVector<SmallVector<AxisPhase>> axes(spatial);
    SmallVector<int64_t> low(spatial + 2, 0), high(spatial + 2, 0);
    for (int64_t axis = 0; axis < spatial; ++axis) {
      int64_t stride = op.getStrides()[axis], out = type.getDimSize(2 + axis);
      for (int64_t r = 0; r < std::min(stride, out); ++r) {
        AxisPhase phase =
            phaseOf(r, stride, op.getDilations()[axis], w.getDimSize(2 + axis),
                    op.getPads()[axis], out);
        axes[axis].push_back(phase);
        if (phase.taps == 0)
          continue;
        low[2 + axis] = std::max(low[2 + axis], -phase.begin);
        high[2 + axis] = std::max(high[2 + axis], phase.begin + phase.window() -
                                                      x.getDimSize(2 + axis));
      }
    }
    rewrite(op, rewriter, axes, low, high);
    return rewritten();
  }

private:
  static void rewrite(ConvTransposeOp op, PatternRewriter &rewriter,
                      ArrayRef<SmallVector<AxisPhase>> axes,
                      ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    SmallVector<Operation *> nodes = elementwiseBehind(op);
    Operation *last = nodes.empty() ? op : nodes.back();
    // There, all that the elementwise Nodes read is computed.
    rewriter.setInsertionPoint(last);
    Value x = op.getX(), w = asConvWeights(rewriter, op);
    auto isZero = [](int64_t v) { return v == 0; };
    // One border for all phases, of which each reads its part.
    if (!llvm::all_of(low, isZero) || !llvm::all_of(high, isZero))
      x = PadOp::create(rewriter, loc, x, Value(), low, high);
    int64_t count = 1;
    for (const auto &phases : axes)
      count *= phases.size();
    SmallVector<int64_t> steps{1, 1};
    llvm::append_range(steps, op.getStrides());
    Value whole;
    for (int64_t number = 0; number < count; ++number) {
      SmallVector<AxisPhase> phases;
      int64_t rest = number;
      for (const auto &list : llvm::reverse(axes)) {
        phases.insert(phases.begin(), list[rest % list.size()]);
        rest /= list.size();
      }
      Value part = phasePart(op, rewriter, phases, x, w, low);
      IRMapping map;
      map.map(op.getResult(), part);
      for (Operation *node : nodes) {
        Operation *made = rewriter.clone(*node, map);
        made->getResult(0).setType(tensorType(part));
        part = made->getResult(0);
      }
      if (count == 1 && tensorType(part) == type) {
        whole = part;
        break;
      }
      if (!whole)
        whole = scalarConstant(rewriter, loc, type, 0);
      SmallVector<int64_t> starts{0, 0};
      for (const AxisPhase &phase : phases)
        starts.push_back(phase.first);
      whole = InsertSliceOp::create(rewriter, loc, whole, part, starts, steps);
    }
    rewriter.replaceOp(last, whole);
    for (Operation *node : llvm::reverse(nodes))
      if (node != last)
        rewriter.eraseOp(node);
    if (op != last)
      rewriter.eraseOp(op);
  }

  static Value scalarConstant(OpBuilder &b, Location loc, RankedTensorType type,
                              double value) {
    return ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(type,
                               b.getFloatAttr(type.getElementType(), value)));
  }

  /// The output at the positions of one phase.
  static Value phasePart(ConvTransposeOp op, OpBuilder &b,
                         ArrayRef<AxisPhase> phases, Value x, Value w,
                         ArrayRef<int64_t> low) {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    SmallVector<int64_t> shape{type.getDimSize(0), type.getDimSize(1)},
        ones(phases.size(), 1), dilations, none(2 * phases.size(), 0);
    for (const AxisPhase &phase : phases) {
      shape.push_back(phase.count);
      dilations.push_back(phase.taps > 1 ? phase.dilation : 1);
    }
    auto isUnreached = [](const AxisPhase &phase) { return phase.taps == 0; };
    if (llvm::any_of(phases, isUnreached)) {
      if (op.getBias())
        return BroadcastOp::create(b, loc, op.getBias(), shape,
                                   ArrayRef<int64_t>{1});
      return scalarConstant(
          b, loc, RankedTensorType::get(shape, type.getElementType()), 0);
    }
    ArrayRef<int64_t> extents = tensorType(x).getShape(),
                      taps = tensorType(w).getShape();
    SmallVector<int64_t> starts(2, 0), ends(extents.take_front(2)), first(2, 0),
        last(taps.take_front(2)), steps(2, 1), plain(extents.size(), 1),
        reversed;
    for (auto [axis, phase] : llvm::enumerate(phases)) {
      starts.push_back(phase.begin + low[2 + axis]);
      ends.push_back(starts.back() + phase.window());
      first.push_back(phase.firstTap);
      last.push_back(taps[2 + axis]);
      steps.push_back(phase.tapStep);
      reversed.push_back(2 + axis);
    }
    x = SliceOp::create(b, loc, x, starts, ends, plain);
    w = SliceOp::create(b, loc, w, first, last, steps);
    w = ReverseOp::create(b, loc, w, reversed);
    return ConvOp::create(b, loc, x, w, op.getBias(), ones, dilations, none,
                          op.getGroups(), Layout::Planar, IntegerAttr());
  }

  /// w [Ci, Co/g, K..] as [Co, Ci/g, K..].
  static Value asConvWeights(OpBuilder &b, ConvTransposeOp op) {
    Location loc = op.getLoc();
    Value w = op.getW();
    ArrayRef<int64_t> shape = tensorType(w).getShape(),
                      kernel = shape.drop_front(2);
    int64_t groups = op.getGroups(), in = shape[0] / groups, out = shape[1];
    SmallVector<int64_t> split{groups, in, out}, permutation{0, 2, 1},
        joined{groups * out, in};
    for (auto [axis, extent] : llvm::enumerate(kernel)) {
      split.push_back(extent);
      permutation.push_back(3 + axis);
      joined.push_back(extent);
    }
    w = reshaped(b, loc, w, split);
    w = TransposeOp::create(b, loc, w, permutation);
    return reshaped(b, loc, w, joined);
  }
};

class DecomposeConvTransposePass
    : public impl::DecomposeConvTransposeBase<DecomposeConvTransposePass> {
public:
  using DecomposeConvTransposeBase::DecomposeConvTransposeBase;

private:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposeConvTransposePatterns(patterns, &numDecomposed);
    if (failed(rewriteOnly<ConvTransposeOp>(*this, getOperation(),
                                            std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void populateDecomposeConvTransposePatterns(RewritePatternSet &patterns,
                                            Pass::Statistic *count) {
  patterns.add<ToPhases>(patterns.getContext(), count);
}

} // namespace graven
