//===- RunChecks.cpp - run the tests of a module --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that runs the Graphs that test themselves.
//===----------------------------------------------------------------------===//

#include "dialects/check/Check.h"
#include "passes/check/Passes.h"

namespace graven {

#define GEN_PASS_DEF_RUNCHECKS
#include "passes/check/Passes.h.inc"

namespace {
struct RunChecks : impl::RunChecksBase<RunChecks> {
  void runOnOperation() override {
    if (failed(check::runChecks(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace

} // namespace graven
