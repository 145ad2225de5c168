//===- Arguments.h - what traced functions take ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the types of the arguments of traced functions that are
// no tensors: numbers, lists of ints and flags, each made implicitly from what
// a C++ program would write, and from nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TRACE_ARGUMENTS_H
#define FRONTENDS_TRACE_ARGUMENTS_H

#include "frontends/aten/ScalarType.h"
#include "frontends/aten/Value.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace graven::trace {

/// Element types by PyTorch's names: DType::Float, DType::Long, DType::Bool.
using DType = aten::ScalarType;

/// The element type of C++ values of type T.
template <class T> constexpr DType dtypeOf() {
  if constexpr (std::same_as<T, float>)
    return DType::Float;
  else if constexpr (std::same_as<T, double>)
    return DType::Double;
  else if constexpr (std::same_as<T, bool>)
    return DType::Bool;
  else if constexpr (std::same_as<T, uint8_t>)
    return DType::Byte;
  else if constexpr (std::same_as<T, int8_t>)
    return DType::Char;
  else if constexpr (std::same_as<T, int16_t>)
    return DType::Short;
  else if constexpr (std::same_as<T, int32_t>)
    return DType::Int;
  else {
    static_assert(std::same_as<T, int64_t>, "no element type");
    return DType::Long;
  }
}

/// A number: an int or a float, which promote differently.
class Scalar {
public:
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Scalar(T number) : number(static_cast<int64_t>(number)) {}
  template <std::floating_point T>
  Scalar(T number) : number(static_cast<double>(number)) {}

  const aten::Value &value() const { return number; }

private:
  aten::Value number;
};

/// A bool and nothing that converts to one: `std(x, 1)` means an axis.
class Flag {
public:
  template <std::same_as<bool> T> Flag(T flag) : flag(flag) {}
  bool value() const { return flag; }

private:
  bool flag;
};

/// A string. Nothing else, so that 0 is never a null pointer to one.
class Text {
public:
  template <class T>
    requires(std::convertible_to<const T &, llvm::StringRef> &&
             !std::integral<T>)
  Text(const T &text) : text(llvm::StringRef(text).str()) {}
  const std::string &value() const { return text; }

private:
  std::string text;
};

/// A list of ints. A single one stands for as many as the function wants, and
/// `{}` for an empty list, or none where there may be none.
class IntList {
public:
  IntList() = default;
  IntList(int64_t item) : single(item) {}
  IntList(std::initializer_list<int64_t> items) : items(items) {}
  IntList(llvm::ArrayRef<int64_t> items) : items(items) {}
  IntList(const std::vector<int64_t> &items) : items(items) {}

  /// The list; a single int `count` times.
  aten::Value value(size_t count = 1) const {
    std::vector<aten::Value> values(items.begin(), items.end());
    if (single)
      values.assign(count, *single);
    return aten::Value::makeList(std::move(values));
  }
  /// The same, and nothing for an empty list.
  aten::Value valueOrNone(size_t count = 1) const {
    return single || !items.empty() ? value(count) : aten::Value();
  }

private:
  std::optional<int64_t> single;
  std::vector<int64_t> items;
};

/// A list of floats; `{}` is none.
class FloatList {
public:
  FloatList() = default;
  FloatList(std::initializer_list<double> items) : items(items) {}
  FloatList(const std::vector<double> &items) : items(items) {}

  aten::Value value() const {
    std::vector<aten::Value> values(items.begin(), items.end());
    return aten::Value::makeList(std::move(values));
  }
  aten::Value valueOrNone() const {
    return items.empty() ? aten::Value() : value();
  }

private:
  std::vector<double> items;
};

} // namespace graven::trace

#endif // FRONTENDS_TRACE_ARGUMENTS_H
