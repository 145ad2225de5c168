//===- AttentionTile.h - a tile of rows of attention ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the expansion of kernel.attention does for a tile of
// rows and a block of packed keys, and the operands it works on.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_ATTENTIONTILE_H
#define GRAVEN_PASSES_LOWER_EXPAND_ATTENTIONTILE_H

#include "dialects/kernel/AttentionShape.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/expand/Emitter.h"
#include <functional>

namespace graven::expand {

/// Steps of the weighted sum in a loop body, each of one key or of a pair; a
/// block ends with zeros up to a multiple of it.
inline constexpr int64_t kKeysUnroll = 4;

/// A flat operand and the map of its elements: [offset, batch, head, row,
/// column].
struct MappedBuffer {
  /// The first column of a row.
  Idx row(Emitter &e, Idx batch, Idx head, Idx row) const;

  Buffer buffer;
  llvm::ArrayRef<int64_t> map;
};

struct AttentionOperands {
  MappedBuffer q, k, v, out;
  std::optional<MappedBuffer> mask;
  Buffer scratch;
};

struct Head {
  Idx batch, head, keyHead;
};

/// Keys `first` to `first` + `count`, packed in the slot.
struct Block {
  Idx first;
  int64_t count;
};

mlir::Value compare(Emitter &e, mlir::arith::CmpIPredicate predicate, Idx a,
                    Idx b);
/// Runs `body` where `condition` holds.
void when(Emitter &e, mlir::Value condition, llvm::function_ref<void()> body);

class AttentionTile {
public:
  /// Asks for the given one of some parts of what is needed later.
  using Ahead = std::function<void(Idx part, int64_t parts)>;

  AttentionTile(Emitter &e, kernel::AttentionOp op,
                const AttentionOperands &operands, Head head, Idx slot);

  /// Rows `row` to `row` + `rows` against a block of keys. With one block, the
  /// rows of the output; with several, what row `groupRow` and those after it
  /// have so far. `ahead` is called for each part of the work.
  void run(const Block &block, Idx row, int64_t rows, Idx groupRow,
           const Ahead &ahead);

  /// What packed keys are multiplied by, so that the query needs no scale.
  double keyScale();

  /// Before and after all blocks, for the rows of a unit of work.
  void startGroup(Idx rows);
  void finishGroup(Idx firstRow, Idx rows);

private:
  /// Rows of the left-hand side of a product.
  struct Factors {
    const Buffer &buffer;
    Idx first;
    int64_t stride;
  };
  Factors query(Idx row, int64_t rows);
  /// The whole panels of scores and of the result, or 1.
  int64_t parts();
  void scores(const Block &block, Idx row, int64_t rows, Idx limit,
              const Ahead &ahead);
  void scoreTile(const Block &block, const Factors &query, Idx row,
                 int64_t rows, Idx panel, int64_t vectors, int64_t lastLanes);
  void hideLaterKeys(const Block &block, Idx row, int64_t rows, Idx limit);
  void softmax(int64_t rows, Idx limit, Idx groupRow);
  void findShifts(int64_t rows, Idx limit, Idx groupRow);
  /// Folds `rows` rows of scores side by side, each in `chains` chains that
  /// `join` joins; step(row, column, chain).
  llvm::SmallVector<mlir::Value>
  fold(int64_t rows, Idx limit, int64_t chains, mlir::Value init,
       llvm::function_ref<mlir::Value(int64_t, Idx, mlir::Value)> step,
       llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> join);
  void values(Idx row, int64_t rows, Idx limit, Idx groupRow,
              const Ahead &ahead);
  void valueTile(Idx row, int64_t rows, Idx steps, Idx groupRow, Idx panel,
                 int64_t vectors, int64_t lastLanes);
  llvm::SmallVector<mlir::Value> multiply(int64_t rows, int64_t vectors,
                                          Idx whole, int64_t rest,
                                          const Factors &left, Idx right);

  /// Stores values as the steps of a product read them, from column `first` of
  /// a row on: as they are, or as pairs of bf16.
  void storeFactors(mlir::Value values, Idx row, Idx first);
  /// A vector of scratch memory as factors: words, or pairs in words.
  mlir::Value factors(mlir::Value words);

  /// The power of a difference of scores.
  mlir::Value power(mlir::Value difference);
  /// 1 / total, or what a row without keys gives.
  mlir::Value inverse(mlir::Value total);
  Idx scratch(int64_t start) { return e.add(slot, Idx(start)); }

  Emitter &e;
  kernel::AttentionOp op;
  kernel::AttentionShape shape;
  const AttentionOperands &operands;
  Head head;
  Idx slot;
  mlir::Type element;
  mlir::VectorType vector;
  int64_t lanes, vectors;
  /// What scores are multiples of: log2(e) where they are exponents of 2.
  double unit;
  mlir::Value lowest;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_ATTENTIONTILE_H
