//===- Loops.cpp - loops on data ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements loops whose number of iterations is only known when the
// model runs. The body is walked into the Block of a graven.loop, first with
// everything it finds taken for invariant; what turns out to change is carried,
// and the body walked again, until what is carried is all that changes.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "llvm/ADT/ScopeExit.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using Contents = aten::Tensor::Contents;

/// Tuples within tuples that are carried.
static constexpr unsigned kMaxDepth = 64;
/// Walks of one body: each finds at least one more thing that changes.
static constexpr unsigned kMaxWalks = 256;

namespace {

bool isNumeric(const Value &value) {
  return value.isNumber() || value.is(Kind::Bool) ||
         (value.is(Kind::Tensor) && value.tensor()->isNumber());
}

std::string describe(const Value &value) {
  if (!value.is(Kind::Tensor))
    return value.typeName().str();
  std::string text;
  llvm::raw_string_ostream(text) << value.tensor()->type();
  return text;
}

/// What of a value is carried from one iteration to the next.
struct Pattern {
  enum class Kind : uint8_t { Fixed, Number, Tensor, Tuple, List };
  Kind kind = Kind::Fixed;
  /// The type of a number or tensor.
  mlir::RankedTensorType type = {};
  /// Nothing that anybody reads before the first iteration: begins with zeros.
  bool isUninitialized = false;
  std::vector<Pattern> items = {};
  std::vector<std::string> fields = {};

  bool isLeaf() const { return kind == Kind::Number || kind == Kind::Tensor; }
};

/// The tensors of the carried leaves, in order; null for those that are none.
using Leaves = std::vector<aten::Tensor::Ptr>;

/// Grows patterns by what an iteration left.
class Refiner {
public:
  explicit Refiner(mlir::OpBuilder &builder) : builder(builder) {}

  std::string problem; ///< why the last refinement was not possible
  bool changed = false;

  bool refine(Pattern &pattern, const Value &init, const Value &end,
              unsigned depth = 0) {
    if (extensionIn<Uninitialized>(end) || end.is(Value::Kind::Unknown))
      return true;
    switch (pattern.kind) {
    case Pattern::Kind::Fixed:
      return init.isSame(end) || init.is(Value::Kind::Unknown) ||
             begin(pattern, init, end, depth);
    case Pattern::Kind::Number:
    case Pattern::Kind::Tensor: {
      bool wantsNumber = pattern.kind == Pattern::Kind::Number;
      auto type = typeOf(end, wantsNumber);
      if (type == pattern.type)
        return true;
      return refuse(pattern.type, end);
    }
    case Pattern::Kind::Tuple:
    case Pattern::Kind::List:
      if (!end.items() || end.items()->size() != pattern.items.size())
        return refuse(init, end);
      for (auto [i, item] : llvm::enumerate(pattern.items))
        if (!refine(item, init.items() ? (*init.items())[i] : init,
                    (*end.items())[i], depth + 1))
          return false;
      return true;
    }
    return false;
  }

  /// Carries the known numbers of a value, whatever the body does to them.
  void carryNumbers(Pattern &pattern, const Value &init) {
    if (pattern.kind != Pattern::Kind::Fixed ||
        !(init.isNumber() || init.is(Value::Kind::Bool)))
      return;
    pattern.kind = Pattern::Kind::Number;
    pattern.type = typeOf(init, true);
    changed = true;
  }

private:
  bool refuse(const llvm::Twine &what) {
    problem = what.str();
    return false;
  }
  bool refuse(const Value &init, const Value &end) {
    return refuse("is " + describe(init) + " before an iteration and " +
                  describe(end) + " behind it");
  }
  bool refuse(mlir::Type type, const Value &end) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return refuse("is " + text + " before an iteration and " + describe(end) +
                  " behind it");
  }

  /// The type in which a tensor or number is carried; null for others.
  mlir::RankedTensorType typeOf(const Value &value, bool asNumber) {
    if (value.is(Value::Kind::Tensor))
      return value.tensor()->type();
    if (!asNumber || !isNumeric(value))
      return {};
    mlir::Type element = value.is(Value::Kind::Bool)  ? builder.getI1Type()
                         : value.is(Value::Kind::Int) ? builder.getI64Type()
                                                      : mlir::Type();
    if (!element)
      element = builder.getF64Type();
    return mlir::RankedTensorType::get({}, element);
  }

