//===- Session.h - a model's way through the compiler ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the compiler as a library: read a model, run phases, write
// an artifact, run it, evaluate it. The command line, Python and the tests are
// thin users of it.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_SESSION_H
#define COMPILER_SESSION_SESSION_H

#include "compiler/phases/Phases.h"
#include "compiler/session/DisabledPasses.h"
#include "compiler/session/Explanations.h"
#include "compiler/session/GeneralImport.h"
#include "compiler/session/Sizes.h"
#include "compiler/targets/cpu/CpuTarget.h"
#include "compiler/targets/cuda/Architecture.h"
#include "compiler/targets/cuda/Assembler.h"
#include "frontends/ImportOptions.h"
#include "frontends/onnx/Export.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/Timing.h"
#include "passes/lower/Tuning.h"
#include "passes/verify/NumericsVerifier.h"
#include "passes/verify/Steps.h"
#include "runtime/host/Array.h"
#include "runtime/host/LoadedModel.h"

namespace graven {

/// What a file is by its content.
enum class ModelFormat {
  TorchArchive,
  TorchScriptSource,
  Onnx,
  GravenText,
  Unknown
};
ModelFormat detectFormat(llvm::StringRef bytes);

/// A launch of a kernel as a tuning database knows it; without candidates there
/// is nothing to tune.
struct TunableLaunch {
  std::string signature;
  llvm::SmallVector<Tiles> candidates;
};

namespace cuda::simulator {
class Simulator;
} // namespace cuda::simulator

struct CompileOptions {
  /// Name of the artifact's symbols; from the output's path when empty.
  std::string name;
  std::string cpu = "native";
  /// GPUs that run the kernels, "sm_80,sm_90"; empty: the CPU does.
  std::string gpus;
  /// What does where none of them is.
  cuda::WithoutDevice withoutDevice = cuda::WithoutDevice::Nothing;
  /// Unless null, runs their kernels on this machine, in place of a GPU; for
  /// load(), and alive as long as the model.
  cuda::simulator::Simulator *simulator = nullptr;
  OptLevel level = OptLevel::O2;
  Numerics numerics = Numerics::Default;
  Precision precision = Precision::F32;
  /// Whether, and how, each pass on the graph is verified by evaluation.
  std::optional<NumericsOptions> verification;
  /// Unless null, counts and limits the steps of the graph and kernel phases;
  /// what comes after them every compile needs.
  StepCounter *steps = nullptr;
  /// Unless empty, called with the Graph at the end of the graph phase; may
  /// give it more outputs.
  std::function<mlir::LogicalResult(GraphOp)> onGraph = {};
  /// Unless null, watches the passes of all phases.
  Explanations *explanations = nullptr;
  /// Threads the typed entry uses.
  int64_t threads = 1;
  /// Also write the C header here when not empty.
  std::string headerPath;
  /// Unless null, gets the launches of kernels, which then announce themselves
  /// (see cpu::EmitOptions), and what became of each function.
  llvm::SmallVectorImpl<cpu::LaunchInfo> *launches = nullptr;
  llvm::SmallVectorImpl<cpu::FunctionReport> *reports = nullptr;
  /// Folder of compiled kernels; empty: none. Without a value it is the user's
  /// (KernelCache::defaultFolder).
  std::optional<std::string> cacheFolder;
  /// File of measured tiles, over those that come with the compiler; empty:
  /// none. Without a value it is the user's (defaultTuningFile).
  std::optional<std::string> tuningFile;
  /// Unless null, instead of these files.
  std::shared_ptr<const TuningDatabase> tuning;
  /// Unless null, gets what of each launch can be tuned, in their order.
  llvm::SmallVectorImpl<TunableLaunch> *tunables = nullptr;
};

/// What a compile made.
struct CompileSummary {
  /// Prefix of the C symbols.
  std::string symbol;
  /// Bytes of the memory a run needs, and of the packed weights.
  int64_t workspaceBytes = 0, weightsBytes = 0;
  /// Distinct kernels, those that make the weights included.
  cpu::KernelCounts kernels;
  /// How many sizes there is code for, 1 for a model of static extents.
  size_t sizes = 1;
  /// Of machine code for a GPU, what became of each kernel.
  llvm::SmallVector<cuda::KernelReport> deviceKernels;
};

/// Whether an export computes what depends on constants alone, and restores ops
/// that a framework wrote as patterns.
enum class Folding { On, Off };

/// What an export made.
struct ExportSummary {
  int64_t nodes = 0;
  uint64_t weightBytes = 0;
  /// Name of the file of external data beside the model's; empty for none.
  std::string dataFile;
};

/// Looks at what an export wrote, under the name it has before it replaces
/// anything; failure leaves what there was.
using ExportCheck = llvm::function_ref<mlir::LogicalResult(llvm::StringRef)>;

/// One context and the models read into it. Errors go to the context's
/// diagnostics.
class Session {
public:
  Session();

