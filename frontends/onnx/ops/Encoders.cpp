//===- Encoders.cpp - labels and categories -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of ai.onnx.ml's ops that look labels up:
// each element is compared with all keys.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Classic.h"
#include "frontends/onnx/ops/Strings.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The lists of a label encoder: numbers, of strings or their own.
struct Labels {
  Value list;
  bool areStrings = false;
};

/// `what` is "keys" or "values".
Labels readLabels(NodeBuilder &n, const std::string &what) {
  Labels labels;
  auto texts = n.stringsAttr(what + "_strings");
  auto ints = n.intsAttr(what + "_int64s");
  auto floats = n.floatsAttr(what + "_floats");
  Type f32 = n.getBuilder().getF32Type();
  if (const pb::TensorProto *proto = n.tensorAttr(what + "_tensor")) {
    labels.list = n.tensor(*proto);
    labels.areStrings = isString(n.narrowOutput(0));
    n.setNarrow(0, {});
  } else if (texts) {
    labels.list = numbersOf(n, {static_cast<int64_t>(texts->size())},
                            {texts->begin(), texts->end()});
    labels.areStrings = true;
  } else if (ints) {
    labels.list = n.intList(*ints);
  } else if (floats) {
    labels.list = n.reshape(rowOf(n, *floats, f32),
                            {static_cast<int64_t>(floats->size())});
  }
  return labels;
}

/// What becomes of a label that is no key.
Value defaultLabel(NodeBuilder &n, const Labels &values) {
  Type type = n.elementTypeOf(values.list);
  if (const pb::TensorProto *proto = n.tensorAttr("default_tensor")) {
    Value value = n.tensor(*proto);
    n.setNarrow(0, {});
    return n.reshape(value, {1});
  }
  if (values.areStrings)
    return numbersOf(n, {1}, {n.stringAttr("default_string", "_Unused")});
  if (isa<FloatType>(type))
    return n.reshape(n.scalar(type, n.floatAttr("default_float", -0.0)), {1});
  return n.cast(n.intList({n.intAttr("default_int64", -1)}), type);
}

/// Comparisons of each label with each key; more would not fit into memory.
constexpr int64_t kMostComparisons = int64_t(1) << 28;

/// What the key that each element of x is has at its place, or `otherwise`.
LogicalResult lookUp(NodeBuilder &n, const Labels &keys, const Labels &values,
                     Value otherwise) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  if (!shape || n.hasFailed())
    return failure();
  if (!keys.list || !values.list || n.rankOf(keys.list) != 1 ||
      n.shapeOf(keys.list) != n.shapeOf(values.list) ||
      n.elementTypeOf(keys.list) != n.elementTypeOf(x) ||
      keys.areStrings != isString(n.narrow(0)))
    return n.error(Code::BadGraph)
           << "keys and values are no lists of one length, or the keys are of "
              "another type than the input";
  int64_t count = n.shapeOf(keys.list).front(), work = 0;
  auto size = elementCount(*shape);
  if (!size || llvm::MulOverflow(*size, count, work) || work > kMostComparisons)
    return n.error(Code::UnsupportedFeature)
           << count << " keys for input of type " << n.typeOf(x);
  Type i64 = n.getBuilder().getI64Type();
  shape->push_back(1);
  Value own = n.reshape(x, *shape);
  Value isKey = n.compare(ComparePredicate::Eq, own, keys.list);
  if (isa<FloatType>(n.elementTypeOf(x))) // NaN is a key like others
    isKey = n.binary<OrOp>(
        isKey,
        n.binary<AndOp>(n.compare(ComparePredicate::Ne, own, own),
                        n.compare(ComparePredicate::Ne, keys.list, keys.list)));
  // The place of the first key that fits, or that of the default behind all.
  Value places = n.make<IotaOp>(ValueRange(), IntList{count}, int64_t(0), i64);
  Value found = n.reduce(n.select(isKey, places, n.scalar(i64, count)),
                         ReduceKind::Min, {n.rankOf(own) - 1}, false);
  found = n.binary<MinOp>(found, n.scalar(i64, count));
  Value table =
      n.make<ConcatOp>(ValueRange{values.list, otherwise}, int64_t(0));
  if (values.areStrings)
    n.setNarrow(0, stringType(n.getContext()));
  return n.finish(n.make<GatherOp>(table, found, int64_t(0), false));
}

