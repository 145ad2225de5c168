//===- BuiltinsTest.cpp - conversions of 16-bit floats ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the f16 and bf16 conversions of the support object: every
// 16-bit value, and around each the values where rounding changes.
//
//===----------------------------------------------------------------------===//
#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

extern "C" {
float __extendhfsf2(_Float16 value);
_Float16 __truncsfhf2(float value);
_Float16 __truncdfhf2(double value);
__bf16 __truncsfbf2(float value);
__bf16 __truncdfbf2(double value);
}

namespace {

/// A 16-bit format by its definition, independent of the code under test.
struct Format {
  int significand, exponent;

  uint16_t infinity() const {
    return static_cast<uint16_t>(((1 << exponent) - 1) << significand);
  }
  /// The value of the magnitude `bits`, which is finite; one past the largest
  /// finite magnitude gives the value where infinity begins.
  double value(unsigned bits) const {
    int bias = (1 << (exponent - 1)) - 1;
    int e = static_cast<int>(bits >> significand);
    double fraction = bits & ((1u << significand) - 1);
    double one = std::ldexp(1.0, significand);
    return e ? std::ldexp(one + fraction, e - bias - significand)
             : std::ldexp(fraction, 1 - bias - significand);
  }
};
constexpr Format f16{10, 5}, bf16{7, 8};

template <typename T> uint16_t bitsOf(T value) {
  return std::bit_cast<uint16_t>(value);
}

/// Checks that `narrow` rounds correctly at every magnitude of the format, half
/// way to the next one, and just below and above that, for both signs.
template <typename Wide, typename Narrow>
void expectRoundedNarrowing(Format format, Narrow (*narrow)(Wide)) {
  for (unsigned bits = 0; bits < format.infinity(); ++bits) {
    double low = format.value(bits), high = format.value(bits + 1);
    Wide middle = static_cast<Wide>(low / 2 + high / 2);
    ASSERT_EQ(static_cast<double>(middle), low / 2 + high / 2);
    unsigned even = bits & 1 ? bits + 1 : bits;
    ASSERT_EQ(bitsOf(narrow(static_cast<Wide>(low))), bits);
    ASSERT_EQ(bitsOf(narrow(-static_cast<Wide>(low))), bits | 0x8000);
    ASSERT_EQ(bitsOf(narrow(middle)), even) << bits;
    ASSERT_EQ(bitsOf(narrow(-middle)), even | 0x8000) << bits;
    ASSERT_EQ(bitsOf(narrow(std::nextafter(middle, Wide(0)))), bits);
    Wide infinity = std::numeric_limits<Wide>::infinity();
    ASSERT_EQ(bitsOf(narrow(std::nextafter(middle, infinity))), bits + 1);
  }
}

template <typename Wide, typename Narrow>
void expectSpecialNarrowing(Format format, Narrow (*narrow)(Wide)) {
  using Limits = std::numeric_limits<Wide>;
  EXPECT_EQ(bitsOf(narrow(Limits::infinity())), format.infinity());
  EXPECT_EQ(bitsOf(narrow(-Limits::infinity())), format.infinity() | 0x8000);
  EXPECT_EQ(bitsOf(narrow(Limits::max())), format.infinity());
  for (Wide nan : {Limits::quiet_NaN(), Limits::signaling_NaN()}) {
    unsigned magnitude = bitsOf(narrow(nan)) & 0x7fff;
    EXPECT_GT(magnitude, format.infinity());
    EXPECT_TRUE(magnitude & (1u << (format.significand - 1))) << "not quiet";
  }
}

TEST(Builtins, extendF16) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    float got = __extendhfsf2(std::bit_cast<_Float16>(uint16_t(bits)));
    unsigned magnitude = bits & 0x7fff;
    ASSERT_EQ(std::signbit(got), bits >> 15) << bits;
    if (magnitude > f16.infinity())
      ASSERT_TRUE(std::isnan(got)) << bits;
    else if (magnitude == f16.infinity())
      ASSERT_TRUE(std::isinf(got)) << bits;
    else
      ASSERT_EQ(std::fabs(got), f16.value(magnitude)) << bits;
  }
}

TEST(Builtins, truncateF32ToF16) {
  expectRoundedNarrowing(f16, __truncsfhf2);
  expectSpecialNarrowing(f16, __truncsfhf2);
  EXPECT_EQ(bitsOf(__truncsfhf2(std::numeric_limits<float>::denorm_min())), 0);
}

TEST(Builtins, truncateF64ToF16) {
  expectRoundedNarrowing(f16, __truncdfhf2);
  expectSpecialNarrowing(f16, __truncdfhf2);
  EXPECT_EQ(bitsOf(__truncdfhf2(-std::numeric_limits<double>::denorm_min())),
            0x8000);
}

TEST(Builtins, truncateF32ToBF16) {
  expectRoundedNarrowing(bf16, __truncsfbf2);
  expectSpecialNarrowing(bf16, __truncsfbf2);
}

TEST(Builtins, truncateF64ToBF16) {
  expectRoundedNarrowing(bf16, __truncdfbf2);
  expectSpecialNarrowing(bf16, __truncdfbf2);
}

} // namespace
