//===- Graph.cpp - the Graph, Block, Node and Value view ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the Graph view and its printer in the form of
// torch.jit.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graph.h"
#include "dialects/graven/ValueNames.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using mlir::Operation;

namespace graven {
namespace view {

Node Value::getNode() const { return value.getDefiningOp(); }

std::vector<Node> Value::getUsers() const {
  llvm::SetVector<Operation *> users;
  for (Operation *user : value.getUsers())
    users.insert(user);
  return std::vector<Node>(users.begin(), users.end());
}

void Value::replaceAllUsesWith(Value other) const {
  assert(value.getType() == other.value.getType() && "types must agree");
  mlir::Value(value).replaceAllUsesWith(other.value);
}

mlir::Attribute Node::getAttribute(llvm::StringRef name) const {
  return op->getAttr(name);
}

llvm::SmallVector<mlir::NamedAttribute> Node::getAttributes() const {
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  for (mlir::NamedAttribute attribute : op->getAttrDictionary())
    // How operands are grouped is no property of the Node's meaning.
    if (!attribute.getName().strref().ends_with("SegmentSizes"))
      attributes.push_back(attribute);
  return attributes;
}

Block Node::getBlock() const { return op->getBlock(); }

std::vector<Block> Node::getBlocks() const {
  std::vector<Block> blocks;
  for (mlir::Region &region : op->getRegions())
    for (mlir::Block &block : region)
      blocks.push_back(&block);
  return blocks;
}

void Node::erase() const {
  assert(op->use_empty() && "an output is in use");
  op->erase();
}

mlir::OpBuilder Node::after() const {
  mlir::OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  return builder;
}

Node Block::getOwner() const {
  Operation *parent = block->getParentOp();
  return llvm::isa_and_present<GraphOp>(parent) ? Node() : Node(parent);
}

std::vector<Node> Block::getNodes() const {
  std::vector<Node> nodes;
  for (Operation &op : block->without_terminator())
    nodes.push_back(&op);
  return nodes;
}

void Block::walk(llvm::function_ref<void(Node)> visit) const {
  block->walk<mlir::WalkOrder::PreOrder>([&](Operation *op) {
    if (!op->hasTrait<mlir::OpTrait::IsTerminator>())
      visit(op);
  });
}

mlir::OpBuilder Block::atEnd() const {
  return mlir::OpBuilder(block->getTerminator());
}

} // namespace view

//===----------------------------------------------------------------------===//
// The printer
//===----------------------------------------------------------------------===//

namespace {

using view::Block;
using view::Graph;
using view::Node;
using view::Value;

/// "Float" of f32, as torch names tensor types.
std::string scalarName(mlir::Type element) {
  if (element.isF32())
    return "Float";
  if (element.isF64())
    return "Double";
  if (element.isF16())
    return "Half";
  if (element.isBF16())
    return "BFloat16";
  if (element.isInteger(1))
    return "Bool";
  auto integer = llvm::dyn_cast<mlir::IntegerType>(element);
  std::string name;
  if (!integer) {
    llvm::raw_string_ostream os(name);
    element.print(os);
    return name;
  }
  switch (integer.getWidth()) {
  case 8:
    return integer.isUnsigned() ? "Byte" : "Char";
  case 16:
    return integer.isUnsigned() ? "UInt16" : "Short";
  case 32:
    return integer.isUnsigned() ? "UInt32" : "Int";
  default:
    return integer.isUnsigned() ? "UInt64" : "Long";
  }
}

class Printer {
public:
  explicit Printer(llvm::raw_ostream &os) : os(os) {}

