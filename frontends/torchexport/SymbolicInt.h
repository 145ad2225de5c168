//===- SymbolicInt.h - extents that are expressions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the evaluation of the expressions that torch.export
// writes for extents: SymPy's srepr form, or infix text of older writers.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_SYMBOLICINT_H
#define FRONTENDS_TORCHEXPORT_SYMBOLICINT_H

#include "frontends/LinearExtent.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace graven::torchexport {

/// The values of symbols; nothing for an unknown one.
using SymbolValues =
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef symbol)>;

/// The value of an expression such as "Mul(Integer(2), Symbol('s77',
/// integer=True))" or "2*s77 + 1"; nothing when it has an unknown symbol or
/// does not fit 64 bits, an error when it is malformed.
llvm::Expected<std::optional<int64_t>> evaluate(llvm::StringRef expression,
                                                SymbolValues values);

/// What the expression is, unless it has several symbols or another form.
std::optional<LinearExtent> linearIn(llvm::StringRef expression);

} // namespace graven::torchexport

#endif // FRONTENDS_TORCHEXPORT_SYMBOLICINT_H
