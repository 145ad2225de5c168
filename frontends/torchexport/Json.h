//===- Json.h - reads JSON that may be hostile ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the way from text to LLVM's JSON values: LLVM's parser is
// recursive, so nesting and size are bounded before it runs.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHEXPORT_JSON_H
#define FRONTENDS_TORCHEXPORT_JSON_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace graven::torchexport {

namespace json = llvm::json;

/// The value that `text` is; `record` names it in errors.
llvm::Expected<json::Value> parseValue(llvm::StringRef text,
                                       llvm::StringRef record);
/// The same for an object.
llvm::Expected<json::Object> parseObject(llvm::StringRef text,
                                         llvm::StringRef record);

/// The one member of a union object `{"as_int": 3}`: its key and value. Nothing
/// when `value` is no object of one member.
struct Union {
  llvm::StringRef tag;
  const json::Value *value;
};
std::optional<Union> asUnion(const json::Value &value);

/// A list member of an object, empty when it is absent or null.
llvm::ArrayRef<json::Value> listIn(const json::Object &object,
                                   llvm::StringRef key);

} // namespace graven::torchexport

#endif // FRONTENDS_TORCHEXPORT_JSON_H