  /// Something invariant turned out to change.
  bool begin(Pattern &pattern, const Value &init, const Value &end,
             unsigned depth) {
    bool isFresh = extensionIn<Uninitialized>(init);
    changed = true;
    if (isNumeric(end) && (isFresh || isNumeric(init))) {
      pattern.kind = Pattern::Kind::Number;
      pattern.type = typeOf(isFresh ? end : init, true);
      pattern.isUninitialized = isFresh;
      return pattern.type == typeOf(end, true) || refuse(init, end);
    }
    if (end.is(Value::Kind::Tensor) &&
        (isFresh || init.is(Value::Kind::Tensor))) {
      pattern.kind = Pattern::Kind::Tensor;
      pattern.type = isFresh ? end.tensor()->type() : init.tensor()->type();
      pattern.isUninitialized = isFresh;
      return pattern.type == end.tensor()->type() || refuse(init, end);
    }
    bool isNested = end.items() && depth < kMaxDepth &&
                    (isFresh || (init.kind() == end.kind() &&
                                 init.items()->size() == end.items()->size()));
    if (!isNested)
      return refuse(init, end);
    pattern.kind =
        end.is(Value::Kind::Tuple) ? Pattern::Kind::Tuple : Pattern::Kind::List;
    if (end.is(Value::Kind::Tuple))
      pattern.fields = end.tuple().fields;
    pattern.items.resize(end.items()->size());
    for (auto [i, item] : llvm::enumerate(pattern.items))
      if (!refine(item, isFresh ? init : (*init.items())[i], (*end.items())[i],
                  depth + 1))
        return false;
    return true;
  }

  mlir::OpBuilder &builder;
};

/// The value of a pattern, its leaves from `next`.
Value instantiate(const Pattern &pattern, const Value &init,
                  llvm::function_ref<Value(const Pattern &)> next) {
  if (pattern.kind == Pattern::Kind::Fixed)
    return init;
  if (pattern.isLeaf())
    return next(pattern);
  std::vector<Value> items;
  for (auto [i, item] : llvm::enumerate(pattern.items))
    items.push_back(
        instantiate(item, init.items() ? (*init.items())[i] : init, next));
  if (pattern.kind == Pattern::Kind::List)
    return Value::makeList(std::move(items));
  Value tuple = Value::makeTuple(std::move(items));
  tuple.tuple().fields = pattern.fields;
  return tuple;
}

/// Visits the leaves of a pattern with what `value` has there.
void forEachLeaf(
    const Pattern &pattern, const Value &value,
    llvm::function_ref<void(const Pattern &, const Value &)> visit) {
  if (pattern.isLeaf())
    return visit(pattern, value);
  for (auto [i, item] : llvm::enumerate(pattern.items))
    forEachLeaf(item, value.items() ? (*value.items())[i] : value, visit);
}

/// A place that the body changes, and what of it is carried.
struct Place {
  StringRef variable; ///< empty for an item of `holder`
  Holder holder = {};
  size_t index = 0;
  Value init;
  Pattern pattern = {};

  std::string describe() const {
    if (!variable.empty())
      return "'" + variable.str() + "'";
    return extensionIn<Object>(holder.value)
               ? holder.describe()
               : "item " + std::to_string(index) + " of " + holder.describe();
  }
};

} // namespace

/// The walks of one loop.
class Interpreter::LoopWalk {
public:
  /// `range` is a RunTimeRange or, for a `while`, None.
  LoopWalk(Interpreter &in, const Statement &statement, const Value &range,
           mlir::Value condition)
      : in(in), statement(statement), range(extensionIn<RunTimeRange>(range)),
        condition(condition), before(in.frame->variables),
        known(reachable(before)), place(in.current), reported(in.reported),
        warnedOfTraining(in.session.warnedOfTraining) {
    if (in.outside)
      known.insert(in.outside->begin(), in.outside->end());
    for (const auto &entry :
         in.liveness.passedOn(*in.frame->function, statement)) {
      auto it = before.find(entry.getKey());
      bool isTarget = llvm::is_contained(statement.targets, entry.getKey());
      if (it != before.end() && !isTarget)
        places.push_back({it->first(), {}, 0, it->second, {}});
    }
    // The order of a hash table is no order.
    llvm::sort(places, [](const Place &a, const Place &b) {
      return a.variable < b.variable;
    });
  }

