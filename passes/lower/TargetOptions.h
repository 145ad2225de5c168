//===- TargetOptions.h - the target as options of a pass --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the way of a TargetInfo into the options of a pass
// (`targetOptions` in Passes.td) and back.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_TARGETOPTIONS_H
#define PASSES_LOWER_TARGETOPTIONS_H

#include "passes/lower/TargetInfo.h"

namespace graven {

/// The options of a pass that has `targetOptions`.
template <class Options> Options optionsOf(const TargetInfo &target) {
  Options options;
  options.vectorBytes = target.vectorBytes;
  options.vectorRegisters = target.vectorRegisters;
  options.fma = target.hasFMA;
  options.l2Bytes = target.l2Bytes;
  options.bf16Dot = target.hasBF16Dot;
  options.f16Convert = target.hasF16Convert;
  options.processor = target.processor;
  return options;
}

/// The target that options describe; the rest of it is the default's.
inline TargetInfo targetOf(int64_t vectorBytes, int64_t vectorRegisters,
                           bool fma, int64_t l2Bytes, bool bf16Dot,
                           bool f16Convert, Processor processor) {
  TargetInfo target;
  target.vectorBytes = vectorBytes;
  target.vectorRegisters = vectorRegisters;
  target.hasFMA = fma;
  target.l2Bytes = l2Bytes;
  target.hasBF16Dot = bf16Dot;
  target.hasF16Convert = f16Convert;
  target.processor = processor;
  return target;
}

} // namespace graven

#endif // PASSES_LOWER_TARGETOPTIONS_H
