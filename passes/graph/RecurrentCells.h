//===- RecurrentCells.h - one step of a recurrent unit ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the Nodes of the cells of lstm, gru and rnn, which the
// decomposition to loops and the lowering to kernels share.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_RECURRENTCELLS_H
#define PASSES_GRAPH_RECURRENTCELLS_H

#include "dialects/graven/Recurrent.h"

namespace graven {

/// Short names for the Nodes of a cell; all values have equal ranks.
struct CellBuilder {
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  /// A constant that broadcasts to `like`.
  mlir::Value number(mlir::Value like, double value);
  /// The function of x clamped to [-clip, clip], where clip > 0.
  mlir::Value apply(const GateFunction &gate, double clip, mlir::Value x);

private:
  mlir::Value function(const GateFunction &gate, mlir::Value x);
};

/// What the cells of one direction do with their gates.
struct CellFunctions {
  llvm::SmallVector<GateFunction> functions;
  double clip = 0;
  bool inputForget = false;
};
template <class OpTy> CellFunctions cellFunctionsOf(OpTy op, int64_t direction);

using GateValue = llvm::function_ref<mlir::Value(int64_t gate)>;

/// The next h and c of an LSTM. `sum` gives W x + R h + b of a gate; `peephole`
/// the weights of c in i, f and o, and is null where there are none.
llvm::SmallVector<mlir::Value, 2> lstmCell(CellBuilder e,
                                           const CellFunctions &cell,
                                           GateValue sum, GateValue peephole,
                                           mlir::Value c);

/// The next h of a GRU that resets behind the product: `input` gives W x + b of
/// a gate and `product` R h + b of the last one.
mlir::Value gruCell(CellBuilder e, const CellFunctions &cell, GateValue sum,
                    GateValue input, GateValue product, mlir::Value h);

/// The next h of a GRU from its update gate and the fresh state.
mlir::Value gruMix(CellBuilder e, mlir::Value update, mlir::Value fresh,
                   mlir::Value h);

/// The next h of a simple unit.
mlir::Value rnnCell(CellBuilder e, const CellFunctions &cell, GateValue sum);

/// The bias of the recurrent product that does not join the input's: that of
/// the last gate of a GRU that resets behind the product.
template <class OpTy> bool keepsBias(OpTy) { return false; }
template <> inline bool keepsBias(GruOp op) {
  return op.getLinearBeforeReset();
}

/// The operands that only an LSTM has; null for others.
inline mlir::Value cellStateOf(LstmOp op) { return op.getC0(); }
inline mlir::Value peepholeOf(LstmOp op) { return op.getPeephole(); }
template <class OpTy> mlir::Value cellStateOf(OpTy) { return {}; }
template <class OpTy> mlir::Value peepholeOf(OpTy) { return {}; }

/// Why `kernel.recurrence` cannot compute lstm, gru or rnn; empty when it can.
llvm::StringRef obstacleToKernel(mlir::Operation *op);

} // namespace graven

#endif // PASSES_GRAPH_RECURRENTCELLS_H
