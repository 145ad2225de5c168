//===- TestModels.cpp - hand-written models for the CPU target --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the fixture of the CPU target's tests.
//===----------------------------------------------------------------------===//
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "compiler/targets/cpu/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <dlfcn.h>

using namespace mlir;
using namespace graven::cpu;
using namespace graven::cpu::test;

const char graven::cpu::test::scaleSource[] = R"mlir(
func.func @forward(%x: memref<4x16xf32>, %y: memref<64xf32>, %ws: memref<256xi8>,
                   %weights: memref<256xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %t = memref.view %ws[%c0][] : memref<256xi8> to memref<64xf32>
  %w = memref.view %weights[%c0][] : memref<256xi8> to memref<64xf32>
  kernel.launch @k_0(%x, %w, %t : memref<4x16xf32>, memref<64xf32>, memref<64xf32>) tasks(4)
  kernel.launch @k_1(%t, %y : memref<64xf32>, memref<64xf32>) tasks(1)
  return
}
func.func private @k_0(%a: memref<4x16xf32>, %b: memref<64xf32>, %c: memref<64xf32>,
                       %lo: index, %hi: index) attributes {kernel.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.for %i = %lo to %hi step %c1 {
    %o = arith.muli %i, %c16 : index
    %va = vector.load %a[%i, %c0] : memref<4x16xf32>, vector<16xf32>
    %vb = vector.load %b[%o] : memref<64xf32>, vector<16xf32>
    %p = arith.mulf %va, %vb : vector<16xf32>
    vector.store %p, %c[%o] : memref<64xf32>, vector<16xf32>
  }
  return
}
func.func private @k_1(%a: memref<64xf32>, %b: memref<64xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    %v = memref.load %a[%i] : memref<64xf32>
    %s = arith.addf %v, %one : f32
    memref.store %s, %b[%i] : memref<64xf32>
  }
  return
}
)mlir";

std::string graven::cpu::test::pointwiseSource(llvm::StringRef body) {
  return (R"mlir(
func.func @forward(%x: memref<8xf32>, %y: memref<8xf32>, %ws: memref<0xi8>, %w: memref<0xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  kernel.launch @k_0(%x, %y : memref<8xf32>, memref<8xf32>) tasks(8)
  return
}
func.func private @k_0(%a: memref<8xf32>, %b: memref<8xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  %c1 = arith.constant 1 : index
  scf.for %i = %lo to %hi step %c1 {
    %v = memref.load %a[%i] : memref<8xf32>
)mlir" + body +
          R"mlir(
    memref.store %r, %b[%i] : memref<8xf32>
  }
  return
}
)mlir")
      .str();
}

Loaded::Loaded(const std::string &path) {
  handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    error = ::dlerror();
    return;
  }
  table = static_cast<const GravenModel *>(::dlsym(handle, "graven_model"));
}

Loaded::~Loaded() {
  if (handle)
    ::dlclose(handle);
}

void *Loaded::symbol(const char *name) const { return ::dlsym(handle, name); }

CpuTargetTest::CpuTargetTest() {
  context
      .loadDialect<arith::ArithDialect, cf::ControlFlowDialect,
                   func::FuncDialect, math::MathDialect, memref::MemRefDialect,
                   scf::SCFDialect, vector::VectorDialect, LLVM::LLVMDialect,
                   graven::kernel::KernelDialect>();
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    errors += diagnostic.str() + "\n";
    return success();
  });
  llvm::SmallString<128> name;
  EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("graven-test", name));
  folder = std::string(name);
}

CpuTargetTest::~CpuTargetTest() { llvm::sys::fs::remove_directories(folder); }

std::string CpuTargetTest::path(llvm::StringRef name) const {
  llvm::SmallString<128> result(folder);
  llvm::sys::path::append(result, name);
  return std::string(result);
}

std::vector<std::string> CpuTargetTest::filesInFolder() const {
  std::vector<std::string> names;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    names.push_back(llvm::sys::path::filename(it->path()).str());
  llvm::sort(names);
  return names;
}

OwningOpRef<ModuleOp> CpuTargetTest::parse(llvm::StringRef source) {
  return parseSourceString<ModuleOp>(source, &context);
}

CpuTarget CpuTargetTest::target(llvm::StringRef cpu) {
  auto found = CpuTarget::get(cpu, UnknownLoc::get(&context));
  EXPECT_TRUE(succeeded(found)) << errors;
  return failed(found) ? CpuTarget() : *found;
}

TensorSpec CpuTargetTest::tensor(llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> extents) {
  return {name.str(), Float32Type::get(&context),
          llvm::SmallVector<int64_t>(extents.begin(), extents.end())};
}

ModelSignature CpuTargetTest::scaleSignature(llvm::StringRef name) {
  ModelSignature signature;
  signature.name = name.str();
  signature.inputs = {tensor("x", {4, 16})};
  signature.outputs = {tensor("y", {64})};
  signature.workspaceSize = signature.weightsSize = 256;
  signature.provenance = {{"source", "by hand"}};
  return signature;
}

ModelSignature CpuTargetTest::pointwiseSignature() {
  ModelSignature signature;
  signature.name = "pointwise";
  signature.inputs = {tensor("x", {8})};
  signature.outputs = {tensor("y", {8})};
  return signature;
}

LogicalResult CpuTargetTest::compile(llvm::StringRef source,
                                     const ModelSignature &signature,
                                     const std::string &file,
                                     llvm::ArrayRef<float> weights,
                                     llvm::StringRef cpu) {
  OwningOpRef<ModuleOp> module = parse(source);
  if (!module)
    return failure();
  EmitOptions options;
  options.kind = outputKindOf(file).value_or(OutputKind::SharedObject);
  options.target = target(cpu);
  FailureOr<Artifact> artifact =
      emitArtifact(*module, signature, options, file);
  if (failed(artifact))
    return failure();
  if (!weights.empty() &&
      artifact->weightsSize() >=
          static_cast<int64_t>(weights.size() * sizeof(float)) &&
      artifact->writeWeights(0, bytesOf(weights)))
    return failure();
  return artifact->commit();
}

std::string CpuTargetTest::read(const std::string &file) const {
  auto buffer = llvm::MemoryBuffer::getFile(file);
  return buffer ? (*buffer)->getBuffer().str() : "cannot read " + file;
}

int CpuTargetTest::run(llvm::ArrayRef<std::string> command,
                       std::string &output) const {
  std::string log = path("log");
  llvm::SmallVector<llvm::StringRef> arguments(command.begin(), command.end());
  std::optional<llvm::StringRef> redirects[] = {
      llvm::StringRef(""), llvm::StringRef(log), llvm::StringRef(log)};
  int code = llvm::sys::ExecuteAndWait(command.front(), arguments, std::nullopt,
                                       redirects);
  output = read(log);
  llvm::sys::fs::remove(log);
  return code;
}
