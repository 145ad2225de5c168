//===- StateDictTest.cpp - tests of files of torch.save ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the names that a pickled object gives its tensors, what is
// opaque, and the legacy form.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchfile/StateDict.h"
#include "frontends/torchfile/Unpickler.h"

#include "gtest/gtest.h"

using namespace graven;
using namespace graven::torch;
using std::string;

namespace {

template <size_t N> string raw(const char (&text)[N]) {
  return string(text, N - 1);
}

string text(const string &value) {
  return "X" + string(1, static_cast<char>(value.size())) + string(3, '\0') +
         value;
}

/// A float tensor of two elements over the storage `key` of four.
string tensor(const string &key, const string &offset = "K" + string(1, '\0')) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
         "ctorch\nFloatStorage\n" + text(key) + text("cpu") + "K\x04tQ" +
         offset +
         "K\x02\x85K\x01\x85\x89"
         "ccollections\nOrderedDict\n)RtR";
}

/// The names of a pickle's tensors, or its error; opaque values in brackets.
string namesIn(const string &body) {
  PickleArena arena;
  UnpickleOptions options;
  options.record = "data.pkl";
  options.unknown = UnknownGlobals::Opaque;
  auto value = unpickle(raw("\x80\x02") + body + ".", arena, options);
  if (!value)
    return llvm::toString(value.takeError());
  Weights weights;
  auto find = [](const PickleStorage &storage) -> llvm::Expected<StorageBytes> {
    return StorageBytes{storage.key[0] == 'x' ? 64u : 0u, 16};
  };
  if (llvm::Error error = addTensors(weights, **value, "data.pkl", find))
    return llvm::toString(std::move(error));
  string names = weights.format;
  for (const WeightTensor &tensor : weights.tensors)
    names += " " + tensor.name;
  for (const OpaqueValue &opaque : weights.opaque)
    names += " [" + opaque.name + ":" + opaque.what + "@" + opaque.place + "]";
  return names;
}

TEST(StateDictTest, NamesAreKeysOnTheWay) {
  EXPECT_EQ(namesIn("}" + text("a.w") + tensor("0") + "s"), "state_dict a.w");
  EXPECT_EQ(namesIn("}(" + text("model") + "}" + text("w") + tensor("0") + "s" +
                    text("list") + "](" + tensor("1") + "K\x07" + tensor("2") +
                    "e" + text("n") + "NK\x05" + tensor("3") + "u"),
            "checkpoint model.w list.0 list.2 5");
  EXPECT_EQ(namesIn(tensor("0")), "saved tensors tensor");
  EXPECT_EQ(
      namesIn("}(" + text("a") + tensor("0") + text("a") + tensor("0") + "u"),
      "data.pkl: two tensors are called 'a'");
}

TEST(StateDictTest, UnknownGlobalsAreInert) {
  EXPECT_EQ(namesIn("}(" + text("w") + tensor("0") + text("x") +
                    "cos\nsystem\n" + text("true") + "\x85R" + "u"),
            "checkpoint w [x:os.system@data.pkl: pickle byte 139]");
  EXPECT_EQ(namesIn("cargparse\nNamespace\n)\x81}" + text("lr") + "K\x01sb"),
            "saved tensors [:argparse.Namespace@data.pkl: pickle byte 2]");
}

TEST(StateDictTest, ModulesAreHarvested) {
  auto module = [](const string &parameters, const string &modules) {
    return "cmine\nNet\n)\x81}(" + text("_parameters") + "}" + parameters +
           text("_buffers") + "}" + text("_modules") + "}" + modules +
           text("hook") + "cos\nsystem\n" + "ub";
  };
  EXPECT_EQ(
      namesIn(module(text("w") + tensor("0") + "s",
                     text("inner") + module(text("w") + tensor("1") + "s", "") +
                         "s")),
      "pickled module w inner.w");
}

TEST(StateDictTest, ContainersMayBeCyclicAndShared) {
  EXPECT_NE(namesIn(raw("]q\x00h\x00"
                        "a"))
                .find("is nested more than 200 deep"),
            string::npos);
}

/// The bytes of a legacy file with one storage of `count` floats.
string legacy(char count, const string &data) {
  string empty8 = string(7, '\0');
  return raw("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.") +
         raw("\x80\x02M\xe9\x03.") + raw("\x80\x02}") + text("little_endian") +
         "\x88s." + raw("\x80\x02}") + text("w") +
         tensor("7", "K" + string(1, '\2')) + "s." + raw("\x80\x02]") +
         text("7") + "a." + string(1, count) + empty8 + data;
}

TEST(LegacyFileTest, ReadsStorages) {
  string bytes = legacy(4, "aaaabbbbccccdddd");
  ASSERT_TRUE(isLegacyFile(bytes));
  auto weights = readLegacyFile(llvm::MemoryBuffer::getMemBufferCopy(bytes));
  ASSERT_TRUE(static_cast<bool>(weights));
  ASSERT_EQ(weights->tensors.size(), 1u);
  EXPECT_EQ(weights->bytes(weights->tensors[0]), "ccccdddd");
}

TEST(LegacyFileTest, StoragesMustFitTheFile) {
  auto errorOf = [](const string &bytes) {
    auto weights = readLegacyFile(llvm::MemoryBuffer::getMemBufferCopy(bytes));
    return weights ? "good" : llvm::toString(weights.takeError());
  };
  EXPECT_NE(errorOf(legacy(4, "aaaabbbbccccddd")).find("leaves the file"),
            string::npos);
  EXPECT_NE(errorOf(legacy(3, "aaaabbbbcccc")).find("another number"),
            string::npos);
  EXPECT_NE(errorOf(legacy(4, "aaaabbbbccccdddde")).find("1 bytes behind"),
            string::npos);
}

} // namespace
