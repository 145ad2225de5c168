//===- Graph.cpp - Graphs of Python -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements _core.Graph, which python/graven/_graph.py wraps: a
// Program, the memory that its source refers to, and compiling it. The GIL is
// released while a model is read, rewritten or compiled.
//===----------------------------------------------------------------------===//
#include "python/bindings/Graph.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace graven::python;

namespace {

/// How code is to be made, as Python passes it.
struct Options {
  std::string name;
  std::vector<std::string> inputs, dims;
  std::string target, cpu;
  int level;
  std::string numerics, precision;
  int threads;
  /// Inputs that are known while the model is read.
  std::vector<std::pair<std::string, std::shared_ptr<Input>>> values;
  /// What those of strings are numbers of.
  std::vector<std::string> strings;

  std::vector<Constant> constants() const {
    std::vector<Constant> list;
    list.reserve(values.size());
    for (const auto &[name, input] : values)
      list.push_back({name, input->tensor()});
    return list;
  }
};

using Hints = std::map<std::string, int64_t>;
using Constants = std::vector<std::pair<std::string, nb::object>>;

class Graph {
public:
  Graph(const std::string &path, std::optional<nb::bytes> bytes,
        std::vector<std::string> inputs, std::vector<std::string> dims,
        const Constants &constants, const Hints &hints, std::string weights,
        std::string state);

  bool isKnown() const { return program->isKnown(); }
  nb::list sizes();
  std::string graph();
  std::string code();
  nb::tuple inputs() { return specs(&Program::inputs); }
  nb::tuple outputs() { return specs(&Program::outputs); }
  nb::list params();
  nb::tuple data(const std::string &param);
  nb::tuple stats();
  void runPasses(const std::string &pipeline);
  void writeText(const std::string &path);
  void writeOnnx(const std::string &path, const OnnxOptions &options);
  Request request(const Options &options);

private:
  /// Runs without the GIL, one at a time; raises what `run` appends when it
  /// returns false.
  template <typename Run> void exclusively(Run run);
  /// Raises what is missing for there to be a Graph.
  void require();
  template <typename Specs> nb::tuple specs(Specs specs);

  std::optional<nb::bytes> bytes;
  std::vector<std::shared_ptr<Input>> constants;
  std::unique_ptr<Program> program;
  std::mutex mutex;
};

} // namespace

[[noreturn]] static void raiseErrors(std::vector<Message> messages) {
  std::erase_if(messages,
                [](const Message &m) { return m.severity != "error"; });
  raise(messages);
}

static std::shared_ptr<Input> readArray(const std::string &name,
                                        nb::handle value) {
  auto input = std::make_shared<Input>();
  GravenTensorInfo info = {};
  info.name = name.c_str();
  input->read(value, info);
  return input;
}

static std::vector<std::string>
warningsIn(const std::vector<Message> &messages) {
  std::vector<std::string> warnings;
  for (const Message &message : messages)
    if (message.severity == "warning")
      warnings.push_back(
          (message.location.empty() ? "" : message.location + ": ") +
          message.text);
  return warnings;
}

Graph::Graph(const std::string &path, std::optional<nb::bytes> given,
             std::vector<std::string> inputs, std::vector<std::string> dims,
             const Constants &values, const Hints &hints, std::string weights,
             std::string state)
    : bytes(std::move(given)) {
  Source source{path, {}, std::move(inputs), std::move(dims)};
  source.weights = std::move(weights);
  source.state = std::move(state);
  if (bytes)
    source.bytes = {bytes->c_str(), bytes->size()};
  for (const auto &[name, value] : values) {
    constants.push_back(readArray(name, value));
    source.constants.push_back({name, constants.back()->tensor()});
  }
  exclusively([&](std::vector<Message> &messages) {
    program = Program::import(std::move(source), hints, messages);
    return program != nullptr;
  });
}

template <typename Run> void Graph::exclusively(Run run) {
  std::vector<Message> messages;
  bool good;
  {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(mutex);
    good = run(messages);
  }
  if (!good)
    raiseErrors(std::move(messages));
}

void Graph::require() {
  if (!program->isKnown())
    raiseErrors(program->missing());
}

nb::list Graph::sizes() {
  nb::list list;
  for (const auto &[symbol, extent] : program->sizes())
    list.append(nb::make_tuple(symbol, extent));
  return list;
}

