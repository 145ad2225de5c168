//===- TuningFiles.cpp - where measured tiles come from --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading and writing tuning databases: what a file says
// is checked as a whole here, and entry by entry where it is applied.
//===----------------------------------------------------------------------===//
#include "compiler/tuning/TuningFiles.h"
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

using namespace mlir;

namespace graven {

std::string defaultTuningFile() {
  auto variable = [](const char *name) {
    return llvm::sys::Process::GetEnv(name).value_or("");
  };
  if (auto own = llvm::sys::Process::GetEnv("GRAVEN_TUNE_DB"))
    return *own;
  llvm::SmallString<128> file(variable("XDG_CONFIG_HOME"));
  if (!llvm::sys::path::is_absolute(file)) {
    file = variable("HOME");
    if (!llvm::sys::path::is_absolute(file))
      return "";
    llvm::sys::path::append(file, ".config");
  }
  llvm::sys::path::append(file, "graven", "tuning.db");
  return std::string(file);
}

TuningDatabase readTuning(StringRef file, Location loc) {
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/true);
  std::string why;
  if (!buffer) {
    if (buffer.getError() == std::errc::no_such_file_or_directory)
      return {};
    why = buffer.getError().message();
  } else {
    auto parsed = TuningDatabase::parse((*buffer)->getBuffer());
    if (parsed)
      return std::move(*parsed);
    why = llvm::toString(parsed.takeError());
  }
  warnCoded(loc, Code::TuningUnusable)
      << "the tuning database '" << file << "' is not used: " << why;
  return {};
}

LogicalResult writeTuning(const TuningDatabase &database, StringRef file,
                          Location loc) {
  StringRef folder = llvm::sys::path::parent_path(file);
  if (!folder.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(folder))
      return emitCoded(loc, Code::CannotWrite)
             << "cannot make '" << folder << "': " << error.message();
  auto output = OutputFile::create(file, FileMode::Plain, loc);
  if (failed(output))
    return failure();
  return success(succeeded(output->write(
                     llvm::arrayRefFromStringRef<char>(database.print()))) &&
                 succeeded(output->commit()));
}

std::shared_ptr<const TuningDatabase>
usualTuning(const std::optional<std::string> &file, Location loc) {
  auto all = std::make_shared<TuningDatabase>();
  for (StringRef text : shippedTuning())
    all->add(llvm::cantFail(TuningDatabase::parse(text)));
  if (std::string own = file.value_or(defaultTuningFile()); !own.empty())
    all->add(readTuning(own, loc));
  return all;
}

} // namespace graven
