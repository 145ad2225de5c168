//===- LibraryFunctions.h - functions taken whole ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares which functions of libraries are not walked, because they
// are operators of the ATen table.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_LIBRARYFUNCTIONS_H
#define FRONTENDS_TORCHSCRIPT_LIBRARYFUNCTIONS_H

#include "frontends/torchscript/AST.h"

namespace graven::torch {

/// The operator that a function of that qualified name
/// (`__torch__.torchvision.ops.boxes.batched_nms`) with these parameters is;
/// empty for one that is to be walked.
llvm::StringRef libraryOperator(llvm::StringRef qualifiedName,
                                const FunctionDef &definition);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_LIBRARYFUNCTIONS_H
