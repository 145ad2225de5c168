//===- BubbleUpSlices.cpp - compute the rows that are used ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements BubbleUpSlices, which moves a slice in front of the
// Nodes whose other rows nobody reads, up to the products that make them.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ShapeMath.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace graven {
#define GEN_PASS_DEF_BUBBLEUPSLICES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// What a slice keeps of the one axis that it shortens.
struct Window {
  int64_t axis, start, count, step;

  bool operator==(const Window &) const = default;
};

/// Nullopt where it does not shorten exactly one axis by known numbers.
std::optional<Window> windowOf(SliceOp op) {
  RankedTensorType type = tensorType(op.getX()), result = op.getType();
  if (!op.getDynamicStarts().empty() || !op.getDynamicEnds().empty() ||
      !type.hasStaticShape() || result.getNumElements() == 0)
    return std::nullopt;
  std::optional<Window> window;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    if (type.getDimSize(axis) == result.getDimSize(axis))
      continue;
    if (window)
      return std::nullopt;
    SliceBounds bounds =
        resolveSlice(type.getDimSize(axis), op.getStarts()[axis],
                     op.getEnds()[axis], op.getSteps()[axis]);
    window = {axis, bounds.start, bounds.extent, op.getSteps()[axis]};
  }
  return window;
}

Value slice(OpBuilder &b, Location loc, Value x, const Window &window) {
  SmallVector<int64_t> ends(tensorType(x).getShape()), starts(ends.size(), 0),
      steps(ends.size(), 1);
  starts[window.axis] = window.start;
  ends[window.axis] = window.start + (window.count - 1) * window.step + 1;
  steps[window.axis] = window.step;
  return SliceOp::create(b, loc, x, starts, ends, steps);
}

/// The windows of a Node's operands (nullopt: whole) that give the window of
/// its result.
using OperandWindows = SmallVector<std::optional<Window>>;

/// Whether the product of some axes right in front of `axis` is `count`.
bool endsWith(ArrayRef<int64_t> shape, int64_t axis, int64_t count) {
  int64_t product = 1;
  while (product < count && axis > 0)
    product *= shape[--axis];
  return product == count;
}

/// Axes are the same where as many elements lie behind them. An axis may also
/// have been merged with those in front of it, or split: one of its rows is
/// then every n-th row.
std::optional<Window> throughReshape(ArrayRef<int64_t> from,
                                     ArrayRef<int64_t> to,
                                     const Window &window) {
  auto behind = [](ArrayRef<int64_t> shape, int64_t axis) {
    int64_t product = 1;
    for (int64_t extent : shape.drop_front(axis + 1))
      product *= extent;
    return product;
  };
  int64_t inner = behind(to, window.axis), extent = to[window.axis];
  for (int64_t axis = 0; axis < int64_t(from.size()); ++axis) {
    if (from[axis] == 1 || behind(from, axis) != inner)
      continue;
    if (from[axis] == extent)
      return Window{axis, window.start, window.count, window.step};
    int64_t merged = from[axis] / extent;
    if (window.count == 1 && merged * extent == from[axis] &&
        endsWith(to, window.axis, merged))
      return Window{axis, window.start, merged, extent};
    int64_t split = extent / from[axis];
    if (split * from[axis] == extent && window.step == from[axis] &&
        window.start < from[axis] && window.count == split &&
        endsWith(from, axis, split))
      return Window{axis, window.start, 1, 1};
  }
  return std::nullopt;
}

/// A window of the result along an axis of which a norm or softmax takes no
/// sum.
std::optional<OperandWindows> ofFirst(Operation *op, bool isFree,
                                      const Window &window) {
  if (!isFree)
    return std::nullopt;
  OperandWindows windows(op->getNumOperands());
  windows[0] = window;
  return windows;
}

std::optional<OperandWindows> throughMatmul(MatmulOp op, const Window &window) {
  int64_t rank = op.getType().getRank();
  OperandWindows windows(2);
  auto along = [&](int64_t axis) {
    return Window{axis, window.start, window.count, window.step};
  };
  if (window.axis == rank - 2) {
    windows[0] = along(op.getTransposeA() ? rank - 1 : rank - 2);
    return windows;
  }
  if (window.axis == rank - 1) {
    windows[1] = along(op.getTransposeB() ? rank - 2 : rank - 1);
    return windows;
  }
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (tensorType(operand).getDimSize(window.axis) != 1)
      windows[i] = window;
  return windows;
}

std::optional<OperandWindows> throughAttention(AttentionOp op,
                                               const Window &window) {
  // A query's number decides which keys a causal one sees.
  if (window.axis != 2 || op.getCausal())
    return std::nullopt;
  OperandWindows windows(op->getNumOperands());
  windows[0] = window;
  if (Value mask = op.getMask(); mask && tensorType(mask).getDimSize(2) != 1)
    windows[3] = window;
  return windows;
}

