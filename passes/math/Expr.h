//===- Expr.h - arith ops written as formulas -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Expr, an SSA value with C++ operators that build arith
// ops of its type (a scalar or a vector), so that an expansion reads like the
// formula it implements, and Emitter, where and how those ops are built.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_EXPR_H
#define GRAVEN_PASSES_MATH_EXPR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace graven::elementary {

/// How a product that feeds a sum is rounded: twice, or once by a fused
/// multiply-add, which only a target that has the instruction should ask for.
enum class Contraction { Separate, Fused };

/// The place where ops are built and the choices that hold for all of them.
struct Emitter {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  Contraction contraction;
};

/// A number written in a formula; it takes the type of the Expr beside it.
class Number {
public:
  Number(double value) : real(value), integer(static_cast<int64_t>(value)) {}
  Number(int value) : real(value), integer(value) {}
  Number(int64_t value) : real(static_cast<double>(value)), integer(value) {}
  Number(uint64_t value)
      : real(static_cast<double>(value)), integer(static_cast<int64_t>(value)) {
  }

  double real;
  int64_t integer;
};

/// An SSA value of float or integer type, or a vector of those.
class Expr {
public:
  Expr(Emitter &emitter, mlir::Value value) : emitter(&emitter), value(value) {}

  mlir::Value get() const { return value; }
  Emitter &at() const { return *emitter; }
  mlir::Type elementType() const { return getElementTypeOrSelf(value); }
  /// The type of this value with another element type.
  mlir::Type typeWith(mlir::Type element) const;
  /// The number as a constant of this value's type.
  Expr constant(Number number) const;

private:
  static mlir::Type getElementTypeOrSelf(mlir::Value value);

  Emitter *emitter;
  mlir::Value value;
};

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator-(Expr a);
inline Expr operator+(Expr a, Number b) { return a + a.constant(b); }
inline Expr operator-(Expr a, Number b) { return a - a.constant(b); }
inline Expr operator-(Number a, Expr b) { return b.constant(a) - b; }
inline Expr operator*(Expr a, Number b) { return a * a.constant(b); }
inline Expr operator/(Expr a, Number b) { return a / a.constant(b); }
inline Expr operator/(Number a, Expr b) { return b.constant(a) / b; }

// Integers and truth values. A right shift brings in zeros, except `sar`.
Expr operator&(Expr a, Expr b);
Expr operator|(Expr a, Expr b);
Expr operator^(Expr a, Expr b);
Expr operator<<(Expr a, Expr b);
Expr operator>>(Expr a, Expr b);
Expr operator!(Expr truth);
Expr sar(Expr a, Number b);
inline Expr operator&(Expr a, Number b) { return a & a.constant(b); }
inline Expr operator|(Expr a, Number b) { return a | a.constant(b); }
inline Expr operator^(Expr a, Number b) { return a ^ a.constant(b); }
inline Expr operator<<(Expr a, Number b) { return a << a.constant(b); }
inline Expr operator>>(Expr a, Number b) { return a >> a.constant(b); }

// Comparisons: false where a float operand is NaN, except `differs`. Integers
// compare signed.
Expr operator<(Expr a, Expr b);
Expr operator<=(Expr a, Expr b);
Expr operator>(Expr a, Expr b);
Expr operator>=(Expr a, Expr b);
Expr equals(Expr a, Expr b);
Expr differs(Expr a, Expr b);
inline Expr operator<(Expr a, Number b) { return a < a.constant(b); }
inline Expr operator<=(Expr a, Number b) { return a <= a.constant(b); }
inline Expr operator>(Expr a, Number b) { return a > a.constant(b); }
inline Expr operator>=(Expr a, Number b) { return a >= a.constant(b); }
inline Expr equals(Expr a, Number b) { return equals(a, a.constant(b)); }
inline Expr differs(Expr a, Number b) { return differs(a, a.constant(b)); }
inline Expr isNaN(Expr a) { return differs(a, a); }

Expr select(Expr condition, Expr a, Expr b);
inline Expr select(Expr condition, Expr a, Number b) {
  return select(condition, a, a.constant(b));
}
inline Expr select(Expr condition, Number a, Expr b) {
  return select(condition, b.constant(a), b);
}

/// The bits of a float as an integer of the same width, and back.
Expr bitsOf(Expr a);
Expr floatOf(Expr a);
/// Conversions that change the element type: f32 <-> f64 and other floats;
/// integer width; a signed integer to a float.
Expr toFloat(Expr a, mlir::Type element);
Expr toF32(Expr a);
Expr toF64(Expr a);
Expr signExtend(Expr a, unsigned width);
Expr zeroExtend(Expr a, unsigned width);
Expr truncateTo(Expr a, unsigned width);
Expr signedToFloat(Expr a, mlir::Type element);

Expr abs(Expr a);
Expr copySign(Expr magnitude, Expr sign);
Expr sqrt(Expr a);
/// a * b + c, rounded as the emitter's contraction says.
Expr multiplyAdd(Expr a, Expr b, Expr c);
inline Expr multiplyAdd(Expr a, Number b, Expr c) {
  return multiplyAdd(a, a.constant(b), c);
}
inline Expr multiplyAdd(Expr a, Expr b, Number c) {
  return multiplyAdd(a, b, a.constant(c));
}
inline Expr multiplyAdd(Expr a, Number b, Number c) {
  return multiplyAdd(a, a.constant(b), a.constant(c));
}
/// The polynomial of x with these coefficients, constant first (Horner).
Expr horner(Expr x, llvm::ArrayRef<double> coefficients);
/// The same by pairs and pairs of pairs (Estrin): with half the latency and
/// less, and rounded three times rather than once where all terms are as large.
/// A processor sees about a hundred instructions ahead, so a loop whose
/// iterations are short chains takes the time of its instructions, and not of
/// the chain.
Expr estrin(Expr x, llvm::ArrayRef<double> coefficients);
/// Horner's last step after Estrin's: rounded once where the constant is the
/// largest.
Expr hornerOfEstrin(Expr x, llvm::ArrayRef<double> coefficients);
/// a limited to at most or at least the bound; NaN stays NaN.
Expr atMost(Expr a, Number bound);
Expr atLeast(Expr a, Number bound);

} // namespace graven::elementary

#endif // GRAVEN_PASSES_MATH_EXPR_H
