//===- Strassen.h - the combinations of Strassen's product ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the coefficients of Strassen's product of 2x2 quadrants
// ("Gaussian Elimination is not Optimal", 1969), which the choice of
// algorithms, the packing of weights and the kernels share. Quadrants are in
// the order upper left, upper right, lower left, lower right.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_STRASSEN_H
#define DIALECTS_GRAVEN_STRASSEN_H

namespace graven {

/// [7, 4]: the left factors, as combinations of the quadrants of A.
inline constexpr double kStrassenLeft[] = {
    1,  0, 0, 1, //
    0,  0, 1, 1, //
    1,  0, 0, 0, //
    0,  0, 0, 1, //
    1,  1, 0, 0, //
    -1, 0, 1, 0, //
    0,  1, 0, -1,
};

/// [7, 4]: the right factors, as combinations of the quadrants of B.
inline constexpr double kStrassenRight[] = {
    1,  0, 0, 1,  //
    1,  0, 0, 0,  //
    0,  1, 0, -1, //
    -1, 0, 1, 0,  //
    0,  0, 0, 1,  //
    1,  1, 0, 0,  //
    0,  0, 1, 1,
};

/// [4, 7]: the quadrants of C, as combinations of the seven products.
inline constexpr double kStrassenResult[] = {
    1, 0,  0, 1, -1, 0, 1, //
    0, 0,  1, 0, 1,  0, 0, //
    0, 1,  0, 1, 0,  0, 0, //
    1, -1, 1, 0, 0,  1, 0,
};

} // namespace graven

#endif // DIALECTS_GRAVEN_STRASSEN_H
