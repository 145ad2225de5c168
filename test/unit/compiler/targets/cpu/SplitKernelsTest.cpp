//===- SplitKernelsTest.cpp - models with many kernels ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests models big enough to be compiled in parts: numbers, bytes
// that do not depend on threads, and symbols that two such models do not share.
//===----------------------------------------------------------------------===//
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

constexpr int numKernels = 12;

/// y = x + table[0] + ... + table[11], one kernel for each step, every one
/// unrolled into hundreds of instructions; the addends are a constant of the
/// module.
std::string longSource() {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "memref.global \"private\" constant @addends : memref<" << numKernels
      << "xf32> = dense<[";
  for (int i = 0; i < numKernels; ++i)
    out << (i ? ", " : "") << i << ".0";
  out << "]>\nfunc.func @forward(%x: memref<64xf32>, %y: memref<64xf32>, %ws: "
         "memref<64xi8>, %w: memref<0xi8>) attributes {graven.num_inputs = 1 : "
         "i64, "
         "graven.num_outputs = 1 : i64} {\n";
  out << "  kernel.launch @copy(%x, %y : memref<64xf32>, memref<64xf32>) "
         "tasks(1)\n";
  for (int i = 0; i < numKernels; ++i)
    out << "  kernel.launch @k_" << i << "(%y : memref<64xf32>) tasks("
        << i % 3 + 1 << ")\n";
  out << "  return\n}\n";
  out << "func.func private @copy(%x: memref<64xf32>, %y: memref<64xf32>, %lo: "
         "index, %hi: "
         "index) attributes {kernel.entry} {\n  memref.copy %x, %y : "
         "memref<64xf32> to "
         "memref<64xf32>\n  return\n}\n";
  for (int i = 0; i < numKernels; ++i) {
    // Task t of n works on the elements with index % n == t.
    int tasks = i % 3 + 1;
    out << "func.func private @k_" << i
        << "(%y: memref<64xf32>, %lo: index, %hi: index) attributes "
           "{kernel.entry} {\n"
        << "  %c1 = arith.constant 1 : index\n  %i = arith.constant " << i
        << " : index\n  %g = memref.get_global @addends : memref<" << numKernels
        << "xf32>\n  %a = memref.load %g[%i] : memref<" << numKernels
        << "xf32>\n  scf.for %t = %lo to %hi step %c1 {\n";
    for (int e = 0; e < 64; ++e)
      out << "    %e" << e << " = arith.constant " << e << " : index\n    %t"
          << e << " = arith.constant " << e % tasks << " : index\n    %is" << e
          << " = arith.cmpi eq, %t, %t" << e << " : index\n    scf.if %is" << e
          << " {\n      %v = memref.load %y[%e" << e
          << "] : memref<64xf32>\n      %s = arith.addf %v, %a : f32\n      "
             "memref.store %s, %y[%e"
          << e << "] : memref<64xf32>\n    }\n";
    out << "  }\n  return\n}\n";
  }
  return text;
}

class SplitKernelsTest : public CpuTargetTest {
protected:
  ModelSignature signature(llvm::StringRef name) {
    ModelSignature result;
    result.name = name.str();
    result.inputs = {tensor("x", {64})};
    result.outputs = {tensor("y", {64})};
    result.workspaceSize = 64;
    return result;
  }
};

} // namespace

TEST_F(SplitKernelsTest, partsComputeTheWhole) {
  std::string file = path("long.so");
  ASSERT_TRUE(succeeded(compile(longSource(), signature("long"), file)))
      << errors;
  Loaded loaded(file);
  ASSERT_TRUE(loaded.model()) << loaded.error;
  alignas(64) float x[64], y[64];
  for (int i = 0; i < 64; ++i)
    x[i] = float(i);
  void *inputs[] = {x}, *outputs[] = {y};
  alignas(64) char workspace[64];
  EXPECT_EQ(loaded.call(inputs, outputs, workspace, nullptr), 0);
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(y[i], float(i + numKernels * (numKernels - 1) / 2));
}

