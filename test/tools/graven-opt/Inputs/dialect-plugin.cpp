//===- dialect-plugin.cpp - a dialect of somebody else --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file is a plugin of a dialect, `mine`, without operations of its own,
// and of a pass that uses Graven's.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {

class MineDialect : public Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MineDialect)

  explicit MineDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<MineDialect>()) {
    allowUnknownOperations();
  }
  static StringRef getDialectNamespace() { return "mine"; }
};

/// mine.rectify of a tensor is graven.relu.
struct LowerMine : PassWrapper<LowerMine, OperationPass<graven::GraphOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerMine)

  StringRef getArgument() const override { return "lower-mine"; }

  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (op->getName().getStringRef() != "mine.rectify")
        return;
      OpBuilder builder(op);
      op->replaceAllUsesWith(
          graven::ReluOp::create(builder, op->getLoc(), op->getOperand(0)));
      op->erase();
    });
  }
};

} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Mine", "1",
          [] { PassRegistration<LowerMine>(); }};
}

extern "C" DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Mine", "1",
          [](DialectRegistry *registry) { registry->insert<MineDialect>(); }};
}
