//===- Linker.h - objects to one image, in process --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the in-process link of objects in memory: no linker of the
// host is started, no file of the host is read, and equal inputs give equal
// bytes.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_LINKER_H
#define GRAVEN_COMPILER_TARGETS_CPU_LINKER_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "runtime/blobs/Blobs.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace graven::cpu {

/// The bytes of an object, or of a shared object that only says which symbols a
/// library has, and the name they get in messages.
struct LinkInput {
  llvm::StringRef name;
  llvm::ArrayRef<char> bytes;
};

/// Whether dlclose may unload a shared object: not one with threads of its own.
enum class Unloading { Allowed, Never };

using rt::Machine;

struct SharedLink {
  Machine machine = Machine::X86_64;
  /// An object has a section `.lrodata.graven`, which comes last.
  bool hasWeights = false;
  llvm::SmallVector<LinkInput> objects;
  /// Libraries that symbols may come from; only those that are used become
  /// needed.
  llvm::SmallVector<LinkInput> libraries;
  /// The symbols that stay visible.
  llvm::SmallVector<std::string> exports;
  Unloading unloading = Unloading::Allowed;
};

/// A shared object. Every symbol must be found (-z defs), nothing is resolved
/// lazily, and sections that nothing visible refers to are dropped.
mlir::FailureOr<llvm::SmallVector<char, 0>> linkShared(const SharedLink &link,
                                                       mlir::Location loc);

/// One relocatable object out of several.
mlir::FailureOr<llvm::SmallVector<char, 0>>
linkRelocatable(llvm::ArrayRef<LinkInput> objects, Machine machine,
                mlir::Location loc);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_LINKER_H
