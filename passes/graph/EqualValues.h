//===- EqualValues.h - Values that are computed alike ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the numbering of the Values of a Block by what they are:
// two with one number have the same elements in every run.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_EQUALVALUES_H
#define PASSES_GRAPH_EQUALVALUES_H

#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"

namespace graven {

class EqualValues {
public:
  explicit EqualValues(mlir::Block &block);

  /// The number of a Value of the Block.
  unsigned of(mlir::Value value) const { return numbers.lookup(value); }

private:
  llvm::DenseMap<mlir::Value, unsigned> numbers;
};

} // namespace graven

#endif // PASSES_GRAPH_EQUALVALUES_H
