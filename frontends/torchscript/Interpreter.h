//===- Interpreter.h - walks a TorchScript program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the interpreter: it runs the program with tensors that
// are Values of the graph and everything else known. Calls are inlined,
// conditions decided, loops unrolled; what remains are graven Nodes.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_INTERPRETER_H
#define FRONTENDS_TORCHSCRIPT_INTERPRETER_H

#include "frontends/aten/Table.h"
#include "frontends/aten/Unsupported.h"
#include "frontends/torchfile/Parameters.h"
#include "frontends/torchscript/Liveness.h"
#include "frontends/torchscript/State.h"

namespace graven::torch {

using aten::CallArguments;
using Result = mlir::FailureOr<Value>;

class Interpreter {
public:
  Interpreter(Archive &archive, aten::Session &session,
              ParameterLoader &parameters);

  /// Tells these options of the operators that are used.
  void tellUses(const ImportOptions &to) { options = &to; }

  /// Calls the method of the root object (for source text, the function) with
  /// these arguments. Fails when anything was reported.
  Result callEntry(llvm::StringRef name, std::vector<Value> arguments);

  /// Walks the entry with arguments of which some are unknown, for the sake of
  /// the operators it meets; other errors than those finish() reports are left
  /// out.
  void survey(llvm::StringRef entry, std::vector<Value> arguments);

  /// The entry point's definition; nothing when there is none.
  llvm::Expected<DefinedFunction> findEntry(llvm::StringRef name);

  /// Tensors of the file that attributes of modules held, and what the program
  /// set these to.
  std::vector<std::pair<Value, Value>> replacedTensors() const;

  /// Reports what was collected: unsupported operations with counts and
  /// places. Success when nothing was wrong.
  mlir::LogicalResult finish();

  /// Tensors that attributes are set to are kept: no warning says otherwise.
  void keepTensors() { keepsTensors = true; }

  // For the builtin functions.
  mlir::Location location() const { return current; }
  mlir::OpBuilder &builder() { return session.builder; }
  aten::ConstantEvaluator &constants() { return session.constants; }
  mlir::InFlightDiagnostic error(Code code);
  /// The number a value is: itself, or the element of a tensor that is known;
  /// None for anything else.
  Value knownScalar(const Value &value);
  /// As above, an error when it is not known.
  Result scalar(const Value &value);
  mlir::FailureOr<bool> truth(const Value &value);
  /// What `torch.f` or `ops.ns.f` gives for "aten::f" or "ns::f".
  Result callOperator(llvm::StringRef name, CallArguments arguments);
  /// The value of a tensor now; an error when that is open.
  mlir::Value read(const Value &tensor);
  /// To be called before a list or dict changes.
  void noteChange(const Value &container) { noteChange(Holder{container, {}}); }
  /// The program raises an exception here.
  mlir::LogicalResult raise(const llvm::Twine &message);
  /// Whether something was reported, so that Unknown values are explained.
  bool hasFailed() const {
    return reported.failed || !reported.unsupported.empty();
  }
  unsigned fileVersion() const { return archive.version(); }

private:
  struct Frame {
    const SourceFile *file;
    std::string path; ///< of the module whose method runs
    llvm::StringMap<Value> variables;
    Value returned;
    const FunctionDef *function = nullptr;
  };
  enum class Flow { Next, Return, Failed };

  // Statements (Interpreter.cpp).
  Flow runBody(const Body &body);
  Flow runStatement(const Statement &statement);
  Flow runIf(const Statement &statement);
  /// A body of which nobody knows whether it runs: what it raises is no error.
  Flow runOpenly(const Body &body);
  /// An `if` on data (Branches.cpp).
  Flow runBranches(const Statement &statement, mlir::Value condition);
  struct Branch;
  Flow walkBranch(const Body &body, Branch &branch);
  /// What the branches gave becomes what there is behind them.
  Flow mergeBranches(const Statement &statement, mlir::Value condition,
                     Branch &first, Branch &second);
  Flow runFor(const Statement &statement);
  Flow runWhile(const Statement &statement);
  Flow runAssign(const Statement &statement);
  Flow runSetAttribute(const Statement &statement);
  bool countStep();

  // Loops on data (Loops.cpp).
  class LoopWalk;
  /// A `for` over a RunTimeRange; or, where `range` is None, a `while` whose
  /// condition is `condition` now.
  Flow runLoop(const Statement &statement, const Value &range,
               mlir::Value condition);

