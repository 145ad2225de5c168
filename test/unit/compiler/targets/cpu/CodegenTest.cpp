//===- CodegenTest.cpp - what machine code looks like -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the properties of generated code that numbers do not show:
// fused multiply-adds and no other freedom, register tiles without spills, no
// calls for 16-bit floats, and text output.
//===----------------------------------------------------------------------===//
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

size_t count(const std::string &text, llvm::StringRef word) {
  return llvm::StringRef(text).count(word);
}

/// A 14x32 tile of C = A * B with the accumulators in registers and `unroll`
/// steps of k in one basic block, as the GEMM expander writes it for AVX-512.
std::string tileSource(int unroll) {
  std::string text;
  llvm::raw_string_ostream out(text);
  constexpr int rows = 14, columns = 2, depth = 256;
  auto accumulators = [&](const char *prefix, const char *separator) {
    std::string list;
    for (int i = 0; i < rows * columns; ++i)
      list += (i ? separator : "") + std::string(prefix) + std::to_string(i);
    return list;
  };
  out << R"mlir(
func.func @forward(%a: memref<3584xf32>, %c: memref<448xf32>, %ws: memref<64xi8>,
                   %w: memref<32768xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %b = memref.view %w[%c0][] : memref<32768xi8> to memref<8192xf32>
  kernel.launch @tile(%a, %b, %c : memref<3584xf32>, memref<8192xf32>, memref<448xf32>) tasks(1)
  return
}
func.func private @tile(%a: memref<3584xf32>, %b: memref<8192xf32>, %c: memref<448xf32>,
                        %lo: index, %hi: index) attributes {kernel.entry} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %step = arith.constant )mlir"
      << unroll << " : index\n  %depth = arith.constant " << depth
      << " : index\n"
      << "  %zero = arith.constant dense<0.0> : vector<16xf32>\n  %r:"
      << rows * columns
      << " = scf.for %k = %c0 to %depth step %step iter_args(";
  for (int i = 0; i < rows * columns; ++i)
    out << (i ? ", " : "") << "%s0_" << i << " = %zero";
  out << ") -> (";
  for (int i = 0; i < rows * columns; ++i)
    out << (i ? ", " : "") << "vector<16xf32>";
  out << ") {\n";
  for (int u = 0; u < unroll; ++u) {
    out << "    %u" << u << " = arith.constant " << u << " : index\n    %k" << u
        << " = arith.addi %k, %u" << u << " : index\n    %o" << u
        << "_0 = arith.muli %k" << u << ", %c32 : index\n    %h" << u
        << " = arith.constant 16 : index\n    %o" << u << "_1 = arith.addi %o"
        << u << "_0, %h" << u << " : index\n";
    for (int j = 0; j < columns; ++j)
      out << "    %b" << u << "_" << j << " = vector.load %b[%o" << u << "_"
          << j << "] : memref<8192xf32>, vector<16xf32>\n";
    for (int i = 0; i < rows; ++i) {
      out << "    %r" << u << "_" << i << " = arith.constant " << i * depth
          << " : index\n    %p" << u << "_" << i << " = arith.addi %k" << u
          << ", %r" << u << "_" << i << " : index\n    %e" << u << "_" << i
          << " = memref.load %a[%p" << u << "_" << i
          << "] : memref<3584xf32>\n    %v" << u << "_" << i
          << " = vector.broadcast %e" << u << "_" << i
          << " : f32 to vector<16xf32>\n";
      for (int j = 0; j < columns; ++j)
        out << "    %s" << u + 1 << "_" << i * columns + j << " = vector.fma %v"
            << u << "_" << i << ", %b" << u << "_" << j << ", %s" << u << "_"
            << i * columns + j << " : vector<16xf32>\n";
    }
  }
  std::string last = "%s" + std::to_string(unroll) + "_";
  out << "    scf.yield " << accumulators(last.c_str(), ", ") << " : ";
  for (int i = 0; i < rows * columns; ++i)
    out << (i ? ", " : "") << "vector<16xf32>";
  out << "\n  }\n";
  for (int i = 0; i < rows * columns; ++i)
    out << "  %q" << i << " = arith.constant " << i * 16
        << " : index\n  vector.store %r#" << i << ", %c[%q" << i
        << "] : memref<448xf32>, vector<16xf32>\n";
  out << "  return\n}\n";
  return text;
}

