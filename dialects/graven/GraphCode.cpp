//===- GraphCode.cpp - a Graph as source text ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the printer of a Graph in the form in which torch.jit
// prints the code of a module: Python's syntax, one line a Node.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graph.h"
#include "dialects/graven/ValueNames.h"
#include "llvm/ADT/StringExtras.h"

namespace graven {

namespace {

using view::Block;
using view::Graph;
using view::Node;

/// "self.layers[0].weight" of "layers.0.weight".
std::string memberPath(llvm::StringRef name) {
  std::string path = "self";
  llvm::SmallVector<llvm::StringRef> parts;
  name.split(parts, '.');
  for (llvm::StringRef part : parts) {
    bool isNumber = !part.empty() && llvm::all_of(part, llvm::isDigit);
    bool isName =
        !part.empty() && !llvm::isDigit(part.front()) &&
        llvm::all_of(part, [](char c) { return llvm::isAlnum(c) || c == '_'; });
    if (isNumber)
      path += "[" + part.str() + "]";
    else if (isName)
      path += "." + part.str();
    else
      path += "[\"" + part.str() + "\"]";
  }
  return path;
}

class CodePrinter {
public:
  explicit CodePrinter(llvm::raw_ostream &os) : os(os) {}

  void print(Graph graph) {
    os << "def " << graph.getName() << "(self";
    for (unsigned i = 0, e = graph.getNumInputs(); i < e; ++i) {
      mlir::Value input = graph.getInput(i).get();
      names.add(input, graph.getInputName(i));
      os << ",\n    " << names[input] << ": Tensor";
    }
    unsigned outputs = graph.getNumOutputs();
    os << ") -> ";
    if (outputs != 1) {
      os << "Tuple[";
      for (unsigned i = 0; i < outputs; ++i)
        os << (i > 0 ? ", Tensor" : "Tensor");
      os << "]:\n";
    } else {
      os << "Tensor:\n";
    }
    printNodes(graph.getBlock(), 1);
    indent(1) << "return ";
    printInputs(graph.getBlock().getReturn());
    os << "\n";
  }

private:
  llvm::raw_ostream &indent(unsigned depth) { return os.indent(2 * depth); }

  void printInputs(Node node) {
    for (unsigned i = 0, e = node.getNumInputs(); i < e; ++i)
      os << (i > 0 ? ", " : "") << names[node.getInput(i).get()];
  }

  void printOutputs(Node node) {
    for (unsigned i = 0, e = node.getNumOutputs(); i < e; ++i)
      os << (i > 0 ? ", " : "") << names[node.getOutput(i).get()];
  }

  /// Elements as nested in nothing: a number, or a list of a few.
  void printElements(mlir::ElementsAttr elements) {
    auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(elements);
    if (!dense || (dense.getNumElements() > 8 && !dense.isSplat())) {
      os << "...";
      return;
    }
    llvm::SmallVector<mlir::Attribute> values;
    if (dense.isSplat())
      values.push_back(dense.getSplatValue<mlir::Attribute>());
    else
      values.append(dense.value_begin<mlir::Attribute>(),
                    dense.value_end<mlir::Attribute>());
    bool isScalar = dense.isSplat();
    os << (isScalar ? "" : "[");
    llvm::interleaveComma(values, os,
                          [&](mlir::Attribute value) { printValue(value); });
    os << (isScalar ? "" : "]");
  }

  void printValue(mlir::Attribute value) {
    if (llvm::isa<mlir::UnitAttr>(value)) {
      os << "True";
    } else if (auto flag = llvm::dyn_cast<mlir::BoolAttr>(value)) {
      os << (flag.getValue() ? "True" : "False");
    } else if (auto list = llvm::dyn_cast<mlir::DenseI64ArrayAttr>(value)) {
      os << '[';
      llvm::interleaveComma(list.asArrayRef(), os);
      os << ']';
    } else if (auto list = llvm::dyn_cast<mlir::ArrayAttr>(value)) {
      os << '[';
      llvm::interleaveComma(list, os,
                            [&](mlir::Attribute item) { printValue(item); });
      os << ']';
    } else if (auto symbol = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(value)) {
      os << symbol.getValue();
    } else if (auto elements = llvm::dyn_cast<mlir::ElementsAttr>(value)) {
      printElements(elements);
    } else {
      printOther(value);
    }
  }

