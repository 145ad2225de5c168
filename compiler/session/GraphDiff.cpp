//===- GraphDiff.cpp - where two Graphs differ ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the comparison of Graphs: values of both get numbers,
// equal ones for what is computed in the same way from the same inputs, and
// pairs of values with different numbers are followed to where that begins.
//===----------------------------------------------------------------------===//

#include "compiler/session/GraphDiff.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/xxhash.h"
#include <map>

using namespace mlir;

namespace graven {

namespace {

/// Numbers of values: equal for equal computations, in both Graphs.
class Numbering {
public:
  /// Of the values of a Graph; inputs are told apart by their positions.
  LogicalResult run(GraphOp graph) {
    return number(graph.getBody().front(), 0);
  }

  unsigned of(Value value) const { return numbers.lookup(value); }
  const std::vector<uint64_t> &bodiesOf(Operation *op) const {
    return bodies.at(op);
  }

private:
  using Key = std::vector<uint64_t>;

  static uint64_t word(const void *pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
  }
  unsigned intern(Key key) {
    return known.try_emplace(std::move(key), known.size() + 1).first->second;
  }

  /// Blocks are nested as deep as the importers allow.
  LogicalResult number(Block &block, uint64_t depth) {
    for (BlockArgument argument : block.getArguments())
      numbers[argument] =
          intern({0, depth, argument.getArgNumber(),
                  word(argument.getType().getAsOpaquePointer())});
    for (Operation &op : block) {
      Key key{1, word(op.getName().getAsOpaquePointer())};
      if (auto get = dyn_cast<GetParamOp>(op)) {
        if (failed(addElements(get, key)))
          return failure();
      } else {
        key.push_back(word(op.getAttrDictionary().getAsOpaquePointer()));
      }
      for (Value operand : op.getOperands())
        key.push_back(numbers.lookup(operand));
      for (Region &region : op.getRegions())
        for (Block &inner : region) {
          if (failed(number(inner, depth + 1)))
            return failure();
          Key yielded{2};
          for (Value value : inner.getTerminator()->getOperands())
            yielded.push_back(numbers.lookup(value));
          bodies[&op].push_back(intern(std::move(yielded)));
        }
      key.insert(key.end(), bodies[&op].begin(), bodies[&op].end());
      for (OpResult result : op.getResults()) {
        Key own = key;
        own.push_back(result.getResultNumber());
        own.push_back(word(result.getType().getAsOpaquePointer()));
        numbers[result] = intern(std::move(own));
      }
    }
    return success();
  }

  /// What a Parameter holds instead of what it is called.
  static LogicalResult addElements(GetParamOp get, Key &key) {
    auto param =
        SymbolTable::lookupNearestSymbolFrom<ParamOp>(get, get.getParamAttr());
    auto tensor = eval::readParam(param);
    if (failed(tensor))
      return failure();
    ArrayRef<char> bytes(tensor->getBytes().data(), tensor->getBytes().size());
    llvm::XXH128_hash_t hash = llvm::xxh3_128bits(
        {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
    key.insert(key.end(), {hash.low64, hash.high64});
    return success();
  }

  std::map<Key, unsigned> known;
  llvm::DenseMap<Value, unsigned> numbers;
  std::map<Operation *, std::vector<uint64_t>> bodies;
};

std::string describe(Value value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto graph = dyn_cast<GraphOp>(argument.getOwner()->getParentOp());
    if (graph)
      os << "input '" << graph.getInputName(argument.getArgNumber()) << "'";
    else
      os << "value #" << argument.getArgNumber() << " of a body";
  } else if (auto get = value.getDefiningOp<GetParamOp>()) {
    os << "Parameter '" << get.getParam() << "'";
  } else {
    Operation *op = value.getDefiningOp();
    os << op->getName().stripDialect();
    if (auto name = dyn_cast<NameLoc>(op->getLoc()))
      os << " at '" << name.getName().getValue() << "'";
  }
  os << " " << value.getType();
  return text;
}

/// What differs between two values themselves; empty when it is their operands.
std::string ownDifference(const Numbering &numbering, Value a, Value b) {
  auto first = dyn_cast<OpResult>(a), second = dyn_cast<OpResult>(b);
  if (!first || !second)
    return a.getType() != b.getType() && !first && !second ? "the type"
                                                           : "the value";
  Operation *x = first.getOwner(), *y = second.getOwner();
  if (x->getName() != y->getName())
    return "the op";
  if (a.getType() != b.getType())
    return "the type";
  if (isa<GetParamOp>(x))
    return "the elements";
  if (x->getAttrDictionary() != y->getAttrDictionary())
    return "an attribute";
  if (first.getResultNumber() != second.getResultNumber())
    return "which result it is";
  if (x->getNumOperands() != y->getNumOperands())
    return "the number of operands";
  if (numbering.bodiesOf(x) != numbering.bodiesOf(y))
    return "a body";
  return "";
}

} // namespace

FailureOr<std::vector<GraphDifference>>
diffGraphs(ModuleOp first, ModuleOp second, size_t most) {
  auto a = first.lookupSymbol<GraphOp>("forward"),
       b = second.lookupSymbol<GraphOp>("forward");
  if (!a || !b)
    return emitCoded(a ? second.getLoc() : first.getLoc(), Code::BadGraph)
           << "the module has no graph @forward";
  Numbering numbering;
  if (failed(numbering.run(a)) || failed(numbering.run(b)))
    return failure();
  std::vector<GraphDifference> differences;
  auto count = [&](StringRef what, size_t own, size_t other) {
    if (own != other)
      differences.push_back({std::to_string(own) + " " + what.str(),
                             std::to_string(other) + " " + what.str(),
                             "the number of " + what.str()});
  };
  count("inputs", a.getNumArguments(), b.getNumArguments());
  count("outputs", a.getReturn()->getNumOperands(),
        b.getReturn()->getNumOperands());
  llvm::SetVector<std::pair<Value, Value>> pairs;
  for (auto [x, y] : llvm::zip(a.getArguments(), b.getArguments()))
    pairs.insert({x, y});
  for (auto [x, y] :
       llvm::zip(a.getReturn()->getOperands(), b.getReturn()->getOperands()))
    pairs.insert({x, y});
  llvm::DenseSet<std::pair<unsigned, unsigned>> seen;
  for (size_t i = 0; i < pairs.size() && differences.size() < most; ++i) {
    auto [x, y] = pairs[i];
    if (numbering.of(x) == numbering.of(y) ||
        !seen.insert({numbering.of(x), numbering.of(y)}).second)
      continue;
    if (std::string what = ownDifference(numbering, x, y); !what.empty()) {
      differences.push_back({describe(x), describe(y), what});
      continue;
    }
    for (auto operands : llvm::zip(x.getDefiningOp()->getOperands(),
                                   y.getDefiningOp()->getOperands()))
      pairs.insert({std::get<0>(operands), std::get<1>(operands)});
  }
  return differences;
}

} // namespace graven
