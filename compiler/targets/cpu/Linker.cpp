//===- Linker.cpp - objects to one image, in process ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements linking with lld's ELF driver as a library. lld reads
// files: inputs are anonymous memory files, the output a file in a private
// folder, read back at once (it is small: weights are not part of a link).
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Linker.h"
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace graven::cpu;
using mlir::FailureOr;

namespace {

constexpr llvm::StringLiteral noRoom =
    "no room for the inputs, which memory or the limit on file sizes refuses";

/// Adds to lld's own layout: the weights last, in a segment of their own. The
/// support object always has some .bss. Addresses that are left out make up for
/// what the file has and memory has not, such as names: contents may then begin
/// in the file where they do in memory, counted from a huge page's beginning.
constexpr llvm::StringLiteral weightsLast =
    "SECTIONS { .lrodata ALIGN(0x10000) + 0x10000 : { *(.lrodata.graven) } } "
    "INSERT AFTER .bss;\n";

/// A file without a name on any disk, reachable through /proc/self/fd.
class MemoryFile {
public:
  MemoryFile() = default;
  MemoryFile(const MemoryFile &) = delete;
  ~MemoryFile() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
  bool fill(llvm::StringRef name, llvm::ArrayRef<char> bytes) {
    descriptor = ::memfd_create(name.str().c_str(), MFD_CLOEXEC);
    if (descriptor < 0)
      return false;
    llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/false);
    stream.write(bytes.data(), bytes.size());
    stream.flush();
    bool good = !stream.has_error();
    stream.clear_error();
    path = "/proc/self/fd/" + std::to_string(descriptor);
    return good;
  }
  const char *name() const { return path.c_str(); }

private:
  int descriptor = -1;
  std::string path;
};

/// While it lives, exceeding the limit on file sizes is an error of the write
/// and not the end of the process.
class FileSizeSignalBlock {
public:
  FileSizeSignalBlock() {
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &blocked, &previous);
  }
  ~FileSizeSignalBlock() {
    if (!sigismember(&previous, SIGXFSZ)) {
      struct timespec immediately = {0, 0};
      while (sigtimedwait(&blocked, nullptr, &immediately) > 0) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  }

private:
  sigset_t blocked, previous;
};

class Link {
public:
  Link(Machine machine, mlir::Location loc) : machine(machine), loc(loc) {}

  bool add(llvm::StringRef name, llvm::ArrayRef<char> bytes) {
    MemoryFile &file = *files.emplace_back(std::make_unique<MemoryFile>());
    if (!file.fill(name, bytes))
      return false;
    add(file.name());
    return true;
  }
  void add(llvm::StringRef argument) { arguments.push_back(argument.str()); }
  FailureOr<llvm::SmallVector<char, 0>> run();
  /// The system refuses; lld refusing is a bug of the code it was given.
  mlir::LogicalResult refuse(const llvm::Twine &what) {
    return graven::emitCoded(loc, graven::Code::CannotWrite)
           << "cannot link: " << what;
  }
  mlir::LogicalResult fail(llvm::StringRef what) {
    return mlir::emitError(loc) << "cannot link: " << what;
  }

private:
  FileSizeSignalBlock block;
  Machine machine;
  mlir::Location loc;
  llvm::SmallVector<std::string> arguments = {"ld.lld"};
  llvm::SmallVector<std::unique_ptr<MemoryFile>> files;
};

FailureOr<llvm::SmallVector<char, 0>> Link::run() {
  FailureOr<graven::OutputFile> file = graven::OutputFile::createTemporary(loc);
  if (failed(file))
    return mlir::failure();
  std::string output = file->path().str();
  // One thread, and the output written by it: the signal block is per thread.
  for (llvm::StringRef option :
       {"--threads=1", "--no-mmap-output-file", "--build-id=none", "-m",
        machine == Machine::AArch64 ? "aarch64linux" : "elf_x86_64", "-o"})
    add(option);
  add(output);

  llvm::SmallVector<const char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result;
  {
    // lld keeps the state of a link in one place of the process.
    static std::mutex oneAtATime;
    std::lock_guard<std::mutex> lock(oneAtATime);
    result = lld::lldMain(argv, stream, stream, {{lld::Gnu, &lld::elf::link}});
  }
  if (result.retCode != 0)
    return fail(llvm::StringRef(messages).trim());
  auto buffer = llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse(buffer.getError().message());
  llvm::StringRef bytes = (*buffer)->getBuffer();
  return llvm::SmallVector<char, 0>(bytes.begin(), bytes.end());
}

} // namespace

FailureOr<llvm::SmallVector<char, 0>>
graven::cpu::linkShared(const SharedLink &link, mlir::Location loc) {
  Link job(link.machine, loc);
  std::string script = "{ global:";
  for (const std::string &symbol : link.exports)
    script += " " + symbol + ";";
  script += " local: *; };\n";
  MemoryFile exports;
  if (!exports.fill("exports", script))
    return job.refuse(noRoom);
  for (llvm::StringRef option :
       {"-shared", "-z", "defs", "-z", "now", "-z", "relro", "-z",
        "noexecstack", "--gc-sections", "--as-needed", "--hash-style=gnu"})
    job.add(option);
  MemoryFile layout;
  if (link.hasWeights) {
    if (!layout.fill("layout", weightsLast))
      return job.refuse(noRoom);
    job.add(std::string("--script=") + layout.name());
  }
  if (link.unloading == Unloading::Never)
    for (llvm::StringRef option : {"-z", "nodelete"})
      job.add(option);
  job.add(std::string("--version-script=") + exports.name());
  for (const LinkInput &input : link.objects)
    if (!job.add(input.name, input.bytes))
      return job.refuse(noRoom);
  for (const LinkInput &input : link.libraries)
    if (!job.add(input.name, input.bytes))
      return job.refuse(noRoom);
  return job.run();
}

FailureOr<llvm::SmallVector<char, 0>>
graven::cpu::linkRelocatable(llvm::ArrayRef<LinkInput> objects, Machine machine,
                             mlir::Location loc) {
  Link job(machine, loc);
  job.add("-r");
  for (const LinkInput &input : objects)
    if (!job.add(input.name, input.bytes))
      return job.refuse(noRoom);
  return job.run();
}
