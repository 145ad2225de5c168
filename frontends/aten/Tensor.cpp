//===- Tensor.cpp - tensors with PyTorch's aliasing ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements functionalization: views are re-derived by cloning
// their Nodes onto the storage's new value, and writes are put back by the
// inverse of each view.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Tensor.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"

#include "mlir/IR/IRMapping.h"

using namespace graven;
using namespace graven::aten;

Tensor::Ptr Tensor::make(mlir::Value value) {
  auto tensor = std::make_shared<Tensor>();
  tensor->storage = std::make_shared<Storage>();
  tensor->storage->value = value;
  tensor->storage->home = value.getParentBlock();
  tensor->cached = value;
  return tensor;
}

/// Whether a Node gives a view of its first operand.
static bool isViewStep(mlir::Operation *op) {
  if (auto gather = mlir::dyn_cast<GatherOp>(op))
    return gather.getIndices().getType().getRank() == 0;
  if (mlir::isa<PrefixOp>(op))
    return true;
  return op->getNumOperands() == 1 &&
         mlir::isa<ReshapeOp, TransposeOp, SliceOp, BroadcastOp>(op);
}

Tensor::Ptr Tensor::view(const Ptr &base, mlir::Value result) {
  llvm::SmallVector<mlir::Operation *> steps;
  mlir::Value value = result;
  while (value != base->cached) {
    mlir::Operation *op = value.getDefiningOp();
    if (!op || !isViewStep(op))
      return make(result);
    steps.push_back(op);
    value = op->getOperand(0);
  }
  auto tensor = std::make_shared<Tensor>();
  tensor->storage = base->storage;
  tensor->chain = base->chain;
  tensor->chain.append(steps.rbegin(), steps.rend());
  tensor->cached = result;
  tensor->version = base->version;
  return tensor;
}

/// The view `step` of another value, of the type its operand has.
static mlir::Value reapply(mlir::OpBuilder &builder, mlir::Operation *step,
                           mlir::Value operand) {
  mlir::IRMapping mapping;
  mapping.map(step->getOperand(0), operand);
  return builder.clone(*step, mapping)->getResult(0);
}

mlir::Value Tensor::read(mlir::OpBuilder &builder) {
  if (version == storage->version &&
      (chain.empty() ||
       isWithin(builder.getInsertionBlock(), cached.getParentBlock())))
    return cached;
  mlir::Value value = storage->value;
  for (mlir::Operation *step : chain)
    value = reapply(builder, step, value);
  version = storage->version;
  return cached = value;
}

/// `before` with the slice at one index of an axis replaced; null when there is
/// none.
static mlir::Value replaceAt(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value before, mlir::Value index,
                             int64_t axis, mlir::Value slice) {
  int64_t rank = mlir::cast<mlir::RankedTensorType>(before.getType()).getRank();
  // The axis in front, and back.
  llvm::SmallVector<int64_t> front{axis}, back;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      front.push_back(i);
  back.resize(rank);
  for (auto [i, from] : llvm::enumerate(front))
    back[from] = i;
  auto transposed = [&](mlir::Value value,
                        llvm::ArrayRef<int64_t> permutation) {
    return axis == 0 ? value
                     : TransposeOp::create(builder, loc, value, permutation)
                           .getResult();
  };
  auto one = tryCreate<ReshapeOp>(builder, loc, index, mlir::ValueRange(),
                                  llvm::ArrayRef<int64_t>{1});
  if (mlir::failed(one))
    return {};
  auto scattered =
      tryCreate<ScatterNdOp>(builder, loc, transposed(before, front),
                             one->getResult(), slice, ScatterKind::None,
                             /*nonneg=*/false);
  return mlir::failed(scattered) ? mlir::Value()
                                 : transposed(scattered->getResult(), back);
}

/// `before` with its first `count` places along an axis replaced by those of
/// `places`, of which there may be fewer; null when there is none.
static mlir::Value replaceFirst(mlir::OpBuilder &builder, mlir::Location loc,
                                mlir::Value before, PrefixOp prefix,
                                mlir::Value places) {
  auto type = mlir::cast<mlir::RankedTensorType>(before.getType());
  int64_t axis = prefix.getAxis(), rank = type.getRank();
  llvm::SmallVector<int64_t> line(rank, 1), ones(rank, 1), starts(rank, 0),
      ends(type.getShape());
  line[axis] = type.getDimSize(axis);
  starts[axis] = prefix.getExtent();
  auto rest = tryCreate<SliceOp>(builder, loc, before, mlir::ValueRange(),
                                 mlir::ValueRange(), starts, ends, ones);
  if (mlir::failed(rest))
    return {};
  auto whole = tryCreate<ConcatOp>(builder, loc,
                                   mlir::ValueRange{places, rest->getResult()},
                                   uint64_t(axis));
  auto place = tryCreate<IotaOp>(builder, loc, mlir::ValueRange(), line,
                                 uint64_t(axis), builder.getI64Type());
  auto count = tryCreate<ReshapeOp>(builder, loc, prefix.getCount(),
                                    mlir::ValueRange(), ones);
  if (mlir::failed(whole) || mlir::failed(place) || mlir::failed(count))
    return {};
  auto isIn = tryCreate<CompareOp>(builder, loc, place->getResult(),
                                   count->getResult(), ComparePredicate::Lt);
  if (mlir::failed(isIn))
    return {};
  auto chosen = tryCreate<SelectOp>(builder, loc, isIn->getResult(),
                                    whole->getResult(), before);
  return mlir::failed(chosen) ? mlir::Value() : chosen->getResult();
}

