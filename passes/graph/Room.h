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

/// An extent of an input: `scale` times a symbol, plus `offset`.
struct SymbolicExtent {
  SymbolicExtent(unsigned symbol, int64_t scale = 1, int64_t offset = 0)
      : symbol(symbol), scale(scale), offset(offset) {}
  unsigned symbol;
  int64_t scale, offset;
};

/// What each axis of an input follows from, nothing for a static extent.
using InputAxes = llvm::SmallVector<std::optional<SymbolicExtent>>;

/// An extent that follows from one symbol: its value for each of the symbol's,
/// from the lowest on. Symbols past those of the inputs are extents that data
/// decide; their functions without values are the symbols themselves.
struct ExtentFunction {
  unsigned symbol;
  std::vector<int64_t> values;
};

/// A symbol that data decide: what a prefix has, told by its extents at each
/// sample and then at the most; or a sum or product of functions and a number,
/// or the least of them.
struct DataSymbol {
  enum Kind { Prefix, Sum, Product, Least } kind = Prefix;
  llvm::SmallVector<int64_t> extents;
  std::vector<unsigned> functions = {};
  int64_t rest = 0;
  int64_t lowest = 0;
};

/// An extent that data decide, as a run learns it.
struct RoomCount {
  unsigned function;
  /// What a run may have. The code gives right results for these only.
  int64_t lowest, most;
  /// Where the model takes the extent from its data.
  mlir::Location loc;
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
  /// What the Graph gives in one more output, a vector of i64; without any
  /// there is no such output.
  llvm::SmallVector<RoomCount> counts;
  /// The number of symbols of the inputs, and the symbols that follow.
  unsigned numSymbols = 0;
  std::vector<DataSymbol> data;
  /// The least of each symbol of the inputs.
  llvm::SmallVector<int64_t> lowest;
  /// Of the model's own. The Graph's outputs have an axis for each factor.
  llvm::SmallVector<RoomShape> inputs, outputs;
};

/// The model at some extents of the symbols.
struct RoomSample {
  llvm::SmallVector<int64_t> extents;
  GraphOp graph;
};

/// The longest range of a symbol of the inputs.
inline constexpr int64_t longestRange = 1 << 16;

/// The least that a `graven.prefix` may have in a run: 0, unless a model does
/// something else there than the samples show. It is told from others by its
/// extents, at each sample and then at the most.
struct PrefixRange {
  llvm::SmallVector<int64_t> extents;
  int64_t lowest;
};

/// The extents of a tensor at these of the symbols of the inputs, where
/// `prefixAt` says what a prefix with these extents at the samples has.
llvm::SmallVector<int64_t>
shapeAt(const Room &room, const RoomShape &shape,
        llvm::ArrayRef<int64_t> extents,
        llvm::function_ref<int64_t(llvm::ArrayRef<int64_t>)> prefixAt);

/// Rewrites `graph`, the model at the highest extents, so that it takes all:
/// with a scalar input for each extent that it needs to know, and outputs of
/// which the first places are used. What a Node reads beyond the extents of a
/// run is replaced where it would count. `samples` are the model at other
/// extents; they show what in the Graph depends on them. All Graphs have static
/// extents. `axes` says which axes of the inputs follow from a symbol.
///
/// Each `graven.prefix` is a symbol as well, whose value is the Node's count.
/// `graph` has the most places for it, and each sample another extent. The
/// prefix goes; `ranges` say what its extent may be.
///
/// Otherwise says which Node is in the way, and the Graph is of no more use.
std::variant<Room, PartsProblem>
makeRoom(GraphOp graph, llvm::ArrayRef<RoomSymbol> symbols,
         llvm::ArrayRef<RoomSample> samples, llvm::ArrayRef<InputAxes> axes,
         llvm::ArrayRef<PrefixRange> ranges = {});

} // namespace graven

#endif // PASSES_GRAPH_ROOM_H
