//===- Einsum.cpp - Einstein sums ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of Einsum: sums and transposes of one
// operand, and of several what batched matrix products can say, from the left
// to the right.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Labels of an operand or of the result, one an axis. An ellipsis has become
/// labels of its own, numbered from 256 on.
using Labels = SmallVector<int, 8>;

bool has(ArrayRef<int> labels, int label) {
  return llvm::is_contained(labels, label);
}

/// "ab...c": `hidden` labels stand for the ellipsis.
std::optional<Labels> parseTerm(NodeBuilder &n, StringRef text,
                                int64_t hidden) {
  Labels labels;
  bool sawEllipsis = false;
  while (!text.empty()) {
    if (text.consume_front(" "))
      continue;
    if (text.consume_front("...")) {
      if (sawEllipsis)
        break;
      sawEllipsis = true;
      for (int64_t i = 0; i < hidden; ++i)
        labels.push_back(static_cast<int>(256 + kMaxRank - hidden + i));
      continue;
    }
    if (!llvm::isAlpha(text.front()))
      break;
    labels.push_back(text.front());
    text = text.drop_front();
  }
  if (text.empty())
    return labels;
  n.error(Code::BadGraph) << "the equation has the term " << quoted(text);
  return std::nullopt;
}

/// One operand with its labels.
struct Term {
  Value value;
  Labels labels;
};

class Einsum {
public:
  explicit Einsum(NodeBuilder &n) : n(n) {}

  LogicalResult build() {
    if (!parse())
      return failure();
    for (const Term &term : terms)
      countUses(term);
    for (Term &term : terms)
      sumAlone(term);
    Term product = terms.front();
    for (const Term &term : llvm::drop_begin(terms)) {
      product = multiplied(product, term);
      if (n.hasFailed())
        return failure();
    }
    return n.finish(order(product, output));
  }

private:
  bool parse() {
    std::string equation = n.stringAttr("equation", "");
    auto [left, right] = StringRef(equation).split("->");
    SmallVector<StringRef> parts;
    left.split(parts, ',');
    if (parts.size() != n.getInputCount()) {
      n.error(Code::BadGraph)
          << "the equation has " << parts.size() << " terms for "
          << n.getInputCount() << " inputs";
      return false;
    }
    int64_t most = 0;
    for (auto [part, value] : llvm::zip(parts, n.getInputs())) {
      if (!value) {
        n.error(Code::BadGraph) << "an input is absent";
        return false;
      }
      int64_t named = llvm::count_if(part, llvm::isAlpha);
      int64_t hidden = part.contains("...")
                           ? std::max<int64_t>(0, n.rankOf(value) - named)
                           : 0;
      most = std::max(most, hidden);
      auto labels = parseTerm(n, part, hidden);
      if (!labels || !addTerm(value, *labels))
        return false;
    }
    if (StringRef(equation).contains("->")) {
      auto labels = parseTerm(n, right, most);
      if (!labels)
        return false;
      output = *labels;
    } else {
      implyOutput();
    }
    return checkOutput();
  }

  /// The diagonal of two axes of one label, as the last axis.
  bool takeDiagonal(Value &value, Labels &labels, int64_t first,
                    int64_t second) {
    auto shape = n.staticShape(value);
    if (!shape)
      return false;
    int64_t extent = (*shape)[first], label = labels[first];
    if ((*shape)[second] != extent) {
      n.error(Code::BadGraph) << "a label has the extents " << extent << " and "
                              << (*shape)[second] << " in one term";
      return false;
    }
    IntList order, joined;
    Labels kept;
    for (auto [axis, own] : llvm::enumerate(labels))
      if (static_cast<int64_t>(axis) != first &&
          static_cast<int64_t>(axis) != second) {
        order.push_back(axis);
        joined.push_back((*shape)[axis]);
        kept.push_back(own);
      }
    order.append({first, second});
    joined.push_back(extent * extent);
    value = n.reshape(n.transpose(value, order), joined);
    IntList starts(joined.size(), 0), steps(joined.size(), 1);
    steps.back() = extent + 1;
    value = n.make<SliceOp>(value, ValueRange(), ValueRange(), starts, joined,
                            steps);
    kept.push_back(label);
    labels = kept;
    return value != nullptr;
  }

  bool takeDiagonals(Value &value, Labels &labels) {
    for (size_t second = 1; second < labels.size(); ++second)
      for (size_t first = 0; first < second; ++first)
        if (labels[first] == labels[second])
          return takeDiagonal(value, labels, first, second) &&
                 takeDiagonals(value, labels);
    return true;
  }

