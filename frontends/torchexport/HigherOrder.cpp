//===- HigherOrder.cpp - operators over graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the higher-order operators of torch.export. A condition
// that is known picks its branch; the rest becomes graven.if and graven.loop.
// Sub-graphs see their own inputs only, so Blocks never share a storage.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Program.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {

using Inputs = llvm::ArrayRef<json::Value>;
using Result = mlir::FailureOr<Values>;

/// The arguments of a call, in their places.
class Operands {
public:
  Operands(Program &program, StringRef name, Inputs inputs)
      : program(program), name(name), inputs(inputs) {}

  size_t size() const { return inputs.size(); }
  /// The graph at a place; null, with an error, when there is none.
  const json::Object *graph(size_t place) {
    const json::Value *given = at(place);
    auto member = given ? asUnion(*given) : std::nullopt;
    const json::Object *object = member && member->tag == "as_graph"
                                     ? member->value->getAsObject()
                                     : nullptr;
    const json::Object *found = object ? object->getObject("graph") : nullptr;
    if (!found && given)
      program.error(Code::BadGraph)
          << name << ": argument " << place << " is no graph";
    return found;
  }
  std::optional<Value> value(size_t place) {
    const json::Value *given = at(place);
    return given ? program.argument(*given) : std::nullopt;
  }
  /// Appends the tensors and numbers of the places from `first` on; a list
  /// gives its items. With `last` only up to there.
  bool append(Values &values, size_t first, size_t last) {
    for (size_t place = first; place < std::min(last, inputs.size()); ++place) {
      auto given = value(place);
      if (!given)
        return false;
      if (const std::vector<Value> *items = given->items())
        values.append(items->begin(), items->end());
      else
        values.push_back(*given);
    }
    return true;
  }

private:
  const json::Value *at(size_t place) {
    const json::Object *object =
        place < inputs.size() ? inputs[place].getAsObject() : nullptr;
    const json::Value *given = object ? object->get("arg") : nullptr;
    if (!given)
      program.error(Code::BadGraph)
          << name << ": argument " << place << " is missing";
    return given;
  }

  Program &program;
  StringRef name;
  Inputs inputs;
};

/// Tensors with storages of their own, so that a sub-graph's writes and the
/// values it derives stay in it.
Values isolated(Program &program, llvm::ArrayRef<Value> values) {
  Values result;
  for (const Value &value : values)
    result.push_back(
        value.is(Kind::Tensor)
            ? Value(aten::Tensor::make(value.tensor()->read(program.builder())))
            : value);
  return result;
}

/// The tensors among values, which a Block yields; the places of the rest must
/// hold known numbers.
bool tensorsOf(Program &program, llvm::ArrayRef<Value> values, StringRef name,
               llvm::SmallVectorImpl<mlir::Value> &tensors) {
  for (const Value &value : values) {
    if (!value.is(Kind::Tensor)) {
      if (!value.is(Kind::Unknown))
        program.error(Code::UnsupportedFeature)
            << name << ": a value of type " << value.typeName()
            << " is carried, expected tensors";
      return false;
    }
    tensors.push_back(value.tensor()->read(program.builder()));
  }
  return true;
}

Values asValues(mlir::ValueRange values) {
  Values result;
  for (mlir::Value value : values)
    result.push_back(Value(aten::Tensor::make(value)));
  return result;
}

/// A condition as a tensor without dimensions.
mlir::Value conditionOf(Program &program, const Value &value, StringRef name) {
  aten::Emitter emitter(program.builder(), program.location());
  if (value.is(Kind::Bool))
    return emitter.full(program.builder().getI1Type(), {}, value);
  if (value.is(Kind::Tensor) && value.tensor()->type().getNumElements() == 1)
    return emitter.reshape(
        emitter.toBool(value.tensor()->read(program.builder())), {});
  if (!value.is(Kind::Unknown))
    program.error(Code::BadGraph) << name << ": the condition is a "
                                  << value.typeName() << ", expected one bool";
  return {};
}

