//===- AST.h - the syntax tree of TorchScript source ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tree the parser builds. Types are expressions, as in
// Python; infix operators are calls of the torch function they stand for.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_AST_H
#define FRONTENDS_TORCHSCRIPT_AST_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/StringSaver.h"

#include <deque>
#include <string>
#include <vector>

namespace graven::torch {

struct Expr {
  enum class Kind : uint8_t {
    Int,     ///< integer
    Float,   ///< real
    Complex, ///< real, imaginary
    String,  ///< text
    True,
    False,
    None,
    Ellipsis,  ///< `...` in a subscript
    Name,      ///< text
    Attribute, ///< operands[0] . text
    Call,      ///< operands[0]( operands[1..], keywords )
    Subscript, ///< operands[0] [ operands[1] ]
    Slice,     ///< lower : upper, each an operand or null
    List,      ///< operands
    Tuple,     ///< operands
    Dict,      ///< operands: key, value, key, value, ...
  };
  struct Keyword {
    llvm::StringRef name;
    Expr *value;
  };

  Kind kind;
  uint16_t depth = 1; ///< height of the tree below and including this node
  uint32_t offset;    ///< byte in the record
  int64_t integer = 0;
  double real = 0, imaginary = 0;
  llvm::StringRef text;
  llvm::SmallVector<Expr *, 2> operands;
  std::vector<Keyword> keywords;

  bool is(Kind k) const { return kind == k; }
};

struct FunctionDef;
struct Statement;
using Body = std::vector<Statement *>;

struct Statement {
  enum class Kind : uint8_t {
    Assign,       ///< targets = values: a parallel copy or one value unpacked
    Unpack,       ///< targets, = values[0]: unpacks a tuple or list
    Annotated,    ///< targets[0] : type = values[0]
    SetAttribute, ///< values[0] . name = values[1]
    Expression,   ///< values[0]
    If,           ///< values[0]; body, orelse
    For,          ///< targets[0] in values[0]; body
    While,        ///< values[0]; body
    With,         ///< values[0] [as targets[0]]; body
    Function,     ///< function
    Return,       ///< values
    Pass,
  };
  Kind kind;
  uint32_t offset;
  llvm::SmallVector<llvm::StringRef, 2> targets;
  llvm::SmallVector<Expr *, 2> values;
  llvm::StringRef name;
  Expr *type = nullptr;
  Body body, orelse;
  FunctionDef *function = nullptr;
};

struct Parameter {
  llvm::StringRef name;
  Expr *type = nullptr;         ///< null when not annotated
  Expr *defaultValue = nullptr; ///< null when required
};

struct FunctionDef {
  llvm::StringRef name;
  uint32_t offset;
  std::vector<Parameter> parameters;
  Expr *returnType = nullptr;
  Body body;
};

struct AttributeDecl {
  llvm::StringRef name;
  Expr *type = nullptr;  ///< null for the members of an enum
  Expr *value = nullptr; ///< of a class constant or enum member
};

struct ClassDef {
  llvm::StringRef name;
  llvm::StringRef base; ///< Module, NamedTuple, Enum, ...; empty for none
  uint32_t offset;
  std::vector<AttributeDecl> attributes;
  std::vector<FunctionDef *> methods;
  llvm::SmallVector<llvm::StringRef> parameters, buffers;
  llvm::SmallVector<llvm::StringRef> forwardPreHooks, forwardHooks;

  const FunctionDef *method(llvm::StringRef name) const {
    for (const FunctionDef *f : methods)
      if (f->name == name)
        return f;
    return nullptr;
  }
  const AttributeDecl *attribute(llvm::StringRef name) const {
    for (const AttributeDecl &a : attributes)
      if (a.name == name)
        return &a;
    return nullptr;
  }
};

struct LineColumn {
  unsigned line, column; ///< from 1
};

/// One parsed record. Owns the text and the tree.
class SourceFile {
public:
  SourceFile(std::string record, std::string text);
  SourceFile(const SourceFile &) = delete;

  llvm::StringRef record() const { return recordName; }
  llvm::StringRef text() const { return source; }
  LineColumn place(uint32_t offset) const;

  const ClassDef *findClass(llvm::StringRef name) const;
  const FunctionDef *findFunction(llvm::StringRef name) const;
  const std::vector<ClassDef *> &classes() const { return classList; }
  const std::vector<FunctionDef *> &functions() const { return functionList; }

private:
  friend class Parser;
  std::string recordName, source;
  std::vector<uint32_t> lineStarts;
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver strings{allocator};
  std::deque<Expr> exprs;
  std::deque<Statement> statements;
  std::deque<FunctionDef> functionDefs;
  std::deque<ClassDef> classDefs;
  std::vector<ClassDef *> classList;
  std::vector<FunctionDef *> functionList;
  llvm::StringMap<ClassDef *> classByName;
  llvm::StringMap<FunctionDef *> functionByName;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_AST_H
