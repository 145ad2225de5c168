//===- Surgery.cpp - ONNX models as lists of nodes -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements counting a model's nodes and cutting some of them out.
// The message is changed, not the Graph, so that what stays is as it was.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Surgery.h"

#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Interface.h"
#include "frontends/onnx/ModelFile.h"
#include "frontends/onnx/Survey.h"
#include "frontends/onnx/Text.h"
#include "frontends/onnx/exports/Exporter.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

using namespace onnx;

static FailureOr<std::unique_ptr<ModelFile>> openModel(MLIRContext *context,
                                                       StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitCoded(FileLineColLoc::get(context, path, 0, 0), Code::CannotRead)
           << buffer.getError().message();
  StringRef directory = llvm::sys::path::parent_path(path);
  return ModelFile::parse(context, std::move(*buffer),
                          directory.empty() ? "." : directory);
}

/// Calls `visit` for each node, those of sub-graphs included; these are nested
/// as deep as messages are, which the parser has limited.
template <class NodeList, class Visit>
static void walk(const NodeList &nodes, Visit visit) {
  for (const pb::NodeProto &node : nodes) {
    visit(node);
    for (const pb::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        walk(attribute.g().node(), visit);
      for (const pb::GraphProto &graph : attribute.graphs())
        walk(graph.node(), visit);
    }
  }
}

FailureOr<OnnxSummary> summarizeOnnx(MLIRContext *context, StringRef path) {
  auto file = openModel(context, path);
  if (failed(file))
    return failure();
  const pb::ModelProto &model = (*file)->getModel();
  OnnxSummary summary;
  for (const pb::OperatorSetIdProto &import : model.opset_import())
    if (normalDomain(import.domain()).empty())
      summary.opset = import.version();
  auto count = [&](const pb::NodeProto &node) {
    StringRef domain = normalDomain(node.domain());
    ++summary
          .ops[(domain + (domain.empty() ? "" : "/") + node.op_type()).str()];
  };
  walk(model.graph().node(), count);
  for (const pb::FunctionProto &function : model.functions())
    walk(function.node(), count);
  return summary;
}

FailureOr<std::vector<OnnxValue>> listOnnxValues(MLIRContext *context,
                                                 StringRef path) {
  auto file = openModel(context, path);
  if (failed(file))
    return failure();
  std::vector<OnnxValue> values;
  for (auto [i, node] : llvm::enumerate((*file)->getModel().graph().node()))
    for (const std::string &name : node.output())
      if (!name.empty())
        values.push_back(
            {name, locationOf(context, node, static_cast<int>(i))});
  return values;
}

namespace {

class Extraction {
public:
  Extraction(ModelFile &file, TypeOf typeOf)
      : file(file), graph(file.getModel().graph()), typeOf(typeOf) {
    for (const auto *list :
         {&graph.input(), &graph.value_info(), &graph.output()})
      for (const pb::ValueInfoProto &info : *list)
        if (info.type().has_tensor_type())
          declared.try_emplace(info.name(), &info);
    for (const pb::ValueInfoProto &info : graph.input())
      isInput.insert(info.name());
    for (const pb::TensorProto &tensor : graph.initializer())
      initializers[tensor.name()] = &tensor;
    for (auto [i, node] : llvm::enumerate(graph.node()))
      for (const std::string &name : node.output())
        makers.try_emplace(name, i);
  }

  FailureOr<std::string> run(ArrayRef<std::string> from,
                             ArrayRef<std::string> to) {
    pb::ModelProto model = file.getModel();
    pb::GraphProto &made = *model.mutable_graph();
    made.Clear();
    made.set_name(graph.name());
    bool good = true;
    for (const std::string &name : from)
      good &= known(name) && begins.insert(name).second &&
              declare(name, *made.add_input());
    for (const std::string &name : to)
      good &= known(name) && declare(name, *made.add_output());
    if (!good)
      return failure();
    for (const std::string &name : to)
      work.push_back(name);
    while (!work.empty())
      if (failed(need(work.pop_back_val(), made)))
        return failure();
    for (auto [i, node] : llvm::enumerate(graph.node()))
      if (needed.contains(i))
        *made.add_node() = node;
    return model.SerializeAsString();
  }

private:
  bool known(const std::string &name) {
    if (makers.count(name) || isInput.contains(name) ||
        initializers.count(name))
      return true;
    emitCoded(file.getLocation(), Code::BadOption)
        << "the model has no value " << quoted(name);
    return false;
  }

