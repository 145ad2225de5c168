//===- MergeProjections.cpp - products of one tensor as one -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that merges the projections of an attention's
// query, key and value, where they multiply one tensor, into one product.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_MERGEPROJECTIONS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// A product with weights, perhaps a bias, and nothing else behind it but moves
/// into an attention.
struct Projection {
  MatmulOp matmul;
  /// As many elements as columns; null for none.
  Value bias;
  /// What takes part in the rest of the Graph.
  Value result;

  int64_t columns() const {
    return cast<RankedTensorType>(result.getType()).getShape().back();
  }
};

/// A Parameter, perhaps under another shape.
bool isParam(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value.getDefiningOp<GetParamOp>() != nullptr;
}

/// A copy of such a Value where `builder` stands.
Value cloneParam(OpBuilder &builder, Value value) {
  SmallVector<Operation *> chain;
  for (Operation *op = value.getDefiningOp(); op;
       op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr)
    chain.push_back(op);
  IRMapping map;
  for (Operation *op : llvm::reverse(chain))
    builder.clone(*op, map);
  return map.lookup(value);
}

/// Whether all that becomes of `value` is moved into attentions.
bool feedsAttention(Value value) {
  constexpr int mostNodes = 24;
  SmallVector<Value> pending{value};
  bool feeds = false;
  for (int i = 0; i < mostNodes && !pending.empty(); ++i) {
    Value next = pending.pop_back_val();
    for (Operation *user : next.getUsers()) {
      if (isa<AttentionOp>(user))
        feeds = true;
      else if (isa<ReshapeOp, TransposeOp, SliceOp, BroadcastOp>(user))
        pending.push_back(user->getResult(0));
      else
        return false;
    }
  }
  return feeds && pending.empty();
}

/// The bias that an addition puts on the columns, if it is one.
Value biasOf(AddOp add, Value product, int64_t columns) {
  Value bias = add.getA() == product ? add.getB() : add.getA();
  RankedTensorType type = tensorType(bias);
  bool isRow = type.hasStaticShape() && type.getRank() > 0 &&
               type.getNumElements() == columns &&
               type.getShape().back() == columns;
  return bias != product && isRow && add.getType() == product.getType() &&
                 isParam(bias)
             ? bias
             : Value();
}

std::optional<Projection> projectionOf(MatmulOp op) {
  RankedTensorType a = tensorType(op.getA()), b = tensorType(op.getB());
  if (op.getType().getRank() != 2 || b.getRank() != 2 || op.getTransposeA() ||
      !a.hasStaticShape() || !b.hasStaticShape() || !isParam(op.getB()))
    return std::nullopt;
  Projection made{op, {}, op.getResult()};
  Value current = op.getResult();
  auto reshape = dyn_cast_if_present<ReshapeOp>(soleUser(current));
  if (reshape && reshape.getType().hasStaticShape() &&
      reshape.getType().getRank() > 0 &&
      reshape.getType().getShape().back() == made.columns())
    current = reshape.getResult();
  if (auto add = dyn_cast_if_present<AddOp>(soleUser(current)))
    if (Value bias = biasOf(add, current, made.columns())) {
      made.bias = bias;
      made.result = add.getResult();
    }
  if (!feedsAttention(made.result))
    return std::nullopt;
  return made;
}

class MergeProjectionsPass
    : public impl::MergeProjectionsBase<MergeProjectionsPass> {
public:
  using MergeProjectionsBase::MergeProjectionsBase;

private:
  using Key = std::pair<Value, std::pair<Block *, unsigned>>;

  void runOnOperation() override {
    llvm::MapVector<Key, SmallVector<Projection>> groups;
    getOperation().walk([&](MatmulOp op) {
      if (auto projection = projectionOf(op))
        groups[{op.getA(), {op->getBlock(), op.getTransposeB()}}].push_back(
            *projection);
    });
    for (auto &[key, group] : groups) {
      if (group.size() < 2)
        continue;
      merge(group, key.second.second);
      numMerged += group.size();
    }
  }

  static void merge(ArrayRef<Projection> group, bool transposed) {
    MatmulOp first = group.front().matmul;
    OpBuilder b(first);
    SmallVector<Location> locations;
    SmallVector<Value> weights, biases;
    bool anyBias = false;
    for (const Projection &each : group)
      anyBias |= each.bias != nullptr;
    for (Projection each : group) {
      locations.push_back(each.matmul.getLoc());
      weights.push_back(cloneParam(b, each.matmul.getB()));
      if (!anyBias)
        continue;
      auto type = RankedTensorType::get({1, each.columns()},
                                        each.matmul.getType().getElementType());
      if (each.bias)
        biases.push_back(reshaped(b, each.matmul.getLoc(),
                                  cloneParam(b, each.bias), type.getShape()));
      else
        biases.push_back(ConstantOp::create(
            b, each.matmul.getLoc(),
            cast<ElementsAttr>(DenseElementsAttr::get(
                type, b.getFloatAttr(type.getElementType(), 0.0)))));
    }
    Location loc = b.getFusedLoc(locations);
    Value all = ConcatOp::create(b, loc, weights, transposed ? 0 : 1);
    Value y = MatmulOp::create(b, loc, first.getA(), all, false, transposed);
    if (anyBias)
      y = AddOp::create(b, loc, y, ConcatOp::create(b, loc, biases, 1));
    int64_t column = 0, rows = tensorType(y).getDimSize(0);
    for (const Projection &each : group) {
      Value part =
          SliceOp::create(b, loc, y, ArrayRef<int64_t>{0, column},
                          ArrayRef<int64_t>{rows, column + each.columns()},
                          ArrayRef<int64_t>{1, 1});
      Value result = each.result;
      result.replaceAllUsesWith(
          reshaped(b, loc, part, tensorType(result).getShape()));
      column += each.columns();
    }
    for (const Projection &each : group)
      eraseUnused(each);
  }

  /// The product and what led from it to the result.
  static void eraseUnused(const Projection &projection) {
    Operation *op = projection.result.getDefiningOp();
    MatmulOp matmul = projection.matmul;
    while (op && op->use_empty()) {
      Value product = op == matmul ? Value() : op->getOperand(0);
      // The bias may stand first.
      if (product && isParam(product))
        product = op->getOperand(1);
      op->erase();
      op = product ? product.getDefiningOp() : nullptr;
    }
  }
};

} // namespace
} // namespace graven
