//===- Builtins.h - functions on known values ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the files of builtin functions share. It is private
// to them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_BUILTINS_H
#define FRONTENDS_TORCHSCRIPT_BUILTINS_H

#include "frontends/torchscript/Interpreter.h"

namespace graven::torch {

using Given = mlir::FailureOr<std::optional<Value>>;

/// Leaves the call to the operators of the graph.
inline Given declined() { return std::optional<Value>(); }
inline Given give(Value value) {
  return std::optional<Value>(std::move(value));
}
inline Given give(Result result) {
  if (mlir::failed(result))
    return mlir::failure();
  return std::optional<Value>(*result);
}

inline bool isTensor(const Value &value) {
  return value.is(Value::Kind::Tensor);
}
inline bool hasTensor(const CallArguments &call) {
  return llvm::any_of(call.positional, isTensor);
}
/// The argument at that position, or None.
inline Value argumentAt(const CallArguments &call, size_t index) {
  return index < call.positional.size() ? call.positional[index] : Value();
}
inline Value keywordOf(const CallArguments &call, llvm::StringRef name) {
  for (const auto &[key, value] : call.keywords)
    if (key == name)
      return value;
  return Value();
}
/// Reports arguments of wrong types.
inline Given wrongArguments(Interpreter &in, const CallArguments &call,
                            llvm::StringRef what) {
  auto diagnostic = in.error(Code::BadSource) << what << " of (";
  for (auto [i, value] : llvm::enumerate(call.positional))
    diagnostic << (i ? ", " : "") << value.typeName();
  diagnostic << ")";
  return mlir::failure();
}

/// The one element of a tensor as a number that only running tells: of type
/// Bool, Long or Double.
Value runTimeNumber(Interpreter &in, mlir::Value tensor, aten::ScalarType type);

/// str(value), as Python writes it; to depth `limit`.
std::string textOf(const Value &value, unsigned limit = 16);

/// ==, with enum members by their value.
bool sameValue(const Value &a, const Value &b);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_BUILTINS_H
