//===- Ragged.cpp - sequences that are not equally long ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators that make packed sequences and nested tensors
// of padded ones, and those that pad them again. The rows between the two are
// computed at all places; what does not count is masked out or written over.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Ragged.h"

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static Value asValue(Ragged ragged) {
  return Value(
      std::shared_ptr<Extension>(std::make_shared<Ragged>(std::move(ragged))));
}

Ragged *Ragged::in(const Value &value) {
  if (!value.is(Value::Kind::Extension) || value.extension()->kind() != &tag)
    return nullptr;
  return static_cast<Ragged *>(value.extension().get());
}

Value Ragged::with(Tensor::Ptr elements) const {
  Ragged other = *this;
  other.padded = std::move(elements);
  return asValue(std::move(other));
}

Value Ragged::packed(Tensor::Ptr padded, Tensor::Ptr lengths) {
  Ragged ragged;
  ragged.padded = std::move(padded);
  ragged.lengths = std::move(lengths);
  return asValue(std::move(ragged));
}

Value Ragged::batchSizes(Tensor::Ptr lengths) {
  Ragged ragged;
  ragged.part = Part::BatchSizes;
  ragged.lengths = std::move(lengths);
  return asValue(std::move(ragged));
}

Value Ragged::nested(Tensor::Ptr padded, Tensor::Ptr kept, Tensor::Ptr blank) {
  Ragged ragged;
  ragged.part = Part::Nested;
  ragged.padded = std::move(padded);
  ragged.kept = std::move(kept);
  ragged.blank = std::move(blank);
  return asValue(std::move(ragged));
}

