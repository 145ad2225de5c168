//===- FindDifference.cpp - one model at two numbers of parts -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the comparison of two Graphs of one model that were made
// for different numbers of parts. What differs otherwise than in proportion to
// them, such as a constant computed from the number, makes the parts dependent.
//===----------------------------------------------------------------------===//

#include "passes/graph/IndependentParts.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace graven {
namespace {

class Comparison {
public:
  Comparison(int64_t a, int64_t b) : a(a), b(b) {}

  std::optional<PartsProblem> compare(Block &first, Block &second);

private:
  bool inProportion(int64_t x, int64_t y) const { return x * b == y * a; }
  bool sameExtents(ArrayRef<int64_t> x, ArrayRef<int64_t> y) const {
    return llvm::equal(x, y, [&](int64_t i, int64_t j) {
      return i == j || inProportion(i, j);
    });
  }
  bool sameType(Type x, Type y) const;
  bool sameConstant(ConstantOp x, ConstantOp y) const;
  bool sameAttribute(Attribute x, Attribute y) const;
  bool sameNode(Operation &x, Operation &y) const;

  int64_t a, b;
  IRMapping map;
};

} // namespace

bool Comparison::sameType(Type x, Type y) const {
  auto s = dyn_cast<RankedTensorType>(x), t = dyn_cast<RankedTensorType>(y);
  if (!s || !t)
    return x == y;
  return s.getElementType() == t.getElementType() &&
         s.getRank() == t.getRank() && sameExtents(s.getShape(), t.getShape());
}

/// Equal elements, but for axes that have as many equal ones as there are
/// parts.
bool Comparison::sameConstant(ConstantOp x, ConstantOp y) const {
  if (x.getValue() == y.getValue())
    return true;
  auto s = dyn_cast<DenseElementsAttr>(x.getValue()),
       t = dyn_cast<DenseElementsAttr>(y.getValue());
  if (!s || !t || s.getType() == t.getType())
    return false;
  if (s.isSplat() && t.isSplat())
    return s.getSplatValue<Attribute>() == t.getSplatValue<Attribute>();
  eval::Tensor left = eval::Tensor::fromElements(s),
               right = eval::Tensor::fromElements(t);
  SmallVector<int64_t> common(left.getShape());
  for (auto [axis, extent] : llvm::enumerate(right.getShape())) {
    if (common[axis] == extent)
      continue;
    if (!IndependentParts::isUniform(x.getResult(), axis) ||
        !IndependentParts::isUniform(y.getResult(), axis))
      return false;
    common[axis] = 1;
  }
  auto offsets = [&](const eval::Tensor &tensor) {
    return eval::stridedOffsets(common, eval::stridesOf(tensor.getShape()));
  };
  std::vector<int64_t> from = offsets(left), to = offsets(right);
  int64_t bytes = left.getBytes().size() / std::max<int64_t>(1, left.size());
  return llvm::equal(from, to, [&](int64_t i, int64_t j) {
    return left.getBytes().slice(i * bytes, bytes) ==
           right.getBytes().slice(j * bytes, bytes);
  });
}

bool Comparison::sameAttribute(Attribute x, Attribute y) const {
  if (x == y)
    return true;
  auto s = dyn_cast_or_null<DenseI64ArrayAttr>(x),
       t = dyn_cast_or_null<DenseI64ArrayAttr>(y);
  return s && t && sameExtents(s.asArrayRef(), t.asArrayRef());
}

bool Comparison::sameNode(Operation &x, Operation &y) const {
  if (x.getName() != y.getName() ||
      !llvm::equal(x.getOperands(), y.getOperands(),
                   [&](Value s, Value t) { return map.lookup(s) == t; }) ||
      !llvm::equal(x.getResultTypes(), y.getResultTypes(),
                   [&](Type s, Type t) { return sameType(s, t); }))
    return false;
  // What is inside of them is beside the entry Block.
  if (x.getNumRegions() > 0)
    return true;
  if (auto constant = dyn_cast<ConstantOp>(x))
    return sameConstant(constant, cast<ConstantOp>(y));
  DictionaryAttr s = x.getAttrDictionary(), t = y.getAttrDictionary();
  return s.size() == t.size() && llvm::all_of(s, [&](NamedAttribute attr) {
           return sameAttribute(attr.getValue(), t.get(attr.getName()));
         });
}

std::optional<PartsProblem> Comparison::compare(Block &first, Block &second) {
  if (first.getNumArguments() != second.getNumArguments())
    return PartsProblem{first.getParentOp()->getLoc(),
                        "the number of inputs depends on it"};
  map.map(first.getArguments(), second.getArguments());
  auto other = second.begin();
  for (Operation &node : first) {
    if (other == second.end() || !sameNode(node, *other) ||
        (node.getNumRegions() > 0 &&
         (!llvm::equal(node.getRegions(), other->getRegions(),
                       [](Region &s, Region &t) {
                         return s.getBlocks().size() == t.getBlocks().size();
                       }))))
      return PartsProblem{node.getLoc(), ("'" + node.getName().getStringRef() +
                                          "' depends on the number of parts")
                                             .str()};
    map.map(node.getResults(), other->getResults());
    for (auto [s, t] : llvm::zip_equal(node.getRegions(), other->getRegions()))
      for (auto [inner, outer] : llvm::zip_equal(s, t))
        if (auto problem = compare(inner, outer))
          return problem;
    ++other;
  }
  return std::nullopt;
}

std::optional<PartsProblem> findDifference(GraphOp first, int64_t a,
                                           GraphOp second, int64_t b) {
  return Comparison(a, b).compare(first.getBody().front(),
                                  second.getBody().front());
}

} // namespace graven
