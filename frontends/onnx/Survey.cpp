//===- Survey.cpp - are all nodes known? ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the survey of the nodes of a model.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Survey.h"

#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Schemas.h"
#include "frontends/onnx/Text.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace graven::onnx {

Location locationOf(MLIRContext *context, const pb::NodeProto &node,
                    int index) {
  std::string name = node.name();
  if (name.empty())
    name = node.op_type() + "_" + std::to_string(index);
  return NameLoc::get(StringAttr::get(context, name));
}

namespace {

/// An op that has no builder.
struct Missing {
  Location first;
  int64_t count = 0;
  SmallVector<std::string, 3> places;
};

class Survey {
public:
  Survey(const ModelFile &file, const OpTable &table,
         const FunctionMap &functions, const ImportOptions &options)
      : file(file), table(table), functions(functions), options(options) {}

  /// Recurses as deep as messages are nested, which the parser has limited.
  template <class NodeList>
  LogicalResult walk(const NodeList &nodes, const OpsetMap &opsets) {
    for (auto [index, node] : llvm::enumerate(nodes)) {
      for (const pb::AttributeProto &attribute : node.attribute()) {
        if (attribute.has_g() && failed(walk(attribute.g().node(), opsets)))
          return failure();
        for (const pb::GraphProto &graph : attribute.graphs())
          if (failed(walk(graph.node(), opsets)))
            return failure();
      }
      if (const pb::FunctionProto *function = findFunction(functions, node))
        called.push_back(function);
      else
        check(node, index, opsets);
    }
    return success();
  }

  LogicalResult run(const OpsetMap &opsets) {
    if (failed(walk(file.getModel().graph().node(), opsets)))
      return failure();
    inGraph = false;
    llvm::SmallPtrSet<const pb::FunctionProto *, 8> seen;
    while (!called.empty()) {
      const pb::FunctionProto *function = called.pop_back_val();
      if (!seen.insert(function).second)
        continue;
      auto own = readOpsets(file.getLocation(), function->opset_import());
      if (failed(own) || failed(walk(function->node(), *own)))
        return failure();
    }
    return report();
  }

private:
  void check(const pb::NodeProto &node, int index, const OpsetMap &opsets) {
    StringRef domain = normalDomain(node.domain());
    auto opset = opsets.find(domain);
    bool isKnown = opset != opsets.end() &&
                   table.find(domain, node.op_type(), opset->second);
    options.noteUse(node.op_type(), isKnown);
    Location loc = locationOf(file.getLocation().getContext(), node, index);
    if (isKnown)
      return checkForm(node, domain, opset->second, loc);
    std::string name = domain.empty() ? "ai.onnx" : quoted(domain);
    std::string what = quoted(node.op_type()) + " of domain " + name +
                       (opset == opsets.end()
                            ? std::string(", which the model does not import")
                            : ", opset " + std::to_string(opset->second));
    auto &entry = missing.insert({what, Missing{loc, 0, {}}}).first->second;
    ++entry.count;
    if (entry.places.size() < 3)
      entry.places.push_back(quoted(cast<NameLoc>(loc).getName()));
  }

  /// Whether the node has what its op's version says.
  void checkForm(const pb::NodeProto &node, StringRef domain, int64_t opset,
                 Location loc) {
    const OpSchema *schema = findSchema(domain, node.op_type(), opset);
    auto problem = schema ? violation(node, *schema) : std::nullopt;
    if (!problem && inGraph)
      problem = foreignReference(node);
    if (problem && ++malformed <= kMostReported)
      emitCoded(loc, Code::BadGraph) << node.op_type() << ": " << *problem;
  }

  /// Only the nodes of functions can refer to attributes of the call.
  static std::optional<std::string>
  foreignReference(const pb::NodeProto &node) {
    for (const pb::AttributeProto &attribute : node.attribute())
      if (!attribute.ref_attr_name().empty())
        return "attribute " + quoted(attribute.name()) + " refers to " +
               quoted(attribute.ref_attr_name()) +
               " of a function, and is in none";
    return std::nullopt;
  }

  LogicalResult report() {
    for (auto &[what, entry] : missing) {
      InFlightDiagnostic diagnostic =
          emitCoded(entry.first, Code::UnsupportedOp);
      diagnostic << what << " is not supported; used " << entry.count
                 << (entry.count == 1 ? " time" : " times") << ": "
                 << llvm::join(entry.places, ", ")
                 << (entry.count > static_cast<int64_t>(entry.places.size())
                         ? ", ..."
                         : "");
    }
    return success(missing.empty() && malformed == 0);
  }

  const ModelFile &file;
  const OpTable &table;
  const FunctionMap &functions;
  const ImportOptions &options;
  static constexpr int64_t kMostReported = 20;

  bool inGraph = true; ///< not in a function
  int64_t malformed = 0;
  SmallVector<const pb::FunctionProto *> called;
  llvm::MapVector<std::string, Missing, std::map<std::string, unsigned>>
      missing;
};

} // namespace

LogicalResult surveyOps(const ModelFile &file, const OpTable &table,
                        const OpsetMap &opsets, const FunctionMap &functions,
                        const ImportOptions &options) {
  return Survey(file, table, functions, options).run(opsets);
}

} // namespace graven::onnx
