//===- AttentionMask.h - the conditions in a mask ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the view of an attention's masks as conditions: causality,
// those that leave nothing out, and the rest.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ATTENTIONMASK_H
#define PASSES_GRAPH_ATTENTIONMASK_H

#include "dialects/graven/Graven.h"
#include "dialects/graven/eval/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace graven {

/// A mask as a model spells it: numbers to be added, bools that close with
/// -inf, or, with `fill`, bools that put a number in place of the score.
struct SpelledMask {
  mlir::Value value;
  std::optional<double> fill;
};

/// The elements of a constant, or of a Parameter that is not trained; nullopt
/// for anything else, and for very many.
std::optional<eval::Tensor> knownElements(mlir::Value value);

/// The number of a constant that is one, or of a Parameter of one element that
/// is not trained.
std::optional<double> numberOf(mlir::Value value);

/// The value without leading axes of one that a reshape gives it, which
/// broadcasting gives it, too.
mlir::Value withoutLeadingOnes(mlir::Value value);

/// Numbers this low close a key beside an open one: exp of them is 0.
inline constexpr double kClosing = -1e9;

/// The softmax of an attention, and what a row of it gives that has no key.
struct RowSoftmax {
  SoftmaxOp softmax;
  EmptyRow emptyRow = EmptyRow::NaN;
  /// The Node beside the softmax that reads the scores, to find such rows.
  mlir::Operation *check = nullptr;
};

/// That of `weights`, which exporters write as select(isnan(w), 0, w) or as
/// select(all(scores == -inf), 0, w) where a row without keys is to give 0; no
/// softmax where there is none, or others read it.
RowSoftmax rowSoftmaxOf(mlir::Value weights);

/// What masks say together.
struct MaskConditions {
  bool causal = false;
  /// Bools, -inf where they have no fill, or numbers to be added, each
  /// broadcastable to the scores.
  llvm::SmallVector<SpelledMask> rest;
};

/// Takes masks of scores [.., S, L] apart. Builds nothing.
MaskConditions conditionsOf(llvm::ArrayRef<SpelledMask> masks,
                            llvm::ArrayRef<int64_t> scores);

/// One mask of the scores' rank: bools, or numbers of type `element`; null when
/// nothing is left out.
mlir::Value joinMasks(mlir::OpBuilder &builder, mlir::Location loc,
                      const MaskConditions &conditions, int64_t rank,
                      mlir::Type element);

/// Whether every extent is 1 or that of the scores, from the last on.
bool broadcastsTo(llvm::ArrayRef<int64_t> mask, llvm::ArrayRef<int64_t> scores);

} // namespace graven

#endif // PASSES_GRAPH_ATTENTIONMASK_H
