//===- Narrow.cpp - element types of less than IEEE's halves ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the codes of narrow types as arithmetic: a table to
// decode them, the exponent's bits to encode them.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Narrow.h"

#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven::onnx {

Type narrowTypeOf(MLIRContext *context, int32_t dataType) {
  auto integer = [&](unsigned width, bool isSigned) -> Type {
    return IntegerType::get(context, width,
                            isSigned ? IntegerType::Signless
                                     : IntegerType::Unsigned);
  };
  switch (dataType) {
  case pb::TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(context);
  case pb::TensorProto::FLOAT8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case pb::TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(context);
  case pb::TensorProto::FLOAT8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case pb::TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(context);
  case pb::TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(context);
  case pb::TensorProto::INT4:
    return integer(4, true);
  case pb::TensorProto::UINT4:
    return integer(4, false);
  case pb::TensorProto::INT2:
    return integer(2, true);
  case pb::TensorProto::UINT2:
    return integer(2, false);
  default:
    return {};
  }
}

Type storageOf(Type narrow) {
  bool isSigned = narrow.isSignlessInteger();
  return IntegerType::get(narrow.getContext(), 8,
                          isSigned ? IntegerType::Signless
                                   : IntegerType::Unsigned);
}

std::string unpack(StringRef packed, Type narrow, int64_t count) {
  unsigned width = narrow.getIntOrFloatBitWidth(), perByte = 8 / width;
  std::string bytes(count, '\0');
  for (int64_t i = 0; i < count; ++i) {
    uint8_t byte = packed[i / perByte];
    uint8_t code = (byte >> (i % perByte * width)) & ((1 << width) - 1);
    bytes[i] = static_cast<char>(
        narrow.isSignlessInteger() ? llvm::SignExtend32(code, width) : code);
  }
  return bytes;
}

/// Of each code the element.
static Value tableOf(NodeBuilder &n, FloatType narrow) {
  unsigned width = narrow.getWidth();
  int64_t count = int64_t(1) << width;
  eval::Tensor table(
      RankedTensorType::get({count}, n.getBuilder().getF32Type()));
  for (int64_t code = 0; code < count; ++code) {
    llvm::APFloat element(narrow.getFloatSemantics(), llvm::APInt(width, code));
    bool isInexact = false;
    element.convert(llvm::APFloat::IEEEdouble(),
                    llvm::APFloat::rmNearestTiesToEven, &isInexact);
    table.set(code, element.convertToDouble());
  }
  return n.constant(table);
}

Value decode(NodeBuilder &n, Value bytes, Type narrow, Type to) {
  auto type = dyn_cast<FloatType>(narrow);
  if (!type || n.hasFailed())
    return n.cast(bytes, to);
  Value places = n.cast(bytes, n.getBuilder().getI32Type());
  return n.cast(n.make<GatherOp>(tableOf(n, type), places, int64_t(0), false),
                to);
}

namespace {

/// The code of an f32 in a narrow float type.
class FloatEncoder {
public:
  FloatEncoder(NodeBuilder &n, FloatType type)
      : n(n), type(type), semantics(type.getFloatSemantics()),
        fraction(
            static_cast<int>(llvm::APFloat::semanticsPrecision(semantics)) - 1),
        least(llvm::APFloat::semanticsMinExponent(semantics)) {}

  Value encode(Value x, Overflow overflow) {
    Value bits = n.make<BitcastOp>(x, i32());
    Value size = rounded(n.make<AbsOp>(x));
    Value code = codeOf(size);
    llvm::APFloat greatest = llvm::APFloat::getLargest(semantics);
    double limit = number(greatest);
    bool hasInfinity = llvm::APFloat::semanticsHasInf(semantics),
         hasNaN = llvm::APFloat::semanticsHasNaN(semantics);
    llvm::APFloat beyond = greatest;
    if (overflow == Overflow::IsSpecial && (hasInfinity || hasNaN))
      beyond = hasInfinity ? llvm::APFloat::getInf(semantics)
                           : llvm::APFloat::getNaN(semantics);
    Value tooBig =
        n.compare(ComparePredicate::Gt, size, n.scalar(f32(), limit));
    code = n.select(tooBig, constant(beyond), code);
    // Where zero has no sign, its place is that of NaN.
    llvm::APFloat nan = hasNaN ? llvm::APFloat::getNaN(semantics)
                               : llvm::APFloat::getZero(semantics, true);
    bool isUnsignedZero = hasNaN && nan.bitcastToAPInt().isSignMask();
    Value sign = n.binary<ShlOp>(
        n.binary<AndOp>(n.binary<ShrOp>(bits, integer(31)), integer(1)),
        integer(type.getWidth() - 1));
    if (isUnsignedZero)
      sign = n.select(n.compare(ComparePredicate::Eq, code, integer(0)),
                      integer(0), sign);
    code = n.binary<OrOp>(code, sign);
    Value isNaN = n.compare(ComparePredicate::Ne, x, x);
    return n.cast(n.select(isNaN, constant(nan), code), storageOf(type));
  }

private:
  Type f32() const { return n.getBuilder().getF32Type(); }
  Type i32() const { return n.getBuilder().getI32Type(); }
  Value integer(int64_t value) const { return n.scalar(i32(), value); }
  static double number(llvm::APFloat value) {
    bool isInexact = false;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &isInexact);
    return value.convertToDouble();
  }
  Value constant(const llvm::APFloat &value) const {
    return integer(value.bitcastToAPInt().getZExtValue());
  }

