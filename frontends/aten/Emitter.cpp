//===- Emitter.cpp - builds Nodes by PyTorch's shape rules ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the helpers of the ATen builders. Steps that change
// nothing build no Node, so that graphs come out canonical.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Emitter.h"

#include "dialects/support/Diagnostics.h"

using namespace graven;
using namespace graven::aten;

/// Inference looks at shapes; convolutions of ints are found here.
mlir::Value Emitter::verified(mlir::Operation *node) {
  if (mlir::succeeded(node->getName().verifyInvariants(node)))
    return node->getResult(0);
  node->erase();
  return {};
}

mlir::Value Emitter::full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                          double value) {
  auto type = mlir::RankedTensorType::get(shape, element);
  if (auto floating = mlir::dyn_cast<mlir::FloatType>(element)) {
    llvm::APFloat number(value);
    bool losesInfo = false;
    number.convert(floating.getFloatSemantics(),
                   llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return constant(mlir::DenseElementsAttr::get(type, number));
  }
  if (element.isInteger(1))
    return full(element, shape, static_cast<int64_t>(value != 0));
  // As a cast of the graph: truncate; the value came from a program that may
  // ask for anything.
  double bounded = std::isnan(value) ? 0 : std::clamp(value, -0x1p63, 0x1p62);
  return full(element, shape, static_cast<int64_t>(bounded));
}

mlir::Value Emitter::full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                          int64_t value) {
  if (mlir::isa<mlir::FloatType>(element))
    return full(element, shape, static_cast<double>(value));
  auto type = mlir::RankedTensorType::get(shape, element);
  unsigned width = element.getIntOrFloatBitWidth();
  llvm::APInt number(64, static_cast<uint64_t>(value));
  if (width == 1)
    number = llvm::APInt(1, value != 0);
  return constant(
      mlir::DenseElementsAttr::get(type, number.zextOrTrunc(width)));
}

mlir::Value Emitter::full(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                          const Value &number) {
  if (number.is(Value::Kind::Float))
    return full(element, shape, number.number());
  return full(element, shape,
              number.is(Value::Kind::Bool) ? int64_t(number.boolean())
                                           : number.integer());
}

mlir::Value Emitter::number(const Value &number) {
  ScalarType own = number.is(Value::Kind::Bool)  ? ScalarType::Bool
                   : number.is(Value::Kind::Int) ? ScalarType::Long
                                                 : ScalarType::Double;
  return full(mlirType(own), {}, number);
}

mlir::Value Emitter::indices(llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> values) {
  auto type = mlir::RankedTensorType::get(shape, builder.getI64Type());
  return constant(mlir::DenseElementsAttr::get(type, values));
}

mlir::Value Emitter::numbers(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<double> values) {
  auto type = mlir::RankedTensorType::get(shape, element);
  if (element.isF64())
    return constant(mlir::DenseElementsAttr::get(type, values));
  llvm::SmallVector<float> narrow(values.begin(), values.end());
  type = type.clone(builder.getF32Type());
  return cast(constant(mlir::DenseElementsAttr::get(
                  type, llvm::ArrayRef<float>(narrow))),
              element);
}

mlir::Value Emitter::iota(llvm::ArrayRef<int64_t> shape, int64_t axis,
                          mlir::Type element) {
  return make<IotaOp>(mlir::ValueRange(), shape, uint64_t(axis),
                      element ? element : builder.getI64Type());
}

mlir::Value Emitter::countUpTo(mlir::Value bounds, int64_t n) {
  mlir::Value isReached =
      compare(ComparePredicate::Le,
              unsqueeze(cast(bounds, ScalarType::Long), 0), iota({n, 1}, 0));
  return reduce(ReduceKind::Sum, cast(isReached, ScalarType::Long), {1},
                /*keep=*/false);
}

mlir::Value Emitter::reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape) {
  if (!x || type(x).getShape() == shape)
    return x;
  // A constant of one element takes the shape by itself.
  if (auto op = x.getDefiningOp<ConstantOp>())
    if (auto value = mlir::dyn_cast<mlir::DenseElementsAttr>(op.getValue());
        value && value.getNumElements() == 1 &&
        llvm::all_of(shape, [](int64_t d) { return d == 1; }))
      return constant(value.reshape(type(x).clone(shape)));
  return make<ReshapeOp>(x, mlir::ValueRange(), shape);
}

