//===- LowerPrecision.cpp - contractions on bf16 operands -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LowerPrecision, which rounds the weights of
// contractions, and, where the target multiplies such pairs, what they are
// multiplied with, to bf16; sums stay f32.
//===----------------------------------------------------------------------===//

#include "passes/graph/AlgorithmError.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/WeightSource.h"

namespace graven {
#define GEN_PASS_DEF_LOWERPRECISION
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Fewer elements are read so fast that nothing is gained.
constexpr int64_t kLeastElements = 4096;

/// With so many output pixels and channels Winograd's algorithm in f32 beats
/// plain sums whose weights are read in half the time.
constexpr int64_t kMostPlainPixels = 64, kLeastChannels = 16;

class LowerPrecisionPass : public impl::LowerPrecisionBase<LowerPrecisionPass> {
public:
  using LowerPrecisionBase::LowerPrecisionBase;

private:
  void runOnOperation() override {
    if (type == Precision::F32)
      return;
    SmallVector<Operation *> nodes;
    getOperation().walk([&](Operation *node) {
      if (isa<MatmulOp, ConvOp, GatherOp, AttentionOp, LstmOp, GruOp, RnnOp>(
              node))
        nodes.push_back(node);
    });
    for (Operation *node : nodes) {
      StringRef refusal = lower(node);
      if (refusal.empty())
        ++numLowered;
      else if (!isa<GatherOp>(node))
        ++numKept;
      if (refusal.empty())
        explainDone(*this, node, [] { return "reads bf16"; });
      else
        explainNotDone(*this, node,
                       [&] { return "stays as it is: " + refusal.str(); });
    }
  }

  /// Why the Node stays as it is; empty when it does not.
  StringRef lower(Operation *node) {
    if (auto matmul = dyn_cast<MatmulOp>(node))
      return lowerMatmul(matmul);
    if (auto conv = dyn_cast<ConvOp>(node))
      return lowerConv(conv);
    if (auto gather = dyn_cast<GatherOp>(node))
      return lowerGather(gather);
    if (auto attention = dyn_cast<AttentionOp>(node))
      return lowerAttention(attention);
    if (auto lstm = dyn_cast<LstmOp>(node))
      return lowerRecurrent(lstm);
    if (auto gru = dyn_cast<GruOp>(node))
      return lowerRecurrent(gru);
    return lowerRecurrent(cast<RnnOp>(node));
  }

  StringRef lowerMatmul(MatmulOp op) {
    bool right = isParameterValue(op.getB());
    if (!right && !isParameterValue(op.getA()))
      return "no operand is computed from Parameters alone";
    OpOperand &weight = right ? op.getBMutable() : op.getAMutable(),
              &other = right ? op.getAMutable() : op.getBMutable();
    if (StringRef why = whyNotWeight(weight.get()); !why.empty())
      return why;
    if (!isAccurate(op, weight.get()))
      return "its weights are off by more than the accuracy policy allows";
    round(weight);
    // Without pairs of bf16 a weight on the left would be widened for each
    // multiplication.
    if (activations)
      round(other);
    return {};
  }

  StringRef lowerConv(ConvOp op) {
    RankedTensorType w = tensorType(op.getW()), y = op.getType();
    if (!isParameterValue(op.getW()))
      return "the weights are not computed from Parameters alone";
    if (StringRef why = whyNotWeight(op.getW()); !why.empty())
      return why;
    if (op.getLayout() != Layout::Blocked ||
        tensorType(op.getX()).getRank() != y.getRank())
      return "its input is not in channel blocks";
    if (op.getGroups() > 1 && w.getDimSize(1) == 1)
      return "a depthwise convolution sums up only a few products";
    if (!activations && isForWinograd(op))
      return "Winograd's algorithm in f32 is faster on this target";
    if (!isAccurate(op))
      return "its weights are off by more than the accuracy policy allows";
    round(op.getWMutable());
    if (activations)
      round(op.getXMutable());
    return {};
  }

  StringRef lowerAttention(AttentionOp op) {
    if (!activations)
      return "the target does not multiply pairs of bf16";
    if (!tensorType(op.getQ()).getElementType().isF32())
      return "its type is not f32";
    op.setRounded(true);
    return {};
  }

  /// The weights of the inputs and of the state: a step waits for them alone,
  /// so what they are multiplied with stays f32.
  template <class OpTy> StringRef lowerRecurrent(OpTy op) {
    SmallVector<OpOperand *> weights{&op.getWMutable(), &op.getRMutable()};
    for (OpOperand *weight : weights) {
      if (!isParameterValue(weight->get()))
        return "the weights are not computed from Parameters alone";
      if (StringRef why = whyNotWeight(weight->get()); !why.empty())
        return why;
    }
    for (OpOperand *weight : weights) {
      RankedTensorType type = tensorType(weight->get());
      int64_t depth = type.getShape().back();
      if (!isWithinPolicy(
              sourceOfMatrix(weight->get()), depth,
              type.getNumElements() / depth,
              [&](const eval::Tensor &w, int64_t k, int64_t n) {
                return w.getDouble(n * depth + k);
              },
              RoundedFactors::Weights))
        return "its weights are off by more than the accuracy policy allows";
    }
    for (OpOperand *weight : weights)
      round(*weight);
    return {};
  }

