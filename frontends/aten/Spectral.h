//===- Spectral.h - what Fourier transforms share ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the matrices of cosines and sines, and a complex tensor
// while it is transformed.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_SPECTRAL_H
#define FRONTENDS_ATEN_SPECTRAL_H

#include "frontends/aten/Call.h"

namespace graven::aten {

/// Longer axes would need bigger matrices.
inline constexpr int64_t kMaxLength = 4096;

/// A complex tensor; the imaginary part may be null, for 0.
struct ComplexParts {
  mlir::Value real, imaginary;
};

enum class Wave : uint8_t { Cosine, Sine };

/// [rows, columns] of factor * wave(2 pi row column / period).
llvm::SmallVector<double> waves(Wave wave, int64_t rows, int64_t columns,
                                int64_t period, double factor);
/// Multiplies the rows by 2 that stand for two frequencies each, of a spectrum
/// of `period` elements of which half is given.
void doublePairs(llvm::MutableArrayRef<double> matrix, int64_t columns,
                 int64_t period);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_SPECTRAL_H