  /// Of x >= 0, not less than the type's least.
  Value exponentOf(Value x) const {
    Value biased = n.binary<ShrOp>(n.make<BitcastOp>(x, i32()), integer(23));
    return n.binary<MaxOp>(n.binary<SubOp>(biased, integer(127)),
                           integer(least));
  }
  /// The distance of neighbours where the exponent is this.
  Value distanceAt(Value exponent) const {
    Value biased = n.binary<AddOp>(exponent, integer(127 - fraction));
    return n.make<BitcastOp>(n.binary<ShlOp>(biased, integer(23)), f32());
  }
  /// To the nearest that the type has, if its exponents had no end.
  Value rounded(Value x) const {
    Value distance = distanceAt(exponentOf(x));
    return n.binary<MulOp>(n.make<RoundOp>(n.binary<DivOp>(x, distance)),
                           distance);
  }
  /// Of what is rounded: how many distances, and those of the binades below.
  Value codeOf(Value x) const {
    Value exponent = exponentOf(x);
    Value count = n.cast(n.binary<DivOp>(x, distanceAt(exponent)), i32());
    Value below = n.binary<ShlOp>(n.binary<SubOp>(exponent, integer(least)),
                                  integer(fraction));
    return n.binary<AddOp>(count, below);
  }

  NodeBuilder &n;
  FloatType type;
  const llvm::fltSemantics &semantics;
  int fraction, least;
};

} // namespace

/// The exponent's bits of an f32, after rounding to a power of two.
static Value encodePower(NodeBuilder &n, Value x, PowerRounding rounding,
                         Overflow overflow) {
  Type i32 = n.getBuilder().getI32Type();
  auto integer = [&](int64_t value) { return n.scalar(i32, value); };
  Value bits = n.make<BitcastOp>(x, i32);
  Value power =
            n.binary<AndOp>(n.binary<ShrOp>(bits, integer(23)), integer(255)),
        rest = n.binary<AndOp>(bits, integer((1 << 23) - 1));
  if (rounding != PowerRounding::Down) {
    // A tie goes up, but for the least power.
    Value half = integer(1 << 22);
    Value isUp =
        rounding == PowerRounding::Up
            ? n.compare(ComparePredicate::Gt, rest, integer(0))
            : n.binary<OrOp>(
                  n.compare(ComparePredicate::Gt, rest, half),
                  n.binary<AndOp>(
                      n.compare(ComparePredicate::Eq, rest, half),
                      n.compare(ComparePredicate::Gt, power, integer(0))));
    int64_t last = overflow == Overflow::Saturates ? 254 : 255;
    isUp = n.binary<AndOp>(
        isUp, n.compare(ComparePredicate::Lt, power, integer(last)));
    power = n.binary<AddOp>(power, n.cast(isUp, i32));
  }
  return n.cast(power, storageOf(Float8E8M0FNUType::get(n.getContext())));
}

Value encode(NodeBuilder &n, Value x, Type narrow, const Encoding &encoding) {
  if (n.hasFailed())
    return {};
  Type own = n.elementTypeOf(x);
  if (auto type = dyn_cast<FloatType>(narrow)) {
    // Rounded to f32 first, an f64 could end as another neighbour.
    if (own.isF64()) {
      n.error(Code::UnsupportedFeature)
          << "elements of f64 become " << narrow << " by way of f32 only";
      return {};
    }
    x = n.cast(x, n.getBuilder().getF32Type());
    if (isa<Float8E8M0FNUType>(type))
      return encodePower(n, x, encoding.powers, encoding.overflow);
    return FloatEncoder(n, type).encode(x, encoding.overflow);
  }
  Type i32 = n.getBuilder().getI32Type();
  unsigned width = narrow.getIntOrFloatBitWidth();
  x = n.binary<AndOp>(n.cast(x, i32), n.scalar(i32, (1 << width) - 1));
  if (narrow.isSignlessInteger()) {
    Value unused = n.scalar(i32, 32 - width);
    x = n.binary<ShrOp>(n.binary<ShlOp>(x, unused), unused);
  }
  return n.cast(x, storageOf(narrow));
}

} // namespace graven::onnx
