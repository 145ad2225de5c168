//===- Ptx.cpp - kernels to PTX --------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the code generation for GPUs: LLVM's pipeline and its
// NVPTX code generator, in process.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/Ptx.h"
#include "compiler/targets/cpu/Codegen.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

extern "C" {
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace {

std::unique_ptr<llvm::TargetMachine>
createMachine(const graven::cuda::Architecture &architecture) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  assert(target && "the code generator is linked in");
  llvm::TargetOptions options;
  // A product and a sum are one instruction where the IR allows it.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, architecture.name, architecture.ptxFeature, options,
      llvm::Reloc::Static, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

/// A function that is called and nowhere defined: the driver would refuse the
/// text.
StringRef missingFunction(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() &&
        !function.use_empty())
      return function.getName();
  return {};
}

} // namespace

FailureOr<std::string> graven::cuda::makePtx(gpu::GPUModuleOp device,
                                             const Architecture &architecture) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  device->getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  cpu::CodegenProblems problems(context);
  // What LLVM has no intrinsic for is text inline; simulations need the
  // operations.
  OwningOpRef<gpu::GPUModuleOp> lowered = device.clone();
  PassManager inlining(device->getContext(),
                       gpu::GPUModuleOp::getOperationName());
  inlining.addPass(createConvertNVVMToLLVMPass());
  if (failed(inlining.run(*lowered)))
    return failure();
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(*lowered, context, device.getName());
  if (!module)
    return device->emitError("the LLVM dialect could not be translated");
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(architecture);
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  optimize(*module, *machine);
  if (StringRef name = missingFunction(*module); !name.empty())
    return emitCoded(device.getLoc(), Code::UnsupportedFeature)
           << "a kernel calls '" << name << "', and a device has no library";
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::AssemblyFile))
    return device->emitError("no assembly can be made");
  passes.run(*module);
  for (const std::string &problem : problems.all())
    device->emitError("cannot generate code: ") << problem;
  if (!problems.all().empty())
    return failure();
  return text.str().str();
}
