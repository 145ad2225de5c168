//===- RowsStructure.cpp - constants, calls, branches, loops ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that hold values or Blocks.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {
namespace {

/// Blocks in Blocks in Blocks are enough.
constexpr unsigned deepest = 3;

/// One to three Values that there are.
SmallVector<Value> drawValues(Draft &d) {
  SmallVector<Value> values;
  for (int64_t i = d.number(1, 3); i > 0; --i)
    values.push_back(d.operand(Types::Any, 0, 3));
  return values;
}

void drawConstant(Draft &d) { d.leaf(d.type(Types::Any), d.shape(0, 3)); }

/// A Graph of its own for the call; now and then it is called twice.
void drawCall(Draft &d) {
  if (d.getDepth() >= deepest)
    return;
  SmallVector<Value> operands = drawValues(d);
  std::string name = d.newName("f");
  OpBuilder outside = OpBuilder::atBlockBegin(d.getModule().getBody());
  auto callee = GraphOp::create(
      outside, d.loc, name,
      d.builder.getFunctionType(ValueRange(operands).getTypes(), {}));
  Block &block = callee.getBody().front();
  for (auto [argument, operand] :
       llvm::zip_equal(block.getArguments(), operands))
    d.samples.copy(operand, argument);
  d.drawInto(block, Draft::Outer::Hidden,
             [&] { ReturnOp::create(d.builder, d.loc, drawValues(d)); });
  callee.updateType();
  for (int64_t calls = d.chance(30) ? 2 : 1; calls > 0; --calls) {
    auto call = CallOp::create(d.builder, d.loc, callee.getResultTypes(), name,
                               operands, ArrayAttr(), ArrayAttr());
    d.keep(call);
    // Other operands of these types.
    for (Value &operand : operands)
      operand = d.like(Draft::elementOf(operand), Draft::shapeOf(operand));
  }
  if (SymbolTable::symbolKnownUseEmpty(callee, d.getModule()))
    callee.erase();
}

void drawIf(Draft &d) {
  if (d.getDepth() >= deepest)
    return;
  Value condition = d.like(d.builder.getI1Type(), {});
  // The types of the results are known when the Blocks are; until then these
  // lie in a Node without, because what is drawn looks up symbols.
  auto holder = IfOp::create(d.builder, d.loc, TypeRange(), condition);
  SmallVector<Value> yielded;
  d.drawInto(holder.getThenBlock().emplaceBlock(), Draft::Outer::Seen, [&] {
    yielded = drawValues(d);
    YieldOp::create(d.builder, d.loc, yielded);
  });
  SmallVector<Type> types(ValueRange(yielded).getTypes());
  d.drawInto(holder.getElseBlock().emplaceBlock(), Draft::Outer::Seen, [&] {
    SmallVector<Value> others;
    for (Value value : yielded)
      others.push_back(d.like(Draft::elementOf(value), Draft::shapeOf(value)));
    YieldOp::create(d.builder, d.loc, others);
  });
  auto branch = IfOp::create(d.builder, d.loc, types, condition);
  branch.getThenBlock().takeBody(holder.getThenBlock());
  branch.getElseBlock().takeBody(holder.getElseBlock());
  holder.erase();
  d.keep(branch);
}

/// Whether a loop goes on after an iteration: always, while a number is not
/// reached, or as data say.
Value drawGoesOn(Draft &d, Value iteration) {
  if (d.chance(50))
    return d.constant(d.builder.getI1Type(), 1);
  if (d.chance(30))
    return d.like(d.builder.getI1Type(), {});
  Value limit = d.constant(d.builder.getI64Type(), d.number(0, 3));
  return d.make<CompareOp>(iteration, limit, ComparePredicate::Lt);
}

/// Counted by a constant or by data, conditional, or both; results are what is
/// carried and stacks of slices.
void drawLoop(Draft &d) {
  if (d.getDepth() >= deepest)
    return;
  Type i64 = d.builder.getI64Type();
  Value trip, condition;
  if (d.chance(80))
    trip = d.chance(60) ? d.constant(i64, d.number(d.chance(10) ? 0 : 1, 4))
                        : d.like(i64, {}, {0, 4});
  if (!trip || d.chance(30))
    condition = d.like(d.builder.getI1Type(), {});
  SmallVector<Value> initial = drawValues(d);
  auto holder = LoopOp::create(d.builder, d.loc, TypeRange(), TypeRange(), trip,
                               condition, ValueRange());
  Block &block = holder.getBody().emplaceBlock();
  Value iteration = block.addArgument(RankedTensorType::get({}, i64), d.loc);
  d.samples.set(iteration, Tensor(RankedTensorType::get({}, i64)));
  for (Value value : initial)
    d.samples.copy(value, block.addArgument(value.getType(), d.loc));
  SmallVector<Value> slices;
  d.drawInto(block, Draft::Outer::Seen, [&] {
    SmallVector<Value> yielded;
    for (Value value : initial)
      yielded.push_back(d.like(Draft::elementOf(value), Draft::shapeOf(value)));
    if (d.chance(50))
      slices = drawValues(d);
    llvm::append_range(yielded, slices);
    Value goesOn = drawGoesOn(d, iteration);
    yielded.insert(yielded.begin(),
                   goesOn ? goesOn : d.constant(d.builder.getI1Type(), 0));
    YieldOp::create(d.builder, d.loc, yielded);
  });
  // How often it runs is known when it has; until then the stacks have no
  // extent.
  SmallVector<Type> final(ValueRange(initial).getTypes()), stacked;
  for (Value slice : slices) {
    Draft::Shape shape = Draft::shapeOf(slice);
    shape.insert(shape.begin(), ShapedType::kDynamic);
    stacked.push_back(RankedTensorType::get(shape, Draft::elementOf(slice)));
  }
  auto loop = LoopOp::create(d.builder, d.loc, final, stacked, trip, condition,
                             initial);
  loop.getBody().takeBody(holder.getBody());
  holder.erase();
  d.keep(loop);
}

} // namespace

llvm::ArrayRef<Row> getStructureRows() {
  static const Row rows[] = {
      row<ConstantOp>(drawConstant), row<GetParamOp>(drawConstant),
      row<CallOp>(drawCall),         row<IfOp>(drawIf),
      row<LoopOp>(drawLoop),
  };
  return rows;
}

} // namespace graven::fuzz
