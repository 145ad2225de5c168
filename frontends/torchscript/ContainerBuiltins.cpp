//===- ContainerBuiltins.cpp - functions on lists and dicts ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what programs do with lists, tuples, dicts and strings.
// Containers are shared by reference, so mutation is mutation.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Builtins.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

/// A list that a program makes may have this many items.
static constexpr size_t kMaxItems = 1 << 20;

static Given raise(Interpreter &in, const llvm::Twine &message) {
  return in.raise(message);
}

static Given len(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (const auto *items = a.items())
    return give(Value(static_cast<int64_t>(items->size())));
  if (a.is(Kind::Dict))
    return give(Value(static_cast<int64_t>(a.dict().items.size())));
  if (a.is(Kind::String))
    return give(Value(static_cast<int64_t>(a.string().size())));
  if (a.is(Kind::Tensor) && a.tensor()->type().getRank() > 0)
    return give(Value(a.tensor()->type().getDimSize(0)));
  return a.is(Kind::Unknown) ? give(a) : wrongArguments(in, call, "len()");
}

/// The position a Python index means; nothing when out of range.
static std::optional<size_t> position(int64_t index, size_t size) {
  int64_t bound = size;
  if (index < -bound || index >= bound)
    return std::nullopt;
  return index < 0 ? index + bound : index;
}

static Value *find(aten::Dict &dict, const Value &key) {
  for (auto &[k, value] : dict.items)
    if (sameValue(k, key))
      return &value;
  return nullptr;
}

static Given getItem(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), key = argumentAt(call, 1);
  if (a.is(Kind::Dict)) {
    Value *value = find(a.dict(), key);
    return value ? give(*value)
                 : raise(in, "no key '" + textOf(key) + "' in a dict");
  }
  if (isTensor(key) && key.tensor()->isNumber()) {
    in.error(Code::DataDependent)
        << "an item of a list is taken by a number that is only known at run "
           "time";
    return mlir::failure();
  }
  key = in.knownScalar(key);
  const auto *items = a.items();
  if (!key.is(Kind::Int) || (!items && !a.is(Kind::String)))
    return wrongArguments(in, call, "subscript");
  size_t size = items ? items->size() : a.string().size();
  auto at = position(key.integer(), size);
  if (!at)
    return raise(in, "index " + llvm::Twine(key.integer()) +
                         " is out of range for " + llvm::Twine(size) +
                         " items");
  return give(items ? (*items)[*at] : Value(std::string(1, a.string()[*at])));
}

static Given setItem(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), key = argumentAt(call, 1),
        value = argumentAt(call, 2);
  if (a.is(Kind::Dict)) {
    in.noteChange(a);
    if (Value *old = find(a.dict(), key))
      *old = value;
    else
      a.dict().items.emplace_back(key, value);
    return give(Value());
  }
  if (!a.is(Kind::List) || !key.is(Kind::Int))
    return wrongArguments(in, call, "item assignment");
  auto at = position(key.integer(), a.list().items.size());
  if (!at)
    return raise(in,
                 "index " + llvm::Twine(key.integer()) + " is out of range");
  in.noteChange(a);
  a.list().items[*at] = value;
  return give(a);
}

static Given delItem(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), key = argumentAt(call, 1);
  if (a.is(Kind::Dict)) {
    in.noteChange(a);
    llvm::erase_if(a.dict().items, [&](const auto &item) {
      return sameValue(item.first, key);
    });
    return give(Value());
  }
  if (!a.is(Kind::List) || !key.is(Kind::Int))
    return wrongArguments(in, call, "deletion");
  auto at = position(key.integer(), a.list().items.size());
  if (!at)
    return raise(in, "index is out of range");
  in.noteChange(a);
  a.list().items.erase(a.list().items.begin() + *at);
  return give(Value());
}

