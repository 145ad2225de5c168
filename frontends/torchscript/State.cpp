//===- State.cpp - what a program can change ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the journal of a walk, and the way through values that
// hold others.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/State.h"

#include "llvm/ADT/STLExtras.h"

using namespace graven;
using namespace graven::torch;
using Kind = Value::Kind;
using Contents = aten::Tensor::Contents;

/// Containers within containers that are looked into.
static constexpr unsigned kMaxDepth = 64;

static void visitWithin(const Value &value,
                        llvm::function_ref<void(const Value &)> visit,
                        llvm::DenseSet<const void *> &seen, unsigned depth) {
  visit(value);
  if (depth > kMaxDepth)
    return;
  if (const std::vector<Value> *items = value.items()) {
    if (seen.insert(items).second)
      for (const Value &item : *items)
        visitWithin(item, visit, seen, depth + 1);
  } else if (value.is(Kind::Dict)) {
    if (seen.insert(&value.dict()).second)
      for (const auto &[key, item] : value.dict().items)
        visitWithin(item, visit, seen, depth + 1);
  } else if (auto *object = extensionIn<Object>(value)) {
    if (seen.insert(object).second)
      for (const auto &entry : object->attributes)
        visitWithin(entry.second, visit, seen, depth + 1);
  }
}

void torch::forEachValue(const Value &value,
                         llvm::function_ref<void(const Value &)> visit,
                         llvm::DenseSet<const void *> &seen) {
  visitWithin(value, visit, seen, 0);
}

const void *torch::identity(const Value &value) {
  if (value.is(Kind::List))
    return &value.list();
  if (value.is(Kind::Dict))
    return &value.dict();
  return extensionIn<Object>(value);
}

llvm::DenseSet<const void *>
torch::reachable(const llvm::StringMap<Value> &variables) {
  llvm::DenseSet<const void *> result, seen;
  for (const auto &entry : variables)
    forEachValue(
        entry.second,
        [&](const Value &value) {
          if (const void *address = identity(value))
            result.insert(address);
        },
        seen);
  return result;
}

std::vector<Value> torch::itemsOf(const Value &container) {
  if (container.is(Kind::List))
    return container.list().items;
  std::vector<Value> items;
  for (const auto &[key, item] : container.dict().items) {
    items.push_back(key);
    items.push_back(item);
  }
  return items;
}

void torch::setItems(const Value &container, std::vector<Value> items) {
  if (container.is(Kind::List)) {
    container.list().items = std::move(items);
    return;
  }
  container.dict().items.clear();
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    container.dict().items.emplace_back(items[i], items[i + 1]);
}

std::vector<Value> Holder::get() const {
  Object *object = extensionIn<Object>(value);
  return object ? std::vector<Value>{object->attributes.lookup(name)}
                : itemsOf(value);
}

void Holder::set(std::vector<Value> values) const {
  if (Object *object = extensionIn<Object>(value))
    object->attributes[name] = values.front();
  else
    setItems(value, std::move(values));
}

std::string Holder::describe() const {
  if (extensionIn<Object>(value))
    return "attribute '" + name + "'";
  return value.is(Kind::List) ? "a list" : "a dict";
}

std::vector<Contents> Journal::outside(mlir::Block *block) const {
  std::vector<Contents> result;
  llvm::DenseSet<const void *> seen;
  for (Contents contents : storages)
    if (!isWithin(contents.value.getParentBlock(), block) &&
        seen.insert(contents.storage.get()).second)
      result.push_back(contents);
  return result;
}

bool Journal::has(const Holder &holder) const {
  return llvm::any_of(
      holders, [&](const auto &entry) { return entry.first.isSame(holder); });
}

void Journal::undo(mlir::Block *block) const {
  for (const auto &[holder, items] : llvm::reverse(holders))
    holder.set(items);
  for (const Contents &contents : outside(block))
    contents.restore();
}