//===----------------------------------------------------------------------===//
// cond
//===----------------------------------------------------------------------===//

Result cond(Program &program, Inputs inputs) {
  Operands operands(program, "cond", inputs);
  auto predicate = operands.value(0);
  const json::Object *graphs[] = {operands.graph(1), operands.graph(2)};
  Values captured;
  if (!predicate || !graphs[0] || !graphs[1] ||
      !operands.append(captured, 3, inputs.size()))
    return mlir::failure();
  if (auto known = program.known(*predicate))
    return program.run(*graphs[known->number() != 0 ? 0 : 1], captured);
  mlir::Value condition = conditionOf(program, *predicate, "cond");
  if (!condition)
    return mlir::failure();
  captured = isolated(program, captured);
  mlir::Region regions[2];
  llvm::SmallVector<mlir::Value> yielded[2];
  for (size_t i = 0; i < 2; ++i) {
    mlir::OpBuilder::InsertionGuard guard(program.builder());
    program.builder().createBlock(&regions[i]);
    auto results = program.run(*graphs[i], isolated(program, captured));
    if (mlir::failed(results) ||
        !tensorsOf(program, *results, "cond", yielded[i]))
      return mlir::failure();
    YieldOp::create(program.builder(), program.location(), yielded[i]);
  }
  mlir::TypeRange types = mlir::ValueRange(yielded[0]).getTypes();
  if (types != mlir::TypeRange(mlir::ValueRange(yielded[1]).getTypes())) {
    program.error(Code::UnsupportedFeature)
        << "cond: the branches give tensors of different types";
    return mlir::failure();
  }
  auto op =
      IfOp::create(program.builder(), program.location(), types, condition);
  op.getThenBlock().takeBody(regions[0]);
  op.getElseBlock().takeBody(regions[1]);
  return asValues(op.getResults());
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// What one iteration gives: the next condition, the carried values and one
/// slice for each stacked result.
struct Iteration {
  mlir::Value condition;
  llvm::SmallVector<mlir::Value> carried, slices;
};

/// Builds a graven.loop. `body` gets the iteration and the carried values, and
/// emits into the loop's Block.
Result makeLoop(
    Program &program, StringRef name, mlir::Value trip, mlir::Value condition,
    llvm::ArrayRef<mlir::Value> init,
    llvm::function_ref<std::optional<Iteration>(mlir::Value, mlir::ValueRange)>
        body) {
  mlir::OpBuilder &builder = program.builder();
  mlir::Location loc = program.location();
  llvm::SmallVector<mlir::Type> types(mlir::ValueRange(init).getTypes());
  llvm::SmallVector<mlir::Type> arguments{
      mlir::RankedTensorType::get({}, builder.getI64Type())};
  llvm::append_range(arguments, types);
  mlir::Region region;
  llvm::SmallVector<mlir::Type> stacked;
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block *block = builder.createBlock(
        &region, region.end(), arguments,
        llvm::SmallVector<mlir::Location>(arguments.size(), loc));
    auto iteration =
        body(block->getArgument(0), block->getArguments().drop_front());
    if (!iteration)
      return mlir::failure();
    if (mlir::TypeRange(mlir::ValueRange(iteration->carried).getTypes()) !=
        mlir::TypeRange(types)) {
      program.error(Code::UnsupportedFeature)
          << name << ": carried tensors change their type";
      return mlir::failure();
    }
    llvm::SmallVector<mlir::Value> yielded{iteration->condition};
    llvm::append_range(yielded, iteration->carried);
    llvm::append_range(yielded, iteration->slices);
    auto count = trip.getDefiningOp<ConstantOp>();
    for (mlir::Value slice : iteration->slices) {
      auto type = mlir::cast<mlir::RankedTensorType>(slice.getType());
      llvm::SmallVector<int64_t> shape{
          mlir::cast<mlir::DenseElementsAttr>(count.getValue())
              .getSplatValue<llvm::APInt>()
              .getSExtValue()};
      llvm::append_range(shape, type.getShape());
      stacked.push_back(
          mlir::RankedTensorType::get(shape, type.getElementType()));
    }
    YieldOp::create(builder, loc, yielded);
  }
  auto op = LoopOp::create(builder, loc, types, stacked, trip, condition, init);
  op.getBody().takeBody(region);
  return asValues(op->getResults());
}

