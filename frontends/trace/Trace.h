//===- Trace.h - models written in C++ ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the recording of a C++ program into a graph. A Trace is
// the graph being made; a Tensor is a value of it; the functions of Ops.h
// record Nodes with the line of the program that called them; Module names
// Parameters by their place in a model.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TRACE_TRACE_H
#define FRONTENDS_TRACE_TRACE_H

#include "frontends/ImportOptions.h"
#include "frontends/trace/Arguments.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace graven::trace {

class Trace;

/// A value of a graph that is being recorded: a tensor whose extents and
/// element type are known. It is a reference, cheap to copy, and must not
/// outlive its Trace. A Tensor made without arguments is none.
class Tensor {
public:
  Tensor() = default;

  bool isNone() const { return !owner; }
  /// Whether it stands for a value; false for none and for the results of what
  /// failed, which was reported.
  bool isValid() const;

  /// The extents; empty when there is no value.
  llvm::ArrayRef<int64_t> shape() const;
  int64_t rank() const { return shape().size(); }
  /// The extent of an axis, which may count from the end, and must exist.
  int64_t size(int64_t axis) const;
  DType dtype() const;

  Trace *trace() const { return owner; }
  const aten::Value &value() const { return data; }

private:
  friend class Trace;
  Tensor(Trace &owner, aten::Value data)
      : owner(&owner), data(std::move(data)) {}

  Trace *owner = nullptr;
  aten::Value data;
};

/// Tensors as one argument: `cat({a, b}, 1)`.
class TensorList {
public:
  TensorList(std::initializer_list<Tensor> items) : items(items) {}
  TensorList(std::vector<Tensor> items) : items(std::move(items)) {}
  const std::vector<Tensor> &get() const { return items; }

private:
  std::vector<Tensor> items;
};

/// An extent of an input: a number, or the name of one that the options of the
/// Trace decide.
class Extent {
public:
  template <std::integral T>
  Extent(T size) : extent{static_cast<int64_t>(size), ""} {}
  Extent(const char *symbol) : extent{InputExtent::kDynamic, symbol} {}
  const InputExtent &get() const { return extent; }

private:
  InputExtent extent;
};

/// What a Parameter is to the model: trained, or kept beside what is.
enum class ParameterKind { Trained, Buffer };

/// The bytes of a Parameter, row-major and little-endian, from `offset` on. The
/// buffer may be a mapped file (llvm::MemoryBuffer::getFile): it is not copied.
struct ParameterBytes {
  std::shared_ptr<llvm::MemoryBuffer> buffer;
  uint64_t offset = 0;
};

/// One graph being recorded.
///
/// Errors of the program, such as shapes that do not go together, are coded
/// diagnostics of the context, located at the line of the call. The call then
/// gives a Tensor that is not valid, what is computed from it is not valid and
/// reports nothing, and finish() fails: one run reports all errors.
class Trace {
public:
  /// `options` decide the extents of inputs that have a name (extentOf), and
  /// override types and shapes of inputs as `--input` does.
  explicit Trace(mlir::MLIRContext &context, ImportOptions options = {},
                 std::source_location at = std::source_location::current());
  ~Trace();
  Trace(const Trace &) = delete;
  Trace &operator=(const Trace &) = delete;

  /// The next input of the graph.
  Tensor input(llvm::StringRef name, llvm::ArrayRef<Extent> shape,
               DType dtype = DType::Float,
               std::source_location at = std::source_location::current());
  Tensor input(llvm::StringRef name, std::initializer_list<Extent> shape,
               DType dtype = DType::Float,
               std::source_location at = std::source_location::current()) {
    return input(name, llvm::ArrayRef(shape.begin(), shape.size()), dtype, at);
  }

  /// A Parameter of that name, whose elements are copied.
  template <class T>
  Tensor parameter(llvm::StringRef name, const IntList &shape,
                   const std::vector<T> &elements,
                   ParameterKind kind = ParameterKind::Trained,
                   std::source_location at = std::source_location::current()) {
    static_assert(!std::same_as<T, bool>, "bools are packed; use uint8_t");
    return parameter(name, shape, dtypeOf<T>(),
                     copy(elements.data(), elements.size() * sizeof(T)), kind,
                     at);
  }
  /// A Parameter whose bytes stay where they are.
  Tensor parameter(llvm::StringRef name, const IntList &shape, DType dtype,
                   ParameterBytes bytes,
                   ParameterKind kind = ParameterKind::Trained,
                   std::source_location at = std::source_location::current());

  /// A small tensor that stands in the graph itself.
  template <class T>
  Tensor constant(const IntList &shape, const std::vector<T> &elements,
                  std::source_location at = std::source_location::current()) {
    static_assert(!std::same_as<T, bool>, "bools are packed; use uint8_t");
    return constant(
        shape, dtypeOf<T>(),
        llvm::StringRef(reinterpret_cast<const char *>(elements.data()),
                        elements.size() * sizeof(T)),
        at);
  }
  Tensor constant(const IntList &shape, DType dtype, llvm::StringRef bytes,
                  std::source_location at = std::source_location::current());

  /// The next output of the graph.
  void output(const Tensor &value, llvm::StringRef name = "",
              std::source_location at = std::source_location::current());

  /// Ends the recording: the module with the graph @forward, or failure when
  /// anything was reported.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> finish();

  /// What the functions of Ops.h and Control.h record with.
  class Recorder;
  Recorder &recorder() { return *impl; }

private:
  static ParameterBytes copy(const void *data, size_t bytes);
  std::unique_ptr<Recorder> impl;
};

/// A part of a model, which names its Parameters: derive a struct from it, with
/// Parameters and further Modules as members.
///
///   struct Linear : Module {
///     Tensor weight, bias;
///     Linear(Module &parent, StringRef name, const Weights &w)
///         : Module(parent, name),
///           weight(parameter("weight", {10, 84}, w["weight"])), ...
///     Tensor operator()(const Tensor &x) { return linear(x, weight, bias); }
///   };
class Module {
public:
  /// The model itself, whose parts' names begin with no prefix.
  explicit Module(Trace &trace) : owner(trace) {}
  Module(const Module &parent, llvm::StringRef name)
      : owner(parent.owner), prefix(parent.qualified(name)) {}

  Trace &trace() const { return owner; }
  /// "features.0" for the part `0` of `features`.
  const std::string &path() const { return prefix; }
  std::string qualified(llvm::StringRef name) const {
    return prefix.empty() ? name.str() : prefix + "." + name.str();
  }

protected:
  template <class T>
  Tensor parameter(llvm::StringRef name, const IntList &shape,
                   const std::vector<T> &elements,
                   std::source_location at = std::source_location::current()) {
    return owner.parameter(qualified(name), shape, elements,
                           ParameterKind::Trained, at);
  }
  template <class T>
  Tensor buffer(llvm::StringRef name, const IntList &shape,
                const std::vector<T> &elements,
                std::source_location at = std::source_location::current()) {
    return owner.parameter(qualified(name), shape, elements,
                           ParameterKind::Buffer, at);
  }

private:
  Trace &owner;
  std::string prefix;
};

} // namespace graven::trace

#endif // FRONTENDS_TRACE_TRACE_H
