//===- Trees.cpp - ensembles of decision trees ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of ai.onnx.ml's tree ensembles: all rows go
// down all trees at once, a level at a time, through tables of the nodes.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Classic.h"

#include "llvm/ADT/DenseSet.h"

#include <map>

using namespace mlir;

namespace graven::onnx {

namespace {

/// Deeper trees, and more nodes, are refused.
constexpr int64_t kMaxLevels = 256, kMaxNodes = 1 << 20;

/// How a node compares its feature with its value; the order is that of
/// nodes_modes of opset 5.
enum class Mode : uint8_t { Le, Lt, Ge, Gt, Eq, Ne, Member };

/// A leaf has itself below it.
struct TreeNode {
  Mode mode = Mode::Le;
  int64_t feature = 0, yes = 0, no = 0;
  double value = 0;
  bool takesNan = false;
};

struct Forest {
  std::vector<TreeNode> nodes;
  IntList roots;
  int64_t targets = 0;
  /// What a leaf adds: (node, target, weight).
  std::vector<std::tuple<int64_t, int64_t, double>> weights;
};

class ForestBuilder {
public:
  ForestBuilder(NodeBuilder &n, const Forest &forest) : n(n), forest(forest) {}

  /// What the trees say of the rows x [N, F]: [N, trees, targets].
  Value build(Value x) {
    auto shape = n.staticShape(x);
    auto levels = check(shape && shape->size() == 2 ? shape->back() : 0);
    if (!shape || !levels)
      return {};
    if (shape->size() != 2) {
      n.error(Code::BadGraph)
          << "input has rank " << shape->size() << ", expected 2";
      return {};
    }
    int64_t rows = shape->front(), trees = forest.roots.size();
    Value at =
        n.expand(n.reshape(n.intList(forest.roots), {1, trees}), {rows, trees});
    Value features = numbers([](const TreeNode &node) { return node.feature; }),
          yes = numbers([](const TreeNode &node) { return node.yes; }),
          no = numbers([](const TreeNode &node) { return node.no; });
    eval::Tensor values(RankedTensorType::get(
        {static_cast<int64_t>(forest.nodes.size())}, n.elementTypeOf(x)));
    for (auto [i, node] : llvm::enumerate(forest.nodes))
      values.set(static_cast<int64_t>(i), node.value);
    Value bounds = n.constant(values);
    for (int64_t level = 0; level < *levels; ++level) {
      Value own =
          n.make<GatherElementsOp>(x, pick(features, at), int64_t(1), false);
      at = n.select(decide(own, pick(bounds, at), at), pick(yes, at),
                    pick(no, at));
    }
    return weigh(at, n.elementTypeOf(x));
  }

private:
  Value pick(Value table, Value places) {
    return n.make<GatherOp>(table, places, int64_t(0), false);
  }

  template <class Member> Value numbers(Member member) {
    IntList list;
    for (const TreeNode &node : forest.nodes)
      list.push_back(static_cast<int64_t>(member(node)));
    return n.intList(list);
  }

  /// The number of levels; an error where nodes are no trees over `features`.
  std::optional<int64_t> check(int64_t features) {
    int64_t count = forest.nodes.size();
    auto isNode = [&](int64_t i) { return i >= 0 && i < count; };
    for (auto [i, node] : llvm::enumerate(forest.nodes)) {
      if (isNode(node.yes) && isNode(node.no) && node.feature >= 0 &&
          node.feature < features)
        continue;
      n.error(Code::BadGraph)
          << "node " << i << " asks for feature " << node.feature << " of "
          << features << ", and goes on to nodes " << node.yes << " and "
          << node.no << " of " << count;
      return std::nullopt;
    }
    if (!llvm::all_of(forest.roots, isNode)) {
      n.error(Code::BadGraph) << "a root is no node";
      return std::nullopt;
    }
    llvm::DenseSet<int64_t> level(forest.roots.begin(), forest.roots.end());
    for (int64_t levels = 0; levels <= kMaxLevels; ++levels) {
      llvm::DenseSet<int64_t> below;
      for (int64_t i : level)
        for (int64_t next : {forest.nodes[i].yes, forest.nodes[i].no})
          if (next != i)
            below.insert(next);
      if (below.empty())
        return levels;
      level = std::move(below);
    }
    n.error(Code::UnsupportedFeature)
        << "the trees are deeper than " << kMaxLevels << ", or go in a circle";
    return std::nullopt;
  }

