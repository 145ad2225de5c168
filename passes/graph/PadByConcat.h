//===- PadByConcat.h - pads by amounts of the run ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares pads whose amounts differ between samples of a model, as
// concats with what they add.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_PADBYCONCAT_H
#define PASSES_GRAPH_PADBYCONCAT_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/Builders.h"

namespace graven {

/// Whether a pad of another sample adds other numbers of elements.
bool hasOtherAmounts(PadOp node, llvm::ArrayRef<mlir::Operation *> others);

/// Why a pad with other amounts elsewhere cannot be a concat, as the end of a
/// sentence; nullopt where it can, or has the same amounts.
std::optional<llvm::StringRef>
whyNotByConcat(PadOp node, llvm::ArrayRef<mlir::Operation *> others);

/// What the pad gives, axis by axis; `find` gives the amount that is that at
/// each sample. Null where it gives none.
mlir::Value
padByConcat(mlir::OpBuilder &b, PadOp node,
            llvm::ArrayRef<mlir::Operation *> others,
            llvm::function_ref<mlir::Value(llvm::ArrayRef<int64_t>)> find);

} // namespace graven

#endif // PASSES_GRAPH_PADBYCONCAT_H
