//===- Objects.h - what only a TorchScript program holds ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the values of the interpreter that no operator takes:
// modules and other objects, classes, functions, names that are not resolved
// yet.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_OBJECTS_H
#define FRONTENDS_TORCHSCRIPT_OBJECTS_H

#include "frontends/aten/Value.h"
#include "frontends/torchscript/Archive.h"

namespace graven::torch {

using aten::Value;

/// Gives a subclass of Extension its kind.
template <class Derived> class ExtensionOf : public aten::Extension {
public:
  const void *kind() const override { return &tag; }
  static constexpr char tag = 0;
};

/// An instance of a class: a module, or a plain object.
class Object : public ExtensionOf<Object> {
public:
  DefinedClass type;
  std::string path; ///< of a module: "layer1.0.conv1"; empty for the root
  /// The pickled attributes; null for objects made by the program.
  const PickleValue *state = nullptr;
  /// Attributes that were read or set.
  llvm::StringMap<Value> attributes;
};

class ClassReference : public ExtensionOf<ClassReference> {
public:
  DefinedClass type;
};

class FunctionReference : public ExtensionOf<FunctionReference> {
public:
  DefinedFunction function;
};

/// A function defined within another, with the variables it saw.
class Closure : public ExtensionOf<Closure> {
public:
  DefinedFunction function;
  llvm::StringMap<Value> variables;
};

class EnumMember : public ExtensionOf<EnumMember> {
public:
  std::string type, name;
  Value value;
};

/// What `uninitialized(T)` gives: a value that nobody reads.
class Uninitialized : public ExtensionOf<Uninitialized> {};

/// range(n) with an n that only running tells, or too large to be walked: the
/// numbers start, start + step, ...
class RunTimeRange : public ExtensionOf<RunTimeRange> {
public:
  RunTimeRange(Value count, Value start, Value step)
      : count(std::move(count)), start(std::move(start)),
        step(std::move(step)) {}
  Value count, start, step;
};

/// A dotted name that is no value yet: `torch.nn`, `ops.prim`, `int`.
class Namespace : public ExtensionOf<Namespace> {
public:
  explicit Namespace(std::string path) : path(std::move(path)) {}
  std::string path;
};

/// The extension of that class in a value, or null.
template <class T> T *extensionIn(const Value &value) {
  if (!value.is(Value::Kind::Extension) || value.extension()->kind() != &T::tag)
    return nullptr;
  return static_cast<T *>(value.extension().get());
}

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_OBJECTS_H
