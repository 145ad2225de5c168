//===- NodeBuilder.cpp - one ONNX node as its builder sees it -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements errors, known values and the making of Nodes.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"

#include "frontends/onnx/GraphImporter.h"
#include "mlir/IR/Verifier.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace graven::onnx {

NodeBuilder::NodeBuilder(GraphImporter &importer, Scope &scope,
                         const pb::NodeProto &proto, int64_t opset,
                         Location loc)
    : importer(importer), scope(scope), proto(proto), opset(opset), loc(loc),
      builder(importer.getBuilder()) {
  for (const std::string &name : proto.input()) {
    FailureOr<Value> value = Value();
    if (!name.empty())
      value = importer.lookUp(loc, scope, name);
    broken |= mlir::failed(value);
    inputs.push_back(mlir::failed(value) ? Value() : *value);
    narrowInputs.push_back(scope.narrowOf(name));
  }
  outputs.resize(proto.output_size());
  narrowOutputs.resize(proto.output_size());
}

InFlightDiagnostic NodeBuilder::error(Code code) {
  broken = true;
  return emitCoded(loc, code) << proto.op_type() << ": ";
}

void NodeBuilder::setOutput(size_t i, Value value) {
  if (i < outputs.size())
    outputs[i] = value;
}

void NodeBuilder::setNarrow(size_t i, Type type) {
  if (i < narrowOutputs.size())
    narrowOutputs[i] = type;
}

LogicalResult NodeBuilder::finish(Value value) {
  setOutput(0, value);
  return failure(broken || !value);
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::optional<IntList> NodeBuilder::staticShape(Value value) {
  if (broken)
    return std::nullopt;
  if (typeOf(value).hasStaticShape())
    return shapeOf(value);
  // The extents depend on those of the inputs that the value depends on.
  IntList shape = shapeOf(value);
  auto extent = make<DimOp>(value, llvm::find_if(shape, ShapedType::isDynamic) -
                                       shape.begin());
  reportUnknown(extent, "an extent of its input");
  return std::nullopt;
}

int64_t NodeBuilder::axis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  if (!broken)
    error(Code::BadGraph) << "axis " << axis << " is out of range for rank "
                          << rank;
  return 0;
}

IntList NodeBuilder::axes(ArrayRef<int64_t> given, int64_t rank) {
  IntList result;
  for (int64_t one : given)
    result.push_back(axis(one, rank));
  llvm::sort(result);
  if (!broken &&
      std::adjacent_find(result.begin(), result.end()) != result.end())
    error(Code::BadGraph) << "an axis is given twice";
  return broken ? IntList() : result;
}

//===----------------------------------------------------------------------===//
// What is known of values
//===----------------------------------------------------------------------===//

std::optional<eval::Tensor> NodeBuilder::known(Value value) {
  if (!value || !typeOf(value).hasStaticShape() ||
      elementCount(typeOf(value).getShape()).value_or(kMaxKnownElements + 1) >
          kMaxKnownElements)
    return std::nullopt;
  if (auto op = value.getDefiningOp<ConstantOp>())
    if (auto elements = dyn_cast<DenseElementsAttr>(op.getValue()))
      return eval::Tensor::fromElements(elements);
  if (auto op = value.getDefiningOp<GetParamOp>())
    if (auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
            op, op.getParamAttr()))
      if (auto tensor = eval::readParam(param); succeeded(tensor))
        return *tensor;
  return std::nullopt;
}

std::optional<IntList> NodeBuilder::ints(Value value, StringRef what) {
  if (broken)
    return std::nullopt;
  auto tensor = known(value);
  if (!tensor) {
    reportUnknown(value, what);
    return std::nullopt;
  }
  if (isa<FloatType>(tensor->getElementType()) || tensor->getRank() > 1) {
    error(Code::BadGraph) << what << " has type " << tensor->getType()
                          << ", expected a list of ints";
    return std::nullopt;
  }
  IntList list;
  for (int64_t i = 0; i < tensor->size(); ++i)
    list.push_back(tensor->getInt(i));
  return list;
}

