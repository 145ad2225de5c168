//===- Strings.h - strings as numbers -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ONNX's strings. In a Graph a tensor of strings is one of
// i64: of each string its number, so that equal numbers are equal strings. The
// importer knows of each name whether its numbers are strings (Narrow.h).
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_STRINGS_H
#define FRONTENDS_ONNX_STRINGS_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"

#include <string>
#include <vector>

namespace graven::onnx {

/// The strings of a model, by their numbers from 0 on. A caller has more, with
/// numbers behind these.
class Strings {
public:
  int64_t number(llvm::StringRef text);
  const std::string &text(int64_t number) const { return texts[number]; }
  llvm::ArrayRef<std::string> all() const { return texts; }
  /// Whether the number is one of theirs.
  bool has(int64_t number) const {
    return number >= 0 && number < static_cast<int64_t>(texts.size());
  }

private:
  llvm::StringMap<int64_t> numbers;
  std::vector<std::string> texts;
};

/// What numbers stand for that are strings: a type of its own among the
/// importer's, which no tensor has.
inline mlir::Type stringType(mlir::MLIRContext *context) {
  return mlir::NoneType::get(context);
}
inline bool isString(mlir::Type meaning) {
  return mlir::isa_and_nonnull<mlir::NoneType>(meaning);
}

/// What messages call it.
std::string meaningText(mlir::Type meaning);

/// What the elements of a tensor of TensorProto.DataType `dataType` stand for,
/// a string or a narrow type; null when they are themselves.
mlir::Type meaningOf(mlir::MLIRContext *context, int32_t dataType);
/// The element type of such a tensor.
mlir::Type storageOfMeaning(mlir::Type meaning);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_STRINGS_H