TEST_F(SplitKernelsTest, bytesDoNotDependOnThreads) {
  for (const char *extension : {".so", ".o"}) {
    std::string alone = path(std::string("alone") + extension);
    std::string shared = path(std::string("shared") + extension);
    ASSERT_TRUE(succeeded(compile(longSource(), signature("long"), shared)))
        << errors;
    context.disableMultithreading();
    ASSERT_TRUE(succeeded(compile(longSource(), signature("long"), alone)))
        << errors;
    context.enableMultithreading();
    EXPECT_TRUE(read(alone) == read(shared)) << extension;
  }
}

TEST_F(SplitKernelsTest, globalSymbolsCarryTheModelsName) {
  ASSERT_TRUE(succeeded(compile(longSource(), signature("long"), path("a.o"))))
      << errors;
  auto binary = llvm::object::ObjectFile::createObjectFile(path("a.o"));
  ASSERT_TRUE(bool(binary)) << llvm::toString(binary.takeError());
  unsigned own = 0;
  for (llvm::object::SymbolRef symbol : binary->getBinary()->symbols()) {
    uint32_t flags = llvm::cantFail(symbol.getFlags());
    if (!(flags & llvm::object::SymbolRef::SF_Global) ||
        (flags & (llvm::object::SymbolRef::SF_Undefined |
                  llvm::object::SymbolRef::SF_Weak)))
      continue;
    llvm::StringRef name = llvm::cantFail(symbol.getName());
    EXPECT_TRUE(name.starts_with("long")) << name.str();
    ++own;
  }
  // The table, the typed entry, and kernels: it was split.
  EXPECT_GT(own, 2u);
}

TEST_F(SplitKernelsTest, stackMemoryInLoopsIsAllocatedOnce) {
  std::string source = R"mlir(
func.func @forward(%x: memref<8xf32>, %y: memref<8xf32>, %ws: memref<0xi8>, %w: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  kernel.launch @k_0(%x, %y : memref<8xf32>, memref<8xf32>) tasks(8)
  return
}
func.func private @k_0(%a: memref<8xf32>, %b: memref<8xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %many = arith.constant 1000 : index
  scf.for %i = %lo to %hi step %c1 {
    scf.for %j = %c0 to %many step %c1 {
      %t = memref.alloca() : memref<16384xf32>
      %v = memref.load %a[%i] : memref<8xf32>
      memref.store %v, %t[%j] : memref<16384xf32>
      %u = memref.load %t[%j] : memref<16384xf32>
      memref.store %u, %b[%i] : memref<8xf32>
    }
  }
  return
}
)mlir";
  // 8000 times 64 KiB would be far more than any stack has.
  for (OptLevel level : {OptLevel::O0, OptLevel::O2}) {
    EmitOptions options;
    options.target = target();
    options.optLevel = level;
    auto module = parse(source);
    auto artifact =
        emitArtifact(*module, pointwiseSignature(), options, path("a.so"));
    ASSERT_TRUE(succeeded(artifact)) << errors;
    ASSERT_TRUE(succeeded(artifact->commit()));
    Loaded loaded(path("a.so"));
    ASSERT_TRUE(loaded.model()) << loaded.error;
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[8] = {};
    void *inputs[] = {x}, *outputs[] = {y};
    EXPECT_EQ(loaded.call(inputs, outputs, nullptr, nullptr), 0);
    EXPECT_EQ(0, memcmp(x, y, sizeof(x)));
  }
}

TEST_F(SplitKernelsTest, hugeStackFramesAreErrors) {
  std::string body = "%t = memref.alloca() : memref<1048576xf32>\n"
                     "memref.store %v, %t[%i] : memref<1048576xf32>\n"
                     "func.call @abort_if(%t) : (memref<1048576xf32>) -> ()\n"
                     "%r = memref.load %t[%i] : memref<1048576xf32>";
  std::string source =
      pointwiseSource(body) +
      "func.func private @abort_if(memref<1048576xf32>) -> ()\n";
  EXPECT_TRUE(failed(compile(source, pointwiseSignature(), path("a.s"))));
  EXPECT_NE(errors.find("stack frame size"), std::string::npos) << errors;
}
