//===- Codegen.cpp - LLVM IR to machine code --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements optimization and code generation. The code generator's
// passes are put together here, not by TargetMachine, so that two of them can
// be left out for this compilation alone, with no option of the whole process.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Codegen.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/RuntimeLibcallInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/MachineFrameInfo.h"
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/MachineInstr.h"
#include "llvm/CodeGen/MachineLoopInfo.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/DivRemPairs.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopLoadElimination.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Vectorize/LoopVectorize.h"
#include "llvm/Transforms/Vectorize/SLPVectorizer.h"
#include "llvm/Transforms/Vectorize/VectorCombine.h"

using namespace llvm;

namespace {

/// Of the levels that have a pipeline for scalar loops.
OptimizationLevel pipelineLevel(graven::cpu::OptLevel level) {
  return level == graven::cpu::OptLevel::O3 ? OptimizationLevel::O3
                                            : OptimizationLevel::O2;
}

void setFunctionAttributes(Function &function, const TargetMachine &machine,
                           int64_t vectorBytes) {
  function.addFnAttr("target-cpu", machine.getTargetCPU());
  if (!machine.getTargetFeatureString().empty())
    function.addFnAttr("target-features", machine.getTargetFeatureString());
  // Some CPUs prefer halves of their widest registers; tiles here do not.
  function.addFnAttr("prefer-vector-width", std::to_string(vectorBytes * 8));
  // A frame beyond a page is touched page by page: it must not jump over the
  // guard at the end of a thread's stack.
  function.addFnAttr("probe-stack", "inline-asm");
  function.addFnAttr("warn-stack-size",
                     std::to_string(graven::cpu::stackLimit));
  function.addFnAttr(Attribute::NoUnwind);
}

void hoistStackMemory(Function &function,
                      graven::cpu::CodegenProblems &problems) {
  BasicBlock &entry = function.getEntryBlock();
  SmallVector<AllocaInst *> inLoops;
  for (Instruction &instruction : instructions(function)) {
    auto *alloca = dyn_cast<AllocaInst>(&instruction);
    if (!alloca || alloca->isStaticAlloca())
      continue;
    if (isa<ConstantInt>(alloca->getArraySize()))
      inLoops.push_back(alloca);
    else
      problems.add(("function '" + function.getName() +
                    "' takes stack memory of a size that is not constant")
                       .str());
  }
  for (AllocaInst *alloca : inLoops)
    alloca->moveBefore(entry, entry.getFirstInsertionPt());
}

/// Leaves out loop strength reduction: it takes a third of the time of a
/// compile to search for induction variables in loops whose addresses were
/// chosen when they were generated, and gives code that is no faster.
class CodegenPasses : public legacy::PassManager {
public:
  void add(Pass *pass) override {
    if (pass->getPassName() == "Loop Strength Reduction")
      delete pass;
    else
      legacy::PassManager::add(pass);
  }
};

/// Copies by memmove, which has one version in each libc: a shared object that
/// names no versions is bound to the oldest memcpy of glibc, which knows no
/// vectors beyond SSE2.
void copyByMemmove(Function &function) {
  for (Instruction &instruction : make_early_inc_range(instructions(function)))
    if (auto *copy = dyn_cast<MemCpyInst>(&instruction);
        copy && copy->getIntrinsicID() == Intrinsic::memcpy) {
      IRBuilder<>(copy).CreateMemMove(
          copy->getRawDest(), copy->getDestAlign(), copy->getRawSource(),
          copy->getSourceAlign(), copy->getLength(), copy->isVolatile());
      copy->eraseFromParent();
    }
}

bool hasVectors(Function &function) {
  return any_of(instructions(function), [](const Instruction &instruction) {
    return instruction.getType()->isVectorTy();
  });
}

bool hasLoops(Function &function) {
  DominatorTree dominators(function);
  return !LoopInfo(dominators).empty();
}

/// What clears away the traces of lowering. It is enough for register tiles,
/// whose loops are as they should be, and takes a tenth of the time of the
/// whole pipeline.
FunctionPassManager vectorPipeline() {
  FunctionPassManager passes;
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(InstCombinePass());
  passes.addPass(SimplifyCFGPass());
  LoopPassManager loops;
  loops.addPass(LoopRotatePass());
  loops.addPass(LICMPass(LICMOptions()));
  passes.addPass(createFunctionToLoopPassAdaptor(std::move(loops),
                                                 /*UseMemorySSA=*/true));
  passes.addPass(EarlyCSEPass());
  passes.addPass(SimplifyCFGPass());
  return passes;
}

/// What makes vectors of scalar loops: the parts of LLVM's pipeline that see
/// one function.
FunctionPassManager scalarPipeline(PassBuilder &builder,
                                   graven::cpu::OptLevel level) {
  FunctionPassManager passes = builder.buildFunctionSimplificationPipeline(
      pipelineLevel(level), ThinOrFullLTOPhase::None);
  passes.addPass(createFunctionToLoopPassAdaptor(LoopRotatePass()));
  passes.addPass(LoopVectorizePass());
  passes.addPass(LoopLoadEliminationPass());
  passes.addPass(InstCombinePass());
  passes.addPass(SimplifyCFGPass(
      SimplifyCFGOptions().needCanonicalLoops(false).hoistCommonInsts(true)));
  passes.addPass(SLPVectorizerPass());
  passes.addPass(VectorCombinePass());
  passes.addPass(InstCombinePass());
  passes.addPass(LoopUnrollPass(LoopUnrollOptions(
      static_cast<int>(pipelineLevel(level).getSpeedupLevel()))));
  passes.addPass(SROAPass(SROAOptions::PreserveCFG));
  passes.addPass(InstCombinePass());
  passes.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()),
                                                 /*UseMemorySSA=*/true));
  passes.addPass(DivRemPairsPass());
  passes.addPass(SimplifyCFGPass());
  return passes;
}

