//===- Graph.h - the Graph, Block, Node and Value view --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the view of the IR in the words of the design: thin,
// pointer-sized handles that own nothing and may be null. Frontends, the
// tracing API and Python use it; passes may use MLIR directly.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAPH_H
#define DIALECTS_GRAVEN_GRAPH_H

#include "dialects/graven/Graven.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace graven::view {

class Block;
class Node;

/// A typed edge between Nodes: a result of one, or an argument of a Block.
class Value {
public:
  Value(mlir::Value value = {}) : value(value) {}
  explicit operator bool() const { return static_cast<bool>(value); }
  bool operator==(const Value &other) const = default;

  mlir::Value get() const { return value; }
  mlir::RankedTensorType getType() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  llvm::ArrayRef<int64_t> getShape() const { return getType().getShape(); }
  mlir::Type getElementType() const { return getType().getElementType(); }
  /// The Node that gives it; null for an argument of a Block.
  Node getNode() const;
  bool isUsed() const { return !value.use_empty(); }
  /// The Nodes that read it, each once, terminators included.
  std::vector<Node> getUsers() const;
  /// Lets `other`, of the same type, take its place everywhere.
  void replaceAllUsesWith(Value other) const;

private:
  mlir::Value value;
};

/// One operation.
class Node {
public:
  Node(mlir::Operation *op = nullptr) : op(op) {}
  explicit operator bool() const { return op != nullptr; }
  bool operator==(const Node &other) const = default;

  mlir::Operation *get() const { return op; }
  /// "conv" of `graven.conv`.
  llvm::StringRef getKind() const { return op->getName().stripDialect(); }
  mlir::Location getLocation() const { return op->getLoc(); }
  unsigned getNumInputs() const { return op->getNumOperands(); }
  unsigned getNumOutputs() const { return op->getNumResults(); }
  Value getInput(unsigned i) const { return op->getOperand(i); }
  Value getOutput(unsigned i = 0) const { return op->getResult(i); }
  void setInput(unsigned i, Value value) const {
    op->setOperand(i, value.get());
  }
  /// The attribute of this name; null if there is none.
  mlir::Attribute getAttribute(llvm::StringRef name) const;
  llvm::SmallVector<mlir::NamedAttribute> getAttributes() const;
  /// Whether it ends its Block (`return`, `yield`).
  bool isTerminator() const {
    return op->hasTrait<mlir::OpTrait::IsTerminator>();
  }

  Block getBlock() const;
  /// The Blocks of `if`, `loop` and `fusion`; empty for others.
  std::vector<Block> getBlocks() const;
  /// The neighbours in the Block; null past the ends.
  Node getNext() const { return op->getNextNode(); }
  Node getPrevious() const { return op->getPrevNode(); }

  void moveBefore(Node other) const { op->moveBefore(other.get()); }
  void moveAfter(Node other) const { op->moveAfter(other.get()); }
  /// Removes it from its Block; no output may be in use.
  void erase() const;

  /// Builders that insert before and after it.
  mlir::OpBuilder before() const { return mlir::OpBuilder(op); }
  mlir::OpBuilder after() const;

private:
  mlir::Operation *op;
};

/// An ordered list of Nodes; a Node comes after those it reads.
class Block {
public:
  Block(mlir::Block *block = nullptr) : block(block) {}
  explicit operator bool() const { return block != nullptr; }
  bool operator==(const Block &other) const = default;

  mlir::Block *get() const { return block; }
  unsigned getNumParams() const { return block->getNumArguments(); }
  Value getParam(unsigned i) const { return block->getArgument(i); }
  /// The Node that ends it.
  Node getReturn() const { return block->getTerminator(); }
  /// The Node that holds it; null for the Block of a Graph.
  Node getOwner() const;

  /// The Nodes in topological order, without the terminator: those that are
  /// there now, whatever is inserted or erased meanwhile.
  std::vector<Node> getNodes() const;
  /// Calls `visit` for every Node, those of sub-Blocks after the Node that
  /// holds them.
  void walk(llvm::function_ref<void(Node)> visit) const;
  /// A builder that inserts at its end, before the terminator.
  mlir::OpBuilder atEnd() const;

private:
  mlir::Block *block;
};

/// A `graven.graph`.
class Graph {
public:
  Graph(GraphOp op = {}) : op(op) {}
  explicit operator bool() const { return static_cast<bool>(op); }

  GraphOp get() const { return op; }
  llvm::StringRef getName() const {
    return const_cast<GraphOp &>(op).getSymName();
  }
  Block getBlock() const {
    return &const_cast<GraphOp &>(op).getBody().front();
  }
  unsigned getNumInputs() const { return getBlock().getNumParams(); }
  unsigned getNumOutputs() const {
    return getBlock().getReturn().getNumInputs();
  }
  Value getInput(unsigned i) const { return getBlock().getParam(i); }
  Value getOutput(unsigned i) const {
    return getBlock().getReturn().getInput(i);
  }
  std::string getInputName(unsigned i) const {
    return const_cast<GraphOp &>(op).getInputName(i);
  }
  std::string getOutputName(unsigned i) const {
    return const_cast<GraphOp &>(op).getOutputName(i);
  }

private:
  GraphOp op;
};

} // namespace graven::view

namespace graven {

/// Prints the Graph as torch.jit prints one:
///   graph(%x : Float(1, 3, 224, 224)):
///     %0 : Float(1, 64, 112, 112) = graven::conv[pads=[3, 3, 3, 3]](%x, %w)
///     return (%0)
/// Values are named after the inputs, then numbered; elements of large
/// constants are elided.
void printGraph(GraphOp graph, llvm::raw_ostream &os);

/// Prints the Graph as torch.jit prints the code of a module:
///   def forward(self,
///       x: Tensor) -> Tensor:
///     _0 = graven.conv(x, self.conv1.weight, pads=[3, 3, 3, 3])
///     return _0
/// Blocks other than those of `if` are functions that their Node is given.
void printCode(GraphOp graph, llvm::raw_ostream &os);

} // namespace graven

#endif // DIALECTS_GRAVEN_GRAPH_H