  Value compare(Mode mode, Value x, Value bound) {
    switch (mode) {
    case Mode::Le:
      return n.compare(ComparePredicate::Le, x, bound);
    case Mode::Lt:
      return n.compare(ComparePredicate::Lt, x, bound);
    case Mode::Ge:
      return n.compare(ComparePredicate::Ge, x, bound);
    case Mode::Gt:
      return n.compare(ComparePredicate::Gt, x, bound);
    case Mode::Ne:
      return n.compare(ComparePredicate::Ne, x, bound);
    case Mode::Eq:
    case Mode::Member:
      return n.compare(ComparePredicate::Eq, x, bound);
    }
    llvm_unreachable("all modes are named");
  }

  /// Whether rows go on to `yes` of the nodes that they are `at`.
  Value decide(Value x, Value bound, Value at) {
    std::set<Mode> modes;
    bool anyTakesNan = false;
    for (const TreeNode &node : forest.nodes) {
      modes.insert(node.mode);
      anyTakesNan |= node.takesNan;
    }
    Value result;
    for (Mode mode : modes) {
      Value own = compare(mode, x, bound);
      if (!result) {
        result = own;
        continue;
      }
      Value isMode = pick(
          numbers([&](const TreeNode &node) { return node.mode == mode; }), at);
      isMode = n.compare(ComparePredicate::Ne, isMode,
                         n.scalar(n.getBuilder().getI64Type(), 0));
      result = n.select(isMode, own, result);
    }
    if (!anyTakesNan)
      return result;
    Value takesNan = n.compare(
        ComparePredicate::Ne,
        pick(numbers([](const TreeNode &node) { return node.takesNan; }), at),
        n.scalar(n.getBuilder().getI64Type(), 0));
    Value isNan = n.compare(ComparePredicate::Ne, x, x);
    return n.binary<OrOp>(result, n.binary<AndOp>(isNan, takesNan));
  }

  /// What the leaves say that rows came to.
  Value weigh(Value at, Type type) {
    int64_t count = forest.nodes.size(), cells = 0;
    if (llvm::MulOverflow(count, forest.targets, cells) || cells > int64_t(1)
                                                                       << 26) {
      n.error(Code::UnsupportedFeature)
          << count << " nodes with " << forest.targets << " targets each";
      return {};
    }
    eval::Tensor table(RankedTensorType::get({count, forest.targets}, type));
    std::vector<double> sums(cells);
    for (auto [node, target, weight] : forest.weights) {
      if (node < 0 || node >= count || target < 0 || target >= forest.targets) {
        n.error(Code::BadGraph) << "node " << node << " adds to target "
                                << target << " of " << forest.targets;
        return {};
      }
      sums[node * forest.targets + target] += weight;
    }
    for (int64_t i = 0; i < cells; ++i)
      table.set(i, sums[i]);
    return pick(n.constant(table), at);
  }

