//===- Jit.cpp - run math ops the way an artifact would ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Loop: it prints a module with one loop, lowers it and
// compiles it in process.
//===----------------------------------------------------------------------===//
#include "test/unit/passes/math/Jit.h"

#include "passes/math/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace graven::test {

struct Loop::Engine {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

[[noreturn]] static void stop(const llvm::Twine &what) {
  llvm::report_fatal_error(what, /*gen_crash_diag=*/false);
}

template <typename T> static T take(llvm::Expected<T> value) {
  if (!value)
    stop(llvm::toString(value.takeError()));
  return std::move(*value);
}

bool canRun(Processor processor) {
  return processor == Processor::Baseline ||
         llvm::sys::getHostCPUFeatures().lookup("fma");
}

/// The text that gives %r of %a for the formulas of several ops.
static StringRef formulaText(StringRef op) {
  return llvm::StringSwitch<StringRef>(op)
      .Case(kGelu, R"(%k = arith.constant 0.70710678118654752 : f32
    %half = arith.constant 0.5 : f32
    %neg = arith.negf %a : f32
    %q = arith.mulf %neg, %k : f32
    %e = math.erfc %q : f32
    %h = arith.mulf %half, %a : f32
    %r = arith.mulf %h, %e : f32
)")
      .Case(kSigmoid, R"(%one = arith.constant 1.0 : f32
    %neg = arith.negf %a : f32
    %e = math.exp %neg : f32
    %d = arith.addf %one, %e : f32
    %r = arith.divf %one, %d : f32
)")
      .Case(kSoftplusTail, R"(%m = math.absf %a : f32
    %neg = arith.negf %m : f32
    %e = math.exp %neg : f32
    %r = math.log1p %e : f32
)")
      .Case(kTanhOfSoftplus, R"(%zero = arith.constant 0.0 : f32
    %big = arith.maximumf %a, %zero : f32
    %m = math.absf %a : f32
    %neg = arith.negf %m : f32
    %e = math.exp %neg : f32
    %l = math.log1p %e : f32
    %s = arith.addf %big, %l : f32
    %r = math.tanh %s : f32
)")
      .Case(kGeluTanh, R"(%one = arith.constant 1.0 : f32
    %k = arith.constant -1.5957691216057308 : f32
    %c = arith.constant 0.044715 : f32
    %square = arith.mulf %a, %a : f32
    %third = arith.mulf %a, %c : f32
    %cubic = arith.mulf %square, %third : f32
    %sum = arith.addf %a, %cubic : f32
    %u = arith.mulf %sum, %k : f32
    %e = math.exp %u : f32
    %d = arith.addf %one, %e : f32
    %r = arith.divf %a, %d : f32
)")
      .Case(kSilu, R"(%one = arith.constant 1.0 : f32
    %neg = arith.negf %a : f32
    %e = math.exp %neg : f32
    %d = arith.addf %one, %e : f32
    %r = arith.divf %a, %d : f32
)")
      .Case(kMish, R"(%zero = arith.constant 0.0 : f32
    %big = arith.maximumf %a, %zero : f32
    %m = math.absf %a : f32
    %neg = arith.negf %m : f32
    %e = math.exp %neg : f32
    %l = math.log1p %e : f32
    %s = arith.addf %big, %l : f32
    %t = math.tanh %s : f32
    %r = arith.mulf %a, %t : f32
)")
      .Case(kSoftplus, R"(%zero = arith.constant 0.0 : f32
    %big = arith.maximumf %a, %zero : f32
    %m = math.absf %a : f32
    %neg = arith.negf %m : f32
    %e = math.exp %neg : f32
    %l = math.log1p %e : f32
    %r = arith.addf %big, %l : f32
)")
      .Case(kHardSwish, R"(%zero = arith.constant 0.0 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %minus = arith.constant -1.0 : f32
    %three = arith.constant 3.0 : f32
    %k = arith.constant 0.16666666666666666 : f32
    %s = arith.addf %a, %three : f32
    %l = arith.maximumf %s, %zero : f32
    %low = arith.mulf %l, %k : f32
    %m = arith.mulf %a, %k : f32
    %q = arith.addf %m, %half : f32
    %high = arith.minimumf %q, %one : f32
    %below = arith.cmpf olt, %a, %minus : f32
    %p = arith.select %below, %low, %high : f32
    %r = arith.mulf %a, %p : f32
)")
      .Case(kSelu, R"(%zero = arith.constant 0.0 : f32
    %k = arith.constant 1.0507009873554805 : f32
    %c = arith.constant 1.6732632423543772 : f32
    %g = math.expm1 %a : f32
    %left = arith.mulf %g, %c : f32
    %positive = arith.cmpf ogt, %a, %zero : f32
    %s = arith.select %positive, %a, %left : f32
    %r = arith.mulf %s, %k : f32
)")
      .Default("");
}

static std::string loopText(StringRef op, unsigned arity) {
  std::string memref = "memref<" + std::to_string(Loop::kBatch) + "xf32>";
  std::string argument = memref + " {llvm.noalias}";
  std::string text = "func.func @entry(%x: " + argument + ", ";
  if (arity == 2)
    text += "%z: " + argument + ", ";
  text += "%y: " + argument +
          ") {\n"
          "  %c0 = arith.constant 0 : index\n"
          "  %c1 = arith.constant 1 : index\n"
          "  %n = arith.constant " +
          std::to_string(Loop::kBatch) +
          " : index\n"
          "  scf.for %i = %c0 to %n step %c1 {\n"
          "    %a = memref.load %x[%i] : " +
          memref + "\n";
  if (arity == 2)
    text += "    %b = memref.load %z[%i] : " + memref + "\n";
  StringRef operands = arity == 2 ? " %a, %b" : " %a";
  std::string single = "%r = math." + op.str() + operands.str() + " : f32\n";
  text += "    " + (formulaText(op).empty() ? single : formulaText(op).str()) +
          "    memref.store %r, %y[%i] : " + memref +
          "\n"
          "  }\n"
          "  return\n"
          "}\n";
  return text;
}

static void lower(ModuleOp module, Processor processor) {
  PassManager passes(module.getContext());
  ExpandMathOptions options;
  options.fma = processor == Processor::Host;
  options.rounding = processor == Processor::Baseline;
  passes.addPass(createExpandMath(options));
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions func;
  func.useBarePtrCallConv = true;
  passes.addPass(createConvertFuncToLLVMPass(func));
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)))
    stop("the loop does not lower");
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

