//===- Branches.cpp - conditions on data ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements an `if` whose condition is only known when the model
// runs: each branch is walked into a Block of a graven.if, and what differs
// behind them, variables and the contents of storages, becomes a result.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "llvm/ADT/ScopeExit.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using Contents = aten::Tensor::Contents;

namespace {

/// Containers within containers that are looked into.
constexpr unsigned kMaxDepth = 64;

/// Visits a value and what it contains. A dict's keys are known.
void forEach(const Value &value, llvm::function_ref<void(const Value &)> visit,
             llvm::DenseSet<const void *> &seen, unsigned depth = 0) {
  visit(value);
  if (depth > kMaxDepth)
    return;
  if (const std::vector<Value> *items = value.items()) {
    if (seen.insert(items).second)
      for (const Value &item : *items)
        forEach(item, visit, seen, depth + 1);
  } else if (value.is(Kind::Dict)) {
    if (seen.insert(&value.dict()).second)
      for (const auto &[key, item] : value.dict().items)
        forEach(item, visit, seen, depth + 1);
  } else if (auto *object = extensionIn<Object>(value)) {
    if (seen.insert(object).second)
      for (const auto &[name, attribute] : object->attributes)
        forEach(attribute, visit, seen, depth + 1);
  }
}

/// The address by which a list, dict or object is known; null for the rest.
const void *identity(const Value &value) {
  if (value.is(Kind::List))
    return &value.list();
  if (value.is(Kind::Dict))
    return &value.dict();
  return extensionIn<Object>(value);
}

/// What there is before the branches.
struct Before {
  llvm::StringMap<Value> variables;
  llvm::DenseSet<const void *> known;
  /// The items of lists and dicts, which a branch may not change.
  std::vector<std::pair<Value, std::vector<Value>>> containers;

  Before(const llvm::StringMap<Value> &variables,
         const llvm::DenseSet<const void *> *outside)
      : variables(variables) {
    if (outside)
      known = *outside;
    llvm::DenseSet<const void *> seen;
    for (const auto &entry : variables)
      forEach(
          entry.second,
          [&](const Value &value) {
            if (const void *address = identity(value))
              known.insert(address);
            if (value.is(Kind::List) || value.is(Kind::Dict))
              containers.emplace_back(value, itemsOf(value));
          },
          seen);
  }

  static std::vector<Value> itemsOf(const Value &value) {
    if (value.is(Kind::List))
      return value.list().items;
    std::vector<Value> items;
    for (const auto &[key, item] : value.dict().items) {
      items.push_back(key);
      items.push_back(item);
    }
    return items;
  }

  bool isChanged() const {
    return llvm::any_of(containers, [](const auto &entry) {
      std::vector<Value> now = itemsOf(entry.first);
      return now.size() != entry.second.size() ||
             !llvm::all_of_zip(
                 now, entry.second,
                 [](const Value &a, const Value &b) { return a.isSame(b); });
    });
  }
};

/// What there is behind a branch.
struct Outcome {
  mlir::Region region;
  mlir::Block *block = nullptr;
  llvm::StringMap<Value> variables;
  Value returned;
  bool returns = false;
  /// What the tensors in the variables are there.
  llvm::DenseMap<const aten::Tensor *, mlir::Value> tensors;
  /// What the storages from outside that the branch wrote held before, and
  /// hold there.
  std::vector<Contents> before, after;
  llvm::SmallVector<mlir::Value> yielded;
};

/// Makes one value of what the two branches left.
class Merger {
public:
  Merger(mlir::OpBuilder &builder, mlir::Location loc, const Before &before,
         Outcome &first, Outcome &second)
      : builder(builder), loc(loc), before(before), first(first),
        second(second) {}

  /// Why the last merge was not possible.
  std::string problem;

