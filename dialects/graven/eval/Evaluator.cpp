//===- Evaluator.cpp - the reference evaluator ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements running a Graph Node by Node, and the meaning of the ops
// that hold Blocks.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Evaluator.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace graven {
namespace eval {

/// Calls of Graphs nested deeper than this are refused: recursion never ends.
static constexpr unsigned maxDepth = 64;

FailureOr<SmallVector<Tensor>> Evaluator::run(GraphOp graph,
                                              ArrayRef<Tensor> inputs) {
  Block &block = graph.getBody().front();
  if (block.getNumArguments() != inputs.size())
    return graph.emitError("takes ")
           << block.getNumArguments() << " inputs, got " << inputs.size();
  for (auto [i, input] : llvm::enumerate(inputs))
    if (!isRefinementOf(TypeRange(ArrayRef<Type>(input.getType())),
                        TypeRange(block.getArgumentTypes()[i])))
      return graph.emitError("input '")
             << graph.getInputName(i) << "' has type "
             << block.getArgumentTypes()[i] << ", got " << input.getType();
  if (depth >= maxDepth)
    return graph.emitError("is called recursively");
  ++depth;
  auto outputs = runBlock(block, inputs);
  --depth;
  return outputs;
}

FailureOr<SmallVector<Tensor>> Evaluator::runBlock(Block &block,
                                                   ArrayRef<Tensor> arguments) {
  for (auto [argument, tensor] : llvm::zip(block.getArguments(), arguments))
    values[argument] = tensor;
  // A value dies after its last use in this Block, so that memory stays near
  // the peak of what is live.
  llvm::DenseMap<Operation *, SmallVector<Value>> dying;
  for (Operation &node : block)
    for (Value result : node.getResults()) {
      Operation *last = &node;
      for (Operation *user : result.getUsers()) {
        Operation *here = block.findAncestorOpInBlock(*user);
        if (last->isBeforeInBlock(here))
          last = here;
      }
      dying[last].push_back(result);
    }
  for (Operation &node : block.without_terminator()) {
    SmallVector<Tensor> operands;
    for (Value operand : node.getOperands())
      operands.push_back(values.at(operand));
    auto results = runNode(&node, operands);
    if (failed(results))
      return failure();
    for (auto [value, tensor] : llvm::zip(node.getResults(), *results))
      values[value] = std::move(tensor);
    for (Value value : dying[&node])
      values.erase(value);
  }
  SmallVector<Tensor> yielded;
  for (Value operand : block.getTerminator()->getOperands())
    yielded.push_back(values.at(operand));
  return yielded;
}

namespace {
/// A copy of a Node whose operand and result types are those of actual tensors.
/// Inferring its types checks at run time what unknown extents left open.
class SpecialisedNode {
public:
  SpecialisedNode(Operation *node, ArrayRef<Tensor> operands) {
    IRMapping mapping;
    for (auto [operand, tensor] : llvm::zip(node->getOperands(), operands))
      if (!mapping.contains(operand))
        mapping.map(operand,
                    arguments.addArgument(tensor.getType(), node->getLoc()));
    copy = node->clone(mapping);
  }
  ~SpecialisedNode() { copy->destroy(); }

