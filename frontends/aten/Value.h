//===- Value.h - values of an interpreted PyTorch program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a variable of a PyTorch program holds while an
// importer walks it: a number, a string, a container, an object of the
// importer, all known, or a tensor, which is a Value of the graph.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_VALUE_H
#define FRONTENDS_ATEN_VALUE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace graven::aten {

class Tensor;
class Value;

/// Containers are shared by reference, as in Python.
struct List {
  std::vector<Value> items;
};
struct Tuple {
  std::vector<Value> items;
  std::vector<std::string> fields; ///< names of a NamedTuple; else empty
};
struct Dict {
  std::vector<std::pair<Value, Value>> items; ///< in order of insertion
};
struct Device {
  std::string name;
};

/// A value only the importer knows, such as a module object. `kind()` is the
/// address of a static member of the class, for llvm-style casts.
class Extension {
public:
  virtual ~Extension() = default;
  virtual const void *kind() const = 0;
};

class Value {
public:
  /// In the order of the variant's alternatives.
  enum class Kind : uint8_t {
    None,
    Bool,
    Int,
    Float,
    String,
    Tensor,
    List,
    Tuple,
    Dict,
    Device,
    Extension,
    Unknown, ///< the result of an operation that could not be imported
  };
  struct UnknownTag {};

  Value() = default;
  Value(bool b) : data(b) {}
  Value(int64_t i) : data(i) {}
  Value(double d) : data(d) {}
  Value(std::string s) : data(std::move(s)) {}
  Value(std::shared_ptr<Tensor> t) : data(std::move(t)) {}
  Value(std::shared_ptr<List> l) : data(std::move(l)) {}
  Value(std::shared_ptr<Tuple> t) : data(std::move(t)) {}
  Value(std::shared_ptr<Dict> d) : data(std::move(d)) {}
  Value(Device d) : data(std::move(d)) {}
  Value(std::shared_ptr<Extension> e) : data(std::move(e)) {}
  Value(UnknownTag tag) : data(tag) {}
  // Pointers would otherwise become bools.
  template <typename T> Value(T *) = delete;

  static Value makeList(std::vector<Value> items = {});
  static Value makeTuple(std::vector<Value> items);
  static Value makeDict() { return std::make_shared<Dict>(); }
  static Value unknown() { return UnknownTag(); }

  Kind kind() const { return static_cast<Kind>(data.index()); }
  bool is(Kind k) const { return kind() == k; }
  bool isNone() const { return is(Kind::None); }
  bool isNumber() const { return is(Kind::Int) || is(Kind::Float); }

  bool boolean() const { return std::get<bool>(data); }
  int64_t integer() const { return std::get<int64_t>(data); }
  /// An int, bool or float as a float.
  double number() const;
  const std::string &string() const { return std::get<std::string>(data); }
  const std::shared_ptr<Tensor> &tensor() const {
    return std::get<std::shared_ptr<Tensor>>(data);
  }
  List &list() const { return *std::get<std::shared_ptr<List>>(data); }
  Tuple &tuple() const { return *std::get<std::shared_ptr<Tuple>>(data); }
  Dict &dict() const { return *std::get<std::shared_ptr<Dict>>(data); }
  const Device &device() const { return std::get<Device>(data); }
  const std::shared_ptr<Extension> &extension() const {
    return std::get<std::shared_ptr<Extension>>(data);
  }
  /// The items of a list or tuple, else null.
  const std::vector<Value> *items() const;
  /// Whether both are the same object (`is`): tensors and containers by
  /// identity, the rest by value.
  bool isSame(const Value &other) const;
  /// Whether this is Unknown or holds it at any depth up to `limit`.
  bool hasUnknown(unsigned limit = 16) const;

  /// "Tensor", "int", "List", ... for messages.
  llvm::StringRef typeName() const;

private:
  std::variant<std::monostate, bool, int64_t, double, std::string,
               std::shared_ptr<Tensor>, std::shared_ptr<List>,
               std::shared_ptr<Tuple>, std::shared_ptr<Dict>, Device,
               std::shared_ptr<Extension>, UnknownTag>
      data;
};

/// Python's ==, for values without tensors; containers element by element to
/// depth `limit`, beyond which values are different.
bool equal(const Value &a, const Value &b, unsigned limit = 64);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_VALUE_H
