//===- Coefficients.h - minimax polynomials of ExpandMath -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file holds the polynomials that ExpandMath evaluates, from the constant
// coefficient up. It is written by coefficients.sollya; do not edit it.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_COEFFICIENTS_H
#define GRAVEN_PASSES_MATH_COEFFICIENTS_H

namespace graven::elementary {

/// e^x = 1 + x + x^2 P(x), |x| <= ln2/2; relative error at most 2^-26.
inline constexpr double kExpF32[] = {0x1p-1, 0x1.5554dcp-3, 0x1.5554eap-5,
                                     0x1.120c0ap-7, 0x1.6d4bfep-10};
/// e^x - 1 = x + x^2 P(x), |x| <= ln2/2; relative error at most 2^-30.
inline constexpr double kExpm1F32[] = {0x1p-1,         0x1.555556p-3,
                                       0x1.555502p-5,  0x1.110fc2p-7,
                                       0x1.6d2e08p-10, 0x1.a2d998p-13};
/// 2^x = 1 + x P(x), |x| <= 1/2; relative error at most 2^-27.
inline constexpr double kExp2F32[] = {0x1.62e43p-1,  0x1.ebfbep-3,
                                      0x1.c6af9cp-5, 0x1.3b2a48p-7,
                                      0x1.5ef5dp-10, 0x1.442512p-13};
/// 2^x = P(x), |x| <= 1/2; relative error at most 2^-22.
inline constexpr double kExp2ShortF32[] = {0x1.000002p0,  0x1.62e432p-1,
                                           0x1.ebf8a8p-3, 0x1.c6adbap-5,
                                           0x1.3d237ep-7, 0x1.5fb176p-10};
/// ln(1 + x) = x - x^2/2 + x^3 P(x), 1 + x in [sqrt(1/2), sqrt(2)]; relative
/// error at most 2^-27.
inline constexpr double kLogF32[] = {
    0x1.555554p-2,  -0x1.ffffe6p-3, 0x1.999d2ap-3,
    -0x1.556288p-3, 0x1.23de4p-3,   -0x1.fbbf2ep-4,
    0x1.dc75e8p-4,  -0x1.ddb2cep-4, 0x1.2cb40ep-4};
/// log2(1 + x) = x + x P(x), 1 + x in [sqrt(1/2), sqrt(2)]; relative error at
/// most 2^-26.
inline constexpr double kLog2F32[] = {
    0x1.c551dap-2, -0x1.71547p-1,  0x1.ec7028p-2, -0x1.715a94p-2,
    0x1.278fe4p-2, -0x1.ead202p-3, 0x1.a0f066p-3, -0x1.84bed4p-3,
    0x1.87ce3p-3,  -0x1.e5dbe4p-4};
/// (e^(2x) - 1) / 2 = x + x^2 P(x), |x| <= ln2/4; relative error at most 2^-30.
inline constexpr double kHalfExpm1F32[] = {0x1p0,         0x1.555556p-1,
                                           0x1.555502p-2, 0x1.110fc2p-3,
                                           0x1.6d2e08p-5, 0x1.a2d998p-7};
/// e^x = 1 + x + x^2 P(x), |x| <= ln2; relative error at most 2^-28.
inline constexpr double kExpWideF32[] = {
    0x1p-1,         0x1.55555ap-3,  0x1.55555ap-5, 0x1.110c4ep-7,
    0x1.6c10a4p-10, 0x1.a50266p-13, 0x1.a4e0bcp-16};
/// ln(1 + y) = y P(2y - 1), 0 <= y <= 1; relative error at most 2^-25.
inline constexpr double kLog1pUnitF32[] = {
    0x1.9f323ep-1, -0x1.2773a6p-3,  0x1.0f96b8p-5,  -0x1.15400ap-7,
    0x1.2b8f8ap-9, -0x1.50f694p-11, 0x1.91746cp-13, -0x1.bb752p-15,
    0x1.38af2p-17, -0x1.a5bfcp-18,  0x1.1e15e8p-18};
/// erf(x) = x + x P(x^2), |x| <= 0.92; relative error at most 2^-30.
inline constexpr double kErfF32[] = {
    0x1.06eba8p-3, -0x1.812742p-2,  0x1.ce2df2p-4, -0x1.b80db8p-6,
    0x1.54c62ap-8, -0x1.aa55c6p-11, 0x1.5d7cacp-14};
/// erf(x) = 1 - e^-P(x), 0.92 <= x <= 3.95; relative error at most 2^-28.
inline constexpr double kErfTailF32[] = {
    -0x1.3e0ef4p-12, 0x1.2152c8p0,   0x1.438c2p-1,
    0x1.c2852p-4,    -0x1.b01b7cp-6, 0x1.36ea0cp-8,
    -0x1.374f7ap-11, 0x1.7f9b2cp-15, -0x1.b3697ep-20};
/// e^(u^2/2) erfc(u / sqrt2) (u + 2) = 1 + P(x), x = (u - 2) / (u + 2), 0 <= u
/// <= 14.5; relative error at most 2^-26.
inline constexpr double kGeluF32[] = {
    0x1.611772p-2,   -0x1.535bb2p-1, 0x1.d7d1c8p-5,  0x1.2cce3cp-4,
    -0x1.eeb96ep-11, -0x1.b963a2p-7, -0x1.fd6b64p-9, 0x1.b19be6p-10,
    0x1.af049cp-10,  0x1.05d5ap-12,  -0x1.25a9bp-12, -0x1.f0dc08p-14};

/// e^x - 1 = x + x^2 P(x), |x| <= ln2/2; relative error at most 2^-36.
inline constexpr double kExpm1F64[] = {
    0x1.fffffffffc0bdp-2, 0x1.5555556753f9dp-3,  0x1.5555556f0a94ep-5,
    0x1.1110c630f4347p-7, 0x1.6c16522cd9375p-10, 0x1.a1517ca54b046p-13,
    0x1.a15a644dfc6cbp-16};
/// ln((1 + x) / (1 - x)) = 2x + x^3 P(x^2), quotient in [sqrt(1/2), sqrt(2)];
/// relative error at most 2^-43.
inline constexpr double kLogF64[] = {0x1.555555556521ap-1, 0x1.999998c9153b2p-2,
                                     0x1.2493252dbc818p-2, 0x1.c67a4bda343b3p-3,
                                     0x1.8c95aa6e51b2ap-3};
/// sin(x) = x + x^3 P(x^2), |x| <= pi/4; relative error at most 2^-35.
inline constexpr double kSinF64[] = {
    -0x1.555555545e556p-3, 0x1.11110def977cep-7, -0x1.a013a7e469c71p-13,
    0x1.6dbe150e44aaap-19};
/// cos(x) = 1 - x^2/2 + x^4 P(x^2), |x| <= pi/4; relative error at most 2^-39.
inline constexpr double kCosF64[] = {
    0x1.5555555502e23p-5, -0x1.6c16bf5517a39p-10, 0x1.a015c49bd5ba7p-16,
    -0x1.2524505502951p-22};
/// atan(x) = x + x^3 P(x^2), |x| <= 1; relative error at most 2^-33.
inline constexpr double kAtanF64[] = {
    -0x1.55555554849ep-2,  0x1.999997a599025p-3,  -0x1.2491e5d7e4ca2p-3,
    0x1.c70ce9e576ffbp-4,  -0x1.73bad98e0f5abp-4, 0x1.371b408be26dbp-4,
    -0x1.00e188c2fdcd4p-4, 0x1.874595a79cf53p-5,  -0x1.f33f7180656e7p-6,
    0x1.dab78c0005f71p-7,  -0x1.200e6de39ae0bp-8, 0x1.476d531d7df14p-11};
/// asin(x) = x + x^3 P(x^2), |x| <= 1/2; relative error at most 2^-38.
inline constexpr double kAsinF64[] = {
    0x1.55555554e0559p-3, 0x1.333334f9c02a8p-4, 0x1.6db5ba110b585p-5,
    0x1.f20cff105e46ep-6, 0x1.6a6f6a023885bp-6, 0x1.3d63a70e6089ap-6,
    0x1.582d338204fddp-8, 0x1.e3baf5318b01bp-6};
/// erfc(u) = e^(-u^2) P(x) / (1 + 2u), x = (u - 3) / (u + 3), 0 <= u <= 10.1;
/// relative error at most 2^-34.
inline constexpr double kErfcF64[] = {
    0x1.40c522d7deddbp0,    -0x1.15c084d445d43p-3,  -0x1.85a15bf783baep-5,
    0x1.09836c0533befp-3,   -0x1.e88b7f4dde9a5p-4,  0x1.17c97de634702p-4,
    -0x1.8576ba0386f68p-6,  0x1.4c112270e8562p-9,   0x1.f07e581c122e2p-10,
    -0x1.9e3af6cddb60bp-11, -0x1.08e23170cb5fdp-13, 0x1.0aa7126b96a1dp-13,
    0x1.16c7caa8ed39ep-15};

/// log2(e), and ln(2) in two parts: the first has trailing zeros, so that its
/// product with an exponent is exact.
inline constexpr double kLog2E = 0x1.71547652b82fep0;
inline constexpr double kLog10E = 0x1.bcb7b1526e50ep-2;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2HighF32 = 0x1.628p-1;
inline constexpr double kLn2LowF32 = 0x1.90bfbep-11;
/// pi/2, and the same in two parts, 29 bits first.
inline constexpr double kHalfPi = 0x1.921fb54442d18p0;
inline constexpr double kHalfPiHigh = 0x1.921fb54p0;
inline constexpr double kHalfPiLow = 0x1.10b4611a62633p-30;
inline constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
inline constexpr double kPi = 0x1.921fb54442d18p1;

} // namespace graven::elementary

#endif // GRAVEN_PASSES_MATH_COEFFICIENTS_H
