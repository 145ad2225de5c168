//===- Decisions.cpp - tells what programs compare ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the finding of the known numbers that the operators of
// TorchScript and of exported programs compare.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

static void notePairs(const DecisionListener &listener, Decision::Kind kind,
                      const Value &left, const Value &right) {
  auto isNumber = [](const Value &value) {
    return value.is(Kind::Int) || value.is(Kind::Float);
  };
  if (isNumber(left) && isNumber(right))
    return listener({kind, left.number(), right.number()});
  // Lists are compared item by item, and a number with each that may be it.
  if (left.items() && right.items() &&
      left.items()->size() == right.items()->size())
    for (auto [a, b] : llvm::zip_equal(*left.items(), *right.items()))
      notePairs(listener, kind, a, b);
  else if (left.items() && isNumber(right))
    for (const Value &item : *left.items())
      if (isNumber(item))
        listener({kind, item.number(), right.number()});
}

void graven::aten::noteDecision(const Session &session, StringRef name,
                                llvm::ArrayRef<Value> arguments) {
  if (!session.onDecision)
    return;
  static constexpr StringRef kOrders[] = {
      "lt", "le", "gt", "ge", "eq", "ne", "min", "max", "__contains__"};
  static constexpr StringRef kRests[] = {"remainder", "mod", "fmod"};
  bool isRest = llvm::is_contained(kRests, name);
  if (!isRest && !llvm::is_contained(kOrders, name))
    return;
  if (arguments.size() == 2)
    return notePairs(session.onDecision,
                     isRest ? Decision::Kind::Rest : Decision::Kind::Order,
                     arguments[0], arguments[1]);
  // The least or greatest of several, or of a list.
  if (arguments.size() == 1 && arguments.front().items())
    arguments = *arguments.front().items();
  for (size_t i = 1; i < arguments.size(); ++i)
    notePairs(session.onDecision, Decision::Kind::Order, arguments[i - 1],
              arguments[i]);
}