std::optional<SmallVector<double>> NodeBuilder::floats(Value value,
                                                       StringRef what) {
  if (broken)
    return std::nullopt;
  auto tensor = known(value);
  if (!tensor) {
    reportUnknown(value, what);
    return std::nullopt;
  }
  return llvm::to_vector(llvm::map_range(
      llvm::seq<int64_t>(0, tensor->size()), [&](int64_t i) -> double {
        return isa<FloatType>(tensor->getElementType())
                   ? tensor->getDouble(i)
                   : static_cast<double>(tensor->getInt(i));
      }));
}

std::optional<int64_t> NodeBuilder::oneInt(Value value, StringRef what) {
  auto list = ints(value, what);
  if (!list)
    return std::nullopt;
  if (list->size() == 1)
    return list->front();
  error(Code::BadGraph) << what << " has " << list->size()
                        << " elements, expected 1";
  return std::nullopt;
}

std::optional<IntList> NodeBuilder::intsAttrOrInput(StringRef name, size_t i) {
  if (input(i))
    return ints(input(i), name);
  return intsAttr(name);
}

namespace {
/// The inputs of the model on which a value depends.
struct Origins {
  std::set<std::string> byExtent, byValue;
  bool fromLoop = false;
};
} // namespace

static Origins originsOf(Value value) {
  Origins origins;
  llvm::SetVector<std::pair<Value, int>> work;
  work.insert({value, false});
  for (size_t i = 0; i < work.size(); ++i) {
    auto [at, isExtent] = work[i];
    if (auto argument = dyn_cast<BlockArgument>(at)) {
      auto graph =
          dyn_cast_or_null<GraphOp>(argument.getOwner()->getParentOp());
      if (!graph) {
        origins.fromLoop = true;
        continue;
      }
      (isExtent ? origins.byExtent : origins.byValue)
          .insert(graph.getInputName(argument.getArgNumber()));
      continue;
    }
    Operation *op = at.getDefiningOp();
    for (Value operand : op->getOperands())
      work.insert({operand, isExtent || isa<DimOp>(op)});
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        for (Value operand : inner.getOperands())
          work.insert({operand, isExtent});
  }
  return origins;
}

static std::string listOf(const std::set<std::string> &names) {
  return llvm::join(
      llvm::map_range(names,
                      [](const std::string &name) { return quoted(name); }),
      ", ");
}

void NodeBuilder::reportNeeded(StringRef what,
                               const std::set<std::string> &names) {
  InFlightDiagnostic diagnostic = error(Code::DataDependent);
  diagnostic << what << " depends on the values of input " << listOf(names);
  for (const std::string &name : names)
    noteNeeded(*diagnostic.getUnderlyingDiagnostic(),
               {name, importer.positionOf(name)});
}

void NodeBuilder::reportUnknown(Value value, StringRef what) {
  if (broken)
    return;
  Origins origins = originsOf(value);
  importer.needsUnrolling |= origins.fromLoop;
  if (origins.fromLoop)
    error(Code::DataDependent) << what << " depends on the values of a loop";
  else if (!origins.byValue.empty())
    reportNeeded(what, origins.byValue);
  else if (!origins.byExtent.empty())
    error(Code::DynamicShape)
        << what << " depends on unknown extents of input "
        << listOf(origins.byExtent) << ": give them with --input";
  else
    error(Code::DataDependent)
        << what << " is computed from weights or has more than "
        << kMaxKnownElements << " elements";
}

//===----------------------------------------------------------------------===//
// Making Nodes
//===----------------------------------------------------------------------===//

NodeBuilder::Capture::Capture(MLIRContext *context, std::string &message)
    : ScopedDiagnosticHandler(context, [&message](Diagnostic &diagnostic) {
        if (message.empty())
          message = diagnostic.str();
        return success();
      }) {}

