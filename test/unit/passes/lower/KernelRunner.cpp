//===- KernelRunner.cpp - compile and run kernels ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the compiler of kernels on memrefs for tests.

#include "test/unit/passes/lower/KernelRunner.h"

#include "dialects/kernel/Kernel.h"
#include "passes/lower/Passes.h"
#include "passes/math/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace graven::test {

[[noreturn]] static void stop(const llvm::Twine &what) {
  llvm::report_fatal_error(what, /*gen_crash_diag=*/false);
}

template <typename T> static T take(llvm::Expected<T> value) {
  if (!value)
    stop(llvm::toString(value.takeError()));
  return std::move(*value);
}

std::vector<TargetInfo> targets() {
  TargetInfo avx512, avx2, sse;
  avx2.name = "x86-64-v3";
  avx2.vectorBytes = 32;
  avx2.vectorRegisters = 16;
  sse.name = "x86-64";
  sse.vectorBytes = 16;
  sse.vectorRegisters = 16;
  sse.hasFMA = false;
  // A small cache, so that the order of loops for large images is taken too.
  sse.l2Bytes = 4096;
  return {avx512, avx2, sse};
}

std::string memref(ArrayRef<int64_t> shape, StringRef element) {
  std::string text = "memref<";
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text + element.str() + ">";
}

std::string list(ArrayRef<int64_t> values) {
  std::string text = "array<i64: ";
  for (auto [i, value] : llvm::enumerate(values))
    text += (i ? ", " : "") + std::to_string(value);
  return text + ">";
}

/// Calls for launches: three pieces, from the last to the first.
static void replaceLaunches(ModuleOp module) {
  module.walk([](kernel::LaunchOp launch) {
    OpBuilder b(launch);
    int64_t tasks = launch.getTasks();
    SmallVector<int64_t> cuts{tasks, tasks * 3 / 4, tasks / 3, 0};
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      SmallVector<Value> operands(launch.getOperands());
      operands.push_back(
          arith::ConstantIndexOp::create(b, launch.getLoc(), cuts[i + 1]));
      operands.push_back(
          arith::ConstantIndexOp::create(b, launch.getLoc(), cuts[i]));
      func::CallOp::create(b, launch.getLoc(), launch.getCallee(), TypeRange(),
                           operands);
    }
    launch.erase();
  });
  module.walk([](func::FuncOp function) {
    if (function->hasAttr(kernel::kEntryAttr))
      for (BlockArgument argument : function.getArguments())
        if (isa<MemRefType>(argument.getType()))
          function.setArgAttr(argument.getArgNumber(), "llvm.noalias",
                              UnitAttr::get(function.getContext()));
  });
}

/// What vdpbf16ps does, for hosts without it: odd products first, each sum
/// rounded once (denormals are kept).
static void emulatePairs(ModuleOp module) {
  module.walk([](LLVM::CallIntrinsicOp call) {
    if (!call.getIntrin().starts_with("llvm.x86.avx512bf16.dpbf16ps."))
      return;
    OpBuilder b(call);
    Location loc = call.getLoc();
    auto type = cast<VectorType>(call.getResult(0).getType());
    auto words = VectorType::get(type.getShape(), b.getI32Type());
    auto constant = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(b, loc,
                                       DenseElementsAttr::get(words, value));
    };
    auto half = [&](Value pairs, bool odd) -> Value {
      Value bits = vector::BitCastOp::create(b, loc, words, pairs);
      bits = odd ? arith::AndIOp::create(b, loc, bits, constant(-65536))
                       .getResult()
                 : arith::ShLIOp::create(b, loc, bits, constant(16));
      return arith::BitcastOp::create(b, loc, type, bits);
    };
    Value sum = call.getArgs()[0];
    for (bool odd : {true, false})
      sum = vector::FMAOp::create(b, loc, half(call.getArgs()[1], odd),
                                  half(call.getArgs()[2], odd), sum);
    call.replaceAllUsesWith(ValueRange{sum});
    call.erase();
  });
}

static void lower(ModuleOp module, const TargetInfo &target) {
  PassManager outline(module.getContext());
  outline.addNestedPass<func::FuncOp>(createSplitStages());
  outline.addPass(createOutlineKernels());
  outline.addNestedPass<func::FuncOp>(createExpandKernels(target));
  if (failed(outline.run(module)))
    stop("the kernel does not expand");
  replaceLaunches(module);
  emulatePairs(module);
  RewritePatternSet narrow(module.getContext());
  populateExpandBFloat16Patterns(narrow);
  walkAndApplyPatterns(module, std::move(narrow));
  PassManager passes(module.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  ExpandMathOptions math;
  math.fma = target.hasFMA;
  math.rounding = !target.hasFMA;
  passes.addPass(createExpandMath(math));
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(arith::createArithExpandOpsPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions func;
  func.useBarePtrCallConv = true;
  passes.addPass(createConvertFuncToLLVMPass(func));
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)))
    stop("the loops do not lower");
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
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

