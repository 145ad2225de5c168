//===- Program.h - walks an exported program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the walk over the graphs of an exported program: each node
// is a call of the ATen table, arithmetic on known numbers, or a higher-order
// operator, whose sub-graphs are walked in turn.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_PROGRAM_H
#define FRONTENDS_TORCHEXPORT_PROGRAM_H

#include "frontends/ImportOptions.h"
#include "frontends/aten/Table.h"
#include "frontends/aten/Unsupported.h"
#include "frontends/torchexport/Json.h"

namespace graven::torchexport {

using aten::Value;
using Values = llvm::SmallVector<Value>;

class Program {
public:
  /// `loc` is the place of a node that does not say its own.
  Program(aten::Session &session, mlir::Location loc)
      : session(session), fileLoc(loc), current(loc) {}

  /// Tells these options of the operators that are used.
  void tellUses(const ImportOptions &to) { options = &to; }

  /// Walks a graph, its inputs bound to `inputs`: the values of its outputs.
  /// Fails when something was reported that leaves no values.
  mlir::FailureOr<Values> run(const json::Object &graph,
                              llvm::ArrayRef<Value> inputs);

  /// Reports unsupported operators; success when nothing was wrong.
  mlir::LogicalResult finish();

  // For the higher-order operators.
  mlir::Location location() const { return current; }
  mlir::OpBuilder &builder() { return session.builder; }
  std::optional<aten::ScalarType> &autocast() { return session.autocast; }
  mlir::InFlightDiagnostic error(Code code) {
    failed = true;
    return emitCoded(current, code);
  }
  /// The value of an argument of a node; nothing, with an error, for a
  /// malformed one.
  std::optional<Value> argument(const json::Value &argument);
  /// The number a value is or, for a tensor, holds as far as it is known.
  std::optional<Value> known(const Value &value);

private:
  using Scope = llvm::StringMap<Value>;

  mlir::LogicalResult runNode(const json::Object &node);
  mlir::LogicalResult runWithEffects(const json::Object &node);
  mlir::LogicalResult callOperator(llvm::StringRef target,
                                   const json::Object &node);
  std::optional<aten::CallArguments> arguments(const json::Object &node,
                                               bool byName);
  /// What a node on numbers gives that only running tells; nothing when it is
  /// no such operator, or takes something else.
  std::optional<Value> computed(llvm::StringRef target,
                                llvm::ArrayRef<Value> numbers);
  /// Binds what a node on numbers gives; without a value that is an error.
  mlir::LogicalResult bindNumber(const json::Object &node,
                                 const aten::CallArguments &call,
                                 std::optional<Value> number);
  bool bind(const json::Object &node, llvm::ArrayRef<Value> results);
  bool bindOne(const json::Value &output, const Value &result);
  std::optional<Value> lookup(llvm::StringRef name);
  std::optional<Value> list(const json::Value &items, llvm::StringRef tag);
  void setPlace(const json::Object &node);

  aten::Session &session;
  const ImportOptions *options = nullptr; ///< that want to know of uses
  mlir::Location fileLoc, current;
  Scope *scope = nullptr;
  aten::UnsupportedOps unsupported;
  unsigned depth = 0;
  bool failed = false;
};

/// An operator with graphs among its arguments: gives its results, nothing
/// after an error.
using HigherOrder = mlir::FailureOr<Values> (*)(Program &,
                                                llvm::ArrayRef<json::Value>);
/// Null when there is none of that name (`torch.ops.higher_order.cond`).
HigherOrder findHigherOrder(llvm::StringRef target);

/// Arithmetic on known numbers, as of `_operator.add`, `math.ceil`.
using ScalarFunction = std::optional<Value> (*)(llvm::ArrayRef<Value>);
/// Null when there is none of that name. The function gives nothing for
/// arguments it does not take.
ScalarFunction findScalarFunction(llvm::StringRef target);

} // namespace graven::torchexport

#endif // FRONTENDS_TORCHEXPORT_PROGRAM_H
