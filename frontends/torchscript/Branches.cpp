//===- Branches.cpp - conditions on data ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements an `if` whose condition is only known when the model
// runs: each branch is walked into a Block of a graven.if, and what differs
// behind them, variables, containers, attributes and the contents of storages,
// becomes a result. A branch that raises an exception is never taken.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "llvm/ADT/ScopeExit.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;
using Contents = aten::Tensor::Contents;

/// Containers within containers that are merged.
static constexpr unsigned kMaxDepth = 64;

/// What there is behind a branch.
struct Interpreter::Branch {
  std::unique_ptr<mlir::Region> region = std::make_unique<mlir::Region>();
  mlir::Block *block = nullptr;
  llvm::StringMap<Value> variables;
  Value returned;
  bool returns = false;
  bool raises = false;
  /// What the tensors in the variables are there; null for a tensor that
  /// cannot be read.
  llvm::DenseMap<const aten::Tensor *, mlir::Value> tensors;
  /// What the storages from outside that the branch wrote hold there, and what
  /// containers and attributes from outside do; before it and now.
  std::vector<Contents> before, after;
  std::vector<std::pair<Holder, std::vector<Value>>> heldBefore, heldAfter;
  llvm::SmallVector<mlir::Value> yielded;

  /// What a storage or holder of the other branch has here.
  Contents contentsOf(const Contents &outer) const {
    for (const Contents &contents : after)
      if (contents.storage == outer.storage)
        return contents;
    return outer;
  }
  std::vector<Value> heldBy(const Holder &holder,
                            const std::vector<Value> &outer) const {
    for (const auto &[other, items] : heldAfter)
      if (other.isSame(holder))
        return items;
    return outer;
  }
};

namespace {

/// Makes one value of what the two branches left.
template <class Branch> class Merger {
public:
  Merger(mlir::OpBuilder &builder, mlir::Location loc,
         const llvm::DenseSet<const void *> &known, Branch &first,
         Branch &second)
      : builder(builder), loc(loc), known(known), first(first), second(second) {
  }

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
      return padded(first, b, second, depth);
    if (extensionIn<Uninitialized>(b))
      return padded(second, a, first, depth);
    bool numbers = (a.isNumber() || a.is(Kind::Bool) || a.is(Kind::Tensor)) &&
                   (b.isNumber() || b.is(Kind::Bool) || b.is(Kind::Tensor));
    if (numbers)
      return mergeNumbers(a, b);
    if (a.kind() == b.kind() && (a.items() || a.is(Kind::Dict)) &&
        depth < kMaxDepth)
      return mergeContainers(a, b, depth);
    return refuse("is " + a.typeName() + " or " + b.typeName() +
                  ", or different ones");
  }

  /// Tensors that the op's results become, in order.
  std::vector<aten::Tensor::Ptr> merged;

private:
  std::nullopt_t refuse(const llvm::Twine &why) {
    problem = why.str();
    return std::nullopt;
  }

  /// A result that is one of two values.
  void addResult(mlir::Value a, mlir::Value b, aten::Tensor::Ptr tensor) {
    first.yielded.push_back(a);
    second.yielded.push_back(b);
    merged.push_back(std::move(tensor));
  }

  std::optional<std::vector<Value>> mergeItems(const std::vector<Value> &left,
                                               const std::vector<Value> &right,
                                               unsigned depth) {
    std::vector<Value> items;
    for (auto [x, y] : llvm::zip(left, right)) {
      auto item = merge(x, y, depth + 1);
      if (!item)
        return std::nullopt;
      items.push_back(*item);
    }
    return items;
  }

