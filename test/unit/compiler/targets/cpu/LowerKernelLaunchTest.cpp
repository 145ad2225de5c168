//===- LowerKernelLaunchTest.cpp - launches as shared calls -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests what lit cannot run: results of launches with odd operands,
// and attributes of kernels as LLVM sees them.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

class LowerKernelLaunchTest : public CpuTargetTest {
protected:
  mlir::OwningOpRef<mlir::ModuleOp> lower(llvm::StringRef source) {
    auto module = parse(source);
    if (!module)
      return nullptr;
    mlir::PassManager pm(&context);
    pm.addPass(createLowerKernelLaunch());
    if (failed(pm.run(*module)))
      return nullptr;
    return module;
  }
};

std::string mainCalling(llvm::StringRef launch) {
  return ("func.func @forward(%x: memref<8xf32>, %y: memref<8xf32>, %ws: "
          "memref<0xi8>, "
          "%w: memref<0xi8>) attributes {graven.num_inputs = 1 : i64, "
          "graven.num_outputs = 1 : "
          "i64} {\n" +
          launch + "\nreturn }\n")
      .str();
}

} // namespace

TEST_F(LowerKernelLaunchTest, numbersPassThroughTheArgumentArray) {
  std::string source = mainCalling(R"mlir(
  %i = arith.constant 5 : index
  %f = arith.constant 2.5 : f32
  %d = arith.constant 0.25 : f64
  %n = arith.constant -3 : i8
  kernel.launch @k(%x, %i, %f, %d, %n, %y : memref<8xf32>, index, f32, f64, i8, memref<8xf32>) tasks(8)
)mlir") + R"mlir(
func.func private @k(%x: memref<8xf32>, %i: index, %f: f32, %d: f64, %n: i8, %y: memref<8xf32>,
                     %lo: index, %hi: index) attributes {kernel.entry} {
  %c1 = arith.constant 1 : index
  %i32 = arith.index_cast %i : index to i32
  %fi = arith.sitofp %i32 : i32 to f32
  %fd = arith.truncf %d : f64 to f32
  %fn = arith.sitofp %n : i8 to f32
  %s0 = arith.addf %fi, %f : f32
  %s1 = arith.addf %s0, %fd : f32
  %s2 = arith.addf %s1, %fn : f32
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %x[%t] : memref<8xf32>
    %r = arith.addf %v, %s2 : f32
    memref.store %r, %y[%t] : memref<8xf32>
  }
  return
}
)mlir";
  ASSERT_TRUE(succeeded(compile(source, pointwiseSignature(), path("a.so"))))
      << errors;
  Loaded loaded(path("a.so"));
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, y[8] = {};
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(y[i], float(i) + 5 + 2.5f + 0.25f - 3);
}

TEST_F(LowerKernelLaunchTest, launchesInsideLoopsShareOneArray) {
  std::string source = mainCalling(R"mlir(
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    kernel.launch @k(%x, %y, %i : memref<8xf32>, memref<8xf32>, index) tasks(8)
  }
)mlir") + R"mlir(
func.func private @k(%x: memref<8xf32>, %y: memref<8xf32>, %i: index, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %c1 = arith.constant 1 : index
  %n = arith.index_cast %i : index to i32
  %f = arith.sitofp %n : i32 to f32
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %x[%t] : memref<8xf32>
    %w = memref.load %y[%t] : memref<8xf32>
    %m = arith.mulf %v, %f : f32
    %s = arith.addf %w, %m : f32
    memref.store %s, %y[%t] : memref<8xf32>
  }
  return
}
)mlir";
  ASSERT_TRUE(succeeded(compile(source, pointwiseSignature(), path("a.so"))))
      << errors;
  Loaded loaded(path("a.so"));
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, y[8] = {};
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(y[i], 3 * float(i));
}

