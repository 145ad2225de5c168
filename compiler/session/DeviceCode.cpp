//===- DeviceCode.cpp - a model's kernels for GPUs ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the compile of a model to PTX or to machine code of a
// GPU.
//===----------------------------------------------------------------------===//

#include "compiler/session/DeviceCode.h"
#include "compiler/session/Prepare.h"
#include "compiler/session/Signature.h"
#include "compiler/support/OutputFile.h"
#include "compiler/targets/cuda/Assembler.h"
#include "compiler/targets/cuda/FlatLaunch.h"
#include "compiler/targets/cuda/Passes.h"
#include "compiler/targets/cuda/Ptx.h"
#include "dialects/support/Diagnostics.h"
#include "passes/memory/Passes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace mlir;

namespace graven {

namespace {

enum class DeviceOutput { Ptx, Cubin };

std::optional<DeviceOutput> deviceOutputOf(StringRef path) {
  return llvm::StringSwitch<std::optional<DeviceOutput>>(
             llvm::sys::path::extension(path))
      .Case(".ptx", DeviceOutput::Ptx)
      .Case(".cubin", DeviceOutput::Cubin)
      .Default(std::nullopt);
}

/// Text and machine code are of one GPU and one size.
FailureOr<cuda::Architecture>
checkOne(const SizedModel &model, const CompileOptions &options, Location loc) {
  auto found = cuda::findArchitectures(options.gpus, loc);
  if (failed(found))
    return failure();
  if (options.withoutDevice == cuda::WithoutDevice::Cpu)
    return emitCoded(loc, Code::BadOption)
           << "--target names a CPU, and .ptx and .cubin hold code for GPUs";
  if (found->size() > 1)
    return emitCoded(loc, Code::BadOption)
           << "--target names " << found->size()
           << " GPUs, and .ptx and .cubin hold code for one";
  if (model.sizes.size() > 1 || model.sizes.front().room)
    return emitCoded(loc, Code::BadOption)
           << "there are several sizes, and .ptx and .cubin hold code for one; "
              "choose one, as in --dim batch=8";
  return found->front();
}

/// The kernels, at the end of the nvvm phase.
FailureOr<gpu::GPUModuleOp> makeKernels(Session &session, ModuleOp module,
                                        const CompileOptions &options,
                                        MatrixUnits units) {
  if (failed(session.runPhases(module, Phase::Kernel, options)))
    return failure();
  // What depends on Parameters alone the host computes at compile time.
  Prepare::take(module);
  CodeScope coded(module.getContext(), Code::Internal);
  PassManager manager(module.getContext());
  buildBufferPhase(manager);
  buildDeviceCode(manager, units);
  if (failed(manager.run(module)))
    return failure();
  auto devices = module.getOps<gpu::GPUModuleOp>();
  if (devices.empty())
    return emitCoded(module.getLoc(), Code::UnsupportedFeature)
           << "the model launches no kernel, so there is no code for a GPU";
  return *devices.begin();
}

using Launches = llvm::StringMap<cuda::FlatLaunch>;

/// How each kernel is launched.
Launches launchesOf(ModuleOp module) {
  Launches launches;
  module.walk([&](gpu::LaunchFuncOp op) {
    if (auto launch = cuda::FlatLaunch::get(op))
      launches.try_emplace(op.getKernelName(), *launch);
  });
  return launches;
}

/// Which the assembler does not know.
void addLaunches(const Launches &launches,
                 MutableArrayRef<cuda::KernelReport> kernels) {
  for (cuda::KernelReport &kernel : kernels) {
    auto found = launches.find(kernel.name);
    if (found == launches.end())
      continue;
    kernel.blocks = found->second.blocks;
    kernel.threads = found->second.threads;
    kernel.dynamicSharedMemory = found->second.sharedBytes;
  }
}

/// The kernels of an artifact for GPUs with the same matrix units.
struct Version {
  ModuleOp module;
  SmallVector<cuda::Architecture> architectures;
  Launches launches;
  /// Machine code and texts.
  SmallVector<cuda::Image> code, texts;

