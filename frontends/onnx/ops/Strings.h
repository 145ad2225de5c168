//===- Strings.h - what ops do with strings -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the reading and making of strings while a model is
// imported.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_STRINGS_H
#define FRONTENDS_ONNX_OPS_STRINGS_H

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/Strings.h"

namespace graven::onnx {

using StringList = std::vector<std::string>;

/// The strings of input i, row-major; an unknown one is an error that says on
/// which input of the model it depends.
std::optional<StringList> stringsOf(NodeBuilder &n, size_t i);
/// The numbers of strings.
mlir::Value numbersOf(NodeBuilder &n, llvm::ArrayRef<int64_t> shape,
                      const StringList &strings);

/// Cast where one of both, but not the other, is a string. `type` is that of
/// the result's numbers; null for strings.
mlir::LogicalResult castStrings(NodeBuilder &n, mlir::Type type);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_STRINGS_H
