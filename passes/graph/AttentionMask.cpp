//===- AttentionMask.cpp - the conditions in a mask -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the view of an attention's masks as conditions.
//===----------------------------------------------------------------------===//

#include "passes/graph/AttentionMask.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/graph/GraphUtils.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

/// Elements of a mask that are worth reading at compile time.
constexpr int64_t kMostElements = int64_t(1) << 22;

ArrayRef<int64_t> shapeOf(Value value) { return tensorType(value).getShape(); }

bool isBool(Value value) {
  return tensorType(value).getElementType().isInteger(1);
}

/// Whether a score under this element of the mask takes part.
enum class Gate { Open, Closed, Other };

Gate gateAt(const eval::Tensor &mask, int64_t i, double closing) {
  if (mask.getElementType().isInteger(1))
    return mask.getUnsigned(i) != 0 ? Gate::Open : Gate::Closed;
  double value = mask.getDouble(i);
  if (value == 0)
    return Gate::Open;
  return value <= closing ? Gate::Closed : Gate::Other;
}

bool isOpen(const eval::Tensor &mask) {
  for (int64_t i = 0; i < mask.size(); ++i)
    if (gateAt(mask, i, kLowest) != Gate::Open)
      return false;
  return true;
}

/// Whether element [i, j] is open for j <= i and closed for the rest.
bool isCausal(const eval::Tensor &mask, ArrayRef<int64_t> scores,
              double closing) {
  ArrayRef<int64_t> shape = mask.getShape();
  if (shape.size() < 2 || mask.size() < 2)
    return false;
  int64_t rows = shape.drop_back().back(), columns = shape.back();
  if (mask.size() != rows * columns ||
      shape.take_back(2) != scores.take_back(2))
    return false;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      if (gateAt(mask, i * columns + j, closing) !=
          (j <= i ? Gate::Open : Gate::Closed))
        return false;
  return true;
}

/// A mask of numbers that are 0 where a bool holds and low elsewhere, as that
/// bool.
std::optional<SpelledMask> boolOfNumbers(Value mask) {
  auto select = mask.getDefiningOp<SelectOp>();
  if (!select || isBool(mask))
    return std::nullopt;
  auto open = numberOf(select.getA()), closed = numberOf(select.getB());
  if (!open || *open != 0 || !closed || !(*closed <= kClosing))
    return std::nullopt;
  return SpelledMask{select.getCond(), closed};
}

/// Masks that hold together, of those that `mask` is made of.
void takeApart(SpelledMask mask, ArrayRef<int64_t> scores,
               SmallVectorImpl<SpelledMask> &parts) {
  constexpr size_t mostParts = 16;
  SmallVector<SpelledMask> pending{mask};
  while (!pending.empty()) {
    SpelledMask next = pending.pop_back_val();
    next.value = withoutLeadingOnes(next.value);
    if (auto condition = boolOfNumbers(next.value);
        condition && broadcastsTo(shapeOf(condition->value), scores)) {
      pending.push_back(*condition);
      continue;
    }
    Operation *op = next.value.getDefiningOp();
    bool joins = isa_and_present<AndOp>(op) ||
                 (isa_and_present<AddOp>(op) && !isBool(next.value));
    if (joins && parts.size() + pending.size() < mostParts) {
      pending.push_back({op->getOperand(1), next.fill});
      pending.push_back({op->getOperand(0), next.fill});
      continue;
    }
    parts.push_back(next);
  }
}

Value withRank(OpBuilder &b, Location loc, Value mask, int64_t rank) {
  SmallVector<int64_t> shape(shapeOf(mask));
  shape.insert(shape.begin(), rank - int64_t(shape.size()), 1);
  return reshaped(b, loc, mask, shape);
}

/// Bools as numbers to be added.
Value asNumbers(OpBuilder &b, Location loc, Value mask, double fill,
                Type element) {
  int64_t rank = tensorType(mask).getRank();
  return SelectOp::create(b, loc, mask,
                          scalarConstant(b, loc, element, 0, rank),
                          scalarConstant(b, loc, element, fill, rank));
}

/// x of !x.
Value negated(Value value) {
  auto negation = value.getDefiningOp<NotOp>();
  return negation && negation->hasOneUse() ? negation.getX() : Value();
}

/// The comparison of `scores` with -inf of all(scores == -inf), one for each
/// row, or of !any(scores != -inf).
CompareOp emptyRowCheck(Value value, Value scores) {
  Value any = negated(value);
  auto reduce = (any ? any : value).getDefiningOp<ReduceOp>();
  if (!reduce || !reduce->hasOneUse() || !reduce.getKeep() ||
      reduce.getKind() != (any ? ReduceKind::Or : ReduceKind::And) ||
      reduce.getAxes() != ArrayRef<int64_t>{tensorType(scores).getRank() - 1})
    return {};
  Value inner = negated(reduce.getX());
  auto compare = (inner ? inner : reduce.getX()).getDefiningOp<CompareOp>();
  ComparePredicate expected =
      bool(any) == bool(inner) ? ComparePredicate::Eq : ComparePredicate::Ne;
  if (!compare || !compare->hasOneUse() || compare.getA() != scores ||
      compare.getPredicate() != expected || numberOf(compare.getB()) != kLowest)
    return {};
  return compare;
}

} // namespace

