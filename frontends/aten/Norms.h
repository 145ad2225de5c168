//===- Norms.h - norms that several ATen families share ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the p-norm of axes and the last step of losses, which
// distances, losses and the norms of matrices are written with.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_NORMS_H
#define FRONTENDS_ATEN_NORMS_H

#include "frontends/aten/Call.h"

namespace graven::aten {

/// (sum |x|^p)^(1/p) of a float tensor over `axes`; p = 0 counts what is not 0,
/// p = inf and -inf are the extremes of |x|. As in PyTorch, narrow floats are
/// computed in f32, and nothing else is done against overflow.
mlir::Value pNorm(Emitter &e, mlir::Value x, double p,
                  llvm::ArrayRef<int64_t> axes, bool keep);

/// All axes of x.
Shape allAxes(mlir::Value x);

/// The product of the extents.
int64_t extentProduct(llvm::ArrayRef<int64_t> shape);

/// The norm along the last axis of x1 - x2 + epsilon, shapes broadcast:
/// torch.nn.functional.pairwise_distance.
mlir::Value pairwiseDistance(Call &c, mlir::Value x1, mlir::Value x2, double p,
                             double epsilon, bool keep);

/// A loss per element as the `reduction` argument says: as it is (0), its mean
/// (1) or its sum (2).
mlir::Value reduceLoss(Call &c, mlir::Value loss);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_NORMS_H
