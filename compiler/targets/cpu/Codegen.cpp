//===- Codegen.cpp - LLVM IR to machine code --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements optimization and code generation. The code generator's
// passes are put together here, not by TargetMachine, so that one of them can
// be left out for this compilation alone, with no option of the whole process.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Codegen.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/Analysis/RuntimeLibcallInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace {

OptimizationLevel pipelineLevel(graven::cpu::OptLevel level) {
  switch (level) {
  case graven::cpu::OptLevel::O0:
    return OptimizationLevel::O0;
  case graven::cpu::OptLevel::O1:
    return OptimizationLevel::O1;
  case graven::cpu::OptLevel::O2:
    return OptimizationLevel::O2;
  case graven::cpu::OptLevel::O3:
    return OptimizationLevel::O3;
  }
  llvm_unreachable("all levels are listed");
}

void setFunctionAttributes(Function &function, const TargetMachine &machine,
                           int64_t vectorBytes) {
  function.addFnAttr("target-cpu", machine.getTargetCPU());
  if (!machine.getTargetFeatureString().empty())
    function.addFnAttr("target-features", machine.getTargetFeatureString());
  // Some CPUs prefer halves of their widest registers; tiles here do not.
  function.addFnAttr("prefer-vector-width", std::to_string(vectorBytes * 8));
  function.addFnAttr(Attribute::NoUnwind);
  for (Instruction &instruction : instructions(function))
    if (isa<FPMathOperator>(instruction))
      instruction.setHasAllowContract(true);
}

} // namespace

void graven::cpu::optimize(Module &module, TargetMachine &machine,
                           int64_t vectorBytes, OptLevel level) {
  for (Function &function : module)
    if (!function.isDeclaration())
      setFunctionAttributes(function, machine, vectorBytes);

  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = level >= OptLevel::O2;
  tuning.LoopInterleaving = tuning.LoopVectorization;
  PassBuilder builder(&machine, tuning);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  OptimizationLevel pipeline = pipelineLevel(level);
  ModulePassManager passes =
      level == OptLevel::O0 ? builder.buildO0DefaultPipeline(pipeline)
                            : builder.buildPerModuleDefaultPipeline(pipeline);
  passes.run(module, modules);
}

bool graven::cpu::generateCode(Module &module, TargetMachine &machine,
                               CodeGenFileType kind,
                               SmallVectorImpl<char> &out) {
  raw_svector_ostream stream(out);
  legacy::PassManager passes;
  const Triple &triple = machine.getTargetTriple();
  const TargetOptions &options = machine.Options;
  passes.add(new TargetLibraryInfoWrapperPass(TargetLibraryInfoImpl(triple)));
  passes.add(new RuntimeLibraryInfoWrapper(
      triple, options.ExceptionModel, options.FloatABIType, options.EABIVersion,
      options.MCOptions.ABIName, options.VecLib));

  TargetPassConfig *config = machine.createPassConfig(passes);
  config->setDisableVerify(true);
  config->disablePass(&MachineSchedulerID);
  auto *machineModule = new MachineModuleInfoWrapperPass(&machine);
  passes.add(config);
  passes.add(machineModule);
  if (config->addISelPasses())
    return false;
  config->addMachinePasses();
  config->setInitialized();
  if (machine.addAsmPrinter(passes, stream, /*DwoOut=*/nullptr, kind,
                            machineModule->getMMI().getContext()))
    return false;
  passes.add(createFreeMachineFunctionPass());
  passes.run(module);
  return true;
}