  Flow run();

private:
  /// One walk of the body.
  struct Iteration {
    std::unique_ptr<mlir::Region> region = std::make_unique<mlir::Region>();
    mlir::Block *block = nullptr;
    Flow flow = Flow::Failed;
    bool raises = false;
    Journal journal;
    /// What was there behind the body: at the places, in holders that the body
    /// changed, in storages from outside.
    std::vector<Value> ends;
    std::vector<std::vector<Value>> held;
    std::vector<Contents> written;
    /// The tensors of the carried leaves in the body, and behind it.
    Leaves arguments, endTensors;
    llvm::SmallVector<mlir::Value> yielded;
    std::vector<mlir::Diagnostic> diagnostics;
  };

  void walk(Iteration &iteration);
  void begin(Iteration &iteration);
  void end(Iteration &iteration, mlir::Value again);
  std::optional<bool> refine(Iteration &iteration);
  bool carryNumbers();
  Flow finish(Iteration &iteration);
  bool checkAliases(const Iteration &iteration);
  Leaves bindResults(Iteration &iteration, mlir::ValueRange results);
  void emit(Iteration &iteration);
  Flow refuse(const llvm::Twine &what) {
    in.current = place;
    in.error(Code::DataDependent)
        << what << ", in a loop that runs as often as data says";
    return Flow::Failed;
  }

  Interpreter &in;
  const Statement &statement;
  const RunTimeRange *range;
  mlir::Value condition;
  llvm::StringMap<Value> before;
  llvm::DenseSet<const void *> known;
  mlir::Location place;
  Reported reported; ///< before the loop
  bool warnedOfTraining;
  std::vector<Place> places;
  std::vector<Contents> storages; ///< that are carried, as before the loop
  std::string problem;
};

/// Binds variables, containers and storages to the Block's arguments.
void Interpreter::LoopWalk::begin(Iteration &iteration) {
  mlir::OpBuilder &builder = in.builder();
  llvm::SmallVector<mlir::Type> types{
      mlir::RankedTensorType::get({}, builder.getI64Type())};
  for (const Place &p : places)
    forEachLeaf(p.pattern, p.init, [&](const Pattern &leaf, const Value &) {
      types.push_back(leaf.type);
    });
  for (const Contents &contents : storages)
    types.push_back(contents.value.getType());
  mlir::Block *block = iteration.block = builder.createBlock(
      iteration.region.get(), {}, types,
      llvm::SmallVector<mlir::Location>(types.size(), place));
  if (range) {
    auto index = aten::Tensor::make(block->getArgument(0));
    index->setNumber();
    Value number(index);
    bool isPlain = range->start.is(Value::Kind::Int) &&
                   range->step.is(Value::Kind::Int) &&
                   range->start.integer() == 0 && range->step.integer() == 1;
    if (!isPlain) {
      CallArguments call;
      call.positional = {number, range->start, range->step};
      Result derived = in.callOperator("aten::__derive_index", call);
      number = mlir::failed(derived) ? Value::unknown() : *derived;
    }
    in.frame->variables[statement.targets[0]] = number;
  }
  unsigned next = 1;
  for (Place &p : places) {
    Value value = instantiate(p.pattern, p.init, [&](const Pattern &leaf) {
      auto tensor = aten::Tensor::make(block->getArgument(next++));
      if (leaf.kind == Pattern::Kind::Number)
        tensor->setNumber();
      iteration.arguments.push_back(tensor);
      return Value(tensor);
    });
    if (!p.variable.empty()) {
      in.frame->variables[p.variable] = value;
    } else {
      std::vector<Value> items = p.holder.get();
      items[p.index] = value;
      p.holder.set(std::move(items));
    }
  }
  // In the first iteration they are the tensors from before the loop.
  size_t leafIndex = 0;
  for (const Place &p : places)
    forEachLeaf(p.pattern, p.init, [&](const Pattern &leaf, const Value &init) {
      aten::Tensor::Ptr argument = iteration.arguments[leafIndex++];
      if (leaf.kind == Pattern::Kind::Tensor && init.is(Value::Kind::Tensor))
        argument->mayAlias(*init.tensor());
    });
  for (const Contents &contents : storages)
    Contents{contents.storage, block->getArgument(next++)}.restore();
}

