//===- Narrow.h - arrays of f16 and bf16 ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines arrays of narrow floats for the tests of kernels, and the
// function around a kernel.

#ifndef GRAVEN_TEST_UNIT_PASSES_LOWER_NARROW_H
#define GRAVEN_TEST_UNIT_PASSES_LOWER_NARROW_H

#include "test/unit/passes/lower/KernelRunner.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

namespace graven::test {

inline const llvm::fltSemantics &semanticsOf(llvm::StringRef type) {
  return type == "bf16" ? llvm::APFloat::BFloat() : llvm::APFloat::IEEEhalf();
}

inline uint16_t rounded(float value, llvm::StringRef type) {
  llvm::APFloat number(value);
  bool loses = false;
  number.convert(semanticsOf(type), llvm::APFloat::rmNearestTiesToEven, &loses);
  return uint16_t(number.bitcastToAPInt().getZExtValue());
}

inline float widened(uint16_t bits, llvm::StringRef type) {
  llvm::APFloat number(semanticsOf(type), llvm::APInt(16, bits));
  bool loses = false;
  number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmTowardZero,
                 &loses);
  return number.convertToFloat();
}

/// Elements of a narrow type with memory around them that must keep its value.
class Narrow {
public:
  Narrow(llvm::StringRef type, int64_t size)
      : type(type), bits(size + 2 * kMargin, kMarginBits) {}
  /// `values` rounded; `values` get what is left.
  Narrow(llvm::StringRef type, Array &values) : Narrow(type, values.size()) {
    for (int64_t i = 0; i < values.size(); ++i) {
      data()[i] = rounded(values[i], type);
      values[i] = widened(data()[i], type);
    }
  }

  uint16_t *data() { return bits.data() + kMargin; }
  Array wide() const {
    Array result(int64_t(bits.size()) - 2 * kMargin);
    for (int64_t i = 0; i < result.size(); ++i)
      result[i] = widened(bits[kMargin + i], type);
    return result;
  }
  bool marginIntact() const {
    for (int64_t i = 0; i < kMargin; ++i)
      if (bits[i] != kMarginBits || bits[bits.size() - 1 - i] != kMarginBits)
        return false;
    return true;
  }

private:
  static constexpr int64_t kMargin = 64;
  static constexpr uint16_t kMarginBits = 0x1234;
  std::string type;
  std::vector<uint16_t> bits;
};

/// What rounding to the type loses, of the largest value.
inline double unit(llvm::StringRef type) {
  return type == "bf16" ? 0x1p-8 : 0x1p-11;
}

inline constexpr llvm::StringLiteral kTypes[] = {"bf16", "f16"};

/// The function @main with the `arguments` (%a0, %a1, ...) around `body`.
inline std::string function(llvm::ArrayRef<std::string> arguments,
                            std::string body) {
  std::string text = "func.func @main(";
  for (auto [i, argument] : llvm::enumerate(arguments))
    text += (i ? ", %a" : "%a") + std::to_string(i) + ": " + argument;
  return text + ") {\n" + body + "\n return\n}\n";
}

} // namespace graven::test

#endif // GRAVEN_TEST_UNIT_PASSES_LOWER_NARROW_H
