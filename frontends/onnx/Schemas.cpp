//===- Schemas.cpp - what an op's version lets a node have ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the check of nodes by the schemas of ONNX.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Schemas.h"

#include "frontends/onnx/Text.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

#include <tuple>

using namespace mlir;

namespace graven::onnx {

using pb::AttributeProto;

// In the order of names and versions.
static constexpr OpSchema schemas[] = {
#include "frontends/onnx/Schemas.inc"
};

const OpSchema *findSchema(StringRef domain, StringRef name, int64_t opset) {
  std::string key = domain.empty() ? name.str() : (domain + "/" + name).str();
  const auto *after = llvm::upper_bound(
      schemas, std::make_tuple(StringRef(key), opset),
      [](const std::tuple<StringRef, int64_t> &wanted, const OpSchema &schema) {
        return wanted < std::make_tuple(StringRef(schema.name),
                                        static_cast<int64_t>(schema.since));
      });
  if (after == std::begin(schemas) || std::prev(after)->name != key)
    return nullptr;
  return std::prev(after);
}

static AttributeProto::AttributeType kindOf(char letter) {
  switch (letter) {
  case 'f':
    return AttributeProto::FLOAT;
  case 'i':
    return AttributeProto::INT;
  case 's':
    return AttributeProto::STRING;
  case 't':
    return AttributeProto::TENSOR;
  case 'g':
    return AttributeProto::GRAPH;
  case 'z':
    return AttributeProto::SPARSE_TENSOR;
  case 'p':
    return AttributeProto::TYPE_PROTO;
  case 'F':
    return AttributeProto::FLOATS;
  case 'I':
    return AttributeProto::INTS;
  case 'S':
    return AttributeProto::STRINGS;
  case 'T':
    return AttributeProto::TENSORS;
  case 'G':
    return AttributeProto::GRAPHS;
  default:
    llvm_unreachable("Schemas.inc has no other letters");
  }
}

static std::string kindName(int kind) {
  std::string name = AttributeProto::AttributeType_Name(
      static_cast<AttributeProto::AttributeType>(kind));
  return name.empty() ? "kind " + std::to_string(kind) : name;
}

/// "2 inputs, expected 1 to 3", where `count` is none of these.
static std::optional<std::string> miscounted(int count, int least, int most,
                                             const char *what) {
  if (count >= least && (most < 0 || count <= most))
    return std::nullopt;
  std::string expected = std::to_string(least);
  if (most < 0)
    expected = "at least " + expected;
  else if (most != least)
    expected += " to " + std::to_string(most);
  return "has " + std::to_string(count) + " " + what + ", expected " + expected;
}

static std::optional<std::string> violation(const pb::NodeProto &node,
                                            StringRef attributes) {
  llvm::StringSet<> given;
  for (const AttributeProto &attribute : node.attribute())
    if (!given.insert(attribute.name()).second)
      return "has the attribute " + quoted(attribute.name()) + " twice";
  SmallVector<StringRef> known;
  attributes.split(known, ' ', -1, /*KeepEmpty=*/false);
  llvm::StringMap<AttributeProto::AttributeType> kinds;
  for (StringRef entry : known) {
    auto [name, kind] = entry.split(':');
    kinds[name] = kindOf(kind.front());
    if (kind.ends_with("!") && !given.contains(name))
      return "lacks the attribute " + quoted(name);
  }
  for (const AttributeProto &attribute : node.attribute()) {
    // Names of two underscores are what a runtime notes for itself.
    StringRef name = attribute.name();
    if (name.starts_with("__"))
      continue;
    auto kind = kinds.find(name);
    if (kind == kinds.end())
      return "has the attribute " + quoted(name) +
             ", which this version of the op does not have";
    if (attribute.type() != kind->second)
      return "attribute " + quoted(name) + " is " + kindName(attribute.type()) +
             ", expected " + kindName(kind->second);
  }
  return std::nullopt;
}

std::optional<std::string> violation(const pb::NodeProto &node,
                                     const OpSchema &schema) {
  if (auto inputs = miscounted(node.input_size(), schema.minInputs,
                               schema.maxInputs, "inputs"))
    return inputs;
  if (auto outputs = miscounted(node.output_size(), schema.minOutputs,
                                schema.maxOutputs, "outputs"))
    return outputs;
  return violation(node, schema.attributes);
}

} // namespace graven::onnx
