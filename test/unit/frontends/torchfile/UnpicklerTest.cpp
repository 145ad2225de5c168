//===- UnpicklerTest.cpp - tests of the pickle machine ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests unpickle(): the values it builds, and that hostile pickles
// give errors that name the byte.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/Unpickler.h"

#include "gtest/gtest.h"

using namespace graven::torch;
using Kind = PickleValue::Kind;
using std::string;

namespace {

/// Makes a string of a literal that holds zero bytes.
template <size_t N> string raw(const char (&text)[N]) {
  return string(text, N - 1);
}

class UnpicklerTest : public testing::Test {
protected:
  llvm::Expected<PickleValue *> load(const string &body) {
    UnpickleOptions options;
    options.record = "data.pkl";
    auto isClass = [](llvm::StringRef name) {
      return name == "__torch__.M" || name == "__torch__.Color";
    };
    options.isClass = isClass;
    options.maxOperations = 100000;
    return unpickle(raw("\x80\x02") + body, arena, options);
  }
  PickleValue *good(const string &body) {
    auto value = load(body);
    if (value)
      return *value;
    ADD_FAILURE() << llvm::toString(value.takeError());
    return arena.make(Kind::None);
  }
  string bad(const string &body) {
    auto value = load(body);
    return value ? "no error" : llvm::toString(value.takeError());
  }
  void expectBad(const string &body, const string &part) {
    EXPECT_NE(bad(body).find(part), string::npos) << bad(body);
  }

  /// A tensor over a float storage of `numel` elements.
  string tensor(const string &offset, const string &size, const string &stride,
                char numel = 6) {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
           "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K" +
           string(1, numel) + "tQ" + offset + size + stride +
           "\x89"
           "ccollections\nOrderedDict\n)RtR.";
  }
  string text(const string &value) {
    return "X" + string(1, static_cast<char>(value.size())) + string(3, '\0') +
           value;
  }