  std::optional<Value> merge(const Value &a, const Value &b,
                             unsigned depth = 0) {
    if (a.is(Kind::Unknown) || b.is(Kind::Unknown))
      return Value::unknown();
    if (a.is(Kind::Tensor) && b.is(Kind::Tensor))
      return mergeTensors(a, b);
    if (a.isSame(b) && !a.items())
      return a;
    if (extensionIn<Uninitialized>(a))
      return b.is(Kind::Tensor) ? padded(first, b, second) : b;
    if (extensionIn<Uninitialized>(b))
      return a.is(Kind::Tensor) ? padded(second, a, first) : a;
    bool numbers = (a.isNumber() || a.is(Kind::Bool) || a.is(Kind::Tensor)) &&
                   (b.isNumber() || b.is(Kind::Bool) || b.is(Kind::Tensor));
    if (numbers)
      return mergeNumbers(a, b);
    const std::vector<Value> *left = a.items(), *right = b.items();
    if (left && right && a.kind() == b.kind() &&
        left->size() == right->size() && depth < kMaxDepth) {
      if (left == right && a.is(Kind::List))
        return a;
      if (before.known.contains(identity(a)) ||
          before.known.contains(identity(b)))
        return refuse("is one list or another");
      std::vector<Value> items;
      for (auto [x, y] : llvm::zip(*left, *right)) {
        auto item = merge(x, y, depth + 1);
        if (!item)
          return std::nullopt;
        items.push_back(*item);
      }
      if (a.is(Kind::List))
        return Value::makeList(std::move(items));
      Value tuple = Value::makeTuple(std::move(items));
      tuple.tuple().fields = a.tuple().fields;
      return tuple;
    }
    return refuse("is " + a.typeName() + " or " + b.typeName() +
                  ", or different ones");
  }

  /// A result that is one of two values.
  void addResult(mlir::Value a, mlir::Value b, aten::Tensor::Ptr tensor) {
    first.yielded.push_back(a);
    second.yielded.push_back(b);
    merged.push_back(std::move(tensor));
  }

  /// Tensors that the op's results become, in order.
  std::vector<aten::Tensor::Ptr> merged;

private:
  std::nullopt_t refuse(const llvm::Twine &why) {
    problem = why.str();
    return std::nullopt;
  }

  std::optional<Value> mergeTensors(const Value &a, const Value &b) {
    mlir::Value x = first.tensors.lookup(a.tensor().get());
    mlir::Value y = second.tensors.lookup(b.tensor().get());
    // The contents of a storage that both have are merged with the storage.
    if (a.tensor() == b.tensor())
      return a;
    if (x.getType() != y.getType()) {
      std::string types;
      llvm::raw_string_ostream(types) << x.getType() << " or " << y.getType();
      return refuse("is " + types);
    }
    auto result = aten::Tensor::make(x);
    // A write into it would, or would not, be one into the other.
    for (auto [value, outcome] : {std::pair(&a, &first), {&b, &second}})
      if (!aten::isWithin(value->tensor()->home(), outcome->block)) {
        value->tensor()->share();
        result->share();
      }
    if (a.tensor()->isWrappedNumber() && b.tensor()->isWrappedNumber())
      result->setWrappedNumber();
    addResult(x, y, result);
    return Value(result);
  }

  /// The value in its branch, and nothing that matters in the other.
  Value padded(Outcome &without, const Value &value, Outcome &with) {
    mlir::Value given = with.tensors.lookup(value.tensor().get());
    auto type = mlir::cast<mlir::RankedTensorType>(given.getType());
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(without.block);
    mlir::Value zero =
        aten::Emitter(builder, loc)
            .full(type.getElementType(), type.getShape(), int64_t(0));
    auto result = aten::Tensor::make(given);
    if (!aten::isWithin(value.tensor()->home(), with.block)) {
      value.tensor()->share();
      result->share();
    }
    bool isFirst = &with == &first;
    addResult(isFirst ? given : zero, isFirst ? zero : given, result);
    return Value(result);
  }

  /// A number or a tensor of one element as a tensor without axes.
  mlir::Value number(Outcome &outcome, const Value &value) {
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(outcome.block);
    return value.is(Kind::Tensor) ? outcome.tensors.lookup(value.tensor().get())
                                  : aten::Emitter(builder, loc).number(value);
  }

