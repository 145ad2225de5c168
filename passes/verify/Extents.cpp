//===- Extents.cpp - a Graph at smaller extents -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the replacement of extents.
//===----------------------------------------------------------------------===//

#include "passes/verify/Extents.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include <set>

using namespace mlir;
using graven::eval::Tensor;

namespace graven {
namespace {

/// Weights of more elements than this stay as they are: their text would be no
/// test.
constexpr int64_t kMostElements = 1 << 16;

RankedTensorType replaced(RankedTensorType type, int64_t from, int64_t to) {
  SmallVector<int64_t> shape(type.getShape());
  llvm::replace(shape, from, to);
  return RankedTensorType::get(shape, type.getElementType());
}

/// The first elements along each axis.
FailureOr<DenseElementsAttr> cropped(const Tensor &whole,
                                     RankedTensorType type) {
  if (type.getNumElements() > kMostElements)
    return failure();
  Tensor part(type);
  SmallVector<int64_t> strides = eval::stridesOf(whole.getShape());
  int64_t next = 0;
  eval::forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    int64_t offset = 0;
    for (auto [i, stride] : llvm::zip_equal(index, strides))
      offset += i * stride;
    part.copy(next++, whole, offset);
  });
  return part.toElements();
}

FailureOr<DenseElementsAttr> cropped(DenseElementsAttr whole,
                                     RankedTensorType type) {
  if (whole.isSplat())
    return whole.resizeSplat(type);
  return cropped(Tensor::fromElements(whole), type);
}

LogicalResult shrinkParam(ParamOp param, int64_t from, int64_t to) {
  RankedTensorType type = replaced(param.getTensorType(), from, to);
  if (type == param.getTensorType())
    return success();
  FailureOr<DenseElementsAttr> value = failure();
  if (auto elements = dyn_cast<DenseElementsAttr>(param.getValue())) {
    value = cropped(elements, type);
  } else if (isa<BlobAttr>(param.getValue())) {
    auto whole = eval::readParam(param);
    if (succeeded(whole))
      value = cropped(*whole, type);
  }
  if (failed(value))
    return failure();
  param.setType(type);
  param.setValueAttr(*value);
  return success();
}

/// Numbers in the attributes of a Node that are the extent.
void changeAttributes(Operation *node, int64_t from, int64_t to) {
  Builder builder(node->getContext());
  for (NamedAttribute named : node->getAttrs()) {
    if (auto list = dyn_cast<DenseI64ArrayAttr>(named.getValue())) {
      SmallVector<int64_t> numbers(list.asArrayRef());
      llvm::replace(numbers, from, to);
      node->setAttr(named.getName(), builder.getDenseI64ArrayAttr(numbers));
    } else if (auto number = dyn_cast<IntegerAttr>(named.getValue())) {
      if (number.getType().isInteger(64) && number.getInt() == from)
        node->setAttr(named.getName(), builder.getI64IntegerAttr(to));
    }
  }
}

/// The types of a Node's results from those of its operands; of a Node that
/// does not infer them, such as one with Blocks, with the extent replaced.
LogicalResult inferAgain(Operation *node, int64_t from, int64_t to) {
  for (Region &region : node->getRegions())
    for (BlockArgument argument : region.getArguments())
      argument.setType(
          replaced(cast<RankedTensorType>(argument.getType()), from, to));
  if (auto get = dyn_cast<GetParamOp>(node)) {
    auto param =
        SymbolTable::lookupNearestSymbolFrom<ParamOp>(get, get.getParamAttr());
    if (!param)
      return failure();
    get.getResult().setType(param.getTensorType());
    return success();
  }
  SmallVector<Type> types;
  if (auto inferring = dyn_cast<InferTypeOpInterface>(node)) {
    if (failed(inferring.inferReturnTypes(
            node->getContext(), node->getLoc(), node->getOperands(),
            node->getAttrDictionary(), node->getPropertiesStorage(),
            node->getRegions(), types)))
      return failure();
  } else {
    for (Type type : node->getResultTypes())
      types.push_back(replaced(cast<RankedTensorType>(type), from, to));
  }
  for (auto [result, type] : llvm::zip_equal(node->getResults(), types))
    result.setType(type);
  return success();
}

} // namespace

SmallVector<int64_t> extentsOf(GraphOp graph) {
  std::set<int64_t, std::greater<>> extents;
  auto add = [&](Type type) {
    for (int64_t extent : cast<RankedTensorType>(type).getShape())
      if (extent > 1)
        extents.insert(extent);
  };
  for (Type type : graph.getArgumentTypes())
    add(type);
  graph.walk([&](Operation *op) {
    if (isa<GetParamOp, ConstantOp>(op))
      add(op->getResult(0).getType());
  });
  return SmallVector<int64_t>(extents.begin(), extents.end());
}

SmallVector<int64_t> smallerExtents(int64_t extent) {
  std::set<int64_t> smaller;
  for (int64_t to : {int64_t(1), int64_t(2), int64_t(3), int64_t(4), int64_t(8),
                     int64_t(16), extent / 4, extent / 2})
    if (to >= 1 && to < extent)
      smaller.insert(to);
  return SmallVector<int64_t>(smaller.begin(), smaller.end());
}

LogicalResult replaceExtent(GraphOp graph, int64_t from, int64_t to,
                            Attributes attributes) {
  for (BlockArgument argument : graph.getArguments())
    argument.setType(
        replaced(cast<RankedTensorType>(argument.getType()), from, to));
  auto result = graph.walk<WalkOrder::PreOrder>([&](Operation *node) {
    if (node == graph || node->hasTrait<OpTrait::IsTerminator>())
      return WalkResult::advance();
    if (auto get = dyn_cast<GetParamOp>(node)) {
      auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
          get, get.getParamAttr());
      if (!param || failed(shrinkParam(param, from, to)))
        return WalkResult::interrupt();
    } else if (auto constant = dyn_cast<ConstantOp>(node)) {
      auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
      if (!elements)
        return WalkResult::interrupt();
      auto value =
          cropped(elements, replaced(cast<RankedTensorType>(elements.getType()),
                                     from, to));
      if (failed(value))
        return WalkResult::interrupt();
      constant.setValueAttr(*value);
    } else if (attributes == Attributes::Changed) {
      changeAttributes(node, from, to);
    }
    return WalkResult(inferAgain(node, from, to));
  });
  return failure(result.wasInterrupted());
}

} // namespace graven
