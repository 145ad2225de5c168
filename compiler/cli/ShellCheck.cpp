//===- ShellCheck.cpp - a user's check of a file --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements running the user's command.
//===----------------------------------------------------------------------===//

#include "compiler/cli/ShellCheck.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {

std::string ShellCheck::on(StringRef file) const {
  StringRef rest = command;
  if (!rest.contains("{}"))
    return (rest + " " + file).str();
  std::string text;
  while (rest.contains("{}")) {
    auto [before, after] = rest.split("{}");
    text += (before + file).str();
    rest = after;
  }
  return text + rest.str();
}

FailureOr<int> ShellCheck::run(Location loc, StringRef file) const {
  std::string text = on(file), problem;
  StringRef nowhere;
  std::optional<StringRef> redirects[] = {nowhere, nowhere, nowhere};
  int code =
      sys::ExecuteAndWait("/bin/sh", {"sh", "-c", text},
                          /*Env=*/std::nullopt, redirects,
                          /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  if (code == -1)
    return emitCoded(loc, Code::BadOption)
           << "cannot run the command of --check: " << problem;
  constexpr int bySignal = 128;
  return code < 0 ? bySignal : code;
}

FailureOr<TemporaryFolder> TemporaryFolder::create(Location loc) {
  TemporaryFolder folder;
  if (std::error_code problem =
          sys::fs::createUniqueDirectory("graven", folder.path)) {
    folder.path.clear();
    return LogicalResult(emitCoded(loc, Code::CannotWrite)
                         << "cannot make a temporary folder: "
                         << problem.message());
  }
  return folder;
}

TemporaryFolder::~TemporaryFolder() {
  if (!path.empty())
    sys::fs::remove_directories(path);
}

std::string TemporaryFolder::file(StringRef name) const {
  SmallString<128> whole(path);
  sys::path::append(whole, name);
  return whole.str().str();
}

} // namespace graven::cli
