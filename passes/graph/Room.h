//===- Room.h - one graph for all extents up to the most -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the making of a Graph that has room for the most extents
// of its symbols and takes the extents of a run as further inputs. What lies
// beyond them is kept out of every result.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ROOM_H
#define PASSES_GRAPH_ROOM_H

#include "passes/graph/IndependentParts.h"
#include <variant>

namespace graven {

/// A named extent of the inputs, and its range.
struct RoomSymbol {
  std::string name;
  int64_t lowest, highest;
};

/// An extent that follows from one symbol: its value for each of the symbol's,
/// from the lowest on.
struct ExtentFunction {
  unsigned symbol;
  std::vector<int64_t> values;
};

/// A part of an axis: `most` places, of which as many are used as the function
/// says, the first ones; without a function all of them.
struct RoomFactor {
  int64_t most;
  std::optional<unsigned> function;

  bool operator==(const RoomFactor &other) const {
    return most == other.most && function == other.function;
  }
};

/// An axis is the product of its factors, the first one outermost. Factors of
/// one extent are left out, and static ones beside each other are one.
using RoomAxis = llvm::SmallVector<RoomFactor, 2>;
using RoomShape = llvm::SmallVector<RoomAxis>;

/// How the inputs and outputs of the Graph lie in their room.
struct Room {
  std::vector<ExtentFunction> functions;
  /// The functions of the inputs that follow the model's own.
  llvm::SmallVector<unsigned> passed;
  /// Of the model's own. The Graph's outputs have an axis for each factor.
  llvm::SmallVector<RoomShape> inputs, outputs;
};

/// The model at some extents of the symbols.
struct RoomSample {
  llvm::SmallVector<int64_t> extents;
  GraphOp graph;
};

/// The longest range of a symbol.
inline constexpr int64_t longestRange = 1 << 16;

/// Rewrites `graph`, the model at the highest extents, so that it takes all:
/// with a scalar input for each extent that it needs to know, and outputs of
/// which the first places are used. What a Node reads beyond the extents of a
/// run is replaced where it would count. `samples` are the model at other
/// extents; they show what in the Graph depends on them. All Graphs have static
/// extents. `axes` says which axes of the inputs have a symbol's extent.
///
/// Otherwise says which Node is in the way, and the Graph is of no more use.
std::variant<Room, PartsProblem>
makeRoom(GraphOp graph, llvm::ArrayRef<RoomSymbol> symbols,
         llvm::ArrayRef<RoomSample> samples,
         llvm::ArrayRef<llvm::SmallVector<std::optional<unsigned>>> axes);

} // namespace graven

#endif // PASSES_GRAPH_ROOM_H