/// Takes down what the body left, and puts everything back as it was before the
/// loop.
void Interpreter::LoopWalk::end(Iteration &iteration, mlir::Value again) {
  aten::Emitter emitter(in.builder(), place);
  if (iteration.flow == Flow::Next) {
    iteration.yielded.push_back(
        range ? emitter.scalar(in.builder().getI1Type(), int64_t(1)) : again);
    size_t next = 0;
    for (const Place &p : places) {
      Value end;
      if (!p.variable.empty()) {
        end = in.frame->variables.lookup(p.variable);
      } else {
        std::vector<Value> items = p.holder.get();
        end = p.index < items.size() ? items[p.index] : Value();
      }
      iteration.ends.push_back(end);
      forEachLeaf(p.pattern, end, [&](const Pattern &leaf, const Value &value) {
        aten::Tensor::Ptr argument = iteration.arguments[next++];
        bool isTensor = value.is(Value::Kind::Tensor);
        iteration.endTensors.push_back(isTensor ? value.tensor() : argument);
        iteration.yielded.push_back(isTensor ? in.read(value)
                                    : isNumeric(value)
                                        ? emitter.number(value)
                                        : argument->read(in.builder()));
      });
    }
    for (const Contents &contents : storages)
      iteration.yielded.push_back(contents.now().value);
  }
  for (const auto &[holder, items] : iteration.journal.holders)
    iteration.held.push_back(holder.get());
  for (const Contents &contents : iteration.journal.outside(iteration.block))
    iteration.written.push_back(contents.now());
  iteration.journal.undo(iteration.block);
  for (const Place &p : places)
    if (p.variable.empty()) {
      std::vector<Value> items = p.holder.get();
      items[p.index] = p.init;
      p.holder.set(std::move(items));
    }
  for (const Contents &contents : storages)
    contents.restore();
  in.frame->variables = before;
  in.frame->returned = Value();
}

/// Walks the body once. What is reported is kept back.
void Interpreter::LoopWalk::walk(Iteration &iteration) {
  mlir::OpBuilder::InsertionGuard guard(in.builder());
  in.reported = reported;
  in.session.warnedOfTraining = warnedOfTraining;
  auto *outerWrites =
      std::exchange(in.session.writes, &iteration.journal.storages);
  auto *outerJournal = std::exchange(in.journal, &iteration.journal);
  auto *outerKnown = std::exchange(in.outside, &known);
  mlir::ScopedDiagnosticHandler collect(
      place.getContext(), [&](mlir::Diagnostic &diagnostic) {
        iteration.diagnostics.push_back(std::move(diagnostic));
        return mlir::success();
      });
  begin(iteration);
  iteration.flow = in.runBody(statement.body);
  mlir::Value again;
  if (iteration.flow == Flow::Next && !range) {
    Result value = in.evaluate(statement.values[0]);
    aten::Emitter emitter(in.builder(), place);
    if (mlir::failed(value)) {
      iteration.flow = Flow::Failed;
    } else if (value->is(Value::Kind::Tensor)) {
      again = emitter.reshape(emitter.toBool(in.read(*value)), {});
    } else if (!value->is(Value::Kind::Unknown)) {
      auto truth = in.truth(*value);
      if (mlir::succeeded(truth))
        again = emitter.number(Value(*truth));
      else
        iteration.flow = Flow::Failed;
    }
  }
  end(iteration, again);
  iteration.raises =
      std::exchange(in.raised, false) && iteration.flow == Flow::Failed;
  if (in.reported.failed && !reported.failed)
    iteration.flow = Flow::Failed;
  in.session.writes = outerWrites;
  in.journal = outerJournal;
  in.outside = outerKnown;
  in.current = place;
}

/// Lets out what a walk reported.
void Interpreter::LoopWalk::emit(Iteration &iteration) {
  for (mlir::Diagnostic &diagnostic : iteration.diagnostics)
    place.getContext()->getDiagEngine().emit(std::move(diagnostic));
}