class CodegenTest : public CpuTargetTest {
protected:
  std::string compileText(const std::string &source,
                          const ModelSignature &signature,
                          llvm::StringRef extension, llvm::StringRef cpu) {
    std::string file = path(("out" + extension).str());
    EXPECT_TRUE(succeeded(compile(source, signature, file, {}, cpu))) << errors;
    return read(file);
  }
};

} // namespace

TEST_F(CodegenTest, registerTilesDoNotSpill) {
  ModelSignature signature;
  signature.name = "tile";
  signature.inputs = {tensor("a", {14, 256})};
  signature.outputs = {tensor("c", {14, 32})};
  signature.workspaceSize = 64;
  signature.weightsSize = 32768;
  std::string assembly = compileText(tileSource(16), signature, ".s", "znver5");
  EXPECT_GE(count(assembly, "vfmadd"), 448u);
  // With the machine scheduler this body has more than 200.
  EXPECT_EQ(count(assembly, "Spill"), 0u);

  auto module = parse(tileSource(16));
  llvm::SmallVector<FunctionReport> reports;
  EmitOptions options;
  options.target = target("znver5");
  options.reports = &reports;
  ASSERT_TRUE(
      succeeded(emitArtifact(*module, signature, options, path("tile.so"))))
      << errors;
  auto *tile = llvm::find_if(
      reports, [](const FunctionReport &r) { return r.name == "tile"; });
  ASSERT_NE(tile, reports.end());
  EXPECT_EQ(tile->spills, 0u);
  EXPECT_EQ(tile->reloads, 0u);
}

TEST_F(CodegenTest, multiplicationAndAdditionFuseWhereAllowed) {
  std::string allowed =
      pointwiseSource("%m = arith.mulf %v, %v fastmath<contract> : f32\n"
                      "%r = arith.addf %m, %v fastmath<contract> : f32");
  EXPECT_GE(count(compileText(allowed, pointwiseSignature(), ".s", "x86-64-v3"),
                  "vfmadd"),
            1u);
  std::string exact = pointwiseSource("%m = arith.mulf %v, %v : f32\n"
                                      "%r = arith.addf %m, %v : f32");
  EXPECT_EQ(count(compileText(exact, pointwiseSignature(), ".s", "x86-64-v3"),
                  "vfmadd"),
            0u);
}

TEST_F(CodegenTest, noOtherFreedomWithFloatingPoint) {
  std::string source = pointwiseSource("%m = arith.mulf %v, %v : f32\n"
                                       "%r = arith.maximumf %m, %v : f32");
  std::string ir =
      compileText(source, pointwiseSignature(), ".ll", "x86-64-v3");
  EXPECT_GE(count(ir, "fmul"), 1u);
  for (const char *flag :
       {"nnan", "ninf", "nsz", "arcp", "afn", "reassoc", "contract", " fast "})
    EXPECT_EQ(count(ir, flag), 0u) << flag;
}

TEST_F(CodegenTest, halfFloatsNeedNoLibrary) {
  std::string source = pointwiseSource(
      "%h = arith.truncf %v : f32 to bf16\n%w = arith.extf %h : bf16 to f32\n"
      "%g = arith.truncf %w : f32 to f16\n%r = arith.extf %g : f16 to f32");
  EXPECT_EQ(count(compileText(source, pointwiseSignature(), ".s", "x86-64-v3"),
                  "__trunc"),
            0u);
  std::string file = path("old.so");
  ASSERT_TRUE(
      succeeded(compile(source, pointwiseSignature(), file, {}, "x86-64")))
      << errors;
  Loaded loaded(file);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {1.00390625f, -0.0f, 3e38f, NAN, 1e-3f, 2.0f, -7.5f, 100}, y[8];
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  EXPECT_EQ(y[0], 1.0f); // a tie goes to even
  EXPECT_TRUE(std::signbit(y[1]));
  EXPECT_EQ(y[2], INFINITY); // beyond f16
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_EQ(y[6], -7.5f);
}

