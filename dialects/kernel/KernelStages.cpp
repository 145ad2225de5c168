//===- KernelStages.cpp - verifiers of the staged kernels -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verifiers and the memory effects of the kernels in
// two stages and of the stages.

#include "dialects/kernel/KernelVerify.h"
#include "dialects/kernel/StageShapes.h"

using namespace mlir;

namespace graven::kernel {

using namespace verify;

namespace {

LogicalResult verifyTiling(Operation *op, const WinogradShape &shape) {
  if (!getElementTypeOrSelf(op->getOperand(0)).isF32())
    return op->emitOpError("C1: expects f32, got ")
           << getElementTypeOrSelf(op->getOperand(0));
  if (shape.tile != 2 && shape.tile != 4)
    return op->emitOpError("C3: expects tiles of 2 or 4 pixels, got ")
           << shape.tile;
  if (shape.block < 1)
    return op->emitOpError("C3: expects blocks of at least one tile, got ")
           << shape.block;
  if (shape.inChannels < 1 || shape.outChannels < 1)
    return op->emitOpError("C2: expects at least one channel, got ")
           << shape.inChannels << " and " << shape.outChannels;
  if (shape.panel < 1 || shape.panel % kChannelBlock != 0)
    return op->emitOpError("C4: expects panels of a multiple of 16 channels, "
                           "got ")
           << shape.panel;
  return success();
}

LogicalResult verifyInput(Operation *op, Value x, const WinogradShape &shape) {
  int64_t size = shape.size(), tile = shape.tile;
  if (failed(verifyShape(op, "C2", "x", x,
                         {shape.batch, shape.inBlocks(), shapeOf(x)[2],
                          shapeOf(x)[3], kChannelBlock})) ||
      failed(
          verifyWindow(op, "C2", shapeOf(x)[2], shape.down(), tile, 1, size)) ||
      failed(
          verifyWindow(op, "C2", shapeOf(x)[3], shape.across(), tile, 1, size)))
    return failure();
  return success();
}

/// The operands of the second stage, alone or of the whole.
template <typename OpTy>
LogicalResult verifyOutput(OpTy op, const WinogradShape &shape) {
  if (op.getMr() < 1)
    return op.emitOpError("C3: expects mr >= 1, got ") << op.getMr();
  if (op.getPool() != 1 && op.getPool() != 2)
    return op.emitOpError("C6: expects a pool of 1 or 2, got ") << op.getPool();
  if (op.getWhole() && op.getPool() == 1)
    return op.emitOpError("C6: expects 'whole' beside a pool only");
  SmallVector<int64_t> pixels = shape.pixels(), pooled(pixels);
  pooled[2] /= op.getPool();
  pooled[3] /= op.getPool();
  if (failed(verifyShape(
          op, "C2", "w", op.getW(),
          {shape.panels(), shape.points(), shape.inChannels, shape.panel})) ||
      failed(verifyShape(op, "C2", "out", op.getOut(), pooled)) ||
      failed(verifyShape(op, "C2", "scratch", op.getScratch(),
                         {shape.products().scratchSize()})))
    return failure();
  if (op.getWhole() &&
      failed(verifyShape(op, "C2", "whole", op.getWhole(), pixels)))
    return failure();
  return verifyEpilogue(op, "C4", op.getEpilogue(), pixels, op.getOut(),
                        shape.outChannels, op.getBody());
}

LogicalResult verifyStrassen(Operation *op, const StrassenShape &shape) {
  if (!getElementTypeOrSelf(op->getOperand(0)).isF32())
    return op->emitOpError("C1: expects f32, got ")
           << getElementTypeOrSelf(op->getOperand(0));
  if (shape.block < 1)
    return op->emitOpError("C3: expects blocks of at least one row, got ")
           << shape.block;
  if (shape.rows < 1 || shape.depth < 2 || shape.depth % 2 != 0 ||
      shape.panel < 1 || shape.columns <= shape.panel)
    return op->emitOpError("C2: expects rows, an even depth and more than one "
                           "panel of columns, got ")
           << shape.rows << ", " << shape.depth << " and " << shape.columns
           << " columns in panels of " << shape.panel;
  return success();
}

/// The operands of the second stage, alone or of the whole.
template <typename OpTy>
LogicalResult verifyStrassenOutput(OpTy op, const StrassenShape &shape) {
  if (op.getMr() < 1)
    return op.emitOpError("C3: expects mr >= 1, got ") << op.getMr();
  if (failed(verifyShape(op, "C2", "b", op.getB(),
                         {shape.panels(), 7, shape.depth / 2, shape.panel})) ||
      failed(verifyShape(op, "C2", "out", op.getOut(),
                         {1, shape.rows, shape.columns})) ||
      failed(verifyShape(op, "C2", "scratch", op.getScratch(),
                         {shape.products().scratchSize()})))
    return failure();
  return verifyEpilogue(op, "C4", op.getEpilogue(), op.getOut(), shape.columns,
                        op.getBody());
}

} // namespace

LogicalResult StrassenOp::verify() {
  if (failed(verifyDestination(*this, getDpsInits())) ||
      failed(verifyRank(*this, "a", getA(), 3)) ||
      failed(verifyRank(*this, "b", getB(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 3)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)) ||
      failed(verifyElementTypes(*this)))
    return failure();
  StrassenShape shape(*this);
  if (failed(verifyStrassen(*this, shape)) ||
      failed(
          verifyShape(*this, "C2", "a", getA(), {1, shape.rows, shape.depth})))
    return failure();
  return verifyStrassenOutput(*this, shape);
}

LogicalResult StrassenInputOp::verify() {
  if (failed(verifyRank(*this, "a", getA(), 3)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)))
    return failure();
  StrassenShape shape(*this);
  if (failed(verifyStrassen(*this, shape)))
    return failure();
  return verifyShape(*this, "C2", "scratch", getScratch(),
                     {shape.products().scratchSize()});
}

