//===- CodeServices.h - calls of the simulator -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares CodeServices, which makes simulated code call the
// functions of Services.h.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_CODESERVICES_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_CODESERVICES_H

#include "compiler/targets/cuda/simulator/Services.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace graven::cuda::simulator {

/// The services as functions of a module, which find themselves in the table.
class CodeServices {
public:
  CodeServices(mlir::ModuleOp module, mlir::SymbolTable &symbols)
      : module(module), symbols(symbols) {}

  /// Makes the variable kBinding, which a host may look for.
  void declare() { variable(); }

  /// Calls one; its result, if it has one.
  mlir::Value call(mlir::OpBuilder &b, mlir::Location loc, Service service,
                   mlir::ValueRange arguments);
  /// The simulator, the first argument of a launch.
  mlir::Value simulator(mlir::OpBuilder &b, mlir::Location loc);

private:
  mlir::LLVM::GlobalOp variable();
  mlir::Value binding(mlir::OpBuilder &b, mlir::Location loc);
  mlir::LLVM::LLVMFuncOp function(Service service);

  mlir::ModuleOp module;
  mlir::SymbolTable &symbols;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_CODESERVICES_H
