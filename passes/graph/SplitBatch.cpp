//===- SplitBatch.cpp - batches worked off image by image -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SplitBatch, which puts convolutions of many small images
// and the Nodes between them into a loop over the batch, so that what one Node
// writes is still in cache when the next one reads it.
//===----------------------------------------------------------------------===//

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace graven {
#define GEN_PASS_DEF_SPLITBATCH
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// What one Node reads and writes in an iteration should stay in the second
/// level cache, and what a run writes would not; the weights, which every
/// iteration reads again, should stay in the last level.
constexpr int64_t kIterationBytes = 1 << 20, kRunBytes = 4 << 20,
                  kWeightBytes = 4 << 20;

int64_t bytesOf(RankedTensorType type) {
  return type.getNumElements() * eval::storageBytes(type.getElementType());
}

/// The operands of a Node that works on images alone of which each iteration
/// reads its part: all with the batch as their first axis. Nullopt for a Node
/// that is none.
std::optional<SmallVector<unsigned>> batchOperands(Operation *node,
                                                   int64_t batch) {
  if (node->getNumResults() != 1 || node->getNumRegions() != 0)
    return std::nullopt;
  auto isBatch = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() && type.getRank() >= 2 &&
           type.getDimSize(0) == batch && type.getNumElements() > 0;
  };
  if (!isBatch(node->getResult(0)))
    return std::nullopt;
  auto all = [&]() -> std::optional<SmallVector<unsigned>> {
    SmallVector<unsigned> indices;
    for (unsigned i = 0; i < node->getNumOperands(); ++i) {
      if (isBatch(node->getOperand(i)))
        indices.push_back(i);
      else if (!node->hasTrait<Elementwise>())
        return std::nullopt;
    }
    return indices;
  };
  using Result = std::optional<SmallVector<unsigned>>;
  auto onlyIf = [&](bool condition) -> Result {
    return condition ? all() : std::nullopt;
  };
  return llvm::TypeSwitch<Operation *, Result>(node)
      .Case([&](ConvOp conv) -> Result {
        if (!isBatch(conv.getX()))
          return std::nullopt;
        return SmallVector<unsigned>{0};
      })
      .Case<MaxPoolOp, AvgPoolOp, RelayoutOp>([&](auto) { return all(); })
      .Case([&](ConcatOp concat) { return onlyIf(concat.getAxis() != 0); })
      .Case([&](ResizeOp resize) {
        return onlyIf(!llvm::is_contained(resize.getAxes(), 0));
      })
      .Case([&](PadOp pad) {
        return onlyIf(pad.getLow()[0] == 0 && pad.getHigh()[0] == 0 &&
                      !pad.getValue());
      })
      .Case([&](ReduceOp reduce) {
        return onlyIf(!llvm::is_contained(reduce.getAxes(), 0));
      })
      .Case([&](ReshapeOp reshape) {
        return onlyIf(reshape.getDynamicShape().empty());
      })
      .Default([&](Operation *) {
        return onlyIf(node->hasTrait<Elementwise>() &&
                      llvm::all_of(node->getOperands(), [&](Value operand) {
                        RankedTensorType type = tensorType(operand);
                        return isBatch(operand) || type.getRank() == 0 ||
                               (type.hasStaticShape() &&
                                type.getRank() ==
                                    tensorType(node->getResult(0)).getRank() &&
                                type.getDimSize(0) == 1);
                      }));
      });
}

/// Nodes of a Block that can run image by image, from the first convolution on.
class Part {
public:
  /// Whether the Node can join; takes it if so.
  bool tryAdd(Operation *node) {
    bool reads = false, dependsOnOther = false;
    node->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *definition = operand.getDefiningOp();
        reads |= nodes.contains(definition);
        dependsOnOther |= behind.contains(definition);
      }
    });
    bool joins = !dependsOnOther;
    std::optional<SmallVector<unsigned>> operands;
    if (joins && nodes.empty()) {
      auto conv = dyn_cast<ConvOp>(node);
      joins = conv && tensorType(conv.getX()).hasStaticShape();
      if (joins)
        batch = tensorType(conv.getX()).getDimSize(0);
    } else if (joins) {
      joins = reads || isa<ConvOp>(node);
    }
    if (joins)
      operands = batchOperands(node, batch);
    if (operands) {
      nodes.insert(node);
      sliced[node] = *operands;
      return true;
    }
    if (nodes.empty())
      return false;
    if (reads || dependsOnOther)
      behind.insert(node);
    return false;
  }

  /// Images of an iteration; 0 when a loop does not pay.
  int64_t imagesAtATime() const {
    int64_t convolutions = 0, most = 0, weights = 0;
    for (Operation *node : nodes) {
      if (auto conv = dyn_cast<ConvOp>(node)) {
        ++convolutions;
        int64_t grown = conv.getAlgorithm() == Algorithm::Winograd4   ? 4
                        : conv.getAlgorithm() == Algorithm::Winograd2 ? 2
                                                                      : 1;
        weights += grown * bytesOf(tensorType(conv.getW()));
      }
      int64_t touched = bytesOf(tensorType(node->getResult(0)));
      for (unsigned i : sliced.at(node))
        touched += bytesOf(tensorType(node->getOperand(i)));
      most = std::max(most, touched);
    }
    if (convolutions < 2 || batch < 2 || most < kRunBytes ||
        most / batch > kIterationBytes || weights > kWeightBytes)
      return 0;
    int64_t images = 1;
    for (int64_t count = 2; count < batch; ++count)
      if (batch % count == 0 && most / batch * count <= kIterationBytes)
        images = count;
    return images;
  }

  /// The loop over the batch in place of the Nodes.
  void buildLoop(int64_t images) const;