static Given append(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List) || call.positional.size() != 2)
    return wrongArguments(in, call, "append()");
  if (a.list().items.size() >= kMaxItems)
    return raise(in,
                 "a list grows beyond " + llvm::Twine(kMaxItems) + " items");
  in.noteChange(a);
  a.list().items.push_back(call.positional[1]);
  return give(a);
}
static Given insert(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), index = argumentAt(call, 1);
  if (!a.is(Kind::List) || !index.is(Kind::Int) ||
      call.positional.size() != 3 || a.list().items.size() >= kMaxItems)
    return wrongArguments(in, call, "insert()");
  in.noteChange(a);
  auto &items = a.list().items;
  int64_t size = items.size(), at = index.integer();
  at = std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  items.insert(items.begin() + at, call.positional[2]);
  return give(Value());
}
static Given extend(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (!a.is(Kind::List) || !b.items() ||
      a.list().items.size() + b.items()->size() > kMaxItems)
    return wrongArguments(in, call, "extend()");
  std::vector<Value> more = *b.items();
  in.noteChange(a);
  llvm::append_range(a.list().items, more);
  return give(Value());
}
static Given pop(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), key = argumentAt(call, 1);
  if (a.is(Kind::Dict)) {
    auto &items = a.dict().items;
    for (size_t i = 0; i < items.size(); ++i)
      if (sameValue(items[i].first, key)) {
        Value value = items[i].second;
        in.noteChange(a);
        items.erase(items.begin() + i);
        return give(value);
      }
    return call.positional.size() > 2
               ? give(call.positional[2])
               : raise(in, "no key '" + textOf(key) + "' in a dict");
  }
  if (!a.is(Kind::List))
    return wrongArguments(in, call, "pop()");
  auto &items = a.list().items;
  auto at = position(key.is(Kind::Int) ? key.integer() : -1, items.size());
  if (!at)
    return raise(in,
                 "pop from a list of " + llvm::Twine(items.size()) + " items");
  Value value = items[*at];
  in.noteChange(a);
  items.erase(items.begin() + *at);
  return give(value);
}
static Given clear(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (a.is(Kind::List) || a.is(Kind::Dict))
    in.noteChange(a);
  if (a.is(Kind::List))
    a.list().items.clear();
  else if (a.is(Kind::Dict))
    a.dict().items.clear();
  else
    return wrongArguments(in, call, "clear()");
  return give(Value());
}
static Given reverse(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List))
    return wrongArguments(in, call, "reverse()");
  in.noteChange(a);
  std::reverse(a.list().items.begin(), a.list().items.end());
  return give(Value());
}

static Given contains(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (a.is(Kind::Dict))
    return give(Value(find(a.dict(), b) != nullptr));
  if (a.is(Kind::String) && b.is(Kind::String))
    return give(Value(StringRef(a.string()).contains(b.string())));
  if (const auto *items = a.items())
    return give(Value(llvm::any_of(
        *items, [&](const Value &item) { return sameValue(item, b); })));
  return wrongArguments(in, call, "membership");
}

/// The places that start:end:step takes of a sequence, as in Python; a negative
/// step takes them from the end.
static std::vector<int64_t> slicePlaces(int64_t size,
                                        std::optional<int64_t> start,
                                        std::optional<int64_t> end,
                                        int64_t step) {
  int64_t lowest = step < 0 ? -1 : 0, highest = step < 0 ? size - 1 : size;
  auto clamped = [&](std::optional<int64_t> bound, int64_t otherwise) {
    if (!bound)
      return otherwise;
    return std::clamp(*bound < 0 ? *bound + size : *bound, lowest, highest);
  };
  int64_t at = clamped(start, step < 0 ? highest : lowest),
          last = clamped(end, step < 0 ? lowest : highest);
  std::vector<int64_t> places;
  // A step that leaves the sequence is as good as one of its size.
  step = std::clamp(step, -size - 1, size + 1);
  for (; step < 0 ? at > last : at < last; at += step)
    places.push_back(at);
  return places;
}

/// l[start:end:step] of lists and strings; tensors are the graph's.
static Given slice(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List) && !a.is(Kind::String))
    return declined();
  std::optional<int64_t> bounds[3];
  for (size_t i = 0; i < 3; ++i)
    if (Value value = in.knownScalar(argumentAt(call, i + 1));
        value.is(Kind::Int))
      bounds[i] = value.integer();
    else if (isTensor(argumentAt(call, i + 1)))
      return in.error(Code::DataDependent)
             << "a bound of a slice of a list is only known at run time";
  int64_t step = bounds[2].value_or(1);
  if (step == 0)
    return wrongArguments(in, call, "slice with a step of 0");
  int64_t size = a.is(Kind::List) ? a.list().items.size() : a.string().size();
  std::vector<Value> items;
  std::string text;
  for (int64_t at : slicePlaces(size, bounds[0], bounds[1], step)) {
    if (a.is(Kind::List))
      items.push_back(a.list().items[at]);
    else
      text.push_back(a.string()[at]);
  }
  return give(a.is(Kind::List) ? Value::makeList(std::move(items))
                               : Value(text));
}

