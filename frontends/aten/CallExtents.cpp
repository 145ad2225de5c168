//===- CallExtents.cpp - extents that data decide, in a call ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what builders need of extents that only running tells.
// What is known when the model is read is no such extent.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

mlir::Value Call::counted(mlir::Value x, mlir::Value count, int64_t axis) {
  count = cast(reshape(count, {}), ScalarType::Long);
  if (!x || !count)
    return {};
  int64_t most = type(x).getDimSize(axis);
  if (auto known = evaluate(count))
    return slice(x, axis, 0, std::clamp<int64_t>(known->getInt(0), 0, most));
  return session.extents.prefix(builder, loc, x, count, axis);
}

mlir::Value Call::nonzero(mlir::Value x) {
  if (!x)
    return x;
  if (auto known = evaluate(x))
    return constant(placesOfNonzero(*known).toElements());
  NonzeroOp node = session.extents.nonzero(builder, loc, x);
  if (!node)
    return {};
  return counted(node.getIndices(), node.getCount(), 0);
}

std::optional<int64_t> Call::extentOfNonzero(mlir::Value x) const {
  return session.extents.extentOfNonzero(builder, x);
}

void Call::giveNonzero(mlir::Value x) {
  mlir::Value places = nonzero(withRank(x, 1));
  if (!places)
    return give(places);
  llvm::SmallVector<mlir::Value> columns;
  for (int64_t axis = 0; axis < type(places).getDimSize(1); ++axis)
    columns.push_back(select(places, 1, axis));
  giveList(columns);
}

mlir::Value Call::runTimeNumberOf(const Value &value) {
  if (!value.is(Value::Kind::Tensor))
    return {};
  mlir::Value x = value.tensor()->read(builder);
  if (!x || type(x).getNumElements() != 1 || evaluate(x))
    return {};
  return cast(reshape(x, {}), ScalarType::Long);
}
