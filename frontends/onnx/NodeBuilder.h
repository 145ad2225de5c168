//===- NodeBuilder.h - one ONNX node as its builder sees it ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a function of the op table works with: the inputs and
// attributes of one ONNX node, what is known of their values, and the making of
// graven Nodes.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_NODEBUILDER_H
#define FRONTENDS_ONNX_NODEBUILDER_H

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/TensorData.h"
#include "frontends/onnx/Text.h"
#include "mlir/IR/Builders.h"

#include <optional>
#include <set>
#include <string>

namespace onnx {
class AttributeProto;
class GraphProto;
class NodeProto;
} // namespace onnx

namespace graven::onnx {

class GraphImporter;
class Scope;

using IntList = llvm::SmallVector<int64_t>;

/// begin, begin + 1, .., end - 1
inline IntList sequence(int64_t begin, int64_t end) {
  IntList list;
  for (int64_t i = begin; i < end; ++i)
    list.push_back(i);
  return list;
}

/// The first error of a node is reported and makes the node fail; what is asked
/// for after it is null or a default, and nothing more is built, so that a
/// builder needs to look at failures only where it would index into a shape.
class NodeBuilder {
public:
  NodeBuilder(GraphImporter &importer, Scope &scope, const pb::NodeProto &proto,
              int64_t opset, mlir::Location loc);

  mlir::Location getLoc() const { return loc; }
  mlir::MLIRContext *getContext() const { return loc.getContext(); }
  mlir::OpBuilder &getBuilder() const { return builder; }
  GraphImporter &getImporter() const { return importer; }
  Scope &getScope() const { return scope; }
  /// The version of the op set that the model asks for.
  int64_t getOpset() const { return opset; }

  //===- Errors -----------------------------------------------------------===//

  /// Reports an error of this node: "[GRV0202] Conv: ...".
  mlir::InFlightDiagnostic error(Code code);
  bool hasFailed() const { return broken; }

  //===- Inputs and outputs -----------------------------------------------===//

  size_t getInputCount() const { return inputs.size(); }
  /// Input i; null when it is absent.
  mlir::Value input(size_t i) const {
    return i < inputs.size() ? inputs[i] : mlir::Value();
  }
  llvm::ArrayRef<mlir::Value> getInputs() const { return inputs; }
  /// Puts a value in the place of an input that the node has.
  void setInput(size_t i, mlir::Value value) { inputs[i] = value; }
  /// What the bytes of input or output i stand for (Narrow.h); null when they
  /// are the elements.
  mlir::Type narrow(size_t i) const {
    return i < narrowInputs.size() ? narrowInputs[i] : mlir::Type();
  }
  mlir::Type narrowOutput(size_t i) const { return narrowOutputs[i]; }
  void setNarrow(size_t i, mlir::Type type);
  /// Whether somebody may use output i: it has a name.
  bool wantsOutput(size_t i) const;
  size_t getOutputCount() const;
  void setOutput(size_t i, mlir::Value value);
  /// Sets output 0 and says whether all went well.
  mlir::LogicalResult finish(mlir::Value value);
  mlir::LogicalResult finish() { return mlir::failure(broken); }
  llvm::ArrayRef<mlir::Value> getOutputs() const { return outputs; }

  //===- Attributes -------------------------------------------------------===//

  bool hasAttr(llvm::StringRef name) { return find(name, 0) != nullptr; }
  int64_t intAttr(llvm::StringRef name, int64_t otherwise);
  bool flagAttr(llvm::StringRef name, bool otherwise = false) {
    return intAttr(name, otherwise) != 0;
  }
  double floatAttr(llvm::StringRef name, double otherwise);
  std::string stringAttr(llvm::StringRef name, llvm::StringRef otherwise);
  std::optional<IntList> intsAttr(llvm::StringRef name);
  std::optional<llvm::SmallVector<double>> floatsAttr(llvm::StringRef name);
  std::optional<llvm::SmallVector<std::string>>
  stringsAttr(llvm::StringRef name);
  const pb::TensorProto *tensorAttr(llvm::StringRef name);
  const pb::SparseTensorProto *sparseAttr(llvm::StringRef name);
  const pb::GraphProto *graphAttr(llvm::StringRef name);

  //===- Types ------------------------------------------------------------===//

  /// Of null, which stands for a failure, and of what is no tensor: a scalar's.
  mlir::RankedTensorType typeOf(mlir::Value value) const {
    auto type = value ? mlir::dyn_cast<mlir::RankedTensorType>(value.getType())
                      : nullptr;
    return type ? type : mlir::RankedTensorType::get({}, builder.getF32Type());
  }
  mlir::Type elementTypeOf(mlir::Value value) const {
    return typeOf(value).getElementType();
  }
  int64_t rankOf(mlir::Value value) const { return typeOf(value).getRank(); }
  IntList shapeOf(mlir::Value value) const {
    return IntList(typeOf(value).getShape());
  }
  /// The extents, when all are static; otherwise an error says which input to
  /// give, and nullopt comes back.
  std::optional<IntList> staticShape(mlir::Value value);
  /// `axis` in [-rank, rank) made absolute; anything else is an error and 0.
  int64_t axis(int64_t axis, int64_t rank);
  /// Absolute, sorted; a repeated axis is an error and gives none.
  IntList axes(llvm::ArrayRef<int64_t> axes, int64_t rank);

