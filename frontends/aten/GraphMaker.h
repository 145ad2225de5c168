//===- GraphMaker.h - the graph that an import makes ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what importers of PyTorch programs share around the walk
// of the program: inputs are added one by one, results of any nesting become
// named outputs, and what nobody uses goes.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_GRAPHMAKER_H
#define FRONTENDS_ATEN_GRAPHMAKER_H

#include "dialects/graven/Graven.h"
#include "frontends/ImportOptions.h"
#include "frontends/aten/Value.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace graven::aten {

/// The type of an input, and the symbols of its extents: empty for a static
/// one.
struct InputType {
  mlir::RankedTensorType type;
  std::vector<std::string> symbols = {};
};

class GraphMaker {
public:
  /// Makes a module with an empty Graph @forward, to whose end the builder
  /// adds.
  explicit GraphMaker(mlir::Location loc);

  mlir::OpBuilder &builder() { return builder_; }
  mlir::ModuleOp module() { return *module_; }
  size_t inputCount() const { return inputNames.size(); }

  /// The type that `spec` states; nothing, with an error, when an extent is
  /// not known.
  std::optional<InputType> typeOf(const InputSpec &spec,
                                  const ImportOptions &options);
  Value addInput(llvm::StringRef name, InputType type);
  /// Whether every `--input` names an input; an error for those that do not.
  bool checkOptions(const ImportOptions &options);

  /// Adds the tensors and numbers in `value`, at any depth, as outputs. Names
  /// are the keys of dicts and fields on the way to them, `name` before them;
  /// without any the output has the graph's default name.
  bool addOutputs(const Value &value, const std::string &name = "",
                  unsigned depth = 0);

  /// What the program writes beyond a run, behind its own inputs and outputs:
  /// `initial`, the value of a Parameter, becomes the input `name`, and `final`
  /// the output `name`.next.
  void addState(llvm::StringRef name, mlir::Value initial, mlir::Value final);
  /// The inputs that the program wrote, as outputs NAME.next.
  void addWrittenInputs();

  /// Ends the graph and verifies the module, which this maker then gave away.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> finish();

private:
  mlir::Location loc;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  mlir::OpBuilder builder_;
  GraphOp graph;
  std::vector<std::string> inputNames, outputNames;
  /// Names in specs of inputs whose extents are not known.
  std::vector<std::string> refused;
  std::vector<std::shared_ptr<Tensor>> inputTensors;
  std::vector<std::vector<std::string>> inputSymbols;
  llvm::SmallVector<mlir::Value> outputs;
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_GRAPHMAKER_H