  std::optional<Value> mergeContainers(const Value &a, const Value &b,
                                       unsigned depth) {
    if (a.items() == b.items() && a.is(Kind::List))
      return a;
    if (known.contains(identity(a)) || known.contains(identity(b)))
      return refuse("is one container or another");
    auto &memo =
        pairs[{a.items() ? static_cast<const void *>(a.items()) : identity(a),
               b.items() ? static_cast<const void *>(b.items()) : identity(b)}];
    if (!memo.isNone())
      return memo;
    std::vector<Value> left = a.items() ? *a.items() : itemsOf(a),
                       right = b.items() ? *b.items() : itemsOf(b);
    if (left.size() != right.size())
      return refuse("has " + llvm::Twine(left.size()) + " or " +
                    llvm::Twine(right.size()) + " items");
    auto items = mergeItems(left, right, depth);
    if (!items)
      return std::nullopt;
    Value result = a.is(Kind::List)   ? Value::makeList()
                   : a.is(Kind::Dict) ? Value::makeDict()
                                      : Value::makeTuple(*items);
    if (a.is(Kind::Tuple))
      result.tuple().fields = a.tuple().fields;
    else
      setItems(result, *items);
    return pairs[{a.items() ? static_cast<const void *>(a.items())
                            : identity(a),
                  b.items() ? static_cast<const void *>(b.items())
                            : identity(b)}] = result;
  }

  /// The value of a tensor at the end of a branch; null when it is open.
  mlir::Value valueIn(Branch &branch, const Value &value) {
    auto it = branch.tensors.find(value.tensor().get());
    if (it != branch.tensors.end())
      return it->second;
    if (value.tensor()->isStale())
      return {};
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(branch.block);
    return value.tensor()->read(builder);
  }

  /// What may share its storage with `value`, a tensor at the end of a branch,
  /// may do so with the result.
  void linkAliases(const Value &value, Branch &branch,
                   const aten::Tensor::Ptr &result) {
    if (llvm::any_of(value.tensor()->homes(), [&](mlir::Block *home) {
          return !isWithin(home, branch.block);
        }))
      result->mayAlias(*value.tensor());
    for (auto &[other, otherBranch, otherResult] : sources)
      if (otherBranch == &branch && otherResult != result &&
          other->mayBeAlias(*value.tensor()))
        result->mayAlias(*otherResult);
    sources.emplace_back(value.tensor(), &branch, result);
  }

  std::optional<Value> mergeTensors(const Value &a, const Value &b) {
    // The contents of a storage that both have are merged with the storage.
    if (a.tensor() == b.tensor())
      return a;
    auto &memo = pairs[{a.tensor().get(), b.tensor().get()}];
    if (!memo.isNone())
      return memo;
    mlir::Value x = valueIn(first, a), y = valueIn(second, b);
    if (!x || !y)
      return uninitialized();
    if (x.getType() != y.getType()) {
      std::string types;
      llvm::raw_string_ostream(types) << x.getType() << " or " << y.getType();
      return refuse("is " + types);
    }
    auto result = aten::Tensor::make(x);
    linkAliases(a, first, result);
    linkAliases(b, second, result);
    if (a.tensor()->isWrappedNumber() && b.tensor()->isWrappedNumber())
      result->setWrappedNumber();
    if (a.tensor()->isNumber() && b.tensor()->isNumber())
      result->setNumber();
    addResult(x, y, result);
    return memo = Value(result);
  }

  static Value uninitialized() {
    return Value(
        std::shared_ptr<aten::Extension>(std::make_shared<Uninitialized>()));
  }

  /// The value in its branch, and nothing that matters in the other.
  Value padded(Branch &without, const Value &value, Branch &with,
               unsigned depth) {
    if (value.is(Kind::Tuple) && depth < kMaxDepth) {
      std::vector<Value> items;
      for (const Value &item : value.tuple().items)
        items.push_back(padded(without, item, with, depth + 1));
      Value tuple = Value::makeTuple(std::move(items));
      tuple.tuple().fields = value.tuple().fields;
      return tuple;
    }
    if (!value.is(Kind::Tensor))
      return value;
    mlir::Value given = valueIn(with, value);
    if (!given)
      return uninitialized();
    auto type = mlir::cast<mlir::RankedTensorType>(given.getType());
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(without.block);
    mlir::Value zero =
        aten::Emitter(builder, loc)
            .full(type.getElementType(), type.getShape(), int64_t(0));
    auto result = aten::Tensor::make(given);
    linkAliases(value, with, result);
    if (value.tensor()->isNumber())
      result->setNumber();
    bool isFirst = &with == &first;
    addResult(isFirst ? given : zero, isFirst ? zero : given, result);
    return Value(result);
  }

