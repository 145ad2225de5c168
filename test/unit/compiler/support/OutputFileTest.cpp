//===- OutputFileTest.cpp - files that appear whole -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests OutputFile: atomic appearance, refusals, and that nothing
// stays.
//===----------------------------------------------------------------------===//
#include "compiler/support/OutputFile.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using namespace graven;
using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

class OutputFileTest : public CpuTargetTest {
protected:
  mlir::Location loc = mlir::UnknownLoc::get(&context);
  mlir::LogicalResult writeText(const std::string &file, llvm::StringRef text) {
    return writeFile(file, llvm::arrayRefFromStringRef<char>(text),
                     FileMode::Plain, loc);
  }
  bool hasError(llvm::StringRef text) {
    return llvm::StringRef(errors).contains(text);
  }
};

/// Lowers the limit on file sizes while it lives.
class FileLimit {
public:
  explicit FileLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &previous);
    struct rlimit lowered = {bytes, previous.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lowered);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &previous); }

private:
  struct rlimit previous;
};

} // namespace

TEST_F(OutputFileTest, appearsOnlyWhenCommitted) {
  {
    auto file = OutputFile::create(path("a.txt"), FileMode::Plain, loc);
    ASSERT_TRUE(succeeded(file));
    ASSERT_TRUE(succeeded(file->write(llvm::ArrayRef<char>("abc", 3))));
    EXPECT_FALSE(llvm::sys::fs::exists(path("a.txt")));
    EXPECT_EQ(filesInFolder().size(), 1u);
    ASSERT_TRUE(succeeded(file->commit()));
  }
  EXPECT_EQ(filesInFolder(), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(read(path("a.txt")), "abc");
}

TEST_F(OutputFileTest, temporaryFilesAreWholeToo) {
  auto file = OutputFile::create(path("a.txt"), FileMode::Executable, loc);
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write(llvm::ArrayRef<char>("abc", 3))));
  ASSERT_TRUE(succeeded(file->commit(Durability::Temporary)));
  EXPECT_EQ(filesInFolder(), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(read(path("a.txt")), "abc");
  EXPECT_TRUE(llvm::sys::fs::can_execute(path("a.txt")));
}

TEST_F(OutputFileTest, leavesNothingWithoutCommit) {
  {
    auto file = OutputFile::create(path("a.txt"), FileMode::Plain, loc);
    ASSERT_TRUE(succeeded(file));
    ASSERT_TRUE(succeeded(file->write(llvm::ArrayRef<char>("abc", 3))));
  }
  EXPECT_TRUE(filesInFolder().empty());
}

TEST_F(OutputFileTest, replacesAFileWhole) {
  ASSERT_TRUE(succeeded(writeText(path("a.txt"), "old and long")));
  ASSERT_TRUE(succeeded(writeText(path("a.txt"), "new")));
  EXPECT_EQ(read(path("a.txt")), "new");
  EXPECT_EQ(filesInFolder().size(), 1u);
}

TEST_F(OutputFileTest, refusesFolders) {
  EXPECT_TRUE(failed(writeText(folder, "x")));
  EXPECT_TRUE(
      hasError("[GRV0003] cannot write '" + folder + "': Is a directory"))
      << errors;
}

TEST_F(OutputFileTest, refusesMissingFolders) {
  EXPECT_TRUE(failed(writeText(path("no/such/a.txt"), "x")));
  EXPECT_TRUE(hasError("No such file or directory")) << errors;
  EXPECT_TRUE(failed(writeText("", "x")));
}

TEST_F(OutputFileTest, refusesDevicesAndPipes) {
  EXPECT_TRUE(failed(writeText("/dev/null", "x")));
  EXPECT_TRUE(hasError("not a regular file")) << errors;
  errors.clear();
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(failed(writeText(path("pipe"), "x")));
  EXPECT_TRUE(hasError("not a regular file")) << errors;
}

TEST_F(OutputFileTest, sizeLimitIsAnErrorAndNoSignal) {
  {
    FileLimit limit(100);
    EXPECT_TRUE(failed(writeText(path("a.txt"), std::string(101, 'x'))));
  }
  EXPECT_TRUE(hasError("File too large")) << errors;
  EXPECT_TRUE(filesInFolder().empty());
}

TEST_F(OutputFileTest, weightsBeyondTheLimitAreAnError) {
  std::string library = path("scale.so");
  ModelSignature signature = scaleSignature();
  mlir::LogicalResult result = mlir::success();
  {
    FileLimit limit(2048); // less than the link alone
    result = compile(scaleSource, signature, library);
  }
  EXPECT_TRUE(failed(result));
  EXPECT_TRUE(hasError("[GRV0003]")) << errors;
  EXPECT_TRUE(filesInFolder().empty());
}

TEST_F(OutputFileTest, partsAreWrittenInAnyOrder) {
  constexpr uint64_t size = 3 << 20;
  auto file = OutputFile::create(path("a.bin"), FileMode::Plain, loc);
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write(llvm::ArrayRef<char>("head", 4))));
  ASSERT_TRUE(succeeded(file->extend(4096 + size)));
  std::vector<char> part(size / 2, 'w');
  EXPECT_FALSE(file->writeAt(4096 + size / 2, part));
  std::thread([&] { EXPECT_FALSE(file->writeAt(4096, part)); }).join();
  ASSERT_TRUE(succeeded(file->commit()));
  std::string bytes = read(path("a.bin"));
  ASSERT_EQ(bytes.size(), 4096 + size);
  EXPECT_EQ(bytes.substr(4, 4092), std::string(4092, 0));
  EXPECT_EQ(bytes.substr(0, 4), "head");
  EXPECT_EQ(bytes.substr(4096), std::string(size, 'w'));
}