static Given list(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  std::vector<Value> items;
  if (a.is(Kind::String))
    for (char c : a.string())
      items.push_back(Value(std::string(1, c)));
  else if (a.items())
    items = *a.items();
  else
    return wrongArguments(in, call, "list()");
  return give(Value::makeList(std::move(items)));
}
static Given copy(Interpreter &, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (a.is(Kind::List))
    return give(Value::makeList(a.list().items));
  if (!a.is(Kind::Dict))
    return declined();
  Value dict = Value::makeDict();
  dict.dict().items = a.dict().items;
  return give(dict);
}
static Given makeDict(Interpreter &in, CallArguments &call) {
  Value dict = Value::makeDict(), a = argumentAt(call, 0);
  if (a.is(Kind::Dict))
    dict.dict().items = a.dict().items;
  else if (const auto *pairs = a.items())
    for (const Value &pair : *pairs)
      if (const auto *parts = pair.items(); parts && parts->size() == 2)
        dict.dict().items.emplace_back((*parts)[0], (*parts)[1]);
  return give(dict);
}

/// keys, values and items of a dict.
template <bool kKeys, bool kValues>
static Given dictParts(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::Dict))
    return declined();
  std::vector<Value> parts;
  for (const auto &[key, value] : a.dict().items)
    parts.push_back(kKeys && kValues ? Value::makeTuple({key, value})
                    : kKeys          ? key
                                     : value);
  return give(Value::makeList(std::move(parts)));
}
static Given get(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::Dict))
    return wrongArguments(in, call, "get()");
  Value *value = find(a.dict(), argumentAt(call, 1));
  return give(value ? *value : argumentAt(call, 2));
}
static Given setDefault(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), key = argumentAt(call, 1);
  if (!a.is(Kind::Dict))
    return wrongArguments(in, call, "setdefault()");
  if (Value *value = find(a.dict(), key))
    return give(*value);
  in.noteChange(a);
  a.dict().items.emplace_back(key, argumentAt(call, 2));
  return give(argumentAt(call, 2));
}
static Given popItem(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::Dict))
    return wrongArguments(in, call, "popitem()");
  if (a.dict().items.empty())
    return raise(in, "popitem() of an empty dict");
  in.noteChange(a);
  // The first one in TorchScript, the last one in Python.
  auto [key, value] = a.dict().items.front();
  a.dict().items.erase(a.dict().items.begin());
  return give(Value::makeTuple({key, value}));
}
static Given update(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (!a.is(Kind::Dict) || !b.is(Kind::Dict))
    return wrongArguments(in, call, "update()");
  auto more = b.dict().items;
  in.noteChange(a);
  for (const auto &[key, value] : more)
    if (Value *old = find(a.dict(), key))
      *old = value;
    else
      a.dict().items.emplace_back(key, value);
  return give(Value());
}

/// A list sorted; of numbers or strings.
static Given sorted(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List))
    return declined();
  std::vector<Value> items = a.list().items;
  auto isText = [](const Value &v) { return v.is(Kind::String); };
  auto isNumber = [](const Value &v) { return v.isNumber(); };
  if (llvm::all_of(items, isText))
    llvm::sort(items, [](const Value &x, const Value &y) {
      return x.string() < y.string();
    });
  else if (llvm::all_of(items, isNumber))
    llvm::sort(items, [](const Value &x, const Value &y) {
      return x.number() < y.number();
    });
  else
    return wrongArguments(in, call, "sorted()");
  return give(Value::makeList(std::move(items)));
}
static Given sortInPlace(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List))
    return declined();
  Given result = sorted(in, call);
  if (mlir::failed(result))
    return result;
  Value ordered = **result;
  Value descending = argumentAt(call, 1);
  if (descending.is(Kind::Bool) && descending.boolean())
    std::reverse(ordered.list().items.begin(), ordered.list().items.end());
  in.noteChange(a);
  a.list().items = ordered.list().items;
  return give(Value());
}
static Given indexOf(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), part = argumentAt(call, 1);
  if (a.is(Kind::String) && part.is(Kind::String)) {
    size_t at = StringRef(a.string()).find(part.string());
    return at == StringRef::npos ? raise(in, "substring not found")
                                 : give(Value(static_cast<int64_t>(at)));
  }
  if (!a.is(Kind::List))
    return declined();
  for (auto [i, item] : llvm::enumerate(a.list().items))
    if (sameValue(item, argumentAt(call, 1)))
      return give(Value(static_cast<int64_t>(i)));
  return raise(in, "value is not in the list");
}

static Given remove(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List) || hasTensor(call))
    return declined();
  std::vector<Value> &items = a.list().items;
  auto it = llvm::find_if(items, [&](const Value &item) {
    return sameValue(item, argumentAt(call, 1));
  });
  if (it == items.end())
    return raise(in, "value is not in the list");
  in.noteChange(a);
  items.erase(it);
  return give(Value());
}