  /// A number or a tensor of one element as a tensor without axes.
  mlir::Value number(Branch &branch, const Value &value) {
    if (value.is(Kind::Tensor))
      return valueIn(branch, value);
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(branch.block);
    return aten::Emitter(builder, loc).number(value);
  }

  std::optional<Value> mergeNumbers(const Value &a, const Value &b) {
    mlir::Value x = number(first, a), y = number(second, b);
    if (!x || !y)
      return uninitialized();
    if (x.getType() != y.getType())
      return refuse("is " + a.typeName() + " or " + b.typeName());
    auto result = aten::Tensor::make(x);
    result->setNumber();
    addResult(x, y, result);
    return Value(result);
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const llvm::DenseSet<const void *> &known;
  Branch &first, &second;
  /// What pairs of tensors and containers became.
  llvm::DenseMap<std::pair<const void *, const void *>, Value> pairs;
  std::vector<std::tuple<aten::Tensor::Ptr, Branch *, aten::Tensor::Ptr>>
      sources;
};

} // namespace

Interpreter::Flow Interpreter::walkBranch(const Body &body, Branch &branch) {
  mlir::OpBuilder::InsertionGuard guard(builder());
  branch.block = builder().createBlock(branch.region.get());
  Journal changes;
  auto variables = frame->variables;
  auto known = reachable(variables);
  if (outside)
    known.insert(outside->begin(), outside->end());
  auto *outerWrites = std::exchange(session.writes, &changes.storages);
  auto *outerJournal = std::exchange(journal, &changes);
  auto *outerKnown = std::exchange(outside, &known);
  Flow flow = runBody(body);
  session.writes = outerWrites;
  journal = outerJournal;
  outside = outerKnown;
  branch.returns = flow == Flow::Return;
  branch.returned = std::exchange(frame->returned, Value());
  branch.variables = std::exchange(frame->variables, std::move(variables));
  branch.heldBefore = changes.holders;
  for (const auto &[holder, items] : changes.holders)
    branch.heldAfter.emplace_back(holder, holder.get());
  branch.before = changes.outside(branch.block);
  for (const Contents &contents : branch.before)
    branch.after.push_back(contents.now());
  if (flow != Flow::Failed) {
    llvm::DenseSet<const void *> seen;
    auto capture = [&](const Value &value) {
      if (value.is(Kind::Tensor))
        branch.tensors[value.tensor().get()] =
            value.tensor()->isStale() ? mlir::Value()
                                      : value.tensor()->read(builder());
    };
    for (const auto &entry : branch.variables)
      forEachValue(entry.second, capture, seen);
    forEachValue(branch.returned, capture, seen);
    for (const auto &[holder, items] : branch.heldAfter)
      for (const Value &item : items)
        forEachValue(item, capture, seen);
  }
  changes.undo(branch.block);
  branch.raises = flow == Flow::Failed && std::exchange(raised, false);
  return flow;
}

Interpreter::Flow Interpreter::runBranches(const Statement &statement,
                                           mlir::Value condition) {
  mlir::Location place = current;
  Branch first, second;
  llvm::scope_exit discard([&] {
    for (Branch *branch : {&first, &second})
      session.discarded.push_back(std::move(branch->region));
  });
  Flow flow = walkBranch(statement.body, first);
  current = place;
  if (first.raises)
    return runBody(statement.orelse);
  if (flow == Flow::Failed)
    return flow;
  flow = walkBranch(statement.orelse, second);
  current = place;
  if (second.raises)
    return runBody(statement.body);
  if (flow == Flow::Failed)
    return flow;
  return mergeBranches(statement, condition, first, second);
}

