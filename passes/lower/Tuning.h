//===- Tuning.h - measured tiles of kernels ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the database of tiles that were measured to be faster than
// those of the cost model, and what it asks of kernels: a signature, the tiles
// that they have, and those that they may have.
//===----------------------------------------------------------------------===//
#ifndef PASSES_LOWER_TUNING_H
#define PASSES_LOWER_TUNING_H

#include "mlir/IR/Operation.h"
#include "passes/lower/TargetInfo.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>

namespace graven {

/// The numbers of a kernel's tiles that results do not depend on but for the
/// rounding of sums: mr of `kernel.gemm` and of the second stages of Winograd's
/// and Strassen's products; rows, columns and row block of `kernel.conv`; rows
/// and columns of `kernel.depthwise`.
using Tiles = llvm::SmallVector<int64_t, 3>;

/// The tiles of a kernel on memrefs; empty where there is nothing to tune.
Tiles tilesOf(mlir::Operation *op);
void setTiles(mlir::Operation *op, llvm::ArrayRef<int64_t> tiles);

/// Kernels of one signature take as long as each other: the operation, the
/// shapes of its inputs and output, and the attributes that are no tiles. It
/// has no space.
std::string tuningSignature(mlir::Operation *op);

/// Whether the kernel can have these tiles on `target`: its accumulators have
/// registers.
bool areLegalTiles(mlir::Operation *op, llvm::ArrayRef<int64_t> tiles,
                   const TargetInfo &target);

/// A few tiles worth measuring, all legal, those that the kernel has first.
llvm::SmallVector<Tiles> tileCandidates(mlir::Operation *op,
                                        const TargetInfo &target);

/// Tiles by CPU and signature. As text, it has a line that says what it is, a
/// line for each entry, `CPU SIGNATURE NUMBER...`, in order, and one with the
/// hash of all before it.
class TuningDatabase {
public:
  /// An error says what is wrong with the text.
  static llvm::Expected<TuningDatabase> parse(llvm::StringRef text);
  std::string print() const;

  /// Null without an entry.
  const Tiles *find(llvm::StringRef cpu, llvm::StringRef signature) const;
  void set(llvm::StringRef cpu, llvm::StringRef signature, Tiles tiles);
  /// Takes all entries of `other`, in place of those of the same signatures.
  void add(const TuningDatabase &other);
  bool hasCpu(llvm::StringRef cpu) const;
  size_t size() const { return entries.size(); }

private:
  std::map<std::pair<std::string, std::string>, Tiles> entries;
};

} // namespace graven

#endif // PASSES_LOWER_TUNING_H
