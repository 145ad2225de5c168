//===- Autocast.h - operators in another precision ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what torch.autocast for the CPU does to the arguments of a
// call: which operators compute in the lower precision, which in f32, and which
// in the widest type of their arguments (torch.amp, "Autocast Op Reference").
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_AUTOCAST_H
#define FRONTENDS_ATEN_AUTOCAST_H

#include "frontends/aten/Emitter.h"

namespace graven::aten {

/// The arguments of the operator `name` (`aten::linear`) under an autocast to
/// `lower`, which is f16 or bf16. Tensors of f64, and those that are no floats,
/// stay. Nothing when the operator is made of others that PyTorch casts one by
/// one.
std::optional<llvm::SmallVector<Value>>
autocast(Emitter &emitter, llvm::StringRef name,
         llvm::ArrayRef<Value> arguments, ScalarType lower);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_AUTOCAST_H
