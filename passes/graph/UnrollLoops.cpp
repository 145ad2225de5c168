//===- UnrollLoops.cpp - loops of few iterations ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements UnrollLoops, which writes the iterations of a loop one
// after the other.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_UNROLLLOOPS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

std::optional<int64_t> numberOf(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() != 1)
    return std::nullopt;
  APInt number = elements.getSplatValue<APInt>();
  return number.getBitWidth() == 1 ? number.getZExtValue()
                                   : number.getSExtValue();
}

Value indexConstant(OpBuilder &b, Location loc, int64_t number) {
  return ConstantOp::create(
      b, loc,
      cast<ElementsAttr>(DenseElementsAttr::get(
          RankedTensorType::get({}, b.getI64Type()), number)));
}

/// Iterations of a loop's body, each of which reads what the one before it
/// yields.
class Iterations {
public:
  Iterations(LoopOp loop, ValueRange init) : loop(loop), carried(init) {}

  /// Adds one with this number, and gives the slices it yields.
  SmallVector<Value> append(OpBuilder &b, Value iteration) {
    Block &body = loop.getBody().front();
    IRMapping map;
    map.map(body.getArgument(0), iteration);
    for (auto [argument, value] :
         llvm::zip_equal(body.getArguments().drop_front(), carried))
      map.map(argument, value);
    for (Operation &node : body.without_terminator())
      b.clone(node, map);
    auto yield = cast<YieldOp>(body.getTerminator());
    SmallVector<Value> yielded = llvm::map_to_vector(
        yield.getValues(), [&](Value v) { return map.lookupOrDefault(v); });
    size_t count = carried.size();
    carried.assign(yielded.begin() + 1, yielded.begin() + 1 + count);
    return {yielded.begin() + 1 + count, yielded.end()};
  }

  ValueRange getCarried() const { return carried; }

private:
  LoopOp loop;
  SmallVector<Value> carried;
};

/// Why the loop's iterations cannot be counted now, or nothing.
StringRef whyNotCounted(LoopOp loop) {
  Block &body = loop.getBody().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  if (!loop.getTrip() || !numberOf(loop.getTrip()))
    return "the number of iterations is not known";
  if ((loop.getCond() && numberOf(loop.getCond()) != 1) ||
      numberOf(yield.getValues()[0]) != 1)
    return "a condition may end it";
  for (auto [i, init] : llvm::enumerate(loop.getInit()))
    if (init.getType() != body.getArgument(1 + i).getType() ||
        init.getType() != loop.getFinal()[i].getType() ||
        init.getType() != yield.getValues()[1 + i].getType())
      return "a carried value has several types";
  for (Value slices : loop.getStacked())
    if (!tensorType(slices).hasStaticShape())
      return "the extents of a stacked result are not known";
  return {};
}

class UnrollLoopsPass : public impl::UnrollLoopsBase<UnrollLoopsPass> {
  using UnrollLoopsBase::UnrollLoopsBase;

  void runOnOperation() override {
    SmallVector<LoopOp> loops;
    // Inner loops first: they count as the Nodes that they became.
    getOperation()->walk<WalkOrder::PostOrder>(
        [&](LoopOp loop) { loops.push_back(loop); });
    for (LoopOp loop : loops)
      unroll(loop);
  }

  void unroll(LoopOp loop) {
    StringRef reason = whyNotCounted(loop);
    if (!reason.empty()) {
      explainNotDone(*this, loop, [&] { return reason.str(); });
      return;
    }
    int64_t trips = std::max<int64_t>(*numberOf(loop.getTrip()), 0), nodes = 0;
    loop.getBody().walk([&](Operation *) { ++nodes; });
    if (trips == 1 || (trips > 0 && trips <= maxNodes / nodes)) {
      whole(loop, trips);
      ++numUnrolled;
      return;
    }
    if (factor > 1 && loop.getStacked().empty() && trips > 0 &&
        trips % factor == 0) {
      byFactor(loop, trips / factor);
      ++numWidened;
      return;
    }
    explainNotDone(*this, loop, [] {
      return std::string("its iterations have too many Nodes, and are no "
                         "multiple of the factor, or stack results");
    });
  }

  static void whole(LoopOp loop, int64_t trips) {
    OpBuilder b(loop);
    Iterations iterations(loop, loop.getInit());
    SmallVector<SmallVector<Value>> slices(loop.getStacked().size());
    for (int64_t i = 0; i < trips; ++i)
      for (auto [all, slice] : llvm::zip_equal(
               slices,
               iterations.append(b, indexConstant(b, loop.getLoc(), i)))) {
        SmallVector<int64_t> shape(tensorType(slice).getShape());
        shape.insert(shape.begin(), 1);
        all.push_back(reshaped(b, loop.getLoc(), slice, shape));
      }
    for (auto [result, value] :
         llvm::zip_equal(loop.getFinal(), iterations.getCarried()))
      result.replaceAllUsesWith(value);
    for (auto [result, all] : llvm::zip_equal(loop.getStacked(), slices))
      result.replaceAllUsesWith(
          ConcatOp::create(b, loop.getLoc(), result.getType(), all, 0));
    loop.erase();
  }

  void byFactor(LoopOp loop, int64_t trips) {
    OpBuilder b(loop);
    Location loc = loop.getLoc();
    auto made = LoopOp::create(b, loc, loop.getFinal().getTypes(), TypeRange(),
                               indexConstant(b, loc, trips), loop.getCond(),
                               loop.getInit());
    made->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
    Block &body = made.getBody().emplaceBlock();
    for (BlockArgument argument : loop.getBody().front().getArguments())
      body.addArgument(argument.getType(), argument.getLoc());
    b.setInsertionPointToStart(&body);
    Value first = MulOp::create(b, loc, body.getArgument(0),
                                indexConstant(b, loc, factor));
    Iterations iterations(loop, body.getArguments().drop_front());
    for (int64_t i = 0; i < factor; ++i)
      iterations.append(b,
                        AddOp::create(b, loc, first, indexConstant(b, loc, i)));
    // It goes on after each iteration: whyNotCounted.
    SmallVector<Value> yielded{ConstantOp::create(
        b, loc,
        cast<ElementsAttr>(DenseElementsAttr::get(
            RankedTensorType::get({}, b.getI1Type()), true)))};
    llvm::append_range(yielded, iterations.getCarried());
    YieldOp::create(b, loc, yielded);
    loop.replaceAllUsesWith(made.getResults());
    loop.erase();
  }
};

} // namespace
} // namespace graven
