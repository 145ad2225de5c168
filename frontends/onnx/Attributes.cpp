//===- Attributes.cpp - attributes of an ONNX node ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of a node's attributes, each of which must
// have the kind that the op expects.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "onnx/onnx.pb.h"

#include <array>
#include <charconv>

using namespace mlir;

namespace graven::onnx {

using pb::AttributeProto;

const AttributeProto *NodeBuilder::find(StringRef name, int type) {
  for (const AttributeProto &attribute : proto.attribute()) {
    if (attribute.name() != name)
      continue;
    const AttributeProto *found = &attribute;
    if (!attribute.ref_attr_name().empty())
      found = scope.getFrame().attributes.lookup(attribute.ref_attr_name());
    if (found && type && found->type() != type) {
      error(Code::BadGraph) << "attribute " << quoted(name)
                            << " is of another kind than expected";
      return nullptr;
    }
    return found;
  }
  return nullptr;
}

int64_t NodeBuilder::intAttr(StringRef name, int64_t otherwise) {
  const AttributeProto *found = find(name, AttributeProto::INT);
  return found ? found->i() : otherwise;
}

/// The number that a writer rounded to f32: the shortest decimal that rounds
/// so.
static double meant(float value) {
  std::array<char, 32> text;
  auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double result = value;
  if (llvm::StringRef(text.data(), end - text.data()).getAsDouble(result))
    return value;
  return result;
}

double NodeBuilder::floatAttr(StringRef name, double otherwise) {
  const AttributeProto *found = find(name, AttributeProto::FLOAT);
  if (!found)
    return otherwise;
  // What is computed in f32 cannot tell 1e-5 from its f32; other formats have
  // the former. In f64 the file's number counts.
  return elementTypeOf(input(0)).isF64() ? found->f() : meant(found->f());
}

std::string NodeBuilder::stringAttr(StringRef name, StringRef otherwise) {
  const AttributeProto *found = find(name, AttributeProto::STRING);
  return found ? found->s() : otherwise.str();
}

std::optional<IntList> NodeBuilder::intsAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::INTS);
  if (!found)
    return std::nullopt;
  return IntList(found->ints().begin(), found->ints().end());
}

std::optional<SmallVector<double>> NodeBuilder::floatsAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::FLOATS);
  if (!found)
    return std::nullopt;
  return SmallVector<double>(found->floats().begin(), found->floats().end());
}

std::optional<SmallVector<std::string>>
NodeBuilder::stringsAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::STRINGS);
  if (!found)
    return std::nullopt;
  return SmallVector<std::string>(found->strings().begin(),
                                  found->strings().end());
}

const pb::SparseTensorProto *NodeBuilder::sparseAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::SPARSE_TENSOR);
  return found ? &found->sparse_tensor() : nullptr;
}

const pb::TensorProto *NodeBuilder::tensorAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::TENSOR);
  return found ? &found->t() : nullptr;
}

const pb::GraphProto *NodeBuilder::graphAttr(StringRef name) {
  const AttributeProto *found = find(name, AttributeProto::GRAPH);
  if (!found && !broken)
    error(Code::BadGraph) << "has no sub-graph " << quoted(name);
  return found ? &found->g() : nullptr;
}

bool NodeBuilder::wantsOutput(size_t i) const {
  return i < getOutputCount() && !proto.output(i).empty();
}

size_t NodeBuilder::getOutputCount() const { return proto.output_size(); }

} // namespace graven::onnx