std::optional<OperandWindows> throughElementwise(Operation *op,
                                                 const Window &window) {
  RankedTensorType result = tensorType(op->getResult(0));
  OperandWindows windows;
  for (Value operand : op->getOperands()) {
    RankedTensorType type = tensorType(operand);
    int64_t axis = window.axis - (result.getRank() - type.getRank());
    bool whole = axis < 0 || type.getDimSize(axis) == 1;
    windows.push_back(whole ? std::nullopt
                            : std::optional(Window{axis, window.start,
                                                   window.count, window.step}));
  }
  return windows;
}

std::optional<OperandWindows> through(Operation *op, const Window &window) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0 ||
      !llvm::all_of(op->getOperandTypes(), [](Type type) {
        auto tensor = dyn_cast<RankedTensorType>(type);
        return tensor && tensor.hasStaticShape();
      }))
    return std::nullopt;
  using Result = std::optional<OperandWindows>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](MatmulOp matmul) { return throughMatmul(matmul, window); })
      .Case([&](AttentionOp node) { return throughAttention(node, window); })
      .Case([&](TransposeOp node) -> Result {
        return OperandWindows{Window{node.getPermutation()[window.axis],
                                     window.start, window.count, window.step}};
      })
      .Case([&](ReshapeOp node) -> Result {
        if (!node.getDynamicShape().empty())
          return std::nullopt;
        auto moved =
            throughReshape(tensorType(node.getX()).getShape(),
                           tensorType(op->getResult(0)).getShape(), window);
        return moved ? Result(OperandWindows{*moved}) : std::nullopt;
      })
      .Case<LayerNormOp, RmsNormOp>([&](auto node) {
        return ofFirst(op, window.axis < int64_t(node.getAxis()), window);
      })
      .Case<SoftmaxOp, LogSoftmaxOp>([&](auto node) {
        return ofFirst(op, window.axis != int64_t(node.getAxis()), window);
      })
      .Default([&](Operation *) -> Result {
        if (!op->hasTrait<Elementwise>())
          return std::nullopt;
        return throughElementwise(op, window);
      });
}

/// Whether every user of `value`, but for `except`, is a slice by the window.
bool isOnlySliced(Value value, const Window &window,
                  Operation *except = nullptr) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (user == except)
      return true;
    auto other = dyn_cast<SliceOp>(user);
    return other && windowOf(other) == window;
  });
}

/// Whether the window of `value`, whose other rows nobody reads, spares rows of
/// a product or of attention.
bool sparesProduct(Value value, const Window &window, int64_t depth = 0) {
  constexpr int64_t limit = 24;
  Operation *op = value.getDefiningOp();
  if (!op || depth > limit)
    return false;
  std::optional<OperandWindows> windows = through(op, window);
  if (!windows)
    return false;
  if (isa<AttentionOp>(op))
    return true;
  if (isa<MatmulOp>(op) && !isParameterValue(value))
    return true;
  for (auto [operand, part] : llvm::zip_equal(op->getOperands(), *windows))
    if (part && isOnlySliced(operand, *part, op) &&
        sparesProduct(operand, *part, depth + 1))
      return true;
  return false;
}

struct BubbleUp : CountingPattern<SliceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Window> window = windowOf(op);
    if (!window)
      return rewriter.notifyMatchFailure(
          op, "it does not shorten one axis by known numbers");
    Operation *producer = op.getX().getDefiningOp();
    if (!producer)
      return rewriter.notifyMatchFailure(op, "an input is sliced");
    if (!isOnlySliced(op.getX(), *window))
      return rewriter.notifyMatchFailure(
          op, "another user reads more of what is sliced");
    if (!sparesProduct(op.getX(), *window))
      return rewriter.notifyMatchFailure(op, "no product would be smaller");
    OperandWindows windows = *through(producer, *window);

    rewriter.setInsertionPoint(producer);
    Location loc = producer->getLoc();
    SmallVector<Value> operands;
    for (auto [operand, part] :
         llvm::zip_equal(producer->getOperands(), windows))
      operands.push_back(part ? slice(rewriter, loc, operand, *part) : operand);
    Value made;
    if (isa<ReshapeOp>(producer)) {
      made = reshaped(rewriter, loc, operands[0], op.getType().getShape());
    } else {
      Operation *copy = rewriter.clone(*producer);
      copy->setOperands(operands);
      copy->getResult(0).setType(op.getType());
      made = copy->getResult(0);
    }
    for (Operation *user : llvm::make_early_inc_range(op.getX().getUsers()))
      rewriter.replaceOp(user, made);
    rewriter.eraseOp(producer);
    return rewritten();
  }
};

class BubbleUpSlicesPass : public impl::BubbleUpSlicesBase<BubbleUpSlicesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateBubbleUpSlicesPatterns(patterns, &numMoved);
    // A slice may move only after another one of the same value has come as
    // far: a pass over the Graph for each.
    GreedyRewriteConfig config;
    config.setMaxIterations(GreedyRewriteConfig::kNoLimit);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), config,
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateBubbleUpSlicesPatterns(RewritePatternSet &patterns,
                                    Pass::Statistic *count) {
  patterns.add<BubbleUp>(patterns.getContext(), count);
}

} // namespace graven
