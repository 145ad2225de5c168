//===- Call.h - one call of an ATen operator ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a builder of the ATen table gets: the arguments,
// matched to the schema, by name; the place; and the helpers to make Nodes.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_CALL_H
#define FRONTENDS_ATEN_CALL_H

#include "dialects/support/Diagnostics.h"
#include "frontends/aten/Constants.h"
#include "frontends/aten/Emitter.h"
#include "frontends/aten/Schema.h"
#include "frontends/aten/Tensor.h"

namespace graven::aten {

/// Two operands of one type.
struct Operands {
  mlir::Value a, b;
  ScalarType type = ScalarType::Float;
  explicit operator bool() const { return a && b; }
};

struct Session;

class Call : public Emitter {
public:
  /// What is written goes to `targets`: the arguments, or what they were
  /// widened from.
  Call(Session &session, mlir::Location loc, const Schema &schema,
       llvm::ArrayRef<Value> arguments, llvm::ArrayRef<Value> targets);

  const Schema &schema;

  /// The argument of that name; None when the overload has none.
  const Value &argument(llvm::StringRef name) const;
  bool has(llvm::StringRef name) const { return !argument(name).isNone(); }
  /// The graph's value of a tensor argument; null when it is None.
  mlir::Value tensor(llvm::StringRef name = "self");
  llvm::SmallVector<mlir::Value> tensors(llvm::StringRef name);
  /// A bool, int or float argument, tensors of one element evaluated.
  std::optional<Value> known(llvm::StringRef name);
  /// An int; a tensor of no dimensions is evaluated, which may fail.
  std::optional<int64_t> integer(llvm::StringRef name);
  std::optional<double> number(llvm::StringRef name);
  bool flag(llvm::StringRef name) const;
  llvm::StringRef string(llvm::StringRef name) const;
  /// Ints of a list; empty, with an error, when one is not known.
  std::optional<Shape> integers(llvm::StringRef name);
  /// A list with an entry for each of `count` axes: one entry is repeated, an
  /// empty list gives `fallback`.
  std::optional<Shape> integers(llvm::StringRef name, size_t count,
                                llvm::ArrayRef<int64_t> fallback);
  /// The elements of a value computed from constants only.
  std::optional<eval::Tensor> evaluate(mlir::Value value) {
    return constants.evaluate(value);
  }
  /// The dtype argument, if given.
  std::optional<ScalarType> dtype(llvm::StringRef name = "dtype") const;

  /// The axis argument made non-negative for a tensor of that rank; an axis
  /// out of range is an error.
  std::optional<int64_t> axis(llvm::StringRef name, int64_t rank);
  std::optional<int64_t> checkedAxis(int64_t axis, int64_t rank);
  /// The axis argument as an axis that x has: none of a number is, though
  /// PyTorch lets numbers have the axes 0 and -1 where it makes no difference.
  std::optional<int64_t> axisOf(llvm::StringRef name, mlir::Value x);
  /// Sorted axes of a list argument; None or an empty list means all.
  std::optional<Shape> axes(llvm::StringRef name, int64_t rank);

  /// PyTorch's result type of these operands; nothing, with an error, when
  /// they have none.
  std::optional<ScalarType> promoted(llvm::ArrayRef<llvm::StringRef> names);
  /// Two arguments in the type both promote to; floatOperands() makes the
  /// default float of integers. Null values when they have none, or one is
  /// missing.
  Operands operands(llvm::StringRef a, llvm::StringRef b);
  Operands floatOperands(llvm::StringRef a, llvm::StringRef b);
  /// The shape both tensors broadcast to; nothing, with an error, when they do
  /// not.
  std::optional<Shape> commonShape(mlir::Value a, mlir::Value b);
  /// A tensor or number as a value of that type; a number gets rank 0.
  mlir::Value operand(llvm::StringRef name, ScalarType type);
  /// self as a float: ints and bools become the default float type.
  mlir::Value floatTensor(llvm::StringRef name = "self");

  /// The first `count` places of x along an axis: an extent that data decide
  /// unless the count is known. The same count gives the same extent.
  mlir::Value counted(mlir::Value x, mlir::Value count, int64_t axis);
  /// The coordinates [count, rank] of what is not zero in x, in row-major
  /// order.
  mlir::Value nonzero(mlir::Value x);
  /// The extent of its result, where that was asked for before.
  std::optional<int64_t> extentOfNonzero(mlir::Value x) const;
  /// Gives these as a list for each axis; a number counts as one element.
  void giveNonzero(mlir::Value x);
  /// The argument as an i64 without axes, where only running tells it; null
  /// otherwise.
  mlir::Value runTimeNumber(llvm::StringRef name) {
    return runTimeNumberOf(argument(name));
  }
  mlir::Value runTimeNumberOf(const Value &value);

  /// What is given depends on which of two numbers is greater.
  void noteComparison(int64_t a, int64_t b) const;

  /// The program finds out itself whether masks are aligned before it makes
  /// nested tensors of them, and goes on without one when they are not.
  void noteAlignmentIsChecked();
  bool alignmentIsChecked() const;

  void give(mlir::Value value) {
    results.push_back(value ? Value(Tensor::make(value)) : Value::unknown());
    ok &= static_cast<bool>(value);
  }
  void giveList(llvm::ArrayRef<mlir::Value> values);
  /// Writes into a tensor argument beside what the schema says.
  void write(llvm::StringRef name, mlir::Value value) {
    ok &= static_cast<bool>(value);
    if (value)
      writes.emplace_back(&targets[&argument(name) - arguments.data()], value);
  }

  /// Reports that this use of the operator is not supported.
  mlir::InFlightDiagnostic fail(Code code = Code::UnsupportedFeature);
  mlir::Value failed(const llvm::Twine &message) {
    fail() << message;
    return {};
  }

  llvm::SmallVector<Value> results;
  llvm::SmallVector<std::pair<const Value *, mlir::Value>, 0> writes;
  bool ok = true;
  bool trains = false; ///< computes what only training needs
  uint64_t serial = 0; ///< counts the calls of an import
  bool isRandom = false;

private:
  llvm::ArrayRef<Value> arguments, targets;
  Session &session;
  ConstantEvaluator &constants;
};

/// A builder of one tensor, null on failure; and a builder that gives its
/// results itself.
using TensorBuilder = mlir::Value (*)(Call &);
using Builder = void (*)(Call &);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_CALL_H
