//===- Work.h - what a kernel computes and moves ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the work of a kernel on memrefs, by which a measured time
// can be set against what the machine could do.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_LOWER_EXPAND_WORK_H
#define GRAVEN_PASSES_LOWER_EXPAND_WORK_H

#include "mlir/IR/Operation.h"

namespace graven::expand {

struct Work {
  /// Multiplications of a contraction, each with its addition, that the kernel
  /// really does (a Winograd or Strassen product does fewer than the formula of
  /// its convolution has); 0 for kernels that contract nothing.
  int64_t multiplyAdds = 0;
  /// Bytes of the memrefs it is given, each counted once.
  int64_t bytes = 0;
};

/// The work of one kernel (see isKernel); a stage of a kernel that runs in
/// blocks counts one full block.
Work workOf(mlir::Operation *op);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_WORK_H
