//===- RaggedBuiltins.cpp - questions about ragged tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what a program asks of packed sequences, nested and
// complex tensors before it computes with them: ranks, extents that do not
// depend on data, how many sequences there are and how long the longest is.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/RaggedBuiltins.h"

#include "frontends/aten/Numbers.h"

using namespace graven;
using namespace graven::torch;
using aten::Ragged;
using llvm::StringRef;
using Kind = Value::Kind;

/// The extent of an axis of the tensor that the program sees; nothing when data
/// decide it.
static std::optional<int64_t> extentOf(const Ragged &x, int64_t axis) {
  llvm::ArrayRef<int64_t> shape = x.padded->type().getShape();
  // A packed tensor has one axis for sequences and places.
  bool isPacked = x.is(Ragged::Part::Packed);
  int64_t rank = shape.size() - isPacked;
  axis = axis < 0 ? axis + rank : axis;
  bool isOpen = isPacked ? axis == 0 : axis == 1;
  if (axis < 0 || axis >= rank || isOpen)
    return std::nullopt;
  return shape[axis + isPacked];
}

/// == of tensors is no question about objects.
static Given refuseComparison(Interpreter &in, StringRef name) {
  in.error(Code::UnsupportedFeature)
      << "aten::" << name
      << ": complex, packed or nested tensors are not supported here";
  return mlir::failure();
}

static Given askBatchSizes(Interpreter &in, StringRef name, const Ragged &x,
                           const CallArguments &call) {
  aten::Emitter emit(in.builder(), in.location());
  auto isZero = [&](size_t position) {
    Value value = in.knownScalar(argumentAt(call, position));
    return value.is(Kind::Int) && value.integer() == 0;
  };
  if (name == "dim")
    return give(Value(int64_t(1)));
  if (name == "dtype")
    return give(Value(static_cast<int64_t>(aten::ScalarType::Long)));
  // No sequence is empty, so all of them have a first place.
  if (name == "select" && isZero(1) && isZero(2))
    return give(Value(aten::Tensor::make(
        emit.number(Value(x.lengths->type().getDimSize(0))))));
  if ((name == "size" && isZero(1)) || name == "numel")
    return give(aten::openNumber(
        emit, emit.reduce(ReduceKind::Max, x.lengths->read(in.builder()), {0},
                          /*keep=*/false)));
  return declined();
}

Given graven::torch::callRagged(Interpreter &in, StringRef name,
                                CallArguments &call) {
  Value first = argumentAt(call, 0);
  const Ragged *x = Ragged::in(first);
  if (!x || !(name.consume_front("aten::") || name.consume_front("prim::")))
    return declined();
  if (name == "eq" || name == "ne")
    return refuseComparison(in, name);
  if (name == "is_nested")
    return give(Value(x->is(Ragged::Part::Nested)));
  if (name == "cpu" || name == "data")
    return give(first);
  if (x->is(Ragged::Part::BatchSizes))
    return askBatchSizes(in, name, *x, call);
  mlir::RankedTensorType type = x->padded->type();
  if (name == "dim")
    return give(Value(type.getRank() - x->is(Ragged::Part::Packed)));
  if (name == "dtype")
    return give(
        Value(static_cast<int64_t>(*aten::fromMLIR(type.getElementType()))));
  if (name != "size")
    return declined();
  Value axis = in.knownScalar(argumentAt(call, 1));
  auto extent = axis.is(Kind::Int) ? extentOf(*x, axis.integer())
                                   : std::optional<int64_t>();
  if (extent)
    return give(Value(*extent));
  in.error(Code::DataDependent)
      << "the extents of a packed sequence or nested tensor are only known at "
         "run time";
  return mlir::failure();
}

Given graven::torch::callComplex(Interpreter &in, StringRef name,
                                 CallArguments &call) {
  const auto *x = aten::ComplexTensor::in(argumentAt(call, 0));
  if (!x || !(name.consume_front("aten::") || name.consume_front("prim::")))
    return declined();
  if (name == "eq" || name == "ne")
    return refuseComparison(in, name);
  if (name == "is_complex")
    return give(Value(true));
  if (name == "is_floating_point")
    return give(Value(false));
  if (name == "dtype")
    return give(Value(static_cast<int64_t>(x->type())));
  // What does not depend on the elements is that of a part.
  static constexpr StringRef kOfShape[] = {"size", "shape", "dim", "ndimension",
                                           "numel"};
  if (llvm::is_contained(kOfShape, name))
    call.positional[0] = Value(x->real);
  return declined();
}
