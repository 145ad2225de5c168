//===- ParserImpl.h - the state of the parser ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the recursive-descent parser that Parser.cpp (statements)
// and ParseExpr.cpp (expressions) implement. It is private to them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_PARSERIMPL_H
#define FRONTENDS_TORCHSCRIPT_PARSERIMPL_H

#include "frontends/torchscript/AST.h"
#include "frontends/torchscript/Lexer.h"

namespace graven::torch {

/// Functions return null or false after the first error, which is kept.
class Parser {
public:
  explicit Parser(SourceFile &file) : file(file) {}
  bool parseFile();
  LexError error;

private:
  /// Counts nesting while in scope.
  struct Nest {
    explicit Nest(Parser &parser) : parser(parser) { ++parser.depth; }
    ~Nest() { --parser.depth; }
    Parser &parser;
  };

  // Tokens.
  const Token &token() const { return tokens[next]; }
  const Token &peek(size_t ahead) const {
    return tokens[std::min(next + ahead, tokens.size() - 1)];
  }
  bool takeOp(llvm::StringRef op);
  bool takeName(llvm::StringRef name);
  bool take(Token::Kind kind);
  bool expectOp(llvm::StringRef op);
  bool expect(Token::Kind kind, const char *what);
  bool expectIdentifier(llvm::StringRef &name);
  std::nullptr_t fail(uint32_t offset, const llvm::Twine &message);
  bool reject(uint32_t offset, const llvm::Twine &message);
  bool tooDeep();

  // Expressions, from the loosest binding to the tightest.
  Expr *parseExpr();
  Expr *parseNot();
  Expr *parseComparison();
  Expr *parseBinary(unsigned level);
  Expr *parseUnary();
  Expr *parsePostfix();
  Expr *parsePrimary();
  Expr *parseNumber(bool negative);
  Expr *parseImaginary(double real);
  Expr *parseSubscript(Expr *base);
  Expr *parseSubscriptItem();
  Expr *parseCall(Expr *callee);
  Expr *parseParenthesised();
  Expr *parseListOrDict();
  Expr *parseAdjacentStrings();
  Expr *make(Expr::Kind kind, uint32_t offset,
             llvm::ArrayRef<Expr *> operands = {}, llvm::StringRef text = {});
  /// torch.<function>(operands...)
  Expr *makeTorchCall(uint32_t offset, llvm::StringRef function,
                      llvm::ArrayRef<Expr *> operands);
  bool parseExprList(llvm::SmallVectorImpl<Expr *> &values, bool &trailing);

  // Statements.
  bool parseBody(Body &body);
  bool parseStatement(Body &body);
  bool parseIf(Statement &statement);
  bool parseAssignment(Statement &statement);
  bool parseWith(Statement &statement);
  Statement *makeStatement(Statement::Kind kind);
  FunctionDef *parseFunction();
  bool parseParameter(FunctionDef &function);
  ClassDef *parseClass();
  bool parseClassItem(ClassDef &definition);
  bool parseStringList(llvm::SmallVectorImpl<llvm::StringRef> &names);
  bool endOfStatement();

  SourceFile &file;
  std::vector<Token> tokens;
  size_t next = 0;
  unsigned depth = 0;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_PARSERIMPL_H