LogicalResult StrassenOutputOp::verify() {
  if (failed(verifyRank(*this, "b", getB(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 3)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)))
    return failure();
  StrassenShape shape(*this);
  if (failed(verifyStrassen(*this, shape)))
    return failure();
  return verifyStrassenOutput(*this, shape);
}

LogicalResult WinogradOp::verify() {
  if (failed(verifyDestination(*this, getDpsInits())) ||
      failed(verifyRank(*this, "x", getX(), 5)) ||
      failed(verifyRank(*this, "w", getW(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 5)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)) ||
      failed(verifyElementTypes(*this)))
    return failure();
  WinogradShape shape(*this);
  if (failed(verifyTiling(*this, shape)) ||
      failed(verifyInput(*this, getX(), shape)))
    return failure();
  return verifyOutput(*this, shape);
}

LogicalResult WinogradInputOp::verify() {
  if (failed(verifyRank(*this, "x", getX(), 5)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)) ||
      failed(verifyEntries(*this, "C2", "extents", getExtents(), 2, 1)))
    return failure();
  WinogradShape shape(*this);
  if (failed(verifyTiling(*this, shape)) ||
      failed(verifyInput(*this, getX(), shape)))
    return failure();
  return verifyShape(*this, "C2", "scratch", getScratch(),
                     {shape.products().scratchSize()});
}

LogicalResult WinogradOutputOp::verify() {
  if (failed(verifyRank(*this, "w", getW(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 5)) ||
      failed(verifyRank(*this, "scratch", getScratch(), 1)))
    return failure();
  WinogradShape shape(*this);
  if (failed(verifyTiling(*this, shape)))
    return failure();
  return verifyOutput(*this, shape);
}

using Effects = SmallVectorImpl<MemoryEffects::EffectInstance>;

void StrassenOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
}

void StrassenInputOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
}

void StrassenOutputOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
  effects.emplace_back(MemoryEffects::Read::get(), &getScratchMutable(),
                       SideEffects::DefaultResource::get());
}

void WinogradOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
}

void WinogradInputOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
}

void WinogradOutputOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
  effects.emplace_back(MemoryEffects::Read::get(), &getScratchMutable(),
                       SideEffects::DefaultResource::get());
}

} // namespace graven::kernel
