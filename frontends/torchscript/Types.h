//===- Types.h - TorchScript types against values ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the interpreter asks of type expressions: it types
// dynamically, so these are questions about values.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_TYPES_H
#define FRONTENDS_TORCHSCRIPT_TYPES_H

#include "frontends/aten/Value.h"
#include "frontends/torchscript/AST.h"

namespace graven::torch {

/// "List" of List[int], "Tensor" of Tensor, the dotted name of a class; empty
/// for anything else.
std::string typeHead(const Expr *type);

/// The argument in brackets at that position, or null.
const Expr *typeArgument(const Expr *type, size_t index = 0);

/// T of Optional[T] and Final[T]; other types are themselves.
const Expr *withoutOptional(const Expr *type);

/// Whether a value is of a type, as isinstance() decides it.
bool isInstance(const aten::Value &value, const Expr *type);

/// Ints where floats are expected become floats: the printer writes large
/// integral floats without a point.
aten::Value coerced(const aten::Value &value, const Expr *type);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_TYPES_H
