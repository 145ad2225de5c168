//===- GravenToKernel.cpp - the graph as kernels on tensors ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that turns a Graph into a function of kernel
// and linalg ops in destination style. Inputs and Parameters become arguments;
// the checks of indices become one more result.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/graph/Explain.h"
#include "passes/lower/CarryStatus.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"

namespace graven {
#define GEN_PASS_DEF_GRAVENTOKERNEL
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {

void populateNodeLowering(RewritePatternSet &patterns,
                          const TargetInfo &target) {
  populateElementwiseLowering(patterns);
  populateMovementLowering(patterns);
  populateIndexedLowering(patterns);
  populateDetectionLowering(patterns);
  populateMatmulLowering(patterns, target);
  populateConvLowering(patterns, target);
  populateAttentionLowering(patterns, target);
  populateRecurrentLowering(patterns, target);
  populateReductionLowering(patterns);
  populateArgReduceLowering(patterns);
  populateScanLowering(patterns);
  populatePoolingLowering(patterns);
  populateNormLowering(patterns);
  populateResizeLowering(patterns);
  populateNonzeroLowering(patterns);
  populateTopKLowering(patterns);
  populateControlLowering(patterns, target);
}

namespace {

/// Every extent is needed as a number; the first unknown one of each Node is
/// reported.
LogicalResult checkStatic(GraphOp graph) {
  LogicalResult result = success();
  auto check = [&](Location loc, Value value, const Twine &what) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (type && type.hasStaticShape())
      return;
    emitCoded(loc, Code::DynamicShape)
        << what << " has type " << value.getType()
        << "; give the extents of the model's inputs with --input";
    result = failure();
  };
  for (auto [i, argument] :
       llvm::enumerate(graph.getBody().front().getArguments()))
    check(graph.getLoc(), argument, "input '" + graph.getInputName(i) + "'");
  if (failed(result))
    return result;
  graph.walk([&](Operation *node) {
    for (Value value : node->getResults())
      check(node->getLoc(), value,
            "result of '" + node->getName().getStringRef() + "'");
  });
  return result;
}

/// Reads of Parameters become arguments of the Graph, one for each Parameter.
void liftParams(GraphOp graph) {
  llvm::MapVector<StringRef, SmallVector<GetParamOp>> reads;
  graph.walk([&](GetParamOp op) { reads[op.getParam()].push_back(op); });
  Block &block = graph.getBody().front();
  OpBuilder builder(graph.getContext());
  for (auto &[name, ops] : reads) {
    unsigned index = block.getNumArguments();
    Type type = ops.front().getType();
    auto attrs = builder.getDictionaryAttr(
        builder.getNamedAttr(paramAttrName, builder.getStringAttr(name)));
    (void)graph.insertArgument(index, type, attrs, ops.front().getLoc());
    for (GetParamOp op : ops) {
      op.replaceAllUsesWith(block.getArgument(index));
      op.erase();
    }
  }
}

struct LowerGraph : OpConversionPattern<GraphOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GraphOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const final {
    TypeConverter::SignatureConversion signature(op.getArgumentTypes().size());
    SmallVector<Type> inputs, results;
    for (auto [i, type] : llvm::enumerate(op.getArgumentTypes())) {
      inputs.push_back(boundaryType(type));
      signature.addInputs(i, boundaryType(type));
    }
    for (Type type : op.getResultTypes())
      results.push_back(boundaryType(type));
    auto function =
        func::FuncOp::create(rewriter, op.getLoc(), op.getSymName(),
                             rewriter.getFunctionType(inputs, results));
    if (op.getArgAttrsAttr())
      function.setArgAttrsAttr(op.getArgAttrsAttr());
    if (op.getResAttrsAttr())
      function.setResAttrsAttr(op.getResAttrsAttr());
    rewriter.inlineRegionBefore(op.getBody(), function.getBody(),
                                function.end());
    rewriter.applySignatureConversion(&function.getBody().front(), signature);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerReturn : OpConversionPattern<ReturnOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ReturnOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Value> outputs;
    for (auto [output, value] :
         llvm::zip(op.getOutputs(), adaptor.getOutputs())) {
      RankedTensorType type = boundaryType(output.getType());
      outputs.push_back(isEmpty(type) ? emptyTensor(rewriter, op.getLoc(),
                                                    type.getShape(),
                                                    type.getElementType())
                                      : value);
    }
    rewriter.replaceOpWithNewOp<func::ReturnOp>(op, outputs);
    return success();
  }
};

/// Turns "failed to legalize" into a coded error at the Node, unless its
/// lowering has given one already.
class ExplainRefusals : public ScopedDiagnosticHandler {
public:
  explicit ExplainRefusals(MLIRContext *context)
      : ScopedDiagnosticHandler(context) {
    setHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      std::string text = diagnostic.str();
      StringRef rest = text;
      if (!rest.consume_front("failed to legalize operation ")) {
        explained = true;
        return failure();
      }
      if (!explained)
        emitCoded(diagnostic.getLocation(), Code::UnsupportedFeature)
            << "no native code for " << rest.split(" that was").first;
      explained = true;
      return success();
    });
  }

private:
  bool explained = false;
};

class GravenToKernelPass : public impl::GravenToKernelBase<GravenToKernelPass> {
public:
  using GravenToKernelBase::GravenToKernelBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    TargetInfo target = targetOf(vectorBytes, vectorRegisters, fma, l2Bytes,
                                 bf16Dot, f16Convert, processor);
    for (GraphOp graph : module.getOps<GraphOp>()) {
      if (failed(checkStatic(graph)))
        return signalPassFailure();
      liftParams(graph);
      replaceEmptyValues(graph);
    }
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    populateNodeLowering(patterns, target);
    patterns.add<LowerGraph, LowerReturn>(context);
    ConversionTarget legal(*context);
    legal.addLegalDialect<arith::ArithDialect, func::FuncDialect,
                          kernel::KernelDialect, linalg::LinalgDialect,
                          math::MathDialect, scf::SCFDialect,
                          tensor::TensorDialect>();
    legal.addIllegalDialect<GravenDialect>();
    legal.addLegalOp<ModuleOp, ParamOp>();
    ExplainRefusals explain(context);
    auto listener = explainConversion(*this, module);
    ConversionConfig config;
    config.listener = listener.get();
    if (failed(
            applyPartialConversion(module, legal, std::move(patterns), config)))
      return signalPassFailure();
    module.walk([](scf::WhileOp loop) { loop->removeAttr(stacksAttrName); });
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      returnStatus(function);
  }
};

} // namespace

std::unique_ptr<Pass> createGravenToKernel(const TargetInfo &target) {
  return createGravenToKernel(optionsOf<GravenToKernelOptions>(target));
}

} // namespace graven
