//===- BlockEmitter.cpp - what the threads of a block share -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements BlockEmitter.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace graven {

BlockEmitter::BlockEmitter(OpBuilder &builder, Location loc,
                           const TargetInfo &target, MatrixUnits units)
    : Emitter(builder, loc, target), matrixUnits(units) {}

Value BlockEmitter::blockId() {
  return gpu::BlockIdOp::create(builder(), loc(), gpu::Dimension::x);
}

Value BlockEmitter::threadId() {
  return gpu::ThreadIdOp::create(builder(), loc(), gpu::Dimension::x);
}

void BlockEmitter::barrier() { gpu::BarrierOp::create(builder(), loc()); }

Value BlockEmitter::shared(int64_t elements, Type element) {
  auto space = gpu::AddressSpaceAttr::get(builder().getContext(),
                                          gpu::AddressSpace::Workgroup);
  auto type =
      MemRefType::get({elements}, element, MemRefLayoutAttrInterface(), space);
  return builder()
      .getInsertionBlock()
      ->getParent()
      ->getParentOfType<gpu::GPUFuncOp>()
      .addWorkgroupAttribution(type, loc());
}

Value BlockEmitter::exchangeWord(Value word, int32_t distance) {
  return gpu::ShuffleOp::create(builder(), loc(), word, distance, kWarpSize,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value BlockEmitter::exchange(Value value, int32_t distance) {
  OpBuilder &b = builder();
  Type type = value.getType(), word = b.getI32Type(), both = b.getI64Type();
  unsigned width = type.getIntOrFloatBitWidth();
  if (width == 32)
    return exchangeWord(value, distance);
  Type bitsType = b.getIntegerType(width);
  Value bits = value;
  if (type != bitsType)
    bits = arith::BitcastOp::create(b, loc(), bitsType, value);
  if (width < 32) {
    bits = arith::ExtUIOp::create(b, loc(), word, bits);
    bits = arith::TruncIOp::create(b, loc(), bitsType,
                                   exchangeWord(bits, distance));
  } else {
    assert(width == 64 && "wider ones are no elements");
    Value half = arith::ConstantOp::create(b, loc(), b.getI64IntegerAttr(32));
    Value low = arith::TruncIOp::create(b, loc(), word, bits);
    Value high = arith::TruncIOp::create(
        b, loc(), word, arith::ShRUIOp::create(b, loc(), bits, half));
    low = arith::ExtUIOp::create(b, loc(), both, exchangeWord(low, distance));
    high = arith::ExtUIOp::create(b, loc(), both, exchangeWord(high, distance));
    bits = arith::OrIOp::create(
        b, loc(), arith::ShLIOp::create(b, loc(), high, half), low);
  }
  if (type == bitsType)
    return bits;
  return arith::BitcastOp::create(b, loc(), type, bits);
}

Value BlockEmitter::reduce(Value value, int32_t threads, Join join) {
  auto across = [&](Value each, int32_t count) {
    for (int32_t distance = count / 2; distance > 0; distance /= 2)
      each = join(each, exchange(each, distance));
    return each;
  };
  value = across(value, std::min(threads, kWarpSize));
  if (threads <= kWarpSize)
    return value;
  OpBuilder &b = builder();
  int32_t warps = threads / kWarpSize;
  Value ofWarps = shared(warps, value.getType());
  auto [warp, lane] = divRem(expand::Idx(threadId()), kWarpSize);
  ifEqual(
      lane, 0,
      [&] {
        memref::StoreOp::create(b, loc(), value, ofWarps,
                                ValueRange{get(warp)});
      },
      [] {});
  barrier();
  Value other = memref::LoadOp::create(
      b, loc(), ofWarps, ValueRange{get(divRem(lane, warps).second)});
  return across(other, warps);
}

} // namespace graven