/// Since version 2.
LogicalResult buildLabelEncoder(NodeBuilder &n) {
  Labels keys = readLabels(n, "keys"), values = readLabels(n, "values");
  if (n.hasFailed() || !values.list)
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << "there are no values");
  return lookUp(n, keys, values, defaultLabel(n, values));
}

/// The places of strings in a list, or the strings at places, which are `ints`
/// or 0, 1, ...: what takes strings gives numbers.
LogicalResult mapStrings(NodeBuilder &n, StringRef strings,
                         std::optional<IntList> ints) {
  auto texts = n.stringsAttr(strings);
  if (!texts || texts->empty() || (ints && ints->size() != texts->size()))
    return n.hasFailed()
               ? failure()
               : LogicalResult(n.error(Code::BadGraph)
                               << strings << " has "
                               << (texts ? texts->size() : 0) << " entries");
  auto count = static_cast<int64_t>(texts->size());
  Labels names{numbersOf(n, {count}, {texts->begin(), texts->end()}), true};
  Labels numbers{n.intList(ints.value_or(sequence(0, count))), false};
  bool takesStrings = isString(n.narrow(0));
  const Labels &keys = takesStrings ? names : numbers,
               &values = takesStrings ? numbers : names;
  return lookUp(n, keys, values, defaultLabel(n, values));
}

LogicalResult buildFirstLabelEncoder(NodeBuilder &n) {
  return mapStrings(n, "classes_strings", std::nullopt);
}

LogicalResult buildCategoryMapper(NodeBuilder &n) {
  auto ints = n.intsAttr("cats_int64s");
  return mapStrings(n, "cats_strings", ints.value_or(IntList()));
}

/// Of each element a row of zeros, with a one at the place of its category.
LogicalResult buildOneHotEncoder(NodeBuilder &n) {
  Value x = n.input(0);
  Labels categories;
  auto texts = n.stringsAttr("cats_strings");
  auto ints = n.intsAttr("cats_int64s");
  if (texts && !texts->empty())
    categories = {numbersOf(n, {static_cast<int64_t>(texts->size())},
                            {texts->begin(), texts->end()}),
                  true};
  else if (ints && !ints->empty())
    categories = {n.intList(*ints), false};
  auto shape = n.staticShape(x);
  if (!shape || n.hasFailed())
    return failure();
  if (!categories.list || categories.areStrings != isString(n.narrow(0)))
    return n.error(Code::BadGraph)
           << "there are no categories of the input's type";
  if (!n.flagAttr("zeros", true))
    return n.error(Code::UnsupportedFeature)
           << "zeros is 0, which refuses other categories";
  shape->push_back(1);
  Type f32 = n.getBuilder().getF32Type();
  Value list = categories.areStrings
                   ? categories.list
                   : n.cast(categories.list, n.elementTypeOf(x));
  return n.finish(
      n.cast(n.compare(ComparePredicate::Eq, n.reshape(x, *shape), list), f32));
}

/// Nothing that is made of tensors.
LogicalResult buildZipMap(NodeBuilder &n) {
  return n.error(Code::UnsupportedFeature)
         << "the result is a sequence of maps, which no tensor holds; export "
            "the model without it (skl2onnx: options={'zipmap': False})";
}

} // namespace

void addEncoders(OpTable &table) {
  table.add("ai.onnx.ml/LabelEncoder", 1, buildFirstLabelEncoder, 1, 2)
      .takesStrings = true;
  table.add("ai.onnx.ml/LabelEncoder", 1, buildLabelEncoder, 2).takesStrings =
      true;
  table.add("ai.onnx.ml/CategoryMapper", 1, buildCategoryMapper).takesStrings =
      true;
  table.add("ai.onnx.ml/OneHotEncoder", 1, buildOneHotEncoder).takesStrings =
      true;
  table.add("ai.onnx.ml/ZipMap", 1, buildZipMap).takesStrings = true;
}

} // namespace graven::onnx
