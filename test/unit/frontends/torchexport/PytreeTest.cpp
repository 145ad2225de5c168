//===- PytreeTest.cpp - tests of tree specifications ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the reading of PyTorch's tree specifications and the naming
// of what they nest.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Pytree.h"

#include "gtest/gtest.h"

using namespace graven;
using namespace graven::torchexport;

static const std::string leaf =
    R"({"type": null, "context": null, "children_spec": []})";

/// A node of that type over leaves.
static std::string over(const std::string &type, const std::string &context,
                        std::vector<std::string> children) {
  std::string text = R"({"type": ")" + type + R"(", "context": ")" + context +
                     R"(", "children_spec": [)";
  for (size_t i = 0; i < children.size(); ++i)
    text += (i ? ", " : "") + children[i];
  return text + "]}";
}

static std::optional<Pytree> parse(const std::string &tree,
                                   const json::Object *fields = nullptr) {
  return parsePytree("[1, " + tree + "]", fields);
}

TEST(Pytree, namesArguments) {
  std::string list = over("builtins.list", "null", {leaf, leaf});
  std::string args = over("builtins.tuple", "null", {leaf, list});
  std::string kwargs =
      over("builtins.dict", R"([\"mask\"])",
           {over("builtins.dict", R"([\"a\", \"b\"])", {leaf, leaf})});
  auto tree = parse(over("builtins.tuple", "null", {args, kwargs}));
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->leafCount(), 5u);
  json::Array names{"x", "xs", "mask"};
  EXPECT_EQ(
      argumentNames(*tree, llvm::ArrayRef(names.data(), names.size())),
      (std::vector<std::string>{"x", "xs.0", "xs.1", "mask.a", "mask.b"}));
}

TEST(Pytree, nestsResults) {
  auto tree = parse(over("builtins.tuple", "null",
                         {leaf, over("collections.OrderedDict",
                                     R"([\"out\", \"aux\"])", {leaf, leaf})}));
  ASSERT_TRUE(tree);
  using aten::Value;
  Value value =
      nest(*tree, {Value(int64_t(1)), Value(int64_t(2)), Value(int64_t(3))});
  ASSERT_TRUE(value.is(Value::Kind::Tuple));
  EXPECT_EQ(value.tuple().items[0].integer(), 1);
  const aten::Dict &dict = value.tuple().items[1].dict();
  EXPECT_EQ(dict.items[1].first.string(), "aux");
  EXPECT_EQ(dict.items[1].second.integer(), 3);
}

TEST(Pytree, takesFieldsOfNamedTuples) {
  json::Object fields{
      {"m.Result",
       json::Object{{"field_names", json::Array{"logits", "hidden"}}}}};
  auto tree =
      parse(over("collections.namedtuple", "m.Result", {leaf, leaf}), &fields);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->keys, (std::vector<std::string>{"logits", "hidden"}));
}

TEST(Pytree, refusesWhatIsNone) {
  EXPECT_FALSE(parsePytree("", nullptr));
  EXPECT_FALSE(parsePytree("[1]", nullptr));
  EXPECT_FALSE(parsePytree("[1, 2]", nullptr));
  EXPECT_FALSE(parsePytree(std::string(100000, '['), nullptr));
  // A context may be any text, and is then no list of keys.
  auto tree = parse(over("m.Class", std::string(100000, '['), {leaf}));
  ASSERT_TRUE(tree);
  EXPECT_TRUE(tree->keys.empty());
}