  mlir::MLIRContext &getContext() { return *context; }

  /// From here on, what the session does is timed in timers nested in `timer`,
  /// which runs and outlives that.
  void setTimer(mlir::Timer timer) { this->timer = std::move(timer); }

  /// Reads a model of any format; "-" is standard input.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  import(llvm::StringRef path, const ImportOptions &options);

  /// Reads a model at each of the sizes that `dims` ask for (see importSizes).
  mlir::FailureOr<SizedModel> importSized(llvm::StringRef path,
                                          const ImportOptions &options,
                                          llvm::ArrayRef<DimSpec> dims);

  /// Reads a model as one Graph for all its extents (see importGeneral), as
  /// exportOnnx takes it. Axes of inputs that `exported` calls dynamic are.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  importGeneral(llvm::StringRef path, const ImportOptions &options,
                llvm::ArrayRef<DimSpec> dims,
                const OnnxExportOptions &exported);

  /// The same from memory; the buffer's identifier names the model in messages.
  /// Files that belong to the model are looked up in `directory`; without one
  /// there are none.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  importBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer,
               llvm::StringRef directory, const ImportOptions &options);

  /// Runs the phases after import up to and including `last`.
  mlir::LogicalResult runPhases(mlir::ModuleOp module, Phase last,
                                const CompileOptions &options);

  /// Gives a pass manager the passes of the graph phase that `options` ask for.
  mlir::FailureOr<std::function<void(mlir::PassManager &)>>
  graphPhase(const CompileOptions &options, mlir::Location loc);

  /// What runPhases runs, as `graven-opt --pass-pipeline` takes it, but for a
  /// tuning database in memory; without `disabled` passes.
  mlir::FailureOr<std::string> pipelineOf(Phase last,
                                          const CompileOptions &options,
                                          const DisabledPasses &disabled);

  /// Compiles an imported model into the file `output`; the kind follows from
  /// its extension.
  mlir::FailureOr<CompileSummary> compile(const SizedModel &model,
                                          const CompileOptions &options,
                                          llvm::StringRef output);
  mlir::FailureOr<CompileSummary> compile(mlir::ModuleOp module,
                                          const CompileOptions &options,
                                          llvm::StringRef output) {
    return compile(SizedModel::just(module), options, output);
  }

  /// Compiles into a temporary shared object and loads it. The file is gone
  /// when the function returns.
  mlir::FailureOr<rt::LoadedModel> load(const SizedModel &model,
                                        const CompileOptions &options);
  mlir::FailureOr<rt::LoadedModel> load(mlir::ModuleOp module,
                                        const CompileOptions &options) {
    return load(SizedModel::just(module), options);
  }

  /// Writes the graph as text, after lines that are comments, and its
  /// Parameters as a safetensors file beside it.
  mlir::LogicalResult write(mlir::ModuleOp module, llvm::StringRef path,
                            llvm::StringRef comments = "");

  /// Makes one Graph without calls, shape arithmetic, dead Nodes and the
  /// patterns that frameworks write for single ops, with batch normalizations
  /// in the weights of convolutions, and without Nodes of Parameters alone.
  mlir::LogicalResult simplify(mlir::ModuleOp module,
                               Explanations *explanations = nullptr);

  /// Writes the graph as ONNX to `path`, and weights that need a file of their
  /// own to `path`.data. The module is changed. Reports all Nodes that have no
  /// form in ONNX.
  mlir::FailureOr<ExportSummary>
  exportOnnx(mlir::ModuleOp module, OnnxExportOptions options, Folding folding,
             llvm::StringRef path, ExportCheck check = nullptr,
             Explanations *explanations = nullptr);

  /// Outputs by the reference evaluator.
  mlir::FailureOr<std::vector<rt::Array>>
  evaluate(mlir::ModuleOp module, llvm::ArrayRef<rt::Array> inputs);

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::Timer timer;
};

/// GravenDType of an element type and back; 0 or null when there is none.
int32_t dtypeOf(mlir::Type elementType);
mlir::Type elementTypeOf(mlir::MLIRContext *context, int32_t dtype);

/// Arrays as the evaluator has them.
llvm::SmallVector<eval::Tensor> toTensors(mlir::MLIRContext *context,
                                          llvm::ArrayRef<rt::Array> arrays);

/// A message of the runtime, reported with its code.
mlir::LogicalResult report(mlir::MLIRContext *context, const rt::Error &error);

} // namespace graven

#endif // COMPILER_SESSION_SESSION_H
