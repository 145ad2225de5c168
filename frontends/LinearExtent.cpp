//===- LinearExtent.cpp - an extent that follows from a symbol -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements extents that are linear in one symbol, and their text.
//
//===----------------------------------------------------------------------===//

#include "frontends/LinearExtent.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace graven;
using llvm::StringRef;

static bool isSymbol(StringRef text) {
  return !text.empty() && (llvm::isAlpha(text.front()) || text[0] == '_') &&
         llvm::all_of(text, [](char c) {
           return llvm::isAlnum(c) || c == '_' || c == '.';
         });
}

std::optional<LinearExtent> LinearExtent::parse(StringRef text) {
  LinearExtent linear;
  text = text.trim();
  if (auto [factor, rest] = text.split('*'); !rest.empty()) {
    if (factor.trim().getAsInteger(10, linear.scale) || linear.scale < 1)
      return std::nullopt;
    text = rest.trim();
  }
  if (size_t sign = text.find_last_of("+-"); sign != StringRef::npos) {
    if (text.drop_front(sign + 1).trim().getAsInteger(10, linear.offset) ||
        linear.offset < 0)
      return std::nullopt;
    linear.offset = text[sign] == '-' ? -linear.offset : linear.offset;
    text = text.take_front(sign).trim();
  }
  linear.symbol = text.str();
  return isSymbol(text) ? std::optional(linear) : std::nullopt;
}

std::string LinearExtent::text() const {
  std::string text = scale == 1 ? symbol : std::to_string(scale) + "*" + symbol;
  if (offset != 0)
    text += (offset > 0 ? "+" : "") + std::to_string(offset);
  return text;
}

std::optional<int64_t> LinearExtent::at(int64_t value) const {
  int64_t extent = 0;
  if (llvm::MulOverflow(value, scale, extent) ||
      llvm::AddOverflow(extent, offset, extent) || extent < 0)
    return std::nullopt;
  return extent;
}

std::optional<int64_t> LinearExtent::solve(int64_t extent) const {
  int64_t rest = 0;
  if (llvm::SubOverflow(extent, offset, rest) || rest < 0 || rest % scale != 0)
    return std::nullopt;
  return rest / scale;
}
