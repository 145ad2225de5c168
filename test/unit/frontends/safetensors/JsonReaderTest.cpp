//===- JsonReaderTest.cpp - tests of the pulling JSON reader ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests JsonReader: the values it gives, and that errors name the
// byte.
//
//===----------------------------------------------------------------------===//

#include "frontends/safetensors/JsonReader.h"

#include "gtest/gtest.h"

using namespace graven;
using std::string;

namespace {

string skipped(llvm::StringRef text) {
  JsonReader json(text, "r");
  if (llvm::Error error = json.skip())
    return llvm::toString(std::move(error));
  if (llvm::Error error = json.end())
    return llvm::toString(std::move(error));
  return "good";
}

string stringOf(llvm::StringRef text) {
  JsonReader json(text, "r");
  auto value = json.string();
  return value ? *value : "error: " + llvm::toString(value.takeError());
}

TEST(JsonReaderTest, SkipsAnyValue) {
  for (llvm::StringRef text :
       {"1", "-1.5e3", " true ", "null", "false", "\"a\\n\"", "[]", "{}",
        "[1, [2, {\"a\": [3]}], {}]", "{\"a\": {\"b\": []}, \"c\": [{}]}"})
    EXPECT_EQ(skipped(text), "good") << text.str();
  for (llvm::StringRef text :
       {"", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "]", "tru",
        "1 2", "[1}", "{\"a\":1]", "+", "\"a"})
    EXPECT_EQ(skipped(text).substr(0, 8), "r: byte ") << text.str();
}

TEST(JsonReaderTest, NestingIsBounded) {
  EXPECT_EQ(skipped(string(64, '[') + string(64, ']')), "good");
  EXPECT_EQ(skipped(string(65, '[') + string(65, ']')),
            "r: byte 65: nested deeper than 64");
  EXPECT_EQ(skipped(string(1000000, '[')), "r: byte 65: nested deeper than 64");
}

TEST(JsonReaderTest, Strings) {
  EXPECT_EQ(stringOf(R"("a\"\\\/\b\f\n\r\tb")"), "a\"\\/\b\f\n\r\tb");
  EXPECT_EQ(stringOf(R"("\u00e9\ud83d\ude00")"), "\u00e9\U0001F600");
  EXPECT_EQ(stringOf(R"("\ud83d")"),
            "error: r: byte 7: half of a surrogate pair in a string");
  EXPECT_NE(stringOf("\"\\x\"").find("malformed escape"), string::npos);
  EXPECT_NE(stringOf("\"\xff\"").find("no UTF-8"), string::npos);
  EXPECT_NE(stringOf("\"\n\"").find("control character"), string::npos);
}

TEST(JsonReaderTest, Naturals) {
  auto natural = [](llvm::StringRef text) -> int64_t {
    JsonReader json(text, "r");
    auto value = json.natural();
    if (value)
      return *value;
    llvm::consumeError(value.takeError());
    return -1;
  };
  EXPECT_EQ(natural("0"), 0);
  EXPECT_EQ(natural(" 9223372036854775807"), INT64_MAX);
  for (llvm::StringRef text :
       {"9223372036854775808", "-1", "01", "1.0", "1e3", "\"1\"", ""})
    EXPECT_EQ(natural(text), -1) << text.str();
}

TEST(JsonReaderTest, KeysThatOccurTwiceAreErrors) {
  JsonReader json("{\"a\": 1, \"b\": 2, \"a\": 3}", "r", 100);
  string keys;
  llvm::Error error = json.object([&](llvm::StringRef key) {
    keys += key;
    return json.skip();
  });
  EXPECT_EQ(llvm::toString(std::move(error)),
            "r: byte 120: the key 'a' occurs twice");
  EXPECT_EQ(keys, "ab");
}

} // namespace
