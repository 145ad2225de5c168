//===- ExtentRelations.cpp - extents as formulas of symbols -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the formulas of extents, op by op. What has no rule is a
// symbol of its own.
//===----------------------------------------------------------------------===//

#include "passes/graph/ExtentRelations.h"
#include "mlir/IR/Matchers.h"
#include "passes/graph/GraphUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {
namespace {

using Limit = std::optional<int64_t>;

Limit sum(Limit a, Limit b) {
  int64_t result;
  if (!a || !b || llvm::AddOverflow(*a, *b, result))
    return std::nullopt;
  return result;
}

Limit product(Limit a, int64_t factor) {
  int64_t result;
  if (!a || llvm::MulOverflow(*a, factor, result))
    return std::nullopt;
  return result;
}

} // namespace

ExtentRelations::ExtentRelations(GraphOp graph) : context(graph.getContext()) {
  for (BlockArgument input : graph.getArguments()) {
    auto names = graph.getArgAttrOfType<ArrayAttr>(input.getArgNumber(),
                                                   "graven.symbols");
    RankedTensorType type = tensorType(input);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis))
        continue;
      StringRef name =
          names ? cast<StringAttr>(names[axis]).getValue() : StringRef();
      extents[{input, axis}] =
          name.empty() ? symbolOf(input, axis) : named(name, input, axis);
    }
  }
}

AffineExpr ExtentRelations::simplified(AffineExpr formula) const {
  return simplifyAffineExpr(formula, /*numDims=*/0, symbols.size());
}

AffineExpr ExtentRelations::fresh(Limits limits) {
  symbols.push_back(limits);
  owners.push_back({Value(), 0});
  return getAffineSymbolExpr(symbols.size() - 1, context);
}

AffineExpr ExtentRelations::symbolOf(Value value, int64_t axis) {
  AffineExpr symbol = fresh({0, std::nullopt});
  owners.back() = {value, axis};
  return symbol;
}

/// Inputs may have a multiple of a symbol: "4*h+1".
AffineExpr ExtentRelations::named(StringRef name, Value value, int64_t axis) {
  int64_t scale = 1, offset = 0;
  StringRef base = name;
  auto [front, back] = name.split('*');
  bool isProduct = !back.empty() && !front.getAsInteger(10, scale);
  if (isProduct) {
    auto [symbol, rest] = back.split('+');
    base = symbol;
    if (!rest.empty() && rest.getAsInteger(10, offset)) {
      base = name;
      isProduct = false;
      offset = 0;
    }
  }
  if (!isProduct)
    scale = 1;
  AffineExpr &symbol = byName[base];
  if (!symbol)
    symbol = isProduct ? fresh({0, std::nullopt}) : symbolOf(value, axis);
  return symbol * scale + offset;
}

std::pair<Value, int64_t> ExtentRelations::inputOf(AffineExpr formula) const {
  auto symbol = dyn_cast<AffineSymbolExpr>(formula);
  return symbol ? owners[symbol.getPosition()]
                : std::pair<Value, int64_t>(Value(), 0);
}

ExtentRelations::Limits ExtentRelations::limitsOf(AffineExpr formula) const {
  if (auto number = dyn_cast<AffineConstantExpr>(formula))
    return {number.getValue(), number.getValue()};
  if (auto symbol = dyn_cast<AffineSymbolExpr>(formula))
    return symbols[symbol.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(formula);
  if (!binary)
    return {};
  Limits a = limitsOf(binary.getLHS());
  if (binary.getKind() == AffineExprKind::Add) {
    Limits b = limitsOf(binary.getRHS());
    return {sum(a.least, b.least), sum(a.most, b.most)};
  }
  auto number = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!number)
    return {};
  int64_t value = number.getValue();
  switch (binary.getKind()) {
  case AffineExprKind::Mul:
    if (value < 0)
      std::swap(a.least, a.most);
    return {product(a.least, value), product(a.most, value)};
  case AffineExprKind::Mod:
    return {0, value - 1};
  case AffineExprKind::FloorDiv:
    if (a.least)
      a.least = llvm::divideFloorSigned(*a.least, value);
    if (a.most)
      a.most = llvm::divideFloorSigned(*a.most, value);
    return a;
  default:
    return {};
  }
}