bool NodeBuilder::evaluateNow(Operation *op, SmallVectorImpl<Value> &results) {
  auto isSmall = [&](Value value) {
    auto type = typeOf(value);
    auto count = elementCount(type.getShape());
    return count && *count <= kMaxKnownElements;
  };
  if (!isa<EvaluateInterface>(op) || isa<ConstantOp, GetParamOp>(op) ||
      op->getNumRegions() || !llvm::all_of(op->getResults(), isSmall))
    return false;
  SmallVector<eval::Tensor> operands;
  for (Value operand : op->getOperands()) {
    auto constant = operand.getDefiningOp<ConstantOp>();
    auto tensor = constant ? known(operand) : std::nullopt;
    if (!tensor)
      return false;
    operands.push_back(*tensor);
  }
  // What the evaluator refuses, say an index out of range, is an error of the
  // run, not of the import.
  std::string ignored;
  Capture capture(getContext(), ignored);
  eval::Evaluator evaluator;
  auto tensors = evaluator.runNode(op, operands);
  if (mlir::failed(tensors))
    return false;
  for (const eval::Tensor &tensor : *tensors)
    results.push_back(constant(tensor));
  return true;
}

SmallVector<Value, 2> NodeBuilder::settle(Operation *op, StringRef name,
                                          StringRef message) {
  std::string reason = message.str();
  if (op) {
    Capture capture(getContext(), reason);
    if (mlir::failed(verify(op))) {
      op->erase();
      op = nullptr;
    }
  }
  if (!op) {
    error(Code::BadGraph) << name << " cannot be built: " << reason;
    return {};
  }
  SmallVector<Value, 2> results;
  if (evaluateNow(op, results)) {
    op->erase();
    return results;
  }
  return SmallVector<Value, 2>(op->result_begin(), op->result_end());
}

Value NodeBuilder::constant(const eval::Tensor &tensor) {
  return ConstantOp::create(builder, loc, tensor.toElements());
}

Value NodeBuilder::tensor(const pb::TensorProto &tensor) {
  return broken ? Value()
                : materialized(importer.getFile().read(loc, tensor),
                               tensor.name());
}

Value NodeBuilder::tensor(const pb::SparseTensorProto &tensor) {
  return broken ? Value()
                : materialized(importer.getFile().read(loc, tensor), "");
}

Value NodeBuilder::materialized(const FailureOr<TensorData> &data,
                                StringRef name) {
  if (mlir::failed(data)) {
    broken = true;
    return {};
  }
  setNarrow(0, data->narrow);
  if (name.empty() && proto.output_size())
    name = proto.output(0);
  return importer.materialize(loc, name, *data);
}

Value NodeBuilder::splat(RankedTensorType type, double value) {
  Type elementType = type.getElementType();
  Attribute element;
  if (isa<FloatType>(elementType))
    element = FloatAttr::get(elementType, value);
  else
    element = IntegerAttr::get(
        elementType,
        llvm::APInt(elementType.getIntOrFloatBitWidth(),
                    static_cast<uint64_t>(static_cast<int64_t>(value)),
                    /*isSigned=*/true, /*implicitTrunc=*/true));
  return ConstantOp::create(builder, loc,
                            DenseElementsAttr::get(type, element));
}

Value NodeBuilder::scalar(Type elementType, double value) {
  return splat(RankedTensorType::get({}, elementType), value);
}

Value NodeBuilder::intList(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    builder.getI64Type());
  return ConstantOp::create(builder, loc, DenseElementsAttr::get(type, values));
}

Value NodeBuilder::reshape(Value x, ArrayRef<int64_t> shape) {
  if (broken || (typeOf(x).hasStaticShape() && typeOf(x).getShape() == shape))
    return x;
  return make<ReshapeOp>(x, ValueRange(), shape);
}

Value NodeBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (broken || llvm::equal(permutation, llvm::seq<int64_t>(0, rankOf(x))))
    return x;
  return make<TransposeOp>(x, permutation);
}