  NodeBuilder &n;
  const Forest &forest;
};

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// A tensor attribute of rank 1; nothing after an error, or where it is absent
/// and may be.
std::optional<SmallVector<double>> numbersAttr(NodeBuilder &n, StringRef name) {
  const pb::TensorProto *proto = n.tensorAttr(name);
  if (!proto)
    return std::nullopt;
  auto data = n.getImporter().getFile().read(n.getLoc(), *proto);
  if (failed(data) || data->narrow) {
    n.error(Code::BadGraph) << name << " is no tensor of numbers";
    return std::nullopt;
  }
  eval::Tensor tensor = data->toTensor();
  SmallVector<double> list;
  for (int64_t i = 0; i < tensor.size(); ++i)
    list.push_back(isa<FloatType>(tensor.getElementType())
                       ? tensor.getDouble(i)
                       : static_cast<double>(tensor.getInt(i)));
  return list;
}

/// Lists of one entry for each node; an error where their lengths differ.
bool haveLength(NodeBuilder &n, size_t count, ArrayRef<size_t> lengths) {
  for (size_t length : lengths)
    if (length != count && !n.hasFailed())
      n.error(Code::BadGraph) << "the nodes' attributes have " << count
                              << " and " << length << " entries";
  if (count > static_cast<size_t>(kMaxNodes) && !n.hasFailed())
    n.error(Code::UnsupportedFeature)
        << "there are " << count << " nodes, expected at most " << kMaxNodes;
  return !n.hasFailed();
}

/// TreeEnsemble: inner nodes first, then the leaves.
std::optional<Forest> readEnsemble(NodeBuilder &n) {
  auto list = [&](StringRef name) {
    return n.intsAttr(name).value_or(IntList());
  };
  IntList features = list("nodes_featureids"), yes = list("nodes_truenodeids"),
          no = list("nodes_falsenodeids"), yesLeaf = list("nodes_trueleafs"),
          noLeaf = list("nodes_falseleafs"),
          nans = list("nodes_missing_value_tracks_true"),
          targets = list("leaf_targetids");
  auto modes = numbersAttr(n, "nodes_modes"),
       values = numbersAttr(n, "nodes_splits"),
       weights = numbersAttr(n, "leaf_weights"),
       members = numbersAttr(n, "membership_values");
  if (!modes || !values || !weights) {
    if (!n.hasFailed())
      n.error(Code::BadGraph)
          << "nodes_modes, nodes_splits and leaf_weights are needed";
    return std::nullopt;
  }
  size_t count = features.size();
  nans.resize(nans.empty() ? count : nans.size());
  if (!haveLength(n, count,
                  {yes.size(), no.size(), yesLeaf.size(), noLeaf.size(),
                   nans.size(), modes->size(), values->size()}) ||
      !haveLength(n, targets.size(), {weights->size()}))
    return std::nullopt;
  Forest forest;
  forest.roots = list("tree_roots");
  forest.targets = n.intAttr("n_targets", 0);
  int64_t leaves = targets.size(), firstLeaf = count;
  auto below = [&](int64_t id, bool isLeaf) {
    bool isKnown = id >= 0 && id < (isLeaf ? leaves : firstLeaf);
    return isKnown ? id + (isLeaf ? firstLeaf : 0) : -1;
  };
  for (size_t i = 0; i < count; ++i) {
    double mode = (*modes)[i];
    if (!(mode >= 0 && mode <= 6)) {
      n.error(Code::BadGraph) << "node " << i << " has mode " << mode;
      return std::nullopt;
    }
    forest.nodes.push_back({static_cast<Mode>(mode), features[i],
                            below(yes[i], yesLeaf[i]), below(no[i], noLeaf[i]),
                            (*values)[i], nans[i] != 0});
  }
  for (int64_t leaf = 0; leaf < leaves; ++leaf) {
    int64_t own = firstLeaf + leaf;
    forest.nodes.push_back({Mode::Le, 0, own, own, 0, false});
    forest.weights.emplace_back(own, targets[leaf], (*weights)[leaf]);
  }
  // A set is a chain of nodes that ask for one member each; NaN ends a set.
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (forest.nodes[i].mode != Mode::Member)
      continue;
    SmallVector<double> set;
    for (; members && next < members->size() && !std::isnan((*members)[next]);
         ++next)
      set.push_back((*members)[next]);
    ++next;
    int64_t no = forest.nodes[i].no;
    if (set.empty())
      forest.nodes[i].yes = no;
    for (size_t k = 0, at = i; k < set.size(); ++k) {
      forest.nodes[at].value = set[k];
      if (k + 1 == set.size())
        break;
      TreeNode more = forest.nodes[i];
      more.no = no;
      forest.nodes[at].no = static_cast<int64_t>(forest.nodes.size());
      at = forest.nodes.size();
      forest.nodes.push_back(more);
    }
  }
  return haveLength(n, forest.nodes.size(), {}) ? std::optional(forest)
                                                : std::nullopt;
}

/// TreeEnsembleRegressor and TreeEnsembleClassifier, whose nodes have a tree
/// and a number in it. `of` is "target" or "class".
std::optional<Forest> readOldEnsemble(NodeBuilder &n, const std::string &of,
                                      int64_t targets) {
  auto list = [&](StringRef name) {
    return n.intsAttr(name).value_or(IntList());
  };
  auto reals = [&](const std::string &name) {
    auto wide = numbersAttr(n, name + "_as_tensor");
    if (!wide)
      wide = n.floatsAttr(name);
    return wide.value_or(SmallVector<double>());
  };
  IntList trees = list("nodes_treeids"), ids = list("nodes_nodeids"),
          features = list("nodes_featureids"), yes = list("nodes_truenodeids"),
          no = list("nodes_falsenodeids"),
          nans = list("nodes_missing_value_tracks_true"),
          itsTrees = list(of + "_treeids"), itsNodes = list(of + "_nodeids"),
          itsTargets = list(of + "_ids");
  auto values = reals("nodes_values"), weights = reals(of + "_weights");
  auto modes =
      n.stringsAttr("nodes_modes").value_or(SmallVector<std::string>());
  size_t count = trees.size();
  nans.resize(nans.empty() ? count : nans.size());
  if (!haveLength(n, count,
                  {ids.size(), features.size(), yes.size(), no.size(),
                   nans.size(), values.size(), modes.size()}) ||
      !haveLength(n, itsTrees.size(),
                  {itsNodes.size(), itsTargets.size(), weights.size()}))
    return std::nullopt;
  Forest forest;
  forest.targets = targets;
  std::map<std::pair<int64_t, int64_t>, int64_t> places;
  for (size_t i = 0; i < count; ++i) {
    bool isNewTree = i == 0 || trees[i] != trees[i - 1];
    if (isNewTree)
      forest.roots.push_back(static_cast<int64_t>(i));
    if (!places.try_emplace({trees[i], ids[i]}, i).second) {
      n.error(Code::BadGraph)
          << "tree " << trees[i] << " has node " << ids[i] << " twice";
      return std::nullopt;
    }
  }
  auto place = [&](int64_t tree, int64_t id) {
    auto found = places.find({tree, id});
    return found == places.end() ? int64_t(-1) : found->second;
  };
  for (size_t i = 0; i < count; ++i) {
    auto mode = llvm::StringSwitch<std::optional<Mode>>(modes[i])
                    .Case("BRANCH_LEQ", Mode::Le)
                    .Case("BRANCH_LT", Mode::Lt)
                    .Case("BRANCH_GTE", Mode::Ge)
                    .Case("BRANCH_GT", Mode::Gt)
                    .Case("BRANCH_EQ", Mode::Eq)
                    .Case("BRANCH_NEQ", Mode::Ne)
                    .Default(std::nullopt);
    int64_t own = static_cast<int64_t>(i);
    if (modes[i] == "LEAF") {
      forest.nodes.push_back({Mode::Le, 0, own, own, 0, false});
    } else if (mode) {
      forest.nodes.push_back({*mode, features[i], place(trees[i], yes[i]),
                              place(trees[i], no[i]), values[i], nans[i] != 0});
    } else {
      n.error(Code::BadGraph)
          << "node " << i << " has mode " << quoted(modes[i]);
      return std::nullopt;
    }
  }
  for (size_t i = 0; i < itsTrees.size(); ++i)
    forest.weights.emplace_back(place(itsTrees[i], itsNodes[i]), itsTargets[i],
                                weights[i]);
  return forest;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The scores [N, targets] of all trees.
Value scoresOf(NodeBuilder &n, const Forest &forest, Value x, ReduceKind kind) {
  Value all = ForestBuilder(n, forest).build(x);
  return n.reduce(all, kind, {1}, /*keep=*/false);
}

LogicalResult buildEnsemble(NodeBuilder &n) {
  auto forest = readEnsemble(n);
  if (!forest)
    return failure();
  constexpr std::array kinds = {ReduceKind::Mean, ReduceKind::Sum,
                                ReduceKind::Min, ReduceKind::Max};
  constexpr std::array<StringLiteral, 5> transforms = {
      "NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  int64_t aggregate = n.intAttr("aggregate_function", 1),
          transform = n.intAttr("post_transform", 0);
  if (aggregate < 0 || aggregate > 3 || transform < 0 || transform > 4)
    return n.error(Code::BadGraph) << "aggregate_function is " << aggregate
                                   << ", post_transform " << transform;
  Value scores = scoresOf(n, *forest, n.input(0), kinds[aggregate]);
  return n.finish(postTransform(n, scores, transforms[transform]));
}

/// As floats: thresholds of older versions are such.
Value floatInput(NodeBuilder &n) {
  Value x = n.input(0);
  return isa<FloatType>(n.elementTypeOf(x))
             ? x
             : n.cast(x, n.getBuilder().getF32Type());
}

LogicalResult buildRegressor(NodeBuilder &n) {
  auto forest = readOldEnsemble(n, "target", n.intAttr("n_targets", 0));
  if (!forest)
    return failure();
  std::string name = n.stringAttr("aggregate_function", "SUM");
  auto kind = llvm::StringSwitch<std::optional<ReduceKind>>(name)
                  .Case("SUM", ReduceKind::Sum)
                  .Case("AVERAGE", ReduceKind::Mean)
                  .Case("MIN", ReduceKind::Min)
                  .Case("MAX", ReduceKind::Max)
                  .Default(std::nullopt);
  if (!kind)
    return n.error(Code::BadGraph) << "aggregate_function is " << quoted(name);
  Value scores = scoresOf(n, *forest, floatInput(n), *kind);
  if (auto base = n.floatsAttr("base_values"))
    scores = n.binary<AddOp>(scores, rowOf(n, *base, n.elementTypeOf(scores)));
  scores = postTransform(n, scores, n.stringAttr("post_transform", "NONE"));
  return n.finish(n.cast(scores, n.getBuilder().getF32Type()));
}

/// Of the one score [N, 1] of two classes: a probability where no weight is
/// negative, else what a logistic function makes one.
LogicalResult finishBinary(NodeBuilder &n, const Classes &classes,
                           const Forest &forest, Value score) {
  bool isProbability = llvm::all_of(
      forest.weights, [](const auto &leaf) { return std::get<2>(leaf) >= 0; });
  std::string transform = n.stringAttr("post_transform", "NONE");
  if (transform != (isProbability ? "NONE" : "LOGISTIC"))
    return n.error(Code::UnsupportedFeature)
           << "post_transform of one score for two classes is "
           << quoted(transform) << ", expected "
           << (isProbability ? "'NONE'" : "'LOGISTIC'");
  Type type = n.elementTypeOf(score);
  auto number = [&](double value) { return n.scalar(type, value); };
  Value isSecond =
      n.compare(ComparePredicate::Gt, score, number(isProbability ? 0.5 : 0));
  Value place = n.cast(n.reshape(isSecond, {n.shapeOf(score)[0]}),
                       n.getBuilder().getI64Type());
  Value second = isProbability ? score : n.make<SigmoidOp>(score);
  Value first = isProbability ? n.binary<SubOp>(number(1), score)
                              : n.make<SigmoidOp>(n.make<NegOp>(score));
  return giveClasses(n, classes, place,
                     n.make<ConcatOp>(ValueRange{first, second}, int64_t(1)));
}

LogicalResult buildClassifier(NodeBuilder &n) {
  auto classes = readClasses(n, "classlabels_int64s");
  if (!classes)
    return failure();
  auto forest = readOldEnsemble(n, "class", classes->count);
  if (!forest)
    return failure();
  // With one score of two, what the other one is depends on its sign.
  std::set<int64_t> scored;
  for (auto [node, target, weight] : forest->weights)
    scored.insert(target);
  bool isBinary = classes->count == 2 && scored.size() == 1;
  if (classes->count < 2 || (classes->count == 2 && scored.empty()))
    return n.error(Code::UnsupportedFeature)
           << "trees score " << scored.size() << " of " << classes->count
           << " classes";
  Value scores = scoresOf(n, *forest, floatInput(n), ReduceKind::Sum);
  if (isBinary)
    scores = n.slice(scores, 1, *scored.begin(), *scored.begin() + 1);
  if (auto base = n.floatsAttr("base_values"))
    scores = n.binary<AddOp>(scores, rowOf(n, *base, n.elementTypeOf(scores)));
  if (isBinary)
    return finishBinary(n, *classes, *forest, scores);
  return finishClassifier(n, *classes, scores);
}

} // namespace

void addTrees(OpTable &table) {
  table.add("ai.onnx.ml/TreeEnsemble", 1, buildEnsemble, 5);
  table.add("ai.onnx.ml/TreeEnsembleRegressor", 1, buildRegressor);
  table.add("ai.onnx.ml/TreeEnsembleClassifier", 1, buildClassifier);
}

} // namespace graven::onnx
