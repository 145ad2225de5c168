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

class Folder {
public:
  explicit Folder(ModuleOp module)
      : module(module), symbols(module), builder(module.getContext()) {}

  LogicalResult run() {
    auto graph = module.lookupSymbol<GraphOp>("forward");
    if (!graph)
      return success();
    for (Operation &op : llvm::make_early_inc_range(graph.getBody().front()))
      if (isFoldable(&op) && failed(fold(&op)))
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

  LogicalResult fold(Operation *op) {
    SmallVector<eval::Tensor> operands;
    for (Value operand : op->getOperands()) {
      auto tensor = elementsOf(operand);
      if (failed(tensor))
        return failure();
      operands.push_back(std::move(*tensor));
    }
    eval::Evaluator evaluator;
    auto results = evaluator.runNode(op, operands);
    if (failed(results))
      return failure();
    std::string name = nameFor(op);
    for (auto [result, tensor] : llvm::zip(op->getResults(), *results))
      result.replaceAllUsesWith(declare(op, name, tensor));
    op->erase();
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
  /// room.
  std::string nameFor(Operation *op) {
    Value largest;
    for (Value operand : op->getOperands())
      if (isParam(operand) && (!largest || bytesOf(operand) > bytesOf(largest)))
        largest = sourceOf(operand);
    ParamOp param = paramOf(largest);
    std::string name = param.getSymName().str();
    auto uses = SymbolTable::getSymbolUses(param, module);
    if (largest.hasOneUse() && uses && llvm::hasSingleElement(*uses))
      (void)symbols.renameToUnique(param, {});
    return name;
  }

  Value declare(Operation *op, StringRef name, const eval::Tensor &tensor) {
    MLIRContext *context = module.getContext();
    llvm::StringRef bytes(tensor.getBytes().data(), tensor.getBytes().size());
    std::string blob =
        store().add((name + ".folded").str(),
                    llvm::MemoryBuffer::getMemBufferCopy(bytes, name));
    OperationState state(op->getLoc(), ParamOp::getOperationName());
    state.addAttribute("sym_name", builder.getStringAttr(name));
    state.addAttribute("type", TypeAttr::get(tensor.getType()));
    state.addAttribute("value", BlobAttr::get(context, blob, 0, bytes.size(),
                                              ArrayRef<int64_t>(),
                                              /*bigEndian=*/false));
    Operation *param = Operation::create(state);
    StringAttr symbol = symbols.insert(
        param, Block::iterator(module.lookupSymbol<GraphOp>("forward")));
    builder.setInsertionPoint(op);
    return GetParamOp::create(builder, op->getLoc(), tensor.getType(),
                              FlatSymbolRefAttr::get(symbol));
  }

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder builder;
};

} // namespace

LogicalResult foldParameters(ModuleOp module) { return Folder(module).run(); }

} // namespace graven
