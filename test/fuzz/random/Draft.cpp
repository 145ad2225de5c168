//===- Draft.cpp - a graph while it is drawn ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the drawing of Nodes and Blocks, and the end of a Graph.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Draft.h"

#include "test/fuzz/random/Rows.h"
#include <cmath>

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {
namespace {

/// Larger results make the evaluator slow and are no better tests.
constexpr int64_t mostElements = 8192;
/// Greater values leave too little of absolute tolerances.
constexpr double greatest = 1000;
/// How many rows may be refused for each Node that stays.
constexpr int64_t attemptsPerNode = 6;

} // namespace

Draft::Draft(MLIRContext *context, uint64_t seed)
    : builder(context), loc(UnknownLoc::get(context)), samples(seed),
      random(seed), module(ModuleOp::create(loc)) {
  builder.setInsertionPointToEnd(module->getBody());
  graph =
      GraphOp::create(builder, loc, "forward", builder.getFunctionType({}, {}));
  Block &block = graph.getBody().empty() ? graph.getBody().emplaceBlock()
                                         : graph.getBody().front();
  builder.setInsertionPointToEnd(&block);
  scopes.push_back({0, 0});
  chooseVocabulary();
}

int64_t Draft::number(int64_t least, int64_t most) {
  // Not std::uniform_int_distribution, which each library has in its own way.
  return least + static_cast<int64_t>(random() % (most - least + 1));
}

double Draft::real(Range range) {
  double part = static_cast<double>(random() >> 11) * 0x1p-53;
  return range.least + (range.most - range.least) * part;
}

void Draft::chooseVocabulary() {
  for (int i = 0; i < 3; ++i)
    extents.push_back(
        pick<int64_t>({1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 16, 17, 33}));
  if (chance(50))
    extents.push_back(1);
  if (chance(4))
    extents.push_back(0);
  isWild = chance(8);
  if (chance(70))
    elementTypes.push_back(builder.getF32Type());
  for (int64_t i = number(1, 4); i > 0; --i)
    elementTypes.push_back(pick<Type>(
        {builder.getF64Type(), builder.getF16Type(), builder.getBF16Type(),
         builder.getF32Type(), builder.getI64Type(), builder.getI32Type(),
         builder.getI64Type(), builder.getI32Type(), builder.getI8Type(),
         builder.getI16Type(), builder.getI1Type(),
         builder.getIntegerType(8, false), builder.getIntegerType(16, false),
         builder.getIntegerType(32, false),
         builder.getIntegerType(64, false)}));
}

Draft::Shape Draft::shape(int64_t leastRank, int64_t mostRank) {
  constexpr int64_t most = 512;
  Shape result;
  int64_t count = 1;
  for (int64_t rank = number(leastRank, mostRank); rank > 0; --rank) {
    int64_t next = extent();
    if (count * next > most)
      next = number(1, 2);
    result.push_back(next);
    count *= next;
  }
  return result;
}

static bool isOf(Type type, Types types) {
  switch (types) {
  case Types::Float:
    return isa<FloatType>(type);
  case Types::Integer:
    return type.isInteger() && !type.isInteger(1);
  case Types::Number:
    return !type.isInteger(1);
  case Types::Bits:
    return type.isInteger();
  case Types::Bool:
    return type.isInteger(1);
  case Types::Any:
    return true;
  }
  llvm_unreachable("unknown set of types");
}

Type Draft::type(Types types) {
  SmallVector<Type> found = llvm::filter_to_vector(
      elementTypes, [&](Type type) { return isOf(type, types); });
  if (!found.empty())
    return pick<Type>(found);
  if (types == Types::Integer)
    return builder.getI64Type();
  if (types == Types::Bits || types == Types::Bool)
    return builder.getI1Type();
  return builder.getF32Type();
}

Value Draft::operand(Types types, int64_t leastRank, int64_t mostRank) {
  Value found;
  if (chance(80))
    found = find([&](RankedTensorType type) {
      return isOf(type.getElementType(), types) &&
             type.getRank() >= leastRank && type.getRank() <= mostRank;
    });
  return found ? found : leaf(type(types), shape(leastRank, mostRank));
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

bool Draft::isUsual(Value value) const {
  const Tensor &tensor = samples.exact(value);
  if (tensor.size() > mostElements)
    return false;
  if (!isa<FloatType>(tensor.getElementType()))
    return true;
  return llvm::all_of(tensor.toDoubles(), [&](double x) {
    return std::isfinite(x) ? std::abs(x) <= greatest : isWild;
  });
}

bool Draft::keep(Operation *node) {
  if (failed(samples.run(node))) {
    // Operands were drawn to be valid, but not for later iterations and calls.
    if (!isa<LoopOp, CallOp>(node))
      fault(node->getName().getStringRef(), "the evaluator refuses the draw");
    node->erase();
    return false;
  }
  if (!llvm::all_of(node->getResults(), [&](Value result) {
        return isUsual(result) && samples.isSure(result);
      })) {
    node->erase();
    return false;
  }
  // Extents that running tells.
  for (Value result : node->getResults())
    result.setType(samples.exact(result).getType());
  ++kept;
  llvm::append_range(pool, node->getResults());
  return true;
}

void Draft::draw(int64_t nodes) {
  int64_t wanted = kept + nodes;
  for (int64_t i = attemptsPerNode * nodes; i > 0 && kept < wanted; --i)
    pick<Row>(getRows()).draw(*this);
}

void Draft::drawInto(Block &block, Outer outer,
                     llvm::function_ref<void()> end) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&block);
  size_t first = pool.size();
  scopes.push_back(
      {first, outer == Outer::Seen ? scopes.back().visible : first});
  llvm::append_range(pool, block.getArguments());
  draw(number(1, 4));
  end();
  scopes.pop_back();
  pool.truncate(first);
}

void Draft::finish() {
  if (pool.empty())
    leaf(type(Types::Any), shape(0, 3));
  SmallVector<Value> outputs;
  for (Value value : pool) {
    bool isLeaf = isa<BlockArgument>(value) ||
                  isa<ConstantOp, GetParamOp>(value.getDefiningOp());
    // What nobody reads is an output, or dead; what is read may be both.
    if (chance(isLeaf ? 3 : value.use_empty() ? 85 : 10))
      outputs.push_back(value);
  }
  if (outputs.empty())
    outputs.push_back(pool.back());
  if (chance(5))
    outputs.push_back(pick<Value>(outputs));
  ReturnOp::create(builder, loc, outputs);
  Block &block = graph.getBody().front();
  for (unsigned i = block.getNumArguments(); i > 0; --i)
    if (block.getArgument(i - 1).use_empty() && chance(80))
      block.eraseArgument(i - 1);
  graph.updateType();
}

SmallVector<Tensor> Draft::getInputs() {
  return llvm::map_to_vector(graph.getBody().getArguments(),
                             [&](Value value) { return samples.exact(value); });
}

SmallVector<Tensor> Draft::getOutputs() {
  return llvm::map_to_vector(graph.getReturn().getOutputs(),
                             [&](Value value) { return samples.exact(value); });
}

} // namespace graven::fuzz
