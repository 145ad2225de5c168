//===- Targets.cpp - what the code of an artifact is for -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of targets.
//===----------------------------------------------------------------------===//
#include "compiler/session/Targets.h"
#include "dialects/support/Diagnostics.h"
#include "passes/gpu/Passes.h"
#include "runtime/include/graven/runtime.h"

using namespace mlir;

namespace graven {

FailureOr<Targets> Targets::get(const CompileOptions &options, Location loc) {
  auto cpus = cpu::findTargets(options.cpu, loc);
  if (failed(cpus))
    return failure();
  bool isForGpus = !options.gpus.empty(),
       isForGpusOnly =
           isForGpus && options.withoutDevice == cuda::WithoutDevice::Nothing;
  if (isForGpusOnly && cpus->size() > 1)
    return emitCoded(loc, Code::BadOption)
           << "--target-cpu names " << cpus->size()
           << " CPUs, and a model for GPUs has one host";
  // Panels as the widest vectors want them: narrower ones take them in parts.
  // Products of pairs and quadruples need panels of their own, so all CPUs or
  // none have them.
  Targets targets{std::nullopt, std::move(*cpus), {}, MatrixUnits::Warps};
  const TargetInfo &widest = targets.cpus.front().info;
  targets.layout = isForGpus ? deviceTarget() : widest;
  if (isForGpus && !isForGpusOnly)
    targets.layout.vectorBytes = widest.vectorBytes;
  for (const cpu::CpuTarget &target : targets.cpus) {
    targets.layout.hasInt8Dot &= target.info.hasInt8Dot;
    targets.layout.hasBF16Dot &= target.info.hasBF16Dot;
    targets.layout.hasF16Convert &= target.info.hasF16Convert;
  }
  if (!isForGpus)
    return targets;
  auto architectures = cuda::findArchitectures(options.gpus, loc);
  if (failed(architectures))
    return failure();
  targets.units = architectures->front().units;
  // Any CPU launches kernels; a simulator is there always.
  targets.device = targets.cpus.back();
  if (isForGpusOnly || options.simulator) {
    targets.cpus.clear();
  } else {
    targets.device->info.name = "cuda:" + options.gpus;
    targets.device->requiredFeatures |= GRAVEN_NEEDS_GPU;
  }
  return targets;
}

LogicalResult Targets::checkOne(size_t sizes, Location loc) const {
  if (sizes > 1)
    return emitCoded(loc, Code::BadOption)
           << "there are " << sizes
           << " sizes, and only .so, .o and .a hold code for more than one; "
              "choose one, as in --dim batch=8";
  if (device && !cpus.empty())
    return emitCoded(loc, Code::BadOption)
           << "--target names GPUs and a CPU, and only .so, .o and .a hold "
              "code for both";
  if (cpus.size() <= 1)
    return success();
  return emitCoded(loc, Code::BadOption)
         << "--target-cpu names " << cpus.size()
         << " CPUs, and only .so, .o and .a hold code for more than one";
}

} // namespace graven