  void print(Graph graph) {
    for (unsigned i = 0, e = graph.getNumInputs(); i < e; ++i)
      names.add(graph.getInput(i).get(), graph.getInputName(i));
    os << "graph(";
    for (unsigned i = 0, e = graph.getNumInputs(); i < e; ++i) {
      if (i > 0)
        os << ",\n      ";
      printTyped(graph.getInput(i));
    }
    os << "):\n";
    printNodes(graph.getBlock(), 1);
    indent(1) << "return (";
    printInputs(graph.getBlock().getReturn());
    os << ")\n";
  }

private:
  llvm::raw_ostream &indent(unsigned depth) { return os.indent(2 * depth); }

  void printType(Value value) {
    os << scalarName(value.getElementType()) << '(';
    llvm::interleaveComma(value.getShape(), os, [&](int64_t extent) {
      if (mlir::ShapedType::isDynamic(extent))
        os << '*';
      else
        os << extent;
    });
    os << ')';
  }

  void printTyped(Value value) {
    os << '%' << names[value.get()] << " : ";
    printType(value);
  }

  void printInputs(Node node) {
    for (unsigned i = 0, e = node.getNumInputs(); i < e; ++i)
      os << (i > 0 ? ", %" : "%") << names[node.getInput(i).get()];
  }

  void printAttribute(mlir::NamedAttribute attribute) {
    os << attribute.getName().strref();
    mlir::Attribute value = attribute.getValue();
    if (llvm::isa<mlir::UnitAttr>(value))
      return;
    os << '=';
    if (auto list = llvm::dyn_cast<mlir::DenseI64ArrayAttr>(value)) {
      os << '[';
      llvm::interleaveComma(list.asArrayRef(), os);
      os << ']';
      return;
    }
    if (auto elements = llvm::dyn_cast<mlir::ElementsAttr>(value);
        elements && elements.getNumElements() > 8 &&
        !(llvm::isa<mlir::DenseElementsAttr>(value) &&
          llvm::cast<mlir::DenseElementsAttr>(value).isSplat())) {
      os << "<...>";
      return;
    }
    if (auto symbol = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(value)) {
      os << symbol.getValue();
      return;
    }
    value.print(os, /*elideType=*/true);
  }

  void printNode(Node node, unsigned depth) {
    indent(depth);
    for (unsigned i = 0, e = node.getNumOutputs(); i < e; ++i) {
      names.add(node.getOutput(i).get());
      os << (i > 0 ? ", " : "");
      printTyped(node.getOutput(i));
    }
    os << (node.getNumOutputs() > 0 ? " = " : "")
       << "graven::" << node.getKind();
    auto attributes = node.getAttributes();
    // What every contraction is before one is chosen for it.
    llvm::erase_if(attributes, [](mlir::NamedAttribute attribute) {
      auto algorithm = llvm::dyn_cast<AlgorithmAttr>(attribute.getValue());
      return algorithm && algorithm.getValue() == Algorithm::Direct;
    });
    if (!attributes.empty()) {
      os << '[';
      llvm::interleaveComma(attributes, os,
                            [&](mlir::NamedAttribute a) { printAttribute(a); });
      os << ']';
    }
    os << '(';
    printInputs(node);
    os << ")\n";
    for (auto [i, block] : llvm::enumerate(node.getBlocks()))
      printBlock(block, i, depth + 1);
  }

  void printBlock(Block block, unsigned number, unsigned depth) {
    indent(depth) << "block" << number << '(';
    for (unsigned i = 0, e = block.getNumParams(); i < e; ++i) {
      names.add(block.getParam(i).get());
      os << (i > 0 ? ", " : "");
      printTyped(block.getParam(i));
    }
    os << "):\n";
    printNodes(block, depth + 1);
    indent(depth + 1) << "-> (";
    printInputs(block.getReturn());
    os << ")\n";
  }

  void printNodes(Block block, unsigned depth) {
    for (Node node : block.getNodes())
      printNode(node, depth);
  }

  llvm::raw_ostream &os;
  ValueNames names{""};
};

} // namespace

void printGraph(GraphOp graph, llvm::raw_ostream &os) {
  Printer(os).print(graph);
}

} // namespace graven
