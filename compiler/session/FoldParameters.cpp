//===- FoldParameters.cpp - Nodes of Parameters alone ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the evaluation of Nodes that depend on Parameters alone.
//===----------------------------------------------------------------------===//

#include "compiler/session/FoldParameters.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Export.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace graven {

namespace {

int64_t bytesOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getNumElements() * eval::storageBytes(type.getElementType());
}

/// The elements of a tensor, where they are.
class TensorBuffer : public llvm::MemoryBuffer {
public:
  TensorBuffer(eval::Tensor given, StringRef name)
      : tensor(std::move(given)), name(name) {
    ArrayRef<char> bytes = tensor.getBytes();
    init(bytes.begin(), bytes.end(), /*RequiresNullTerminator=*/false);
  }
  StringRef getBufferIdentifier() const override { return name; }
  BufferKind getBufferKind() const override { return MemoryBuffer_Malloc; }

private:
  eval::Tensor tensor;
  std::string name;
};

/// The blocks of x that have one element of y each, when y broadcasts to x that
/// way: rows of weights and a number for each. 0 for other pairs.
int64_t blockSize(ArrayRef<int64_t> x, ArrayRef<int64_t> y) {
  int64_t block = 1;
  size_t axis = x.size();
  while (axis > 0 && (y.empty() || y[axis - 1] == 1))
    block *= x[--axis];
  return y.empty() || x.take_front(axis) == y.take_front(axis) ? block : 0;
}

template <class F>
void computeBlocks(eval::Tensor &x, const eval::Tensor &y, int64_t block,
                   F &&f) {
  auto *to = reinterpret_cast<float *>(x.getMutableBytes().data());
  const auto *with = reinterpret_cast<const float *>(y.getBytes().data());
  for (int64_t i = 0, e = x.size() / block; i < e; ++i, to += block)
    for (int64_t j = 0; j < block; ++j)
      to[j] = f(to[j], with[i]);
}

/// What the fusion of normalizations makes of weights of f32, computed in the
/// place of the first operand, which nobody else has: these are most of the
/// elements that are folded. Each result is rounded once, as the evaluator
/// rounds it. False, and nothing is done, for other Nodes.
bool computeInPlace(Operation *op, MutableArrayRef<eval::Tensor> operands) {
  if (!isa<MulOp, AddOp, SubOp, DivOp>(op))
    return false;
  eval::Tensor &x = operands[0];
  const eval::Tensor &y = operands[1];
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t block = blockSize(x.getShape(), y.getShape());
  if (!type.getElementType().isF32() || type != x.getType() || block == 0 ||
      x.size() == 0)
    return false;
  if (isa<MulOp>(op))
    computeBlocks(x, y, block, std::multiplies<float>());
  else if (isa<AddOp>(op))
    computeBlocks(x, y, block, std::plus<float>());
  else if (isa<SubOp>(op))
    computeBlocks(x, y, block, std::minus<float>());
  else
    computeBlocks(x, y, block, std::divides<float>());
  return true;
}

class Folder {
public:
  explicit Folder(ModuleOp module)
      : module(module), symbols(module), builder(module.getContext()) {
    module.walk(
        [&](GetParamOp get) { ++readers[get.getParamAttr().getAttr()]; });
  }

  LogicalResult run() {
    auto graph = module.lookupSymbol<GraphOp>("forward");
    if (!graph)
      return success();
    for (Operation &op : llvm::make_early_inc_range(graph.getBody().front()))
      if (isFoldable(&op) && failed(fold(&op)))
        return failure();
    for (AddOp add : llvm::make_early_inc_range(graph.getOps<AddOp>()))
      if (failed(dropZeros(add)))
        return failure();
    for (GroupNormOp norm : graph.getOps<GroupNormOp>())
      if (failed(dropIdle(norm)))
        return failure();
    return success();
  }

private:
  /// Such a reshape stays, because the weights would only look otherwise; what
  /// is folded sees through it.
  static bool isOnlyRank(Operation *op) {
    auto reshape = dyn_cast_or_null<ReshapeOp>(op);
    return reshape && isBroadcastAnyway(reshape);
  }

