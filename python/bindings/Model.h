//===- Model.h - compiled models of Python ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares graven.Model, TensorSpec and Stats.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_MODEL_H
#define PYTHON_BINDINGS_MODEL_H

#include "python/bindings/Arrays.h"

#include <mutex>
#include <sys/types.h>
#include <tuple>

namespace graven::python {

/// One input or output.
struct TensorSpec {
  std::string name, dtype;
  nanobind::tuple shape;

  TensorSpec(std::string name, std::string dtype, nanobind::tuple shape)
      : name(std::move(name)), dtype(std::move(dtype)),
        shape(std::move(shape)) {}
  explicit TensorSpec(const GravenTensorInfo &info);

  /// "x:f32[1,3,8,8]", which `inputs=` understands.
  std::string text() const;
};

/// What is known about a model.
struct Stats {
  std::optional<double> compileSeconds;
  std::optional<int64_t> kernels;
  int64_t weightsBytes = 0, workspaceBytes = 0, fileBytes = 0;
  nanobind::dict provenance;
};

class Model {
public:
  Model(Artifact made, int threads);
  ~Model();

  nanobind::object call(const nanobind::args &args,
                        const nanobind::kwargs &kwargs);
  /// All outputs, also of one.
  nanobind::list run(const nanobind::args &args,
                     const nanobind::kwargs &kwargs);
  /// As the code has inputs and outputs: without sequences, optionals and
  /// strings.
  nanobind::list runTensors(const nanobind::args &args,
                            const nanobind::kwargs &kwargs);
  /// Where an array is: an address, an element type, extents.
  using Place = std::tuple<uintptr_t, std::string, std::vector<int64_t>>;
  /// The extents of the outputs for inputs of these.
  std::vector<nanobind::tuple>
  outputShapes(const std::vector<Place> &inputs) const;
  /// Queues a run on a stream of a GPU.
  void queue(const std::vector<Place> &inputs,
             const std::vector<Place> &outputs, uintptr_t stream);
  void save(const std::string &path) const;
  Stats stats() const;
  std::string text() const;

  nanobind::tuple inputSpecs() const { return specs(artifact.model.inputs()); }
  nanobind::tuple outputSpecs() const {
    return specs(artifact.model.outputs());
  }
  nanobind::tuple inputNames() const { return names(artifact.model.inputs()); }
  nanobind::tuple outputNames() const {
    return names(artifact.model.outputs());
  }
  std::string name() const { return std::string(artifact.model.name()); }
  int getThreads() const { return threads; }
  void setThreads(int count);

private:
  static nanobind::tuple specs(std::span<const GravenTensorInfo> infos);
  static nanobind::tuple names(std::span<const GravenTensorInfo> infos);
  bool isForked() const;
  nanobind::list runOnDevice(const std::vector<nanobind::handle> &values);
  std::vector<nanobind::handle> arrange(const nanobind::args &args,
                                        const nanobind::kwargs &kwargs) const;

  Artifact artifact;
  std::vector<Output> outputs;
  /// A graven._structure.Structure, where callers see not only tensors.
  nanobind::object structure;
  /// graven._device, where the code is for GPUs.
  nanobind::object device;
  int threads;
  pid_t owner;
  /// The workspace and the pool serve one run at a time.
  std::mutex running;
};

/// Adds these classes to the module.
void bindModel(nanobind::module_ &module);

} // namespace graven::python

#endif // PYTHON_BINDINGS_MODEL_H
