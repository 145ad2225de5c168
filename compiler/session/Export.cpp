//===- Export.cpp - a model as an ONNX file ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements writing a module as ONNX: the passes that make it
// canonical, and the files, which appear whole or not at all.
//===----------------------------------------------------------------------===//

#include "compiler/session/FoldParameters.h"
#include "compiler/session/Session.h"
#include "compiler/support/OutputFile.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Pipeline.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace graven {

namespace {
/// Whether the weights of a query, a key and a value may become one.
enum class Projections : uint8_t { Apart, Merged };
} // namespace

/// One Graph without calls, and, when folding, without shape arithmetic and
/// with ops in the place of the patterns that frameworks write for them.
static void buildExportPipeline(OpPassManager &manager, Folding folding,
                                Projections projections) {
  if (folding == Folding::Off) {
    manager.addPass(createInlineCalls());
    manager.addPass(createInferShapes());
    return;
  }
  buildShapePipeline(manager);
  manager.addNestedPass<GraphOp>(createRemoveIdentities());
  if (projections == Projections::Merged) {
    // Before products get the axes of the model: one of rank 2 takes a bias.
    manager.addNestedPass<GraphOp>(createRecomposeOps());
    manager.addNestedPass<GraphOp>(createMergeProjections());
  }
  UnflattenMatmulOptions unflatten;
  unflatten.exact = true;
  manager.addNestedPass<GraphOp>(createUnflattenMatmul(unflatten));
  manager.addNestedPass<GraphOp>(createRecomposeOps());
  manager.addNestedPass<GraphOp>(createCanonicalizerPass());
  manager.addPass(createEliminateDeadNodes());
}

SmallVector<DynamicInput> dynamicInputs(const OnnxExportOptions &options) {
  SmallVector<DynamicInput> inputs;
  for (const OnnxDynamicAxis &axis : options.dynamicAxes) {
    auto renamed = llvm::find(options.inputNames, axis.tensor);
    size_t index = renamed - options.inputNames.begin();
    inputs.push_back({index == options.inputNames.size()
                          ? axis.tensor
                          : std::to_string(index),
                      axis.axis, axis.symbol});
  }
  return inputs;
}

FailureOr<OwningOpRef<ModuleOp>>
Session::importGeneral(StringRef path, const ImportOptions &options,
                       ArrayRef<DimSpec> dims,
                       const OnnxExportOptions &exported) {
  return graven::importGeneral(
      context.get(),
      [&](const ImportOptions &own) { return import(path, own); }, options,
      dims, dynamicInputs(exported));
}

LogicalResult Session::simplify(ModuleOp module, Explanations *explanations) {
  PassManager manager(context.get());
  buildExportPipeline(manager, Folding::On, Projections::Merged);
  FuseConvBNOptions fuse;
  fuse.expand = false;
  manager.addNestedPass<GraphOp>(createFuseConvBN(fuse));
  // Masks and tables of positions, which are small beside weights.
  FoldConstantsOptions fold;
  fold.maxElements = kSmallBytes / 4;
  manager.addPass(createFoldConstants(fold));
  manager.addNestedPass<GraphOp>(createCanonicalizerPass());
  if (explanations)
    explanations->watch(manager);
  if (failed(runChecked(manager, module, timer.nest("simplify"))))
    return failure();
  return foldParameters(module);
}

static FailureOr<OutputFile> writeModel(const OnnxModel &model, StringRef path,
                                        Location loc) {
  auto file = OutputFile::create(path, FileMode::Plain, loc);
  if (failed(file))
    return failure();
  OutputStream os(*file);
  if (failed(model.write(os)) || failed(os.finish()))
    return failure();
  return file;
}

FailureOr<ExportSummary> Session::exportOnnx(ModuleOp module,
                                             OnnxExportOptions options,
                                             Folding folding, StringRef path,
                                             ExportCheck check,
                                             Explanations *explanations) {
  Location loc = module.getLoc();
  PassManager manager(context.get());
  buildExportPipeline(manager, folding, Projections::Apart);
  if (explanations)
    explanations->watch(manager);
  if (failed(runChecked(manager, module, timer.nest("export"))))
    return failure();
  options.dataFile = (llvm::sys::path::filename(path) + ".data").str();
  options.producerVersion = GRAVEN_VERSION;
  auto model = OnnxModel::make(module, options);
  if (failed(model))
    return failure();
  ExportSummary summary{model->nodeCount(), model->weightBytes(), {}};
  std::optional<OutputFile> data;
  if (model->hasExternalData()) {
    summary.dataFile = options.dataFile;
    auto file =
        OutputFile::create((path + ".data").str(), FileMode::Plain, loc);
    if (failed(file))
      return failure();
    OutputStream os(data.emplace(std::move(*file)));
    if (failed(model->writeData(os)) || failed(os.finish()))
      return failure();
  }
  if (check && data) {
    // A model that names the data as they are called until they are kept.
    options.dataFile = llvm::sys::path::filename(data->temporaryPath()).str();
    auto trial = OnnxModel::make(module, options);
    if (failed(trial))
      return failure();
    auto file = writeModel(*trial, path, loc);
    if (failed(file) || failed(check(file->temporaryPath())))
      return failure();
  }
  auto file = writeModel(*model, path, loc);
  if (failed(file) ||
      (check && !data && failed(check(file->temporaryPath()))) ||
      (data && failed(data->commit())) || failed(file->commit()))
    return failure();
  return summary;
}

} // namespace graven
