//===- Emitter.h - index, vector and loop emission --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Emitter, which the kernel expanders write scf, vector,
// memref and arith operations with: folded index arithmetic, loops that vanish
// at one trip, flat views of strided memrefs, and balanced tilings.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_EMITTER_H
#define GRAVEN_PASSES_LOWER_EXPAND_EMITTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "passes/lower/TargetInfo.h"
#include "llvm/ADT/DenseMap.h"

namespace graven::expand {

/// An index: a value (absent: zero) plus a constant. Constants add up at
/// compile time and end in the displacement of an address.
struct Idx {
  Idx(mlir::Value value, int64_t offset = 0) : value(value), offset(offset) {}
  Idx(int64_t offset) : offset(offset) {}

  bool isConstant() const { return !value; }

  mlir::Value value;
  int64_t offset = 0;
};

/// A static strided memref as one flat, contiguous memref.
struct Buffer {
  mlir::Value flat;
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<int64_t> strides;
  mlir::Type element;
};

/// `total` cut into `count` tiles of `base` or, the first `extra`, `base` + 1.
struct Split {
  Split(int64_t total, int64_t largest);

  int64_t count, base, extra;
};

class Emitter {
public:
  /// Constants go to the front of the block that holds `builder`'s function
  /// body.
  Emitter(mlir::OpBuilder &builder, mlir::Location loc,
          const TargetInfo &target);

  // Indices.
  mlir::Value constant(int64_t value);
  mlir::Value get(Idx index);
  Idx add(Idx a, Idx b);
  Idx mul(Idx a, int64_t factor);
  Idx min(Idx a, Idx b);
  Idx max(Idx a, Idx b);
  /// Quotient and remainder of a non-negative index.
  std::pair<Idx, Idx> divRem(Idx a, int64_t divisor);
  /// The multi-index of `linear` in `extents`, outermost first.
  llvm::SmallVector<Idx> delinearize(Idx linear,
                                     llvm::ArrayRef<int64_t> extents);

