//===- ExplanationPrinter.cpp - why passes did what they did ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lines of `--explain`, from MLIR's optimization
// remarks.
//===----------------------------------------------------------------------===//

#include "compiler/session/ExplanationPrinter.h"
#include "compiler/session/DiagnosticPrinter.h"
#include "mlir/IR/Remarks.h"
#include <mutex>

using namespace mlir;

namespace graven {
namespace {

class Streamer : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Streamer(llvm::raw_ostream &os) : os(os) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string place = describe(remark.getLocation());
    std::lock_guard<std::mutex> lock(mutex);
    os << (place.empty() ? "model" : place) << ": " << remark.getCategoryName()
       << ":";
    for (const remark::detail::Remark::Arg &argument : remark.getArgs())
      os << " " << argument.val;
    os << "\n";
  }

private:
  std::mutex mutex;
  llvm::raw_ostream &os;
};

} // namespace

void printExplanations(MLIRContext &context, llvm::raw_ostream &os) {
  remark::RemarkCategories all;
  all.passed = all.missed = ".*";
  // Fails only where somebody else listens already.
  (void)remark::enableOptimizationRemarks(
      context, std::make_unique<Streamer>(os),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), all);
}

} // namespace graven