  PickleArena arena;
};

TEST_F(UnpicklerTest, Numbers) {
  EXPECT_EQ(good("K\x07.")->integer, 7);
  EXPECT_EQ(good("J\xff\xff\xff\xff.")->integer, -1);
  EXPECT_EQ(good(raw("M\x01\x02."))->integer, 513);
  EXPECT_EQ(good(raw("\x8a\x00."))->integer, 0);
  EXPECT_EQ(good(raw("\x8a\x02\x00\x80."))->integer, -32768);
  EXPECT_EQ(good(raw("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."))->integer,
            INT64_MIN);
  EXPECT_EQ(good(raw("G\x3f\xf8\x00\x00\x00\x00\x00\x00."))->real, 1.5);
}

TEST_F(UnpicklerTest, ContainersAndIdentity) {
  PickleValue *value = good("]q\x01(h\x01K\x02"
                            "eh\x01\x86.");
  ASSERT_TRUE(value->is(Kind::Tuple));
  EXPECT_EQ(value->items[0], value->items[1]);
  // The list holds itself: walking it is the reader's risk, not building it.
  EXPECT_EQ(value->items[0]->items[0], value->items[0]);
  value = good("}(" + text("a") + "K\x01" + text("b") + "K\x02u.");
  ASSERT_NE(value->lookup("b"), nullptr);
  EXPECT_EQ(value->lookup("b")->integer, 2);
  EXPECT_EQ(value->lookup("c"), nullptr);
}

TEST_F(UnpicklerTest, ObjectsAndEnums) {
  PickleValue *object = good("c__torch__\nM\n)\x81}" + text("w") + "Nsb.");
  ASSERT_TRUE(object->is(Kind::Object));
  EXPECT_EQ(object->text, "__torch__.M");
  EXPECT_TRUE(object->items[0]->lookup("w")->is(Kind::None));
  EXPECT_TRUE(good("c__torch__\nColor\nK\x01R.")->is(Kind::Enum));
}

TEST_F(UnpicklerTest, TypedContainers) {
  PickleValue *list = good("ctorch.jit._pickle\nbuild_intlist\n]K\x03"
                           "a\x85R.");
  ASSERT_TRUE(list->is(Kind::List));
  EXPECT_EQ(list->items[0]->integer, 3);
  PickleValue *dict = good("ctorch.jit._pickle\nrestore_type_tag\n}" +
                           text("Dict[str, int]") + "\x86R.");
  EXPECT_EQ(dict->typeTag, "Dict[str, int]");
}

TEST_F(UnpicklerTest, Tensors) {
  PickleValue *value =
      good(tensor("K\x01", "K\x02K\x02\x86", "K\x02K\x01\x86"));
  ASSERT_TRUE(value->is(Kind::Tensor));
  EXPECT_EQ(value->tensor->offset, 1);
  EXPECT_EQ(value->tensor->storage.numel, 6u);
  EXPECT_EQ(value->tensor->strides[0], 2);
  EXPECT_EQ(value->tensor->storage.type, graven::aten::ScalarType::Float);
}

TEST_F(UnpicklerTest, RefusesTensorsOutsideTheirStorage) {
  expectBad(tensor("K\x05", "K\x02\x85", "K\x01\x85"), "leaves its storage");
  expectBad(tensor("J\xff\xff\xff\xff", "K\x02\x85", "K\x01\x85"), "offset -1");
  string zero = raw("K\x00");
  expectBad(tensor(zero, "J\xff\xff\xff\xff\x85", "K\x01\x85"), "size -1");
  string huge = raw("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f");
  expectBad(tensor(zero, huge + "\x85", huge + "\x85"), "leaves its storage");
  expectBad(tensor(zero, huge + huge + "\x86", zero + zero + "\x86"), "2^63");
  expectBad(tensor(zero, "K\x02\x85", "J\xff\xff\xff\xff\x85"), "stride -1");
  expectBad(tensor(zero, "K\x02\x85", ")"), "wrong kinds");
}

TEST_F(UnpicklerTest, ExecutesNothing) {
  expectBad("cos\nsystem\n" + text("true") + "\x85R.",
            "'os.system' is not on the list of allowed names");
  expectBad("cbuiltins\neval\n.", "not on the list");
  expectBad("c__torch__\nOther\n.", "is not defined by the archive");
  // INST, OBJ, EXT1, NEWOBJ_EX, STACK_GLOBAL, DUP, POP.
  for (char opcode : {'i', 'o', '\x82', '\x92', '\x93', '2', '0'})
    expectBad(string("N") + opcode + ".", "is not allowed");
  expectBad("NN\x81.", "no class");
  expectBad("N)R.", "no global");
  expectBad("]}b.", "no new object");
  expectBad("ctorch._utils\n_rebuild_tensor_v2\n.x", "after the end");
}

TEST_F(UnpicklerTest, RefusesBadStacksAndMemos) {
  expectBad("h\x05.", "memo has no value 5");
  expectBad("j\xff\xff\xff\xff.", "memo has no value");
  expectBad("q\x05.", "underflow");
  expectBad("Nr\xff\xff\xff\xff.", "memo index");
  expectBad("a.", "underflow");
  expectBad("](a.", "underflow");
  expectBad("e.", "no mark");
  expectBad("}(Nu.", "1 values");
  expectBad("NN.", "stops with 2");
  expectBad("(.", "stops with 0");
  expectBad("(N\x86.", "underflow");
  expectBad("NQ.", "no storage");
}

TEST_F(UnpicklerTest, RefusesLyingLengths) {
  expectBad("X\xff\xff\xff\x7f"
            "abc",
            "string of 2147483647 bytes with 3 left");
  expectBad("X\xff\xff", "ends within");
  expectBad(raw("\x8a\x09") + "123456789.", "integer of 9 bytes");
  expectBad("cos", "ends within");
  expectBad("N", "ends without a stop");
  expectBad("", "ends without a stop");
}

TEST_F(UnpicklerTest, BoundsTheNumberOfOperations) {
  string bomb = "]";
  for (int i = 0; i < 60000; ++i)
    bomb += "Na";
  expectBad(bomb + ".", "more than 100000 operations");
}

TEST_F(UnpicklerTest, DeepNestingIsFlat) {
  string deep;
  for (int i = 0; i < 40000; ++i)
    deep += "]";
  for (int i = 0; i < 39999; ++i)
    deep += "a";
  EXPECT_TRUE(good(deep + ".")->is(Kind::List));
}

TEST_F(UnpicklerTest, RefusesOtherProtocols) {
  UnpickleOptions options;
  for (const char *body : {"", "\x80", "\x80\x04N.", "(lp0\n."}) {
    auto value = unpickle(body, arena, options);
    EXPECT_NE(llvm::toString(value.takeError()).find("protocol 2"),
              string::npos);
  }
}

} // namespace
