//===- ReturnStatus.cpp - the status as the function's result -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that turns the output marked `graven.status`
// into a return code.
//===----------------------------------------------------------------------===//

#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "passes/memory/Passes.h"
#include "runtime/include/graven/runtime.h"

namespace graven {
#define GEN_PASS_DEF_RETURNSTATUS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class ReturnStatusPass : public impl::ReturnStatusBase<ReturnStatusPass> {
public:
  using ReturnStatusBase::ReturnStatusBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (function.getArgAttr(i, statusAttrName))
        return convert(function, i);
  }

private:
  /// The flag moves to the end of the workspace; the function returns what it
  /// says.
  void convert(func::FuncOp function, unsigned index) {
    OpBuilder builder(function.getBody());
    Location loc = function.getLoc();
    auto size = function->getAttrOfType<IntegerAttr>(kWorkspaceSizeAttr);
    auto outputs = function->getAttrOfType<IntegerAttr>(kNumOutputsAttr);
    if (!size || !outputs) {
      emitCoded(loc, Code::Internal)
          << "return-status: @" << function.getSymName()
          << " has a status, but not the attributes of the buffer phase";
      return signalPassFailure();
    }
    BlockArgument flag = function.getArgument(index),
                  workspace =
                      function.getArgument(function.getNumArguments() - 2);
    int64_t offset = size.getInt(), grown = offset + 64;
    auto arena = MemRefType::get({grown}, builder.getI8Type());
    workspace.setType(arena);
    Value position = arith::ConstantIndexOp::create(builder, loc, offset);
    Value view =
        memref::ViewOp::create(builder, loc, cast<MemRefType>(flag.getType()),
                               workspace, position, ValueRange());
    flag.replaceAllUsesWith(view);
    auto terminator =
        cast<func::ReturnOp>(function.getBody().front().getTerminator());
    builder.setInsertionPoint(terminator);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value raised = memref::LoadOp::create(builder, loc, view, zero);
    auto number = [&](int32_t v) -> Value {
      return arith::ConstantOp::create(builder, loc,
                                       builder.getI32IntegerAttr(v));
    };
    auto has = [&](int32_t bits) -> Value {
      Value found = arith::AndIOp::create(builder, loc, raised, number(bits));
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                   found, number(0));
    };
    Value status = arith::SelectOp::create(builder, loc, has(kTripCountDiffers),
                                           number(GRAVEN_ERROR_CHECK_FAILED),
                                           number(GRAVEN_OK));
    status = arith::SelectOp::create(builder, loc, has(kIndexOutOfRange),
                                     number(GRAVEN_ERROR_INDEX_OUT_OF_RANGE),
                                     status);
    terminator.getOperandsMutable().append(status);
    SmallVector<Type> inputs(function.getBody().front().getArgumentTypes());
    function.setType(builder.getFunctionType(inputs, builder.getI32Type()));
    (void)function.eraseArgument(index);
    function->setAttr(kWorkspaceSizeAttr, builder.getI64IntegerAttr(grown));
    function->setAttr(kNumOutputsAttr,
                      builder.getI64IntegerAttr(outputs.getInt() - 1));
    ++numStatuses;
  }
};

} // namespace
} // namespace graven