std::string Graph::graph() {
  require();
  std::string text;
  exclusively([&](auto &) {
    text = program->graph();
    return true;
  });
  return text;
}

std::string Graph::code() {
  require();
  std::string text;
  exclusively([&](auto &) {
    text = program->code();
    return true;
  });
  return text;
}

template <typename Specs> nb::tuple Graph::specs(Specs specs) {
  require();
  std::vector<TensorInfo> infos;
  exclusively([&](auto &) {
    infos = ((*program).*specs)();
    return true;
  });
  nb::list list;
  for (const TensorInfo &info : infos) {
    nb::list shape;
    for (size_t axis = 0; axis < info.extents.size(); ++axis)
      if (info.symbols[axis].empty())
        shape.append(info.extents[axis]);
      else
        shape.append(info.symbols[axis]);
    list.append(TensorSpec(info.name, info.dtype, nb::tuple(shape)));
  }
  return nb::tuple(list);
}

nb::list Graph::params() {
  require();
  std::vector<ParamInfo> infos;
  exclusively([&](auto &) {
    infos = program->params();
    return true;
  });
  nb::list list;
  for (const ParamInfo &info : infos)
    list.append(nb::make_tuple(info.name, info.dtype, info.shape, info.isBuffer,
                               info.requiresGrad));
  return list;
}

/// The bytes as a read-only array that keeps the Graph, their strides in
/// elements or None, and whether they are big-endian.
nb::tuple Graph::data(const std::string &param) {
  ParamData data;
  exclusively([&](std::vector<Message> &messages) {
    auto found = program->data(param, messages);
    if (found)
      data = std::move(*found);
    return found.has_value();
  });
  size_t length = static_cast<size_t>(data.length);
  nb::ndarray<const uint8_t, nb::numpy, nb::ndim<1>> bytes(data.bytes, {length},
                                                           nb::find(this));
  nb::object strides =
      data.strides.empty() ? nb::none() : nb::cast(data.strides);
  return nb::make_tuple(bytes, strides, data.isBigEndian);
}

nb::tuple Graph::stats() {
  require();
  ProgramStats stats;
  exclusively([&](auto &) {
    stats = program->stats();
    return true;
  });
  return nb::make_tuple(stats.nodes, stats.parameters, stats.parameterBytes,
                        stats.macs);
}

void Graph::runPasses(const std::string &pipeline) {
  exclusively([&](std::vector<Message> &messages) {
    return program->runPasses(pipeline, messages);
  });
}

void Graph::writeText(const std::string &path) {
  require();
  exclusively([&](std::vector<Message> &messages) {
    return program->writeText(path, messages);
  });
}

void Graph::writeOnnx(const std::string &path, const OnnxOptions &options) {
  require();
  exclusively([&](std::vector<Message> &messages) {
    return program->writeOnnx(path, options, messages);
  });
}

Request Graph::request(const Options &options) {
  std::lock_guard<std::mutex> lock(mutex);
  Request request{program->source(), options.name,   options.target,
                  options.cpu,       options.level,  options.numerics,
                  options.precision, options.threads};
  request.source.inputs = options.inputs;
  request.source.dims = options.dims;
  request.source.values = options.constants();
  request.source.strings = options.strings;
  return request;
}

/// The model, and the warnings that came with it.
static std::pair<std::unique_ptr<Model>, std::vector<std::string>>
compileRequest(const Request &request, int threads) {
  std::vector<Message> messages;
  std::optional<Artifact> artifact;
  {
    nb::gil_scoped_release release;
    artifact = compile(request, messages);
  }
  if (!artifact)
    raiseErrors(std::move(messages));
  return {std::make_unique<Model>(std::move(*artifact), threads),
          warningsIn(messages)};
}

static std::pair<std::unique_ptr<Model>, std::vector<std::string>>
compileFile(const std::string &path, const std::optional<nb::bytes> &bytes,
            const Options &options, std::string weights, std::string state) {
  Request request{Source{path, {}, options.inputs, options.dims},
                  options.name,
                  options.target,
                  options.cpu,
                  options.level,
                  options.numerics,
                  options.precision,
                  1};
  request.source.weights = std::move(weights);
  request.source.state = std::move(state);
  request.source.values = options.constants();
  request.source.strings = options.strings;
  if (bytes)
    request.source.bytes = {bytes->c_str(), bytes->size()};
  return compileRequest(request, options.threads);
}

