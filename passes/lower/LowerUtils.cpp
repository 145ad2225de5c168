//===- LowerUtils.cpp - what all lowerings to kernels share ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the tensors and loop nests from which the lowerings of
// Nodes are built.
//===----------------------------------------------------------------------===//

#include "passes/lower/LowerUtils.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {

LogicalResult refuse(Operation *node, const Twine &reason) {
  return emitCoded(node->getLoc(), Code::UnsupportedFeature)
         << "no native code for '" << node->getName() << "': it " << reason;
}

RankedTensorType loweredType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(tensor.getShape(),
                               signless(tensor.getElementType()));
}

Value emptyTensor(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
                  Type element) {
  return tensor::EmptyOp::create(b, loc, shape, element);
}

Value filledTensor(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
                   Value value) {
  Value empty = emptyTensor(b, loc, shape, value.getType());
  return linalg::FillOp::create(b, loc, value, empty).getResult(0);
}

Value indexConstant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value mapElements(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
                  Type element, ValueRange inputs, ArrayRef<AffineMap> maps,
                  ScalarBody body) {
  Value out = emptyTensor(b, loc, shape, element);
  SmallVector<AffineMap> all(maps);
  all.push_back(
      AffineMap::getMultiDimIdentityMap(shape.size(), b.getContext()));
  SmallVector<utils::IteratorType> iterators(shape.size(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, out.getType(), inputs, out, all, iterators,
      [&](OpBuilder &inner, Location at, ValueRange args) {
        linalg::YieldOp::create(inner, at, body(inner, at, args.drop_back()));
      });
  return generic.getResult(0);
}

Value copyElements(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
                   Value input, AffineMap map) {
  Type element = cast<RankedTensorType>(input.getType()).getElementType();
  return mapElements(
      b, loc, shape, element, input, map,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

Value generate(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
               Type element, ScalarBody body) {
  return mapElements(b, loc, shape, element, {}, {},
                     [&](OpBuilder &inner, Location at, ValueRange) {
                       SmallVector<Value> indices;
                       for (size_t axis = 0; axis < shape.size(); ++axis)
                         indices.push_back(
                             linalg::IndexOp::create(inner, at, axis));
                       return body(inner, at, indices);
                     });
}

AffineMap broadcastMap(MLIRContext *context, ArrayRef<int64_t> shape,
                       ArrayRef<int64_t> result) {
  SmallVector<AffineExpr> exprs;
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    bool repeats = extent == 1 && result[axis] != 1;
    exprs.push_back(repeats ? getAffineConstantExpr(0, context)
                            : getAffineDimExpr(axis, context));
  }
  return AffineMap::get(result.size(), 0, exprs, context);
}

AffineMap selectAxes(MLIRContext *context, int64_t rank,
                     ArrayRef<int64_t> axes) {
  SmallVector<AffineExpr> exprs;
  for (int64_t axis : axes)
    exprs.push_back(getAffineDimExpr(axis, context));
  return AffineMap::get(rank, 0, exprs, context);
}

Value reshapeTo(OpBuilder &b, Location loc, Value value,
                ArrayRef<int64_t> shape) {
  auto from = cast<RankedTensorType>(value.getType());
  if (from.getShape() == shape)
    return value;
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (auto groups = getReassociationIndicesForReshape(from, to)) {
    if (from.getRank() > to.getRank())
      return tensor::CollapseShapeOp::create(b, loc, to, value, *groups);
    return tensor::ExpandShapeOp::create(b, loc, to, value, *groups);
  }
  auto flatten = [&](RankedTensorType type) {
    SmallVector<ReassociationIndices> groups;
    if (type.getRank() > 0)
      groups.emplace_back(
          llvm::to_vector<2>(llvm::seq<int64_t>(0, type.getRank())));
    return groups;
  };
  auto flat =
      RankedTensorType::get({from.getNumElements()}, from.getElementType());
  if (from.getRank() == 0)
    value = tensor::ExpandShapeOp::create(b, loc, flat, value,
                                          ArrayRef<ReassociationIndices>());
  else if (from.getRank() != 1)
    value = tensor::CollapseShapeOp::create(b, loc, flat, value, flatten(from));
  if (to.getRank() == 1)
    return value;
  if (to.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, loc, to, value,
                                           ArrayRef<ReassociationIndices>());
  return tensor::ExpandShapeOp::create(b, loc, to, value, flatten(to));
}

Value transposeTo(OpBuilder &b, Location loc, Value value,
                  ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs(permutation.size());
  for (auto [to, from] : llvm::enumerate(permutation)) {
    shape.push_back(type.getDimSize(from));
    exprs[from] = b.getAffineDimExpr(to);
  }
  AffineMap map = AffineMap::get(permutation.size(), 0, exprs, b.getContext());
  return copyElements(b, loc, shape, value, map);
}

SmallVector<OpFoldResult> indexAttributes(OpBuilder &b,
                                          ArrayRef<int64_t> values) {
  return llvm::map_to_vector(
      values, [&](int64_t v) -> OpFoldResult { return b.getIndexAttr(v); });
}

Value padConstant(OpBuilder &b, Location loc, Value value,
                  ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                  Value element) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> start, kept, offset, shape, ones(type.getRank(), 1);
  for (auto [extent, lo, hi] : llvm::zip(type.getShape(), low, high)) {
    // Crop first; what is cropped away entirely leaves an empty window.
    int64_t from = std::min(std::max<int64_t>(-lo, 0), extent);
    int64_t to = std::max(from, extent - std::max<int64_t>(-hi, 0));
    start.push_back(from);
    kept.push_back(to - from);
    offset.push_back(std::max<int64_t>(lo, 0));
    shape.push_back(extent + lo + hi);
  }
  // A slice of an empty tensor begins outside of it, which slices may not.
  if (llvm::is_contained(kept, 0))
    return filledTensor(b, loc, shape, element);
  if (kept != SmallVector<int64_t>(type.getShape()))
    value = tensor::ExtractSliceOp::create(
        b, loc, value, indexAttributes(b, start), indexAttributes(b, kept),
        indexAttributes(b, ones));
  if (kept == shape)
    return value;
  Value filled = filledTensor(b, loc, shape, element);
  return tensor::InsertSliceOp::create(
      b, loc, value, filled, indexAttributes(b, offset),
      indexAttributes(b, kept), indexAttributes(b, ones));
}

Value convertElements(OpBuilder &b, Location loc, Value value, Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  AffineMap identity =
      AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
  return mapElements(b, loc, type.getShape(), element, value, identity,
                     [&](OpBuilder &inner, Location at, ValueRange args) {
                       return emitCast(inner, at, args[0],
                                       type.getElementType(), element);
                     });
}

Operation *soleConversion(Value value) {
  auto nest = value.getDefiningOp<linalg::GenericOp>();
  if (!nest || nest.getNumDpsInputs() != 1 || nest.getNumDpsInits() != 1 ||
      !llvm::all_of(nest.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return nullptr;
  Block &body = *nest.getBody();
  Operation *cast = &body.front();
  if (cast->getNextNode() != body.getTerminator() ||
      cast->getNumOperands() != 1 ||
      cast->getOperand(0) != body.getArgument(0) ||
      cast->getNumResults() != 1 ||
      body.getTerminator()->getOperand(0) != cast->getResult(0))
    return nullptr;
  return cast;
}

} // namespace graven