  static Value sourceOf(Value value) {
    Operation *op = value.getDefiningOp();
    return isOnlyRank(op) ? op->getOperand(0) : value;
  }

  static bool isParam(Value value) {
    return isa_and_nonnull<GetParamOp>(sourceOf(value).getDefiningOp());
  }

  static bool isKnown(Value value) {
    return isParam(value) ||
           isa_and_nonnull<ConstantOp>(sourceOf(value).getDefiningOp());
  }

  /// Constants alone are the canonicalizer's.
  static bool isFoldable(Operation *op) {
    if (!isa<EvaluateInterface>(op) || isa<GetParamOp, ConstantOp>(op) ||
        isa<MatmulOp, ConvOp, ConvTransposeOp, AttentionOp>(op) ||
        op->getNumRegions() || isOnlyRank(op) ||
        !llvm::all_of(op->getOperands(), isKnown) ||
        !llvm::any_of(op->getOperands(), isParam))
      return false;
    int64_t given = 0;
    for (Value operand : op->getOperands())
      given += bytesOf(operand);
    return llvm::all_of(op->getResults(), [&](Value result) {
      return cast<RankedTensorType>(result.getType()).hasStaticShape() &&
             bytesOf(result) <= std::max(given, kSmallBytes);
    });
  }

  /// Whether a Value is a sum of products, perhaps under other axes: one that
  /// begins with 0 and so is never -0, to which adding 0 makes a difference.
  static bool isSumOfProducts(Value value) {
    while (auto reshape = value.getDefiningOp<ReshapeOp>())
      value = reshape.getX();
    return isa_and_nonnull<MatmulOp, ConvOp>(value.getDefiningOp());
  }

  FailureOr<bool> isAll(Value param, double number) {
    auto elements = elementsOf(param);
    if (failed(elements))
      return failure();
    return llvm::all_of(
        llvm::seq<int64_t>(0, elements->size()),
        [&](int64_t i) { return elements->getDouble(i) == number; });
  }

  /// Takes weights of ones and zeros away, which a norm begins with.
  LogicalResult dropIdle(GroupNormOp norm) {
    auto drop = [&](MutableOperandRange operand, double idle) -> LogicalResult {
      if (operand.empty() || !isParam(operand[0].get()))
        return success();
      auto isIdle = isAll(operand[0].get(), idle);
      if (succeeded(isIdle) && *isIdle)
        operand.clear();
      return isIdle;
    };
    // The second range is where the first one left it.
    if (failed(drop(norm.getScaleMutable(), 1)) ||
        failed(drop(norm.getBiasMutable(), 0)))
      return failure();
    return success();
  }

  /// Takes a bias of zeros away.
  LogicalResult dropZeros(AddOp add) {
    for (auto [sum, bias] : {std::pair(add.getA(), add.getB()),
                             std::pair(add.getB(), add.getA())}) {
      if (!isParam(bias) || bytesOf(bias) > kSmallBytes ||
          sum.getType() != add.getType() || !isSumOfProducts(sum) ||
          !isa<FloatType>(
              cast<RankedTensorType>(bias.getType()).getElementType()))
        continue;
      auto isZero = isAll(bias, 0);
      if (failed(isZero))
        return failure();
      if (!*isZero)
        continue;
      add.getResult().replaceAllUsesWith(sum);
      add.erase();
      return success();
    }
    return success();
  }

