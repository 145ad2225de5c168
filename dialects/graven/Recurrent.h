//===- Recurrent.h - what recurrent layers have in common -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares one view of lstm, gru and rnn, so that inference,
// evaluation and decomposition treat what they share once.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_RECURRENT_H
#define DIALECTS_GRAVEN_RECURRENT_H

#include "dialects/graven/Graven.h"

namespace graven {

/// What stands in an op of its kind: gates are blocks of H rows of the weights,
/// activations those of one direction by default.
struct RecurrentKind {
  int64_t gates;
  llvm::ArrayRef<Activation> activations;
};
const RecurrentKind &kindOf(LstmOp);
const RecurrentKind &kindOf(GruOp);
const RecurrentKind &kindOf(RnnOp);

/// A function of a gate with its parameters.
struct GateFunction {
  Activation function = Activation::Tanh;
  double alpha = 0, beta = 0;
};

/// The functions of one direction (0 or 1); names were verified.
llvm::SmallVector<GateFunction>
gateFunctionsOf(const RecurrentKind &kind,
                std::optional<mlir::ArrayAttr> activations,
                std::optional<llvm::ArrayRef<double>> alpha,
                std::optional<llvm::ArrayRef<double>> beta, int64_t direction);

template <class OpTy>
llvm::SmallVector<GateFunction> gateFunctionsOf(OpTy op, int64_t direction) {
  return gateFunctionsOf(kindOf(op), op.getActivations(), op.getAlpha(),
                         op.getBeta(), direction);
}

inline int64_t directionsOf(Direction direction) {
  return direction == Direction::Bidirectional ? 2 : 1;
}
/// Whether that direction walks backwards.
inline bool isReverse(Direction direction, int64_t index) {
  return direction == Direction::Reverse || index == 1;
}

} // namespace graven

#endif // DIALECTS_GRAVEN_RECURRENT_H