private:
  /// The Node on `images` images.
  static Value cloneFor(OpBuilder &b, Operation *node, IRMapping &map,
                        int64_t images);

  int64_t batch = 0;
  llvm::SetVector<Operation *> nodes;
  /// Nodes that depend on some of them.
  llvm::SmallPtrSet<Operation *, 16> behind;
  DenseMap<Operation *, SmallVector<unsigned>> sliced;
};

SmallVector<int64_t> withFirst(ArrayRef<int64_t> shape,
                               ArrayRef<int64_t> first) {
  SmallVector<int64_t> result(first);
  llvm::append_range(result, shape.drop_front());
  return result;
}

Value Part::cloneFor(OpBuilder &b, Operation *node, IRMapping &map,
                     int64_t images) {
  RankedTensorType type = tensorType(node->getResult(0));
  SmallVector<int64_t> shape = withFirst(type.getShape(), {images});
  if (isa<ReshapeOp>(node))
    return reshaped(b, node->getLoc(), map.lookup(node->getOperand(0)), shape);
  Operation *made = b.clone(*node, map);
  made->getResult(0).setType(
      RankedTensorType::get(shape, type.getElementType()));
  return made->getResult(0);
}

void Part::buildLoop(int64_t images) const {
  Operation *last = nodes.back();
  Location loc = last->getLoc();
  OpBuilder b(last);
  b.setInsertionPointAfter(last);
  int64_t trips = batch / images;
  auto number = [&](Type type, int64_t value) -> Value {
    auto scalar = RankedTensorType::get({}, type);
    return ConstantOp::create(b, loc,
                              cast<ElementsAttr>(DenseElementsAttr::get(
                                  scalar, b.getIntegerAttr(type, value))));
  };
  SmallVector<Value> results;
  for (Operation *node : nodes)
    if (llvm::any_of(node->getUsers(), [&](Operation *user) {
          while (user->getBlock() != last->getBlock())
            user = user->getParentOp();
          return !nodes.contains(user);
        }))
      results.push_back(node->getResult(0));
  SmallVector<Type> stacked;
  for (Value result : results) {
    RankedTensorType type = tensorType(result);
    stacked.push_back(RankedTensorType::get(
        withFirst(type.getShape(), {trips, images}), type.getElementType()));
  }
  Value trip = number(b.getI64Type(), trips), on = number(b.getI1Type(), 1);
  // The images that an iteration reads are one step of a first axis.
  IRMapping grouped;
  for (Operation *node : nodes)
    for (unsigned i : sliced.at(node)) {
      Value operand = node->getOperand(i);
      if (!nodes.contains(operand.getDefiningOp()) &&
          !grouped.contains(operand))
        grouped.map(operand, reshaped(b, loc, operand,
                                      withFirst(tensorType(operand).getShape(),
                                                {trips, images})));
    }
  auto loop =
      LoopOp::create(b, loc, TypeRange(), stacked, trip, Value(), ValueRange());
  {
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&loop.getBody());
    Value position = body->addArgument(trip.getType(), loc);
    Value next = AddOp::create(b, loc, position, number(b.getI64Type(), 1));
    IRMapping map;
    for (auto [operand, whole] : grouped.getValueMap()) {
      SmallVector<int64_t> ends(tensorType(whole).getShape()),
          starts(ends.size(), 0), steps(ends.size(), 1), shape(ends);
      starts[0] = ends[0] = ShapedType::kDynamic;
      shape[0] = 1;
      auto type =
          RankedTensorType::get(shape, tensorType(whole).getElementType());
      Value step = SliceOp::create(b, loc, type, whole, ValueRange(position),
                                   ValueRange(next), starts, ends, steps);
      map.map(operand,
              reshaped(b, loc, step, ArrayRef<int64_t>(shape).drop_front()));
    }
    for (Operation *node : nodes)
      map.map(node->getResult(0), cloneFor(b, node, map, images));
    SmallVector<Value> yielded{on};
    for (Value result : results)
      yielded.push_back(map.lookup(result));
    YieldOp::create(b, loc, yielded);
  }
  b.setInsertionPointAfter(loop);
  for (auto [result, stack] : llvm::zip_equal(results, loop.getStacked()))
    result.replaceAllUsesExcept(
        reshaped(b, loc, stack, tensorType(result).getShape()),
        SmallPtrSet<Operation *, 16>(nodes.begin(), nodes.end()));
  for (Operation *node : llvm::reverse(nodes))
    node->erase();
}

class SplitBatchPass : public impl::SplitBatchBase<SplitBatchPass> {
  void runOnOperation() override {
    Block &block = getOperation().getBody().front();
    Part part;
    for (Operation &node : block.without_terminator())
      part.tryAdd(&node);
    int64_t images = part.imagesAtATime();
    if (images == 0)
      return;
    part.buildLoop(images);
    // Nodes between those of the loop that read its results follow it now.
    sortTopologically(&block);
    ++numSplit;
  }
};

} // namespace
} // namespace graven