/// The value before the view `step`, such that the view of it is `result` and
/// the rest is as in `before`; null when there is none.
static mlir::Value unapply(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Operation *step, mlir::Value before,
                           mlir::Value result) {
  auto type = mlir::cast<mlir::RankedTensorType>(before.getType());
  auto reshape = [&](mlir::Value value) -> mlir::Value {
    auto op = tryCreate<ReshapeOp>(builder, loc, value, mlir::ValueRange(),
                                   type.getShape());
    return mlir::failed(op) ? mlir::Value() : op->getResult();
  };
  if (mlir::isa<ReshapeOp>(step))
    return reshape(result);
  if (auto op = mlir::dyn_cast<TransposeOp>(step)) {
    llvm::SmallVector<int64_t> inverse(type.getRank());
    for (auto [i, axis] : llvm::enumerate(op.getPermutation()))
      inverse[axis] = i;
    auto back = tryCreate<TransposeOp>(builder, loc, result, inverse);
    return mlir::failed(back) ? mlir::Value() : back->getResult();
  }
  if (auto op = mlir::dyn_cast<SliceOp>(step)) {
    if (result.getType() == type)
      return result;
    llvm::SmallVector<int64_t> starts;
    for (int64_t i = 0; i < type.getRank(); ++i)
      starts.push_back(resolveSlice(type.getDimSize(i), op.getStarts()[i],
                                    op.getEnds()[i], op.getSteps()[i])
                           .start);
    auto insert =
        tryCreate<InsertSliceOp>(builder, loc, before, result,
                                 mlir::ValueRange(), starts, op.getSteps());
    return mlir::failed(insert) ? mlir::Value() : insert->getResult();
  }
  if (auto op = mlir::dyn_cast<GatherOp>(step))
    return replaceAt(builder, loc, before, op.getIndices(), op.getAxis(),
                     result);
  if (auto op = mlir::dyn_cast<PrefixOp>(step))
    return replaceFirst(builder, loc, before, op, result);
  auto shape = mlir::cast<mlir::RankedTensorType>(result.getType());
  if (shape.getNumElements() == type.getNumElements())
    return reshape(result);
  emitCoded(loc, Code::UnsupportedFeature)
      << "write into an expanded tensor, whose elements share a place";
  return {};
}

mlir::LogicalResult Tensor::write(mlir::OpBuilder &builder, mlir::Location loc,
                                  mlir::Value value) {
  assert(value.getType() == type() && "a write keeps type and shape");
  llvm::SmallVector<mlir::Value> befores{storage->value};
  for (mlir::Operation *step : llvm::ArrayRef(chain).drop_back(!chain.empty()))
    befores.push_back(reapply(builder, step, befores.back()));
  mlir::Value result = value;
  for (size_t i = chain.size(); i-- > 0;) {
    result = unapply(builder, loc, chain[i], befores[i], result);
    if (!result)
      return mlir::failure();
  }
  for (const std::weak_ptr<Storage> &alias : storage->aliases)
    if (auto other = alias.lock())
      other->isStale = true;
  storage->value = result;
  version = ++storage->version;
  cached = value;
  return mlir::success();
}

//===----------------------------------------------------------------------===//
// Storages that may be one
//===----------------------------------------------------------------------===//

void Tensor::link(const std::shared_ptr<Storage> &a,
                  const std::shared_ptr<Storage> &b) {
  auto knows = [&](const std::weak_ptr<Storage> &alias) {
    return alias.lock() == b;
  };
  if (a == b || llvm::any_of(a->aliases, knows))
    return;
  a->aliases.push_back(b);
  b->aliases.push_back(a);
}

void Tensor::mayAlias(const Tensor &other) {
  auto aliases = other.storage->aliases;
  link(storage, other.storage);
  for (const std::weak_ptr<Storage> &alias : aliases)
    if (auto storageOfAlias = alias.lock())
      link(storage, storageOfAlias);
}

bool Tensor::mayBeAlias(const Tensor &other) const {
  auto reach = [](const std::shared_ptr<Storage> &from) {
    std::vector<std::shared_ptr<Storage>> result{from};
    for (const std::weak_ptr<Storage> &alias : from->aliases)
      if (auto to = alias.lock())
        result.push_back(to);
    return result;
  };
  auto others = reach(other.storage);
  return llvm::any_of(reach(storage), [&](const auto &mine) {
    return llvm::is_contained(others, mine);
  });
}