  LogicalResult make(MatrixUnits units);
};

LogicalResult Version::make(MatrixUnits units) {
  PassManager kernels(module.getContext());
  buildDeviceCode(kernels, units);
  if (failed(kernels.run(module)))
    return failure();
  launches = launchesOf(module);
  for (auto device : module.getOps<gpu::GPUModuleOp>())
    for (const cuda::Architecture &architecture : architectures) {
      auto ptx = cuda::makePtx(device, architecture);
      if (failed(ptx))
        return failure();
      if (cuda::hasAssembler()) {
        auto assembled = cuda::assemble(*ptx, architecture, device.getLoc());
        if (failed(assembled))
          return failure();
        code.push_back({architecture,
                        /*isText=*/false,
                        {assembled->cubin.begin(), assembled->cubin.end()}});
      }
      texts.push_back({architecture, /*isText=*/true, std::move(*ptx)});
    }
  return success();
}

/// With machine code for each GPU, one text is enough, for those that come
/// later.
void keepNewestText(SmallVectorImpl<cuda::Image> &texts) {
  llvm::erase_if(texts, [](const cuda::Image &text) {
    return text.architecture.units == MatrixUnits::Warpgroups;
  });
  auto isOlder = [](const cuda::Image &a, const cuda::Image &b) {
    return std::tie(a.architecture.major, a.architecture.minor) <
           std::tie(b.architecture.major, b.architecture.minor);
  };
  if (texts.empty())
    return;
  std::swap(texts.front(), *llvm::max_element(texts, isOlder));
  texts.truncate(1);
}

} // namespace

void buildDeviceCode(OpPassManager &manager, MatrixUnits units) {
  buildDevicePhase(manager, units);
  cuda::buildNVVMPhase(manager);
}

bool isDeviceCode(StringRef path) { return deviceOutputOf(path).has_value(); }

FailureOr<cuda::DeviceProgram>
makeDeviceProgram(ModuleOp module, const CompileOptions &options) {
  Location loc = module.getLoc();
  auto architectures = cuda::findArchitectures(options.gpus, loc);
  if (failed(architectures))
    return failure();
  // The host is that of the first version: others launch the same kernels, in
  // other extents.
  std::map<MatrixUnits, Version> versions;
  for (const cuda::Architecture &architecture : *architectures)
    versions[architecture.units].architectures.push_back(architecture);
  SmallVector<OwningOpRef<ModuleOp>> clones;
  for (auto &[units, version] : versions) {
    version.module = module;
    if (&version != &versions.begin()->second)
      version.module = *clones.emplace_back(module.clone());
  }
  SmallVector<cuda::Image> texts;
  for (auto &[units, version] : versions) {
    if (failed(version.make(units)))
      return failure();
    llvm::append_range(texts, version.texts);
  }
  if (cuda::hasAssembler())
    keepNewestText(texts);
  else if (!texts.empty())
    warnCoded(loc, Code::BadOption)
        << "there is no ptxas on PATH: the artifact holds text, which the "
           "driver compiles at the first run";
  PassManager host(module.getContext());
  host.addPass(cuda::createLowerDeviceLaunch());
  if (failed(host.run(module)))
    return failure();
  cuda::DeviceProgram program;
  for (auto &[units, version] : versions)
    llvm::append_range(program.images, version.code);
  llvm::append_range(program.images, texts);
  SmallVector<cuda::Kernel> kernels = cuda::kernelsOf(module);
  module->removeAttr(cuda::kKernelsAttr);
  for (cuda::Image &image : program.images) {
    const Launches &launches = versions[image.architecture.units].launches;
    for (cuda::Kernel kernel : kernels) {
      const cuda::FlatLaunch &launch = launches.find(kernel.name)->second;
      kernel.blocks = launch.blocks;
      kernel.threads = launch.threads;
      kernel.sharedBytes = launch.sharedBytes;
      image.kernels.push_back(std::move(kernel));
    }
  }
  return program;
}

FailureOr<CompileSummary> compileDeviceCode(Session &session,
                                            const SizedModel &model,
                                            const CompileOptions &options,
                                            StringRef output) {
  ModuleOp module = model.sizes.front().module;
  Location loc = module.getLoc();
  auto architecture = checkOne(model, options, loc);
  if (failed(architecture))
    return failure();
  auto file = OutputFile::create(output, FileMode::Plain, loc);
  if (failed(file))
    return failure();
  auto device = makeKernels(session, module, options, architecture->units);
  if (failed(device))
    return failure();
  CompileSummary summary;
  summary.workspaceBytes = bytesOf(module, kWorkspaceSizeAttr);
  summary.weightsBytes = bytesOf(module, kWeightsSizeAttr);
  summary.kernels.total =
      llvm::range_size(device->getOps<FunctionOpInterface>());
  CodeScope coded(module.getContext(), Code::Internal);
  auto ptx = cuda::makePtx(*device, *architecture);
  if (failed(ptx))
    return failure();
  if (*deviceOutputOf(output) == DeviceOutput::Ptx) {
    if (failed(file->write(llvm::arrayRefFromStringRef<char>(*ptx))))
      return failure();
  } else {
    auto assembled = cuda::assemble(*ptx, *architecture, loc);
    if (failed(assembled) || failed(file->write(assembled->cubin)))
      return failure();
    summary.deviceKernels = std::move(assembled->kernels);
    addLaunches(launchesOf(module), summary.deviceKernels);
  }
  if (failed(file->commit()))
    return failure();
  return summary;
}

} // namespace graven
