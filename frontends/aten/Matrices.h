//===- Matrices.h - steps of linear algebra on batches ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the families of products and of decompositions share:
// matrices are the last two axes, axes in front of them are batches.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_MATRICES_H
#define FRONTENDS_ATEN_MATRICES_H

#include "frontends/aten/Call.h"

namespace graven::aten {

/// a [.., M, K] times the matrix b [K, N], or [N, K] when transposed.
mlir::Value timesMatrix(Emitter &e, mlir::Value a, mlir::Value b,
                        bool transposed);

/// How many there are of each in a matrix.
inline int64_t rows(mlir::Value x) {
  return Emitter::shape(x)[Emitter::rank(x) - 2];
}
inline int64_t columns(mlir::Value x) { return Emitter::shape(x).back(); }

/// a [.., M, K] times b [.., K, N]; leading extents broadcast.
mlir::Value product(Call &c, mlir::Value a, mlir::Value b);

/// The last two axes exchanged.
mlir::Value matrixTransposed(Call &c, mlir::Value x);

/// The identity [1.., n, n] of that rank.
mlir::Value identityMatrix(Call &c, mlir::Type type, int64_t n, int64_t rank);

/// 0 to n - 1 along an axis of [1.., n, ..1], of that rank.
mlir::Value indicesAlong(Call &c, int64_t n, int64_t rank, int64_t axis);

/// Steps of decompositions are unrolled up to this many.
inline constexpr int64_t kMaxSteps = 32;

/// An argument that is matrices of floats of at most `most` rows or columns;
/// reports when it is not.
mlir::Value smallMatrices(Call &c, llvm::StringRef name,
                          int64_t most = kMaxSteps);

/// Whether x holds square matrices; reports when it does not.
bool isSquare(Call &c, mlir::Value x);

/// The inverse of square matrices.
mlir::Value inverseOf(Call &c, mlir::Value x);

/// The singular values [.., min(m, n)] of matrices, the greatest first.
mlir::Value singularValuesOf(Call &c, mlir::Value x);

/// `count` orthonormal columns, of which the first span those of x.
mlir::Value orthonormalBasis(Call &c, mlir::Value x, int64_t count);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_MATRICES_H