llvm::SmallVector<mlir::Block *> Tensor::homes() const {
  llvm::SmallVector<mlir::Block *> result{storage->home};
  for (const std::weak_ptr<Storage> &alias : storage->aliases)
    if (auto other = alias.lock())
      result.push_back(other->home);
  return result;
}

std::vector<Tensor::Contents> Tensor::contentsToWrite() const {
  std::vector<Contents> result{contents()};
  for (const std::weak_ptr<Storage> &alias : storage->aliases)
    if (auto other = alias.lock())
      result.push_back(Contents::of(other));
  return result;
}

//===----------------------------------------------------------------------===//
// Strides
//===----------------------------------------------------------------------===//

using Extents = llvm::SmallVector<int64_t>;

static Extents denseStrides(llvm::ArrayRef<int64_t> shape) {
  Extents strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
  return strides;
}

/// The strides of a view of another shape: axes that lie side by side are one
/// piece, which axes of the view divide. Nothing where one spans two pieces.
static std::optional<Extents> viewStrides(llvm::ArrayRef<int64_t> shape,
                                          llvm::ArrayRef<int64_t> strides,
                                          llvm::ArrayRef<int64_t> view) {
  if (shape.empty() || llvm::is_contained(shape, 0))
    return denseStrides(view);
  Extents result(view.size());
  size_t next = view.size();
  int64_t piece = 1, base = strides.back();
  for (size_t i = shape.size(); i-- > 0;) {
    piece *= shape[i];
    if (i > 0 && (shape[i - 1] == 1 || strides[i - 1] == piece * base))
      continue;
    int64_t taken = 1;
    while (next > 0 && (taken < piece || view[next - 1] == 1)) {
      result[--next] = taken * base;
      taken *= view[next];
    }
    if (taken != piece)
      return std::nullopt;
    piece = 1;
    base = i > 0 ? strides[i - 1] : 1;
  }
  return next == 0 ? std::optional(result) : std::nullopt;
}

/// Makes `layout` that of the view.
static bool apply(mlir::Operation *step, Tensor::Layout &layout) {
  auto from = mlir::cast<mlir::RankedTensorType>(step->getOperand(0).getType());
  auto to = mlir::cast<mlir::RankedTensorType>(step->getResult(0).getType());
  Extents &strides = layout.strides;
  if (mlir::isa<ReshapeOp>(step)) {
    auto other = viewStrides(from.getShape(), strides, to.getShape());
    strides = other.value_or(Extents());
    return other.has_value();
  }
  if (auto transpose = mlir::dyn_cast<TransposeOp>(step)) {
    Extents before = strides;
    for (auto [i, axis] : llvm::enumerate(transpose.getPermutation()))
      strides[i] = before[axis];
  } else if (auto slice = mlir::dyn_cast<SliceOp>(step)) {
    for (int64_t i = 0; i < from.getRank(); ++i) {
      SliceBounds bounds =
          resolveSlice(from.getDimSize(i), slice.getStarts()[i],
                       slice.getEnds()[i], slice.getSteps()[i]);
      if (layout.offset)
        *layout.offset += bounds.start * strides[i];
      strides[i] *= slice.getSteps()[i];
    }
  } else if (mlir::isa<BroadcastOp>(step)) {
    int64_t added = to.getRank() - from.getRank();
    Extents before = strides;
    strides.assign(to.getRank(), 0);
    for (int64_t i = 0; i < from.getRank(); ++i)
      if (from.getDimSize(i) == to.getDimSize(i + added))
        strides[i + added] = before[i];
  } else if (auto gather = mlir::dyn_cast<GatherOp>(step)) {
    strides.erase(strides.begin() + gather.getAxis());
    layout.offset = std::nullopt;
  }
  return true;
}

std::optional<Tensor::Layout> Tensor::layout() const {
  Layout layout;
  layout.strides = denseStrides(
      mlir::cast<mlir::RankedTensorType>(storage->value.getType()).getShape());
  for (mlir::Operation *step : chain)
    if (!apply(step, layout))
      return std::nullopt;
  return layout;
}

bool Tensor::canBeViewedAs(llvm::ArrayRef<int64_t> shape) const {
  auto own = layout();
  return own && viewStrides(type().getShape(), own->strides, shape);
}

bool Tensor::isContiguous() const {
  auto own = layout();
  if (!own)
    return false;
  llvm::ArrayRef<int64_t> shape = type().getShape();
  Extents dense = denseStrides(shape);
  for (auto [i, extent] : llvm::enumerate(shape))
    if (extent != 1 && own->strides[i] != dense[i])
      return llvm::is_contained(shape, 0);
  return true;
}
