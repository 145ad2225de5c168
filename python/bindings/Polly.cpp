//===- Polly.cpp - LLVM's archives without Polly ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the one name of Polly that the LTO of LLVM's archives
// refers to; Debian keeps Polly's own archive elsewhere, and nothing runs it.
//===----------------------------------------------------------------------===//
#include "llvm/Plugins/PassPlugin.h"

llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "Polly", "", nullptr};
}
