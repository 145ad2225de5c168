//===- Ops.h - the functions of a traced program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the operators of C++ for Tensors. The functions, one for
// each overload of each ATen operator that the graph can express, are
// generated (AtenOps.h): names, arguments and defaults are PyTorch's.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TRACE_OPS_H
#define FRONTENDS_TRACE_OPS_H

#include "frontends/trace/AtenOps.h"

namespace graven::trace {

/// An operand of an operator, and the line it stands in: operators themselves
/// cannot have a default argument.
class Operand {
public:
  Operand(const Tensor &tensor,
          std::source_location at = std::source_location::current())
      : tensor(tensor), at(at) {}
  template <class T>
    requires std::convertible_to<T, Scalar>
  Operand(T number, std::source_location at = std::source_location::current())
      : number(number), at(at) {}

  Tensor tensor;
  std::optional<Scalar> number;
  std::source_location at;
};

Tensor operator-(const Operand &a);
Tensor operator+(const Operand &a, const Operand &b);
Tensor operator-(const Operand &a, const Operand &b);
Tensor operator*(const Operand &a, const Operand &b);
Tensor operator/(const Operand &a, const Operand &b);
Tensor operator<(const Operand &a, const Operand &b);
Tensor operator<=(const Operand &a, const Operand &b);
Tensor operator>(const Operand &a, const Operand &b);
Tensor operator>=(const Operand &a, const Operand &b);
/// Element by element, as PyTorch's.
Tensor operator==(const Operand &a, const Operand &b);
Tensor operator!=(const Operand &a, const Operand &b);
/// Of bools or ints.
Tensor operator&(const Operand &a, const Operand &b);
Tensor operator|(const Operand &a, const Operand &b);
Tensor operator~(const Operand &a);

} // namespace graven::trace

#endif // FRONTENDS_TRACE_OPS_H