RowSoftmax rowSoftmaxOf(Value weights) {
  auto select = weights.getDefiningOp<SelectOp>();
  if (!select)
    return {weights.getDefiningOp<SoftmaxOp>()};
  auto softmax = select.getB().getDefiningOp<SoftmaxOp>();
  if (!softmax || !soleUser(select) || numberOf(select.getA()) != 0.0)
    return {};
  // The softmax is read by the comparison and the selection.
  auto isNaN = select.getCond().getDefiningOp<CompareOp>();
  bool readsTwice = isNaN && isNaN->hasOneUse() &&
                    isNaN.getPredicate() == ComparePredicate::Ne &&
                    isNaN.getA() == softmax && isNaN.getB() == softmax;
  if (readsTwice && llvm::all_of(softmax->getUsers(), [&](Operation *user) {
        return user == isNaN || user == select;
      }))
    return {softmax, EmptyRow::Zero};
  CompareOp check = emptyRowCheck(select.getCond(), softmax.getX());
  if (!check || !softmax->hasOneUse())
    return {};
  return {softmax, EmptyRow::Zero, check};
}

std::optional<eval::Tensor> knownElements(Value value) {
  DenseElementsAttr elements;
  if (!tensorType(value).hasStaticShape() ||
      tensorType(value).getNumElements() > kMostElements)
    return std::nullopt;
  if (matchPattern(value, m_Constant(&elements)))
    return eval::Tensor::fromElements(elements);
  auto get = value.getDefiningOp<GetParamOp>();
  if (!get)
    return std::nullopt;
  auto param =
      SymbolTable::lookupNearestSymbolFrom<ParamOp>(get, get.getParamAttr());
  if (!param || param.getRequiresGrad())
    return std::nullopt;
  eval::Evaluator evaluator;
  auto tensors = evaluator.runNode(get, {});
  return succeeded(tensors) ? std::optional((*tensors)[0]) : std::nullopt;
}

std::optional<double> numberOf(Value value) {
  if (auto splat = splatOf(value))
    return splat;
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  RankedTensorType type = tensorType(value);
  if (!type.hasStaticShape() || type.getNumElements() != 1 ||
      !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  auto elements = knownElements(value);
  return elements ? std::optional(elements->getDouble(0)) : std::nullopt;
}

Value withoutLeadingOnes(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>()) {
    ArrayRef<int64_t> shape = shapeOf(value), inner = shapeOf(reshape.getX());
    if (shape.size() < inner.size() || shape.take_back(inner.size()) != inner ||
        !llvm::all_of(shape.drop_back(inner.size()),
                      [](int64_t extent) { return extent == 1; }))
      break;
    value = reshape.getX();
  }
  return value;
}

bool broadcastsTo(ArrayRef<int64_t> mask, ArrayRef<int64_t> scores) {
  if (mask.size() > scores.size())
    return false;
  return llvm::all_of(llvm::zip(llvm::reverse(mask), llvm::reverse(scores)),
                      [](auto extents) {
                        return std::get<0>(extents) == 1 ||
                               std::get<0>(extents) == std::get<1>(extents);
                      });
}

MaskConditions conditionsOf(ArrayRef<SpelledMask> masks,
                            ArrayRef<int64_t> scores) {
  SmallVector<SpelledMask> parts;
  for (const SpelledMask &mask : masks)
    takeApart(mask, scores, parts);
  SmallVector<std::optional<eval::Tensor>> elements;
  llvm::erase_if(parts, [&](const SpelledMask &part) {
    auto known = knownElements(part.value);
    if (known && isOpen(*known))
      return true;
    elements.push_back(std::move(known));
    return false;
  });
  // A finite number closes for good only where nothing else could close the
  // open keys of the row.
  bool alone = parts.size() == 1;
  MaskConditions result;
  for (auto [part, known] : llvm::zip_equal(parts, elements)) {
    bool exact = !part.fill || *part.fill == kLowest;
    if (known && (exact || alone) &&
        isCausal(*known, scores, alone ? kClosing : kLowest))
      result.causal = true;
    else
      result.rest.push_back(part);
  }
  return result;
}

Value joinMasks(OpBuilder &b, Location loc, const MaskConditions &conditions,
                int64_t rank, Type element) {
  // Bools with the same fill are one.
  llvm::MapVector<int64_t, Value> bools;
  Value numbers;
  for (const SpelledMask &mask : conditions.rest) {
    Value value = withRank(b, loc, mask.value, rank);
    if (!isBool(value)) {
      numbers =
          numbers ? AddOp::create(b, loc, numbers, value).getResult() : value;
      continue;
    }
    Value &joined = bools[llvm::bit_cast<int64_t>(mask.fill.value_or(kLowest))];
    joined = joined ? AndOp::create(b, loc, joined, value).getResult() : value;
  }
  bool plain = !numbers && bools.size() == 1 &&
               bools.front().first == llvm::bit_cast<int64_t>(kLowest);
  if (plain)
    return bools.front().second;
  for (auto [fill, value] : bools) {
    Value made =
        asNumbers(b, loc, value, llvm::bit_cast<double>(fill), element);
    numbers = numbers ? AddOp::create(b, loc, numbers, made).getResult() : made;
  }
  return numbers;
}

} // namespace graven
