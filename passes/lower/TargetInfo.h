//===- TargetInfo.h - what kernels must know about a machine ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines TargetInfo, which holds the few numbers of a CPU from which
// tiles are derived: vector width, registers, fused multiply-add and caches. It
// knows no LLVM target; compiler/targets/cpu builds it from a CPU's name.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_LOWER_TARGETINFO_H
#define GRAVEN_PASSES_LOWER_TARGETINFO_H

#include <cstdint>
#include <string>

namespace graven {

/// What runs the kernels: few fast threads or many small ones.
enum class Processor { CPU, GPU };

/// The default is the narrowest machine that is still fast to reason about:
/// x86-64-v4 without any of the extensions for low precision.
struct TargetInfo {
  /// The CPU as LLVM names it ("znver5", "x86-64-v3"), never "native".
  std::string name = "x86-64-v4";
  Processor processor = Processor::CPU;
  /// Bytes of the widest vector register: 64 (AVX-512), 32 (AVX2), 16 (SSE,
  /// NEON).
  int64_t vectorBytes = 64;
  /// Architectural vector registers: 32 with AVX-512 and NEON, else 16.
  int64_t vectorRegisters = 32;
  /// Fused multiply-add in hardware; without it math.fma is a library call.
  bool hasFMA = true;
  /// vpdpbusd (AVX-512 VNNI or AVX-VNNI), vdpbf16ps, and f16 conversions.
  bool hasInt8Dot = false;
  bool hasBF16Dot = false;
  bool hasF16Convert = true;
  /// Bytes of the caches one core sees: first level data, second level, and the
  /// share of the last level that one core can expect to keep.
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 1 << 20;
  int64_t l3Bytes = 16 << 20;

  /// Elements of a type of `elementBytes` in one vector register, at least 1.
  int64_t lanes(int64_t elementBytes) const {
    return vectorBytes > elementBytes ? vectorBytes / elementBytes : 1;
  }
};

} // namespace graven

#endif // GRAVEN_PASSES_LOWER_TARGETINFO_H
