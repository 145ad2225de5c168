//===- BlockBuilder.cpp - code of a block of threads ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements BlockBuilder on the NVVM, LLVM and arith dialects.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace graven {

/// Address spaces of NVIDIA's GPUs.
static constexpr unsigned kGlobal = 1, kShared = 3;

// Offsets fit 31 bits, which lets the code generator put constant parts of them
// into addresses.
static constexpr auto kNoWrap = arith::IntegerOverflowFlags::nsw;

Value BlockBuilder::number(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

Value BlockBuilder::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y, kNoWrap);
}

Value BlockBuilder::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y, kNoWrap);
}

Value BlockBuilder::mul(Value x, int64_t y) {
  return b.createOrFold<arith::MulIOp>(loc, x, number(y), kNoWrap);
}

Value BlockBuilder::div(Value x, int64_t y) {
  return b.createOrFold<arith::DivUIOp>(loc, x, number(y));
}

Value BlockBuilder::rem(Value x, int64_t y) {
  return b.createOrFold<arith::RemUIOp>(loc, x, number(y));
}

Value BlockBuilder::bitAnd(Value x, int64_t mask) {
  return b.createOrFold<arith::AndIOp>(loc, x, number(mask));
}

Value BlockBuilder::bitXor(Value x, Value y) {
  return b.createOrFold<arith::XOrIOp>(loc, x, y);
}

Value BlockBuilder::clamp(Value x, int64_t low, int64_t high) {
  Value atLeast = b.createOrFold<arith::MaxSIOp>(loc, x, number(low));
  return b.createOrFold<arith::MinSIOp>(loc, atLeast, number(high));
}

Value BlockBuilder::isLess(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}

Value BlockBuilder::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return b.createOrFold<arith::AndIOp>(loc, x, y);
}

Value BlockBuilder::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}

Value BlockBuilder::toIndex(Value x) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), x);
}

static Value register32(BlockBuilder &u, Value index) {
  return arith::IndexCastOp::create(u.b, u.loc, u.b.getI32Type(), index);
}

Value BlockBuilder::threadId() { return register32(*this, e.threadId()); }

Value BlockBuilder::blockId() { return register32(*this, e.blockId()); }

static LLVM::LLVMPointerType pointerType(OpBuilder &b, unsigned space) {
  return LLVM::LLVMPointerType::get(b.getContext(), space);
}

Value BlockBuilder::pointer(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  Value bits = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  Value generic = LLVM::IntToPtrOp::create(b, loc, pointerType(b, 0), bits);
  Value global =
      LLVM::AddrSpaceCastOp::create(b, loc, pointerType(b, kGlobal), generic);
  return offset == 0 ? global
                     : at(global, number(offset), type.getElementType());
}

Value BlockBuilder::at(Value pointer, Value offset, Type element) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value BlockBuilder::load(Type type, Value pointer, int64_t alignment) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment);
}

void BlockBuilder::store(Value value, Value pointer, int64_t alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}

void BlockBuilder::useShared() {
  auto device =
      b.getInsertionBlock()->getParent()->getParentOfType<gpu::GPUModuleOp>();
  if (!SymbolTable::lookupSymbolIn(device, kSharedMemory)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(device.getBody());
    // Lines of all banks begin at multiples of their size.
    constexpr int64_t alignment = 1024;
    LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                           /*isConstant=*/false, LLVM::Linkage::External,
                           kSharedMemory, /*value=*/Attribute(), alignment,
                           kShared);
  }
  sharedStart =
      LLVM::AddressOfOp::create(b, loc, pointerType(b, kShared), kSharedMemory);
}

Value BlockBuilder::shared(Value offset) {
  return at(sharedStart, offset, b.getI8Type());
}

void BlockBuilder::copyAsync(Value to, Value from, int64_t bytes, Value valid) {
  // Only whole chunks may pass by the first level cache.
  NVVM::CpAsyncOp::create(b, loc, to, from, static_cast<uint32_t>(bytes),
                          bytes == kChunkBytes
                              ? NVVM::LoadCacheModifierKind::CG
                              : NVVM::LoadCacheModifierKind::CA,
                          valid);
}