bool Ragged::isPlacewise(StringRef name) {
  static constexpr StringRef kNames[] = {
      "aten::linear",  "aten::layer_norm", "aten::dropout", "aten::embedding",
      "aten::relu",    "aten::gelu",       "aten::silu",    "aten::tanh",
      "aten::sigmoid", "aten::leaky_relu", "aten::elu",     "aten::to",
      "aten::detach",  "aten::contiguous"};
  return llvm::is_contained(kNames, name);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// Axes 0 and 1 swapped.
static mlir::Value swapped(Call &c, mlir::Value x) {
  Shape order;
  for (int64_t axis = 0; x && axis < c.rank(x); ++axis)
    order.push_back(axis < 2 ? 1 - axis : axis);
  return x ? c.transpose(x, order) : x;
}

/// Whether a place lies before the end: i1 [B, T] of lengths [B].
static mlir::Value before(Call &c, mlir::Value lengths, int64_t most) {
  return c.compare(ComparePredicate::Lt, c.iota({1, most}, 1),
                   c.unsqueeze(lengths, 1));
}

/// A mask [B, T] in front of the elements of x [B, T, ...].
static mlir::Value fill(Call &c, mlir::Value x, mlir::Value blank,
                        double padding) {
  if (!x || !blank)
    return {};
  Shape shape(c.rank(x), 1);
  shape[0] = c.type(x).getDimSize(0);
  shape[1] = c.type(x).getDimSize(1);
  return c.where(c.reshape(blank, shape),
                 c.scalar(c.element(x), padding, c.rank(x)), x);
}

/// The lengths go from long to short, none is 0: PyTorch raises otherwise.
static void packPadded(Call &c) {
  mlir::Value x = c.tensor("input"),
              lengths = c.cast(c.tensor("lengths"), ScalarType::Long);
  bool isBatchFirst = c.flag("batch_first");
  if (!x || !lengths || c.rank(x) < 2 || c.rank(lengths) != 1 ||
      c.type(lengths).getDimSize(0) !=
          c.type(x).getDimSize(isBatchFirst ? 0 : 1)) {
    c.fail() << "needs a batch of sequences and a length for each";
    return;
  }
  x = isBatchFirst ? swapped(c, x) : x;
  if (!x)
    return c.give({});
  Tensor::Ptr of = Tensor::make(lengths);
  c.results.push_back(Ragged::packed(Tensor::make(x), of));
  c.results.push_back(Ragged::batchSizes(of));
}

static void padPacked(Call &c) {
  const Ragged *packed = Ragged::in(c.argument("data"));
  auto padding = c.number("padding_value");
  if (!padding)
    return;
  if (!packed || !packed->is(Ragged::Part::Packed)) {
    c.fail() << "needs a packed sequence";
    return;
  }
  mlir::Value x = packed->padded->read(c.builder),
              lengths = packed->lengths->read(c.builder);
  int64_t room = c.type(x).getDimSize(0);
  x = fill(c, swapped(c, x), c.unary<NotOp>(before(c, lengths, room)),
           *padding);
  if (!x)
    return c.give({});
  // The greatest length, which only running tells, or the one that is asked
  // for, which is at least as great.
  mlir::Value total = c.runTimeNumber("total_length");
  std::optional<int64_t> known = total ? 0 : c.integer("total_length");
  if (!known)
    return;
  if (!total && *known <= 0)
    total = c.reduce(ReduceKind::Max, lengths, {0}, /*keep=*/false);
  if (total) {
    x = c.counted(x, total, 1);
  } else if (*known < room) {
    x = c.slice(x, 1, 0, *known);
  } else if (*known > room) {
    Shape more = c.shape(x);
    more[1] = *known - room;
    x = c.concat({x, c.full(c.element(x), more, *padding)}, 1);
  }
  c.give(c.flag("batch_first") ? x : swapped(c, x));
  c.give(lengths);
}

/// A program asks before it makes a nested tensor, and masks the padding
/// otherwise. Masking is what a nested tensor is here, too, so the answer only
/// decides whether padding is 0 in the end.
static void asksForAlignment(Call &c) {
  c.noteAlignmentIsChecked();
  c.results.push_back(Value(true));
}

/// Each sequence begins with what counts: as much as the mask has true
/// elements. A program that checked this has masks of any form.
static void nestedFromMask(Call &c) {
  mlir::Value x = c.tensor("t"), mask = c.toBool(c.tensor("mask"));
  if (!x || !mask || c.rank(x) != 3 || c.rank(mask) != 2 ||
      c.type(mask).getDimSize(0) != c.type(x).getDimSize(0) ||
      c.type(mask).getDimSize(1) != c.type(x).getDimSize(1)) {
    c.fail() << "needs a batch of sequences and a mask for each";
    return;
  }
  mlir::Value counts = c.reduce(ReduceKind::Sum, c.cast(mask, ScalarType::Long),
                                {1}, /*keep=*/false);
  mlir::Value kept =
      counts ? before(c, counts, c.type(x).getDimSize(1)) : counts;
  mlir::Value blank = c.unary<NotOp>(kept);
  if (c.alignmentIsChecked() && blank) {
    mlir::Value same =
        c.cast(c.compare(ComparePredicate::Eq, mask, kept), ScalarType::Int);
    mlir::Value aligned =
        c.toBool(c.reduce(ReduceKind::Min, same, {0, 1}, /*keep=*/true));
    blank = c.binary<AndOp>(blank, aligned);
    kept = mask;
  }
  if (!kept || !blank)
    return c.give({});
  c.results.push_back(
      Ragged::nested(Tensor::make(x), Tensor::make(kept), Tensor::make(blank)));
}

static mlir::Value toPadded(Call &c) {
  const Ragged *nested = Ragged::in(c.argument("self"));
  auto padding = c.number("padding");
  auto size = c.integers("output_size");
  if (!padding || !size)
    return {};
  if (!nested || !nested->is(Ragged::Part::Nested))
    return c.failed("needs a nested tensor");
  mlir::Value x = nested->padded->read(c.builder);
  if (!x || llvm::ArrayRef<int64_t>(*size) != c.type(x).getShape())
    return c.failed("needs the size that the tensor had before it was nested");
  return fill(c, x, nested->blank->read(c.builder), *padding);
}

void graven::aten::addRagged(Table &t) {
  t.add("_pack_padded_sequence", packPadded);
  t.addForExtensions("_pad_packed_sequence", padPacked);
  t.add("_nested_tensor_from_mask_left_aligned", asksForAlignment);
  t.add("_nested_tensor_from_mask", nestedFromMask);
  t.addForExtensions("to_padded_tensor nested_to_padded_tensor", toPadded);
}
