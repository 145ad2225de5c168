//===- Epilogue.cpp - the epilogue of a register tile -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Epilogue, which clones the scalar operations of an
// epilogue region at the vector type of the accumulators.

#include "passes/lower/expand/Epilogue.h"

#include "passes/lower/expand/Widen.h"

using namespace mlir;

namespace graven::expand {

FailureOr<Epilogue> Epilogue::create(Emitter &emitter, ValueRange values,
                                     Region &body,
                                     ArrayRef<int64_t> fullShape) {
  Epilogue epilogue(body);
  for (Value value : values) {
    FailureOr<Buffer> buffer = emitter.buffer(value);
    if (failed(buffer))
      return failure();
    Kind kind = Kind::Full;
    if (buffer->shape.empty())
      kind = Kind::Scalar;
    else if (ArrayRef<int64_t>(buffer->shape) != fullShape)
      kind = Kind::Channel;
    if (kind != Kind::Scalar && buffer->strides.back() != 1)
      return emitError(emitter.loc(), "expects an epilogue operand with a "
                                      "contiguous last axis, got ")
             << value.getType();
    epilogue.operands.push_back({kind, *buffer, value});
  }
  return epilogue;
}

SmallVector<Value> Epilogue::channelValues(Emitter &emitter, Idx channel,
                                           VectorType type,
                                           int64_t valid) const {
  SmallVector<Value> result;
  for (const Operand &operand : operands) {
    if (operand.kind == Kind::Full)
      result.push_back({});
    else if (operand.kind == Kind::Channel)
      result.push_back(
          emitter.loadVector(operand.buffer, channel, type, valid));
    else
      result.push_back(
          emitter.loadSplat(operand.buffer, Idx(int64_t(0)), type));
  }
  return result;
}

Value Epilogue::apply(Emitter &emitter, Value accumulator,
                      ArrayRef<Value> channelValues,
                      function_ref<Value(const Buffer &)> loadFull) const {
  if (body->empty())
    return accumulator;
  Block &block = body->front();
  IRMapping map;
  map.map(block.getArgument(0), accumulator);
  for (auto [i, operand] : llvm::enumerate(operands))
    map.map(block.getArgument(i + 1), operand.kind == Kind::Full
                                          ? loadFull(operand.buffer)
                                          : channelValues[i]);
  return cloneWidened(
      emitter, block, map,
      cast<VectorType>(accumulator.getType()).getNumElements())[0];
}

bool Epilogue::readsFull(Value memref) const {
  return llvm::any_of(operands, [&](const Operand &operand) {
    return operand.kind == Kind::Full && operand.memref == memref;
  });
}

} // namespace graven::expand
