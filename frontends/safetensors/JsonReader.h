//===- JsonReader.h - reads JSON without building it ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares JsonReader, which a reader of a known schema pulls values
// from: headers may be 100 MB, and a tree of them many times that. Keys that
// occur twice are errors, because two readers may see two files in them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_SAFETENSORS_JSONREADER_H
#define FRONTENDS_SAFETENSORS_JSONREADER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace graven {

class JsonReader {
public:
  /// `text` must outlive the reader; `record` names it in errors, and `base` is
  /// the byte of the file at which it begins.
  JsonReader(llvm::StringRef text, llvm::StringRef record, uint64_t base = 0)
      : text(text), record(record), base(base) {}

  /// Calls `member` with each key of the object that begins here, in order. It
  /// reads the value.
  llvm::Error object(llvm::function_ref<llvm::Error(llvm::StringRef)> member);
  /// Calls `item` before each value of the list that begins here.
  llvm::Error array(llvm::function_ref<llvm::Error()> item);
  llvm::Expected<std::string> string();
  /// A number of digits alone, below 2^63.
  llvm::Expected<int64_t> natural();
  /// Passes over a value of any kind, nested 64 deep at most.
  llvm::Error skip();
  /// An error unless only blanks are left.
  llvm::Error end();

  /// An error at the byte where the reader is.
  llvm::Error fail(const llvm::Twine &what) const;

private:
  void blanks();
  /// Whether the next character that is no blank is this one, which is taken.
  bool take(char c);
  llvm::Error expect(char c);
  llvm::Error number();

  llvm::StringRef text, record;
  uint64_t base;
  size_t position = 0;
};

} // namespace graven

#endif // FRONTENDS_SAFETENSORS_JSONREADER_H