Interpreter::Flow Interpreter::mergeBranches(const Statement &statement,
                                             mlir::Value condition,
                                             Branch &first, Branch &second) {
  auto refuse = [&](const llvm::Twine &what) {
    error(Code::DataDependent) << what << ", depending on data";
    return Flow::Failed;
  };
  if (first.returns != second.returns)
    return refuse("a function returns, or goes on");
  auto known = reachable(frame->variables);
  known.insert(loadedContainers.begin(), loadedContainers.end());
  Merger<Branch> merger(builder(), current, known, first, second);
  // Variables. Those that only the branches themselves need go.
  const llvm::StringSet<> &live =
      liveness.passedOn(*frame->function, statement);
  llvm::StringMap<Value> variables;
  for (const auto &entry : first.variables) {
    StringRef name = entry.first();
    auto other = second.variables.find(name);
    auto before = frame->variables.find(name);
    if (other == second.variables.end())
      continue;
    bool isUntouched = before != frame->variables.end() &&
                       before->second.isSame(entry.second) &&
                       before->second.isSame(other->second);
    if (isUntouched)
      variables[name] = entry.second;
    if (isUntouched || first.returns || !live.contains(name))
      continue;
    auto value = merger.merge(entry.second, other->second);
    if (!value)
      return refuse("'" + name + "' " + merger.problem);
    variables[name] = *value;
  }
  Value returned;
  if (first.returns) {
    auto value = merger.merge(first.returned, second.returned);
    if (!value)
      return refuse("the result " + merger.problem);
    returned = *value;
  }
  // Lists, dicts and attributes.
  std::vector<std::pair<Holder, std::vector<Value>>> held = first.heldBefore;
  for (const auto &entry : second.heldBefore)
    if (llvm::none_of(
            held, [&](const auto &h) { return h.first.isSame(entry.first); }))
      held.push_back(entry);
  for (auto &[holder, items] : held) {
    std::vector<Value> left = first.heldBy(holder, items),
                       right = second.heldBy(holder, items);
    if (left.size() != right.size())
      return refuse(
          holder.describe() + " has " +
          llvm::Twine(left.size() / (holder.isDict() ? 2 : 1)) + " or " +
          llvm::Twine(right.size() / (holder.isDict() ? 2 : 1)) + " items");
    items.clear();
    for (auto [x, y] : llvm::zip(left, right)) {
      auto item = merger.merge(x, y);
      if (!item)
        return refuse((extensionIn<Object>(holder.value)
                           ? holder.describe()
                           : "an item of " + holder.describe()) +
                      " " + merger.problem);
      items.push_back(*item);
    }
  }
  // Storages: one that a branch did not write holds there what it held before.
  std::vector<Contents> written;
  for (const auto *list : {&first.before, &second.before})
    for (const Contents &contents : *list)
      if (llvm::none_of(written, [&](const Contents &c) {
            return c.storage == contents.storage;
          }))
        written.push_back(contents);
  size_t firstStorage = first.yielded.size();
  std::vector<Contents> stale;
  llvm::erase_if(written, [&](const Contents &contents) {
    Contents left = first.contentsOf(contents),
             right = second.contentsOf(contents);
    if (left.isStale || right.isStale) {
      stale.push_back(contents);
      return true;
    }
    first.yielded.push_back(left.value);
    second.yielded.push_back(right.value);
    return false;
  });
  for (Branch *branch : {&first, &second}) {
    mlir::OpBuilder::InsertionGuard guard(builder());
    builder().setInsertionPointToEnd(branch->block);
    YieldOp::create(builder(), current, branch->yielded);
  }
  auto op = IfOp::create(builder(), current,
                         mlir::ValueRange(first.yielded).getTypes(), condition);
  op.getThenBlock().takeBody(*first.region);
  op.getElseBlock().takeBody(*second.region);
  mlir::ValueRange results = op.getResults();
  for (auto [tensor, result] : llvm::zip(merger.merged, results))
    tensor->rebind(result);
  for (auto [contents, result] :
       llvm::zip(written, results.drop_front(firstStorage))) {
    if (session.writes)
      session.writes->push_back(contents.now());
    Contents{contents.storage, result}.restore();
  }
  for (const Contents &contents : stale) {
    if (session.writes)
      session.writes->push_back(contents.now());
    Contents{contents.storage, contents.value, /*isStale=*/true}.restore();
  }
  for (auto &[holder, items] : held) {
    noteChange(holder);
    holder.set(std::move(items));
  }
  frame->variables = std::move(variables);
  frame->returned = returned;
  return first.returns ? Flow::Return : Flow::Next;
}
