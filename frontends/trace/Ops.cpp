//===- Ops.cpp - the functions of a traced program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators of C++ for Tensors as calls of ATen's.
//
//===----------------------------------------------------------------------===//

#include "frontends/trace/Ops.h"

#include "frontends/trace/Recorder.h"

using namespace graven;
using namespace graven::trace;

/// A call of a binary operator: one operand may be a number.
static Tensor binary(llvm::StringRef name, const Operand &a, const Operand &b) {
  if (b.number)
    return Invocation(name, "Scalar")
        .with("self", a.tensor)
        .with("other", b.number->value())
        .tensor(a.at);
  Tensor first = a.tensor;
  // A number before the operator becomes a tensor that promotes like one.
  if (a.number && b.tensor.isValid()) {
    Trace::Recorder &recorder = b.tensor.trace()->recorder();
    mlir::Location loc = recorder.place(a.at);
    auto value = aten::Tensor::make(
        aten::Emitter(recorder.builder(), loc).number(a.number->value()));
    value->setWrappedNumber();
    first = recorder.make(aten::Value(value));
  } else if (a.number) {
    return b.tensor;
  }
  return Invocation(name, "Tensor")
      .with("self", first)
      .with("other", b.tensor)
      .tensor(b.at);
}

static Tensor unary(llvm::StringRef name, const Operand &a) {
  return Invocation(name, "").with("self", a.tensor).tensor(a.at);
}

namespace graven::trace {

Tensor operator-(const Operand &a) { return unary("aten::neg", a); }
Tensor operator~(const Operand &a) { return unary("aten::bitwise_not", a); }
Tensor operator+(const Operand &a, const Operand &b) {
  return binary("aten::add", a, b);
}
Tensor operator-(const Operand &a, const Operand &b) {
  return binary("aten::sub", a, b);
}
Tensor operator*(const Operand &a, const Operand &b) {
  return binary("aten::mul", a, b);
}
Tensor operator/(const Operand &a, const Operand &b) {
  return binary("aten::div", a, b);
}
Tensor operator<(const Operand &a, const Operand &b) {
  return binary("aten::lt", a, b);
}
Tensor operator<=(const Operand &a, const Operand &b) {
  return binary("aten::le", a, b);
}
Tensor operator>(const Operand &a, const Operand &b) {
  return binary("aten::gt", a, b);
}
Tensor operator>=(const Operand &a, const Operand &b) {
  return binary("aten::ge", a, b);
}
Tensor operator==(const Operand &a, const Operand &b) {
  return binary("aten::eq", a, b);
}
Tensor operator!=(const Operand &a, const Operand &b) {
  return binary("aten::ne", a, b);
}
Tensor operator&(const Operand &a, const Operand &b) {
  return binary("aten::bitwise_and", a, b);
}
Tensor operator|(const Operand &a, const Operand &b) {
  return binary("aten::bitwise_or", a, b);
}

} // namespace graven::trace
