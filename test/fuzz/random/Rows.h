//===- Rows.h - one way to draw each op -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the table of ops that random graphs are made of: a
// function for each that draws operands and attributes and adds a Node, and a
// reason for each op that has none. A test fails when a registered op is in
// neither list, so that a new op comes with its row.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_TEST_FUZZ_RANDOM_ROWS_H
#define GRAVEN_TEST_FUZZ_RANDOM_ROWS_H

#include "test/fuzz/random/Draft.h"

namespace graven::fuzz {

struct Row {
  /// "graven.add".
  llvm::StringRef op;
  /// Adds a Node of this op, and others that its operands need; none where the
  /// draw may not stay.
  void (*draw)(Draft &);
};

/// An op that no row draws by itself.
struct Exempt {
  llvm::StringRef op, why;
};

llvm::ArrayRef<Row> getRows();
llvm::ArrayRef<Exempt> getExempt();

// The parts of the table, a file each.
llvm::ArrayRef<Row> getUnaryRows();
llvm::ArrayRef<Row> getElementwiseRows();
llvm::ArrayRef<Row> getMovementRows();
llvm::ArrayRef<Row> getIndexedRows();
llvm::ArrayRef<Row> getContractionRows();
llvm::ArrayRef<Row> getReductionRows();
llvm::ArrayRef<Row> getWindowRows();
llvm::ArrayRef<Row> getDetectionRows();
llvm::ArrayRef<Row> getNormRows();
llvm::ArrayRef<Row> getRecurrentRows();
llvm::ArrayRef<Row> getStructureRows();

/// A row for the op, drawn by the function.
template <class Op> Row row(void (*draw)(Draft &)) {
  return {Op::getOperationName(), draw};
}

} // namespace graven::fuzz

#endif // GRAVEN_TEST_FUZZ_RANDOM_ROWS_H
