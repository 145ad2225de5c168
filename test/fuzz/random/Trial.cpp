//===- Trial.cpp - one random graph, compiled and compared ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the checks of one seed.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Trial.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {
namespace {

using Problem = std::optional<std::string>;

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

/// Runs on memory that holds NaN and -1, so that reading what was not written
/// shows.
rt::Result<std::vector<rt::Array>> runPoisoned(rt::LoadedModel &model,
                                               std::vector<rt::Array> &inputs) {
  constexpr int poison = 0xff;
  std::vector<GravenTensor> tensors;
  std::vector<void *> in, out;
  for (rt::Array &input : inputs) {
    tensors.push_back(input.tensor());
    in.push_back(input.data());
  }
  auto outputs = model.createOutputs(tensors);
  if (!outputs)
    return outputs;
  for (rt::Array &output : *outputs) {
    std::memset(output.data(), poison, output.numBytes());
    out.push_back(output.data());
  }
  const GravenModel &table = model.table();
  auto workspace = rt::Buffer::allocate(
      std::max<int64_t>(table.workspace_size, 1), table.workspace_alignment);
  if (!workspace)
    return workspace.takeError();
  std::memset(workspace->data(), poison, workspace->size());
  if (rt::Status status =
          model.call(in, out, workspace->data(), model.threads());
      !status)
    return status.takeError();
  return outputs;
}

StringRef nameOf(OptLevel level) {
  switch (level) {
  case OptLevel::O0:
    return "-O0";
  case OptLevel::O1:
    return "-O1";
  case OptLevel::O2:
    return "-O2";
  case OptLevel::O3:
    return "-O3";
  }
  llvm_unreachable("unknown level");
}

} // namespace

Trial::Trial(Session &session, uint64_t seed)
    : session(session), seed(seed), draft(&session.getContext(), seed) {
  // What the evaluator cannot run at a later iteration is drawn again, without
  // a word; other errors tell why there is a fault.
  ScopedDiagnosticHandler note(
      &session.getContext(),
      [&](Diagnostic &diagnostic) { lastError = diagnostic.str(); });
  draft.draw(draft.number(2, 14));
  draft.finish();
  inputs = draft.getInputs();
  expected = draft.getOutputs();
}

Problem Trial::run() {
  if (Problem problem = checkDraft())
    return problem;
  if (Problem problem = checkText())
    return problem;
  if (Problem problem = checkEvaluator())
    return problem;
  for (OptLevel level : {OptLevel::O0, OptLevel::O3})
    if (Problem problem = checkNative(level))
      return problem;
  return std::nullopt;
}

void Trial::spoil() {
  for (Tensor &tensor : expected)
    if (tensor.size() > 0) {
      Tensor other(tensor.getType());
      other.copy(0, tensor, 0, tensor.size());
      other.set(0, isa<FloatType>(tensor.getElementType())
                       ? tensor.getDouble(0) + 1
                       : static_cast<double>(~tensor.getInt(0) & 1));
      tensor = other;
    }
}

Problem Trial::checkDraft() {
  if (!draft.getFaults().empty())
    return "drawing: " + draft.getFaults().front() +
           " (last error: " + lastError + ")";
  if (failed(verify(getModule())))
    return "the verifier refuses the graph";
  return std::nullopt;
}

Problem Trial::checkText() {
  std::string text = textOf(getModule());
  auto read = parseSourceString<ModuleOp>(text, &session.getContext());
  if (!read)
    return "the graph's text cannot be read";
  if (textOf(*read) != text)
    return "the graph's text changes when it is read and printed";
  return std::nullopt;
}

FailureOr<std::vector<rt::Array>> Trial::arraysOf(ArrayRef<Tensor> tensors) {
  std::vector<rt::Array> arrays;
  for (const Tensor &tensor : tensors) {
    auto array =
        rt::Array::create(dtypeOf(tensor.getElementType()),
                          {tensor.getShape().begin(), tensor.getShape().end()});
    if (!array)
      return LogicalResult(report(&session.getContext(), array.error()));
    llvm::copy(tensor.getBytes(), reinterpret_cast<char *>(array->data()));
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

Problem Trial::compare(ArrayRef<rt::Array> got,
                       std::optional<Tolerance> tolerance) {
  if (got.size() != expected.size())
    return llvm::formatv("{0} outputs, expected {1}", got.size(),
                         expected.size());
  for (auto [i, array, wanted] : llvm::enumerate(got, expected)) {
    ArrayRef bytes(reinterpret_cast<const char *>(array.data()),
                   array.numBytes());
    ArrayRef extents(array.extents().data(), array.extents().size());
    if (extents != wanted.getShape() ||
        dtypeOf(wanted.getElementType()) != array.dtype())
      return llvm::formatv("output {0} has another type", i);
    if (bytes == wanted.getBytes())
      continue;
    auto difference = differenceOf(
        wanted, Tensor::fromBytes(wanted.getType(), bytes), tolerance);
    // Integers of 64 bits differ in more places than doubles have.
    if (!difference && !isa<FloatType>(wanted.getElementType()))
      difference = "an element differs";
    if (difference)
      return llvm::formatv("output {0}: {1}", i, *difference);
  }
  return std::nullopt;
}

/// Drawing evaluated Node by Node with its own branches and loops: the
/// evaluator's are to give the same bits.
Problem Trial::checkEvaluator() {
  auto arrays = arraysOf(inputs);
  if (failed(arrays))
    return "no inputs";
  auto outputs = session.evaluate(getModule(), *arrays);
  if (failed(outputs))
    return "the evaluator cannot run the graph";
  if (Problem problem = compare(*outputs, Tolerance{0, 0}))
    return "evaluator: " + *problem;
  return std::nullopt;
}

Problem Trial::checkNative(OptLevel level) {
  std::string name = nameOf(level).str();
  auto arrays = arraysOf(inputs);
  if (failed(arrays))
    return "no inputs";
  OwningOpRef<ModuleOp> copy(getModule().clone());
  CompileOptions options;
  options.level = level;
  options.cacheFolder = "";
  auto model = session.load(*copy, options);
  if (failed(model))
    return name + ": does not compile";
  auto outputs = runPoisoned(*model, *arrays);
  if (!outputs)
    return name + ": " + outputs.error().message;
  if (Problem problem = compare(*outputs, std::nullopt))
    return name + ": " + *problem;
  return std::nullopt;
}

std::string Trial::write(StringRef folder) {
  std::string stem = llvm::formatv("{0}/seed-{1}", folder, seed), arguments;
  std::error_code error;
  llvm::raw_fd_ostream stream(stem + ".mlir", error);
  if (error)
    return "cannot write " + stem + ".mlir";
  getModule().print(stream);
  for (auto [tensors, letter] : {std::pair(&inputs, "x"), {&expected, "y"}}) {
    auto arrays = arraysOf(*tensors);
    if (failed(arrays))
      return "cannot write " + stem + ".mlir";
    for (auto [i, array] : llvm::enumerate(*arrays)) {
      std::string path = llvm::formatv("{0}.{1}{2}.npy", stem, letter, i);
      if (!rt::writeNpy(path, array))
        return "cannot write " + path;
      arguments +=
          llvm::formatv(" --{0} {1}=@{2}",
                        letter == StringRef("x") ? "input" : "expect", i, path);
    }
  }
  return llvm::formatv("graven run {0}.mlir{1} -O3", stem, arguments);
}

} // namespace graven::fuzz
