//===- main.cpp - models written in C++, compiled and run ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This program records LeNet and a GRU cell, compiles both for this machine,
// and runs them, all in one process. Beside the results it writes what others
// need to compute the same: weights and inputs as .npy files; and it saves
// LeNet as text with its weights and as a shared object.
// usage: tracing FOLDER
//
//===----------------------------------------------------------------------===//

#include "compiler/session/DiagnosticPrinter.h"
#include "compiler/session/Session.h"
#include "examples/tracing/Models.h"
#include "runtime/host/Npy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

using namespace example;

namespace {

using Recording = mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>;
using Arrays = std::vector<graven::rt::Array>;

/// Numbers in [-1, 1), the same on every machine.
class Generator {
public:
  float next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int64_t>(state) >> 40) / (1 << 23);
  }

private:
  uint64_t state = 2026;
};

class Example {
public:
  explicit Example(std::string folder)
      : folder(std::move(folder)),
        printer(&session.getContext(), llvm::errs()) {}

  bool run() { return runLeNet() && runGru() && save(); }

private:
  /// Elements as PyTorch initialises: uniform within 1 / sqrt(fan in).
  Weights weights(const std::string &model) {
    return [this, model](const std::string &name, const Shape &shape) {
      int64_t fanIn = 1;
      for (size_t i = 1; i < shape.size(); ++i)
        fanIn *= shape[i];
      Arrays array =
          fresh(shape, 1 / std::sqrt(float(std::max<int64_t>(fanIn, 16))));
      write(model + "." + name, array.front());
      auto elements = array.front().as<float>();
      return std::vector<float>(elements.begin(), elements.end());
    };
  }

  Arrays fresh(const Shape &shape, float bound) {
    auto array = graven::rt::Array::create(GRAVEN_F32, shape);
    Arrays arrays;
    arrays.push_back(std::move(*array));
    for (float &element : arrays.front().as<float>())
      element = bound * generator.next();
    return arrays;
  }

  bool write(const std::string &name, const graven::rt::Array &array) {
    auto status = graven::rt::writeNpy(folder + "/" + name + ".npy", array);
    if (!status)
      std::fprintf(stderr, "%s\n", status.error().message.c_str());
    return static_cast<bool>(status);
  }

  Recording recordLeNet(const Weights &w) {
    Trace trace(session.getContext());
    LeNet lenet(trace, w);
    Tensor image = trace.input("image", {1, 1, 28, 28});
    trace.output(softmax(lenet(image), 1), "probabilities");
    return trace.finish();
  }

  /// The cell over five steps: a `for` of C++ is unrolled, and one of the
  /// graph, `loop`, is not.
  Recording recordGru(const Weights &w) {
    Trace trace(session.getContext());
    GruCell cell(trace, 8, 16, w);
    Tensor x = trace.input("x", {5, 2, 8}), h = trace.input("h", {2, 16});
    for (int64_t t = 0; t < x.size(0); ++t)
      h = cell(select(x, 0, t), h);
    trace.output(h, "state");
    return trace.finish();
  }

  /// Compiles, runs, and writes what the first output is.
  bool compileAndRun(const std::string &name, Recording module, Arrays inputs) {
    if (mlir::failed(module))
      return false;
    auto model = session.load(**module, graven::CompileOptions());
    if (mlir::failed(model))
      return false;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!write(name + ".input" + std::to_string(i), inputs[i]))
        return false;
    auto outputs = model->run(inputs);
    if (!outputs) {
      std::fprintf(stderr, "%s\n", outputs.error().message.c_str());
      return false;
    }
    auto elements = outputs->front().as<float>();
    std::printf("%s: %s of %zu elements, first %.6f\n", name.c_str(),
                model->outputs()[0].name, elements.size(), elements[0]);
    return write(name + ".output", outputs->front());
  }

  bool runLeNet() {
    Recording module = recordLeNet(weights("lenet"));
    return compileAndRun("lenet", std::move(module), fresh({1, 1, 28, 28}, 1));
  }

  bool runGru() {
    Recording module = recordGru(weights("gru"));
    Arrays inputs = fresh({5, 2, 8}, 1);
    inputs.push_back(std::move(fresh({2, 16}, 1).front()));
    return compileAndRun("gru", std::move(module), std::move(inputs));
  }

  /// A graph is compiled by being changed, so each file gets its own.
  bool save() {
    Weights ones = [](const std::string &, const Shape &shape) {
      int64_t count = 1;
      for (int64_t extent : shape)
        count *= extent;
      return std::vector<float>(count, 0.01f);
    };
    Recording text = recordLeNet(ones), library = recordLeNet(ones);
    return mlir::succeeded(text) && mlir::succeeded(library) &&
           mlir::succeeded(session.write(**text, folder + "/lenet.mlir")) &&
           mlir::succeeded(session.compile(**library, graven::CompileOptions(),
                                           folder + "/lenet.so"));
  }

  std::string folder;
  graven::Session session;
  graven::DiagnosticPrinter printer;
  Generator generator;
};

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tracing FOLDER\n");
    return 3;
  }
  return Example(argv[1]).run() ? 0 : 2;
}
