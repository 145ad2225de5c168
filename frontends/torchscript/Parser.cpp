//===- Parser.cpp - parses TorchScript source ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the statement half of the parser and the places of a
// source file. The grammar is that of torch's own printer, a little widened
// for text written by hand: `elif`, and `if` without `else`.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Parser.h"

#include "frontends/torchfile/Errors.h"
#include "frontends/torchscript/ParserImpl.h"

using namespace graven::torch;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// SourceFile
//===----------------------------------------------------------------------===//

SourceFile::SourceFile(std::string record, std::string text)
    : recordName(std::move(record)), source(std::move(text)) {
  lineStarts.push_back(0);
  for (size_t i = 0; i < source.size(); ++i)
    if (source[i] == '\n')
      lineStarts.push_back(i + 1);
}

LineColumn SourceFile::place(uint32_t offset) const {
  auto it = llvm::upper_bound(lineStarts, offset) - 1;
  return {static_cast<unsigned>(it - lineStarts.begin()) + 1, offset - *it + 1};
}

const ClassDef *SourceFile::findClass(StringRef name) const {
  return classByName.lookup(name);
}

const FunctionDef *SourceFile::findFunction(StringRef name) const {
  return functionByName.lookup(name);
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

std::nullptr_t Parser::fail(uint32_t offset, const llvm::Twine &message) {
  if (error.message.empty())
    error = {offset, message.str()};
  return nullptr;
}

bool Parser::reject(uint32_t offset, const llvm::Twine &message) {
  fail(offset, message);
  return false;
}

bool Parser::tooDeep() {
  // A level of nesting passes several of the guarded functions.
  if (depth < 4 * kMaxDepth)
    return false;
  fail(token().offset, "nested more than " + llvm::Twine(kMaxDepth) + " deep");
  return true;
}

bool Parser::takeOp(StringRef op) {
  bool found = token().isOp(op);
  next += found;
  return found;
}

bool Parser::takeName(StringRef name) {
  bool found = token().isName(name);
  next += found;
  return found;
}

bool Parser::take(Token::Kind kind) {
  bool found = token().is(kind);
  next += found;
  return found;
}

bool Parser::expectOp(StringRef op) {
  if (takeOp(op))
    return true;
  return reject(token().offset, "expected '" + op + "'");
}

bool Parser::expect(Token::Kind kind, const char *what) {
  if (take(kind))
    return true;
  return reject(token().offset, llvm::Twine("expected ") + what);
}

bool Parser::expectIdentifier(StringRef &name) {
  name = token().text;
  return expect(Token::Kind::Name, "a name");
}

bool Parser::endOfStatement() {
  if (token().is(Token::Kind::Dedent) || token().is(Token::Kind::End))
    return true;
  return expect(Token::Kind::Newline, "the end of the line");
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

Statement *Parser::makeStatement(Statement::Kind kind) {
  Statement &statement = file.statements.emplace_back();
  statement.kind = kind;
  statement.offset = token().offset;
  return &statement;
}

/// A block after ':': indented lines, or statements on the same line.
bool Parser::parseBody(Body &body) {
  if (!expectOp(":"))
    return false;
  if (!take(Token::Kind::Newline))
    return parseStatement(body);
  if (!expect(Token::Kind::Indent, "an indented block"))
    return false;
  while (!take(Token::Kind::Dedent))
    if (!parseStatement(body))
      return false;
  return true;
}

bool Parser::parseExprList(llvm::SmallVectorImpl<Expr *> &values,
                           bool &trailing) {
  trailing = false;
  while (true) {
    Expr *value = parseExpr();
    if (!value)
      return false;
    values.push_back(value);
    trailing = takeOp(",");
    if (!trailing || token().is(Token::Kind::Newline) || token().isOp("="))
      return true;
  }
}

bool Parser::parseIf(Statement &statement) {
  Expr *condition = parseExpr();
  if (!condition || !parseBody(statement.body))
    return false;
  statement.values.push_back(condition);
  if (token().isName("elif")) {
    if (tooDeep())
      return false;
    Nest nest(*this);
    Statement *inner = makeStatement(Statement::Kind::If);
    ++next;
    statement.orelse.push_back(inner);
    return parseIf(*inner);
  }
  return !takeName("else") || parseBody(statement.orelse);
}

bool Parser::parseWith(Statement &statement) {
  Expr *value = parseExpr();
  if (!value)
    return false;
  statement.values.push_back(value);
  if (takeName("as")) {
    StringRef name;
    if (!expectIdentifier(name))
      return false;
    statement.targets.push_back(name);
  }
  return parseBody(statement.body);
}

/// `a, b = ..`, `a, = ..`, `a : T = ..`, `o.x = ..` or an expression alone.
bool Parser::parseAssignment(Statement &statement) {
  llvm::SmallVector<Expr *> left;
  bool trailing = false;
  if (!parseExprList(left, trailing))
    return false;
  auto isName = [](const Expr *e) { return e->is(Expr::Kind::Name); };
  if (left.size() == 1 && isName(left[0]) && takeOp(":")) {
    statement.kind = Statement::Kind::Annotated;
    statement.targets.push_back(left[0]->text);
    if (!(statement.type = parseExpr()) || !expectOp("="))
      return false;
    Expr *value = parseExpr();
    if (!value)
      return false;
    statement.values.push_back(value);
    return endOfStatement();
  }
  if (!takeOp("=")) {
    if (left.size() != 1 || trailing) {
      return reject(statement.offset, "expected an assignment");
    }
    statement.kind = Statement::Kind::Expression;
    statement.values.push_back(left[0]);
    return endOfStatement();
  }
  bool rightTrailing = false;
  llvm::SmallVector<Expr *> right;
  if (!parseExprList(right, rightTrailing))
    return false;
  if (left.size() == 1 && !trailing && left[0]->is(Expr::Kind::Attribute) &&
      right.size() == 1) {
    statement.kind = Statement::Kind::SetAttribute;
    statement.name = left[0]->text;
    statement.values.append({left[0]->operands[0], right[0]});
    return endOfStatement();
  }
  if (!llvm::all_of(left, isName)) {
    return reject(statement.offset, "cannot assign to this expression");
  }
  bool unpack = trailing || (left.size() > 1 && right.size() == 1);
  if (right.size() != 1 && right.size() != left.size()) {
    return reject(statement.offset, llvm::Twine(left.size()) + " targets for " +
                                        llvm::Twine(right.size()) + " values");
  }
  statement.kind = unpack ? Statement::Kind::Unpack : Statement::Kind::Assign;
  for (const Expr *target : left)
    statement.targets.push_back(target->text);
  statement.values.assign(right.begin(), right.end());
  return endOfStatement();
}

bool Parser::parseStatement(Body &body) {
  if (tooDeep())
    return false;
  Nest nest(*this);
  Statement &statement = *makeStatement(Statement::Kind::Pass);
  body.push_back(&statement);
  if (takeName("pass"))
    return endOfStatement();
  if (takeName("return")) {
    statement.kind = Statement::Kind::Return;
    bool trailing = false;
    if (!token().is(Token::Kind::Newline) &&
        !parseExprList(statement.values, trailing))
      return false;
    return endOfStatement();
  }
  if (takeName("if")) {
    statement.kind = Statement::Kind::If;
    return parseIf(statement);
  }
  if (takeName("while")) {
    statement.kind = Statement::Kind::While;
    Expr *condition = parseExpr();
    statement.values.push_back(condition);
    return condition && parseBody(statement.body);
  }
  if (takeName("for")) {
    statement.kind = Statement::Kind::For;
    StringRef name;
    if (!expectIdentifier(name))
      return false;
    statement.targets.push_back(name);
    if (!takeName("in")) {
      return reject(token().offset, "expected 'in'");
    }
    Expr *range = parseExpr();
    statement.values.push_back(range);
    return range && parseBody(statement.body);
  }
  if (takeName("with")) {
    statement.kind = Statement::Kind::With;
    return parseWith(statement);
  }
  if (token().isName("def")) {
    statement.kind = Statement::Kind::Function;
    statement.function = parseFunction();
    return statement.function != nullptr;
  }
  return parseAssignment(statement);
}

//===----------------------------------------------------------------------===//
// Functions and classes
//===----------------------------------------------------------------------===//

bool Parser::parseParameter(FunctionDef &function) {
  Parameter parameter;
  if (!expectIdentifier(parameter.name))
    return false;
  if (takeOp(":") && !(parameter.type = parseExpr()))
    return false;
  if (takeOp("=") && !(parameter.defaultValue = parseExpr()))
    return false;
  function.parameters.push_back(parameter);
  return true;
}

FunctionDef *Parser::parseFunction() {
  FunctionDef &function = file.functionDefs.emplace_back();
  function.offset = token().offset;
  ++next;
  if (!expectIdentifier(function.name) || !expectOp("("))
    return nullptr;
  while (!takeOp(")")) {
    if (!parseParameter(function))
      return nullptr;
    if (!token().isOp(")") && !expectOp(","))
      return nullptr;
  }
  if (takeOp("->") && !(function.returnType = parseExpr()))
    return nullptr;
  return parseBody(function.body) ? &function : nullptr;
}

bool Parser::parseStringList(llvm::SmallVectorImpl<StringRef> &names) {
  Expr *list = parseExpr();
  if (!list)
    return false;
  if (!list->is(Expr::Kind::List) || !llvm::all_of(list->operands, [](Expr *e) {
        return e->is(Expr::Kind::String);
      })) {
    return reject(list->offset, "expected a list of strings");
  }
  for (const Expr *name : list->operands)
    names.push_back(name->text);
  return endOfStatement();
}

bool Parser::parseClassItem(ClassDef &definition) {
  if (takeName("pass"))
    return endOfStatement();
  if (token().isName("def")) {
    FunctionDef *method = parseFunction();
    definition.methods.push_back(method);
    return method != nullptr;
  }
  AttributeDecl attribute;
  uint32_t offset = token().offset;
  if (!expectIdentifier(attribute.name))
    return false;
  if (attribute.name == "__annotations__" && takeOp("[")) {
    if (!token().is(Token::Kind::String)) {
      return reject(token().offset, "expected the name of an attribute");
    }
    attribute.name = parseAdjacentStrings()->text;
    if (!expectOp("]") || !expectOp("=") || !(attribute.type = parseExpr()))
      return false;
    definition.attributes.push_back(attribute);
    return endOfStatement();
  }
  if (takeOp("=")) {
    if (attribute.name == "__parameters__")
      return parseStringList(definition.parameters);
    if (attribute.name == "__buffers__")
      return parseStringList(definition.buffers);
    if (attribute.name == "__forward_pre_hooks__")
      return parseStringList(definition.forwardPreHooks);
    if (attribute.name == "__forward_hooks__")
      return parseStringList(definition.forwardHooks);
    if (!(attribute.value = parseExpr()))
      return false;
    if (attribute.name != "__annotations__")
      definition.attributes.push_back(attribute);
    return endOfStatement();
  }
  if (!takeOp(":")) {
    return reject(offset, "expected an attribute or a method");
  }
  if (!(attribute.type = parseExpr()))
    return false;
  if (takeOp("=") && !(attribute.value = parseExpr()))
    return false;
  definition.attributes.push_back(attribute);
  return endOfStatement();
}

ClassDef *Parser::parseClass() {
  ClassDef &definition = file.classDefs.emplace_back();
  definition.offset = token().offset;
  ++next;
  if (!expectIdentifier(definition.name))
    return nullptr;
  if (takeOp("(")) {
    while (token().is(Token::Kind::Name) || token().isOp(".")) {
      definition.base = token().text;
      ++next;
    }
    if (!expectOp(")"))
      return nullptr;
  }
  if (!expectOp(":") || !expect(Token::Kind::Newline, "the end of the line") ||
      !expect(Token::Kind::Indent, "an indented block"))
    return nullptr;
  while (!take(Token::Kind::Dedent))
    if (!parseClassItem(definition))
      return nullptr;
  return &definition;
}

bool Parser::parseFile() {
  if (!tokenize(file.text(), tokens, error))
    return false;
  while (!take(Token::Kind::End)) {
    uint32_t offset = token().offset;
    if (token().isName("class")) {
      ClassDef *definition = parseClass();
      if (!definition)
        return false;
      if (!file.classByName.try_emplace(definition->name, definition).second)
        return reject(offset, "class '" + definition->name + "' defined twice");
      file.classList.push_back(definition);
    } else if (token().isName("def")) {
      FunctionDef *function = parseFunction();
      if (!function)
        return false;
      if (!file.functionByName.try_emplace(function->name, function).second)
        return reject(offset,
                      "function '" + function->name + "' defined twice");
      file.functionList.push_back(function);
    } else if (token().isName("import") || token().isName("from") ||
               token().isName("op_version_set")) {
      // Old files begin with these; they say nothing.
      while (!take(Token::Kind::Newline) && !token().is(Token::Kind::End))
        ++next;
    } else {
      return reject(offset, "expected a class or a function");
    }
  }
  return true;
}

llvm::Expected<std::unique_ptr<SourceFile>>
graven::torch::parseSource(std::string record, std::string text) {
  if (text.size() > UINT32_MAX)
    return parseError(record, ": source of ", text.size(), " bytes");
  auto file = std::make_unique<SourceFile>(std::move(record), std::move(text));
  Parser parser(*file);
  if (!parser.parseFile()) {
    LineColumn place = file->place(parser.error.offset);
    return parseError(file->record(), ":", place.line, ":", place.column, ": ",
                      parser.error.message);
  }
  return std::move(file);
}
