//===- ChooseAlgorithms.cpp - how contractions are computed -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ChooseAlgorithms, which weighs the multiplications that
// Winograd's and Strassen's algorithms save against their transforms, their
// larger weights, and their error on the weights at hand.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Winograd.h"
#include "passes/graph/AlgorithmError.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/WeightSource.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <map>

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

/// Weights that were rounded to save memory; all other algorithms have more of
/// them, in f32.
bool isRounded(Value weights) {
  auto cast = weights.getDefiningOp<CastOp>();
  return cast && tensorType(cast.getX()).getElementTypeBitWidth() <
                     cast.getType().getElementTypeBitWidth();
}

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
      !isParameterValue(op.getW()) || isRounded(op.getW()))
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

/// Extents of a product that Strassen's algorithm can compute.
struct ProductExtents {
  double rows, depth, columns;
};

/// Fewer rows do not fill the register tiles of a quadrant, and smaller
/// quadrants are not worth their combinations.
constexpr int64_t kLeastRows = 64, kLeastExtent = 256;

std::optional<ProductExtents> extentsOf(MatmulOp op) {
  RankedTensorType a = tensorType(op.getA()), b = tensorType(op.getB()),
                   y = op.getType();
  if (!a.getElementType().isF32() || op.getTransposeA() ||
      !a.hasStaticShape() || !b.hasStaticShape() ||
      !llvm::all_of(b.getShape().drop_back(2),
                    [](int64_t v) { return v == 1; }))
    return std::nullopt;
  int64_t columns = y.getShape().back(), depth = a.getShape().back(),
          rows = columns > 0 ? y.getNumElements() / columns : 0;
  if (rows < kLeastRows || depth < kLeastExtent || columns < kLeastExtent ||
      depth % 2 != 0 || !isParameterValue(op.getB()) || isRounded(op.getB()))
    return std::nullopt;
  return ProductExtents{double(rows), double(depth), double(columns)};
}

double directCycles(const ProductExtents &e) {
  return e.rows * e.depth * e.columns / kMultiplyAdds;
}

double strassenCycles(const ProductExtents &e) {
  // A quadrant has a quarter of the elements, so seven combinations of them
  // have 7/4 of a's. The combinations read a once and write 7/4 of it; the
  // products write 7/4 of the result, which is read back and stored once.
  double combined = 2.75 * e.rows * e.depth + 4.5 * e.rows * e.columns;
  // The weights are 7/4 as large. They are read ahead while the products are
  // computed, which hides three quarters of reading the difference.
  double moreWeights = 0.75 * e.depth * e.columns * sizeof(float);
  return 7.0 / 8 * directCycles(e) + combined / kLanes +
         moreWeights / kBytes / 4;
}

/// Whether the squares of a product's elements are summed, by way of views and
/// of a bias: vectors are brought to length 1. Strassen's recursion mixes rows,
/// so a row of zeros (padding) gets what rounding leaves of the others, and
/// dividing that by its own length makes it as large as they are.
bool isNormalised(Value product) {
  constexpr unsigned kMostValues = 64;
  llvm::SetVector<Value> values;
  values.insert(product);
  for (unsigned i = 0; i < values.size() && i < kMostValues; ++i)
    for (Operation *user : values[i].getUsers()) {
      if (isa<ReshapeOp, TransposeOp, SliceOp, AddOp>(user))
        values.insert(user->getResult(0));
      auto square = dyn_cast<MulOp>(user);
      if (square && square.getA() == square.getB() &&
          llvm::any_of(square->getUsers(),
                       [](Operation *sum) { return isa<ReduceOp>(sum); }))
        return true;
    }
  return false;
}

