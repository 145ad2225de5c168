//===- TestModels.h - hand-written models for the CPU target ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the CPU target's tests share, which is: models at the
// end of the loops phase, their signatures, a folder for each test, and loaded
// artifacts.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_TEST_UNIT_COMPILER_TARGETS_CPU_TESTMODELS_H
#define GRAVEN_TEST_UNIT_COMPILER_TARGETS_CPU_TESTMODELS_H

#include "compiler/targets/cpu/CpuTarget.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/include/graven/runtime.h"
#include <gtest/gtest.h>

namespace graven::cpu::test {

/// y = x * w + 1 for 64 floats: one kernel of 4 tasks multiplies into the
/// workspace, one of a single task adds. Workspace and weights have 256 bytes.
extern const char scaleSource[];
/// out = f(x) for 8 floats, `body` computes %r : f32 from %v : f32; no buffers.
std::string pointwiseSource(llvm::StringRef body);

/// The bytes of numbers, as files take them.
inline llvm::ArrayRef<char> bytesOf(llvm::ArrayRef<float> numbers) {
  return {reinterpret_cast<const char *>(numbers.data()),
          numbers.size() * sizeof(float)};
}

/// An unloaded library is closed; its functions are those of the model table.
class Loaded {
public:
  explicit Loaded(const std::string &path);
  ~Loaded();
  Loaded(const Loaded &) = delete;
  void *symbol(const char *name) const;
  const GravenModel *model() const { return table; }
  /// The first variant, with no check.
  int32_t call(void *const *inputs, void *const *outputs, void *workspace,
               const GravenParallel *parallel) const {
    return table->variants->entry(inputs, outputs, workspace, table->weights,
                                  parallel);
  }
  std::string error;

private:
  void *handle = nullptr;
  const GravenModel *table = nullptr;
};

class CpuTargetTest : public testing::Test {
protected:
  CpuTargetTest();
  ~CpuTargetTest() override;

  std::string path(llvm::StringRef name) const;
  std::vector<std::string> filesInFolder() const;
  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef source);
  CpuTarget target(llvm::StringRef cpu = "native");
  TensorSpec tensor(llvm::StringRef name, llvm::ArrayRef<int64_t> extents);
  ModelSignature scaleSignature(llvm::StringRef name = "scale");
  ModelSignature pointwiseSignature();

  /// Compiles and, when that worked, fills float weights and commits.
  mlir::LogicalResult compile(llvm::StringRef source,
                              const ModelSignature &signature,
                              const std::string &file,
                              llvm::ArrayRef<float> weights = {},
                              llvm::StringRef cpu = "native");
  std::string read(const std::string &file) const;
  /// Runs a program; its exit code, with output in `output`.
  int run(llvm::ArrayRef<std::string> command, std::string &output) const;

  mlir::MLIRContext context;
  std::string folder;
  /// All errors so far, one a line.
  std::string errors;
};

} // namespace graven::cpu::test

#endif // GRAVEN_TEST_UNIT_COMPILER_TARGETS_CPU_TESTMODELS_H
