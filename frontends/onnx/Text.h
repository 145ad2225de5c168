//===- Text.h - text of a file in messages --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how names that come from a model may stand in a message.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_TEXT_H
#define FRONTENDS_ONNX_TEXT_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace graven::onnx {

/// 'name', at most 80 bytes of it, control and non-ASCII bytes escaped.
inline std::string quoted(llvm::StringRef name) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  stream << "'";
  llvm::printEscapedString(name.take_front(80), stream);
  stream << (name.size() > 80 ? "...'" : "'");
  return result;
}

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_TEXT_H
