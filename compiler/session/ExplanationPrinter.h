//===- ExplanationPrinter.h - why passes did what they did -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the explanations of passes (passes/graph/Explain.h)
// are shown.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_EXPLANATIONPRINTER_H
#define COMPILER_SESSION_EXPLANATIONPRINTER_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

namespace graven {

/// From here on, passes that run in `context` explain each decision in a line,
/// in the order of the decisions:
///
///   model.py:12 (Node 'conv1'): graven-fuse-conv-bn: graven.conv: ...
///
/// `os` outlives the context.
void printExplanations(mlir::MLIRContext &context, llvm::raw_ostream &os);

} // namespace graven

#endif // COMPILER_SESSION_EXPLANATIONPRINTER_H
