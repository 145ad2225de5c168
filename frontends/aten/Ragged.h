//===- Ragged.h - sequences that are not equally long ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what PyTorch's packed sequences and nested tensors are to
// an importer: padded tensors of the graph, and which places of them count.
// They are no tensors of the program, so an operator that does not know them
// refuses them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_RAGGED_H
#define FRONTENDS_ATEN_RAGGED_H

#include "frontends/aten/Tensor.h"
#include "frontends/aten/Value.h"

namespace graven::aten {

class Ragged : public Extension {
public:
  enum class Part : uint8_t {
    Packed,     ///< `data` of a PackedSequence
    BatchSizes, ///< `batch_sizes` of a PackedSequence
    Nested,
  };
  static constexpr char tag = 0;
  const void *kind() const override { return &tag; }

  Part part = Part::Packed;
  /// Packed: [T, B, ...], T the most that there may be. Nested: [B, T, ...].
  Tensor::Ptr padded;
  /// Packed and BatchSizes: how many places of each sequence count, i64 [B].
  Tensor::Ptr lengths;
  /// Nested: the places that count, i1 [B, T], and those that padding fills.
  Tensor::Ptr kept, blank;

  bool is(Part other) const { return part == other; }
  /// The same with other elements.
  Value with(Tensor::Ptr elements) const;

  /// The one in a value, or null.
  static Ragged *in(const Value &value);
  static Value packed(Tensor::Ptr padded, Tensor::Ptr lengths);
  static Value batchSizes(Tensor::Ptr lengths);
  static Value nested(Tensor::Ptr padded, Tensor::Ptr kept, Tensor::Ptr blank);

  /// Whether an operator takes each place by itself, so that it may be applied
  /// to the padded tensor.
  static bool isPlacewise(llvm::StringRef name);
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_RAGGED_H
