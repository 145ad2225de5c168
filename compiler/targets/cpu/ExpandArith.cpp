//===- ExpandArith.cpp - arithmetic without an instruction ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ExpandArith, which applies upstream's expansion of
// rounding divisions, and passes/math's of bf16 conversions: upstream's pass
// for all of them also replaces minimum and maximum, for which LLVM has better
// code.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "passes/math/Passes.h"

namespace graven::cpu {
#define GEN_PASS_DEF_EXPANDARITH
#include "compiler/targets/cpu/Passes.h.inc"
} // namespace graven::cpu

using namespace mlir;

namespace {
struct ExpandArith : public graven::cpu::impl::ExpandArithBase<ExpandArith> {
  using ExpandArithBase::ExpandArithBase;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    graven::populateExpandBFloat16Patterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
