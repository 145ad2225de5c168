//===- InspectWeights.h - what a file of weights holds --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the two forms of `graven inspect`'s report of a file of
// weights.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_INSPECTWEIGHTS_H
#define COMPILER_CLI_INSPECTWEIGHTS_H

#include "frontends/safetensors/Weights.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace graven::cli {

/// {format, tensors: [{name, dtype, shape, bytes, ...}], opaque, total}
llvm::json::Object describeWeights(const Weights &weights);

/// A line for each tensor, and their sum.
void printWeights(const Weights &weights, llvm::raw_ostream &os);

} // namespace graven::cli

#endif // COMPILER_CLI_INSPECTWEIGHTS_H
