//===- Draft.h - a graph while it is drawn --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the module that the rows of the table of ops add Nodes to:
// the Values that there are, the chance that decides, and the rule that a Node
// stays only where all its results are sure (Sampler.h) and of use.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_TEST_FUZZ_RANDOM_DRAFT_H
#define GRAVEN_TEST_FUZZ_RANDOM_DRAFT_H

#include "mlir/IR/OwningOpRef.h"
#include "test/fuzz/random/Sampler.h"

namespace graven::fuzz {

/// The element types that a row takes (op-set.md, section 2).
enum class Types { Float, Integer, Number, Bits, Bool, Any };

/// What elements of a new leaf are between.
struct Range {
  double least, most;
};
inline constexpr Range usual = {-2, 2};

class Draft {
public:
  using Shape = llvm::SmallVector<int64_t>;

  Draft(mlir::MLIRContext *context, uint64_t seed);

  //===--- chance ---------------------------------------------------------===//
  int64_t number(int64_t least, int64_t most);
  double real(Range range);
  bool chance(int percent) { return number(1, 100) <= percent; }
  template <class T> T pick(llvm::ArrayRef<T> choices) {
    return choices[number(0, choices.size() - 1)];
  }
  template <class T> T pick(std::initializer_list<T> choices) {
    return pick(llvm::ArrayRef<T>(choices.begin(), choices.size()));
  }
  /// One of the few extents of this graph, so that Values meet their equals.
  int64_t extent() { return pick<int64_t>(extents); }
  /// Of so few elements that the evaluator is quick.
  Shape shape(int64_t leastRank, int64_t mostRank);
  /// One of the few element types of this graph that are among `types`.
  mlir::Type type(Types types);

  //===--- Values ---------------------------------------------------------===//
  /// A Value that there is, or null.
  mlir::Value find(llvm::function_ref<bool(mlir::RankedTensorType)> fits);
  /// One of such an element type and rank, a leaf where there is none.
  mlir::Value operand(Types types, int64_t leastRank = 0, int64_t mostRank = 4);
  mlir::Value operandOf(mlir::Type elementType, int64_t leastRank,
                        int64_t mostRank);
  /// One of exactly this type.
  mlir::Value like(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                   Range range = usual);
  /// One that broadcasts with all of this shape, of its rank or of rank 0.
  mlir::Value partner(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                      Range range = usual);
  /// An input, a Parameter or a constant.
  mlir::Value leaf(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                   Range range = usual);
  mlir::Value constant(const eval::Tensor &tensor);
  mlir::Value constant(mlir::Type elementType, double value);
  /// Indices in [-extent, extent), or in [0, extent) where `isNonneg` says so
  /// in the end.
  mlir::Value indices(llvm::ArrayRef<int64_t> shape, int64_t extent,
                      bool &isNonneg);
  /// The Value, clamped where it has elements outside of the range; now and
  /// then as it is. Null where the clamp was refused.
  mlir::Value within(mlir::Value value, Range range);

  static mlir::RankedTensorType typeOf(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType());
  }
  static Shape shapeOf(mlir::Value value) {
    return Shape(typeOf(value).getShape());
  }
  static mlir::Type elementOf(mlir::Value value) {
    return typeOf(value).getElementType();
  }

  //===--- Nodes ----------------------------------------------------------===//
  /// Adds a Node whose result types are inferred; null where it may not stay.
  template <class Op, class... Args> Op add(Args &&...args) {
    auto op = tryCreate<Op>(builder, loc, std::forward<Args>(args)...);
    if (succeeded(op))
      return keep(*op) ? *op : Op();
    fault(Op::getOperationName(), "type inference refuses the draw");
    return Op();
  }
  /// The result of such a Node, or null.
  template <class Op, class... Args> mlir::Value make(Args &&...args) {
    Op op = add<Op>(std::forward<Args>(args)...);
    return op ? op->getResult(0) : mlir::Value();
  }
  /// Judges a Node that was built; it is erased where it may not stay.
  bool keep(mlir::Operation *node);
  /// Draws a few Nodes into a Block, beside which only outer Values, or none,
  /// are seen, and calls `end` to add the terminator.
  enum class Outer { Seen, Hidden };
  void drawInto(mlir::Block &block, Outer outer,
                llvm::function_ref<void()> end);
  /// Makes a Value be seen by later draws.
  void offer(mlir::Value value) { pool.push_back(value); }

  /// Draws Nodes until so many have stayed, or chance is against it.
  void draw(int64_t nodes);
  /// Chooses the outputs and ends the Graph.
  void finish();

  unsigned getDepth() const { return scopes.size(); }
  mlir::ModuleOp getModule() { return *module; }
  GraphOp getGraph() { return graph; }
  std::string newName(llvm::StringRef stem) {
    return (stem + llvm::Twine(++names)).str();
  }
  /// How many Nodes have stayed.
  int64_t getKept() const { return kept; }

  /// Draws that the dialect or the evaluator refused, which rows do not make.
  llvm::ArrayRef<std::string> getFaults() const { return faults; }
  llvm::SmallVector<eval::Tensor> getInputs();
  llvm::SmallVector<eval::Tensor> getOutputs();

  mlir::OpBuilder builder;
  mlir::Location loc;
  Sampler samples;

private:
  /// Values from `first` on belong to the Block that is drawn; those from
  /// `visible` on are seen.
  struct Scope {
    size_t first, visible;
  };

  void chooseVocabulary();
  eval::Tensor fill(mlir::RankedTensorType type, Range range);
  bool isUsual(mlir::Value value) const;
  void fault(llvm::StringRef op, llvm::StringRef why) {
    faults.push_back((op + ": " + why).str());
  }
  llvm::ArrayRef<mlir::Value> visible() const {
    return llvm::ArrayRef(pool).drop_front(scopes.back().visible);
  }

  std::mt19937_64 random;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  GraphOp graph;
  llvm::SmallVector<mlir::Value> pool;
  llvm::SmallVector<Scope> scopes;
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<mlir::Type> elementTypes;
  /// Whether NaN and infinities may come up.
  bool isWild = false;
  unsigned names = 0;
  int64_t kept = 0;
  std::vector<std::string> faults;
};

} // namespace graven::fuzz

#endif // GRAVEN_TEST_FUZZ_RANDOM_DRAFT_H