  LogicalResult fold(Operation *op) {
    SmallVector<eval::Tensor> operands;
    for (Value operand : op->getOperands()) {
      auto tensor = elementsOf(operand);
      if (failed(tensor))
        return failure();
      operands.push_back(std::move(*tensor));
    }
    SmallVector<eval::Tensor> results;
    if (computeInPlace(op, operands)) {
      results.push_back(std::move(operands[0]));
    } else {
      eval::Evaluator evaluator;
      auto computed = evaluator.runNode(op, operands);
      if (failed(computed))
        return failure();
      results = std::move(*computed);
    }
    SmallVector<Operation *> unread;
    std::string name = nameFor(op, unread);
    for (auto [result, tensor] : llvm::zip(op->getResults(), results))
      result.replaceAllUsesWith(declare(op, name, tensor));
    op->erase();
    for (Operation *reader : unread)
      reader->erase();
    return success();
  }

  FailureOr<eval::Tensor> elementsOf(Value value) {
    Value source = sourceOf(value);
    auto shape = cast<RankedTensorType>(value.getType()).getShape();
    if (auto constant = source.getDefiningOp<ConstantOp>())
      return eval::Tensor::fromElements(
                 cast<DenseElementsAttr>(constant.getValue()))
          .reshaped(shape);
    ParamOp param = paramOf(source);
    auto tensor = eval::readParam(param);
    if (failed(tensor))
      return failure();
    if (auto blob = dyn_cast<BlobAttr>(param.getValue());
        blob && bytesOf(value) > kSmallBytes)
      store().release(blob.getFile());
    return tensor->reshaped(shape);
  }

  BlobStore &store() {
    return module.getContext()
        ->getOrLoadDialect<GravenDialect>()
        ->getBlobStore();
  }

  ParamOp paramOf(Value value) {
    return symbols.lookup<ParamOp>(
        value.getDefiningOp<GetParamOp>().getParam());
  }

  /// That of the largest Parameter. Where only this Node reads it, it makes
  /// room, and what reads it is `unread` when the Node is gone.
  std::string nameFor(Operation *op, SmallVectorImpl<Operation *> &unread) {
    Value largest;
    for (Value operand : op->getOperands())
      if (isParam(operand) && (!largest || bytesOf(operand) > bytesOf(largest)))
        largest = operand;
    bool isAlone = true;
    for (Value value : {largest, sourceOf(largest)}) {
      isAlone &= value.hasOneUse();
      if (!llvm::is_contained(unread, value.getDefiningOp()))
        unread.push_back(value.getDefiningOp());
    }
    ParamOp param = paramOf(sourceOf(largest));
    std::string name = param.getSymName().str();
    if (!isAlone || readers.lookup(param.getSymNameAttr()) > 1) {
      unread.clear();
      return name;
    }
    readers.erase(param.getSymNameAttr());
    symbols.erase(param);
    return name;
  }

  Value declare(Operation *op, StringRef name, const eval::Tensor &tensor) {
    MLIRContext *context = module.getContext();
    std::string blob = store().add(
        (name + ".folded").str(), std::make_unique<TensorBuffer>(tensor, name));
    OperationState state(op->getLoc(), ParamOp::getOperationName());
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("type", TypeAttr::get(tensor.getType()));
    state.addAttribute("value",
                       BlobAttr::get(context, blob, 0, tensor.getBytes().size(),
                                     ArrayRef<int64_t>(),
                                     /*bigEndian=*/false));
    Operation *param = Operation::create(state);
    StringAttr symbol = symbols.insert(
        param, Block::iterator(module.lookupSymbol<GraphOp>("forward")));
    ++readers[symbol];
    builder.setInsertionPoint(op);
    return GetParamOp::create(builder, op->getLoc(), tensor.getType(),
                              FlatSymbolRefAttr::get(symbol));
  }

  ModuleOp module;
  SymbolTable symbols;
  /// How many Nodes name a Parameter.
  llvm::DenseMap<StringAttr, unsigned> readers;
  OpBuilder builder;
};

} // namespace

LogicalResult foldParameters(ModuleOp module) { return Folder(module).run(); }

} // namespace graven
