//===- Regex.cpp - regular expressions on strings ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builder of RegexFullMatch. Patterns are RE2's; those
// that extended POSIX expressions can say are rewritten to such.
//===----------------------------------------------------------------------===//

#include "llvm/Support/Regex.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Strings.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The matcher unfolds bounds, so that nested ones could fill the memory.
constexpr size_t kMaxPattern = 1000;
constexpr int64_t kMaxUnfolded = 10'000;

/// Rewrites a pattern of RE2; what is not known to be the same is refused.
class Rewriter {
public:
  explicit Rewriter(StringRef pattern) : rest(pattern) {}

  /// The POSIX pattern, or nothing. What it finds is the longest match at the
  /// begin of a text.
  std::optional<std::string> run() {
    if (rest.size() > kMaxPattern)
      return std::nullopt;
    bool mayRepeat = false;
    while (!rest.empty()) {
      char c = rest.front();
      rest = rest.drop_front();
      bool good = true, isAtom = true;
      if (c == '\\') {
        good = readEscape(isAtom);
      } else if (c == '[') {
        good = readClass();
      } else if (c == '{') {
        good = mayRepeat && readBounds();
        isAtom = false;
      } else if (StringRef("*+?").contains(c)) {
        // A second one makes the first lazy or possessive.
        good = mayRepeat;
        isAtom = false;
        out += c;
      } else if (c == '(') {
        good = !rest.starts_with("?");
        isAtom = false;
        out += c;
      } else if (c == '.') {
        isOfAscii = true;
        out += "[^\n]";
      } else if (static_cast<unsigned char>(c) >= 0x80 || c == 0) {
        return std::nullopt;
      } else {
        isAtom = c != '|' && c != '^' && c != '$';
        out += c;
      }
      if (!good)
        return std::nullopt;
      mayRepeat = isAtom;
    }
    // The matcher sees no end of a line behind the end of a word.
    if (StringRef(out).contains("[[:>:]]") && StringRef(out).contains("$"))
      return std::nullopt;
    return "^(" + out + ")";
  }

  /// Whether it would see the bytes of letters that are not ASCII.
  bool isForAscii() const { return isOfAscii; }

private:
  static StringRef classOf(char c) {
    return llvm::StringSwitch<StringRef>(StringRef(&c, 1))
        .Cases({"w", "W"}, "A-Za-z0-9_")
        .Cases({"d", "D"}, "0-9")
        .Cases({"s", "S"}, "\t\n\f\r ")
        .Default("");
  }

  bool readEscape(bool &isAtom) {
    if (rest.empty())
      return false;
    char c = rest.front();
    rest = rest.drop_front();
    if (StringRef members = classOf(c); !members.empty()) {
      isOfAscii |= llvm::isUpper(c);
      out += llvm::isUpper(c) ? "[^" : "[";
      out += members;
      out += "]";
      return true;
    }
    if (c == 'b') {
      // Where a letter stands behind or before, it is the border to the other
      // side.
      isAtom = false;
      isOfAscii = true;
      auto isWord = [](StringRef text) {
        return !text.empty() && (llvm::isAlnum(text[0]) || text[0] == '_');
      };
      bool begins = isWord(rest) &&
                    !StringRef("*?{").contains(rest.size() > 1 ? rest[1] : ' '),
           ends = !out.empty() && isWord(StringRef(out).take_back());
      out += begins ? "[[:<:]]" : "[[:>:]]";
      return begins || ends;
    }
    if (llvm::isAlnum(c) || static_cast<unsigned char>(c) >= 0x80)
      return false;
    (out += '\\') += c;
    return true;
  }

  /// In brackets a backslash is itself for POSIX, and '-' stands last.
  bool readClass() {
    std::string members;
    bool isNegated = rest.consume_front("^"), hasMinus = false,
         hasCaret = false, isFirst = true;
    isOfAscii |= isNegated;
    for (;; isFirst = false) {
      if (rest.empty() || (rest.front() == ']' && isFirst))
        return false;
      char c = rest.front();
      rest = rest.drop_front();
      if (c == ']')
        break;
      if (c == '[' || static_cast<unsigned char>(c) >= 0x80 || c == 0)
        return false;
      bool isEscaped = c == '\\';
      if (isEscaped) {
        if (rest.empty())
          return false;
        c = rest.front();
        rest = rest.drop_front();
        if (StringRef own = classOf(c); !own.empty() && !llvm::isUpper(c)) {
          members += own;
          continue;
        }
        if (llvm::isAlnum(c) || c == ']' || c == '[' || c == '\\')
          return false;
      }
      bool isRange = c == '-' && !isEscaped && !isFirst && !rest.empty() &&
                     rest.front() != ']';
      if (isRange) {
        // From the letter or digit before to the one behind.
        if (!llvm::isAlnum(members.empty() ? 0 : members.back()) ||
            !llvm::isAlnum(rest.front()))
          return false;
        (members += '-') += rest.front();
        rest = rest.drop_front();
        continue;
      }
      hasMinus |= c == '-';
      hasCaret |= c == '^';
      if (c != '-' && c != '^')
        members += c;
    }
    if (hasCaret)
      members += '^';
    if (hasMinus)
      members += '-';
    // A caret that stands first would negate.
    if (members.empty() || members.front() == '^')
      return false;
    out += (isNegated ? "[^" : "[") + members + "]";
    return true;
  }

  bool readBounds() {
    size_t end = rest.find('}');
    if (end == StringRef::npos)
      return false;
    auto [low, high] = rest.substr(0, end).split(',');
    unsigned least = 0, most = 0;
    bool hasComma = rest.substr(0, end).contains(',');
    if (low.getAsInteger(10, least) ||
        (!high.empty() && high.getAsInteger(10, most)))
      return false;
    most = high.empty() ? least : most;
    unfolded *= std::max<int64_t>(most, 1);
    if (least > most || most > 255 || unfolded > kMaxUnfolded)
      return false;
    out += "{" + std::to_string(least);
    if (hasComma)
      out += "," + (high.empty() ? std::string() : std::to_string(most));
    out += "}";
    rest = rest.substr(end + 1);
    return true;
  }

  StringRef rest;
  std::string out;
  bool isOfAscii = false;
  int64_t unfolded = 1;
};

LogicalResult buildFullMatch(NodeBuilder &n) {
  auto list = stringsOf(n, 0);
  std::string pattern = n.stringAttr("pattern", "");
  if (!list || n.hasFailed())
    return failure();
  Rewriter rewriter(pattern);
  auto own = rewriter.run();
  std::string ignored;
  llvm::Regex regex(own.value_or(""));
  if (!own || !regex.isValid(ignored))
    return n.error(Code::UnsupportedFeature)
           << "the pattern " << quoted(pattern) << " is not supported";
  eval::Tensor tensor(
      RankedTensorType::get(n.shapeOf(n.input(0)), n.getBuilder().getI1Type()));
  for (auto [i, text] : llvm::enumerate(*list)) {
    if (rewriter.isForAscii() &&
        llvm::any_of(text, [](char c) { return c & 0x80; }))
      return n.error(Code::UnsupportedFeature)
             << "the pattern " << quoted(pattern) << " on " << quoted(text)
             << ", which is not ASCII";
    SmallVector<StringRef> found;
    bool isFull =
        regex.match(text, &found) && found.front().size() == text.size();
    tensor.set(static_cast<int64_t>(i), int64_t(isFull));
  }
  return n.finish(n.constant(tensor));
}

} // namespace

void addRegex(OpTable &table) {
  table.add("RegexFullMatch", 1, buildFullMatch).takesStrings = true;
}

} // namespace graven::onnx