/// Carries what the walk found to change: whether that is more than before, or
/// nothing when it cannot be carried.
std::optional<bool> Interpreter::LoopWalk::refine(Iteration &iteration) {
  Refiner refiner(in.builder());
  auto refineAt = [&](Place &p, const Value &end) {
    if (refiner.refine(p.pattern, p.init, end))
      return true;
    problem = p.describe() + " " + refiner.problem;
    return false;
  };
  for (auto [p, end] : llvm::zip(places, iteration.ends))
    if (!refineAt(p, end))
      return std::nullopt;
  for (auto [entry, now] :
       llvm::zip(iteration.journal.holders, iteration.held)) {
    const auto &[holder, items] = entry;
    if (llvm::any_of(places, [&](const Place &p) {
          return p.variable.empty() && p.holder.isSame(holder);
        })) {
      if (items.size() == now.size())
        continue;
    }
    if (items.size() != now.size()) {
      problem = holder.describe() + " has " +
                std::to_string(items.size() / (holder.isDict() ? 2 : 1)) +
                " items before an iteration and " +
                std::to_string(now.size() / (holder.isDict() ? 2 : 1)) +
                " behind it; write what grows into a tensor that has a place "
                "for each iteration";
      return std::nullopt;
    }
    refiner.changed = true;
    for (size_t i = 0; i < items.size(); ++i) {
      places.push_back({StringRef(), holder, i, items[i], {}});
      if (!refineAt(places.back(), now[i]))
        return std::nullopt;
    }
  }
  for (auto [old, now] :
       llvm::zip(iteration.journal.outside(iteration.block), iteration.written))
    if (old.value != now.value) {
      storages.push_back(old);
      refiner.changed = true;
    }
  return refiner.changed;
}

/// Carries every number that the body assigns, as a last resort: with the
/// numbers of the first iteration the body may be another one.
bool Interpreter::LoopWalk::carryNumbers() {
  Refiner refiner(in.builder());
  for (Place &p : places)
    refiner.carryNumbers(p.pattern, p.init);
  return refiner.changed;
}

Interpreter::Flow Interpreter::LoopWalk::run() {
  bool wasForced = false;
  auto force = [&] {
    return !std::exchange(wasForced, true) && carryNumbers();
  };
  for (unsigned walks = 0; walks < kMaxWalks; ++walks) {
    Iteration iteration;
    llvm::scope_exit discard(
        [&] { in.session.discarded.push_back(std::move(iteration.region)); });
    walk(iteration);
    if (iteration.raises) {
      // It never runs.
      emit(iteration);
      return Flow::Next;
    }
    if (!in.reported.unsupported.empty() || reported.failed) {
      // The import failed: what changes is not known any more.
      emit(iteration);
      for (const Place &p : places)
        if (!p.variable.empty())
          in.frame->variables[p.variable] = Value::unknown();
      return iteration.flow == Flow::Failed ? Flow::Failed : Flow::Next;
    }
    if (iteration.flow != Flow::Next) {
      if (force())
        continue;
      emit(iteration);
      return iteration.flow == Flow::Failed
                 ? Flow::Failed
                 : refuse("a function returns, or goes on");
    }
    std::optional<bool> grew = refine(iteration);
    if (!grew) {
      if (force())
        continue;
      return refuse(problem);
    }
    if (*grew)
      continue;
    if (!checkAliases(iteration))
      return Flow::Failed;
    emit(iteration);
    return finish(iteration);
  }
  return refuse("what changes does not come to an end");
}

/// Whether no tensor is written that, from the second iteration on, may be one
/// with a tensor that the walk took for another.
bool Interpreter::LoopWalk::checkAliases(const Iteration &iteration) {
  std::vector<std::pair<std::string, Value>> inits;
  for (const Place &p : places)
    forEachLeaf(p.pattern, p.init, [&](const Pattern &, const Value &init) {
      inits.emplace_back(p.describe(), init);
    });
  auto wasWritten = [&](const Contents &contents) {
    auto isSame = [&](const Contents &other) {
      return other.storage == contents.storage;
    };
    return llvm::any_of(storages, isSame) ||
           llvm::any_of(iteration.written, isSame);
  };
  auto fail = [&](const std::string &name) {
    refuse(name + " may share its storage with another tensor, and one of them "
                  "is written");
    return false;
  };
  size_t count = inits.size();
  for (size_t i = 0; i < count; ++i) {
    const auto &[name, init] = inits[i];
    const aten::Tensor &argument = *iteration.arguments[i],
                       &end = *iteration.endTensors[i];
    std::vector<Contents> own;
    if (init.is(Value::Kind::Tensor))
      own = init.tensor()->contentsToWrite();
    for (const Contents &alias : end.contentsToWrite()) {
      bool isOutside = !isWithin(alias.storage->home, iteration.block);
      bool isOwn = llvm::any_of(own, [&](const Contents &contents) {
        return contents.storage == alias.storage;
      });
      if (isOutside && !isOwn && (argument.wasWritten() || wasWritten(alias)))
        return fail(name);
    }
    for (size_t j = 0; j < i; ++j)
      if ((argument.wasWritten() || iteration.arguments[j]->wasWritten()) &&
          end.mayBeAlias(*iteration.endTensors[j]))
        return fail(name);
  }
  return true;
}

