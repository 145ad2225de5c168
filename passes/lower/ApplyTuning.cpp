//===- ApplyTuning.cpp - measured tiles for kernels -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ApplyTuning, which gives kernels the tiles that a tuning
// database has for them, where these are legal.
//===----------------------------------------------------------------------===//

#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"

#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/lower/Tuning.h"
#include "llvm/Support/MemoryBuffer.h"

namespace graven {
#define GEN_PASS_DEF_APPLYTUNING
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class ApplyTuningPass : public impl::ApplyTuningBase<ApplyTuningPass> {
public:
  using ApplyTuningBase::ApplyTuningBase;
  ApplyTuningPass(const ApplyTuningOptions &options,
                  std::shared_ptr<const TuningDatabase> database)
      : ApplyTuningBase(options), database(std::move(database)) {}

  LogicalResult initialize(MLIRContext *context) override {
    if (database || file.empty())
      return success();
    auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/true);
    Location loc = UnknownLoc::get(context);
    if (!buffer)
      return emitCoded(loc, Code::CannotRead)
             << "cannot read '" << file << "': " << buffer.getError().message();
    auto parsed = TuningDatabase::parse((*buffer)->getBuffer());
    if (parsed)
      database = std::make_shared<TuningDatabase>(std::move(*parsed));
    else
      warnCoded(loc, Code::TuningUnusable)
          << "the tuning database '" << file
          << "' is not used: " << llvm::toString(parsed.takeError());
    return success();
  }

  void runOnOperation() override {
    if (!database)
      return;
    TargetInfo target = targetOf(vectorBytes, vectorRegisters, fma, l2Bytes,
                                 bf16Dot, f16Convert, processor);
    getOperation().walk([&](Operation *op) {
      if (tilesOf(op).empty())
        return;
      std::string signature = tuningSignature(op);
      const Tiles *tiles = database->find(cpu, signature);
      if (!tiles || *tiles == tilesOf(op))
        return;
      if (!areLegalTiles(op, *tiles, target)) {
        warnCoded(op->getLoc(), Code::TuningUnusable)
            << "the tuning database has tiles for " << cpu << " and "
            << signature << " that it cannot have; they are not used";
        ++numRefused;
        return;
      }
      setTiles(op, *tiles);
      ++numTuned;
    });
  }

private:
  std::shared_ptr<const TuningDatabase> database;
};

} // namespace

std::unique_ptr<Pass>
createApplyTuning(const TargetInfo &target,
                  std::shared_ptr<const TuningDatabase> database) {
  auto options = optionsOf<ApplyTuningOptions>(target);
  options.cpu = target.name;
  return std::make_unique<ApplyTuningPass>(options, std::move(database));
}

} // namespace graven
