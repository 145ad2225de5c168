//===- Arrays.h - Python's arrays as tensors --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how arrays cross the border: inputs are read where they
// lie, outputs are made by NumPy.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_ARRAYS_H
#define PYTHON_BINDINGS_ARRAYS_H

#include "python/bindings/Compiler.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <span>

namespace graven::python {

/// Raises graven.Error with these diagnostics.
[[noreturn]] void raise(const std::vector<Message> &messages);
[[noreturn]] void raise(Message message);

/// GravenDType of an element type, 0 for one that there is not.
int32_t dtypeOf(nanobind::dlpack::dtype type);

/// One argument of a call, kept alive and in place while this lives: anything
/// with the buffer protocol or DLPack in the memory of the CPU. Contiguous
/// memory is used as it is, other is copied. No element is converted.
class Input {
public:
  Input() = default;
  Input(const Input &) = delete;
  ~Input();

  /// Takes the argument for the input that `info` describes. Raises TypeError
  /// when it is no array, graven.Error when no model has its element type.
  void read(nanobind::handle value, const GravenTensorInfo &info);

  GravenTensor tensor() const {
    return {data, extents, dtype, static_cast<int32_t>(rank), nullptr};
  }

private:
  bool readBuffer(PyObject *value, const GravenTensorInfo &info);
  bool readDlpack(nanobind::handle value);
  /// Arrays of ml_dtypes' types, which lend no buffer as they are.
  bool readForeign(nanobind::handle value, const GravenTensorInfo &info);
  void copyStrided(const char *source, const int64_t *byteStrides);

  void *data = nullptr;
  const int64_t *extents = nullptr;
  int32_t dtype = 0;
  int32_t rank = 0;
  Py_buffer view = {};
  nanobind::ndarray<nanobind::ro, nanobind::device::cpu> shared;
  nanobind::object keep;
  std::vector<int64_t> ownExtents;
  std::vector<char> copy;
};

/// Makes the arrays of one output.
class Output {
public:
  explicit Output(const GravenTensorInfo &info);

  /// An array of these extents whose elements are not set, and its memory.
  nanobind::object create(std::span<const int64_t> extents,
                          GravenTensor &tensor) const;
  /// The first elements of an array, under other extents.
  static nanobind::object shrink(nanobind::object array,
                                 std::span<const int64_t> extents);
  /// The array as the caller gets it.
  nanobind::object finish(nanobind::object array) const;

private:
  int32_t dtype;
  bool isConverted = false;
  nanobind::object empty, storage, type;
};

} // namespace graven::python

#endif // PYTHON_BINDINGS_ARRAYS_H