mlir::Value Emitter::transpose(mlir::Value x,
                               llvm::ArrayRef<int64_t> permutation) {
  if (!x || llvm::all_of(llvm::enumerate(permutation), [](auto pair) {
        return static_cast<int64_t>(pair.index()) == pair.value();
      }))
    return x;
  return make<TransposeOp>(x, permutation);
}

mlir::Value Emitter::slice(mlir::Value x, int64_t axis, int64_t start,
                           int64_t end, int64_t step) {
  if (!x)
    return x;
  SliceBounds bounds = resolveSlice(type(x).getDimSize(axis), start, end, step);
  if (bounds.extent == type(x).getDimSize(axis) && step == 1)
    return x;
  Shape starts(rank(x), 0), ends(shape(x)), steps(rank(x), 1);
  starts[axis] = bounds.start;
  ends[axis] = std::max(bounds.start, bounds.end);
  steps[axis] = step;
  return make<SliceOp>(x, mlir::ValueRange(), mlir::ValueRange(), starts, ends,
                       steps);
}

mlir::Value Emitter::roll(mlir::Value x, int64_t axis, int64_t cut) {
  int64_t extent = x ? type(x).getDimSize(axis) : 0;
  if (cut == 0 || cut == extent)
    return x;
  return concat({slice(x, axis, cut, extent), slice(x, axis, 0, cut)}, axis);
}

mlir::Value Emitter::select(mlir::Value x, int64_t axis, int64_t index) {
  mlir::Value window = slice(x, axis, index, index + 1);
  if (!window)
    return {};
  Shape result = shape(window);
  result.erase(result.begin() + axis);
  return reshape(window, result);
}

mlir::Value Emitter::unsqueeze(mlir::Value x, int64_t axis) {
  if (!x)
    return x;
  Shape result = shape(x);
  result.insert(result.begin() + axis, 1);
  return reshape(x, result);
}

mlir::Value Emitter::broadcastTo(mlir::Value x,
                                 llvm::ArrayRef<int64_t> target) {
  if (!x || type(x).getShape() == target)
    return x;
  int64_t lead = target.size() - rank(x);
  bool onlyOnes = lead >= 0;
  for (int64_t i = 0; onlyOnes && i < static_cast<int64_t>(target.size()); ++i)
    onlyOnes = target[i] == (i < lead ? 1 : type(x).getDimSize(i - lead));
  if (onlyOnes)
    return reshape(x, target);
  Shape axes;
  for (int64_t i = 0; i < rank(x); ++i)
    axes.push_back(lead + i);
  if (lead < 0 || !broadcastShape(type(x).getShape(), target)) {
    emitCoded(loc, Code::UnsupportedFeature)
        << "tensor of shape [" << type(x).getShape() << "] does not expand to ["
        << target << "]";
    return {};
  }
  return make<BroadcastOp>(x, mlir::ValueRange(), target, axes);
}

mlir::Value Emitter::concat(llvm::ArrayRef<mlir::Value> parts, int64_t axis) {
  if (llvm::any_of(parts, [](mlir::Value v) { return !v; }))
    return {};
  return parts.size() == 1 ? parts.front()
                           : make<ConcatOp>(mlir::ValueRange(parts),
                                            static_cast<uint64_t>(axis));
}

mlir::Value Emitter::withRank(mlir::Value x, int64_t target) {
  if (!x || rank(x) >= target)
    return x;
  Shape result(target - rank(x), 1);
  llvm::append_range(result, type(x).getShape());
  return reshape(x, result);
}

std::optional<Shape> Emitter::broadcastShape(llvm::ArrayRef<int64_t> a,
                                             llvm::ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Shape result(a.begin(), a.end());
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t &extent = result[a.size() - b.size() + i];
    if (extent == 1)
      extent = b[i];
    else if (b[i] != 1 && b[i] != extent)
      return std::nullopt;
  }
  return result;
}

bool Emitter::alignRanks(std::initializer_list<mlir::Value *> values) {
  int64_t most = 0;
  for (mlir::Value *value : values) {
    if (!*value)
      return false;
    most = std::max(most, rank(*value));
  }
  for (mlir::Value *value : values)
    if (!(*value = withRank(*value, most)))
      return false;
  return true;
}

