//===- GraphImporter.h - from GraphProto to graven.graph ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the walk over the nodes of a model: scoped names, lazily
// declared Parameters, sub-graphs, inlined functions.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_GRAPHIMPORTER_H
#define FRONTENDS_ONNX_GRAPHIMPORTER_H

#include "dialects/graven/Graven.h"
#include "frontends/DataExtents.h"
#include "frontends/ImportOptions.h"
#include "frontends/onnx/Interface.h"
#include "frontends/onnx/ModelFile.h"
#include "frontends/onnx/OpTable.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace google::protobuf {
template <typename T> class RepeatedPtrField;
} // namespace google::protobuf
namespace onnx {
class AttributeProto;
class FunctionProto;
class GraphProto;
class NodeProto;
} // namespace onnx

namespace graven::onnx {

using Nodes = google::protobuf::RepeatedPtrField<pb::NodeProto>;
using AttributeMap = llvm::StringMap<const pb::AttributeProto *>;

/// What holds for all nodes of a graph or of one call of a function.
struct Frame {
  OpsetMap opsets;
  AttributeMap attributes; ///< of the call; empty for the graph
};

/// The names of one Block; those of the enclosing ones are visible.
class Scope {
public:
  Scope(const Frame &frame, Scope *outer) : frame(frame), outer(outer) {}

  const Frame &getFrame() const { return frame; }
  Scope *getOuter() const { return outer; }
  /// Whether this or an enclosing Block defines the name.
  bool isDefined(llvm::StringRef name) const;
  /// What the bytes of a value stand for (Narrow.h); null when they are its
  /// elements.
  mlir::Type narrowOf(llvm::StringRef name) const;

  llvm::StringMap<mlir::Value> values;
  llvm::StringMap<TensorData> initializers;
  llvm::StringMap<mlir::Type> narrow;
  /// Names that a later node of the Block defines.
  llvm::StringSet<> later;

private:
  const Frame &frame;
  Scope *outer;
};

class GraphImporter {
public:
  GraphImporter(ModelFile &file, const ImportOptions &options,
                const OpTable &table);

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> run();

  mlir::OpBuilder &getBuilder() { return builder; }
  ModelFile &getFile() { return file; }
  DataExtents &getExtents() { return extents; }
  /// Set by an error that a loop's iterations would not have, were each of
  /// them Nodes of its own.
  bool needsUnrolling = false;
  /// Where an input of the model stands among its inputs.
  int64_t positionOf(llvm::StringRef input) const;

  /// The value called `name`, as `loc` uses it: a Parameter is declared at its
  /// first use. Null stands for an input that a call of a function leaves out;
  /// an undefined name is reported (BadGraph).
  mlir::FailureOr<mlir::Value> lookUp(mlir::Location loc, Scope &scope,
                                      llvm::StringRef name);

  /// Imports a sub-graph at the builder's insertion point; `arguments` are its
  /// inputs. Gives its outputs, and in `meanings` what these stand for where
  /// they are codes, which without it is an error.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  importSubgraph(mlir::Location loc, const pb::GraphProto &graph, Scope &outer,
                 llvm::ArrayRef<mlir::Value> arguments,
                 llvm::SmallVectorImpl<mlir::Type> *meanings = nullptr);

  /// The tensor as a Parameter called `name`, or as a constant when it is a
  /// scalar or a short list of ints or bools.
  mlir::Value materialize(mlir::Location loc, llvm::StringRef name,
                          const TensorData &data);

private:
  /// As lookUp, where null will not do.
  mlir::FailureOr<mlir::Value> lookUpOutput(mlir::Location loc, Scope &scope,
                                            llvm::StringRef name);
  mlir::LogicalResult replaceElements(mlir::Location loc, llvm::StringRef name,
                                      TensorData &data) const;
  mlir::LogicalResult declareInitializers(const pb::GraphProto &graph,
                                          Scope &scope);
  mlir::LogicalResult importNodes(mlir::Location loc, const Nodes &nodes,
                                  Scope &scope);
  mlir::LogicalResult importNode(const pb::NodeProto &node, int index,
                                 Scope &scope);
  mlir::LogicalResult importCall(mlir::Location loc, const pb::NodeProto &node,
                                 const pb::FunctionProto &function,
                                 Scope &scope);
  mlir::LogicalResult define(mlir::Location loc, Scope &scope,
                             llvm::StringRef name, mlir::Value value);
  mlir::LogicalResult importGraph();
  mlir::LogicalResult defineInputs(Scope &scope);
  mlir::LogicalResult importOutputs(Scope &scope);
  mlir::Value declareParameter(mlir::Location loc, llvm::StringRef name,
                               const TensorData &data);
  void removeUnused();

  ModelFile &file;
  const ImportOptions &options;
  const OpTable &table;
  mlir::OpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  GraphOp graph;
  mlir::Operation *lastParameterUse = nullptr;
  DataExtents extents;
  FunctionMap functions;
  ModelInputs inputs;
  llvm::StringSet<> symbols;
  unsigned depth = 0;
  int64_t nodeCount = 0;
};

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_GRAPHIMPORTER_H
