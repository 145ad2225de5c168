//===- Outputs.cpp - what a run gave, as files ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the saving of outputs.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Outputs.h"
#include "dialects/support/Diagnostics.h"
#include "runtime/host/Npy.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace graven::cli {

LogicalResult saveOutputs(ArrayRef<rt::Array> outputs, StringRef folder,
                          Location loc) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return emitCoded(loc, Code::CannotWrite)
           << "cannot make '" << folder << "': " << error.message();
  for (auto [i, output] : llvm::enumerate(outputs)) {
    std::string path = (folder + "/" + Twine(i) + ".npy").str();
    if (rt::Status status = rt::writeNpy(path, output); !status)
      return emitCoded(loc, Code::CannotWrite) << status.error().message;
  }
  return success();
}

} // namespace graven::cli
