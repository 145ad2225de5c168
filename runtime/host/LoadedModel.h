//===- LoadedModel.h - a compiled model loaded from its file ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares LoadedModel, which opens an artifact (.so), checks its
// table, and runs it with a workspace and threads that are kept between runs.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_LOADEDMODEL_H
#define GRAVEN_RUNTIME_HOST_LOADEDMODEL_H

#include "runtime/host/Array.h"
#include "runtime/host/Result.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graven::rt {

/// A loaded artifact. An artifact is native code: load only what you would
/// execute. One run at a time per LoadedModel, since it owns the workspace.
class LoadedModel {
public:
  /// Opens the artifact and checks its table. The table is the symbol
  /// `graven_model`, or `NAME_model` when a name is given. Errors name the
  /// path.
  static Result<LoadedModel> load(const std::string &path,
                                  const std::string &name = {});

  LoadedModel(LoadedModel &&) = default;
  LoadedModel &operator=(LoadedModel &&other) noexcept;

  const GravenModel &table() const { return *model; }
  std::string_view name() const { return model->name; }
  std::span<const GravenTensorInfo> inputs() const {
    return {model->inputs, static_cast<size_t>(model->num_inputs)};
  }
  std::span<const GravenTensorInfo> outputs() const {
    return {model->outputs, static_cast<size_t>(model->num_outputs)};
  }

  /// The input with this name, else the one whose index the text is ("0"); an
  /// error lists the names there are.
  Result<size_t> findInput(std::string_view nameOrIndex) const;

  /// The address of a symbol that the artifact exports, null for others.
  void *symbol(const char *name) const;

  /// Uses this many threads in the runs that follow, 0 for one per CPU. The
  /// default is one.
  Status setThreads(int threads);

  /// Runs on the caller's memory; graven_model_run's checks.
  Status run(std::span<const GravenTensor> inputs,
             std::span<GravenTensor> outputs);

  /// The same with the caller's threads.
  Status run(std::span<const GravenTensor> inputs,
             std::span<GravenTensor> outputs, const GravenParallel *parallel);

  /// The threads that runs use; null for one.
  const GravenParallel *threads() const {
    return model->support->pool_parallel(pool.get());
  }

  /// Runs with bare pointers, whose count alone is checked; for any number of
  /// tensors (@prepare has one input for each parameter).
  Status call(std::span<void *const> inputs, std::span<void *const> outputs);

  /// The same with the caller's threads and workspace, which is taken for this
  /// call alone when null: several calls may be made at a time.
  Status call(std::span<void *const> inputs, std::span<void *const> outputs,
              void *workspace, const GravenParallel *parallel) const;

  /// Runs and creates the outputs; symbolic extents follow from the inputs.
  Result<std::vector<Array>> run(std::span<Array> inputs);

  /// The extents of the model's symbols that these inputs give; an error when
  /// they disagree or the model does not take them.
  Result<std::vector<int64_t>>
  symbolExtents(std::span<const GravenTensor> inputs) const;

  /// The extents that an output, one of outputs(), has with these inputs:
  /// symbolic ones follow from theirs.
  Result<std::vector<int64_t>>
  outputExtents(const GravenTensorInfo &info,
                std::span<const GravenTensor> inputs) const;

  /// Whether data decide extents of an output: after a run its Array settles.
  static bool isCounted(const GravenTensorInfo &info);

  /// Zeroed outputs for inputs of these extents (one span an input), with the
  /// most extents where data decide.
  Result<std::vector<Array>>
  createOutputs(std::span<const GravenTensor> inputs) const;

private:
  struct CloseLibrary {
    void operator()(void *library) const;
  };
  struct EndPool {
    const GravenSupport *support;
    void operator()(GravenPool *pool) const { support->pool_destroy(pool); }
  };

  LoadedModel() = default;

  Status checkTable(const std::string &path) const;
  Status createWorkspace();
  // In the order of creation: the pool's code is in the library.
  std::unique_ptr<void, CloseLibrary> library;
  const GravenModel *model = nullptr;
  std::unique_ptr<GravenPool, EndPool> pool{nullptr, EndPool{nullptr}};
  Buffer workspace;
};

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_LOADEDMODEL_H