Result whileLoop(Program &program, Inputs inputs) {
  Operands operands(program, "while_loop", inputs);
  const json::Object *test = operands.graph(0), *step = operands.graph(1);
  Values carried, extra;
  if (!test || !step || !operands.append(carried, 2, 3) ||
      !operands.append(extra, 3, inputs.size()))
    return mlir::failure();
  extra = isolated(program, extra);
  llvm::SmallVector<mlir::Value> init;
  if (!tensorsOf(program, carried, "while_loop", init))
    return mlir::failure();
  auto run = [&](const json::Object &graph, mlir::ValueRange values) {
    Values arguments = asValues(values);
    llvm::append_range(arguments, isolated(program, extra));
    return program.run(graph, arguments);
  };
  auto decide = [&](mlir::ValueRange values) -> mlir::Value {
    auto results = run(*test, values);
    if (mlir::failed(results) || results->size() != 1)
      return {};
    return conditionOf(program, results->front(), "while_loop");
  };
  mlir::Value first = decide(init);
  if (!first)
    return mlir::failure();
  return makeLoop(
      program, "while_loop", {}, first, init,
      [&](mlir::Value, mlir::ValueRange values) -> std::optional<Iteration> {
        auto results = run(*step, values);
        Iteration iteration;
        if (mlir::failed(results) ||
            !tensorsOf(program, *results, "while_loop", iteration.carried))
          return std::nullopt;
        iteration.condition = decide(iteration.carried);
        return iteration.condition ? std::optional(iteration) : std::nullopt;
      });
}

/// A loop over the leading axis of `sequences`: `step` takes the carried
/// values, a slice of each sequence and `extra`, and gives the carried values
/// and slices of the results.
Result overSlices(Program &program, StringRef name, const json::Object &step,
                  llvm::ArrayRef<Value> carried,
                  llvm::ArrayRef<Value> sequences,
                  llvm::ArrayRef<Value> extra) {
  llvm::SmallVector<mlir::Value> init, whole;
  if (!tensorsOf(program, carried, name, init) ||
      !tensorsOf(program, sequences, name, whole))
    return mlir::failure();
  int64_t length = -1;
  for (mlir::Value sequence : whole) {
    auto type = mlir::cast<mlir::RankedTensorType>(sequence.getType());
    if (type.getRank() == 0 || (length >= 0 && type.getDimSize(0) != length)) {
      program.error(Code::BadGraph)
          << name << ": the leading extents of the sequences differ";
      return mlir::failure();
    }
    length = type.getDimSize(0);
  }
  if (length < 0) {
    program.error(Code::BadGraph) << name << ": there is no sequence";
    return mlir::failure();
  }
  aten::Emitter emitter(program.builder(), program.location());
  Values captured = isolated(program, extra);
  mlir::Value trip = emitter.scalar(program.builder().getI64Type(), length);
  return makeLoop(program, name, trip, {}, init,
                  [&](mlir::Value index,
                      mlir::ValueRange values) -> std::optional<Iteration> {
                    Values arguments = asValues(values);
                    for (mlir::Value sequence : whole) {
                      mlir::Value slice = emitter.make<GatherOp>(
                          sequence, index, int64_t(0), /*nonneg=*/true);
                      if (!slice)
                        return std::nullopt;
                      arguments.push_back(Value(aten::Tensor::make(slice)));
                    }
                    llvm::append_range(arguments, isolated(program, captured));
                    auto results = program.run(step, arguments);
                    if (mlir::failed(results))
                      return std::nullopt;
                    if (results->size() < values.size()) {
                      program.error(Code::BadGraph)
                          << name << ": the body gives " << results->size()
                          << " values, expected at least " << values.size();
                      return std::nullopt;
                    }
                    Iteration iteration;
                    llvm::ArrayRef<Value> all(*results);
                    if (!tensorsOf(program, all.take_front(values.size()), name,
                                   iteration.carried) ||
                        !tensorsOf(program, all.drop_front(values.size()), name,
                                   iteration.slices))
                      return std::nullopt;
                    iteration.condition = emitter.scalar(
                        program.builder().getI1Type(), int64_t(1));
                    return iteration;
                  });
}