TEST_F(LowerKernelLaunchTest, alignmentIsClaimedOnlyWhereProvable) {
  auto module = lower(scaleSource);
  ASSERT_TRUE(module) << errors;
  auto kernel = module->lookupSymbol<mlir::func::FuncOp>("k_0");
  // x is the caller's; the weights and the workspace are aligned.
  EXPECT_FALSE(kernel.getArgAttr(0, "llvm.align"));
  EXPECT_TRUE(kernel.getArgAttr(1, "llvm.align"));
  EXPECT_TRUE(kernel.getArgAttr(2, "llvm.align"));
  for (unsigned i : {0, 1, 2}) {
    EXPECT_TRUE(kernel.getArgAttr(i, "llvm.noalias"));
    EXPECT_TRUE(kernel.getArgAttr(i, "llvm.nonnull"));
  }
  EXPECT_FALSE(module->lookupSymbol("k_1.task"));
  EXPECT_TRUE(module->lookupSymbol("k_0.task"));
}

TEST_F(LowerKernelLaunchTest, oneUnalignedLaunchRemovesTheClaim) {
  std::string source = scaleSource;
  std::string view = "%t = memref.view %ws[%c0][]";
  source.replace(
      source.find(view), view.size(),
      "%c32 = arith.constant 32 : index\n  %t = memref.view %ws[%c32][]");
  size_t workspace;
  while ((workspace = source.find("%ws: memref<256xi8>")) != std::string::npos)
    source.replace(workspace, 19, "%ws: memref<288xi8>");
  source.replace(source.find("[%c32][] : memref<256xi8>"), 25,
                 "[%c32][] : memref<288xi8>");
  auto module = lower(source);
  ASSERT_TRUE(module) << errors;
  auto kernel = module->lookupSymbol<mlir::func::FuncOp>("k_0");
  EXPECT_TRUE(kernel.getArgAttr(1, "llvm.align"));
  EXPECT_FALSE(kernel.getArgAttr(2, "llvm.align"));
}

TEST_F(LowerKernelLaunchTest, subviewsPassTheirBuffer) {
  // The second half of x, goes to every other element of y.
  std::string source = mainCalling(R"mlir(
  %s = memref.subview %x[4] [4] [1]
    : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
  %d = memref.subview %y[1] [4] [2]
    : memref<8xf32> to memref<4xf32, strided<[2], offset: 1>>
  kernel.launch @k(%s, %d : memref<4xf32, strided<[1], offset: 4>>,
                   memref<4xf32, strided<[2], offset: 1>>) tasks(4)
)mlir") + R"mlir(
func.func private @k(%s: memref<4xf32, strided<[1], offset: 4>>,
                     %d: memref<4xf32, strided<[2], offset: 1>>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %s[%t] : memref<4xf32, strided<[1], offset: 4>>
    memref.store %v, %d[%t] : memref<4xf32, strided<[2], offset: 1>>
  }
  return
}
)mlir";
  ASSERT_TRUE(succeeded(compile(source, pointwiseSignature(), path("a.so"))))
      << errors;
  Loaded loaded(path("a.so"));
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, y[8] = {};
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  const float expected[8] = {0, 4, 0, 5, 0, 6, 0, 7};
  EXPECT_EQ(0, memcmp(y, expected, sizeof(y)));
}

TEST_F(LowerKernelLaunchTest, refusesWhatHasNoBarePointer) {
  std::string source =
      mainCalling("%c = memref.cast %x : memref<8xf32> to memref<?xf32>\n"
                  "kernel.launch @k(%c : memref<?xf32>) tasks(2)") +
      "func.func private @k(%s: memref<?xf32>, %lo: index, %hi: index) "
      "attributes {kernel.entry} { return }\n";
  EXPECT_FALSE(lower(source));
  EXPECT_NE(errors.find("static shape"), std::string::npos) << errors;
}

TEST_F(LowerKernelLaunchTest, refusesLaunchesOutsideOfMain) {
  std::string source = mainCalling("") + R"mlir(
func.func @helper(%x: memref<8xf32>) {
  kernel.launch @k(%x : memref<8xf32>) tasks(2)
  return
}
func.func private @k(%x: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}
)mlir";
  EXPECT_FALSE(lower(source));
  EXPECT_NE(errors.find("main function"), std::string::npos) << errors;
}
