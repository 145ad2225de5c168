//===- Numbers.h - numbers that only running tells ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares arithmetic on the bools, ints and floats of a program of
// which at least one is only known when it runs: these are tensors without
// axes, of i1, i64 and f64, which know that they are numbers.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_NUMBERS_H
#define FRONTENDS_ATEN_NUMBERS_H

#include "frontends/aten/Table.h"

namespace graven::aten {

/// Whether a value is a number that only running tells.
inline bool isOpenNumber(const Value &value) {
  return value.is(Value::Kind::Tensor) && value.tensor()->isNumber();
}
/// Whether it is a number, known or not.
inline bool isAnyNumber(const Value &value) {
  return value.isNumber() || value.is(Value::Kind::Bool) || isOpenNumber(value);
}

/// The one element of a tensor as a number of the program, of type Bool, Long
/// or Double.
Value openNumber(Emitter emitter, mlir::Value tensor, ScalarType type);
/// As above, of the type that item() gives.
Value openNumber(Emitter emitter, mlir::Value tensor);

/// What an operator on numbers (`add`, `floordiv`, `__and__`) stands for.
class NumberOperator {
public:
  /// Null when there is none of that name.
  static const NumberOperator *find(llvm::StringRef name);

  /// The operator on tensors that computes it: "aten::add".
  std::string tensorOperator() const { return ("aten::" + onTensors).str(); }
  /// The operands as tensors of the type in which it is computed.
  std::vector<Value> operands(mlir::OpBuilder &builder, mlir::Location loc,
                              llvm::ArrayRef<Value> numbers) const;
  /// What the program gets of the tensor that was computed.
  Value result(Emitter emitter, mlir::Value tensor) const;

  /// In which type an operator works, and what type its result has.
  enum class Works : uint8_t {
    Common,   ///< that of the operands; bools as ints
    Bits,     ///< that of the operands
    Logic,    ///< i1
    Real,     ///< f64
    RealToInt ///< f64, with an i64 result
  };
  llvm::StringRef name, onTensors;
  Works works;
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_NUMBERS_H
