//===- Strings.cpp - strings as numbers -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the numbering of strings.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Strings.h"

#include "frontends/onnx/Narrow.h"
#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven::onnx {

int64_t Strings::number(StringRef text) {
  auto [entry, isNew] = numbers.try_emplace(text, texts.size());
  if (isNew)
    texts.push_back(text.str());
  return entry->second;
}

std::string meaningText(Type meaning) {
  std::string text;
  llvm::raw_string_ostream(text) << meaning;
  return isString(meaning) ? "strings" : "'" + text + "'";
}

Type meaningOf(MLIRContext *context, int32_t dataType) {
  return dataType == pb::TensorProto::STRING ? stringType(context)
                                             : narrowTypeOf(context, dataType);
}

Type storageOfMeaning(Type meaning) {
  return isString(meaning) ? IntegerType::get(meaning.getContext(), 64)
                           : storageOf(meaning);
}

} // namespace graven::onnx