  LogicalResult infer() {
    SmallVector<Type> types;
    if (failed(cast<InferTypeOpInterface>(copy).inferReturnTypes(
            copy->getContext(), copy->getLoc(), copy->getOperands(),
            copy->getDiscardableAttrDictionary(), copy->getPropertiesStorage(),
            copy->getRegions(), types)))
      return failure();
    for (auto [result, type] : llvm::zip(copy->getResults(), types))
      result.setType(type);
    return success();
  }
  Operation *get() { return copy; }

private:
  Block arguments;
  Operation *copy;
};
} // namespace

/// Tensors larger than this are refused rather than allocated.
static constexpr int64_t maxBytes = int64_t(1) << 36;

static LogicalResult checkSize(Operation *node) {
  for (Type type : node->getResultTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    auto count = elementCount(tensor.getShape());
    if (tensor.hasStaticShape() &&
        (!count || *count > maxBytes / storageBytes(tensor.getElementType())))
      return node->emitOpError("gives ")
             << type << ", more than the evaluator's limit of " << maxBytes
             << " bytes";
  }
  return success();
}

FailureOr<SmallVector<Tensor>> Evaluator::runNode(Operation *node,
                                                  ArrayRef<Tensor> operands) {
  auto op = dyn_cast<EvaluateInterface>(node);
  if (!op)
    return node->emitError("has no meaning to the evaluator");
  auto isStatic = [](Type type) {
    return cast<RankedTensorType>(type).hasStaticShape();
  };
  if (!isa<InferTypeOpInterface>(node) ||
      llvm::all_of(node->getOperandTypes(), isStatic)) {
    if (failed(checkSize(node)))
      return failure();
    return op.evaluate(operands, *this);
  }
  SpecialisedNode specialised(node, operands);
  if (failed(specialised.infer()) || failed(checkSize(specialised.get())))
    return failure();
  return cast<EvaluateInterface>(specialised.get()).evaluate(operands, *this);
}

FailureOr<Tensor> Evaluator::prepared(Operation *user, int64_t output) {
  auto graph = SymbolTable::lookupNearestSymbolFrom<GraphOp>(
      user, StringAttr::get(user->getContext(), "prepare"));
  if (!graph)
    return user->emitError("reads an output of @prepare, which is not there");
  auto known = outputs.find(graph);
  if (known == outputs.end()) {
    auto results = run(graph, {});
    if (failed(results))
      return failure();
    known = outputs.try_emplace(graph, std::move(*results)).first;
  }
  return known->second[output];
}

/// Row-major copy of a strided, perhaps byte-swapped view.
static Tensor gatherBlob(RankedTensorType type, StringRef bytes,
                         BlobAttr blob) {
  Tensor tensor(type);
  int64_t width = storageBytes(type.getElementType());
  SmallVector<int64_t> strides(blob.getStrides());
  if (strides.empty())
    strides = stridesOf(type.getShape());
  char *to = tensor.getMutableBytes().data();
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    int64_t offset = 0;
    for (auto [i, stride] : llvm::zip(index, strides))
      offset += i * stride;
    const char *from = bytes.data() + offset * width;
    if (blob.getBigEndian())
      std::reverse_copy(from, from + width, to);
    else
      std::copy(from, from + width, to);
    to += width;
  });
  return tensor;
}

FailureOr<Tensor> readParam(Operation *op) {
  auto param = cast<ParamOp>(op);
  RankedTensorType type = param.getTensorType();
  if (auto elements = dyn_cast<DenseElementsAttr>(param.getValue()))
    return Tensor::fromElements(elements);
  auto blob = dyn_cast<BlobAttr>(param.getValue());
  if (!blob)
    return op->emitError("has a value of an unsupported kind");
  auto &store = cast<GravenDialect>(op->getDialect())->getBlobStore();
  auto bytes = store.read(blob.getFile(), blob.getOffset(), blob.getLength());
  if (!bytes)
    return emitCoded(op->getLoc(), Code::BadTensor)
           << llvm::toString(bytes.takeError());
  if (blob.getStrides().empty() && !blob.getBigEndian()) {
    size_t size =
        *elementCount(type.getShape()) * storageBytes(type.getElementType());
    return Tensor::fromBytes(
        type, ArrayRef(bytes->data(), bytes->size()).take_front(size));
  }
  Tensor tensor = gatherBlob(type, *bytes, blob);
  return type.getElementType().isInteger(1)
             ? Tensor::fromBytes(type, tensor.getBytes())
             : tensor;
}

} // namespace eval

using eval::Evaluator;
using eval::Tensor;
using Tensors = SmallVector<Tensor>;

