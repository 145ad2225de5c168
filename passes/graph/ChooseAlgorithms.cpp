//===- ChooseAlgorithms.cpp - direct or Winograd's convolution --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ChooseAlgorithms, which weighs the multiplications that
// Winograd's algorithms save against their transforms, their larger weights,
// and their error on the weights at hand.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Winograd.h"
#include "dialects/graven/eval/Evaluator.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/WinogradError.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_CHOOSEALGORITHMS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Fewer channels leave the transforms dearer than what they save.
constexpr int64_t kLeastChannels = 16;

/// A core of the kind the costs are for: multiply-adds a cycle, lanes of a
/// vector, bytes a cycle from memory.
constexpr double kMultiplyAdds = 16, kLanes = 8, kBytes = 6;

/// Cycles to transform a vector of input tiles and of output tiles.
struct TransformCost {
  double input, output;
};
constexpr TransformCost kCost2{40, 30}, kCost4{200, 130};

/// Extents of a convolution that Winograd's algorithms can compute.
struct Extents {
  double batch, inChannels, outChannels;
  int64_t height, width;

  double channelProducts() const { return inChannels * outChannels; }
};

std::optional<Extents> extentsOf(ConvOp op) {
  RankedTensorType x = tensorType(op.getX()), w = tensorType(op.getW()),
                   y = op.getType();
  auto isOne = [](int64_t v) { return v == 1; };
  if (op.getLayout() != Layout::Blocked || x.getRank() != 5 ||
      !x.getElementType().isF32() || op.getGroups() != 1 ||
      !x.hasStaticShape() || !w.hasStaticShape() || !y.hasStaticShape() ||
      w.getDimSize(2) != kWinogradKernel ||
      w.getDimSize(3) != kWinogradKernel ||
      !llvm::all_of(op.getStrides(), isOne) ||
      !llvm::all_of(op.getDilations(), isOne) || y.getNumElements() == 0)
    return std::nullopt;
  if (w.getDimSize(0) < kLeastChannels || w.getDimSize(1) < kLeastChannels ||
      !isParameterValue(op.getW()))
    return std::nullopt;
  return Extents{double(x.getDimSize(0)), double(w.getDimSize(1)),
                 double(w.getDimSize(0)), y.getDimSize(2), y.getDimSize(3)};
}

double directCycles(const Extents &e) {
  constexpr double taps = kWinogradKernel * kWinogradKernel;
  return taps * e.batch * e.height * e.width * e.channelProducts() /
             kMultiplyAdds +
         taps * e.channelProducts() * sizeof(float) / kBytes;
}

double winogradCycles(const Extents &e, int64_t tile) {
  double points = (tile + 2) * (tile + 2),
         tiles = e.batch * llvm::divideCeilSigned(e.height, tile) *
                 llvm::divideCeilSigned(e.width, tile);
  TransformCost cost = tile == 2 ? kCost2 : kCost4;
  // Few tiles do not fill a register tile.
  double fill = tiles / (tiles + 2);
  return points * tiles * e.channelProducts() / kMultiplyAdds / fill +
         tiles / kLanes *
             (e.inChannels * cost.input + e.outChannels * cost.output) +
         points * e.channelProducts() * sizeof(float) / kBytes;
}

/// The Parameter or constant behind weights whose output channels were
/// multiplied (which changes no relative error); null for any other.
Operation *sourceOf(Value w) {
  while (auto product = w.getDefiningOp<MulOp>()) {
    RankedTensorType type = product.getType();
    auto isFactor = [&](Value v) {
      RankedTensorType factor = tensorType(v);
      return factor.getNumElements() == 1 ||
             (factor.getRank() == 4 &&
              factor.getNumElements() == factor.getDimSize(0));
    };
    if (tensorType(product.getOperand(0)) == type &&
        isFactor(product.getOperand(1)))
      w = product.getOperand(0);
    else if (tensorType(product.getOperand(1)) == type &&
             isFactor(product.getOperand(0)))
      w = product.getOperand(1);
    else
      return nullptr;
  }
  Operation *source = w.getDefiningOp();
  return isa_and_nonnull<GetParamOp, ConstantOp>(source) ? source : nullptr;
}

class ChooseAlgorithmsPass
    : public impl::ChooseAlgorithmsBase<ChooseAlgorithmsPass> {
public:
  using ChooseAlgorithmsBase::ChooseAlgorithmsBase;

private:
  void runOnOperation() override {
    if (numerics == Numerics::Strict)
      return;
    getOperation().walk([&](ConvOp op) {
      std::optional<Extents> extents = extentsOf(op);
      if (!extents)
        return;
      double direct = directCycles(*extents), two = winogradCycles(*extents, 2),
             four = winogradCycles(*extents, 4);
      if (four < std::min(direct, two) && isAccurate(op, 4)) {
        op.setAlgorithm(Algorithm::Winograd4);
        ++numWinograd4;
      } else if (two < direct) {
        op.setAlgorithm(Algorithm::Winograd2);
        ++numWinograd2;
      }
    });
  }

  /// Whether the error on the weights stays within the policy; no, when they
  /// cannot be read now.
  bool isAccurate(ConvOp op, int64_t tile) {
    if (numerics == Numerics::Fast)
      return true;
    Operation *source = sourceOf(op.getW());
    if (!source)
      return false;
    ScopedDiagnosticHandler quiet(op.getContext(),
                                  [](Diagnostic &) { return success(); });
    eval::Evaluator evaluator;
    auto values = evaluator.runNode(source, {});
    if (failed(values))
      return false;
    const eval::Tensor &w = values->front();
    int64_t inChannels = w.getDim(1);
    auto weight = [&](int64_t oc, int64_t ic, int64_t tap) {
      return w.getDouble(
          (oc * inChannels + ic) * kWinogradKernel * kWinogradKernel + tap);
    };
    return winogradError(weight, w.getDim(0), inChannels, tile) <= 1;
  }
};

} // namespace
} // namespace graven