static std::vector<std::string>
writeGraph(Graph &graph, const std::string &path, const Options &options) {
  Request request = graph.request(options);
  std::vector<Message> messages;
  bool good;
  {
    nb::gil_scoped_release release;
    good = write(request, path, messages);
  }
  if (!good)
    raiseErrors(std::move(messages));
  return warningsIn(messages);
}

void graven::python::bindGraph(nb::module_ &module) {
  nb::class_<Options>(module, "Options", "How code is to be made.")
      .def(
          "__init__",
          [](Options *self, std::string name, std::vector<std::string> inputs,
             std::vector<std::string> dims, std::string target, std::string cpu,
             int level, std::string numerics, std::string precision,
             int threads, const Constants &values,
             std::vector<std::string> strings) {
            new (self) Options{std::move(name),
                               std::move(inputs),
                               std::move(dims),
                               std::move(target),
                               std::move(cpu),
                               level,
                               std::move(numerics),
                               std::move(precision),
                               threads,
                               {},
                               std::move(strings)};
            for (const auto &[name, value] : values)
              self->values.emplace_back(name, readArray(name, value));
          },
          nb::arg("name"), nb::arg("inputs"), nb::arg("dims"),
          nb::arg("target"), nb::arg("cpu"), nb::arg("level"),
          nb::arg("numerics"), nb::arg("precision"), nb::arg("threads"),
          nb::arg("values") = Constants(),
          nb::arg("strings") = std::vector<std::string>())
      .def_ro("name", &Options::name)
      .def_ro("inputs", &Options::inputs)
      .def_ro("dims", &Options::dims)
      .def_ro("target", &Options::target)
      .def_ro("cpu", &Options::cpu)
      .def_ro("level", &Options::level)
      .def_ro("numerics", &Options::numerics)
      .def_ro("precision", &Options::precision)
      .def_ro("threads", &Options::threads);

  nb::class_<Graph>(module, "Graph", "What graven.Graph wraps.")
      .def(nb::init<const std::string &, std::optional<nb::bytes>,
                    std::vector<std::string>, std::vector<std::string>,
                    const Constants &, const Hints &, std::string,
                    std::string>(),
           nb::arg("path"), nb::arg("bytes").none(), nb::arg("inputs"),
           nb::arg("dims"), nb::arg("constants"), nb::arg("hints"),
           nb::arg("weights"), nb::arg("state"))
      .def_prop_ro("is_known", &Graph::isKnown)
      .def_prop_ro("sizes", &Graph::sizes)
      .def_prop_ro("graph", &Graph::graph)
      .def_prop_ro("code", &Graph::code)
      .def_prop_ro("inputs", &Graph::inputs)
      .def_prop_ro("outputs", &Graph::outputs)
      .def_prop_ro("params", &Graph::params)
      .def("data", &Graph::data, nb::arg("param"))
      .def("stats", &Graph::stats)
      .def("run_passes", &Graph::runPasses, nb::arg("pipeline"))
      .def("write_text", &Graph::writeText, nb::arg("path"))
      .def(
          "write_onnx",
          [](Graph &graph, const std::string &path, int64_t opset, bool folds,
             std::vector<std::string> inputs, std::vector<std::string> outputs,
             std::vector<std::tuple<std::string, int64_t, std::string>> axes,
             std::string external, std::string weights) {
            graph.writeOnnx(path, {opset, folds, std::move(inputs),
                                   std::move(outputs), std::move(axes),
                                   std::move(external), std::move(weights)});
          },
          nb::arg("path"), nb::arg("opset"), nb::arg("folds"),
          nb::arg("input_names"), nb::arg("output_names"),
          nb::arg("dynamic_axes"), nb::arg("external_data"), nb::arg("weights"))
      .def("write", &writeGraph, nb::arg("path"), nb::arg("options"))
      .def(
          "compile",
          [](Graph &graph, const Options &options) {
            return compileRequest(graph.request(options), options.threads);
          },
          nb::arg("options"));

  module.def("compile", &compileFile, nb::arg("path"), nb::arg("bytes").none(),
             nb::arg("options"), nb::arg("weights"), nb::arg("state"));
}
