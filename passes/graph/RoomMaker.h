//===- RoomMaker.h - what the rules of Nodes with room share ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the walk over a Graph that gives it room (Room.h): how the
// axes of each Value are used, and the Nodes that keep what is unused out.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ROOMMAKER_H
#define PASSES_GRAPH_ROOMMAKER_H

#include "passes/graph/GraphUtils.h"
#include "passes/graph/Room.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace graven {

class RoomMaker {
public:
  RoomMaker(GraphOp graph, llvm::ArrayRef<RoomSymbol> symbols,
            llvm::ArrayRef<RoomSample> samples,
            llvm::ArrayRef<PrefixRange> ranges);
  ~RoomMaker();

  std::variant<Room, PartsProblem> run(llvm::ArrayRef<InputAxes> axes);

private:
  /// Of a Node, the Nodes that stand for it in the samples.
  using Others = llvm::ArrayRef<mlir::Operation *>;
  /// The results of a Node; nothing when there is a problem.
  using Shapes = std::optional<llvm::SmallVector<RoomShape>>;
  using Axis = std::optional<RoomAxis>;

  // RoomMaker.cpp: the walk, and what the samples say.
  std::nullopt_t fail(mlir::Operation *node, const llvm::Twine &reason);
  bool takeInputs(llvm::ArrayRef<InputAxes> axes);
  unsigned functionOf(const SymbolicExtent &extent);
  bool takeNodes();
  bool takeOutputs();
  bool visit(mlir::Operation *node, Others others);
  bool connect(mlir::Operation *node, Others others);
  llvm::SmallVector<mlir::Value> candidates(llvm::ArrayRef<mlir::Value> others);
  // RoomBlocks.cpp.
  bool
  isSameInBlocks(mlir::Value value, mlir::Value other, size_t k,
                 const llvm::DenseMap<mlir::Value, mlir::Value> &inner) const;
  bool isSamePick(mlir::Operation &own, mlir::Operation &theirs,
                  size_t k) const;
  bool hasSameBlocks(mlir::Operation *node, mlir::Operation *other, size_t k);
  void fillPicks(mlir::Operation *node);
  Shapes looped(LoopOp node, Others others);
  // RoomConstants.cpp.
  bool connectConstant(mlir::OpOperand &operand,
                       llvm::ArrayRef<mlir::Value> others);
  /// With `joined`, the elements are places of that axis.
  mlir::Value knownConstant(ConstantOp constant,
                            llvm::ArrayRef<mlir::Value> others,
                            const RoomAxis &joined);
  int64_t placeAtMost(int64_t place, const RoomAxis &axis, size_t sample) const;
  mlir::Value computedConstant(ConstantOp constant,
                               llvm::ArrayRef<mlir::Value> others);
  bool sameAttributes(mlir::Operation *node, Others others);
  bool agree(mlir::Operation *node, mlir::Value value,
             llvm::ArrayRef<mlir::Value> others);

  // RoomAlign.cpp: Nodes that are not everywhere.
  struct Lists;
  void align(Lists &lists);
  static bool isPassing(mlir::Operation *node);
  mlir::Value wholeOf(Others others);
  bool isIdentityAtMost(Others others);
  mlir::Operation *putBack(Others others, mlir::Operation *before);

