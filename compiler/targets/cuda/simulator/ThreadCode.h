//===- ThreadCode.h - a GPU's thread as code of the host -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what takes the NVVM dialect out of a kernel.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_THREADCODE_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_THREADCODE_H

#include "compiler/targets/cuda/simulator/CodeServices.h"
#include "compiler/targets/cuda/simulator/Program.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

namespace graven::cuda::simulator {

/// What a thread of a one-dimensional launch knows of itself, arguments of its
/// function after the kernel's own. The last two are those of threads that work
/// together.
enum Register : unsigned {
  ThreadId,
  BlockId,
  BlockDim,
  GridDim,
  NumRegisters,
  Self = NumRegisters,
  SharedBase,
  NumTogether
};

/// Whether threads of the kernel wait for each other or share memory.
bool worksTogether(mlir::LLVM::LLVMFuncOp kernel);

/// Takes the NVVM dialect out of a thread, which has got its registers. An
/// operation without a simulation is an error.
class ThreadCode {
public:
  /// `shared` has the kernel's arrays in shared memory.
  ThreadCode(mlir::LLVM::LLVMFuncOp thread, unsigned numArguments,
             CodeServices &services, Program &program, const Kernel &kernel);

  mlir::LogicalResult lower();

private:
  mlir::LogicalResult lower(mlir::Operation *op);
  mlir::LogicalResult refuse(mlir::Operation *op);

  // Operations without others' help.
  mlir::Value registerOf(mlir::Operation *op);
  mlir::Value mathOf(mlir::Operation *op);

  // Of threads that work together.
  bool isHint(mlir::Operation *op) const;
  mlir::LogicalResult lowerMeeting(mlir::Operation *op);
  mlir::LogicalResult lowerCopy(mlir::Operation *op);
  mlir::LogicalResult lowerMatrix(mlir::Operation *op);
  mlir::LogicalResult lowerProduct(mlir::Operation *op);
  mlir::LogicalResult lowerGroupProduct(mlir::Operation *op);
  mlir::LogicalResult watch(mlir::Operation *op);
  void lowerShared(mlir::Operation *op);

  Origin originOf(mlir::Value pointer);
  mlir::Value site(mlir::Operation *op, AccessKind kind = AccessKind::Read,
                   uint32_t bytes = 0, uint32_t alignment = 1,
                   Origin origin = {});
  mlir::Value number(int64_t value);
  mlir::Value generic(mlir::Value pointer);
  mlir::Value call(Service service, mlir::ValueRange arguments);
  mlir::Value exchange();
  mlir::Value slot(int32_t index);
  void replace(mlir::Operation *op, mlir::Value value);

  mlir::LLVM::LLVMFuncOp thread;
  unsigned numArguments;
  CodeServices &services;
  Program &program;
  const Kernel &kernel;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::Type i32, i64;
  mlir::LLVM::LLVMPointerType ptr;
  mlir::DataLayout layout;
  mlir::Value exchanged;
};

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_THREADCODE_H
