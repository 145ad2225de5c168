//===- Parser.h - parses TorchScript source ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the parser of one record of TorchScript source.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_PARSER_H
#define FRONTENDS_TORCHSCRIPT_PARSER_H

#include "frontends/torchscript/AST.h"

#include "llvm/Support/Error.h"

#include <memory>

namespace graven::torch {

/// Trees higher than this are refused, whatever their shape, so that whoever
/// walks a tree may recurse.
constexpr unsigned kMaxDepth = 256;

/// Parses the record `record` with contents `text`. The error names
/// record:line:column.
llvm::Expected<std::unique_ptr<SourceFile>> parseSource(std::string record,
                                                        std::string text);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_PARSER_H
