//===- FlatLaunch.cpp - launches as graven-map-to-threads makes -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what passes over launches read off them.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/FlatLaunch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven::cuda {

std::optional<FlatLaunch> FlatLaunch::get(gpu::LaunchFuncOp op) {
  APInt blocks, threads, sharedBytes(32, 0);
  if (!matchPattern(op.getGridSizeX(), m_ConstantInt(&blocks)) ||
      !matchPattern(op.getBlockSizeX(), m_ConstantInt(&threads)) ||
      !llvm::all_of(ValueRange{op.getGridSizeY(), op.getGridSizeZ(),
                               op.getBlockSizeY(), op.getBlockSizeZ()},
                    [](Value extent) { return matchPattern(extent, m_One()); }))
    return std::nullopt;
  Value size = op.getDynamicSharedMemorySize();
  if (size && !matchPattern(size, m_ConstantInt(&sharedBytes)))
    return std::nullopt;
  return FlatLaunch{blocks.getSExtValue(), threads.getSExtValue(),
                    sharedBytes.getSExtValue()};
}

Value addressOf(OpBuilder &b, Location loc, Value memref) {
  Value index = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
}

} // namespace graven::cuda