  // RoomExtents.cpp: functions of symbols, and Nodes that know them.
  unsigned addFunction(unsigned symbol, std::vector<int64_t> values);
  std::vector<int64_t> valuesOf(unsigned function) const;
  /// Of the function at sample `i`, or, past the last one, at the most.
  int64_t at(unsigned function, size_t i) const;
  int64_t lowest(const RoomAxis &axis) const;
  /// The same for a symbol.
  int64_t symbolAt(unsigned symbol, size_t i) const;
  int64_t lowestOf(unsigned symbol) const;
  int64_t highestOf(unsigned symbol) const;
  std::string nameOf(unsigned symbol) const;
  bool isOfData(unsigned function) const {
    return room.functions[function].symbol >= symbols.size();
  }
  /// The axis with this extent at the most and at each sample.
  Axis axisOf(llvm::ArrayRef<int64_t> extents) const;
  /// Extents of an axis at each sample and then at the most.
  llvm::SmallVector<int64_t> extentsAt(mlir::Value value,
                                       llvm::ArrayRef<mlir::Value> others,
                                       int64_t axis) const;
  /// The axis of which each extent is `f` of that of a simple axis.
  Axis mapped(mlir::Operation *node, const RoomAxis &axis,
              llvm::function_ref<int64_t(int64_t)> f);
  /// The first places of a simple axis, at most that many.
  Axis limited(mlir::Operation *node, const RoomAxis &axis, int64_t most);
  bool hasTable(unsigned symbol) const;
  static RoomAxis fixed(int64_t extent);
  static bool varies(const RoomAxis &axis);
  static bool isSimple(const RoomAxis &axis) { return axis.size() <= 1; }
  static RoomAxis joined(llvm::ArrayRef<RoomFactor> factors);
  /// The axis as one factor, where what is used of it comes first.
  RoomAxis simplified(mlir::Operation *node, const RoomAxis &axis);
  /// Whether two axes are used alike.
  bool same(const RoomAxis &left, const RoomAxis &right);
  bool same(const RoomShape &left, const RoomShape &right);
  bool varies(mlir::Value value) const;
  /// The scalar that is the function's value in a run.
  mlir::Value extent(unsigned function);
  /// The number of used places of an axis.
  mlir::Value count(mlir::Location loc, const RoomAxis &axis);
  /// A scalar i64 with these values at each sample and then at the most.
  mlir::Value scalarOf(mlir::Location loc, llvm::ArrayRef<int64_t> values);
  mlir::Value number(mlir::Location loc, int64_t value, int64_t rank = 0);
  /// 0, 1, ... along an axis of a tensor of this rank.
  mlir::Value places(mlir::Location loc, int64_t extent, int64_t axis,
                     int64_t rank);
  /// Whether a place along these axes is used, broadcastable to `value`; null
  /// where all are.
  mlir::Value inUse(mlir::Location loc, mlir::Value value,
                    llvm::ArrayRef<int64_t> axes);
  /// `value` with `fill` where it is not used along these axes.
  mlir::Value filled(mlir::Operation *node, mlir::Value value,
                     llvm::ArrayRef<int64_t> axes, mlir::Attribute fill);
  mlir::Value filled(mlir::Operation *node, mlir::Value value,
                     llvm::ArrayRef<int64_t> axes, double fill);
  void fillOperand(mlir::Operation *node, unsigned operand,
                   llvm::ArrayRef<int64_t> axes, double fill);
  /// The least or greatest number of a type.
  static mlir::Attribute extreme(mlir::Type element, bool greatest);
  /// Elements `indices` (a vector of i64) along an axis.
  mlir::Value picked(mlir::Location loc, mlir::Value value, int64_t axis,
                     mlir::Value indices);
  mlir::Value clampedPlaces(mlir::Location loc, mlir::Value places,
                            mlir::Value count);

  // RoomCounts.cpp: extents that data decide.
  /// The function that is a new symbol itself.
  unsigned addData(mlir::Value value, llvm::ArrayRef<int64_t> at,
                   int64_t lowest, mlir::Location loc,
                   DataSymbol::Kind kind = DataSymbol::Prefix,
                   std::vector<unsigned> functions = {}, int64_t rest = 0);
  unsigned combined(mlir::Location loc, DataSymbol::Kind kind,
                    std::vector<unsigned> functions, int64_t rest,
                    int64_t least);
  /// The sum of extents.
  RoomAxis sumOf(mlir::Location loc, llvm::ArrayRef<RoomAxis> parts);
  RoomAxis productOf(mlir::Operation *node, llvm::ArrayRef<RoomFactor> factors);
  mlir::Value computedExtent(unsigned function);
  void numberCounts();
  void giveCounts();