TEST_F(CodegenTest, powersNeedLibmAtMost) {
  std::string source = pointwiseSource("%n = arith.constant -3 : i32\n"
                                       "%r = math.fpowi %v, %n : f32, i32");
  std::string file = path("power.so");
  ASSERT_TRUE(succeeded(compile(source, pointwiseSignature(), file))) << errors;
  Loaded loaded(file);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  float x[8] = {1, 2, -2, 0.5f, 4, -1, 8, 0.25f}, y[8];
  void *inputs[] = {x}, *outputs[] = {y};
  EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(y[i], 1 / (x[i] * x[i] * x[i]));
  // LLVM knows exp10 and uses it for powers of ten.
  source = pointwiseSource("%d = arith.extf %v : f32 to f64\n"
                           "%ten = arith.constant 10.0 : f64\n"
                           "%p = math.powf %ten, %d : f64\n"
                           "%r = arith.truncf %p : f64 to f32");
  ASSERT_TRUE(succeeded(compile(source, pointwiseSignature(), file))) << errors;
}

TEST_F(CodegenTest, wideVectorsStayWide) {
  std::string assembly =
      compileText(scaleSource, scaleSignature(), ".s", "skylake-avx512");
  EXPECT_GE(count(assembly, "%zmm"), 1u);
}

TEST_F(CodegenTest, loopsAreVectorized) {
  std::string source = scaleSource; // k_1 is a scalar loop of 64 additions
  EXPECT_GE(
      count(compileText(source, scaleSignature(), ".s", "x86-64-v3"), "vaddps"),
      1u);
}

TEST_F(CodegenTest, copiesCallMemmove) {
  ModelSignature signature;
  signature.name = "copy";
  signature.inputs = {tensor("x", {4096})};
  signature.outputs = {tensor("y", {4096})};
  std::string assembly = compileText(R"mlir(
func.func @forward(%x: memref<4096xf32>, %y: memref<4096xf32>, %ws: memref<0xi8>,
                   %w: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  kernel.launch @copy(%x, %y : memref<4096xf32>, memref<4096xf32>) tasks(1)
  return
}
func.func private @copy(%x: memref<4096xf32>, %y: memref<4096xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  memref.copy %x, %y : memref<4096xf32> to memref<4096xf32>
  return
}
)mlir",
                                     signature, ".s", "x86-64-v3");
  EXPECT_GE(count(assembly, "memmove"), 1u);
  EXPECT_EQ(count(assembly, "memcpy"), 0u);
}

TEST_F(CodegenTest, dialectTextIsTheEndOfTheLLVMPhase) {
  std::string text =
      compileText(scaleSource, scaleSignature(), ".mlir", "x86-64-v3");
  EXPECT_NE(text.find("llvm.func"), std::string::npos);
  EXPECT_EQ(text.find("memref."), std::string::npos);
  EXPECT_EQ(text.find("unrealized_conversion_cast"), std::string::npos);
}

TEST_F(CodegenTest, everyLevelComputesTheSame) {
  for (OptLevel level :
       {OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3}) {
    auto module = parse(scaleSource);
    EmitOptions options;
    options.target = target();
    options.optLevel = level;
    std::string file = path("level.so");
    auto artifact = emitArtifact(*module, scaleSignature(), options, file);
    ASSERT_TRUE(succeeded(artifact)) << errors;
    ASSERT_FALSE(
        artifact->writeWeights(0, bytesOf(std::vector<float>(64, 3.0f))));
    ASSERT_TRUE(succeeded(artifact->commit()));
    Loaded loaded(file);
    ASSERT_TRUE(loaded.model()) << loaded.error;
    alignas(64) float x[64], y[64];
    alignas(64) char workspace[256];
    std::fill_n(x, 64, 2.0f);
    void *inputs[] = {x}, *outputs[] = {y};
    EXPECT_EQ(loaded.call(inputs, outputs, workspace, nullptr), 0);
    for (float value : y)
      EXPECT_EQ(value, 7.0f);
  }
}
