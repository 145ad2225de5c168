//===- LitInputs.h - lit tests as inputs of unit tests ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading the lit tests of passes: their modules, and the
// passes that they run on them.
//===----------------------------------------------------------------------===//

#ifndef TEST_UNIT_PASSES_GRAPH_LITINPUTS_H
#define TEST_UNIT_PASSES_GRAPH_LITINPUTS_H

#include "mlir/Pass/PassManager.h"
#include <string>
#include <vector>

namespace graven {

/// The .mlir files of a folder, in the order of their names.
std::vector<std::string> litInputsIn(llvm::StringRef folder);

/// The passes of each RUN line that begins with graven-opt, as the command line
/// gives them: "graven-fuse-conv-bn=expand=false". Lines with a file that the
/// test makes (%t) are left out.
llvm::SmallVector<llvm::SmallVector<std::string>> flagsOf(llvm::StringRef path,
                                                          llvm::StringRef text);

/// Fails the test where a flag is none of a pass.
llvm::LogicalResult addPasses(mlir::PassManager &manager,
                              llvm::ArrayRef<std::string> flags);

} // namespace graven

#endif // TEST_UNIT_PASSES_GRAPH_LITINPUTS_H
