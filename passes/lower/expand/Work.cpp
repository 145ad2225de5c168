//===- Work.cpp - what a kernel computes and moves --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the count of multiplications and bytes of a kernel.

#include "passes/lower/expand/Work.h"

#include "dialects/kernel/AttentionShape.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven::expand {
namespace {

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

int64_t product(ArrayRef<int64_t> extents) { return llvm::product_of(extents); }

int64_t ofProducts(const kernel::ProductShape &shape) {
  return shape.points * shape.block * shape.depth * shape.panel * shape.panels;
}

int64_t ofConv(kernel::ConvOp op) {
  ArrayRef<int64_t> out = shapeOf(op.getOut()), w = shapeOf(op.getW());
  int64_t pixels = out[0] * out[2] * out[3];
  return pixels * w[2] * w[3] * op.getOutChannels() *
         (op.getInChannels() / op.getGroups());
}

int64_t ofDepthwise(kernel::DepthwiseOp op) {
  ArrayRef<int64_t> out = shapeOf(op.getOut()), w = shapeOf(op.getW());
  return out[0] * out[2] * out[3] * w[1] * w[2] * op.getChannels();
}

/// A generic operation contracts when it multiplies two inputs and reduces.
int64_t ofLinalg(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() < 2)
    return 0;
  SmallVector<int64_t> loops = op.getStaticLoopRanges();
  return llvm::is_contained(loops, ShapedType::kDynamic) ? 0 : product(loops);
}

} // namespace

Work workOf(Operation *op) {
  Work work;
  llvm::SmallPtrSet<Value, 8> seen;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (type && type.hasStaticShape() && seen.insert(operand).second)
      work.bytes += type.getNumElements() *
                    llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }
  work.multiplyAdds =
      llvm::TypeSwitch<Operation *, int64_t>(op)
          .Case([](kernel::GemmOp gemm) {
            return product(shapeOf(gemm.getOut())) * shapeOf(gemm.getA())[2];
          })
          .Case([](kernel::ConvOp conv) { return ofConv(conv); })
          .Case([](kernel::DepthwiseOp conv) { return ofDepthwise(conv); })
          .Case([](kernel::WinogradOutputOp stage) {
            return ofProducts(kernel::WinogradShape(stage).products());
          })
          .Case([](kernel::StrassenOutputOp stage) {
            return ofProducts(kernel::StrassenShape(stage).products());
          })
          .Case([](kernel::AttentionOp attention) {
            kernel::AttentionShape shape(attention);
            return shape.batch * shape.heads * shape.rows * shape.keys *
                   (shape.depth + shape.columns);
          })
          .Case([](linalg::LinalgOp linalgOp) { return ofLinalg(linalgOp); })
          .Default([](Operation *) { return 0; });
  return work;
}

} // namespace graven::expand