mlir::Value Emitter::compare(ComparePredicate predicate, mlir::Value a,
                             mlir::Value b) {
  if (!alignRanks({&a, &b}))
    return {};
  return make<CompareOp>(a, b, predicate);
}

mlir::Value Emitter::where(mlir::Value condition, mlir::Value a,
                           mlir::Value b) {
  if (!alignRanks({&condition, &a, &b}))
    return {};
  return make<SelectOp>(condition, a, b);
}

mlir::Value Emitter::cast(mlir::Value x, mlir::Type target) {
  if (!x || !target || element(x) == target)
    return target ? x : mlir::Value();
  // A splat constant is written in the new type at once.
  if (auto op = x.getDefiningOp<ConstantOp>()) {
    auto value = mlir::dyn_cast<mlir::DenseElementsAttr>(op.getValue());
    if (value && value.isSplat() && !mlir::isa<mlir::FloatType>(element(x))) {
      llvm::APInt number = value.getSplatValue<llvm::APInt>();
      bool isUnsigned =
          element(x).isUnsignedInteger() || element(x).isInteger(1);
      return full(target, type(x).getShape(),
                  isUnsigned ? static_cast<int64_t>(number.getZExtValue())
                             : number.getSExtValue());
    }
  }
  return make<CastOp>(x, target);
}

mlir::Value Emitter::toBool(mlir::Value x) {
  if (!x || isBool(x))
    return x;
  return compare(ComparePredicate::Ne, x, 0.0);
}

mlir::Value Emitter::reduce(ReduceKind kind, mlir::Value x,
                            llvm::ArrayRef<int64_t> axes, bool keep) {
  return x ? make<ReduceOp>(x, kind, axes, keep) : x;
}

llvm::SmallVector<mlir::Value>
Emitter::repeat(mlir::Value trip, llvm::ArrayRef<mlir::Value> start,
                Step step) {
  auto isThere = [](mlir::Value value) { return bool(value); };
  if (!trip || !llvm::all_of(start, isThere))
    return {};
  mlir::TypeRange types = mlir::ValueRange(start).getTypes();
  auto op = LoopOp::create(builder, loc, types, mlir::TypeRange(), trip,
                           mlir::Value(), start);
  mlir::OpBuilder::InsertionGuard guard(builder);
  llvm::SmallVector<mlir::Type> formals{trip.getType()};
  llvm::append_range(formals, types);
  mlir::Block *block = builder.createBlock(
      &op.getBody(), {}, formals,
      llvm::SmallVector<mlir::Location>(formals.size(), loc));
  llvm::SmallVector<mlir::Value> next =
      step(block->getArgument(0), block->getArguments().drop_front());
  next.insert(next.begin(), full(builder.getI1Type(), {}, int64_t(1)));
  if (next.size() != formals.size() || !llvm::all_of(next, isThere))
    return {};
  YieldOp::create(builder, loc, next);
  return op->getResults();
}

llvm::SmallVector<mlir::Value> Emitter::stacked(
    int64_t count,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value number)>
        step) {
  mlir::Value trip = scalar(builder.getI64Type(), count);
  if (!trip)
    return {};
  mlir::Region body;
  llvm::SmallVector<mlir::Type> types;
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block *block =
        builder.createBlock(&body, {}, {trip.getType()}, {loc});
    llvm::SmallVector<mlir::Value> given = step(block->getArgument(0));
    given.insert(given.begin(), full(builder.getI1Type(), {}, int64_t(1)));
    if (given.size() == 1 ||
        !llvm::all_of(given, [](mlir::Value value) { return bool(value); }))
      return {};
    for (mlir::Value value : llvm::drop_begin(given)) {
      Shape extents = shape(value);
      extents.insert(extents.begin(), count);
      types.push_back(mlir::RankedTensorType::get(extents, element(value)));
    }
    YieldOp::create(builder, loc, given);
  }
  auto op = LoopOp::create(builder, loc, mlir::TypeRange(), types, trip,
                           mlir::Value(), mlir::ValueRange());
  op.getBody().takeBody(body);
  return op->getResults();
}
