//===- Recompute.cpp - compute again instead of keeping ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Recompute, which computes a cheap tensor a second time,
// in front of its later readers, where memory is fullest while it waits for
// them.
//===----------------------------------------------------------------------===//
#include "passes/memory/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/graph/Explain.h"
#include "llvm/ADT/MapVector.h"

namespace graven {
#define GEN_PASS_DEF_RECOMPUTE
#include "passes/memory/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// From the place in the Block where a buffer is written first to that where it
/// is read last.
struct Life {
  int64_t bytes = 0, first = 0, last = 0;
};

int64_t bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() ||
      !tensor.getElementType().isIntOrFloat())
    return 0;
  return tensor.getNumElements() *
         llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// When each buffer of a Block is needed, as values tell it.
class Lives {
public:
  explicit Lives(Block &block) : block(block) {
    int64_t place = 0;
    for (Operation &op : block)
      places[&op] = place++;
    for (Operation &op : block)
      for (Value result : op.getResults())
        if (holder(result) == result && bytesOf(result.getType()) > 0)
          lives[result] = {bytesOf(result.getType()), places[&op], places[&op]};
    block.walk([&](Operation *op) {
      Operation *own = block.findAncestorOpInBlock(*op);
      for (Value operand : op->getOperands())
        if (auto *life = lives.find(holder(operand)); life != lives.end())
          life->second.last = std::max(life->second.last, places[own]);
    });
  }

  /// The value whose buffer has this one's elements.
  static Value holder(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
              tensor::ExtractSliceOp, tensor::CastOp>(op)) {
        value = op->getOperand(0);
        continue;
      }
      auto writes = dyn_cast<DestinationStyleOpInterface>(op);
      if (!writes)
        return isa<tensor::EmptyOp>(op) ? Value() : value;
      Value into = writes.getTiedOpOperand(cast<OpResult>(value))->get();
      if (into.getDefiningOp<tensor::EmptyOp>())
        return value;
      value = into;
    }
    return {};
  }

  int64_t placeOf(Operation *op) const {
    return places.lookup(block.findAncestorOpInBlock(*op));
  }

  const Life *of(Value value) const {
    auto found = lives.find(value);
    return found == lives.end() ? nullptr : &found->second;
  }

  /// The most bytes that are needed at once, and where, if these lives are
  /// others, or more.
  std::pair<int64_t, int64_t>
  peak(const llvm::MapVector<Value, Life> &changed = {},
       std::optional<Life> more = std::nullopt) const {
    SmallVector<int64_t> change(places.size() + 1, 0);
    auto add = [&](const Life &life) {
      change[life.first] += life.bytes;
      change[life.last + 1] -= life.bytes;
    };
    for (const auto &[value, life] : lives) {
      auto other = changed.find(value);
      add(other == changed.end() ? life : other->second);
    }
    if (more)
      add(*more);
    int64_t now = 0, most = 0, where = 0;
    for (auto [place, bytes] : llvm::enumerate(change)) {
      now += bytes;
      if (now > most) {
        most = now;
        where = place;
      }
    }
    return {most, where};
  }

private:
  Block &block;
  llvm::DenseMap<Operation *, int64_t> places;
  llvm::MapVector<Value, Life> lives;
};

/// How many operations an element of a cheap Node takes; nullopt for others.
std::optional<int64_t> operationsOf(linalg::GenericOp op) {
  constexpr int64_t most = 4;
  if (!op || !op.hasPureTensorSemantics() || op.getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getDpsInitOperand(0)->get().getDefiningOp<tensor::EmptyOp>() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return std::nullopt;
  int64_t count = 1;
  for (Operation &inner : op.getBody()->without_terminator()) {
    // Quotients take as long as many of the others.
    if (!isa<arith::ArithDialect>(inner.getDialect()) ||
        isa<arith::DivFOp, arith::RemFOp, arith::DivSIOp, arith::DivUIOp,
            arith::RemSIOp, arith::RemUIOp>(inner))
      return std::nullopt;
    ++count;
  }
  if (count > most)
    return std::nullopt;
  return count;
}

class RecomputePass : public impl::RecomputeBase<RecomputePass> {
public:
  using RecomputeBase::RecomputeBase;

private:
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    // Each time, the peak falls; a Node has few readers.
    constexpr int mostTimes = 64;
    for (int i = 0; i < mostTimes && recomputeOne(block); ++i)
      ++numRecomputed;
  }

  bool recomputeOne(Block &block) {
    Lives lives(block);
    auto [most, where] = lives.peak();
    // Each looks through the whole Block.
    int tries = 256;
    for (Operation &op : block) {
      auto node = dyn_cast<linalg::GenericOp>(op);
      std::optional<int64_t> operations = operationsOf(node);
      if (!operations)
        continue;
      const Life *life = lives.of(node.getResult(0));
      if (!life || life->first >= where || life->last <= where)
        continue;
      SmallVector<OpOperand *> late;
      int64_t before = life->first, first = life->last;
      for (OpOperand &use : node.getResult(0).getUses()) {
        int64_t place = lives.placeOf(use.getOwner());
        if (place > where) {
          late.push_back(&use);
          first = std::min(first, place);
        } else {
          before = std::max(before, lastOf(use, lives));
        }
      }
      if (before >= where) {
        explainNotDone(*this, node, [] {
          return std::string("it is read where memory is fullest");
        });
        continue;
      }
      if (tries-- == 0)
        return false;
      // What it is computed from has to be there until then.
      llvm::MapVector<Value, Life> changed;
      changed[node.getResult(0)] = {life->bytes, life->first, before};
      for (Value input : node.getInputs())
        if (Value holder = Lives::holder(input))
          if (const Life *own = lives.of(holder))
            changed[holder] = {own->bytes, own->first,
                               std::max(own->last, first)};
      int64_t saved =
          most -
          lives.peak(changed, Life{life->bytes, first, life->last}).first;
      int64_t cost =
          *operations *
          cast<RankedTensorType>(node.getResult(0).getType()).getNumElements();
      if (saved <= 0 || cost > maxCost * saved) {
        explainNotDone(*this, node, [&] {
          return saved <= 0 ? std::string("the peak would not fall")
                            : std::to_string(cost) + " operations would save " +
                                  std::to_string(saved) + " bytes";
        });
        continue;
      }
      explainDone(*this, node, [&] {
        return "computed again, which saves " + std::to_string(saved) +
               " bytes of " + std::to_string(most);
      });
      OpBuilder b(&*std::next(block.begin(), first));
      Operation *empty = b.clone(*node.getDpsInits()[0].getDefiningOp());
      auto copy = cast<linalg::GenericOp>(b.clone(op));
      copy.getDpsInitOperand(0)->set(empty->getResult(0));
      for (OpOperand *use : late)
        use->set(copy.getResult(0));
      return true;
    }
    return false;
  }

  /// Where what a reader sees of a value is read last: a view may live on.
  static int64_t lastOf(OpOperand &use, const Lives &lives) {
    int64_t last = lives.placeOf(use.getOwner());
    SmallVector<Value> pending;
    auto follow = [&](Operation *op) {
      for (Value result : op->getResults())
        if (Lives::holder(result) == Lives::holder(use.get()))
          pending.push_back(result);
    };
    follow(use.getOwner());
    while (!pending.empty()) {
      Value view = pending.pop_back_val();
      for (Operation *user : view.getUsers()) {
        last = std::max(last, lives.placeOf(user));
        follow(user);
      }
    }
    return last;
  }
};

} // namespace
} // namespace graven