  StringRef lowerGather(GatherOp op) {
    if (!op.getX().getDefiningOp<GetParamOp>())
      return "no table of Parameters";
    if (StringRef why = whyNotWeight(op.getX()); !why.empty())
      return why;
    OpBuilder builder(op);
    RankedTensorType wide = op.getType();
    Value table = converted(builder, op.getLoc(), op.getX(), narrow());
    builder.setInsertionPointAfter(op);
    op.getXMutable().assign(table);
    op.getResult().setType(wide.clone(narrow()));
    Value result =
        converted(builder, op.getLoc(), op.getResult(), wide.getElementType());
    op.getResult().replaceAllUsesExcept(result, result.getDefiningOp());
    return {};
  }

  /// Whether the error on the weights of a product is within the policy.
  bool isAccurate(MatmulOp op, Value weight) {
    RankedTensorType type = tensorType(weight);
    int64_t size = type.getRank() < 2 ? 1 : type.getShape().drop_back().back(),
            last = type.getShape().back();
    bool right = weight == op.getB(),
         sumsLast = right == (right ? op.getTransposeB() : op.getTransposeA());
    int64_t depth = sumsLast ? last : size, columns = sumsLast ? size : last;
    return isWithinPolicy(
        sourceOfMatrix(weight), depth, type.getNumElements() / depth,
        [&](const eval::Tensor &w, int64_t k, int64_t n) {
          int64_t column = n % columns,
                  matrix = n / columns * (depth * columns);
          return w.getDouble(
              matrix + (sumsLast ? column * depth + k : k * columns + column));
        },
        roundedFactors());
  }

  bool isAccurate(ConvOp op) {
    int64_t channels = tensorType(op.getW()).getDimSize(0),
            depth = tensorType(op.getW()).getNumElements() / channels;
    return isWithinPolicy(
        sourceOfFilters(op.getW()), depth, channels,
        [&](const eval::Tensor &w, int64_t k, int64_t n) {
          return w.getDouble(n * depth + k);
        },
        roundedFactors());
  }

  RoundedFactors roundedFactors() const {
    return activations ? RoundedFactors::Both : RoundedFactors::Weights;
  }

  /// `element` gives the weight of step k of sum n, of `columns`.
  bool isWithinPolicy(
      Operation *source, int64_t depth, int64_t columns,
      function_ref<double(const eval::Tensor &, int64_t, int64_t)> element,
      RoundedFactors rounded) {
    if (numerics == Numerics::Fast)
      return true;
    std::optional<eval::Tensor> values = readSource(source);
    if (!values)
      return true;
    double error = roundedError(
        [&](int64_t k, int64_t n) { return element(*values, k, n); }, depth,
        columns, rounded);
    return error <= 1;
  }

  static StringRef whyNotWeight(Value value) {
    RankedTensorType type = tensorType(value);
    if (!type.getElementType().isF32())
      return "its type is not f32";
    if (!type.hasStaticShape())
      return "an extent is not known";
    if (type.getNumElements() < kLeastElements)
      return "it has few weights";
    return {};
  }

  static bool isForWinograd(ConvOp op) {
    RankedTensorType w = tensorType(op.getW()), y = op.getType();
    auto isOne = [](int64_t v) { return v == 1; };
    int64_t pixels =
        y.hasStaticShape()
            ? y.getNumElements() / (y.getDimSize(1) * y.getShape().back())
            : 0;
    return op.getGroups() == 1 && w.getRank() == 4 && w.getDimSize(2) == 3 &&
           w.getDimSize(3) == 3 && llvm::all_of(op.getStrides(), isOne) &&
           llvm::all_of(op.getDilations(), isOne) &&
           w.getDimSize(0) >= kLeastChannels &&
           w.getDimSize(1) >= kLeastChannels && pixels > kMostPlainPixels;
  }

  Type narrow() { return BFloat16Type::get(&getContext()); }

  /// The operand rounded, as f32 again.
  void round(OpOperand &operand) {
    OpBuilder builder(operand.getOwner());
    Location loc = operand.getOwner()->getLoc();
    Type element = tensorType(operand.get()).getElementType();
    Value rounded = converted(builder, loc, operand.get(), narrow());
    operand.set(converted(builder, loc, rounded, element));
  }
};

} // namespace
} // namespace graven
