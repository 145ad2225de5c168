//===- Scalar.h - scalar formulas of the evaluator ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the scalar functions that the formulas of elementwise ops
// use. T is double, int64_t or uint64_t; a function that has no meaning for one
// of them still compiles and is never reached with it.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_EVAL_SCALAR_H
#define DIALECTS_GRAVEN_EVAL_SCALAR_H

#include "dialects/graven/GravenEnums.h"
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace graven::eval {

template <class T> T abs(T x) {
  if constexpr (std::is_same_v<T, double>)
    return std::fabs(x);
  else if constexpr (std::is_same_v<T, int64_t>)
    return x < 0 ? static_cast<int64_t>(0 - static_cast<uint64_t>(x)) : x;
  else
    return x;
}

/// -1, 0, 1; NaN and zeros give themselves.
template <class T> T sign(T x) {
  if (x > 0)
    return 1;
  if constexpr (!std::is_same_v<T, uint64_t>)
    if (x < 0)
      return -1;
  return x;
}

inline double sigmoid(double x) {
  double e = std::exp(-std::fabs(x));
  return x < 0 ? e / (1 + e) : (std::isnan(x) ? x : 1 / (1 + e));
}

inline double softplus(double x) {
  return std::isnan(x) ? x
                       : std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}

inline double hardSigmoid(double x, double alpha, double beta) {
  double y = alpha * x + beta;
  return y < 0 ? 0 : y > 1 ? 1 : y;
}

inline double gelu(double x, GeluForm form) {
  if (form == GeluForm::Tanh)
    return 0.5 * x *
           (1 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
  // erfc keeps the left tail, where 1 + erf cancels.
  return 0.5 * x * std::erfc(-x * 0.70710678118654752440);
}

template <class T> T complement(T x) {
  if constexpr (std::is_integral_v<T>)
    return ~x;
  return x;
}
template <class T> T bitAnd(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return a & b;
  return a;
}
template <class T> T bitOr(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return a | b;
  return a;
}
template <class T> T bitXor(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return a ^ b;
  return a;
}

// Sums, differences and products of ints wrap, so they are taken unsigned.
template <class T> T add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  return a + b;
}
template <class T> T sub(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  return a - b;
}
template <class T> T mul(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  return a * b;
}
template <class T> T neg(T x) {
  if constexpr (std::is_integral_v<T>)
    return sub(T(0), x);
  return -x;
}

/// Ints truncate; x/0 is all ones, the least int over -1 is itself.
template <class T> T div(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0)
      return static_cast<T>(~uint64_t(0));
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return sub(T(0), a);
  }
  return a / b;
}

/// a - trunc(a/b) b; ints: x rem 0 = x, x rem -1 = 0.
template <class T> T rem(T a, T b) {
  if constexpr (std::is_same_v<T, double>)
    return std::fmod(a, b);
  else {
    if (b == 0)
      return a;
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return 0;
    return a % b;
  }
}

template <class T> T pow(T a, T b) {
  if constexpr (std::is_same_v<T, double>)
    return std::pow(a, b);
  else {
    if constexpr (std::is_signed_v<T>)
      if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    T result = 1;
    for (T base = a, n = b; n > 0; n /= 2, base = mul(base, base))
      if (n % 2 == 1)
        result = mul(result, base);
    return result;
  }
}

/// NaN if either is NaN; max(-0, +0) = +0.
template <class T> T max(T a, T b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a) || std::isnan(b))
      return std::numeric_limits<double>::quiet_NaN();
    if (a == b)
      return std::signbit(a) ? b : a;
  }
  return a < b ? b : a;
}
template <class T> T min(T a, T b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a) || std::isnan(b))
      return std::numeric_limits<double>::quiet_NaN();
    if (a == b)
      return std::signbit(a) ? a : b;
  }
  return b < a ? b : a;
}

/// Shift counts are unsigned; a count of at least `width` gives 0, or the sign
/// for shr of a signed value.
template <class T> T shl(T a, T b, unsigned width) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<uint64_t>(b) >= width
               ? T(0)
               : static_cast<T>(static_cast<uint64_t>(a) << b);
  return a;
}
template <class T> T shr(T a, T b, unsigned width) {
  if constexpr (std::is_integral_v<T>) {
    if (static_cast<uint64_t>(b) >= width)
      return a < 0 ? T(-1) : T(0);
    return a >> b;
  }
  return a;
}

} // namespace graven::eval

#endif // DIALECTS_GRAVEN_EVAL_SCALAR_H