template <size_t... I>
static void callWith(void *entry, ArrayRef<void *> a,
                     std::index_sequence<I...>) {
  auto pointer = [&](size_t i) { return a[i]; };
  reinterpret_cast<void (*)(decltype(pointer(I))...)>(entry)(pointer(I)...);
}

/// Calls with as many arguments as there are, at most `Most`.
template <size_t Most> static void call(void *entry, ArrayRef<void *> a) {
  if (a.size() == Most)
    return callWith(entry, a, std::make_index_sequence<Most>());
  if constexpr (Most > 2)
    return call<Most - 1>(entry, a);
  stop("two to nine arguments");
}

void run(const std::string &text, const TargetInfo &target,
         ArrayRef<void *> arguments) {
  DialectRegistry registry;
  registry.insert<affine::AffineDialect, arith::ArithDialect, func::FuncDialect,
                  kernel::KernelDialect, linalg::LinalgDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                  vector::VectorDialect, LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    stop("the kernel does not parse:\n" + text);
  lower(*module, target);

  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(*module, *llvmContext);
  if (!llvmModule)
    stop("the loops do not translate");
  auto builder = take(llvm::orc::JITTargetMachineBuilder::detectHost());
  std::unique_ptr<llvm::TargetMachine> machine =
      take(builder.createTargetMachine());
  llvmModule->setDataLayout(machine->createDataLayout());
  llvmModule->setTargetTriple(machine->getTargetTriple());
  optimize(*llvmModule, *machine);
  auto jit = take(llvm::orc::LLJITBuilder()
                      .setJITTargetMachineBuilder(std::move(builder))
                      .create());
  if (llvm::Error error = jit->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(llvmModule), std::move(llvmContext))))
    stop(llvm::toString(std::move(error)));
  call<9>(take(jit->lookup("main")).toPtr<void *>(), arguments);
}

static constexpr float kMarginValue = 12345.0f;

/// What an array holds that nothing was written to.
static constexpr float kUnwritten = -777.0f;

Array::Array(int64_t size) : values(size + 2 * kMargin, kMarginValue) {
  std::fill_n(data(), size, kUnwritten);
}

Array::Array(int64_t size, unsigned seed) : Array(size) {
  std::mt19937 engine(seed);
  for (int64_t i = 0; i < size; ++i)
    data()[i] = float(int64_t(engine() % 20001) - 10000) / 10000.0f;
}

bool Array::marginIntact() const {
  auto isMargin = [](float value) { return value == kMarginValue; };
  return std::all_of(values.begin(), values.begin() + kMargin, isMargin) &&
         std::all_of(values.end() - kMargin, values.end(), isMargin);
}

Array block(const Array &planar, int64_t n, int64_t c, int64_t h, int64_t w,
            float fill) {
  int64_t blocks = up(c, 16);
  Array result(n * blocks * h * w * 16);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t b = 0; b < blocks; ++b)
      for (int64_t p = 0; p < h * w; ++p)
        for (int64_t l = 0; l < 16; ++l) {
          int64_t channel = b * 16 + l;
          result[((i * blocks + b) * h * w + p) * 16 + l] =
              channel < c ? planar[(i * c + channel) * h * w + p] : fill;
        }
  return result;
}

Array unblock(const Array &blocked, int64_t n, int64_t c, int64_t h,
              int64_t w) {
  EXPECT_TRUE(blocked.marginIntact());
  Array result(n * c * h * w);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t channel = 0; channel < c; ++channel)
      for (int64_t p = 0; p < h * w; ++p)
        result[(i * c + channel) * h * w + p] =
            blocked[((i * up(c, 16) + channel / 16) * h * w + p) * 16 +
                    channel % 16];
  return result;
}

void expectNoPaddingWritten(const Array &blocked, int64_t n, int64_t c,
                            int64_t h, int64_t w, int64_t lanes,
                            const std::string &what) {
  int64_t blocks = up(c, 16), used = up(c - (blocks - 1) * 16, lanes) * lanes;
  for (int64_t image = 0; image < n; ++image)
    for (int64_t pixel = 0; pixel < h * w; ++pixel)
      for (int64_t lane = used; lane < 16; ++lane)
        ASSERT_EQ(
            blocked[(((image + 1) * blocks - 1) * h * w + pixel) * 16 + lane],
            kUnwritten)
            << what << " writes lane " << lane << " of pixel " << pixel;
}

void expectNear(const Array &got, ArrayRef<double> expected, double tolerance,
                const std::string &what) {
  ASSERT_EQ(got.size(), int64_t(expected.size()));
  double scale = 1e-30;
  for (double value : expected)
    if (std::isfinite(value))
      scale = std::max(scale, std::abs(value));
  for (int64_t i = 0; i < got.size(); ++i) {
    if (std::isfinite(expected[i]))
      ASSERT_NEAR(got[i], expected[i], tolerance * scale)
          << what << " at " << i;
    else if (std::isnan(expected[i]))
      ASSERT_TRUE(std::isnan(got[i]))
          << what << " at " << i << ", got " << got[i];
    else
      ASSERT_EQ(got[i], float(expected[i])) << what << " at " << i;
  }
  EXPECT_TRUE(got.marginIntact()) << what << " writes outside its output";
}

} // namespace graven::test
