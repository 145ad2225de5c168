//===- KernelObjectsTest.cpp - an object for each kernel --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests models of several kernels, each an object: numbers, bytes
// that do not depend on threads or the cache, and symbols that two models may
// share.
//===----------------------------------------------------------------------===//
#include "compiler/cache/KernelCache.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

constexpr int numKernels = 12;
constexpr int sumOfAddends = numKernels * (numKernels - 1) / 2;

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

class KernelObjectsTest : public CpuTargetTest {
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

TEST_F(KernelObjectsTest, partsComputeTheWhole) {
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
    EXPECT_EQ(y[i], float(i + sumOfAddends));
}

TEST_F(KernelObjectsTest, bytesDoNotDependOnThreads) {
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

TEST_F(KernelObjectsTest, globalSymbolsCarryTheModelsName) {
  ASSERT_TRUE(succeeded(compile(longSource(), signature("long"), path("a.o"))))
      << errors;
  auto binary = llvm::object::ObjectFile::createObjectFile(path("a.o"));
  ASSERT_TRUE(bool(binary)) << llvm::toString(binary.takeError());
  unsigned own = 0, kernels = 0;
  for (llvm::object::SymbolRef symbol : binary->getBinary()->symbols()) {
    uint32_t flags = llvm::cantFail(symbol.getFlags());
    if (!(flags & llvm::object::SymbolRef::SF_Global) ||
        (flags & llvm::object::SymbolRef::SF_Undefined))
      continue;
    llvm::StringRef name = llvm::cantFail(symbol.getName());
    // Weak, by their content: two models that have one share it.
    if (name.starts_with("kernel.") || name.starts_with("copy.")) {
      EXPECT_TRUE(flags & llvm::object::SymbolRef::SF_Weak) << name.str();
      ++kernels;
      continue;
    }
    if (flags & llvm::object::SymbolRef::SF_Weak)
      continue;
    EXPECT_TRUE(name.starts_with("long")) << name.str();
    ++own;
  }
  EXPECT_GE(own, 2u);
  EXPECT_EQ(kernels, numKernels + 1u);
}

TEST_F(KernelObjectsTest, equalKernelsAreOneObject) {
  std::string source = R"mlir(
func.func @forward(%x: memref<8xf32>, %y: memref<8xf32>, %ws: memref<64xi8>, %w: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %t = memref.view %ws[%c0][] : memref<64xi8> to memref<8xf32>
  kernel.launch @a(%x, %y : memref<8xf32>, memref<8xf32>) tasks(1)
  kernel.launch @b(%y, %x : memref<8xf32>, memref<8xf32>) tasks(1)
  kernel.launch @c(%t, %y : memref<8xf32>, memref<8xf32>) tasks(1)
  return
}
)mlir";
  for (const char *name : {"a", "b", "c"})
    source +=
        std::string("func.func private @") + name +
        R"mlir((%a: memref<8xf32>, %b: memref<8xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  memref.copy %a, %b : memref<8xf32> to memref<8xf32>
  return
}
)mlir";
  ModelSignature signature = pointwiseSignature();
  signature.workspaceSize = 64;
  auto module = parse(source);
  KernelCounts counts;
  EmitOptions options;
  options.target = target();
  options.counts = &counts;
  auto artifact = emitArtifact(*module, signature, options, path("a.so"));
  ASSERT_TRUE(succeeded(artifact)) << errors;
  // The third may rely on its argument's alignment.
  EXPECT_EQ(counts.total, 2u);
}

TEST_F(KernelObjectsTest, keptKernelsMakeTheSameBytes) {
  std::string folder = path("cache");
  std::string bytes[3];
  for (int round = 0; round < 3; ++round) {
    auto cache = graven::KernelCache::open(folder, 1 << 20);
    ASSERT_TRUE(bool(cache)) << llvm::toString(cache.takeError());
    auto module = parse(longSource());
    KernelCounts counts;
    EmitOptions options;
    options.target = target();
    options.cache = round == 0 ? nullptr : cache->get();
    options.counts = &counts;
    auto artifact =
        emitArtifact(*module, signature("long"), options, path("a.so"));
    ASSERT_TRUE(succeeded(artifact)) << errors;
    ASSERT_TRUE(succeeded(artifact->commit()));
    bytes[round] = read(path("a.so"));
    EXPECT_EQ(counts.total, numKernels + 1u);
    EXPECT_EQ(counts.cached, round == 2 ? counts.total : 0u);
  }
  EXPECT_TRUE(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
}

TEST_F(KernelObjectsTest, kernelsInTheModuleComputeTheSame) {
  auto cache = graven::KernelCache::open(path("cache"), 1 << 20);
  ASSERT_TRUE(bool(cache)) << llvm::toString(cache.takeError());
  for (OptLevel level : {OptLevel::O0, OptLevel::O2}) {
    auto module = parse(longSource());
    KernelCounts counts;
    EmitOptions options;
    options.target = target();
    options.optLevel = level;
    options.kernelPlace = KernelPlace::Module;
    options.cache = cache->get();
    options.counts = &counts;
    std::string file = path(level == OptLevel::O0 ? "o0.so" : "o2.so");
    auto artifact = emitArtifact(*module, signature("long"), options, file);
    ASSERT_TRUE(succeeded(artifact)) << errors;
    ASSERT_TRUE(succeeded(artifact->commit()));
    // There is no object, so nothing is looked up and nothing kept.
    EXPECT_EQ(counts.total, 0u);
    Loaded loaded(file);
    ASSERT_TRUE(loaded.model()) << loaded.error;
    alignas(64) float x[64], y[64];
    for (int i = 0; i < 64; ++i)
      x[i] = float(i);
    void *inputs[] = {x}, *outputs[] = {y};
    alignas(64) char workspace[64];
    EXPECT_EQ(loaded.call(inputs, outputs, workspace, nullptr), 0);
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(y[i], float(i + sumOfAddends));
  }
}

TEST_F(KernelObjectsTest, stackMemoryInLoopsIsAllocatedOnce) {
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

TEST_F(KernelObjectsTest, hugeStackFramesAreErrors) {
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