  std::optional<Value> mergeNumbers(const Value &a, const Value &b) {
    mlir::Value x = number(first, a), y = number(second, b);
    if (x.getType() != y.getType())
      return refuse("is " + a.typeName() + " or " + b.typeName());
    auto result = aten::Tensor::make(x);
    result->setWrappedNumber();
    addResult(x, y, result);
    return Value(result);
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const Before &before;
  Outcome &first, &second;
};

} // namespace

/// The first contents of each storage that was not made in the branch, and what
/// it holds now.
static void collectWrites(const std::vector<Contents> &writes,
                          Outcome &outcome) {
  llvm::DenseSet<const void *> seen;
  for (Contents contents : writes)
    if (!aten::isWithin(contents.value.getParentBlock(), outcome.block) &&
        seen.insert(contents.storage.get()).second) {
      outcome.before.push_back(contents);
      outcome.after.push_back(contents.now());
    }
}

Interpreter::Flow Interpreter::runBranches(const Statement &statement,
                                           mlir::Value condition) {
  mlir::Location place = current;
  Before before(frame->variables, outside);
  Outcome outcomes[2];
  for (auto [outcome, body] : {std::pair(&outcomes[0], &statement.body),
                               std::pair(&outcomes[1], &statement.orelse)}) {
    mlir::OpBuilder::InsertionGuard guard(builder());
    outcome->block = builder().createBlock(&outcome->region);
    std::vector<Contents> writes;
    auto *outerWrites = std::exchange(session.writes, &writes);
    auto *outerKnown = std::exchange(outside, &before.known);
    Flow flow = runBody(*body);
    session.writes = outerWrites;
    outside = outerKnown;
    if (flow == Flow::Failed)
      return flow;
    outcome->returns = flow == Flow::Return;
    outcome->returned = std::exchange(frame->returned, Value());
    outcome->variables = std::exchange(frame->variables, before.variables);
    if (before.isChanged()) {
      error(Code::DataDependent)
          << "a list or dict is changed under a condition on data";
      return Flow::Failed;
    }
    llvm::DenseSet<const void *> seen;
    auto capture = [&](const Value &value) {
      if (value.is(Kind::Tensor))
        outcome->tensors[value.tensor().get()] = read(value);
    };
    for (const auto &entry : outcome->variables)
      forEach(entry.second, capture, seen);
    forEach(outcome->returned, capture, seen);
    collectWrites(writes, *outcome);
    for (const Contents &contents : outcome->before)
      contents.restore();
  }
  current = place;
  Outcome &first = outcomes[0], &second = outcomes[1];
  if (first.returns != second.returns) {
    error(Code::DataDependent) << "a function returns, or goes on, depending "
                                  "on data";
    return Flow::Failed;
  }
  // Variables.
  Merger merger(builder(), current, before, first, second);
  llvm::StringMap<Value> variables;
  for (const auto &entry : first.variables) {
    auto other = second.variables.find(entry.first());
    if (other == second.variables.end())
      continue;
    auto value = merger.merge(entry.second, other->second);
    if (!value) {
      error(Code::DataDependent) << "'" << entry.first() << "' "
                                 << merger.problem << ", depending on data";
      return Flow::Failed;
    }
    variables[entry.first()] = *value;
  }
  std::optional<Value> returned = Value();
  if (first.returns)
    returned = merger.merge(first.returned, second.returned);
  if (!returned) {
    error(Code::DataDependent)
        << "the result " << merger.problem << ", depending on data";
    return Flow::Failed;
  }
  // Storages: one that a branch did not write holds there what it held before.
  std::vector<Contents> written = first.before;
  for (const Contents &contents : second.before)
    if (llvm::none_of(written, [&](const Contents &c) {
          return c.storage == contents.storage;
        }))
      written.push_back(contents);
  auto contentsIn = [](const Outcome &outcome, const Contents &contents) {
    for (const Contents &after : outcome.after)
      if (after.storage == contents.storage)
        return after.value;
    return contents.value;
  };
  size_t firstStorage = first.yielded.size();
  for (const Contents &contents : written) {
    first.yielded.push_back(contentsIn(first, contents));
    second.yielded.push_back(contentsIn(second, contents));
  }
  for (Outcome *outcome : {&first, &second}) {
    mlir::OpBuilder::InsertionGuard guard(builder());
    builder().setInsertionPointToEnd(outcome->block);
    YieldOp::create(builder(), current, outcome->yielded);
  }
  auto op = IfOp::create(builder(), current,
                         mlir::ValueRange(first.yielded).getTypes(), condition);
  op.getThenBlock().takeBody(first.region);
  op.getElseBlock().takeBody(second.region);
  mlir::ValueRange results = op.getResults();
  for (auto [tensor, result] : llvm::zip(merger.merged, results))
    tensor->rebind(result);
  for (auto [contents, result] :
       llvm::zip(written, results.drop_front(firstStorage))) {
    if (session.writes)
      session.writes->push_back(contents.now());
    Contents{contents.storage, result}.restore();
  }
  frame->variables = std::move(variables);
  frame->returned = *returned;
  return first.returns ? Flow::Return : Flow::Next;
}
