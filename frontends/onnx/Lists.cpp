//===- Lists.cpp - sequences and optionals --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements sequences and optionals as casts that nothing reads
// once a model is imported.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Lists.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace graven::onnx {

Value makeList(OpBuilder &builder, Location loc, ArrayRef<Value> elements) {
  auto type = TupleType::get(builder.getContext(),
                             llvm::to_vector(ValueRange(elements).getTypes()));
  return UnrealizedConversionCastOp::create(builder, loc, type, elements)
      .getResult(0);
}

Value makeAbsent(OpBuilder &builder, Location loc) {
  return UnrealizedConversionCastOp::create(builder, loc, builder.getNoneType(),
                                            ValueRange())
      .getResult(0);
}

SmallVector<Value> elementsOf(Value list) {
  return llvm::to_vector(
      list.getDefiningOp<UnrealizedConversionCastOp>().getInputs());
}

std::string ListShape::text() const {
  std::string text;
  for (int64_t entry : entries) {
    text += text.empty() ? "" : ", ";
    if (entry == kTensor)
      text += "a tensor";
    else if (entry == kAbsent)
      text += "nothing";
    else
      text += "a sequence of " + std::to_string(entry);
  }
  return text;
}

ListShape flatten(SmallVectorImpl<Value> &values) {
  ListShape shape;
  SmallVector<Value> tensors;
  for (Value value : values) {
    if (isList(value)) {
      llvm::append_range(tensors, elementsOf(value));
      shape.entries.push_back(cast<TupleType>(value.getType()).size());
    } else if (isAbsent(value)) {
      shape.entries.push_back(ListShape::kAbsent);
    } else {
      tensors.push_back(value);
      shape.entries.push_back(ListShape::kTensor);
    }
  }
  values.assign(tensors);
  return shape;
}

SmallVector<Value> regroup(OpBuilder &builder, Location loc,
                           ArrayRef<Value> tensors, const ListShape &shape) {
  SmallVector<Value> values;
  for (int64_t entry : shape.entries) {
    if (entry == ListShape::kAbsent) {
      values.push_back(makeAbsent(builder, loc));
    } else if (entry == ListShape::kTensor) {
      values.push_back(tensors.front());
      tensors = tensors.drop_front();
    } else {
      values.push_back(makeList(builder, loc, tensors.take_front(entry)));
      tensors = tensors.drop_front(entry);
    }
  }
  return values;
}

} // namespace graven::onnx
