//===- Strings.cpp - ops that make strings ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of what looks into strings. They are known:
// constants, or the model is compiled for those of a call.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ops/Strings.h"

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpTable.h"

#include <array>
#include <charconv>

using namespace mlir;

namespace graven::onnx {

std::optional<StringList> stringsOf(NodeBuilder &n, size_t i) {
  if (n.hasFailed())
    return std::nullopt;
  Value value = n.input(i);
  if (!isString(n.narrow(i))) {
    n.error(Code::BadGraph) << "input #" << i << " has elements of "
                            << n.elementTypeOf(value) << ", expected strings";
    return std::nullopt;
  }
  auto numbers = n.known(value);
  if (!numbers) {
    n.reportUnknown(value, "a result");
    return std::nullopt;
  }
  const Strings &strings = n.getImporter().getFile().getStrings();
  StringList list;
  for (int64_t at = 0; at < numbers->size(); ++at) {
    if (!strings.has(numbers->getInt(at))) {
      n.error(Code::BadGraph) << "input #" << i << " is no tensor of strings";
      return std::nullopt;
    }
    list.push_back(strings.text(numbers->getInt(at)));
  }
  return list;
}

Value numbersOf(NodeBuilder &n, ArrayRef<int64_t> shape,
                const StringList &list) {
  Strings &strings = n.getImporter().getFile().getStrings();
  SmallVector<int64_t> numbers;
  for (const std::string &text : list)
    numbers.push_back(strings.number(text));
  auto type = RankedTensorType::get(shape, n.getBuilder().getI64Type());
  return ConstantOp::create(n.getBuilder(), n.getLoc(),
                            DenseElementsAttr::get(type, ArrayRef(numbers)));
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The shortest text that reads as the element.
static std::string textOf(const eval::Tensor &tensor, int64_t i) {
  Type type = tensor.getElementType();
  std::array<char, 32> text;
  auto write = [&](auto value) {
    auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
  };
  if (type.isInteger(1))
    return tensor.getUnsigned(i) ? "1" : "0";
  if (!isa<FloatType>(type))
    return type.isUnsignedInteger() ? write(tensor.getUnsigned(i))
                                    : write(tensor.getInt(i));
  double value = tensor.getDouble(i);
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value < 0 ? "-INF" : "INF";
  return type.isF64() ? write(value) : write(static_cast<float>(value));
}

/// What a text says of an element of a type; false when it is no number.
static bool readNumber(StringRef text, eval::Tensor &tensor, int64_t i) {
  text = text.trim();
  if (auto integer = dyn_cast<IntegerType>(tensor.getElementType())) {
    APInt value;
    bool isNegative = text.consume_front("-");
    unsigned width = integer.getWidth();
    if (text.getAsInteger(10, value) || value.getActiveBits() > width)
      return false;
    value = value.zextOrTrunc(width + 1);
    if (isNegative)
      value.negate();
    if (!(integer.isUnsigned() ? !isNegative || value.isZero()
                               : value.isSignedIntN(width)))
      return false;
    if (integer.isUnsigned())
      tensor.set(i, value.getZExtValue());
    else
      tensor.set(i, value.getSExtValue());
    return true;
  }
  // As ONNX writes them, in upper or lower case.
  std::string lower = text.lower();
  StringRef size(lower);
  double sign = size.consume_front("-") ? -1 : 1;
  size.consume_front("+");
  double value = 0;
  if (size == "inf" || size == "infinity")
    value = std::numeric_limits<double>::infinity();
  else if (size == "nan")
    value = std::numeric_limits<double>::quiet_NaN();
  else if (size.getAsDouble(value))
    return false;
  tensor.set(i, sign * value);
  return true;
}

LogicalResult castStrings(NodeBuilder &n, Type type) {
  IntList shape = n.shapeOf(n.input(0));
  if (!type) {
    auto numbers = n.known(n.input(0));
    if (!numbers)
      return n.reportUnknown(n.input(0), "a string"), failure();
    StringList list;
    for (int64_t i = 0; i < numbers->size(); ++i)
      list.push_back(textOf(*numbers, i));
    return n.finish(numbersOf(n, shape, list));
  }
  auto list = stringsOf(n, 0);
  if (!list)
    return failure();
  eval::Tensor tensor(RankedTensorType::get(shape, type));
  for (auto [i, text] : llvm::enumerate(*list))
    if (!readNumber(text, tensor, static_cast<int64_t>(i)))
      return n.error(Code::BadGraph)
             << quoted(text) << " is no element of " << type;
  return n.finish(n.constant(tensor));
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

namespace {

LogicalResult buildStringConcat(NodeBuilder &n) {
  n.setNarrow(0, stringType(n.getContext()));
  // Where each pair stands, by broadcasting the places in both.
  Value operands[] = {n.input(0), n.input(1)};
  auto left = stringsOf(n, 0), right = stringsOf(n, 1);
  if (!left || !right)
    return failure();
  int64_t stride = static_cast<int64_t>(right->size());
  auto places = [&](Value value, int64_t size, int64_t factor) {
    IntList list;
    for (int64_t i = 0; i < size; ++i)
      list.push_back(i * factor);
    return n.reshape(n.intList(list), n.shapeOf(value));
  };
  Value sum = n.binary<AddOp>(
      places(operands[0], static_cast<int64_t>(left->size()), stride),
      places(operands[1], stride, 1));
  auto known = n.known(sum);
  if (n.hasFailed() || !known)
    return n.hasFailed() ? failure()
                         : n.error(Code::UnsupportedFeature)
                               << "there are more than " << kMaxKnownElements
                               << " strings";
  StringList result;
  for (int64_t i = 0; i < known->size(); ++i)
    result.push_back((*left)[known->getInt(i) / stride] +
                     (*right)[known->getInt(i) % stride]);
  return n.finish(numbersOf(n, n.shapeOf(sum), result));
}

/// The parts of a text: at most `most` cuts. Without a delimiter, the words.
StringList partsOf(StringRef text, StringRef delimiter, int64_t most) {
  constexpr StringLiteral spaces = " \t\n\v\f\r";
  StringList parts;
  if (delimiter.empty()) {
    text = text.ltrim(spaces);
    while (!text.empty()) {
      bool isLast = static_cast<int64_t>(parts.size()) == most;
      size_t end = isLast ? text.size() : text.find_first_of(spaces);
      parts.push_back(
          (isLast ? text.rtrim(spaces) : text.substr(0, end)).str());
      text =
          end == StringRef::npos ? StringRef() : text.substr(end).ltrim(spaces);
    }
    return parts;
  }
  for (;;) {
    size_t end = static_cast<int64_t>(parts.size()) == most
                     ? StringRef::npos
                     : text.find(delimiter);
    parts.push_back(text.substr(0, end).str());
    if (end == StringRef::npos)
      return parts;
    text = text.substr(end + delimiter.size());
  }
}

LogicalResult buildStringSplit(NodeBuilder &n) {
  n.setNarrow(0, stringType(n.getContext()));
  auto list = stringsOf(n, 0);
  if (!list)
    return failure();
  int64_t most = n.intAttr("maxsplit", std::numeric_limits<int64_t>::max());
  std::string delimiter = n.stringAttr("delimiter", "");
  std::vector<StringList> rows;
  size_t width = 0;
  for (const std::string &text : *list) {
    rows.push_back(partsOf(text, delimiter, most));
    width = std::max(width, rows.back().size());
  }
  if (rows.size() * width > static_cast<size_t>(kMaxKnownElements) * 16)
    return n.error(Code::UnsupportedFeature)
           << "there are " << rows.size() * width << " parts";
  StringList parts;
  IntList counts;
  for (StringList &row : rows) {
    counts.push_back(static_cast<int64_t>(row.size()));
    row.resize(width);
    llvm::append_range(parts, row);
  }
  IntList shape = n.shapeOf(n.input(0));
  n.setOutput(1, n.reshape(n.intList(counts), shape));
  shape.push_back(static_cast<int64_t>(width));
  return n.finish(numbersOf(n, shape, parts));
}

enum class CaseChange { None, Lower, Upper };

/// Letters of ASCII; others need tables of Unicode.
std::string changeCase(StringRef text, CaseChange change) {
  return change == CaseChange::Lower   ? text.lower()
         : change == CaseChange::Upper ? text.upper()
                                       : text.str();
}

LogicalResult buildStringNormalizer(NodeBuilder &n) {
  n.setNarrow(0, stringType(n.getContext()));
  auto list = stringsOf(n, 0);
  if (!list)
    return failure();
  std::string action = n.stringAttr("case_change_action", "NONE");
  if (action != "NONE" && action != "LOWER" && action != "UPPER")
    return n.error(Code::BadGraph) << "case_change_action is " << quoted(action)
                                   << ", expected 'LOWER', 'UPPER' or 'NONE'";
  CaseChange change = action == "NONE"    ? CaseChange::None
                      : action == "LOWER" ? CaseChange::Lower
                                          : CaseChange::Upper;
  bool isExact = n.flagAttr("is_case_sensitive");
  auto stopwords =
      n.stringsAttr("stopwords").value_or(SmallVector<std::string>());
  auto needsTable = [&](StringRef text) {
    return (change != CaseChange::None || (!isExact && !stopwords.empty())) &&
           llvm::any_of(text, [](char c) { return c & 0x80; });
  };
  StringList result;
  for (const std::string &text : *list) {
    if (needsTable(text) || llvm::any_of(stopwords, needsTable))
      return n.error(Code::UnsupportedFeature)
             << "the case of " << quoted(text) << " is not known";
    if (llvm::none_of(stopwords, [&](StringRef word) {
          return isExact ? word == text : word.equals_insensitive(text);
        }))
      result.push_back(changeCase(text, change));
  }
  IntList shape = n.shapeOf(n.input(0));
  if (shape.empty() || shape.size() > 2 ||
      (shape.size() == 2 && shape.front() != 1))
    return n.error(Code::BadGraph)
           << "input has type " << n.typeOf(n.input(0)) << ", expected one row";
  // What is left of nothing is one empty string.
  if (result.empty())
    result.emplace_back();
  shape.back() = static_cast<int64_t>(result.size());
  return n.finish(numbersOf(n, shape, result));
}

} // namespace

void addStrings(OpTable &table) {
  table.add("StringConcat", 2, buildStringConcat);
  table.add("StringSplit", 1, buildStringSplit);
  table.add("StringNormalizer", 1, buildStringNormalizer);
  table.takeStrings({"StringConcat", "StringSplit", "StringNormalizer", "Cast",
                     "CastLike", "Equal", "Where"});
}

} // namespace graven::onnx
