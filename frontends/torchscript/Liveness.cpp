//===- Liveness.cpp - which variables a statement passes on ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the question by counting: a name that is mentioned more
// often in the function than in the statement is of use elsewhere. The parser
// bounds the height of the trees.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Liveness.h"

#include "llvm/ADT/STLFunctionalExtras.h"

using namespace graven::torch;
using llvm::StringRef;

using Visit = llvm::function_ref<void(StringRef)>;

/// The names that an expression reads.
static void readsOf(const Expr *expr, Visit visit) {
  if (!expr)
    return;
  if (expr->is(Expr::Kind::Name))
    visit(expr->text);
  for (const Expr *operand : expr->operands)
    readsOf(operand, visit);
  for (const Expr::Keyword &keyword : expr->keywords)
    readsOf(keyword.value, visit);
}

/// Visits the names that statements read and, when it is given, assign.
static void namesOf(const Body &body, Visit reads, Visit assigns) {
  for (const Statement *statement : body) {
    for (const Expr *value : statement->values)
      readsOf(value, reads);
    for (StringRef target : statement->targets)
      assigns(target);
    namesOf(statement->body, reads, assigns);
    namesOf(statement->orelse, reads, assigns);
    if (statement->function) {
      assigns(statement->function->name);
      namesOf(statement->function->body, reads, assigns);
    }
  }
}

/// Visits the names that statements read before they certainly assigned them;
/// `assigned` becomes what they assign.
static void exposedReads(const Body &body, llvm::StringSet<> &assigned,
                         Visit visit) {
  auto read = [&](StringRef name) {
    if (!assigned.contains(name))
      visit(name);
  };
  auto ignore = [](StringRef) {};
  for (const Statement *statement : body) {
    for (const Expr *value : statement->values)
      readsOf(value, read);
    if (statement->function)
      namesOf(statement->function->body, read, ignore);
    llvm::StringSet<> inner = assigned, other = assigned;
    for (StringRef target : statement->targets)
      inner.insert(target);
    exposedReads(statement->body, inner, visit);
    exposedReads(statement->orelse, other, visit);
    switch (statement->kind) {
    case Statement::Kind::If:
      for (const auto &entry : inner)
        if (other.contains(entry.getKey()))
          assigned.insert(entry.getKey());
      break;
    case Statement::Kind::For:
    case Statement::Kind::While:
      break;
    default:
      assigned = std::move(inner);
    }
  }
}

const llvm::StringSet<> &Liveness::passedOn(const FunctionDef &function,
                                            const Statement &statement) {
  auto [answer, isNew] = answers.try_emplace(&statement);
  if (!isNew)
    return answer->second;
  auto [total, isFirst] = mentions.try_emplace(&function);
  if (isFirst) {
    auto count = [&](StringRef name) { ++total->second[name]; };
    namesOf(function.body, count, count);
  }
  llvm::StringMap<unsigned> within;
  llvm::StringSet<> assigned;
  auto count = [&](StringRef name) { ++within[name]; };
  auto assign = [&](StringRef name) {
    count(name);
    assigned.insert(name);
  };
  for (const Expr *value : statement.values)
    readsOf(value, count);
  for (StringRef target : statement.targets)
    assign(target);
  namesOf(statement.body, count, assign);
  namesOf(statement.orelse, count, assign);
  for (const auto &entry : assigned)
    if (total->second.lookup(entry.getKey()) > within.lookup(entry.getKey()))
      answer->second.insert(entry.getKey());
  auto add = [&](StringRef name) {
    if (assigned.contains(name))
      answer->second.insert(name);
  };
  // A loop reads in its next iteration; its condition is read behind the body.
  for (const Body *body : {&statement.body, &statement.orelse}) {
    llvm::StringSet<> before;
    for (StringRef target : statement.targets)
      before.insert(target);
    exposedReads(*body, before, add);
    for (const Expr *value : statement.values)
      readsOf(value, add);
  }
  return answer->second;
}
