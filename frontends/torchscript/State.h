//===- State.h - what a program can change ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the walk of a Block that may not run, or that runs
// again, knows what it changed of what was there before: a journal of storages,
// containers and attributes, with what they held.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_STATE_H
#define FRONTENDS_TORCHSCRIPT_STATE_H

#include "frontends/aten/Tensor.h"
#include "frontends/torchscript/Objects.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace graven::torch {

/// Visits a value and what it contains, at any depth. A dict's keys are known.
void forEachValue(const Value &value,
                  llvm::function_ref<void(const Value &)> visit,
                  llvm::DenseSet<const void *> &seen);

/// The address by which a list, dict or object is known; null for the rest.
const void *identity(const Value &value);

/// The lists, dicts and objects that variables lead to.
llvm::DenseSet<const void *> reachable(const llvm::StringMap<Value> &variables);

/// The items of a list, or the keys and values of a dict in turns.
std::vector<Value> itemsOf(const Value &container);
void setItems(const Value &container, std::vector<Value> items);

/// A list or dict, or an attribute of an object: `name` is empty for the first.
struct Holder {
  Value value;
  std::string name;

  /// What it holds: the items, or the one value of the attribute.
  std::vector<Value> get() const;
  void set(std::vector<Value> values) const;
  bool isSame(const Holder &other) const {
    return identity(value) == identity(other.value) && name == other.name;
  }
  bool isDict() const { return value.is(Value::Kind::Dict); }
  /// "attribute 'n'", "a list", "a dict".
  std::string describe() const;
};

/// What was changed, with what it held before, in the order of the changes.
struct Journal {
  std::vector<aten::Tensor::Contents> storages;
  std::vector<std::pair<Holder, std::vector<Value>>> holders;

  /// Storages that were not made in `block`, each once, with what they held
  /// first.
  std::vector<aten::Tensor::Contents> outside(mlir::Block *block) const;
  bool has(const Holder &holder) const;
  /// What was held before comes back, but for storages made in `block`.
  void undo(mlir::Block *block) const;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_STATE_H
