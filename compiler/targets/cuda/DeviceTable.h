//===- DeviceTable.h - an artifact's code for GPUs -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what an artifact holds for GPUs, the tables of
// runtime/cuda/Device.h, and the entry that runs it.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_DEVICETABLE_H
#define GRAVEN_COMPILER_TARGETS_CUDA_DEVICETABLE_H

#include "compiler/targets/cpu/ModelSignature.h"
#include "compiler/targets/cuda/Architecture.h"
#include "mlir/IR/BuiltinOps.h"

namespace llvm {
class Module;
} // namespace llvm

namespace graven::cuda {

struct Kernel {
  std::string name;
  int64_t blocks = 1, threads = 1, sharedBytes = 0, arguments = 0;
};

/// The code of all kernels for one architecture: an ELF file, or text.
struct Image {
  Architecture architecture;
  bool isText = false;
  std::string bytes;
  /// In the order of their numbers, launched as this code expects.
  llvm::SmallVector<Kernel> kernels = {};
};

/// The kernels of one size of a model.
struct DeviceProgram {
  /// Machine code first.
  llvm::SmallVector<Image> images;
};

/// The kernels that LowerDeviceLaunch listed.
llvm::SmallVector<Kernel> kernelsOf(mlir::ModuleOp module);

/// Adds the function `name`, a GravenEntry on memory of the host that runs the
/// function `name`_device on a device, with the tables that this takes.
void addDeviceEntry(llvm::Module &module, llvm::StringRef name,
                    const cpu::ModelSignature &signature,
                    const DeviceProgram &program);

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_DEVICETABLE_H
