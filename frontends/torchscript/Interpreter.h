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
#include "frontends/torchscript/Objects.h"

namespace graven::torch {

using aten::CallArguments;
using Result = mlir::FailureOr<Value>;

class Interpreter {
public:
  Interpreter(Archive &archive, aten::Session &session,
              ParameterLoader &parameters);

  /// Calls the method of the root object (for source text, the function) with
  /// these arguments. Fails when anything was reported.
  Result callEntry(llvm::StringRef name, std::vector<Value> arguments);

  /// The entry point's definition; nothing when there is none.
  llvm::Expected<DefinedFunction> findEntry(llvm::StringRef name);

  /// Reports what was collected: unsupported operations with counts and
  /// places. Success when nothing was wrong.
  mlir::LogicalResult finish();

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
  mlir::Value read(const Value &tensor) {
    return tensor.tensor()->read(session.builder);
  }
  /// Whether something was reported, so that Unknown values are explained.
  /// Whether what is walked may not run, depending on data.
  bool isConditional() const { return outside != nullptr; }
  bool hasFailed() const { return failed || !unsupported.empty(); }
  unsigned fileVersion() const { return archive.version(); }

private:
  struct Frame {
    const SourceFile *file;
    std::string path; ///< of the module whose method runs
    llvm::StringMap<Value> variables;
    Value returned;
  };
  enum class Flow { Next, Return, Failed };

  // Statements (Interpreter.cpp).
  Flow runBody(const Body &body);
  Flow runStatement(const Statement &statement);
  Flow runIf(const Statement &statement);
  /// An `if` on data (Branches.cpp).
  Flow runBranches(const Statement &statement, mlir::Value condition);
  Flow runFor(const Statement &statement);
  Flow runWhile(const Statement &statement);
  Flow runAssign(const Statement &statement);
  Flow runSetAttribute(const Statement &statement);
  bool countStep();

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
  llvm::DenseMap<const PickleValue *, Value> loaded;
  aten::UnsupportedOps unsupported;
  Frame *frame = nullptr;
  /// While a Block that may not run is walked: the containers and objects that
  /// were there before it.
  const llvm::DenseSet<const void *> *outside = nullptr;
  mlir::Location current;
  bool failed = false;
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
Builtin findTensorBuiltin(llvm::StringRef name);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_INTERPRETER_H
