//===- Compute.h - helpers of the ops' naive functions --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the naive functions of several op families share.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_EVAL_COMPUTE_H
#define DIALECTS_GRAVEN_EVAL_COMPUTE_H

#include "dialects/graven/Graven.h"
#include <array>

namespace graven::eval {

using Tensors = llvm::SmallVector<Tensor>;
using Shape = llvm::SmallVector<int64_t>;
using Doubles = std::vector<double>;

/// Product of known extents.
int64_t product(llvm::ArrayRef<int64_t> shape);

/// The type of the op's one result, which is static when the op is evaluated
/// (but for results that depend on dynamic operands).
mlir::RankedTensorType resultType(mlir::Operation *op);

/// Least and greatest value of an element type; infinities of floats.
template <class T> T lowest(mlir::Type elementType) {
  if constexpr (std::is_same_v<T, double>)
    return -std::numeric_limits<double>::infinity();
  else if constexpr (std::is_same_v<T, int64_t>)
    return std::numeric_limits<int64_t>::min() >>
           (64 - elementType.getIntOrFloatBitWidth());
  else
    return 0;
}
template <class T> T highest(mlir::Type elementType) {
  if constexpr (std::is_same_v<T, double>)
    return std::numeric_limits<double>::infinity();
  else
    return std::numeric_limits<T>::max() >>
           (64 - elementType.getIntOrFloatBitWidth());
}

/// The list with each dynamic entry replaced by the next operand's value;
/// `next` is advanced past those used.
Shape resolveMixed(llvm::ArrayRef<int64_t> list,
                   llvm::ArrayRef<Tensor> operands, size_t &next);

/// The geometry of a window sweep over up to three spatial axes; missing ones
/// are in front and have extent 1.
struct Sweep {
  using Triple = std::array<int64_t, 3>;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1},
      dilation{1, 1, 1}, low{0, 0, 0}, high{0, 0, 0};

  Sweep(llvm::ArrayRef<int64_t> in, llvm::ArrayRef<int64_t> kernel,
        llvm::ArrayRef<int64_t> out, llvm::ArrayRef<int64_t> strides,
        llvm::ArrayRef<int64_t> dilations, llvm::ArrayRef<int64_t> pads);

  static int64_t count(const Triple &extents) {
    return extents[0] * extents[1] * extents[2];
  }
};

/// [N,ceil(C/16),D..,16] of a planar [N,C,D..]; tail lanes are zero.
Tensor toBlocked(const Tensor &planar);
/// [N,channels,D..] of a blocked [N,ceil(C/16),D..,16].
Tensor toPlanar(const Tensor &blocked, int64_t channels);

/// The index made non-negative; fails with a located error unless it lies in
/// [-extent, extent).
mlir::FailureOr<int64_t> resolveIndex(mlir::Operation *op, int64_t index,
                                      int64_t extent, int64_t axis);

} // namespace graven::eval

#endif // DIALECTS_GRAVEN_EVAL_COMPUTE_H
