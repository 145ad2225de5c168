//===- WeightsFile.h - weights files in and out ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading the weights of a file of any format, writing them
// as safetensors, and giving a model the weights of another file.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_WEIGHTSFILE_H
#define COMPILER_SESSION_WEIGHTSFILE_H

#include "compiler/session/Session.h"
#include "frontends/safetensors/Weights.h"
#include "frontends/torchexport/Import.h"

namespace graven {

/// What becomes of values that a file of weights cannot explain.
enum class OpaqueValues {
  Refused, ///< an error that lists them
  LeftOut
};

/// Maps a model's file; "-" is standard input. Folders, devices and files that
/// cannot be read are reported (CannotRead).
mlir::FailureOr<std::unique_ptr<llvm::MemoryBuffer>>
openFile(mlir::MLIRContext *context, llvm::StringRef path);

/// Whether these are the bytes of weights without a program: torch.save,
/// safetensors, an index of them.
bool isWeights(llvm::StringRef bytes);
/// The same of a file; false when it cannot be read, and of standard input.
bool isWeightsFile(llvm::StringRef path);

/// The ranges of a .pt2 file's symbols; none for other files, and where it
/// cannot be read, which is for its importer to report.
std::vector<SymbolRange> symbolRanges(llvm::StringRef path);
/// An extent to look at a model with while nobody decides the symbol: 8, or
/// what is next to that in its range.
int64_t usualExtent(llvm::ArrayRef<SymbolRange> ranges, llvm::StringRef symbol);

/// The weights of a file of weights, or of a model. Errors are reported.
mlir::FailureOr<Weights> readWeights(Session &session, llvm::StringRef path,
                                     OpaqueValues opaque);

/// Writes all tensors as safetensors, those that share bytes each on its own.
mlir::LogicalResult writeSafetensors(const Weights &weights,
                                     llvm::StringRef path, mlir::Location loc);

/// The file that --weights names, and how its names are to be taken.
struct OtherWeights {
  std::string path;
  /// Takes the names that begin so, without it. Without a value it is found, if
  /// there is one way only.
  std::optional<std::string> prefix;
  /// What becomes of Parameters and buffers that the file lacks.
  enum class Missing { Refused, Kept } missing = Missing::Refused;
};

/// Lets `options` import the model at `path` with those weights. Reports all
/// names, types and shapes that do not fit, in one error (WrongWeights).
mlir::LogicalResult useWeights(Session &session, llvm::StringRef path,
                               const OtherWeights &other,
                               ImportOptions &options);

} // namespace graven

#endif // COMPILER_SESSION_WEIGHTSFILE_H
