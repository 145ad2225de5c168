//===- Sizing.h - choosing the sizes of a model ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the steps from a model and its `--dim`s to the sizes that
// get code (Sizes.h): which symbols there are, along which one runs are put
// together, which there is room for, and the rest one by one.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_SIZING_H
#define COMPILER_SESSION_SIZING_H

#include "compiler/session/SampledRoom.h"
#include "compiler/session/Sizes.h"
#include "dialects/graven/Graven.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace graven {

/// Code for up to this many of the least extents makes up the rest.
inline constexpr int64_t mostSmallParts = 4;

class Sizing {
public:
  Sizing(mlir::MLIRContext *context, const ImportFunction &import,
         ImportOptions options, llvm::ArrayRef<DimSpec> dims)
      : context(context), loc(mlir::UnknownLoc::get(context)), import(import),
        options(std::move(options)), dims(dims) {}

  mlir::FailureOr<SizedModel> run();

private:
  using Module = mlir::OwningOpRef<mlir::ModuleOp>;

  const DimSpec *specOf(llvm::StringRef symbol) const {
    return findDim(dims, symbol);
  }
  DimSpec::Range rangeOf(llvm::StringRef symbol) const;
  mlir::FailureOr<Module> importAt(llvm::ArrayRef<int64_t> extents,
                                   const ExtentOfData &ofData = {});
  mlir::LogicalResult findSymbols();
  mlir::LogicalResult checkNames();
  mlir::LogicalResult readInputs(mlir::ModuleOp module);
  std::vector<Decision> decisionsAt(llvm::ArrayRef<int64_t> extents);
  llvm::SmallVector<int64_t> criticalExtents(unsigned symbol,
                                             llvm::ArrayRef<int64_t> extents,
                                             int64_t lowest, int64_t highest);
  void chooseSplit();
  bool tryToSplit(unsigned symbol);
  using Pipeline = void (*)(mlir::OpPassManager &);
  mlir::FailureOr<Module> importShaped(llvm::ArrayRef<int64_t> extents,
                                       Pipeline pipeline, std::string &why,
                                       const ExtentOfData &ofData = {});
  llvm::SmallVector<std::optional<PartsAxis>> inputParts(GraphOp graph,
                                                         unsigned symbol);
  mlir::FailureOr<llvm::SmallVector<int64_t>> extentsOf(unsigned symbol);
  void chooseRooms();
  bool makeRooms(llvm::ArrayRef<llvm::SmallVector<int64_t>> combinations,
                 std::optional<PartsProblem> &problem);
  std::variant<RoomyModule, PartsProblem>
  roomAt(llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<RoomSymbol> symbols);
  void addCriticalSamples(RoomRequest &request);
  bool addDataSize(llvm::ArrayRef<int64_t> extents,
                   std::vector<SizedModel::Size> &sizes);
  mlir::FailureOr<llvm::SmallVector<llvm::SmallVector<int64_t>>> combinations(
      llvm::function_ref<mlir::FailureOr<llvm::SmallVector<int64_t>>(unsigned)>
          extentsOf);
  mlir::LogicalResult importAll();
  void dropFixedSymbols();

  mlir::MLIRContext *context;
  mlir::Location loc;
  const ImportFunction &import;
  ImportOptions options;
  llvm::ArrayRef<DimSpec> dims;
  /// What the file says of its symbols.
  llvm::StringMap<DimSpec::Range> fileRanges;
  SizedModel model;
  llvm::SmallVector<int64_t> first;
  Module probe;
  /// Whether data decide extents of the model.
  bool isCounted = false;
  /// Why each symbol cannot be split, or there cannot be room for it.
  llvm::SmallVector<std::optional<PartsProblem>> problems;
  /// The symbols that sizes have room for.
  llvm::SetVector<unsigned> roomy;
};

} // namespace graven

#endif // COMPILER_SESSION_SIZING_H