  // Control flow.
  void loop(Idx lo, Idx hi, int64_t step, llvm::function_ref<void(Idx)> body);
  /// A loop that carries `inits`; body returns the carried values.
  llvm::SmallVector<mlir::Value>
  loop(Idx lo, Idx hi, int64_t step, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(Idx, mlir::ValueRange)>
           body);
  /// Runs the units of work [lo, hi) of the iteration space `extents`.
  void tasks(mlir::Value lo, mlir::Value hi, llvm::ArrayRef<int64_t> extents,
             llvm::function_ref<void(llvm::ArrayRef<Idx>)> body);
  /// Tiles [first, last) of a split: body(tile, start of the tile, its size).
  void tiles(const Split &split, Idx first, Idx last,
             llvm::function_ref<void(Idx, Idx, int64_t)> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  /// Whether a non-negative index is below `end`.
  mlir::Value isBelow(Idx index, int64_t end);
  /// `then` when index == value, else `otherwise`; one of both when it is
  /// known.
  void ifEqual(Idx index, int64_t value, llvm::function_ref<void()> then,
               llvm::function_ref<void()> otherwise);

  // Memory.
  /// Fails, with a message, when the memref is not static and strided.
  mlir::FailureOr<Buffer> buffer(mlir::Value memref);
  mlir::FailureOr<llvm::SmallVector<Buffer>> buffers(mlir::ValueRange memrefs);
  Idx at(const Buffer &buffer, llvm::ArrayRef<Idx> indices);
  mlir::Value load(const Buffer &buffer, Idx index);
  /// The element as a value of `type`, which may be wider.
  mlir::Value load(const Buffer &buffer, Idx index, mlir::Type type);
  /// Rounds the value to the type of the buffer's elements.
  void store(mlir::Value value, const Buffer &buffer, Idx index);
  /// `valid` lanes are loaded, the rest is `fill` (zero when absent). The lanes
  /// of `type` may be wider than the buffer's elements.
  mlir::Value loadVector(const Buffer &buffer, Idx index, mlir::VectorType type,
                         int64_t valid, mlir::Value fill = {});
  /// Rounds the lanes to the type of the buffer's elements.
  void storeVector(mlir::Value value, const Buffer &buffer, Idx index,
                   int64_t valid);
  /// The element at `index` in every lane.
  mlir::Value loadSplat(const Buffer &buffer, Idx index, mlir::VectorType type);
  void prefetch(const Buffer &buffer, Idx index);
  /// Keeps loads on their side of this place; no instruction comes of it. The
  /// code generator moves neighbouring loads together, and where a register
  /// tile leaves none free, those of the next step push it to the stack.
  void separateLoads();
  /// The pair of bf16 from `index` on in every 32 bits of a vector; the second
  /// is 0 where only one is `valid`.
  mlir::Value loadPairSplat(const Buffer &buffer, Idx index, int64_t valid);

  // Arithmetic.
  mlir::VectorType vectorOf(mlir::Type element);
  /// A vector of the type that elements stored as `element` are computed in.
  mlir::VectorType computeVectorOf(mlir::Type element);
  /// Pairs of bf16 in a vector register.
  mlir::VectorType pairVector();
  /// The lanes of a and b in turns.
  mlir::Value interleave(mlir::Value a, mlir::Value b);
  /// c[i] + a[2i] b[2i] + a[2i+1] b[2i+1] for pairs of bf16, by vdpbf16ps: the
  /// odd product is added first, each sum is rounded, denormals are 0.
  mlir::Value dotPairs(mlir::Value a, mlir::Value b, mlir::Value c);
  /// A scalar or vector as `element`: widened, or rounded to nearest even.
  mlir::Value convert(mlir::Value value, mlir::Type element);
  mlir::Value splat(mlir::Type type, double value);
  /// a * b + c, fused where the target has it.
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value addf(mlir::Value a, mlir::Value b);
  mlir::Value subf(mlir::Value a, mlir::Value b);
  mlir::Value mulf(mlir::Value a, mlir::Value b);
  /// a > b ? a : b, one instruction; b when a is NaN.
  mlir::Value maxOrSecond(mlir::Value a, mlir::Value b);
  /// The greater one, or NaN when one of them is; of zeros, any.
  mlir::Value maxOrNaN(mlir::Value a, mlir::Value b);
  /// e^x for x <= 0, which needs no care about overflow; f32 results below
  /// 2^-126 are 0.
  mlir::Value expNonPositive(mlir::Value x);
  /// e^x for x <= 0 as a weight of a softmax, whose largest is 1: within 2^-22
  /// of that in f32.
  mlir::Value softmaxWeight(mlir::Value x);
  /// 2^x likewise, for f32.
  mlir::Value softmaxPower(mlir::Value x);
  /// In every lane the largest of all; NaN lanes may be overlooked.
  mlir::Value maxOfLanes(mlir::Value vector);
  mlir::Value broadcast(mlir::Value scalar, mlir::VectorType type);
  /// Rows of a square matrix, as many as lanes (a power of two), to its
  /// columns.
  llvm::SmallVector<mlir::Value> transpose(llvm::SmallVector<mlir::Value> rows);

  /// True in the first `valid` lanes.
  mlir::Value laneMask(int64_t lanes, int64_t valid);

  int64_t lanesOf(mlir::Type element) const;
  const TargetInfo &target() const { return targetInfo; }
  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }

private:
  /// A vector of 16-bit floats as ints, and back; others stay as they are. LLVM
  /// takes shuffles of bf16 apart where it has no instructions for it.
  mlir::Value toWords(mlir::Value value);
  mlir::Value fromWords(mlir::Value value, mlir::Type element);
  /// The first `valid` lanes one by one; of a 16-bit type, others 0.
  mlir::Value loadLanes(const Buffer &buffer, Idx index, mlir::VectorType type,
                        int64_t valid);
  void storeLanes(mlir::Value value, const Buffer &buffer, Idx index,
                  int64_t valid);

  mlir::OpBuilder &b;
  mlir::Location location;
  const TargetInfo &targetInfo;
  mlir::Block *entry;
  llvm::DenseMap<int64_t, mlir::Value> constants;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_EMITTER_H