void BlockBuilder::commitCopies() {
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

void BlockBuilder::waitForCopies(int64_t groups) {
  NVVM::CpAsyncWaitGroupOp::create(b, loc, static_cast<uint32_t>(groups));
}

void BlockBuilder::barrier() { NVVM::BarrierOp::create(b, loc); }

SmallVector<Value> BlockBuilder::membersOf(Value value) {
  auto type = dyn_cast<LLVM::LLVMStructType>(value.getType());
  if (!type)
    return {value};
  SmallVector<Value> members;
  for (int64_t i = 0, count = type.getBody().size(); i < count; ++i)
    members.push_back(LLVM::ExtractValueOp::create(b, loc, value, i));
  return members;
}

SmallVector<Value> BlockBuilder::loadMatrices(Value pointer, int64_t count,
                                              NVVM::MMALayout layout) {
  Type type = b.getI32Type();
  if (count > 1)
    type = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(count, b.getI32Type()));
  auto shape = NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
  return membersOf(NVVM::LdMatrixOp::create(
      b, loc, type, pointer, static_cast<uint32_t>(count), layout, shape,
      NVVM::LdStMatrixEltType::B16));
}

// Rounding to nearest would take instructions more, and the rest would be no
// shorter than what is multiplied of it.
SmallVector<Value> BlockBuilder::splitAll(MutableArrayRef<Value> values) {
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  SmallVector<Value> rests;
  for (Value &bits : values) {
    Value high = bitAnd(bits, int32_t(0xFFFFE000));
    Value rest = arith::SubFOp::create(
        b, loc, arith::BitcastOp::create(b, loc, f32, bits),
        arith::BitcastOp::create(b, loc, f32, high));
    rests.push_back(arith::BitcastOp::create(b, loc, i32, rest));
    bits = high;
  }
  return rests;
}

SmallVector<Value> BlockBuilder::multiplyAdd(ArrayRef<Value> left,
                                             ArrayRef<Value> right,
                                             ArrayRef<Value> sums,
                                             NVVM::MMATypes type) {
  auto operands = [&](ArrayRef<Value> values) {
    SmallVector<Value> all(values);
    auto pair = VectorType::get({2}, b.getF16Type());
    for (Value &value : all)
      if (type == NVVM::MMATypes::f16)
        value = LLVM::BitcastOp::create(b, loc, pair, value);
    return all;
  };
  Type result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  int64_t depth = type == NVVM::MMATypes::tf32 ? 8 : 16;
  auto op = NVVM::MmaOp::create(
      b, loc, result, operands(left), operands(right), sums, {16, 8, depth},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{type, type},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  return membersOf(op.getRes());
}

Value BlockBuilder::sameInWarp(Value x) {
  return NVVM::ShflOp::create(b, loc, x.getType(), number(-1), x, number(0),
                              number(kWarpSize - 1), NVVM::ShflKind::idx,
                              /*return_value_and_is_valid=*/UnitAttr());
}

Value BlockBuilder::sharedAddress() {
  return LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), sharedStart);
}

Value BlockBuilder::descriptor(Value address, int64_t bits) {
  // Of the address 14 bits, in units of 16 bytes.
  Value units = bitAnd(div(address, 16), (1 << 14) - 1);
  Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), units);
  Value form = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(bits));
  return arith::OrIOp::create(b, loc, wide, form);
}

Value BlockBuilder::addWide(Value descriptor, int64_t units) {
  if (units == 0)
    return descriptor;
  Value distance =
      arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(units));
  return arith::AddIOp::create(b, loc, descriptor, distance);
}

Value BlockBuilder::zeroSums(int64_t columns) {
  SmallVector<Type> sums(columns / 2, b.getF32Type());
  return LLVM::ZeroOp::create(
      b, loc, LLVM::LLVMStructType::getLiteral(b.getContext(), sums));
}

void BlockBuilder::publishCopies() {
  NVVM::FenceProxyOp::create(
      b, loc, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(b.getContext(),
                                 NVVM::SharedSpace::shared_cta));
}

void BlockBuilder::beginProducts() {
  NVVM::WgmmaFenceAlignedOp::create(b, loc);
}

Value BlockBuilder::multiplyShared(Value left, Value right, Value sums,
                                   int64_t columns, NVVM::MMATypes type) {
  auto element = type == NVVM::MMATypes::f16 ? NVVM::WGMMATypes::f16
                                             : NVVM::WGMMATypes::bf16;
  return NVVM::WgmmaMmaAsyncOp::create(
      b, loc, sums.getType(), sums, left, right,
      NVVM::MMAShapeAttr::get(b.getContext(), 64, columns, 16), element,
      element, NVVM::WGMMATypes::f32, NVVM::WGMMAScaleOut::one,
      NVVM::WGMMAScaleIn::one, NVVM::WGMMAScaleIn::one, NVVM::MMALayout::row,
      NVVM::MMALayout::row, /*satfinite=*/NVVM::MMAIntOverflowAttr());
}

void BlockBuilder::commitProducts() {
  NVVM::WgmmaGroupSyncAlignedOp::create(b, loc);
}

void BlockBuilder::waitForProducts(int64_t groups) {
  NVVM::WgmmaWaitGroupSyncOp::create(b, loc, groups);
}

} // namespace graven