  // The rules: RoomNodes.cpp, RoomMovement.cpp, RoomIndexed.cpp,
  // RoomWindows.cpp, RoomDetection.cpp, RoomCounts.cpp.
  Shapes transfer(mlir::Operation *node, Others others);
  Shapes aligned(mlir::Operation *node, mlir::ValueRange operands,
                 mlir::Value result);
  Shapes elementwise(mlir::Operation *node);
  Shapes multiplied(MatmulOp node);
  Shapes attended(AttentionOp node);
  Shapes softened(mlir::Operation *node, int64_t axis);
  Shapes reduced(ReduceOp node);
  Shapes extremes(ArgReduceOp node);
  Shapes accumulated(CumReduceOp node);
  Shapes best(TopKOp node, Others others);
  Shapes normalised(mlir::Operation *node, int64_t axis);
  Shapes grouped(GroupNormOp node);
  Shapes reshaped(ReshapeOp node, Others others);
  Shapes transposed(TransposeOp node);
  Shapes broadcasted(BroadcastOp node, Others others);
  Shapes counted(IotaOp node, Others others);
  Shapes sliced(SliceOp node, Others others);
  Shapes concatenated(ConcatOp node);
  Shapes padded(PadOp node, Others others);
  Shapes reversed(ReverseOp node);
  Shapes gathered(GatherOp node);
  Shapes gatheredElements(GatherElementsOp node);
  Shapes convolved(ConvOp node);
  Shapes transposedConv(ConvTransposeOp node);
  Shapes pooled(MaxPoolOp node);
  Shapes averaged(AvgPoolOp node, Others others);
  Shapes resized(ResizeOp node, Others others);
  std::optional<int64_t> factorOf(ResizeOp node, Others others, size_t i);
  mlir::Value resampled(ResizeOp node, mlir::Value value, size_t i,
                        const RoomAxis &from, const RoomAxis &to);
  Shapes recurrent(mlir::Operation *node);
  bool fillIndices(mlir::Operation *node, unsigned operand);
  bool fillTuples(mlir::Operation *node, RoomShape data, int64_t first);
  Shapes gatheredTuples(GatherNdOp node);
  Shapes scattered(ScatterNdOp node);
  Shapes inserted(InsertSliceOp node);
  Shapes prefixed(PrefixOp node, Others others);
  Shapes suppressed(NmsOp node);
  template <class Op> Shapes pooledRegions(Op node);
  Shapes found(NonzeroOp node);
  Axis slicedTo(SliceOp node, const RoomAxis &axis,
                llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<int64_t> sizes,
                int64_t first, int64_t step);
  /// What changes nothing that it is combined with.
  static mlir::Attribute neutral(ReduceKind kind, mlir::Type element);
  /// The windows of convolutions and pools, by which a shape [N, C, ..] is
  /// changed from axis 2 on.
  struct Windows {
    llvm::ArrayRef<int64_t> kernel, strides, dilations, pads;
    Rounding rounding = Rounding::Floor;
    /// Whether windows may reach beyond the padding.
    bool reachesOut = false;
  };
  /// The axes whose windows see what lies behind a symbol's end; nothing, after
  /// fail(), when an axis has no such extent.
  std::optional<llvm::SmallVector<int64_t>>
  slide(mlir::Operation *node, RoomShape &shape, const Windows &windows);
  const RoomShape &of(mlir::Value value) { return shapes[value]; }

  GraphOp graph;
  llvm::ArrayRef<RoomSymbol> symbols;
  llvm::ArrayRef<RoomSample> samples;
  llvm::ArrayRef<PrefixRange> ranges;
  mlir::OpBuilder b;
  Room room;
  std::optional<PartsProblem> problem;
  llvm::DenseMap<mlir::Value, RoomShape> shapes;
  /// Axes along which what is not used is zero.
  llvm::DenseSet<std::pair<mlir::Value, int64_t>> zeroBeyond;
  /// What Values of each sample are in the Graph: more than one where slices
  /// of the others take all of it.
  using Values = llvm::SmallVector<mlir::Value, 1>;
  std::vector<llvm::DenseMap<mlir::Value, Values>> maps;
  /// The other way round.
  std::vector<llvm::DenseMap<mlir::Value, mlir::Value>> backs;
  /// What was put into the samples.
  llvm::SmallVector<mlir::Operation *> added;
  /// The symbols that data decide, as room.data has them.
  struct DataValue {
    mlir::Value value;
    llvm::SmallVector<int64_t> at;
    int64_t lowest;
    mlir::Location loc;
    unsigned function;
  };
  std::vector<DataValue> data;
  /// Those of prefixes by the number of their count and the most places.
  llvm::DenseMap<mlir::Operation *, unsigned> countNumbers;
  std::map<std::pair<unsigned, int64_t>, unsigned> prefixes;
  /// What functions and a number make, by how.
  std::map<std::tuple<DataSymbol::Kind, std::vector<unsigned>, int64_t>,
           unsigned>
      combinations;
  /// Constants by what they are in the Graph and in each sample.
  std::map<std::vector<const void *>, mlir::Value> constants;
  llvm::DenseMap<unsigned, mlir::Value> arguments;
  llvm::StringMap<mlir::Value> params;
  /// The Node that a rule put in the place of the one it was asked about.
  mlir::Operation *replacement = nullptr;
};

} // namespace graven

#endif // PASSES_GRAPH_ROOMMAKER_H