AffineExpr ExtentRelations::extreme(Extreme which, AffineExpr a, AffineExpr b) {
  Limits difference = limitsOf(simplified(a - b));
  bool wantsGreater = which == Extreme::Greater;
  if (difference.least && *difference.least >= 0)
    return wantsGreater ? a : b;
  if (difference.most && *difference.most <= 0)
    return wantsGreater ? b : a;
  auto &known = wantsGreater ? greater : lesser;
  for (auto pair : {std::pair(a, b), std::pair(b, a)})
    if (auto found = known.find(pair); found != known.end())
      return found->second;
  Limits one = limitsOf(a), two = limitsOf(b), both;
  // Of two bounds on the same side, the one that holds for either.
  auto pick = [&](Limit x, Limit y, bool isLeast) -> Limit {
    bool oneIsEnough = isLeast == wantsGreater;
    if (!x || !y)
      return oneIsEnough ? (x ? x : y) : std::nullopt;
    return wantsGreater ? std::max(*x, *y) : std::min(*x, *y);
  };
  both.least = pick(one.least, two.least, /*isLeast=*/true);
  both.most = pick(one.most, two.most, /*isLeast=*/false);
  AffineExpr symbol = fresh(both);
  known[{a, b}] = symbol;
  return symbol;
}

/// Entry `at` of a mixed list.
AffineExpr ExtentRelations::entry(ArrayRef<int64_t> list, ValueRange dynamic,
                                  int64_t at) {
  if (!ShapedType::isDynamic(list[at]))
    return constant(list[at]);
  return numberOf(
      dynamic[llvm::count_if(list.take_front(at), ShapedType::isDynamic)]);
}

AffineExpr ExtentRelations::windows(Value x, int64_t axis, int64_t kernel,
                                    int64_t stride, int64_t dilation,
                                    int64_t pads) {
  AffineExpr last = extentOf(x, axis) + (pads - dilation * (kernel - 1) - 1);
  return last.floorDiv(stride) + 1;
}

/// What is left for an entry of -1: one extent of x and numbers, when all
/// others are entries, too.
AffineExpr ExtentRelations::reshaped(ReshapeOp op, int64_t axis) {
  ArrayRef<int64_t> shape = op.getShape();
  if (shape[axis] != -1)
    return entry(shape, op.getDynamicShape(), axis);
  SmallVector<AffineExpr> left;
  int64_t numerator = 1, denominator = 1;
  for (int64_t i = 0; i < tensorType(op.getX()).getRank(); ++i) {
    AffineExpr extent = extentOf(op.getX(), i);
    if (auto number = dyn_cast<AffineConstantExpr>(extent))
      numerator *= number.getValue();
    else
      left.push_back(extent);
  }
  for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i) {
    if (i == axis)
      continue;
    AffineExpr extent = entry(shape, op.getDynamicShape(), i);
    if (auto number = dyn_cast<AffineConstantExpr>(extent)) {
      denominator *= number.getValue();
      continue;
    }
    auto *same = llvm::find(left, extent);
    if (same == left.end())
      return {};
    left.erase(same);
  }
  if (left.size() != 1 || denominator <= 0 || numerator % denominator != 0) {
    // A run without a whole number of rows is refused.
    bool isWhole = left.size() == 1 && numerator > 0 && denominator > 0;
    return isWhole ? (left.front() * numerator).floorDiv(denominator)
                   : AffineExpr();
  }
  return left.front() * (numerator / denominator);
}

