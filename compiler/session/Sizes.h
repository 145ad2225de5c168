//===- Sizes.h - one model at several sizes -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what an artifact has code for when extents of its inputs
// are dynamic: the symbols, their ranges as `--dim` gives them, and the model
// imported once for each size.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_SIZES_H
#define COMPILER_SESSION_SIZES_H

#include "compiler/targets/cpu/ModelSignature.h"
#include "dialects/graven/Graven.h"
#include "frontends/ImportOptions.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/graph/Room.h"
#include <functional>

namespace graven {

/// The entry of an imported module, or null.
inline GraphOp graphOf(mlir::ModuleOp module) {
  return module.lookupSymbol<GraphOp>("forward");
}

/// The same, but without one an error (BadGraph) at the module.
mlir::FailureOr<GraphOp> requireGraph(mlir::ModuleOp module);

/// What `--dim NAME=1,8,1..64` says of a symbol.
struct DimSpec {
  std::string name;
  /// Extents with code of their own.
  llvm::SmallVector<int64_t> sizes;
  /// All extents that are taken; without a range, only `sizes` are.
  struct Range {
    int64_t lowest = 1, highest = cpu::SymbolSpec::unbounded;
  };
  std::optional<Range> range;
};

/// What is said of a symbol; null for nothing.
const DimSpec *findDim(llvm::ArrayRef<DimSpec> dims, llvm::StringRef symbol);

/// Reads NAME=SIZE,...,LOWEST..HIGHEST; `LOWEST..` has no limit.
llvm::Expected<DimSpec> parseDimSpec(llvm::StringRef text);

/// What the text of an input's extent says: "s", or "[INTEGER*]s[+INTEGER]" as
/// exports write it. A name that is a symbol's is that. Nothing for others.
std::optional<SymbolicExtent>
parseExtent(llvm::StringRef text, llvm::ArrayRef<cpu::SymbolSpec> symbols);

/// A model and the sizes of its inputs that are to have code. A model of static
/// extents has no symbols and one size.
struct SizedModel {
  struct Size {
    /// Of each symbol; with room, the highest.
    llvm::SmallVector<int64_t> extents;
    mlir::ModuleOp module;
    /// Where the module takes all extents from `lowest` on. Its functions are
    /// of symbols as `symbols` has them.
    std::optional<Room> room = std::nullopt;
    llvm::SmallVector<int64_t> lowest = {};
  };
  llvm::SmallVector<cpu::SymbolSpec> symbols;
  std::vector<Size> sizes;
  /// The symbol along which the model works on independent parts, and how far
  /// axis 0 of each input and output goes for each unit of it.
  std::optional<unsigned> split;
  llvm::SmallVector<int64_t> splitUnits;
  /// Of each extent of each input its symbol, or what follows from one
  /// ("2*s", "s+1"); empty for none.
  llvm::SmallVector<llvm::SmallVector<std::string>> inputSymbols;
  /// Keeps the modules.
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> owned;

  /// The model as it is, at its own extents.
  static SizedModel just(mlir::ModuleOp module);
};

using ImportFunction =
    std::function<mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>(
        const ImportOptions &)>;

/// Up to this many extents a range is taken one by one.
inline constexpr int64_t shortRange = 4;

/// The most sizes of one artifact.
inline constexpr size_t mostSizes = 64;

/// Imports a model at all sizes that `dims` ask for: each size that is named,
/// and for a range, along a symbol whose parts are independent, those that all
/// others are put together from; for other symbols one size with room for all
/// of the range, or, where that cannot be or the range is short, each of its
/// extents. Symbols that `dims` do not name have the range that the file
/// states, else 1 and more.
mlir::FailureOr<SizedModel> importSizes(mlir::MLIRContext *context,
                                        const ImportFunction &import,
                                        ImportOptions options,
                                        llvm::ArrayRef<DimSpec> dims);

} // namespace graven

#endif // COMPILER_SESSION_SIZES_H