/// Makes what there is behind the loop of the op's results.
Leaves Interpreter::LoopWalk::bindResults(Iteration &iteration,
                                          mlir::ValueRange results) {
  Leaves tensors;
  size_t next = 0;
  for (Place &p : places) {
    Value value = instantiate(p.pattern, p.init, [&](const Pattern &leaf) {
      auto tensor = aten::Tensor::make(results[next++]);
      if (leaf.kind == Pattern::Kind::Number)
        tensor->setNumber();
      tensors.push_back(tensor);
      return Value(tensor);
    });
    if (!p.variable.empty()) {
      in.frame->variables[p.variable] = value;
      continue;
    }
    in.noteChange(p.holder);
    std::vector<Value> items = p.holder.get();
    items[p.index] = value;
    p.holder.set(std::move(items));
  }
  // Without an iteration a result is what there was before the loop, and two
  // that are one behind the body are one here.
  next = 0;
  for (const Place &p : places)
    forEachLeaf(p.pattern, p.init, [&](const Pattern &leaf, const Value &init) {
      size_t i = next++;
      if (leaf.kind != Pattern::Kind::Tensor)
        return;
      if (init.is(Value::Kind::Tensor))
        tensors[i]->mayAlias(*init.tensor());
      const aten::Tensor &end = *iteration.endTensors[i];
      if (llvm::any_of(end.homes(), [&](mlir::Block *home) {
            return !isWithin(home, iteration.block);
          }))
        tensors[i]->mayAlias(end);
      for (size_t j = 0; j < i; ++j)
        if (end.mayBeAlias(*iteration.endTensors[j]))
          tensors[i]->mayAlias(*tensors[j]);
    });
  return tensors;
}

Interpreter::Flow Interpreter::LoopWalk::finish(Iteration &iteration) {
  mlir::OpBuilder &builder = in.builder();
  aten::Emitter emitter(builder, place);
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(iteration.block);
    YieldOp::create(builder, place, iteration.yielded);
  }
  llvm::SmallVector<mlir::Value> init;
  for (const Place &p : places)
    forEachLeaf(
        p.pattern, p.init, [&](const Pattern &leaf, const Value &value) {
          init.push_back(leaf.isUninitialized
                             ? emitter.full(leaf.type.getElementType(),
                                            leaf.type.getShape(), int64_t(0))
                         : value.is(Value::Kind::Tensor)
                             ? in.read(value)
                             : emitter.number(value));
        });
  for (const Contents &contents : storages)
    init.push_back(contents.value);
  mlir::Value trip = range ? in.read(range->count) : mlir::Value();
  auto op = LoopOp::create(builder, place, mlir::ValueRange(init).getTypes(),
                           mlir::TypeRange(), trip, condition, init);
  op.getBody().takeBody(*iteration.region);
  mlir::ValueRange results = op.getFinal();
  Leaves tensors = bindResults(iteration, results);
  for (auto [contents, result] :
       llvm::zip(storages, results.drop_front(tensors.size()))) {
    if (in.session.writes)
      in.session.writes->push_back(contents.now());
    Contents{contents.storage, result, contents.isStale}.restore();
  }
  for (const Contents &contents : iteration.written)
    if (contents.isStale) {
      if (in.session.writes)
        in.session.writes->push_back(contents.now());
      Contents{contents.storage, contents.now().value, true}.restore();
    }
  return Flow::Next;
}

Interpreter::Flow Interpreter::runLoop(const Statement &statement,
                                       const Value &range,
                                       mlir::Value condition) {
  return LoopWalk(*this, statement, range, condition).run();
}
