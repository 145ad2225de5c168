//===- ReshapeRoundTrips.h - reshapes there and back ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the pattern of RemoveIdentities for a reshape that an
// elementwise Node stands before, and one behind it that undoes it.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_RESHAPEROUNDTRIPS_H
#define PASSES_GRAPH_RESHAPEROUNDTRIPS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

/// reshape(f(reshape(x), c)) of x's shape is f(x, reshape(c)).
void populateReshapeRoundTripPatterns(mlir::RewritePatternSet &patterns,
                                      mlir::Pass::Statistic *count);

} // namespace graven

#endif // PASSES_GRAPH_RESHAPEROUNDTRIPS_H
