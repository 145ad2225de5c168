//===- ComplexMaking.cpp - new complex tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators that make complex tensors because their
// dtype says so: the real part is what they make of that part's type, the
// imaginary part is 0.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

bool graven::aten::isFilling(StringRef operation) {
  static constexpr StringRef kNames[] = {
      "zeros",      "ones",      "full",      "empty",
      "zeros_like", "ones_like", "full_like", "empty_like",
      "new_zeros",  "new_ones",  "new_full",  "new_empty"};
  operation.consume_front("aten::");
  return llvm::is_contained(kNames, operation);
}

ScalarType graven::aten::partOf(ScalarType type) {
  switch (type) {
  case ScalarType::ComplexHalf:
    return ScalarType::Half;
  case ScalarType::ComplexFloat:
    return ScalarType::Float;
  case ScalarType::ComplexDouble:
    return ScalarType::Double;
  default:
    return type;
  }
}

static std::optional<ScalarType> dtypeOf(const Schema &schema,
                                         llvm::ArrayRef<Value> arguments) {
  for (auto [formal, value] : llvm::zip_equal(schema.arguments, arguments))
    if (formal.name == "dtype" && value.is(Kind::Int))
      return static_cast<ScalarType>(value.integer());
  return std::nullopt;
}

bool graven::aten::makesComplex(const Schema &schema,
                                llvm::ArrayRef<Value> arguments) {
  bool converts = schema.name == "aten::to" || schema.name == "aten::_to_copy";
  if (!isFilling(schema.name) &&
      !(converts && arguments.front().is(Kind::Tensor)))
    return false;
  auto type = dtypeOf(schema, arguments);
  return type && isComplex(*type);
}

mlir::LogicalResult
graven::aten::makeComplex(Session &session, mlir::Location loc,
                          const Schema &schema, llvm::ArrayRef<Value> arguments,
                          llvm::SmallVectorImpl<Value> &results) {
  auto type = dtypeOf(schema, arguments);
  llvm::SmallVector<Value> own(arguments);
  for (auto [formal, value] : llvm::zip_equal(schema.arguments, own))
    if (const ComplexTensor *x = ComplexTensor::in(value))
      value = x->real;
    else if (formal.name == "dtype" && type)
      value = Value(static_cast<int64_t>(partOf(*type)));
  if (mlir::failed(run(session, loc, schema, own, results)))
    return mlir::failure();
  if (type && !isComplex(*type))
    return mlir::success();
  const Tensor::Ptr real = results.front().tensor();
  mlir::Value zero = Emitter(session.builder, loc)
                         .full(real->type().getElementType(),
                               real->type().getShape(), int64_t(0));
  if (!zero)
    return mlir::failure();
  // What is written to the complex tensor is not written to what a conversion
  // took as it was.
  results.front() = ComplexTensor::make(
      Tensor::make(real->read(session.builder)), Tensor::make(zero));
  return mlir::success();
}
