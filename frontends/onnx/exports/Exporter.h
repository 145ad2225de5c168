//===- Exporter.h - makes ONNX nodes of Graven's ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the functions get that express one op of the dialect
// in ONNX: names of values, makers of nodes and constants, and the table they
// stand in.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_EXPORTS_EXPORTER_H
#define FRONTENDS_ONNX_EXPORTS_EXPORTER_H

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Export.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/StringSet.h"

#include <variant>

namespace graven::onnx {
namespace pb = ::onnx;

/// The name of a value in the model; empty for an optional input that is
/// absent, or after an error.
using Name = std::string;
using Names = llvm::SmallVector<Name>;

/// An attribute of a node.
struct Attr {
  const char *name;
  std::variant<int64_t, float, std::string, llvm::SmallVector<int64_t>,
               llvm::SmallVector<float>, llvm::SmallVector<std::string>>
      value;

  Attr(const char *name, bool value) : name(name), value(int64_t(value)) {}
  Attr(const char *name, int value) : name(name), value(int64_t(value)) {}
  Attr(const char *name, int64_t value) : name(name), value(value) {}
  Attr(const char *name, double value) : name(name), value(float(value)) {}
  Attr(const char *name, const char *value)
      : name(name), value(std::string(value)) {}
  Attr(const char *name, std::string value)
      : name(name), value(std::move(value)) {}
  Attr(const char *name, llvm::ArrayRef<int64_t> value)
      : name(name),
        value(llvm::SmallVector<int64_t>(value.begin(), value.end())) {}
  Attr(const char *name, llvm::SmallVector<float> value)
      : name(name), value(std::move(value)) {}
  Attr(const char *name, llvm::SmallVector<std::string> value)
      : name(name), value(std::move(value)) {}
};
using Attrs = llvm::ArrayRef<Attr>;

/// A constant or Parameter of the model.
struct Initializer {
  std::string name;
  mlir::RankedTensorType type;
  /// Its elements, or the Parameter that has them.
  std::string bytes;
  ParamOp param;
};

/// TensorProto.DataType of an element type.
int32_t dataTypeOf(mlir::Type elementType);

class Exporter;
using Express = void (*)(Exporter &, mlir::Operation *);

/// How each op of the dialect is expressed.
class ExportTable {
public:
  ExportTable();
  /// Null when no function is there.
  Express find(mlir::Operation *op) const {
    return entries.lookup(op->getName().getStringRef());
  }
  template <class Op, void (*express)(Exporter &, Op)> void add() {
    entries[Op::getOperationName()] = [](Exporter &e, mlir::Operation *op) {
      express(e, llvm::cast<Op>(op));
    };
  }

private:
  llvm::StringMap<Express> entries;
};

void addElementwiseExports(ExportTable &table);
void addMovementExports(ExportTable &table);
void addContractionExports(ExportTable &table);
void addDetectionExports(ExportTable &table);
void addReductionExports(ExportTable &table);
void addNormExports(ExportTable &table);
void addRecurrentExports(ExportTable &table);
void addResizeExports(ExportTable &table);
void addSliceExports(ExportTable &table);
void addStructureExports(ExportTable &table);

/// Where the Node only drops the axis of a slice of one place, the two are one
/// node. False, and nothing is made, of others.
bool expressIndexed(Exporter &e, ReshapeOp op);

class Exporter {
public:
  Exporter(mlir::ModuleOp module, const OnnxExportOptions &options);

  /// Fills `graph`; failure when anything was reported.
  mlir::LogicalResult run(GraphOp forward, pb::GraphProto &graph);

  int64_t opset() const { return options.opset; }
  /// Whether a Node has no form at this opset.
  bool lacksOps() const { return lacking; }

