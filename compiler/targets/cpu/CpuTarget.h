//===- CpuTarget.h - compiled models for a CPU ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the CPU target's interface to the rest of the compiler,
// which is: a module at the end of the loops phase and a signature go in, a
// file comes out. A file with weights comes out in two steps, because only the
// caller can fill them.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_CPUTARGET_H
#define GRAVEN_COMPILER_TARGETS_CPU_CPUTARGET_H

#include "compiler/support/OutputFile.h"
#include "compiler/targets/cpu/Codegen.h"
#include "compiler/targets/cpu/ModelSignature.h"
#include "compiler/targets/cpu/TargetMachine.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"
#include <functional>

namespace llvm {
class Module;
} // namespace llvm
namespace mlir {
class OpPassManager;
} // namespace mlir
namespace graven {
class KernelCache;
} // namespace graven

namespace graven::cpu {

enum class OutputKind {
  LLVMDialect,  ///< .mlir, at the end of the llvm phase
  LLVMIR,       ///< .ll, optimized
  Assembly,     ///< .s
  Object,       ///< .o with support code, to be linked with libc and libm
  Archive,      ///< .a with that object as its only member
  SharedObject, ///< .so
};

/// The kind that a path's extension asks for: .mlir .ll .s .o .a .so.
std::optional<OutputKind> outputKindOf(llvm::StringRef path);

/// Whether the kind is something to read, not to run.
bool isText(OutputKind kind);

/// What addresses of inputs the code may rely on: multiples of an element's
/// size, or none, as in a mapped model file.
enum class InputAlignment { Element, Byte };

/// Adds the entry of that name for a size to a module whose own entry,
/// NAME_device, works on another memory.
using WrapEntry = std::function<void(llvm::Module &, llvm::StringRef name,
                                     const ModelSignature &size)>;

/// Another version of the code: a module with the same weights, for another CPU
/// of the same architecture, or for another of the signature's sizes. For the
/// same size it has the same arguments, offsets and workspace.
struct Variant {
  mlir::ModuleOp module;
  CpuTarget target;
  size_t size = 0;
  WrapEntry wrapEntry = {};
};

/// One launch of a kernel in the main function.
struct LaunchInfo {
  /// The function, the operation it was ("kernel.conv"), and the Node's place.
  std::string function, kind;
  mlir::Location loc;
  int64_t tasks = 1;
  /// See expand::Work.
  int64_t multiplyAdds = 0, bytes = 0;
};

/// Distinct kernels of an artifact that became objects.
struct KernelCounts {
  unsigned total = 0, cached = 0;
};

/// Where the code of kernels is.
enum class KernelPlace {
  /// Each has an object of its own, made on a thread and kept in the cache.
  Object,
  /// In the module of the main function, as in text.
  Module,
};

struct EmitOptions {
  OutputKind kind = OutputKind::SharedObject;
  /// The CPU of the module that is emitted, which is of the first size, and the
  /// versions that are tried after it, in this order, where a CPU does not have
  /// what it needs; then those of each further size, for the same CPUs. Text
  /// has none.
  CpuTarget target;
  llvm::SmallVector<Variant> others = {};
  OptLevel optLevel = OptLevel::O2;
  KernelPlace kernelPlace = KernelPlace::Object;
  InputAlignment inputAlignment = InputAlignment::Element;
  /// Unless null, gets what register allocation made of each function of the
  /// first version, and no kernel is looked up, since only compiling tells; not
  /// for .mlir and .ll.
  llvm::SmallVectorImpl<FunctionReport> *reports = nullptr;
  /// Adds the passes that expand kernels to loops for a CPU, to a manager of
  /// modules; without it they are expanded already.
  std::function<void(mlir::OpPassManager &, const TargetInfo &)> expandKernels =
      {};
  /// Of the module that is emitted; with one, the object for GPUs is linked.
  WrapEntry wrapEntry = {};
  /// What a .so exports beside the model.
  llvm::SmallVector<std::string> exports = {};
  /// Unless null, where kernels that were compiled before are looked up and
  /// those that were not are kept.
  KernelCache *cache = nullptr;
  /// Unless null, how many kernels there are, and how many of them were in the
  /// cache, is added here; not for text.
  KernelCounts *counts = nullptr;
  /// The steps are timed in timers nested in this one.
  mlir::Timer timer = {};
  /// Unless null, gets the launches, and the code announces each by its number
  /// in this list: parallel_for is called with -1 - number tasks before it.
  llvm::SmallVectorImpl<LaunchInfo> *launches = nullptr;
};

/// A file that is complete but for its weights, and has no name yet.
class Artifact {
public:
  Artifact(OutputFile &&file, uint64_t weightsStart, int64_t weightsSize)
      : file(std::move(file)), start(weightsStart), size(weightsSize) {}

  /// Bytes of the weights, which are zero at first; 0 when the model has none
  /// or the kind of file holds none (text).
  int64_t weightsSize() const { return size; }

  /// Fills a part of the weights. Any thread may; errors are for report().
  std::error_code writeWeights(uint64_t offset, llvm::ArrayRef<char> bytes) {
    assert(offset + bytes.size() <= static_cast<uint64_t>(size) &&
           "writes within the weights");
    return file.writeAt(start + offset, bytes);
  }
  mlir::LogicalResult report(std::error_code error) const {
    return file.report(error);
  }

  /// Gives the file its name. Without this nothing is left on the disk.
  mlir::LogicalResult commit(Durability durability = Durability::Durable) {
    return file.commit(durability);
  }

  llvm::StringRef path() const { return file.path(); }

private:
  OutputFile file;
  /// Where in the file the weights are.
  uint64_t start;
  int64_t size;
};

/// The emission of a file, in two steps, so that a caller with two models can
/// have the kernels of both on the threads of the context. `module`,
/// `signature` and `options` are used until the end.
class Emission {
public:
  /// Begins with `module`, which like the other variants has its kernels in
  /// functions of their own, and is lowered in place. Errors of both steps are
  /// reported at the module's location; the module is in no particular state
  /// after one.
  ///
  /// The main function is the one with `graven.num_inputs` and
  /// `graven.num_outputs`; its arguments are inputs, outputs, workspace and
  /// weights as memrefs with static shapes and identity layouts, and it returns
  /// nothing or a status as i32. An input's and output's memory is aligned to
  /// its element, workspace and weights to 64 bytes.
  static mlir::FailureOr<Emission> start(mlir::ModuleOp module,
                                         const ModelSignature &signature,
                                         const EmitOptions &options);
  Emission(Emission &&);
  ~Emission();

  /// The rest, and the other variants; once.
  mlir::FailureOr<Artifact> finish(OutputFile &&file);

private:
  struct State;
  explicit Emission(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// Both steps, into a file that commit() will call `path`.
mlir::FailureOr<Artifact> emitArtifact(mlir::ModuleOp module,
                                       const ModelSignature &signature,
                                       const EmitOptions &options,
                                       llvm::StringRef path);

/// The same into a file that is open.
mlir::FailureOr<Artifact> emitArtifact(mlir::ModuleOp module,
                                       const ModelSignature &signature,
                                       const EmitOptions &options,
                                       OutputFile &&file);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_CPUTARGET_H
