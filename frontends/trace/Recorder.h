//===- Recorder.h - the inside of a Trace ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a Trace keeps, and a call of an ATen operator as the
// functions of Ops.h, which are generated, state it: the names of the schema's
// arguments and their values.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TRACE_RECORDER_H
#define FRONTENDS_TRACE_RECORDER_H

#include "dialects/support/Diagnostics.h"
#include "frontends/aten/GraphMaker.h"
#include "frontends/aten/Table.h"
#include "frontends/trace/Trace.h"

#include <list>
#include <tuple>

namespace graven::trace {

class Trace::Recorder {
public:
  Recorder(Trace &trace, mlir::MLIRContext &context, ImportOptions options,
           std::source_location at);

  mlir::OpBuilder &builder() { return maker.builder(); }
  mlir::Location place(std::source_location at);
  /// An error at `loc`; finish() fails from here on.
  mlir::InFlightDiagnostic error(mlir::Location loc, Code code) {
    failed = true;
    return emitCoded(loc, code);
  }

  Tensor make(aten::Value value) { return {trace, std::move(value)}; }
  Tensor make(mlir::Value value) {
    return value ? make(aten::Value(aten::Tensor::make(value))) : invalid();
  }
  Tensor invalid() { return make(aten::Value::unknown()); }

  /// The graph's value of a Tensor; null when it is not valid, or, with an
  /// error, when it is none or the value is not seen from here: it belongs to
  /// another Trace, or to a body that has ended.
  mlir::Value read(const Tensor &tensor, mlir::Location loc);

  /// Runs the schema's operator. Results are not valid after a failure.
  llvm::SmallVector<Tensor> call(llvm::StringRef name, llvm::StringRef overload,
                                 aten::CallArguments arguments,
                                 std::source_location at);

  Trace &trace;
  mlir::Location start;
  ImportOptions options;
  aten::GraphMaker maker;
  aten::Session session;
  /// The Blocks that are being recorded, the graph's first: what was made in
  /// them is seen. A body is no part of the graph until it has ended.
  llvm::SmallVector<mlir::Block *, 4> open;
  llvm::StringMap<mlir::Location> inputs;
  /// Bodies of what failed: they may use the graph's values, so they go first.
  std::list<mlir::Region> discarded;
  bool failed = false;
};

/// One call of an operator, argument by argument.
class Invocation {
public:
  Invocation(llvm::StringRef name, llvm::StringRef overload)
      : name(name), overload(overload) {}
  Invocation(Trace &trace, llvm::StringRef name, llvm::StringRef overload)
      : trace(&trace), name(name), overload(overload) {}

  Invocation &with(const char *formal, const Tensor &tensor);
  Invocation &with(const char *formal, const TensorList &tensors);
  Invocation &with(const char *formal, aten::Value value) {
    arguments.keywords.emplace_back(formal, std::move(value));
    return *this;
  }

  llvm::SmallVector<Tensor> run(std::source_location at);

  /// The results of an operator that gives one tensor, a list of them, or
  /// several.
  Tensor tensor(std::source_location at);
  std::vector<Tensor> list(std::source_location at);
  template <size_t n> auto tuple(std::source_location at) {
    llvm::SmallVector<Tensor> results = run(at);
    results.resize(n);
    return [&]<size_t... i>(std::index_sequence<i...>) {
      return std::tuple(results[i]...);
    }(std::make_index_sequence<n>());
  }

private:
  Trace *trace = nullptr;
  llvm::StringRef name, overload;
  aten::CallArguments arguments;
};

// Arguments as the table takes them.
inline aten::Value valueOf(int64_t v) { return v; }
inline aten::Value valueOf(double v) { return v; }
inline aten::Value valueOf(Flag v) { return v.value(); }
inline aten::Value valueOf(const Scalar &v) { return v.value(); }
inline aten::Value valueOf(const Text &v) { return v.value(); }
inline aten::Value valueOf(DType v) { return static_cast<int64_t>(v); }
template <class T> aten::Value valueOf(const std::optional<T> &v) {
  return v ? valueOf(*v) : aten::Value();
}

} // namespace graven::trace

#endif // FRONTENDS_TRACE_RECORDER_H
