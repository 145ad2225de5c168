//===- Result.h - a value or an error ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines how the host library reports failure without exceptions:
// Result<T> holds a T or an Error, Status holds nothing or an Error.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_RESULT_H
#define GRAVEN_RUNTIME_HOST_RESULT_H

#include "runtime/include/graven/runtime.h"

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace graven::rt {

/// What went wrong: one line, lower case, with the file or tensor it concerns.
struct Error {
  std::string message;
  /// The GravenStatus of a run that failed, otherwise GRAVEN_OK.
  int status = GRAVEN_OK;
};

/// A T or an Error. Test it before use:
///   Result<Array> array = readNpy(path);
///   if (!array) return array.takeError();
///   use(*array);
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : storage(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : storage(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return storage.index() == 0; }

  T &operator*() {
    assert(*this && "an error was used as a value");
    return *std::get_if<0>(&storage);
  }
  const T &operator*() const {
    assert(*this && "an error was used as a value");
    return *std::get_if<0>(&storage);
  }
  T *operator->() { return &**this; }
  const T *operator->() const { return &**this; }

  const Error &error() const {
    assert(!*this && "a value was used as an error");
    return *std::get_if<1>(&storage);
  }
  Error takeError() {
    assert(!*this && "a value was used as an error");
    return std::move(*std::get_if<1>(&storage));
  }

private:
  std::variant<T, Error> storage;
};

/// Success (the default) or an Error.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure; }

  const Error &error() const {
    assert(failure && "success was used as an error");
    return *failure;
  }
  Error takeError() {
    assert(failure && "success was used as an error");
    return std::move(*failure);
  }

private:
  std::optional<Error> failure;
};

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_RESULT_H
