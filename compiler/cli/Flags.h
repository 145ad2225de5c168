//===- Flags.h - flags that commands share --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the flags that say which model, with which inputs, and how
// it is compiled.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_FLAGS_H
#define COMPILER_CLI_FLAGS_H

#include "compiler/cli/PassFlags.h"
#include "compiler/session/WeightsFile.h"
#include "dialects/graven/Graven.h"
#include "llvm/Support/CommandLine.h"
#include <vector>

namespace graven::cli {

/// MODEL, --input, --dim and --weights, which most commands take.
class ModelFlags {
public:
  explicit ModelFlags(llvm::cl::SubCommand &sub);
  void read();

  /// The shapes that --input gives, by themselves or as arrays; reports
  /// malformed ones, and inputs that are given twice. Extents that --dim gives
  /// one value are decided.
  mlir::FailureOr<ImportOptions>
  importOptions(mlir::MLIRContext *context) const;
  /// What --dim gives; reports what is malformed.
  mlir::FailureOr<std::vector<DimSpec>>
  dimSpecs(mlir::MLIRContext *context) const;
  /// What `--input NAME=@file.npy` gives: name and path.
  std::vector<std::pair<std::string, std::string>> files() const;

  std::string model;
  std::vector<std::string> inputs, dims;
  /// What --weights says of other weights, if it was given.
  std::optional<OtherWeights> weights;
  OpaqueValues opaque = OpaqueValues::Refused;
  StateMode state = StateMode::Initial;

private:
  llvm::cl::opt<std::string> modelFlag;
  llvm::cl::list<std::string> inputFlag, dimFlag;
  llvm::cl::opt<std::string> weightsFlag, prefixFlag;
  llvm::cl::opt<bool> keepMissingFlag, opaqueFlag;
  llvm::cl::opt<StateMode> stateFlag;
};

/// --target, --target-cpu, -O, --numerics, --threads, --cache-dir, --no-cache,
/// --tune-db and the flags about passes.
class CompileFlags {
public:
  static constexpr int mostThreads = 1024;

  explicit CompileFlags(llvm::cl::SubCommand &sub);
  void read();

  /// Reports values outside their ranges.
  mlir::LogicalResult check(mlir::MLIRContext *context) const;

  /// Warns where nobody named a CPU and LLVM does not know this one: code for
  /// it is code for many.
  void warnOfGenericCpu(mlir::MLIRContext *context) const;

  CompileOptions options;
  PassFlags passes;

private:
  bool cpuIsGiven = false;
  unsigned wantedLevel = 2;
  llvm::cl::opt<std::string> target;
  llvm::cl::opt<std::string> cpu;
  llvm::cl::opt<unsigned> level;
  llvm::cl::opt<Numerics> numerics;
  llvm::cl::opt<Precision> precision;
  llvm::cl::opt<int> threads;
  llvm::cl::opt<std::string> cacheFolder;
  llvm::cl::opt<bool> noCache;
  llvm::cl::opt<std::string> tuningFile;
  llvm::cl::opt<std::string> verifyFlag;
};

/// --external-data.
struct ExternalDataFlag : llvm::cl::opt<ExternalData> {
  explicit ExternalDataFlag(llvm::cl::SubCommand &sub)
      : opt("external-data",
            llvm::cl::desc("weights in a file beside the model's:"),
            llvm::cl::values(
                clEnumValN(ExternalData::Auto, "auto", "over 2 GB (default)"),
                clEnumValN(ExternalData::Always, "always", ""),
                clEnumValN(ExternalData::Never, "never", "")),
            llvm::cl::init(ExternalData::Auto), llvm::cl::sub(sub)) {}
};

enum class Missing { IsError, IsRandom };

/// Arrays for the inputs a model takes, in its order: read from the files that
/// flags name, or, where they name none, made from a fixed seed if `missing`
/// allows it: with extents as --input, --dim and the other arrays give them.
/// Reports unknown and missing inputs, and arrays of another type or shape than
/// `infos` say, all of them.
mlir::FailureOr<std::vector<rt::Array>>
gatherInputs(mlir::MLIRContext *context, const ModelFlags &flags,
             llvm::ArrayRef<GravenTensorInfo> infos, Missing missing);
/// The same for the inputs of a Graph, as the evaluator takes them.
mlir::FailureOr<std::vector<rt::Array>> gatherInputs(mlir::MLIRContext *context,
                                                     const ModelFlags &flags,
                                                     GraphOp graph,
                                                     Missing missing);

} // namespace graven::cli

#endif // COMPILER_CLI_FLAGS_H