FailureOr<Tensors> GetParamOp::evaluate(ArrayRef<Tensor>,
                                        Evaluator &evaluator) {
  auto param =
      SymbolTable::lookupNearestSymbolFrom<ParamOp>(*this, getParamAttr());
  if (!param)
    return emitOpError("names no Parameter");
  auto prepared = dyn_cast<PreparedAttr>(param.getValue());
  auto tensor = prepared ? evaluator.prepared(*this, prepared.getOutput())
                         : eval::readParam(param);
  if (failed(tensor))
    return failure();
  return Tensors{*tensor};
}

FailureOr<Tensors> ConstantOp::evaluate(ArrayRef<Tensor>, Evaluator &) {
  auto elements = dyn_cast<DenseElementsAttr>(getValue());
  if (!elements)
    return emitOpError("has a value of an unsupported kind");
  return Tensors{Tensor::fromElements(elements)};
}

FailureOr<Tensors> CallOp::evaluate(ArrayRef<Tensor> operands,
                                    Evaluator &evaluator) {
  auto graph =
      SymbolTable::lookupNearestSymbolFrom<GraphOp>(*this, getCalleeAttr());
  if (!graph)
    return emitOpError("names no graph");
  return evaluator.run(graph, operands);
}

FailureOr<Tensors> IfOp::evaluate(ArrayRef<Tensor> operands,
                                  Evaluator &evaluator) {
  Region &taken = operands[0].getUnsigned(0) ? getThenBlock() : getElseBlock();
  return evaluator.runBlock(taken.front(), {});
}

FailureOr<Tensors> FusionOp::evaluate(ArrayRef<Tensor> operands,
                                      Evaluator &evaluator) {
  return evaluator.runBlock(getBody().front(), operands);
}

/// Slices of equal shape stacked on a new axis 0; `type` gives the shape when
/// there are none.
static FailureOr<Tensor> stack(LoopOp loop, ArrayRef<Tensor> slices,
                               RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = slices.size();
  for (int64_t axis = 1; axis < type.getRank(); ++axis)
    shape[axis] = slices.empty() ? std::max<int64_t>(shape[axis], 0)
                                 : slices.front().getDim(axis - 1);
  Tensor stacked(RankedTensorType::get(shape, type.getElementType()));
  char *to = stacked.getMutableBytes().data();
  for (const Tensor &slice : slices) {
    if (slice.getShape() != slices.front().getShape())
      return loop.emitOpError("stacks slices of different shapes");
    to = llvm::copy(slice.getBytes(), to);
  }
  return stacked;
}

FailureOr<Tensors> LoopOp::evaluate(ArrayRef<Tensor> operands,
                                    Evaluator &evaluator) {
  size_t next = 0;
  int64_t trip = getTrip() ? operands[next++].getInt(0)
                           : std::numeric_limits<int64_t>::max();
  bool running = getCond() ? operands[next++].getUnsigned(0) : true;
  Tensors carried(operands.drop_front(next));
  SmallVector<Tensors> slices(getStacked().size());
  for (int64_t iteration = 0; iteration < trip && running; ++iteration) {
    Tensor index(RankedTensorType::get({}, IntegerType::get(getContext(), 64)));
    index.set(0, iteration);
    Tensors arguments{index};
    llvm::append_range(arguments, carried);
    auto yielded = evaluator.runBlock(getBody().front(), arguments);
    if (failed(yielded))
      return failure();
    running = (*yielded)[0].getUnsigned(0);
    for (size_t i = 0; i < carried.size(); ++i)
      carried[i] = (*yielded)[1 + i];
    for (size_t i = 0; i < slices.size(); ++i)
      slices[i].push_back((*yielded)[1 + carried.size() + i]);
  }
  for (auto [list, result] : llvm::zip(slices, getStacked())) {
    auto stacked = stack(*this, list, cast<RankedTensorType>(result.getType()));
    if (failed(stacked))
      return failure();
    carried.push_back(*stacked);
  }
  return carried;
}

} // namespace graven