  /// A number is itself; of `#graven<compare_kind gt>` the last word says what
  /// it is.
  void printOther(mlir::Attribute value) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    value.print(stream, /*elideType=*/true);
    llvm::StringRef rest = text;
    if (!rest.starts_with("#")) {
      os << text;
      return;
    }
    rest = rest.take_while([](char c) { return c != '>'; });
    os << '"' << rest.substr(rest.find_last_of("< ") + 1) << '"';
  }

  void printNodes(Block block, unsigned depth) {
    for (Node node : block.getNodes())
      printNode(node, depth);
  }

  void printNode(Node node, unsigned depth) {
    if (auto read = llvm::dyn_cast<GetParamOp>(node.get())) {
      names.set(read.getResult(), memberPath(read.getParam()));
      return;
    }
    for (unsigned i = 0, e = node.getNumOutputs(); i < e; ++i)
      names.add(node.getOutput(i).get());
    if (llvm::isa<IfOp>(node.get()))
      return printIf(node, depth);
    auto blocks = node.getBlocks();
    llvm::SmallVector<std::string> bodies;
    for (Block block : blocks) {
      bodies.push_back("block" + std::to_string(functions++));
      indent(depth) << "def " << bodies.back() << '(';
      for (unsigned i = 0, e = block.getNumParams(); i < e; ++i) {
        names.add(block.getParam(i).get());
        os << (i > 0 ? ", " : "") << names[block.getParam(i).get()];
      }
      os << "):\n";
      printNodes(block, depth + 1);
      indent(depth + 1) << "return ";
      printInputs(block.getReturn());
      os << "\n";
    }
    indent(depth);
    printOutputs(node);
    os << (node.getNumOutputs() > 0 ? " = " : "") << "graven." << node.getKind()
       << '(';
    printInputs(node);
    llvm::StringRef separator = node.getNumInputs() > 0 ? ", " : "";
    for (const std::string &body : bodies) {
      os << separator << body;
      separator = ", ";
    }
    printAttributes(node, separator);
    os << ")\n";
  }

  void printAttributes(Node node, llvm::StringRef separator) {
    if (auto constant = llvm::dyn_cast<ConstantOp>(node.get())) {
      printElements(constant.getValue());
      auto shape = node.getOutput().getShape();
      if (!shape.empty()) {
        os << ", shape=[";
        llvm::interleaveComma(shape, os);
        os << ']';
      }
      return;
    }
    for (mlir::NamedAttribute attribute : node.getAttributes()) {
      // What every contraction is before one is chosen for it.
      auto algorithm = llvm::dyn_cast<AlgorithmAttr>(attribute.getValue());
      if (algorithm && algorithm.getValue() == Algorithm::Direct)
        continue;
      os << separator << attribute.getName().strref() << '=';
      printValue(attribute.getValue());
      separator = ", ";
    }
  }

  void printIf(Node node, unsigned depth) {
    indent(depth) << "if ";
    printInputs(node);
    os << ":\n";
    auto blocks = node.getBlocks();
    for (auto [i, block] : llvm::enumerate(blocks)) {
      if (i > 0)
        indent(depth) << "else:\n";
      printNodes(block, depth + 1);
      if (node.getNumOutputs() == 0) {
        indent(depth + 1) << "pass\n";
        continue;
      }
      indent(depth + 1);
      printOutputs(node);
      os << " = ";
      printInputs(block.getReturn());
      os << "\n";
    }
  }

  llvm::raw_ostream &os;
  ValueNames names{"_"};
  /// How many functions there are, for their names.
  unsigned functions = 0;
};

} // namespace

void printCode(GraphOp graph, llvm::raw_ostream &os) {
  CodePrinter(os).print(graph);
}

} // namespace graven
