//===- Lexer.h - tokens of TorchScript source ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the division of TorchScript source into tokens, with
// indentation as tokens and newlines within brackets left out.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_LEXER_H
#define FRONTENDS_TORCHSCRIPT_LEXER_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace graven::torch {

struct Token {
  enum class Kind : uint8_t {
    Name,
    Int,
    Float,
    Imaginary, ///< text ends with its j
    String,    ///< text is the literal with its quotes
    Op,        ///< text is the operator
    Newline,
    Indent,
    Dedent,
    End,
  };
  Kind kind;
  uint32_t offset;
  llvm::StringRef text;

  bool is(Kind k) const { return kind == k; }
  bool isOp(llvm::StringRef op) const { return kind == Kind::Op && text == op; }
  bool isName(llvm::StringRef name) const {
    return kind == Kind::Name && text == name;
  }
};

struct LexError {
  uint32_t offset;
  std::string message;
};

/// The tokens of `source`, ended by one of kind End; or false and the error.
bool tokenize(llvm::StringRef source, std::vector<Token> &tokens,
              LexError &error);

/// The bytes a string literal stands for; false when an escape is malformed.
bool unescape(llvm::StringRef literal, std::string &bytes);

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_LEXER_H