/// Counts what crosses the stack, when the code is about to be printed.
class ReportFunctions : public MachineFunctionPass {
public:
  static inline char ID = 0;
  explicit ReportFunctions(
      SmallVectorImpl<graven::cpu::FunctionReport> &reports)
      : MachineFunctionPass(ID), reports(reports) {}

  StringRef getPassName() const override { return "Graven function reports"; }
  void getAnalysisUsage(AnalysisUsage &usage) const override {
    usage.setPreservesAll();
    usage.addRequired<MachineLoopInfoWrapperPass>();
    MachineFunctionPass::getAnalysisUsage(usage);
  }
  bool runOnMachineFunction(MachineFunction &function) override {
    const TargetInstrInfo *info = function.getSubtarget().getInstrInfo();
    graven::cpu::FunctionReport report;
    report.name = function.getName().str();
    report.stackBytes = function.getFrameInfo().getStackSize();
    auto &loops = getAnalysis<MachineLoopInfoWrapperPass>().getLI();
    for (const MachineBasicBlock &block : function) {
      const MachineLoop *loop = loops.getLoopFor(&block);
      bool isInnermost = loop && loop->isInnermost();
      for (const MachineInstr &instruction : block) {
        bool stores = instruction.getSpillSize(info) ||
                      instruction.getFoldedSpillSize(info),
             loads = instruction.getRestoreSize(info) ||
                     instruction.getFoldedRestoreSize(info);
        report.spills += stores;
        report.reloads += loads;
        report.innermostSpills += isInnermost && (stores || loads);
        report.innermostSize += isInnermost && !instruction.isMetaInstruction();
      }
    }
    reports.push_back(std::move(report));
    return false;
  }

private:
  SmallVectorImpl<graven::cpu::FunctionReport> &reports;
};

} // namespace

CodeGenOptLevel graven::cpu::codegenLevel(OptLevel level) {
  switch (level) {
  case OptLevel::O0:
    return CodeGenOptLevel::None;
  case OptLevel::O1:
    return CodeGenOptLevel::Less;
  case OptLevel::O2:
  case OptLevel::O3:
    return CodeGenOptLevel::Aggressive;
  }
  llvm_unreachable("all levels are listed");
}

graven::cpu::CodegenProblems::CodegenProblems(LLVMContext &context)
    : context(context) {
  context.setDiagnosticHandlerCallBack(
      [](const DiagnosticInfo *info, void *self) {
        // Remarks and warnings are about speed, but for the one about the
        // stack.
        bool isProblem = info->getSeverity() == DS_Error ||
                         isa<DiagnosticInfoStackSize>(info);
        if (!isProblem)
          return;
        std::string line;
        raw_string_ostream stream(line);
        DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
        static_cast<CodegenProblems *>(self)->add(line);
      },
      this);
}

graven::cpu::CodegenProblems::~CodegenProblems() {
  context.setDiagnosticHandlerCallBack(nullptr);
}

void graven::cpu::prepareFunctions(Module &module, const TargetMachine &machine,
                                   int64_t vectorBytes,
                                   CodegenProblems &problems) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    setFunctionAttributes(function, machine, vectorBytes);
    hoistStackMemory(function, problems);
  }
}

void graven::cpu::optimize(Module &module, TargetMachine &machine,
                           OptLevel level) {
  if (level == OptLevel::O0)
    return;
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = true;
  tuning.LoopInterleaving = true;
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
  FunctionPassManager vectors = vectorPipeline();
  std::optional<FunctionPassManager> scalars;
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (level == OptLevel::O1 || hasVectors(function) || !hasLoops(function)) {
      vectors.run(function, functions);
    } else {
      if (!scalars)
        scalars.emplace(scalarPipeline(builder, level));
      scalars->run(function, functions);
    }
    functions.clear();
  }
}

/// Selecting and scheduling instructions take time by the square of the loads
/// of a block, those of arguments among them. A block of thousands that calls
/// functions is of the main function of as many tensors, which calls kernels:
/// nothing is to be gained. Kernels call none.
static void selectLongBlocksFast(Function &function) {
  constexpr size_t mostLoads = 1024;
  auto isLong = [](const BasicBlock &block) {
    size_t loads = 0, calls = 0;
    for (const Instruction &instruction : block) {
      loads += isa<LoadInst>(instruction);
      calls += isa<CallBase>(instruction) && !isa<IntrinsicInst>(instruction);
    }
    return loads > mostLoads && calls > 0;
  };
  if ((function.arg_size() <= mostLoads && llvm::none_of(function, isLong)) ||
      function.hasFnAttribute(Attribute::AlwaysInline))
    return;
  function.addFnAttr(Attribute::NoInline);
  function.addFnAttr(Attribute::OptimizeNone);
}

void graven::cpu::generateCode(Module &module, TargetMachine &machine,
                               CodeGenFileType kind, SmallVectorImpl<char> &out,
                               CodegenProblems &problems,
                               SmallVectorImpl<FunctionReport> *reports) {
  for (Function &function : module) {
    copyByMemmove(function);
    selectLongBlocksFast(function);
  }
  raw_svector_ostream stream(out);
  CodegenPasses passes;
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
  std::string refusal = "no code generator for " + triple.str();
  if (config->addISelPasses())
    return problems.add(refusal);
  config->addMachinePasses();
  config->setInitialized();
  if (reports)
    passes.add(new ReportFunctions(*reports));
  if (machine.addAsmPrinter(passes, stream, /*DwoOut=*/nullptr, kind,
                            machineModule->getMMI().getContext()))
    return problems.add(refusal);
  passes.add(createFreeMachineFunctionPass());
  passes.run(module);
}