  // Expressions (Evaluate.cpp).
  Result evaluate(const Expr *expr);
  Result evaluateInner(const Expr *expr);
  Result evaluateName(const Expr *expr);
  Result evaluateAttribute(const Expr *expr);
  Result evaluateSubscript(const Expr *expr);
  mlir::FailureOr<std::vector<Value>> evaluateAll(llvm::ArrayRef<Expr *> exprs);
  Result resolve(const std::string &path);
  Result attribute(const Value &base, llvm::StringRef name);

  // Calls (Calls.cpp).
  Result evaluateCall(const Expr *expr);
  mlir::FailureOr<CallArguments> evaluateArguments(const Expr *call);
  mlir::FailureOr<std::optional<Value>> callSpecial(llvm::StringRef name,
                                                    const Expr *call);
  Result callValue(const Value &callee, CallArguments arguments);
  Result callMethod(const Value &base, llvm::StringRef name,
                    CallArguments arguments);
  Result callFunction(const DefinedFunction &function, CallArguments arguments,
                      llvm::StringRef path,
                      llvm::StringMap<Value> variables = {});
  Result construct(const DefinedClass &type, CallArguments arguments);
  Result annotated(const Value &value, const Expr *type);

  /// Operators on numbers of which some are only known at run time
  /// (RunTimeNumbers.cpp); nothing when this is none.
  mlir::FailureOr<std::optional<Value>>
  callOnNumbers(llvm::StringRef name, const CallArguments &arguments);

  // Objects (Load.cpp).
  Result loadValue(const PickleValue *value, llvm::StringRef path,
                   llvm::StringRef folder, bool isBuffer, unsigned depth = 0);
  Result loadObject(const PickleValue *value, llvm::StringRef path,
                    llvm::StringRef folder);
  // Quantized.cpp
  Value loadQuantized(const PickleTensor &tensor, llvm::StringRef path,
                      llvm::StringRef folder);
  Result loadPackedWeights(const PickleValue *value, llvm::StringRef path,
                           llvm::StringRef folder);
  Result objectAttribute(Object &object, llvm::StringRef name);
  Result constant(llvm::StringRef name);

  void setPlace(uint32_t offset);

  Archive &archive;
  aten::Session &session;
  ParameterLoader &parameters;
  const ImportOptions *options = nullptr; ///< that want to know of uses
  llvm::DenseMap<const PickleValue *, Value> loaded;
  Frame *frame = nullptr;
  bool hasStale(const CallArguments &arguments);
  bool wasThereBefore(const Value &value) const;
  void noteChange(const Holder &holder);

  /// While a Block that may not run is walked: the containers and objects that
  /// were there before it, and what is changed of them.
  const llvm::DenseSet<const void *> *outside = nullptr;
  Journal *journal = nullptr;
  /// Containers that came out of the file.
  llvm::DenseSet<const void *> loadedContainers;
  Liveness liveness;
  /// Attributes of modules that the program sets, and what they held before.
  std::vector<std::pair<Holder, Value>> setAttributes;
  bool keepsTensors = false;
  /// The Block that is walked raises an exception whenever it runs.
  bool raised = false;
  /// Conditions around the walk that are not known, and whether the innermost
  /// one's body raises an exception.
  unsigned openConditions = 0;
  bool raisesOpenly = false;
  /// What was reported, or is to be.
  struct Reported {
    aten::UnsupportedOps unsupported;
    bool failed = false;
    llvm::DenseSet<mlir::Location> raises;
  };
  Reported reported;
  mlir::Location current;
  uint64_t steps = 0;
  unsigned depth = 0;
};

/// The functions that work on known values, by operator name; null when there
/// is none of that name. A builtin that gives nothing leaves the call to the
/// operators of the graph.
using Builtin = mlir::FailureOr<std::optional<Value>> (*)(Interpreter &,
                                                          CallArguments &);
Builtin findBuiltin(llvm::StringRef name);
Builtin findScalarBuiltin(llvm::StringRef name);
Builtin findContainerBuiltin(llvm::StringRef name);
Builtin findStringBuiltin(llvm::StringRef name);
Builtin findTensorBuiltin(llvm::StringRef name);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_INTERPRETER_H