  // Values.
  static mlir::RankedTensorType typeOf(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  static mlir::Type element(mlir::Value value) {
    return typeOf(value).getElementType();
  }
  static int64_t rank(mlir::Value value) { return typeOf(value).getRank(); }
  static bool isFloat(mlir::Value value) {
    return llvm::isa<mlir::FloatType>(element(value));
  }
  static bool isBool(mlir::Value value) { return element(value).isInteger(1); }
  /// The name of a value, empty for none.
  Name name(mlir::Value value) const {
    return value ? names.lookup(value) : Name();
  }
  /// Lets `result` be what `name` names, which may have another name then: the
  /// last thing to do with it.
  void alias(mlir::Value result, const Name &name);

  // Nodes.
  /// A node whose outputs are new values.
  Name make(llvm::StringRef type, llvm::ArrayRef<Name> inputs,
            Attrs attributes = {});
  Names makeAll(llvm::StringRef type, llvm::ArrayRef<Name> inputs,
                Attrs attributes, size_t outputs);
  /// A node that computes the results of `op`.
  pb::NodeProto *give(mlir::Operation *op, llvm::StringRef type,
                      llvm::ArrayRef<Name> inputs, Attrs attributes = {});

  // Constants.
  Name constant(const eval::Tensor &value);
  /// The elements of a constant or Parameter; nothing of other Values, or of
  /// what cannot be read.
  std::optional<eval::Tensor> known(mlir::Value value) const;
  /// An initializer with what was made of the elements of `value`, which it
  /// takes the place of where nothing else reads them.
  Name rewritten(mlir::Value value, const eval::Tensor &tensor);
  /// A list of i64, as shapes and axes are.
  Name ints(llvm::ArrayRef<int64_t> values);
  /// A number without axes of that type.
  Name scalar(mlir::Type element, double value);
  /// All elements alike, with these extents.
  Name splat(mlir::Type element, llvm::ArrayRef<int64_t> shape, double value);
  /// A list of one i64: the extent of an axis.
  Name extent(mlir::Value value, int64_t axis);
  /// The extents of all axes.
  Name extents(mlir::Value value);
  /// Lists of i64 one after the other; those that are numbers side by side are
  /// one.
  Name list(llvm::ArrayRef<std::variant<int64_t, Name>> parts);
  /// A list in which each `?` is the next of `dynamic`.
  Name mixed(llvm::ArrayRef<int64_t> values, mlir::ValueRange dynamic);

  // What many ops need.
  Name reshape(const Name &x, llvm::ArrayRef<int64_t> shape);
  Name transpose(const Name &x, llvm::ArrayRef<int64_t> permutation) {
    return make("Transpose", {x}, {{"perm", permutation}});
  }
  Name unsqueeze(const Name &x, llvm::ArrayRef<int64_t> axes);
  /// 0, 1, ... up to a scalar i64.
  Name range(const Name &end);
  Name cast(const Name &x, mlir::Type element) {
    return make("Cast", {x}, {{"to", int64_t(dataTypeOf(element))}});
  }
  /// Of a reduction; axes are an input or an attribute, by opset. No axes: x.
  Name reduce(llvm::StringRef type, const Name &x, llvm::ArrayRef<int64_t> axes,
              bool keep);
  /// Elements `starts` to `ends` of each axis, by `steps`.
  Name slice(const Name &x, llvm::ArrayRef<int64_t> starts,
             llvm::ArrayRef<int64_t> ends, llvm::ArrayRef<int64_t> axes,
             llvm::ArrayRef<int64_t> steps);
  /// The static extents; nothing, with an error, when one is dynamic.
  std::optional<llvm::SmallVector<int64_t>> shape(mlir::Operation *op,
                                                  mlir::Value value);

  /// Whether the opset has what came with `since`; an error at the Node when
  /// it has not.
  bool needs(mlir::Operation *op, int64_t since, const llvm::Twine &what = "");
  void unsupported(mlir::Operation *op, const llvm::Twine &why);

  /// The sub-Block of `op` as a graph of an attribute. `inputs` are the names
  /// of its arguments, which are declared.
  void subgraph(mlir::Block &block, llvm::ArrayRef<Name> inputs,
                pb::GraphProto &graph);
  /// A name that is not taken, made of `hint`.
  Name fresh(llvm::StringRef hint);
  static void declare(pb::ValueInfoProto &info, llvm::StringRef name,
                      mlir::RankedTensorType type,
                      mlir::ArrayAttr symbols = {});

  std::vector<Initializer> initializers;
  int64_t nodes = 0;
  mlir::ModuleOp module;

private:
  void walk(mlir::Block &block);
  Names outputsOf(mlir::Operation *op);
  void addOutputs(mlir::Block &block, llvm::ArrayRef<Name> wanted,
                  pb::GraphProto &graph, mlir::ValueRange values,
                  mlir::ArrayRef<mlir::ArrayAttr> symbols);
  bool declareInterface(GraphOp forward, pb::GraphProto &graph);
  void dropUnread(pb::GraphProto &graph);
  pb::NodeProto *addNode(llvm::StringRef type, llvm::ArrayRef<Name> inputs,
                         llvm::ArrayRef<Name> outputs, Attrs attributes);

  const OnnxExportOptions &options;
  ExportTable table;
  pb::GraphProto *current = nullptr;
  mlir::Operation *node = nullptr; ///< the Node being expressed
  llvm::DenseMap<mlir::Value, Name> names;
  /// Results that are outputs of the graph have their names.
  llvm::DenseMap<mlir::Value, Name> wanted;
  /// Names that Values have, beside those of nodes between them.
  llvm::StringSet<> bound;
  llvm::StringSet<> taken;
  llvm::StringMap<unsigned> counters;
  llvm::StringMap<Name> constants; ///< by type and bytes
  Names inputNames, outputNames;
  bool failed = false, lacking = false;
};

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_EXPORTS_EXPORTER_H