/// Null where there is no rule.
AffineExpr ExtentRelations::computeExtent(OpResult value, int64_t axis) {
  Operation *op = value.getOwner();
  if (op->getNumRegions() > 0)
    return {};
  int64_t rank = tensorType(value).getRank();
  if (op->hasTrait<Elementwise>()) {
    for (Value operand : op->getOperands()) {
      RankedTensorType type = tensorType(operand);
      if (type.getRank() == rank && type.getDimSize(axis) != 1)
        return extentOf(operand, axis);
    }
    return {};
  }
  return llvm::TypeSwitch<Operation *, AffineExpr>(op)
      .Case([&](TransposeOp node) {
        return extentOf(node.getX(), node.getPermutation()[axis]);
      })
      .Case([&](ReshapeOp node) { return reshaped(node, axis); })
      .Case<BroadcastOp, IotaOp>([&](auto node) {
        return entry(node.getShape(), node.getDynamicShape(), axis);
      })
      .Case([&](ConcatOp node) {
        if (axis != static_cast<int64_t>(node.getAxis()))
          return extentOf(node.getInputs().front(), axis);
        AffineExpr all = constant(0);
        for (Value input : node.getInputs())
          all = all + extentOf(input, axis);
        return all;
      })
      .Case([&](PadOp node) {
        return extentOf(node.getX(), axis) + node.getLow()[axis] +
               node.getHigh()[axis];
      })
      .Case([&](SliceOp node) -> AffineExpr {
        int64_t start = node.getStarts()[axis], step = node.getSteps()[axis];
        AffineExpr extent = extentOf(node.getX(), axis);
        if (ShapedType::isDynamic(start) || start < 0)
          return {};
        AffineExpr end =
            node.getEnds()[axis] == std::numeric_limits<int64_t>::max()
                ? extent
                : entry(node.getEnds(), node.getDynamicEnds(), axis);
        Limits limits = limitsOf(end);
        if (limits.most && *limits.most < 0)
          end = extent + end;
        else if (!limits.least || *limits.least < 0)
          return {};
        end = extreme(Extreme::Lesser, end, extent);
        AffineExpr count = extreme(Extreme::Greater, end - start, constant(0));
        return (count + (step - 1)).floorDiv(step);
      })
      .Case([&](GatherOp node) {
        int64_t at = node.getAxis(),
                many = tensorType(node.getIndices()).getRank();
        if (axis < at)
          return extentOf(node.getX(), axis);
        return axis < at + many ? extentOf(node.getIndices(), axis - at)
                                : extentOf(node.getX(), axis - many + 1);
      })
      .Case([&](ReduceOp node) -> AffineExpr {
        int64_t from = 0, left = axis;
        for (; from < tensorType(node.getX()).getRank(); ++from) {
          bool isGone = llvm::is_contained(node.getAxes(), from);
          if (isGone && !node.getKeep())
            continue;
          if (left-- == 0)
            return isGone ? constant(1) : extentOf(node.getX(), from);
        }
        return {};
      })
      .Case([&](MatmulOp node) -> AffineExpr {
        if (axis == rank - 2)
          return extentOf(node.getA(), node.getTransposeA() ? rank - 1 : axis);
        if (axis == rank - 1)
          return extentOf(node.getB(), node.getTransposeB() ? rank - 2 : axis);
        bool fromB = tensorType(node.getA()).getDimSize(axis) == 1;
        return extentOf(fromB ? node.getB() : node.getA(), axis);
      })
      .Case([&](ConvOp node) -> AffineExpr {
        int64_t spatial = axis - 2, half = node.getStrides().size();
        if (node.getLayout() != Layout::Planar)
          return {};
        if (axis == 0)
          return extentOf(node.getX(), 0);
        if (axis == 1)
          return extentOf(node.getW(), 0);
        int64_t kernel = tensorType(node.getW()).getDimSize(axis);
        if (ShapedType::isDynamic(kernel))
          return {};
        return windows(node.getX(), axis, kernel, node.getStrides()[spatial],
                       node.getDilations()[spatial],
                       node.getPads()[spatial] +
                           node.getPads()[half + spatial]);
      })
      .Case<MaxPoolOp, AvgPoolOp>([&](auto node) -> AffineExpr {
        int64_t spatial = axis - 2, half = node.getStrides().size();
        if (node.getLayout() != Layout::Planar || node.getCeilMode())
          return {};
        if (axis < 2)
          return extentOf(node.getX(), axis);
        return windows(node.getX(), axis, node.getKernel()[spatial],
                       node.getStrides()[spatial], node.getDilations()[spatial],
                       node.getPads()[spatial] +
                           node.getPads()[half + spatial]);
      })
      .Case<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp, BatchNormOp,
            ReverseOp>([&](auto) { return extentOf(op->getOperand(0), axis); })
      .Default([](Operation *) { return AffineExpr(); });
}

