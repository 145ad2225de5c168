//===- Emitter.cpp - index, vector and loop emission ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Emitter, which the kernel expanders write scf, vector,
// memref and arith operations with.

#include "passes/lower/expand/Emitter.h"

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/math/Functions.h"

using namespace mlir;

namespace graven::expand {

Split::Split(int64_t total, int64_t largest)
    : count(std::max<int64_t>(1, (total + largest - 1) / largest)),
      base(total / count), extra(total % count) {}

Emitter::Emitter(OpBuilder &builder, Location loc, const TargetInfo &target)
    : b(builder), location(loc), targetInfo(target),
      entry(builder.getInsertionBlock()) {
  Operation *parent = entry->getParentOp();
  while (parent && !isa<FunctionOpInterface>(parent)) {
    entry = parent->getBlock();
    parent = parent->getParentOp();
  }
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value Emitter::constant(int64_t value) {
  Value &cached = constants[value];
  if (!cached) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    cached = arith::ConstantIndexOp::create(b, location, value);
  }
  return cached;
}

Value Emitter::get(Idx index) {
  if (!index.value)
    return constant(index.offset);
  if (index.offset == 0)
    return index.value;
  return arith::AddIOp::create(b, location, index.value,
                               constant(index.offset));
}

Idx Emitter::add(Idx a, Idx b2) {
  if (!a.value)
    return Idx(b2.value, a.offset + b2.offset);
  if (!b2.value)
    return Idx(a.value, a.offset + b2.offset);
  return Idx(arith::AddIOp::create(b, location, a.value, b2.value),
             a.offset + b2.offset);
}

Idx Emitter::mul(Idx a, int64_t factor) {
  if (!a.value || factor == 0)
    return Idx(a.offset * factor);
  if (factor == 1)
    return a;
  return Idx(arith::MulIOp::create(b, location, a.value, constant(factor)),
             a.offset * factor);
}

Idx Emitter::min(Idx a, Idx b2) {
  if (a.isConstant() && b2.isConstant())
    return Idx(std::min(a.offset, b2.offset));
  return Idx(arith::MinSIOp::create(b, location, get(a), get(b2)));
}

Idx Emitter::max(Idx a, Idx b2) {
  if (a.isConstant() && b2.isConstant())
    return Idx(std::max(a.offset, b2.offset));
  return Idx(arith::MaxSIOp::create(b, location, get(a), get(b2)));
}

std::pair<Idx, Idx> Emitter::divRem(Idx a, int64_t divisor) {
  if (divisor == 1)
    return {a, Idx(int64_t(0))};
  if (a.isConstant())
    return {Idx(a.offset / divisor), Idx(a.offset % divisor)};
  Value value = get(a), by = constant(divisor);
  return {Idx(arith::DivUIOp::create(b, location, value, by)),
          Idx(arith::RemUIOp::create(b, location, value, by))};
}

SmallVector<Idx> Emitter::delinearize(Idx linear, ArrayRef<int64_t> extents) {
  SmallVector<Idx> result(extents.size(), Idx(int64_t(0)));
  // Outer extents of one need no division: the rest is the whole index.
  size_t outermost = 0;
  while (outermost < extents.size() && extents[outermost] == 1)
    ++outermost;
  for (size_t i = extents.size(); i-- > outermost;) {
    if (i == outermost) {
      result[i] = linear;
      break;
    }
    auto [quotient, remainder] = divRem(linear, extents[i]);
    result[i] = remainder;
    linear = quotient;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void Emitter::loop(Idx lo, Idx hi, int64_t step, function_ref<void(Idx)> body) {
  loop(lo, hi, step, ValueRange(),
       [&](Idx iv, ValueRange) -> SmallVector<Value> {
         body(iv);
         return {};
       });
}

SmallVector<Value>
Emitter::loop(Idx lo, Idx hi, int64_t step, ValueRange inits,
              function_ref<SmallVector<Value>(Idx, ValueRange)> body) {
  if (lo.value == hi.value) {
    if (hi.offset <= lo.offset)
      return SmallVector<Value>(inits);
    if (hi.offset <= lo.offset + step)
      return body(lo, inits);
  }
  auto forOp =
      scf::ForOp::create(b, location, get(lo), get(hi), constant(step), inits);
  OpBuilder::InsertionGuard guard(b);
  Block *block = forOp.getBody();
  // Without carried values the builder has made the terminator.
  if (inits.empty())
    b.setInsertionPoint(block->getTerminator());
  else
    b.setInsertionPointToEnd(block);
  SmallVector<Value> results =
      body(Idx(forOp.getInductionVar()), forOp.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, location, results);
  return SmallVector<Value>(forOp.getResults());
}

void Emitter::tasks(Value lo, Value hi, ArrayRef<int64_t> extents,
                    function_ref<void(ArrayRef<Idx>)> body) {
  loop(lo, hi, 1, [&](Idx task) { body(delinearize(task, extents)); });
}

void Emitter::tiles(const Split &split, Idx first, Idx last,
                    function_ref<void(Idx, Idx, int64_t)> body) {
  if (split.extra > 0)
    loop(first, min(last, Idx(split.extra)), 1, [&](Idx tile) {
      body(tile, mul(tile, split.base + 1), split.base + 1);
    });
  if (split.extra < split.count && split.base > 0)
    loop(max(first, Idx(split.extra)), last, 1, [&](Idx tile) {
      body(tile, add(mul(tile, split.base), Idx(split.extra)), split.base);
    });
}

void Emitter::when(Value condition, function_ref<void()> body) {
  auto guarded =
      scf::IfOp::create(b, location, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(guarded.thenBlock());
  body();
}

Value Emitter::isBelow(Idx index, int64_t end) {
  return arith::CmpIOp::create(b, location, arith::CmpIPredicate::ult,
                               get(index), constant(end));
}

void Emitter::ifEqual(Idx index, int64_t value, function_ref<void()> then,
                      function_ref<void()> otherwise) {
  if (index.isConstant())
    return index.offset == value ? then() : otherwise();
  Value condition = arith::CmpIOp::create(b, location, arith::CmpIPredicate::eq,
                                          get(index), constant(value));
  auto ifOp =
      scf::IfOp::create(b, location, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  then();
  b.setInsertionPointToStart(ifOp.elseBlock());
  otherwise();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

FailureOr<Buffer> Emitter::buffer(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  Buffer result;
  int64_t offset = 0;
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(result.strides, offset)) ||
      llvm::any_of(result.strides, ShapedType::isDynamic))
    return emitError(location, "expects a kernel operand of static shape and "
                               "strides, got ")
           << type;
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  result.element = type.getElementType();
  if (type.getRank() == 1 && type.getLayout().isIdentity()) {
    result.flat = memref;
    return result;
  }
  int64_t span = 1;
  for (auto [extent, stride] : llvm::zip_equal(result.shape, result.strides))
    span += (std::max<int64_t>(extent, 1) - 1) * stride;
  auto layout = StridedLayoutAttr::get(b.getContext(), offset, {1});
  auto flatType = offset == 0 ? MemRefType::get({span}, result.element)
                              : MemRefType::get({span}, result.element, layout);
  OpBuilder::InsertionGuard guard(b);
  if (auto argument = dyn_cast<BlockArgument>(memref);
      argument && argument.getOwner() == entry)
    b.setInsertionPointToStart(entry);
  OpFoldResult start = b.getIndexAttr(offset);
  if (ShapedType::isDynamic(offset))
    start = memref::ExtractStridedMetadataOp::create(b, location, memref)
                .getOffset();
  result.flat = memref::ReinterpretCastOp::create(
      b, location, flatType, memref, start,
      ArrayRef<OpFoldResult>{b.getIndexAttr(span)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return result;
}

FailureOr<SmallVector<Buffer>> Emitter::buffers(ValueRange memrefs) {
  SmallVector<Buffer> result;
  for (Value memref : memrefs) {
    FailureOr<Buffer> one = buffer(memref);
    if (failed(one))
      return failure();
    result.push_back(std::move(*one));
  }
  return result;
}

Idx Emitter::at(const Buffer &buffer, ArrayRef<Idx> indices) {
  Idx result(int64_t(0));
  for (auto [index, stride] : llvm::zip_equal(indices, buffer.strides))
    result = add(result, mul(index, stride));
  return result;
}

Value Emitter::load(const Buffer &buffer, Idx index) {
  return memref::LoadOp::create(b, location, buffer.flat,
                                ValueRange{get(index)});
}

Value Emitter::load(const Buffer &buffer, Idx index, Type type) {
  return convert(load(buffer, index), type);
}

void Emitter::store(Value value, const Buffer &buffer, Idx index) {
  memref::StoreOp::create(b, location, convert(value, buffer.element),
                          buffer.flat, ValueRange{get(index)});
}

Value Emitter::laneMask(int64_t lanes, int64_t valid) {
  SmallVector<bool> bits(lanes, false);
  std::fill_n(bits.begin(), valid, true);
  auto type = VectorType::get({lanes}, b.getI1Type());
  return arith::ConstantOp::create(b, location,
                                   DenseElementsAttr::get(type, bits));
}

Value Emitter::loadVector(const Buffer &buffer, Idx index, VectorType type,
                          int64_t valid, Value fill) {
  if (type.getElementType() != buffer.element) {
    auto stored = VectorType::get(type.getShape(), buffer.element);
    Value loaded = convert(loadVector(buffer, index, stored, valid),
                           type.getElementType());
    if (!fill || valid >= type.getNumElements())
      return loaded;
    return arith::SelectOp::create(
        b, location, laneMask(type.getNumElements(), valid), loaded, fill);
  }
  if (valid >= type.getNumElements())
    return vector::LoadOp::create(b, location, type, buffer.flat,
                                  ValueRange{get(index)});
  if (!fill)
    fill = arith::ConstantOp::create(b, location, b.getZeroAttr(type));
  if (valid <= 0)
    return fill;
  if (buffer.element.isF16() || buffer.element.isBF16())
    return loadLanes(buffer, index, type, valid);
  return vector::MaskedLoadOp::create(
      b, location, type, buffer.flat, ValueRange{get(index)},
      laneMask(type.getNumElements(), valid), fill);
}

void Emitter::storeVector(Value value, const Buffer &buffer, Idx index,
                          int64_t valid) {
  value = convert(value, buffer.element);
  int64_t lanes = cast<VectorType>(value.getType()).getNumElements();
  if (valid >= lanes) {
    vector::StoreOp::create(b, location, value, buffer.flat,
                            ValueRange{get(index)});
    return;
  }
  if (buffer.element.isF16() || buffer.element.isBF16())
    return storeLanes(value, buffer, index, valid);
  vector::MaskedStoreOp::create(b, location, buffer.flat,
                                ValueRange{get(index)}, laneMask(lanes, valid),
                                value);
}

// A mask on 16-bit floats LLVM takes apart into insertions of bf16, for which
// it calls functions where bf16 has no instructions.
Value Emitter::loadLanes(const Buffer &buffer, Idx index, VectorType type,
                         int64_t valid) {
  auto bits = VectorType::get(type.getShape(), b.getI16Type());
  Value lanes = arith::ConstantOp::create(b, location, b.getZeroAttr(bits));
  for (int64_t lane = 0; lane < valid; ++lane) {
    Value element = arith::BitcastOp::create(
        b, location, b.getI16Type(), load(buffer, add(index, Idx(lane))));
    lanes = vector::InsertOp::create(b, location, element, lanes, lane);
  }
  return arith::BitcastOp::create(b, location, type, lanes);
}

void Emitter::storeLanes(Value value, const Buffer &buffer, Idx index,
                         int64_t valid) {
  auto bits = VectorType::get(cast<VectorType>(value.getType()).getShape(),
                              b.getI16Type());
  Value lanes = arith::BitcastOp::create(b, location, bits, value);
  for (int64_t lane = 0; lane < valid; ++lane) {
    Value element = vector::ExtractOp::create(b, location, lanes, lane);
    store(arith::BitcastOp::create(b, location, buffer.element, element),
          buffer, add(index, Idx(lane)));
  }
}

Value Emitter::loadSplat(const Buffer &buffer, Idx index, VectorType type) {
  return broadcast(load(buffer, index, type.getElementType()), type);
}

void Emitter::prefetch(const Buffer &buffer, Idx index) {
  memref::PrefetchOp::create(b, location, buffer.flat, ValueRange{get(index)},
                             /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

void Emitter::separateLoads() {
  LLVM::FenceOp::create(b, location, LLVM::AtomicOrdering::acq_rel,
                        "singlethread");
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

int64_t Emitter::lanesOf(Type element) const {
  return targetInfo.lanes(
      std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8));
}

VectorType Emitter::vectorOf(Type element) {
  return VectorType::get({lanesOf(element)}, element);
}

VectorType Emitter::computeVectorOf(Type element) {
  return vectorOf(kernel::computeType(element));
}

VectorType Emitter::pairVector() {
  return VectorType::get({2 * lanesOf(b.getF32Type())}, b.getBF16Type());
}

Value Emitter::toWords(Value value) {
  auto type = cast<VectorType>(value.getType());
  if (!type.getElementType().isF16() && !type.getElementType().isBF16())
    return value;
  return arith::BitcastOp::create(
      b, location, VectorType::get(type.getShape(), b.getI16Type()), value);
}

Value Emitter::fromWords(Value value, Type element) {
  auto type = cast<VectorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return arith::BitcastOp::create(
      b, location, VectorType::get(type.getShape(), element), value);
}

Value Emitter::interleave(Value a, Value b2) {
  Type element = getElementTypeOrSelf(a);
  return fromWords(
      vector::InterleaveOp::create(b, location, toWords(a), toWords(b2)),
      element);
}

Value Emitter::loadPairSplat(const Buffer &buffer, Idx index, int64_t valid) {
  Value word;
  if (valid > 1) {
    Value pair = vector::LoadOp::create(b, location,
                                        VectorType::get({2}, buffer.element),
                                        buffer.flat, ValueRange{get(index)});
    pair = vector::BitCastOp::create(
        b, location, VectorType::get({1}, b.getI32Type()), pair);
    word = vector::ExtractOp::create(b, location, pair, int64_t(0));
  } else {
    Value bits = arith::BitcastOp::create(b, location, b.getI16Type(),
                                          load(buffer, index));
    word = arith::ExtUIOp::create(b, location, b.getI32Type(), bits);
  }
  VectorType pairs = pairVector();
  Value words = broadcast(
      word, VectorType::get({pairs.getNumElements() / 2}, b.getI32Type()));
  return vector::BitCastOp::create(b, location, pairs, words);
}

Value Emitter::dotPairs(Value a, Value b2, Value c) {
  auto type = cast<VectorType>(c.getType());
  std::string name = ("llvm.x86.avx512bf16.dpbf16ps." +
                      llvm::Twine(type.getNumElements() * 32))
                         .str();
  return LLVM::CallIntrinsicOp::create(b, location, type, b.getStringAttr(name),
                                       ValueRange{c, a, b2})
      .getResults();
}

Value Emitter::convert(Value value, Type element) {
  Type from = getElementTypeOrSelf(value);
  if (from == element)
    return value;
  Type to = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    to = VectorType::get(vector.getShape(), element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, location, to, value);
  return arith::TruncFOp::create(b, location, to, value);
}

Value Emitter::splat(Type type, double value) {
  auto attr = b.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(
        b, location, DenseElementsAttr::get(vector, attr.getValue()));
  return arith::ConstantOp::create(b, location, attr);
}

Value Emitter::fma(Value a, Value b2, Value c) {
  if (targetInfo.hasFMA && isa<VectorType>(a.getType()))
    return vector::FMAOp::create(b, location, a, b2, c);
  return addf(mulf(a, b2), c);
}

Value Emitter::addf(Value a, Value b2) {
  return arith::AddFOp::create(b, location, a, b2);
}
Value Emitter::subf(Value a, Value b2) {
  return arith::SubFOp::create(b, location, a, b2);
}
Value Emitter::mulf(Value a, Value b2) {
  return arith::MulFOp::create(b, location, a, b2);
}

Value Emitter::maxOrSecond(Value a, Value b2) {
  Value greater =
      arith::CmpFOp::create(b, location, arith::CmpFPredicate::OGT, a, b2);
  return arith::SelectOp::create(b, location, greater, a, b2);
}

Value Emitter::maxOrNaN(Value a, Value b2) {
  Value isNaN =
      arith::CmpFOp::create(b, location, arith::CmpFPredicate::UNO, a, a);
  return arith::SelectOp::create(b, location, isNaN, a, maxOrSecond(a, b2));
}

static elementary::Emitter elementaryEmitter(Emitter &e) {
  return {e.builder(), e.loc(),
          e.target().hasFMA ? elementary::Contraction::Fused
                            : elementary::Contraction::Separate};
}

Value Emitter::expNonPositive(Value x) {
  if (!getElementTypeOrSelf(x).isF32())
    return math::ExpOp::create(b, location, x);
  elementary::Emitter emitter = elementaryEmitter(*this);
  return elementary::expNonPositiveF32(elementary::Expr(emitter, x)).get();
}

Value Emitter::softmaxWeight(Value x) {
  if (!getElementTypeOrSelf(x).isF32())
    return math::ExpOp::create(b, location, x);
  elementary::Emitter emitter = elementaryEmitter(*this);
  return elementary::softmaxWeightF32(elementary::Expr(emitter, x)).get();
}

Value Emitter::softmaxPower(Value x) {
  elementary::Emitter emitter = elementaryEmitter(*this);
  return elementary::softmaxPowerF32(elementary::Expr(emitter, x)).get();
}

Value Emitter::maxOfLanes(Value vector) {
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < lanes; ++lane)
      order.push_back(lane ^ half);
    Value other = vector::ShuffleOp::create(b, location, vector, vector, order);
    vector = maxOrSecond(other, vector);
  }
  return vector;
}

Value Emitter::broadcast(Value scalar, VectorType type) {
  return vector::BroadcastOp::create(b, location, type, scalar);
}

SmallVector<Value> Emitter::transpose(SmallVector<Value> rows) {
  int64_t lanes = rows.size();
  Type element = getElementTypeOrSelf(rows.front());
  for (Value &row : rows)
    row = toWords(row);
  // Swap the off-diagonal quadrants, then those of each quadrant, and so on.
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      upper.push_back((lane & half) == 0 ? lane : lanes + lane - half);
      lower.push_back((lane & half) == 0 ? lane + half : lanes + lane);
    }
    for (int64_t i = 0; i < lanes; ++i) {
      if ((i & half) != 0)
        continue;
      Value a = rows[i], c = rows[i + half];
      rows[i] = vector::ShuffleOp::create(b, location, a, c, upper);
      rows[i + half] = vector::ShuffleOp::create(b, location, a, c, lower);
    }
  }
  for (Value &row : rows)
    row = fromWords(row, element);
  return rows;
}

} // namespace graven::expand
