//===- Faults.h - rewrites that are wrong -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Graphs of a Node %y, and what a wrong pattern would make
// of it: the mistakes that people make when they write passes.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_TEST_UNIT_PASSES_VERIFY_FAULTS_H
#define GRAVEN_TEST_UNIT_PASSES_VERIFY_FAULTS_H

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace graven::test {

struct Fault {
  const char *name;
  /// Arguments of the Graph, and the type of its result.
  const char *arguments, *result;
  /// Nodes before %y, %y itself, and what it becomes: a Node, two of which the
  /// second reads %0, or a value.
  const char *before, *right, *wrong;
};

llvm::ArrayRef<Fault> faults();

/// The Graph @main whose last Node is `last`: a fault's `right` or `wrong`.
std::string graphText(const Fault &fault, llvm::StringRef last);

/// Adds the pattern WrongPattern, which makes of the last Node of a Graph what
/// the fault says.
void addWrongPattern(mlir::RewritePatternSet &patterns, const Fault &fault);

} // namespace graven::test

#endif // GRAVEN_TEST_UNIT_PASSES_VERIFY_FAULTS_H