Result scan(Program &program, Inputs inputs) {
  Operands operands(program, "scan", inputs);
  const json::Object *step = operands.graph(0);
  Values carried, sequences, extra;
  if (!step || !operands.append(carried, 1, 2) ||
      !operands.append(sequences, 2, 3) ||
      !operands.append(extra, 3, inputs.size()))
    return mlir::failure();
  return overSlices(program, "scan", *step, carried, sequences, extra);
}

Result map(Program &program, Inputs inputs) {
  Operands operands(program, "map", inputs);
  const json::Object *step = operands.graph(0);
  Values sequences, extra;
  if (!step || !operands.append(sequences, 1, 2) ||
      !operands.append(extra, 2, inputs.size()))
    return mlir::failure();
  return overSlices(program, "map", *step, {}, sequences, extra);
}

//===----------------------------------------------------------------------===//
// Graphs that are walked in place
//===----------------------------------------------------------------------===//

/// The graph at `place`, with what comes behind as its inputs.
Result inlined(Program &program, Operands &operands, size_t place) {
  const json::Object *graph = operands.graph(place);
  Values arguments;
  if (!graph || !operands.append(arguments, place + 1, operands.size()))
    return mlir::failure();
  return program.run(*graph, arguments);
}

Result withGrad(Program &program, Inputs inputs) {
  Operands operands(program, "wrap_with_set_grad_enabled", inputs);
  return inlined(program, operands, 1);
}

/// (device, dtype, enabled, cache, graph, ...): only one for the CPU changes
/// what a program on a CPU computes.
Result withAutocast(Program &program, Inputs inputs) {
  Operands operands(program, "wrap_with_autocast", inputs);
  auto device = operands.value(0), dtype = operands.value(1),
       enabled = operands.value(2);
  if (!device || !dtype || !enabled)
    return mlir::failure();
  if (!device->is(Kind::String) || device->string() != "cpu" ||
      !enabled->is(Kind::Bool))
    return inlined(program, operands, 4);
  std::optional<aten::ScalarType> lower;
  if (enabled->boolean()) {
    // PyTorch's default for the CPU.
    lower = dtype->is(Kind::Int) ? aten::scalarTypeFromNumber(dtype->integer())
                                 : aten::ScalarType::BFloat16;
    if (lower != aten::ScalarType::BFloat16 &&
        lower != aten::ScalarType::Half) {
      program.error(Code::UnsupportedFeature)
          << "wrap_with_autocast: expected bf16 or f16";
      return mlir::failure();
    }
  }
  llvm::SaveAndRestore precision(program.autocast(), lower);
  return inlined(program, operands, 4);
}

/// (graph, identifier, operands...).
Result invokeSubgraph(Program &program, Inputs inputs) {
  Operands operands(program, "invoke_subgraph", inputs);
  const json::Object *graph = operands.graph(0);
  Values arguments;
  if (!graph || !operands.append(arguments, 2, inputs.size()))
    return mlir::failure();
  return program.run(*graph, arguments);
}

} // namespace

HigherOrder torchexport::findHigherOrder(StringRef target) {
  if (!target.consume_front("torch.ops.higher_order."))
    return nullptr;
  return llvm::StringSwitch<HigherOrder>(target)
      .Case("cond", cond)
      .Case("while_loop", whileLoop)
      .Case("scan", scan)
      .Cases({"map", "map_impl"}, map)
      .Case("wrap_with_set_grad_enabled", withGrad)
      .Case("wrap_with_autocast", withAutocast)
      .Case("invoke_subgraph", invokeSubgraph)
      .Default(nullptr);
}
