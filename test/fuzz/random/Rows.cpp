//===- Rows.cpp - the table of ops of random graphs -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table's whole, and says what is not in it.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

namespace graven::fuzz {

llvm::ArrayRef<Row> getRows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all;
    for (llvm::ArrayRef<Row> part :
         {getUnaryRows(), getElementwiseRows(), getMovementRows(),
          getIndexedRows(), getContractionRows(), getReductionRows(),
          getWindowRows(), getDetectionRows(), getNormRows(),
          getRecurrentRows(), getStructureRows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

llvm::ArrayRef<Exempt> getExempt() {
  static const Exempt exempt[] = {
      {GraphOp::getOperationName(), "each module has one, calls add more"},
      {ReturnOp::getOperationName(), "ends each Graph"},
      {YieldOp::getOperationName(), "ends each Block of if and loop"},
      {ParamOp::getOperationName(), "comes with get_param"},
      {FusionOp::getOperationName(), "made by passes only"},
      {RelayoutOp::getOperationName(), "made by passes only"},
      {PrefixOp::getOperationName(),
       "what lies past its count is no value, so that there is nothing to "
       "compare; test/numerics compares models with it at their counts"},
  };
  return exempt;
}

} // namespace graven::fuzz
