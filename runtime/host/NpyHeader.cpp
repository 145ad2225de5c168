//===- NpyHeader.cpp - the header of a .npy file ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the parser of a .npy header: one pass over the text, no
// recursion, no evaluation, and an error for whatever NumPy would not write.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/NpyHeader.h"

#include "runtime/host/Npy.h"

#include <cstring>
#include <string>

using namespace graven::rt;

namespace {

struct TypeName {
  const char *letters; // kind and bytes, as NumPy writes them
  int32_t dtype;
};
constexpr TypeName typeNames[] = {
    {"b1", GRAVEN_I1},  {"i1", GRAVEN_I8},  {"u1", GRAVEN_U8},
    {"i2", GRAVEN_I16}, {"u2", GRAVEN_U16}, {"i4", GRAVEN_I32},
    {"u4", GRAVEN_U32}, {"i8", GRAVEN_I64}, {"u8", GRAVEN_U64},
    {"f2", GRAVEN_F16}, {"f4", GRAVEN_F32}, {"f8", GRAVEN_F64},
};

/// Walks over the text; every method skips white space first.
class Parser {
public:
  explicit Parser(std::string_view text) : text(text) {}

  Result<NpyHeader> parse();

private:
  std::string_view text;
  size_t position = 0;
  NpyHeader header;
  bool hasDescr = false, hasOrder = false, hasShape = false;

  void skipSpace() {
    while (position < text.size() &&
           (text[position] == ' ' || text[position] == '\n'))
      ++position;
  }
  bool consume(std::string_view token) {
    skipSpace();
    if (text.substr(position, token.size()) != token)
      return false;
    position += token.size();
    return true;
  }
  Error expected(const std::string &what) const {
    return Error{"header: expected " + what + " at byte " +
                 std::to_string(position)};
  }

  Result<std::string_view> parseString();
  Result<int64_t> parseExtent();
  Status parseDescr();
  Status parseOrder();
  Status parseShape();
  Status parseEntry();
};

} // namespace

Result<std::string_view> Parser::parseString() {
  skipSpace();
  char quote = position < text.size() ? text[position] : '\0';
  if (quote != '\'' && quote != '"')
    return expected("a string");
  size_t end = text.find(quote, position + 1);
  if (end == std::string_view::npos)
    return expected("a string that ends");
  std::string_view value = text.substr(position + 1, end - position - 1);
  position = end + 1;
  return value;
}

Result<int64_t> Parser::parseExtent() {
  skipSpace();
  int64_t value = 0;
  size_t begin = position;
  for (;
       position < text.size() && text[position] >= '0' && text[position] <= '9';
       ++position)
    if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
        __builtin_add_overflow(value, text[position] - '0', &value))
      return expected("an extent below 2^63");
  if (position == begin)
    return expected("an extent of at least 0");
  return value;
}

Status Parser::parseDescr() {
  size_t begin = position;
  Result<std::string_view> descr = parseString();
  if (!descr)
    return descr.takeError();
  // The order is '<', '>', '=' (the writer's, taken as little) or '|' (bytes).
  std::string_view value = *descr;
  char order = value.empty() ? '\0' : value.front();
  bool known = order && std::strchr("<>=|", order);
  for (const TypeName &type : typeNames)
    if (known && value.substr(1) == type.letters &&
        (order != '|' || graven_dtype_size(type.dtype) == 1)) {
      header.dtype = type.dtype;
      header.bigEndian = order == '>';
      return {};
    }
  position = begin;
  std::string shown(value.substr(0, 32));
  for (char &c : shown)
    if (c < ' ' || c > '~')
      c = '?';
  return expected("a numeric type such as '<f4', got '" + shown + "',");
}

Status Parser::parseOrder() {
  if (consume("True"))
    header.fortranOrder = true;
  else if (!consume("False"))
    return expected("True or False");
  return {};
}

Status Parser::parseShape() {
  if (!consume("("))
    return expected("a tuple");
  if (consume(")"))
    return {};
  for (;;) {
    Result<int64_t> extent = parseExtent();
    if (!extent)
      return extent.takeError();
    if (header.extents.size() == maxNpyRank)
      return expected("a rank of at most " + std::to_string(maxNpyRank));
    header.extents.push_back(*extent);
    bool comma = consume(",");
    if (consume(")")) {
      // (3) is a number in Python, (3,) a tuple.
      if (header.extents.size() == 1 && !comma)
        return expected("a tuple, got a number,");
      return {};
    }
    if (!comma)
      return expected("',' or ')'");
  }
}

Status Parser::parseEntry() {
  size_t begin = position;
  Result<std::string_view> key = parseString();
  if (!key)
    return key.takeError();
  bool *seen = *key == "descr"           ? &hasDescr
               : *key == "fortran_order" ? &hasOrder
               : *key == "shape"         ? &hasShape
                                         : nullptr;
  if (!seen || *seen) {
    position = begin;
    return expected("each of the keys descr, fortran_order and shape once");
  }
  *seen = true;
  if (!consume(":"))
    return expected("':'");
  if (seen == &hasDescr)
    return parseDescr();
  return seen == &hasOrder ? parseOrder() : parseShape();
}

Result<NpyHeader> Parser::parse() {
  if (!consume("{"))
    return expected("'{'");
  while (!consume("}")) {
    Status entry = parseEntry();
    if (!entry)
      return entry.takeError();
    if (consume(","))
      continue;
    if (!consume("}"))
      return expected("',' or '}'");
    break;
  }
  skipSpace();
  if (position != text.size())
    return expected("nothing after '}'");
  if (!hasDescr || !hasOrder || !hasShape)
    return expected("the keys descr, fortran_order and shape");
  return std::move(header);
}

Result<NpyHeader> graven::rt::parseNpyHeader(std::string_view text) {
  return Parser(text).parse();
}

Result<NpyHeaderRange>
graven::rt::locateNpyHeader(std::span<const std::byte> prefix) {
  auto at = [&](size_t i) { return std::to_integer<uint32_t>(prefix[i]); };
  if (prefix.size() < 10 || std::memcmp(prefix.data(), "\x93NUMPY", 6) != 0)
    return Error{"not a .npy file"};
  uint32_t major = at(6), minor = at(7);
  if (major < 1 || major > 3 || minor != 0)
    return Error{"expected .npy format 1.0, 2.0 or 3.0, got " +
                 std::to_string(major) + "." + std::to_string(minor)};
  NpyHeaderRange range{10, at(8) | at(9) << 8};
  if (major > 1) {
    if (prefix.size() < npyPrefixSize)
      return Error{"not a .npy file"};
    range = {npyPrefixSize, range.length | at(10) << 16 | at(11) << 24};
  }
  if (range.length > maxNpyHeader)
    return Error{"expected a header of at most " +
                 std::to_string(maxNpyHeader) + " bytes, got " +
                 std::to_string(range.length)};
  return range;
}

const char *graven::rt::npyDescription(int32_t dtype) {
  switch (dtype) {
  case GRAVEN_I1:
    return "|b1";
  case GRAVEN_I8:
    return "|i1";
  case GRAVEN_U8:
    return "|u1";
  case GRAVEN_I16:
    return "<i2";
  case GRAVEN_U16:
  case GRAVEN_BF16:
    return "<u2";
  case GRAVEN_I32:
    return "<i4";
  case GRAVEN_U32:
    return "<u4";
  case GRAVEN_I64:
    return "<i8";
  case GRAVEN_U64:
    return "<u8";
  case GRAVEN_F16:
    return "<f2";
  case GRAVEN_F64:
    return "<f8";
  default:
    return "<f4";
  }
}
