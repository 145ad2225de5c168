//===- Vectorizer.cpp - counts of n-grams ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builder of TfIdfVectorizer: numbers are compared
// with those of all n-grams of a length at once, at each place.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Comparisons in one Graph; more would not fit into memory when it runs.
constexpr int64_t kMostComparisons = int64_t(1) << 28;

/// The n-grams of one length.
struct Grams {
  int64_t length;
  /// The k-th number of each, for all k, and the column it is counted in.
  SmallVector<IntList> numbers;
  IntList columns;
};

/// The n-grams of lengths that are wanted; an error when the lists do not fit.
std::optional<SmallVector<Grams>> readGrams(NodeBuilder &n) {
  auto pool = n.intsAttr("pool_int64s"), starts = n.intsAttr("ngram_counts"),
       columns = n.intsAttr("ngram_indexes");
  if (auto texts = n.stringsAttr("pool_strings")) {
    pool.emplace();
    for (const std::string &text : *texts)
      pool->push_back(n.getImporter().getFile().getStrings().number(text));
  }
  if (n.hasAttr("pool_strings") != isString(n.narrow(0))) {
    n.error(Code::BadGraph) << "pool_strings is for strings, and only for them";
    return std::nullopt;
  }
  if (!pool || !starts || !columns) {
    n.error(Code::BadGraph)
        << "pool_int64s, ngram_counts and ngram_indexes go together";
    return std::nullopt;
  }
  int64_t least = n.intAttr("min_gram_length", 1),
          most = n.intAttr("max_gram_length", 1);
  SmallVector<Grams> result;
  size_t gram = 0;
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t length = static_cast<int64_t>(i) + 1, begin = (*starts)[i],
            size = pool->size(),
            end = i + 1 < starts->size() ? (*starts)[i + 1] : size;
    if (begin < 0 || end < begin || end > size || (end - begin) % length) {
      n.error(Code::BadGraph) << "ngram_counts has the entry " << begin
                              << " before " << end << " of " << size;
      return std::nullopt;
    }
    Grams grams{length, SmallVector<IntList>(length), {}};
    for (int64_t at = begin; at < end; at += length, ++gram) {
      if (gram >= columns->size()) {
        n.error(Code::BadGraph) << "ngram_indexes has " << columns->size()
                                << " entries for more n-grams";
        return std::nullopt;
      }
      for (int64_t k = 0; k < length; ++k)
        grams.numbers[k].push_back((*pool)[at + k]);
      grams.columns.push_back((*columns)[gram]);
    }
    if (least <= length && length <= most && !grams.columns.empty())
      result.push_back(std::move(grams));
  }
  return result;
}

/// How often each n-gram is in the rows x [B, N], its numbers `step` apart.
Value countOf(NodeBuilder &n, Value x, const Grams &grams, int64_t step) {
  IntList shape = n.shapeOf(x);
  int64_t places = shape[1] - (grams.length - 1) * step,
          count = grams.columns.size();
  Value isThere;
  for (int64_t k = 0; k < grams.length; ++k) {
    Value part = n.reshape(n.slice(x, 1, k * step, k * step + places),
                           {shape[0], places, 1});
    Value wanted = n.reshape(n.intList(grams.numbers[k]), {1, 1, count});
    Value equal = n.compare(ComparePredicate::Eq, part, wanted);
    isThere = isThere ? n.binary<AndOp>(isThere, equal) : equal;
  }
  return n.reduce(n.cast(isThere, n.getBuilder().getF32Type()), ReduceKind::Sum,
                  {1}, /*keep=*/false);
}

LogicalResult buildTfIdf(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  auto all = readGrams(n);
  if (!shape || !all)
    return failure();
  if (!isa<IntegerType>(n.elementTypeOf(x)) || shape->empty() ||
      shape->size() > 2)
    return n.error(Code::BadGraph) << "input has type " << n.typeOf(x)
                                   << ", expected integers of rank 1 or 2";
  std::string mode = n.stringAttr("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return n.error(Code::BadGraph)
           << "mode is " << quoted(mode) << ", expected 'TF', 'IDF' or 'TFIDF'";
  int64_t rows = shape->size() == 2 ? shape->front() : 1,
          length = shape->back(), skips = n.intAttr("max_skip_count", 0);
  auto columns = n.intsAttr("ngram_indexes").value_or(IntList());
  int64_t width = 0;
  for (int64_t column : columns) {
    if (column < 0 || column >= kMostComparisons)
      return n.error(Code::BadGraph)
             << "ngram_indexes has the entry " << column;
    width = std::max(width, column + 1);
  }
  Type f32 = n.getBuilder().getF32Type(), i64 = n.getBuilder().getI64Type();
  x = n.cast(n.reshape(x, {rows, length}), i64);
  SmallVector<Value> counts;
  IntList places;
  for (const Grams &grams : *all) {
    // A single number has no gaps; longer ones than the row fit nowhere.
    int64_t steps = grams.length == 1
                        ? int64_t(length > 0)
                        : std::min((length - 1) / (grams.length - 1),
                                   std::clamp<int64_t>(skips, 0, length) + 1);
    int64_t count = grams.columns.size(), work = 0;
    if (llvm::MulOverflow(rows * length, count, work) ||
        llvm::MulOverflow(work, steps, work) || work > kMostComparisons)
      return n.error(Code::UnsupportedFeature)
             << rows * length << " numbers and " << count << " n-grams, "
             << steps << " times";
    Value sum = n.splat(RankedTensorType::get({rows, count}, f32), 0);
    for (int64_t step = 1; step <= steps; ++step)
      sum = n.binary<AddOp>(sum, countOf(n, x, grams, step));
    counts.push_back(sum);
    places.append(grams.columns.begin(), grams.columns.end());
  }
  // What is no n-gram's is the zero behind all of them.
  counts.push_back(n.splat(RankedTensorType::get({rows, 1}, f32), 0));
  IntList from(width, places.size());
  for (auto [place, column] : llvm::enumerate(places)) {
    if (from[column] != static_cast<int64_t>(places.size()))
      return n.error(Code::UnsupportedFeature)
             << "ngram_indexes has the entry " << column << " twice";
    from[column] = place;
  }
  Value found = n.make<ConcatOp>(ValueRange(counts), int64_t(1));
  Value table = n.make<GatherOp>(found, n.intList(from), int64_t(1), false);
  auto weights = n.floatsAttr("weights");
  if (mode == "IDF")
    table =
        n.cast(n.compare(ComparePredicate::Gt, table, n.scalar(f32, 0)), f32);
  if (mode != "TF" && weights) {
    if (weights->size() != columns.size())
      return n.error(Code::BadGraph) << "weights has " << weights->size()
                                     << " entries, expected " << columns.size();
    eval::Tensor tensor(RankedTensorType::get({1, width}, f32));
    for (auto [column, weight] : llvm::zip_equal(columns, *weights))
      tensor.set(column, weight);
    table = n.binary<MulOp>(table, n.constant(tensor));
  }
  return n.finish(shape->size() == 2 ? table : n.reshape(table, {width}));
}

} // namespace

void addVectorizer(OpTable &table) {
  table.add("TfIdfVectorizer", 1, buildTfIdf).takesStrings = true;
}

} // namespace graven::onnx