  /// Its name and type.
  bool declare(const std::string &name, pb::ValueInfoProto &info) {
    if (auto own = declared.find(name); own != declared.end()) {
      info = *own->second;
      return true;
    }
    FailureOr<RankedTensorType> type = typeOf(name);
    if (failed(type))
      return false;
    info.set_name(name);
    auto &tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(dataTypeOf(type->getElementType()));
    for (int64_t extent : type->getShape()) {
      auto &dim = *tensor.mutable_shape()->add_dim();
      if (!ShapedType::isDynamic(extent))
        dim.set_dim_value(extent);
    }
    tensor.mutable_shape();
    return true;
  }

  LogicalResult need(const std::string &name, pb::GraphProto &made) {
    if (name.empty() || begins.contains(name) || !seen.insert(name).second)
      return success();
    if (auto maker = makers.find(name); maker != makers.end()) {
      if (!needed.insert(maker->second).second)
        return success();
      // What sub-graphs take from outside is needed, too; names that they
      // define themselves are nobody's here.
      auto take = [&](const pb::NodeProto &node) {
        for (const std::string &input : node.input())
          work.push_back(input);
        for (const pb::AttributeProto &attribute : node.attribute())
          for (const pb::ValueInfoProto &output : attribute.g().output())
            work.push_back(output.name());
      };
      const pb::NodeProto &node = graph.node(maker->second);
      take(node);
      for (const pb::AttributeProto &attribute : node.attribute()) {
        walk(attribute.g().node(), take);
        for (const pb::GraphProto &inner : attribute.graphs())
          walk(inner.node(), take);
      }
      return success();
    }
    if (auto tensor = initializers.find(name); tensor != initializers.end())
      return copy(*tensor->second, *made.add_initializer());
    if (isInput.contains(name) && !declare(name, *made.add_input()))
      return failure();
    return success();
  }

  /// With the elements in the message, wherever they were.
  LogicalResult copy(const pb::TensorProto &tensor, pb::TensorProto &made) {
    Location loc = NameLoc::get(
        StringAttr::get(file.getLocation().getContext(), tensor.name()));
    made = tensor;
    auto data = file.read(loc, tensor);
    if (failed(data))
      return failure();
    // Typed fields stay; raw data and files are read.
    bool isPacked = !data->packed.empty();
    if (data->owned && !isPacked)
      return success();
    StringRef elements = isPacked ? data->packed : data->bytes;
    bytes += elements.size();
    if (bytes > kMostBytes)
      return emitCoded(loc, Code::UnsupportedFeature)
             << "what is extracted has more than " << kMostBytes
             << " bytes of weights";
    made.clear_external_data();
    made.clear_data_location();
    made.set_raw_data(elements.data(), elements.size());
    return success();
  }

  /// What a protobuf message can hold, with room for the rest of the model.
  static constexpr uint64_t kMostBytes = (uint64_t(1) << 31) - (1 << 26);

  ModelFile &file;
  const pb::GraphProto &graph;
  TypeOf typeOf;
  llvm::StringMap<const pb::ValueInfoProto *> declared;
  llvm::StringMap<const pb::TensorProto *> initializers;
  llvm::StringMap<int> makers;
  llvm::StringSet<> isInput, begins, seen;
  llvm::DenseSet<int> needed;
  SmallVector<std::string> work;
  uint64_t bytes = 0;
};

} // namespace

FailureOr<std::string> extractOnnx(MLIRContext *context, StringRef path,
                                   ArrayRef<std::string> from,
                                   ArrayRef<std::string> to, TypeOf typeOf) {
  auto file = openModel(context, path);
  if (failed(file))
    return failure();
  return Extraction(**file, typeOf).run(from, to);
}

} // namespace graven