Loop::Loop(StringRef op, unsigned arity, Processor processor)
    : engine(std::make_unique<Engine>()) {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto source = parseSourceString<ModuleOp>(loopText(op, arity), &context);
  if (!source)
    stop("the loop does not parse");
  lower(*source, processor);

  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(*source, *llvmContext);
  if (!module)
    stop("the loop does not translate");

  auto builder = processor == Processor::Host
                     ? take(llvm::orc::JITTargetMachineBuilder::detectHost())
                     : llvm::orc::JITTargetMachineBuilder(
                           llvm::Triple(llvm::sys::getProcessTriple()));
  if (processor == Processor::Baseline)
    builder.setCPU("x86-64");
  std::unique_ptr<llvm::TargetMachine> machine =
      take(builder.createTargetMachine());
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple());
  optimize(*module, *machine);
  for (llvm::Instruction &instruction :
       llvm::instructions(module->getFunction("entry"))) {
    if (auto *store = llvm::dyn_cast<llvm::StoreInst>(&instruction))
      vectorized |= store->getValueOperand()->getType()->isVectorTy();
    auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (call && !llvm::isa<llvm::IntrinsicInst>(call))
      calledFunctions += call->getCalledFunction()->getName().str() + " ";
  }
  engine->jit = take(llvm::orc::LLJITBuilder()
                         .setJITTargetMachineBuilder(std::move(builder))
                         .create());
  if (llvm::Error error = engine->jit->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(module), std::move(llvmContext))))
    stop(llvm::toString(std::move(error)));
  entry = take(engine->jit->lookup("entry")).toPtr<void *>();
}

Loop::~Loop() = default;

void Loop::operator()(const float *x, float *y) const {
  reinterpret_cast<void (*)(const float *, float *)>(entry)(x, y);
}

void Loop::operator()(const float *x, const float *z, float *y) const {
  reinterpret_cast<void (*)(const float *, const float *, float *)>(entry)(x, z,
                                                                           y);
}

} // namespace graven::test
