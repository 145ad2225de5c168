/*===- builtins.c - conversions of 16-bit floats -------------------*- C -*-===*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * This file implements the functions that LLVM calls to convert f16 and bf16 on
 * CPUs without instructions for it, which libc does not have: round to nearest,
 * ties to even, subnormals kept, NaN payloads cut and made quiet.
 *===---------------------------------------------------------------------===*/
#include "runtime/support/Support.h"

#include <string.h>

/* A floating-point format inside 64 bits. */
typedef struct Format {
  int significand; /* stored bits */
  int exponent;    /* bits */
} Format;

static const Format formatF64 = {52, 11}, formatF32 = {23, 8},
                    formatF16 = {10, 5}, formatBF16 = {7, 8};

/* Shifts right by at least 1, rounding to nearest, ties to even. */
static uint64_t roundedShift(uint64_t value, int shift) {
  if (shift > 62)
    return 0;
  uint64_t half = UINT64_C(1) << (shift - 1);
  uint64_t rest = value & ((half << 1) - 1);
  uint64_t kept = value >> shift;
  return kept + (rest > half || (rest == half && (kept & 1)));
}

/* The number nearest to the magnitude `bits` (no sign) of format `from` in the
 * smaller format `to`. */
static uint64_t narrow(uint64_t bits, Format from, Format to) {
  int bias = (1 << (from.exponent - 1)) - (1 << (to.exponent - 1));
  int cut = from.significand - to.significand;
  uint64_t maxFrom = (UINT64_C(1) << from.exponent) - 1;
  uint64_t infinity = ((UINT64_C(1) << to.exponent) - 1) << to.significand;
  uint64_t hidden = UINT64_C(1) << from.significand;
  uint64_t exponent = bits >> from.significand;
  uint64_t fraction = bits & (hidden - 1);
  if (exponent == maxFrom) {
    if (!fraction)
      return infinity;
    return infinity | (UINT64_C(1) << (to.significand - 1)) | fraction >> cut;
  }
  int64_t scaled = (int64_t)exponent - bias;
  if (scaled >= 1) {
    /* A carry out of the fraction moves into the exponent, up to infinity. */
    uint64_t rounded =
        roundedShift(((uint64_t)scaled << from.significand) | fraction, cut);
    return rounded < infinity ? rounded : infinity;
  }
  /* Subnormal in the target; a subnormal of the source has no hidden bit and
   * the exponent of the smallest normal number. */
  uint64_t value = exponent ? fraction | hidden : fraction;
  int64_t shift = cut + 1 - scaled - (exponent ? 0 : 1);
  return roundedShift(value, shift > 63 ? 63 : (int)shift);
}

static uint16_t narrowF64(double value, Format to) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint64_t magnitude = bits & (UINT64_MAX >> 1);
  return (uint16_t)((bits >> 63) << 15 | narrow(magnitude, formatF64, to));
}

static uint16_t narrowF32(float value, Format to) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint32_t magnitude = bits & (UINT32_MAX >> 1);
  return (uint16_t)((bits >> 31) << 15 | narrow(magnitude, formatF32, to));
}

static _Float16 asF16(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static __bf16 asBF16(uint16_t bits) {
  __bf16 value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

GRAVEN_SUPPORT float __extendhfsf2(_Float16 value) {
  uint16_t half;
  memcpy(&half, &value, sizeof(half));
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff, bits;
  if (exponent == 0x1f) {
    bits = 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0);
  } else if (exponent) {
    bits = (exponent + 112) << 23 | fraction << 13;
  } else if (fraction) {
    uint32_t shift = (uint32_t)__builtin_clz(fraction) - 21;
    bits = (113 - shift) << 23 | (fraction << shift & 0x3ff) << 13;
  } else {
    bits = 0;
  }
  bits |= sign;
  float result;
  memcpy(&result, &bits, sizeof(result));
  return result;
}

GRAVEN_SUPPORT _Float16 __truncsfhf2(float value) {
  return asF16(narrowF32(value, formatF16));
}

GRAVEN_SUPPORT _Float16 __truncdfhf2(double value) {
  return asF16(narrowF64(value, formatF16));
}

GRAVEN_SUPPORT __bf16 __truncsfbf2(float value) {
  return asBF16(narrowF32(value, formatBF16));
}

GRAVEN_SUPPORT __bf16 __truncdfbf2(double value) {
  return asBF16(narrowF64(value, formatBF16));
}
