//===- Widening.h - f16 and bf16 computed in f32 ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how an operator that several Nodes make up computes on f16
// and bf16: in f32, rounded once, as PyTorch's kernels do.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_WIDENING_H
#define FRONTENDS_ATEN_WIDENING_H

#include "frontends/aten/Emitter.h"
#include "frontends/aten/Schema.h"

namespace graven::aten {

/// In which type the Nodes of an operator compute on f16 and bf16.
enum class Arithmetic : uint8_t {
  Own, ///< in that type: nothing is rounded, or a single Node rounds
  Wide ///< in f32; the results are rounded
};

/// The arguments of a call with f32 in place of f16 and bf16.
struct WideArguments {
  llvm::SmallVector<Value> values;
  /// The type that f32 results are rounded to; none where nothing was widened,
  /// or where PyTorch gives f32 as well.
  std::optional<ScalarType> narrow;
};

/// Widens the tensors among `arguments`, those in lists, too, and an argument
/// `dtype`.
WideArguments widen(Emitter &emitter, const Schema &schema,
                    llvm::ArrayRef<Value> arguments);

/// A result, or a list of results, of the wide computation in type `narrow`.
Value narrowed(Emitter &emitter, const Value &result, ScalarType narrow);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_WIDENING_H