AffineExpr ExtentRelations::extentOf(Value value, int64_t axis) {
  RankedTensorType type = tensorType(value);
  if (!type.isDynamicDim(axis))
    return constant(type.getDimSize(axis));
  if (auto known = extents.lookup({value, axis}))
    return known;
  AffineExpr extent;
  if (auto result = dyn_cast<OpResult>(value))
    extent = computeExtent(result, axis);
  if (!extent)
    extent = symbolOf(value, axis);
  return extents[{value, axis}] = simplified(extent);
}

/// Null where there is no rule. Numbers of the run may wrap; only extents are
/// known to be small, so that quotients are those of what is not negative.
AffineExpr ExtentRelations::computeNumber(Operation *op, Value value) {
  if (auto splat = splatOf(value)) {
    constexpr double exact = 0x1p53;
    return std::abs(*splat) < exact ? constant(static_cast<int64_t>(*splat))
                                    : AffineExpr();
  }
  auto positive = [](AffineExpr formula) {
    auto number = dyn_cast<AffineConstantExpr>(formula);
    return number && number.getValue() > 0;
  };
  auto isNoLess = [&](AffineExpr formula) {
    Limits limits = limitsOf(formula);
    return limits.least && *limits.least >= 0;
  };
  return llvm::TypeSwitch<Operation *, AffineExpr>(op)
      .Case([&](DimOp node) { return extentOf(node.getX(), node.getAxis()); })
      .Case([&](ReshapeOp node) { return numberOf(node.getX()); })
      .Case([&](AddOp node) {
        return numberOf(node.getA()) + numberOf(node.getB());
      })
      .Case([&](SubOp node) {
        return numberOf(node.getA()) - numberOf(node.getB());
      })
      .Case([&](MulOp node) -> AffineExpr {
        AffineExpr a = numberOf(node.getA()), b = numberOf(node.getB());
        if (isa<AffineConstantExpr>(a))
          std::swap(a, b);
        return isa<AffineConstantExpr>(b) ? a * b : AffineExpr();
      })
      .Case([&](DivOp node) -> AffineExpr {
        AffineExpr a = numberOf(node.getA()), b = numberOf(node.getB());
        return positive(b) && isNoLess(a) ? a.floorDiv(b) : AffineExpr();
      })
      .Case([&](RemOp node) -> AffineExpr {
        AffineExpr a = numberOf(node.getA()), b = numberOf(node.getB());
        return positive(b) && isNoLess(a) ? a % b : AffineExpr();
      })
      .Case([&](MaxOp node) {
        return extreme(Extreme::Greater, numberOf(node.getA()),
                       numberOf(node.getB()));
      })
      .Case([&](MinOp node) {
        return extreme(Extreme::Lesser, numberOf(node.getA()),
                       numberOf(node.getB()));
      })
      .Case([&](ReluOp node) {
        return extreme(Extreme::Greater, numberOf(node.getX()), constant(0));
      })
      .Default([](Operation *) { return AffineExpr(); });
}

AffineExpr ExtentRelations::numberOf(Value value) {
  if (auto known = numbers.lookup(value))
    return known;
  AffineExpr number;
  RankedTensorType type = tensorType(value);
  bool isOne = type.getElementType().isSignlessInteger(64) &&
               type.hasStaticShape() && type.getNumElements() == 1;
  if (Operation *op = value.getDefiningOp(); op && isOne)
    number = computeNumber(op, value);
  if (!number)
    number = fresh({});
  return numbers[value] = simplified(number);
}

} // namespace graven
