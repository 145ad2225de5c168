//===- Elements.cpp - elements of simulated matrices -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what the operations on matrices share.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/simulator/Elements.h"
#include "llvm/ADT/bit.h"

using namespace graven::cuda;

double simulator::halfToDouble(uint32_t bits) {
  uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  double magnitude =
      exponent == 31  ? (fraction ? __builtin_nan("") : __builtin_inf())
      : exponent == 0 ? fraction * 0x1p-24
                      : (1024 + fraction) * 0x1p-25 *
                            static_cast<double>(uint32_t(1) << exponent);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double simulator::elementOf(uint32_t bits, Element type, uint32_t i) {
  switch (type) {
  case Element::F16:
    return halfToDouble(bits >> 16 * i & 0xffff);
  case Element::BF16:
    return llvm::bit_cast<float>((bits >> 16 * i) << 16);
  case Element::TF32:
    // What the lower bits hold is not looked at.
    return llvm::bit_cast<float>(bits & 0xffffe000);
  case Element::S8:
    return static_cast<int8_t>(bits >> 8 * i);
  case Element::U8:
    return static_cast<uint8_t>(bits >> 8 * i);
  case Element::F32:
    return llvm::bit_cast<float>(bits);
  case Element::S32:
    return static_cast<int32_t>(bits);
  }
  llvm_unreachable("an element of no type");
}

void simulator::meetAligned(Thread *thread, int32_t site, Service service,
                            Collective::Compute compute, void *data) {
  Collective collective = {Collective::Form::Aligned,
                           static_cast<uint32_t>(service) << 8,
                           static_cast<uint32_t>(site), ~uint32_t(0), compute};
  thread->block->meet(*thread, collective, data);
}
