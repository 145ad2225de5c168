//===- LitInputs.cpp - lit tests as inputs of unit tests --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading the lit tests of passes.
//===----------------------------------------------------------------------===//

#include "test/unit/passes/graph/LitInputs.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"

using namespace mlir;

namespace graven {

std::vector<std::string> litInputsIn(StringRef folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    if (StringRef(it->path()).ends_with(".mlir"))
      files.push_back(it->path());
  llvm::sort(files);
  return files;
}

static SmallVector<std::string> flagsOfLine(StringRef line) {
  SmallVector<std::string> flags;
  while (line.consume_front("--")) {
    StringRef flag =
        line.take_until([](char c) { return c == ' ' || c == '='; });
    line = line.drop_front(flag.size());
    std::string options;
    if (line.consume_front("=")) {
      char end =
          line.starts_with("'") || line.starts_with("\"") ? line.front() : ' ';
      bool quoted = end != ' ';
      line = line.drop_front(quoted ? 1 : 0);
      StringRef value = line.take_until([&](char c) { return c == end; });
      line = line.drop_front(value.size() + (quoted ? 1 : 0));
      options = "=" + value.str();
    }
    if (flag.starts_with("graven-") || flag == "canonicalize" || flag == "cse")
      flags.push_back(flag.str() + options);
    line = line.ltrim();
  }
  return flags;
}

SmallVector<SmallVector<std::string>> flagsOf(StringRef path, StringRef text) {
  SmallVector<SmallVector<std::string>> runs;
  SmallVector<StringRef> parts;
  text.split(parts, "// RUN: graven-opt ");
  for (StringRef part : ArrayRef(parts).drop_front()) {
    std::string line = part.take_until([](char c) { return c == '\n'; }).str();
    if (size_t folder = line.find("%S"); folder != std::string::npos)
      line.replace(folder, 2, llvm::sys::path::parent_path(path));
    StringRef own =
        StringRef(line).take_until([](char c) { return c == '|' || c == '%'; });
    if (own.ends_with("="))
      continue;
    SmallVector<std::string> flags = flagsOfLine(own);
    if (!flags.empty())
      runs.push_back(std::move(flags));
  }
  return runs;
}

LogicalResult addPasses(PassManager &manager, ArrayRef<std::string> flags) {
  for (StringRef flag : flags) {
    auto [name, options] = flag.split('=');
    const PassRegistryEntry *entry = PassInfo::lookup(name);
    if (!entry)
      entry = PassPipelineInfo::lookup(name);
    if (!entry ||
        failed(entry->addToPipeline(manager, options, [](const Twine &message) {
          ADD_FAILURE() << message.str();
          return failure();
        })))
      return failure();
  }
  return success();
}

} // namespace graven