/// any(l) and all(l) of a list; of a tensor they are the graph's.
template <bool kAll>
static Given quantified(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!a.is(Kind::List))
    return declined();
  for (const Value &item : a.list().items) {
    auto truth = in.truth(item);
    if (mlir::failed(truth))
      return mlir::failure();
    if (*truth != kAll)
      return give(Value(!kAll));
  }
  return give(Value(kAll));
}

/// The bounds of range(n), range(a, b) and range(a, b, step), and its length.
struct Bounds {
  int64_t start = 0, end = 0, step = 1;
  uint64_t count = 0;
};
static mlir::FailureOr<Bounds> boundsOf(Interpreter &in, CallArguments &call) {
  auto refuse = [&](StringRef what) -> mlir::FailureOr<Bounds> {
    (void)wrongArguments(in, call, what);
    return mlir::failure();
  };
  int64_t given[3] = {0, 0, 1};
  size_t count = call.positional.size();
  if (count < 1 || count > 3)
    return refuse("range()");
  for (size_t i = 0; i < count; ++i) {
    Result value = in.scalar(call.positional[i]);
    if (mlir::failed(value))
      return mlir::failure();
    if (!value->is(Kind::Int))
      return refuse("range()");
    given[count == 1 ? 1 : i] = value->integer();
  }
  Bounds bounds{given[0], given[1], given[2]};
  if (bounds.step == 0)
    return refuse("range() with step 0");
  __int128 span = static_cast<__int128>(bounds.end) - bounds.start,
           step = bounds.step;
  if (step < 0)
    span = -span, step = -step;
  if (span > 0)
    bounds.count = static_cast<uint64_t>((span + step - 1) / step);
  return bounds;
}

/// Longer loops are not unrolled.
static constexpr uint64_t kMaxRange = 10000;

static Given range(Interpreter &in, CallArguments &call) {
  auto bounds = boundsOf(in, call);
  if (mlir::failed(bounds))
    return mlir::failure();
  if (bounds->count > kMaxRange) {
    aten::Emitter emitter(in.builder(), in.location());
    int64_t count = std::min<uint64_t>(bounds->count, INT64_MAX);
    Value number(aten::Tensor::make(emitter.number(Value(count))));
    number.tensor()->setNumber();
    return give(
        Value(std::shared_ptr<aten::Extension>(std::make_shared<RunTimeRange>(
            number, Value(bounds->start), Value(bounds->step)))));
  }
  std::vector<Value> items;
  items.reserve(bounds->count);
  for (uint64_t i = 0; i < bounds->count; ++i)
    items.push_back(
        Value(bounds->start + static_cast<int64_t>(i) * bounds->step));
  return give(Value::makeList(std::move(items)));
}
static Given rangeLength(Interpreter &in, CallArguments &call) {
  auto bounds = boundsOf(in, call);
  if (mlir::failed(bounds))
    return mlir::failure();
  return give(Value(
      static_cast<int64_t>(std::min<uint64_t>(bounds->count, INT64_MAX))));
}
static Given deriveIndex(Interpreter &in, CallArguments &call) {
  Value i = argumentAt(call, 0), start = argumentAt(call, 1),
        step = argumentAt(call, 2);
  if (!i.is(Kind::Int) || !start.is(Kind::Int) || !step.is(Kind::Int))
    return wrongArguments(in, call, "loop index");
  return give(Value(start.integer() + i.integer() * step.integer()));
}

Builtin graven::torch::findContainerBuiltin(StringRef name) {
  static constexpr std::pair<StringRef, Builtin> kTable[] = {
      {"len", len},
      {"__getitem__", getItem},
      {"_set_item", setItem},
      {"__delitem__", delItem},
      {"Delete", delItem},
      {"append", append},
      {"insert", insert},
      {"extend", extend},
      {"pop", pop},
      {"clear", clear},
      {"reverse", reverse},
      {"__contains__", contains},
      {"__contains__list", contains},
      {"slice", slice},
      {"list", list},
      {"copy", copy},
      {"dict", makeDict},
      {"keys", dictParts<true, false>},
      {"values", dictParts<false, true>},
      {"items", dictParts<true, true>},
      {"get", get},
      {"setdefault", setDefault},
      {"popitem", popItem},
      {"remove", remove},
      {"update", update},
      {"sorted", sorted},
      {"sort", sortInPlace},
      {"index", indexOf},
      {"any", quantified<false>},
      {"all", quantified<true>},
      {"range", range},
      {"__range_length", rangeLength},
      {"__derive_index", deriveIndex},
  };
  for (const auto &[key, builtin] : kTable)
    if (key == name)
      return builtin;
  return nullptr;
}