  bool addTerm(Value value, Labels labels) {
    if (static_cast<int64_t>(labels.size()) != n.rankOf(value)) {
      n.error(Code::BadGraph)
          << "a term has " << labels.size() << " labels for an input of rank "
          << n.rankOf(value);
      return false;
    }
    for (int label : labels)
      ++occurrences[label];
    if (!takeDiagonals(value, labels))
      return false;
    auto shape = n.staticShape(value);
    if (!shape)
      return false;
    for (auto [label, extent] : llvm::zip(labels, *shape)) {
      int64_t &known = extents.try_emplace(label, extent).first->second;
      if (known != extent && known != 1 && extent != 1) {
        n.error(Code::BadGraph)
            << "a label has the extents " << known << " and " << extent;
        return false;
      }
      known = std::max(known, extent);
    }
    terms.push_back({value, labels});
    return true;
  }

  /// Without "->": hidden labels, then those that stand once, in order.
  void implyOutput() {
    for (auto [label, times] : occurrences)
      if (label >= 256 || times == 1)
        output.push_back(label);
    llvm::sort(output, [](int a, int b) {
      return std::pair(a < 256, a) < std::pair(b < 256, b);
    });
  }

  bool checkOutput() {
    for (auto [i, label] : llvm::enumerate(output))
      if (!extents.count(label) || has(ArrayRef(output).take_front(i), label)) {
        n.error(Code::BadGraph)
            << "a label of the result stands twice or in no term";
        return false;
      }
    return true;
  }

  void countUses(const Term &term) {
    for (int label : term.labels)
      ++uses[label];
  }

  /// Sums over the labels that stand in this term only.
  void sumAlone(Term &term) {
    IntList axes;
    Labels kept;
    for (auto [axis, label] : llvm::enumerate(term.labels)) {
      if (has(output, label) || uses.lookup(label) > 1)
        kept.push_back(label);
      else
        axes.push_back(axis);
    }
    if (!axes.empty())
      term = {n.reduce(term.value, ReduceKind::Sum, axes, false), kept};
  }

  /// The term's axes in the order of `labels`, which are the same.
  Value order(const Term &term, ArrayRef<int> labels) {
    IntList permutation;
    for (int label : labels)
      permutation.push_back(llvm::find(term.labels, label) -
                            term.labels.begin());
    return n.transpose(term.value, permutation);
  }

  int64_t extentOf(ArrayRef<int> labels) {
    int64_t product = 1;
    for (int label : labels)
      product *= extents.lookup(label);
    return product;
  }

  /// [batch.., own, contracted] as a tensor of batch rank + 2.
  Value asMatrix(const Term &term, ArrayRef<int> batch, ArrayRef<int> rows,
                 ArrayRef<int> columns) {
    Labels labels(batch);
    llvm::append_range(labels, rows);
    llvm::append_range(labels, columns);
    IntList full, shape;
    for (int label : labels)
      full.push_back(extents.lookup(label));
    for (int label : batch)
      shape.push_back(extents.lookup(label));
    shape.push_back(extentOf(rows));
    shape.push_back(extentOf(columns));
    return n.reshape(n.expand(order(term, labels), full), shape);
  }

  /// The product of two terms, summed over the labels of both that neither the
  /// result nor another term has.
  Term multiplied(const Term &a, const Term &b) {
    Labels batch, contracted, rows, columns;
    for (int label : a.labels) {
      if (!has(b.labels, label)) {
        rows.push_back(label);
        continue;
      }
      // Two uses become one of the product, or none.
      bool isKept = has(output, label) || uses[label] > 2;
      (isKept ? batch : contracted).push_back(label);
      --uses[label];
    }
    for (int label : b.labels)
      if (!has(a.labels, label))
        columns.push_back(label);
    Value left = asMatrix(a, batch, rows, contracted),
          right = asMatrix(b, batch, contracted, columns);
    Value product = n.make<MatmulOp>(left, right, false, false);
    Term result{{}, batch};
    llvm::append_range(result.labels, rows);
    llvm::append_range(result.labels, columns);
    IntList shape;
    for (int label : result.labels)
      shape.push_back(extents.lookup(label));
    result.value = n.reshape(product, shape);
    return result;
  }

  NodeBuilder &n;
  SmallVector<Term, 2> terms;
  Labels output;
  llvm::SmallDenseMap<int, int64_t> extents;
  /// How often a label stands in the equation, before the arrow.
  llvm::SmallDenseMap<int, int> occurrences;
  /// How many of the terms that are left have a label.
  llvm::SmallDenseMap<int, int> uses;
};

LogicalResult buildEinsum(NodeBuilder &n) { return Einsum(n).build(); }

} // namespace

void addEinsum(OpTable &table) { table.add("Einsum", 1, buildEinsum, 12); }

} // namespace graven::onnx