  //===- What is known of values ------------------------------------------===//

  /// The elements, when they are known now and are not many.
  std::optional<eval::Tensor> known(mlir::Value value);
  /// The same as ints or doubles; an unknown value is an error that says on
  /// which input it depends. `what` is the name of the operand.
  std::optional<IntList> ints(mlir::Value value, llvm::StringRef what);
  std::optional<llvm::SmallVector<double>> floats(mlir::Value value,
                                                  llvm::StringRef what);
  /// The one element.
  std::optional<int64_t> oneInt(mlir::Value value, llvm::StringRef what);
  /// Reports that `what` would have to be known; names the graph's inputs on
  /// which it depends.
  void reportUnknown(mlir::Value value, llvm::StringRef what);
  /// An attribute of older versions that became an operand.
  std::optional<IntList> intsAttrOrInput(llvm::StringRef name, size_t i);

  //===- Making Nodes -----------------------------------------------------===//

  /// Makes a Node and gives its results; small Nodes of constants are evaluated
  /// at once. Empty after a failure.
  template <class OpTy, class... Args>
  llvm::SmallVector<mlir::Value, 2> makeAll(Args &&...args) {
    if (broken)
      return {};
    std::string message;
    mlir::Operation *op = nullptr;
    {
      Capture capture(getContext(), message);
      auto made = tryCreate<OpTy>(builder, loc, std::forward<Args>(args)...);
      if (mlir::succeeded(made))
        op = *made;
    }
    return settle(op, OpTy::getOperationName(), message);
  }
  template <class OpTy, class... Args> mlir::Value make(Args &&...args) {
    auto results = makeAll<OpTy>(std::forward<Args>(args)...);
    return results.empty() ? mlir::Value() : results.front();
  }

  mlir::Value constant(const eval::Tensor &tensor);
  /// A TensorProto of this node, as GraphImporter::materialize gives it.
  mlir::Value tensor(const pb::TensorProto &tensor);
  mlir::Value tensor(const pb::SparseTensorProto &tensor);
  mlir::Value splat(mlir::RankedTensorType type, double value);
  /// A rank-0 constant.
  mlir::Value scalar(mlir::Type elementType, double value);
  mlir::Value intList(llvm::ArrayRef<int64_t> values);

  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value cast(mlir::Value x, mlir::Type elementType);
  /// x repeated to `shape`, numpy's rule: x's axes are the last ones.
  mlir::Value expand(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value slice(mlir::Value x, int64_t axis, int64_t start, int64_t end);
  mlir::Value reduce(mlir::Value x, ReduceKind kind,
                     llvm::ArrayRef<int64_t> axes, bool keep);
  mlir::Value compare(ComparePredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

  /// The first `count` (i64) places of x along an axis: an extent that data
  /// decide unless the count is known.
  mlir::Value counted(mlir::Value x, mlir::Value count, int64_t axis);
  /// The coordinates [count, rank] of what is not zero in x, in row-major
  /// order. The extents of x are known.
  mlir::Value nonzero(mlir::Value x);
  /// The count along axis 0 of what is picked by places that nonzero() gave:
  /// null when it is known.
  static mlir::Value countOf(mlir::Value places);

  /// Extents of 1 in front until x has this rank; rank 0 stays.
  mlir::Value alignRank(mlir::Value x, int64_t rank);
  /// numpy's broadcast of ranks for elementwise ops.
  void alignRanks(llvm::MutableArrayRef<mlir::Value> values);
  template <class OpTy> mlir::Value binary(mlir::Value a, mlir::Value b) {
    if (broken)
      return {};
    mlir::Value operands[] = {a, b};
    alignRanks(operands);
    return make<OpTy>(operands[0], operands[1]);
  }

private:
  mlir::Value materialized(const mlir::FailureOr<TensorData> &data,
                           llvm::StringRef name);
  /// Keeps the first message of what would be reported meanwhile.
  class Capture : public mlir::ScopedDiagnosticHandler {
  public:
    Capture(mlir::MLIRContext *context, std::string &message);
  };

  /// Reports that `what` depends on the elements of these inputs of the model.
  void reportNeeded(llvm::StringRef what, const std::set<std::string> &names);
  llvm::SmallVector<mlir::Value, 2>
  settle(mlir::Operation *op, llvm::StringRef name, llvm::StringRef message);
  bool evaluateNow(mlir::Operation *op,
                   llvm::SmallVectorImpl<mlir::Value> &results);
  /// The attribute with references of functions resolved; an error when it is
  /// not of AttributeProto.AttributeType `type` (0: any).
  const pb::AttributeProto *find(llvm::StringRef name, int type);

  GraphImporter &importer;
  Scope &scope;
  const pb::NodeProto &proto;
  int64_t opset;
  mlir::Location loc;
  mlir::OpBuilder &builder;
  llvm::SmallVector<mlir::Value> inputs, outputs;
  llvm::SmallVector<mlir::Type> narrowInputs, narrowOutputs;
  bool broken = false;
};

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_NODEBUILDER_H
