//===- Assembler.cpp - PTX to machine code ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the run of ptxas and the reading of what it says of each
// kernel.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cuda/Assembler.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace graven::cuda {

namespace {

/// Files that are gone when this is.
class TemporaryFiles {
public:
  ~TemporaryFiles() {
    for (const auto &path : paths)
      llvm::sys::fs::remove(path);
  }

  FailureOr<StringRef> create(StringRef suffix) {
    llvm::SmallString<128> path;
    if (llvm::sys::fs::createTemporaryFile("graven", suffix, path))
      return failure();
    paths.push_back(path.str().str());
    return StringRef(paths.back());
  }

private:
  SmallVector<std::string, 4> paths;
};

/// Empty where there is none.
std::string findAssembler() {
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (auto found =
          llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return "";
}

/// The number before `what` in "..., 96 bytes spill stores, ...".
unsigned numberBefore(StringRef line, StringRef what) {
  size_t at = line.find(what);
  if (at == StringRef::npos)
    return 0;
  unsigned number = 0;
  StringRef before = line.take_front(at).rtrim();
  before.substr(before.find_last_not_of("0123456789") + 1)
      .getAsInteger(10, number);
  return number;
}

/// What -v prints: for each kernel a line with its name, one with its stack,
/// one with its registers.
SmallVector<KernelReport> readReports(StringRef text) {
  SmallVector<KernelReport> kernels;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.contains("Compiling entry function")) {
      KernelReport report;
      report.name = line.split('\'').second.split('\'').first.str();
      kernels.push_back(std::move(report));
    }
    if (kernels.empty())
      continue;
    KernelReport &kernel = kernels.back();
    if (line.contains("bytes stack frame")) {
      kernel.stack = numberBefore(line, " bytes stack frame");
      kernel.spillStores = numberBefore(line, " bytes spill stores");
      kernel.spillLoads = numberBefore(line, " bytes spill loads");
    }
    if (line.contains(" registers")) {
      kernel.registers = numberBefore(line, " registers");
      kernel.sharedMemory = numberBefore(line, " bytes smem");
    }
  }
  return kernels;
}

} // namespace

bool hasAssembler() { return !findAssembler().empty(); }

FailureOr<Assembled> assemble(StringRef ptx, const Architecture &architecture,
                              Location loc) {
  std::string program = findAssembler();
  if (program.empty())
    return emitCoded(loc, Code::BadOption)
           << "machine code for GPUs needs NVIDIA's ptxas, which is not on "
              "PATH; a .ptx needs nothing";
  TemporaryFiles files;
  FailureOr<StringRef> source = files.create("ptx"),
                       cubin = files.create("cubin"), log = files.create("log");
  if (failed(source) || failed(cubin) || failed(log))
    return emitCoded(loc, Code::CannotWrite)
           << "no temporary file can be made for ptxas";
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(*source, error);
    stream << ptx;
    stream.close();
    if (error || stream.has_error())
      return emitCoded(loc, Code::CannotWrite)
             << "cannot write '" << *source << "' for ptxas";
  }
  std::string arch = "-arch=" + architecture.name;
  StringRef arguments[] = {program, arch, "-O3", "-v", "-o", *cubin, *source};
  std::optional<StringRef> redirects[] = {std::nullopt, *log, *log};
  std::string problem;
  int exit = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt,
                                       redirects, /*SecondsToWait=*/0,
                                       /*MemoryLimit=*/0, &problem);
  auto said = llvm::MemoryBuffer::getFile(*log);
  StringRef text = said ? (*said)->getBuffer() : StringRef(problem);
  if (exit != 0)
    return emitError(loc) << "ptxas refuses the code for " << architecture.name
                          << ": " << text.trim();
  auto bytes = llvm::MemoryBuffer::getFile(*cubin, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!bytes)
    return emitError(loc) << "ptxas wrote no machine code";
  Assembled result;
  result.cubin.assign((*bytes)->getBuffer().begin(),
                      (*bytes)->getBuffer().end());
  result.kernels = readReports(text);
  return result;
}

} // namespace graven::cuda
