//===- Complex.h - complex tensors of a program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares complex tensors as importers see them: the graph has no
// complex numbers, so there are two tensors, of the real and of the imaginary
// parts. An operator that does not know them refuses them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_COMPLEX_H
#define FRONTENDS_ATEN_COMPLEX_H

#include "frontends/aten/Table.h"

namespace graven::aten {

class ComplexTensor : public Extension {
public:
  static constexpr char tag = 0;
  const void *kind() const override { return &tag; }

  Tensor::Ptr real, imaginary; ///< of one type
  Tensor::Ptr pairs;           ///< what it is a view of, or null

  /// The one in a value, or null.
  static ComplexTensor *in(const Value &value);
  static Value make(Tensor::Ptr real, Tensor::Ptr imaginary);
  /// A complex number, which promotes like one.
  static Value number(Emitter emitter, double real, double imaginary);
  /// Of a tensor whose last axis holds the two parts, which it shares.
  static Value ofPairs(Emitter emitter, const Tensor::Ptr &pairs);

  /// complex64 or complex128.
  ScalarType type() const;
};

/// Whether a value is a complex tensor or a list that has one.
bool isComplexValue(const Value &value);

/// Whether it is one of which nobody knows what it holds now: see
/// Tensor::isStale().
bool isStaleComplex(const Value &value);

/// Runs a call that has complex arguments; an operator that has no meaning on
/// them is an error.
mlir::LogicalResult runComplex(Session &session, mlir::Location loc,
                               const Schema &schema,
                               llvm::ArrayRef<Value> arguments,
                               llvm::SmallVectorImpl<Value> &results);

/// Whether an operator makes a tensor of one number: zeros, full_like, ...
bool isFilling(llvm::StringRef operation);

/// The type of the parts of a complex type.
ScalarType partOf(ScalarType type);

/// Whether the call makes a complex tensor of what is none, by its dtype.
bool makesComplex(const Schema &schema, llvm::ArrayRef<Value> arguments);
/// Runs such a call, or one of isFilling() that has a complex tensor.
mlir::LogicalResult makeComplex(Session &session, mlir::Location loc,
                                const Schema &schema,
                                llvm::ArrayRef<Value> arguments,
                                llvm::SmallVectorImpl<Value> &results);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_COMPLEX_H