Value NodeBuilder::cast(Value x, Type elementType) {
  if (broken || elementTypeOf(x) == elementType)
    return x;
  return make<CastOp>(x, elementType);
}

Value NodeBuilder::expand(Value x, ArrayRef<int64_t> shape) {
  if (broken || (typeOf(x).hasStaticShape() && typeOf(x).getShape() == shape))
    return x;
  int64_t added = static_cast<int64_t>(shape.size()) - rankOf(x);
  IntList axes = sequence(added, shape.size());
  return make<BroadcastOp>(x, ValueRange(), shape, axes);
}

Value NodeBuilder::slice(Value x, int64_t axis, int64_t start, int64_t end) {
  if (broken)
    return {};
  int64_t rank = rankOf(x);
  IntList starts(rank, 0), steps(rank, 1),
      ends(rank, std::numeric_limits<int64_t>::max());
  starts[axis] = start;
  ends[axis] = end;
  return make<SliceOp>(x, ValueRange(), ValueRange(), starts, ends, steps);
}

Value NodeBuilder::reduce(Value x, ReduceKind kind, ArrayRef<int64_t> axes,
                          bool keep) {
  return make<ReduceOp>(x, kind, axes, keep);
}

Value NodeBuilder::compare(ComparePredicate predicate, Value a, Value b) {
  if (broken)
    return {};
  Value operands[] = {a, b};
  alignRanks(operands);
  return make<CompareOp>(operands[0], operands[1], predicate);
}

Value NodeBuilder::select(Value condition, Value a, Value b) {
  if (broken)
    return {};
  Value operands[] = {condition, a, b};
  alignRanks(operands);
  return make<SelectOp>(operands[0], operands[1], operands[2]);
}

Value NodeBuilder::alignRank(Value x, int64_t rank) {
  if (broken || rankOf(x) == 0 || rankOf(x) >= rank)
    return x;
  IntList shape(rank - rankOf(x), 1);
  llvm::append_range(shape, typeOf(x).getShape());
  if (typeOf(x).getNumDynamicDims() <= 1) {
    llvm::replace(shape, ShapedType::kDynamic, int64_t(-1));
    return make<ReshapeOp>(x, ValueRange(), shape);
  }
  SmallVector<Value> extents;
  for (auto [i, extent] : llvm::enumerate(typeOf(x).getShape()))
    if (ShapedType::isDynamic(extent))
      extents.push_back(make<DimOp>(x, int64_t(i)));
  return make<ReshapeOp>(x, extents, shape);
}

void NodeBuilder::alignRanks(MutableArrayRef<Value> values) {
  int64_t rank = 0;
  for (Value value : values)
    rank = std::max(rank, rankOf(value));
  for (Value &value : values)
    value = alignRank(value, rank);
}

//===----------------------------------------------------------------------===//
// Extents that data decide
//===----------------------------------------------------------------------===//

Value NodeBuilder::counted(Value x, Value count, int64_t axis) {
  if (broken || !x || !count)
    return {};
  int64_t most = typeOf(x).getDimSize(axis);
  if (auto number = known(count))
    return slice(x, axis, 0, std::clamp<int64_t>(number->getInt(0), 0, most));
  return importer.getExtents().prefix(builder, loc, x, count, axis);
}

Value NodeBuilder::nonzero(Value x) {
  if (broken || !x)
    return {};
  if (auto elements = known(x))
    return constant(placesOfNonzero(*elements));
  NonzeroOp node = importer.getExtents().nonzero(builder, loc, x);
  if (!node) {
    broken = true;
    return {};
  }
  return counted(node.getIndices(), node.getCount(), 0);
}

Value NodeBuilder::countOf(Value places) {
  while (places)
    if (auto prefix = places.getDefiningOp<PrefixOp>())
      return prefix.getCount();
    else if (auto reshape = places.getDefiningOp<ReshapeOp>())
      places = reshape.getX();
    else if (auto gather = places.getDefiningOp<GatherOp>())
      places = gather.getIndices();
    else
      return {};
  return {};
}

} // namespace graven::onnx