class ChooseAlgorithmsPass
    : public impl::ChooseAlgorithmsBase<ChooseAlgorithmsPass> {
public:
  using ChooseAlgorithmsBase::ChooseAlgorithmsBase;

private:
  void runOnOperation() override {
    if (numerics == Numerics::Strict)
      return;
    accurate.clear();
    getOperation().walk([&](ConvOp op) { choose(op); });
    getOperation().walk([&](MatmulOp op) { choose(op); });
  }

  void choose(ConvOp op) {
    std::optional<Extents> extents = extentsOf(op);
    if (!extents)
      return explainNotDone(*this, op, [] {
        return "direct: Winograd's algorithms take 3x3 kernels with strides of "
               "1, one group, at least 16 channels, f32 and known extents";
      });
    double direct = directCycles(*extents), two = winogradCycles(*extents, 2),
           four = winogradCycles(*extents, 4);
    auto costs = [&] {
      return llvm::formatv("estimated cycles direct {0:E2}, tiles of 2x2 "
                           "{1:E2}, tiles of 4x4 {2:E2}",
                           direct, two, four)
          .str();
    };
    bool inaccurate = four < std::min(direct, two) && !isAccurate(op);
    if (four < std::min(direct, two) && !inaccurate) {
      op.setAlgorithm(Algorithm::Winograd4);
      ++numWinograd4;
    } else if (two < direct) {
      op.setAlgorithm(Algorithm::Winograd2);
      ++numWinograd2;
    }
    explainDone(*this, op, [&] {
      return stringifyAlgorithm(op.getAlgorithm()).str() + ": " + costs() +
             (inaccurate ? "; tiles of 4x4 are not accurate enough on these "
                           "weights"
                         : "");
    });
  }

  void choose(MatmulOp op) {
    std::optional<ProductExtents> extents = extentsOf(op);
    if (!extents)
      return explainNotDone(*this, op, [] {
        return "direct: Strassen's algorithm takes a Parameter in f32, at "
               "least 64 rows, 256 columns and an even depth of at least 256";
      });
    double direct = directCycles(*extents), strassen = strassenCycles(*extents);
    if (strassen < direct && numerics != Numerics::Fast && isNormalised(op))
      return explainNotDone(*this, op, [] {
        return "direct: its vectors are brought to length 1, also those that "
               "are 0, which Strassen's algorithm would not keep";
      });
    bool inaccurate = strassen < direct && !isAccurate(op);
    if (strassen < direct && !inaccurate) {
      op.setAlgorithm(Algorithm::Strassen);
      ++numStrassen;
    }
    explainDone(*this, op, [&] {
      return llvm::formatv("{0}: estimated cycles direct {1:E2}, strassen "
                           "{2:E2}{3}",
                           stringifyAlgorithm(op.getAlgorithm()), direct,
                           strassen,
                           inaccurate ? "; strassen is not accurate enough on "
                                        "these weights"
                                      : "")
          .str();
    });
  }

  /// Whether tiles of 4x4 stay within the policy on these weights.
  bool isAccurate(ConvOp op) {
    return isWithinPolicy(
        {sourceOfFilters(op.getW()), 0, false}, [](const eval::Tensor &w) {
          int64_t inChannels = w.getDim(1);
          auto weight = [&](int64_t oc, int64_t ic, int64_t tap) {
            return w.getDouble((oc * inChannels + ic) * kWinogradKernel *
                                   kWinogradKernel +
                               tap);
          };
          return winogradError(weight, w.getDim(0), inChannels, 4);
        });
  }

  bool isAccurate(MatmulOp op) {
    int64_t depth = op.getA().getType().getShape().back(),
            columns = op.getType().getShape().back();
    bool transposed = op.getTransposeB();
    return isWithinPolicy({sourceOfMatrix(op.getB()), depth, transposed},
                          [&](const eval::Tensor &w) {
                            auto weight = [&](int64_t k, int64_t n) {
                              return w.getDouble(transposed ? n * depth + k
                                                            : k * columns + n);
                            };
                            return strassenError(weight, depth, columns);
                          });
  }

  /// Weights as an algorithm reads them: the Node that has their elements, and
  /// of a matrix the depth of the product and whether it is transposed.
  using Weights = std::tuple<Operation *, int64_t, bool>;

  /// Whether the error that `measure` finds on the weights is allowed; no, when
  /// they cannot be read now. Layers that share weights are measured once.
  bool
  isWithinPolicy(Weights weights,
                 llvm::function_ref<double(const eval::Tensor &)> measure) {
    if (numerics == Numerics::Fast)
      return true;
    auto [known, isNew] = accurate.try_emplace(weights, false);
    if (isNew) {
      std::optional<eval::Tensor> values = readSource(std::get<0>(weights));
      known->second = values && measure(*values) <= 1;
    }
    return known->second;
  }

  std::map<Weights, bool> accurate;
};

} // namespace
} // namespace graven
