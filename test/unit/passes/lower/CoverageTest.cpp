//===- CoverageTest.cpp - every op has native code --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that each op of the graven dialect has a lowering to kernels,
// or is in the list of those that need none: an op that is added without one
// fails here, not in front of a user.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/TargetInfo.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace graven;

namespace {

/// What is gone before Nodes are lowered, or is what holds them.
bool needsNoLowering(StringRef name) {
  constexpr StringRef names[] = {
      GraphOp::getOperationName(),  ReturnOp::getOperationName(),
      ParamOp::getOperationName(),  GetParamOp::getOperationName(),
      CallOp::getOperationName(),   // inlined
      PrefixOp::getOperationName(), // removed where the Graph gets room
      DimOp::getOperationName()};   // folded, as extents are static
  return llvm::is_contained(names, name);
}

TEST(Coverage, EveryOpHasALowering) {
  MLIRContext context;
  context.loadDialect<GravenDialect>();
  RewritePatternSet patterns(&context);
  populateNodeLowering(patterns, TargetInfo());
  llvm::DenseSet<OperationName> lowered;
  for (auto &pattern : patterns.getNativePatterns())
    if (auto root = pattern->getRootKind())
      lowered.insert(*root);
  size_t count = 0;
  for (RegisteredOperationName op : context.getRegisteredOperations()) {
    if (op.getDialectNamespace() != "graven")
      continue;
    ++count;
    EXPECT_TRUE(lowered.contains(op) || op.hasTrait<Elementwise>() ||
                needsNoLowering(op.getStringRef()))
        << "'" << op.getStringRef().str()
        << "' has no lowering in passes/lower";
  }
  EXPECT_GT(count, 90u);
}

} // namespace
