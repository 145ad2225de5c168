//===- Emitter.h - builds Nodes by PyTorch's shape rules ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the helpers with which the ATen builders make Nodes:
// implicit broadcast becomes reshapes, promotion becomes casts. A null Value
// stands for a failure that was reported, and every helper passes it on.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_EMITTER_H
#define FRONTENDS_ATEN_EMITTER_H

#include "dialects/graven/Graven.h"
#include "frontends/aten/ScalarType.h"
#include "frontends/aten/Value.h"

#include "mlir/IR/Builders.h"

namespace graven::aten {

using Shape = llvm::SmallVector<int64_t>;

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  static mlir::RankedTensorType type(mlir::Value v) {
    return mlir::cast<mlir::RankedTensorType>(v.getType());
  }
  static mlir::Type element(mlir::Value v) { return type(v).getElementType(); }
  static Shape shape(mlir::Value v) {
    return Shape(type(v).getShape().begin(), type(v).getShape().end());
  }
  static int64_t rank(mlir::Value v) { return type(v).getRank(); }
  static ScalarType scalarType(mlir::Value v) {
    return fromMLIR(element(v)).value_or(ScalarType::Float);
  }
  static bool isFloat(mlir::Value v) {
    return mlir::isa<mlir::FloatType>(element(v));
  }
  static bool isBool(mlir::Value v) { return element(v).isInteger(1); }
  mlir::Type mlirType(ScalarType t) const {
    return toMLIR(builder.getContext(), t);
  }

  /// A Node with one result; null, with an error, when its operands' types or
  /// shapes are not what it takes.
  template <class Op, class... Args> mlir::Value make(Args &&...args) {
    auto op = tryCreate<Op>(builder, loc, std::forward<Args>(args)...);
    return mlir::failed(op) ? mlir::Value() : verified(op->getOperation());
  }

  // Constants.
  mlir::Value constant(mlir::ElementsAttr value) {
    return make<ConstantOp>(value);
  }
  /// A number of that type, in the shape of ones of that rank.
  mlir::Value scalar(mlir::Type element, double value, int64_t rank = 0) {
    return full(element, Shape(rank, 1), value);
  }
  mlir::Value scalar(mlir::Type element, int64_t value, int64_t rank = 0) {
    return full(element, Shape(rank, 1), value);
  }
  mlir::Value full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                   double value);
  mlir::Value full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                   int64_t value);
  /// A known number (bool, int or float) of that type.
  mlir::Value full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                   const Value &number);
  /// A known number as a tensor without axes, of the type that stands for its
  /// own: i1, i64 or f64.
  mlir::Value number(const Value &number);
  mlir::Value indices(llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<int64_t> values);

  /// Numbers, rounded to a float type.
  mlir::Value numbers(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<double> values);

  /// Of that shape, each element its place along an axis; i64 by default.
  mlir::Value iota(llvm::ArrayRef<int64_t> shape, int64_t axis,
                   mlir::Type element = {});

  /// How many of `bounds` [m], integers, are at most each of 0 .. n - 1. i64
  /// [n].
  mlir::Value countUpTo(mlir::Value bounds, int64_t n);

  // Shape. Axes are already non-negative.
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value slice(mlir::Value x, int64_t axis, int64_t start, int64_t end,
                    int64_t step = 1);
  /// Cut in two along an axis, the second part first.
  mlir::Value roll(mlir::Value x, int64_t axis, int64_t cut);
  /// The slice at `index` of an axis, which goes away.
  mlir::Value select(mlir::Value x, int64_t axis, int64_t index);
  mlir::Value unsqueeze(mlir::Value x, int64_t axis);
  /// Right-aligned broadcast to a shape of at least x's rank.
  mlir::Value broadcastTo(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value concat(llvm::ArrayRef<mlir::Value> parts, int64_t axis);
  /// Leading extents of 1 up to the given rank; rank-0 constants stay so.
  mlir::Value withRank(mlir::Value x, int64_t rank);
  /// The shape both broadcast to; nothing when they do not.
  static std::optional<Shape> broadcastShape(llvm::ArrayRef<int64_t> a,
                                             llvm::ArrayRef<int64_t> b);

  // Arithmetic. Operands have equal element types and any ranks.
  template <class Op> mlir::Value unary(mlir::Value x) {
    return x ? make<Op>(x) : x;
  }
  template <class Op> mlir::Value binary(mlir::Value a, mlir::Value b) {
    if (!alignRanks({&a, &b}))
      return {};
    return make<Op>(a, b);
  }
  template <class Op> mlir::Value binary(mlir::Value a, double b) {
    return a ? binary<Op>(a, scalar(element(a), b, rank(a))) : a;
  }
  mlir::Value compare(ComparePredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value compare(ComparePredicate predicate, mlir::Value a, double b) {
    return a ? compare(predicate, a, scalar(element(a), b, rank(a))) : a;
  }
  mlir::Value where(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value cast(mlir::Value x, mlir::Type element);
  mlir::Value cast(mlir::Value x, ScalarType type) {
    return cast(x, mlirType(type));
  }
  /// x in f32 when it is f16 or bf16: what formulas compute in.
  mlir::Value widened(mlir::Value x) {
    bool isNarrow = x && isFloat(x) && element(x).getIntOrFloatBitWidth() == 16;
    return isNarrow ? cast(x, ScalarType::Float) : x;
  }
  /// x != 0, or x itself when it is bool.
  mlir::Value toBool(mlir::Value x);
  mlir::Value reduce(ReduceKind kind, mlir::Value x,
                     llvm::ArrayRef<int64_t> axes, bool keep);

  /// What `trip` steps (an i64 without axes) make of `start`, one after the
  /// other: a step is given its number and what is carried. Nothing after a
  /// failure, which null Values among what a step gives are.
  using Step = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value number, mlir::ValueRange carried)>;
  llvm::SmallVector<mlir::Value>
  repeat(mlir::Value trip, llvm::ArrayRef<mlir::Value> start, Step step);

  /// What each of `count` steps, one or more, gives when it is given its
  /// number, stacked on a new axis 0. Nothing after a failure.
  llvm::SmallVector<mlir::Value>
  stacked(int64_t count,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value number)>
              step);

private:
  static mlir::Value verified(mlir::Operation *node);
  bool alignRanks(std::initializer_list<mlir::Value *> values);
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_EMITTER_H
