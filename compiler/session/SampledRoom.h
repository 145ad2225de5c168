//===- SampledRoom.h - models whose extents data decide -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the making of code with room (passes/graph/Room.h) from a
// model file: the imports at other extents that show what follows from them,
// and which numbers of elements the model may find in its data.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_SAMPLEDROOM_H
#define COMPILER_SESSION_SAMPLEDROOM_H

#include "compiler/session/Sizes.h"

namespace graven {

/// Extents that are prime hardly occur in a model otherwise.
bool isPrime(int64_t extent);

/// Whether all results of its Nodes have static extents.
bool hasKnownExtents(GraphOp graph);

/// The extent that an import is to assume, of at most `most`.
using ExtentOfData = std::function<int64_t(int64_t most)>;

/// The model with its extents known, at these of its symbols; on failure `why`
/// says what was in the way.
using ShapedImport =
    std::function<mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>(
        llvm::ArrayRef<int64_t> extents, const ExtentOfData &ofData,
        std::string &why)>;

/// What there is to be room for.
struct RoomRequest {
  llvm::ArrayRef<RoomSymbol> symbols;
  /// The most extents of the symbols, and others to import the model at.
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<llvm::SmallVector<int64_t>> samples;
  /// The symbol of each axis of each input.
  llvm::ArrayRef<InputAxes> axes;
  ShapedImport import;
};

struct RoomyModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Room room;
};

/// Imports the model at the most of all extents and at samples of them, and
/// makes code for all of them.
///
/// Where data decide extents, samples are spread over each of them and differ
/// between any two. None and one are special: a model may do something else
/// there, or refuse. Such a number is left out of the range, and a run that
/// comes to it fails and says where, unless all that differs has no elements.
std::variant<RoomyModule, PartsProblem> makeRoomFor(const RoomRequest &request,
                                                    mlir::Location loc);

} // namespace graven

#endif // COMPILER_SESSION_SAMPLEDROOM_H
