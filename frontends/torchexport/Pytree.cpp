//===- Pytree.cpp - the nesting of arguments and results ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements tree specifications. Source: torch/utils/_pytree.py,
// treespec_dumps of protocol 1.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Pytree.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;

size_t Pytree::leafCount() const {
  size_t count = isLeaf;
  for (const Pytree &child : children)
    count += child.leafCount();
  return count;
}

/// The strings of a list, read from a context, which is JSON within a string.
static std::vector<std::string> stringsIn(const json::Value *value) {
  std::vector<std::string> strings;
  const json::Array *list = value ? value->getAsArray() : nullptr;
  for (const json::Value &item : list ? *list : json::Array())
    if (auto text = item.getAsString())
      strings.push_back(text->str());
    else if (auto number = item.getAsInteger())
      strings.push_back(std::to_string(*number));
  return strings;
}

/// The context of a NamedTuple is its type's name. Keys of a dict are the
/// context's list; a class that registered its fields does the same, or has
/// lists within the list. A context may be any text.
static std::vector<std::string> keysIn(StringRef type, StringRef context,
                                       const json::Object *fields) {
  if (type.ends_with("namedtuple")) {
    const json::Object *own = fields ? fields->getObject(context) : nullptr;
    return stringsIn(own ? own->get("field_names") : nullptr);
  }
  auto value = parseValue(context, "context");
  if (!value) {
    llvm::consumeError(value.takeError());
    return {};
  }
  if (auto keys = stringsIn(&*value); !keys.empty())
    return keys;
  const json::Array *list = value->getAsArray();
  return list && !list->empty() ? stringsIn(&list->front())
                                : std::vector<std::string>();
}

/// The parser bounded the depth.
static std::optional<Pytree> readTree(const json::Value &value,
                                      const json::Object *fields) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return std::nullopt;
  Pytree tree;
  auto type = object->getString("type");
  tree.isLeaf = !type;
  for (const json::Value &child : listIn(*object, "children_spec")) {
    auto read = readTree(child, fields);
    if (!read)
      return std::nullopt;
    tree.children.push_back(std::move(*read));
  }
  if (type && !tree.children.empty()) {
    tree.keys =
        keysIn(*type, object->getString("context").value_or(""), fields);
    if (tree.keys.size() != tree.children.size())
      tree.keys.clear();
  }
  return tree;
}

std::optional<Pytree> torchexport::parsePytree(StringRef text,
                                               const json::Object *fields) {
  auto value = parseValue(text, "spec");
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  const json::Array *list = value->getAsArray();
  llvm::ArrayRef<json::Value> parts;
  if (list)
    parts = llvm::ArrayRef(list->data(), list->size());
  return parts.size() == 2 ? readTree(parts[1], fields) : std::nullopt;
}

static void nameLeaves(const Pytree &tree, const std::string &name,
                       std::vector<std::string> &names) {
  if (tree.isLeaf)
    names.push_back(name);
  for (auto [i, child] : llvm::enumerate(tree.children))
    nameLeaves(child,
               name + "." +
                   (tree.keys.empty() ? std::to_string(i) : tree.keys[i]),
               names);
}

std::vector<std::string>
torchexport::argumentNames(const Pytree &call,
                           llvm::ArrayRef<json::Value> parameters) {
  std::vector<std::string> names;
  for (const Pytree &part : call.children)
    for (auto [i, argument] : llvm::enumerate(part.children)) {
      auto parameter =
          i < parameters.size() ? parameters[i].getAsString() : std::nullopt;
      nameLeaves(argument,
                 !part.keys.empty() ? part.keys[i]
                 : parameter        ? parameter->str()
                                    : "input" + std::to_string(i),
                 names);
    }
  return names;
}

static aten::Value nestFrom(const Pytree &tree,
                            llvm::ArrayRef<aten::Value> &leaves) {
  if (tree.isLeaf) {
    aten::Value leaf = leaves.front();
    leaves = leaves.drop_front();
    return leaf;
  }
  if (tree.keys.empty()) {
    std::vector<aten::Value> items;
    for (const Pytree &child : tree.children)
      items.push_back(nestFrom(child, leaves));
    return aten::Value::makeTuple(std::move(items));
  }
  aten::Value dict = aten::Value::makeDict();
  for (auto [key, child] : llvm::zip(tree.keys, tree.children))
    dict.dict().items.emplace_back(aten::Value(key), nestFrom(child, leaves));
  return dict;
}

aten::Value torchexport::nest(const Pytree &tree,
                              llvm::ArrayRef<aten::Value> leaves) {
  return nestFrom(tree, leaves);
}
