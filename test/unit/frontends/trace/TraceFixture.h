//===- TraceFixture.h - recording and evaluating in tests ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the fixture of the tests of traced programs: a Trace, its
// diagnostics as text, and what the reference evaluator says of its graph.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_UNIT_FRONTENDS_TRACE_TRACEFIXTURE_H
#define TEST_UNIT_FRONTENDS_TRACE_TRACEFIXTURE_H

#include "dialects/graven/Graven.h"
#include "frontends/trace/Control.h"
#include "frontends/trace/Ops.h"

#include "gtest/gtest.h"

namespace graven::trace {

class TraceFixture : public testing::Test {
protected:
  TraceFixture() {
    handler.emplace(&context, [this](mlir::Diagnostic &diagnostic) {
      llvm::raw_string_ostream stream(errors);
      stream << diagnostic.getLocation() << ": " << diagnostic.str() << "\n";
      return mlir::success();
    });
    trace.emplace(context);
  }

  /// Ends the recording with `result` as the output; the graph as text, or
  /// nothing.
  std::string finish(const Tensor &result) {
    trace->output(result, "y");
    auto finished = trace->finish();
    if (mlir::failed(finished))
      return "";
    module = std::move(*finished);
    std::string text;
    llvm::raw_string_ostream(text) << **module;
    return text;
  }

  /// Ends the recording and gives the elements of `result` for f32 inputs.
  std::vector<double> evaluate(const Tensor &result,
                               std::vector<std::vector<float>> inputs) {
    if (finish(result).empty())
      return {};
    auto graph = (*module)->lookupSymbol<GraphOp>("forward");
    std::vector<eval::Tensor> tensors;
    for (auto [type, values] : llvm::zip(graph.getArgumentTypes(), inputs))
      tensors.push_back(eval::Tensor::fromBytes(
          mlir::cast<mlir::RankedTensorType>(type),
          {reinterpret_cast<const char *>(values.data()),
           values.size() * sizeof(float)}));
    eval::Evaluator evaluator;
    auto outputs = evaluator.run(graph, tensors);
    std::vector<double> elements;
    if (mlir::failed(outputs))
      return elements;
    const eval::Tensor &output = outputs->front();
    for (int64_t i = 0; i < output.getType().getNumElements(); ++i)
      elements.push_back(mlir::isa<mlir::FloatType>(output.getElementType())
                             ? output.getDouble(i)
                             : double(output.getInt(i)));
    return elements;
  }

  Tensor input(std::initializer_list<Extent> shape, const char *name = "x",
               DType dtype = DType::Float) {
    return trace->input(name, shape, dtype);
  }

  bool reported(llvm::StringRef text) {
    return llvm::StringRef(errors).contains(text);
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::optional<mlir::ScopedDiagnosticHandler> handler;
  std::string errors;
  std::optional<Trace> trace;
  std::optional<mlir::OwningOpRef<mlir::ModuleOp>> module;
};

} // namespace graven::trace

#endif // TEST_UNIT_FRONTENDS_TRACE_TRACEFIXTURE_H
