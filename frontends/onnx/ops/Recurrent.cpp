//===- Recurrent.cpp - recurrent networks ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of LSTM, GRU and RNN: gates in graven's
// order, biases apart, directions of y side by side.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Blocks of `extent` along an axis, in another order.
Value permuteBlocks(NodeBuilder &n, Value x, int64_t axis, int64_t extent,
                    ArrayRef<int64_t> order) {
  if (!x || n.hasFailed())
    return {};
  SmallVector<Value> blocks;
  for (int64_t from : order)
    blocks.push_back(n.slice(x, axis, from * extent, (from + 1) * extent));
  return n.hasFailed() ? Value() : n.make<ConcatOp>(ValueRange(blocks), axis);
}

/// An ONNX function of a gate; `alphas` and `betas` are how many parameters it
/// takes and what they are by default.
struct GateEntry {
  StringRef name;
  bool takesAlpha = false, takesBeta = false;
  double alpha = 0, beta = 0;
};

GateEntry gateEntry(StringRef onnxName) {
  return llvm::StringSwitch<GateEntry>(onnxName)
      .CaseLower("Relu", {"relu"})
      .CaseLower("Tanh", {"tanh"})
      .CaseLower("Sigmoid", {"sigmoid"})
      .CaseLower("Affine", {"affine", true, true, 1, 0})
      .CaseLower("LeakyRelu", {"leaky_relu", true, false, 0.01f})
      .CaseLower("ThresholdedRelu", {"thresholded_relu", true, false, 1})
      .CaseLower("ScaledTanh", {"scaled_tanh", true, true, 1, 1})
      .CaseLower("HardSigmoid", {"hard_sigmoid", true, true, 0.2f, 0.5})
      .CaseLower("Elu", {"elu", true, false, 1})
      .CaseLower("Softsign", {"softsign"})
      .CaseLower("Softplus", {"softplus"})
      .Default({});
}

/// What the three ops read in the same way.
struct Layer {
  Value x, w, r, biasW, biasR, lengths, h;
  Direction direction = Direction::Forward;
  int64_t directions = 1, hidden = 0, steps = 0, batch = 0;
  bool batchFirst = false;
  ArrayAttr activations;
  DenseF64ArrayAttr alpha, beta;
  double clip = 0;
};

/// Activations by name with their parameters, which each list gives in order
/// to those that take one.
bool readActivations(NodeBuilder &n, ArrayRef<std::string> names, Layer &l) {
  auto alphas =
           n.floatsAttr("activation_alpha").value_or(SmallVector<double>()),
       betas = n.floatsAttr("activation_beta").value_or(SmallVector<double>());
  SmallVector<StringRef> kept;
  SmallVector<double> alpha, beta;
  auto nextAlpha = alphas.begin(), nextBeta = betas.begin();
  for (const std::string &name : names) {
    GateEntry entry = gateEntry(name);
    if (entry.name.empty()) {
      n.error(Code::UnsupportedFeature)
          << "activation '" << name << "' is not supported";
      return false;
    }
    kept.push_back(entry.name);
    alpha.push_back(entry.takesAlpha && nextAlpha != alphas.end()
                        ? *nextAlpha++
                        : entry.alpha);
    beta.push_back(entry.takesBeta && nextBeta != betas.end() ? *nextBeta++
                                                              : entry.beta);
  }
  if (kept.empty())
    return true;
  OpBuilder &b = n.getBuilder();
  l.activations = b.getStrArrayAttr(kept);
  if (llvm::any_of(names,
                   [](StringRef name) { return gateEntry(name).takesAlpha; })) {
    l.alpha = b.getDenseF64ArrayAttr(alpha);
    l.beta = b.getDenseF64ArrayAttr(beta);
  }
  return true;
}

/// Reads what the ops share. `order` has, for each gate of graven, its place
/// in ONNX; nullopt after an error.
std::optional<Layer> readLayer(NodeBuilder &n, ArrayRef<int64_t> order,
                               unsigned functions) {
  Layer l;
  std::string direction = n.stringAttr("direction", "forward");
  auto known = symbolizeDirection(direction);
  if (!known) {
    n.error(Code::BadGraph) << "direction is '" << direction
                            << "', expected forward, reverse or bidirectional";
    return std::nullopt;
  }
  l.direction = *known;
  l.directions = l.direction == Direction::Bidirectional ? 2 : 1;
  l.batchFirst = n.flagAttr("layout");
  l.clip = n.floatAttr("clip", 0);
  auto x = n.staticShape(n.input(0)), r = n.staticShape(n.input(2));
  if (!x || !r)
    return std::nullopt;
  if (x->size() != 3 || r->size() != 3) {
    n.error(Code::BadGraph) << "X has rank " << x->size() << " and R rank "
                            << r->size() << ", expected 3";
    return std::nullopt;
  }
  l.hidden = (*r)[2];
  if (n.intAttr("hidden_size", l.hidden) != l.hidden) {
    n.error(Code::BadGraph) << "hidden_size is " << n.intAttr("hidden_size", 0)
                            << ", R has " << l.hidden;
    return std::nullopt;
  }
  l.steps = (*x)[l.batchFirst];
  l.batch = (*x)[!l.batchFirst];
  auto timeFirst = [&](Value value) {
    return value && l.batchFirst ? n.transpose(value, {1, 0, 2}) : value;
  };
  l.x = timeFirst(n.input(0));
  l.w = permuteBlocks(n, n.input(1), 1, l.hidden, order);
  l.r = permuteBlocks(n, n.input(2), 1, l.hidden, order);
  if (n.input(3)) {
    IntList recurrent;
    for (int64_t from : order)
      recurrent.push_back(from + order.size());
    l.biasW = permuteBlocks(n, n.input(3), 1, l.hidden, order);
    l.biasR = permuteBlocks(n, n.input(3), 1, l.hidden, recurrent);
  }
  l.lengths = n.input(4);
  l.h = timeFirst(n.input(5));
  auto names = n.stringsAttr("activations");
  if (names &&
      static_cast<int64_t>(names->size()) != functions * l.directions) {
    n.error(Code::BadGraph) << names->size() << " activations, expected "
                            << functions * l.directions;
    return std::nullopt;
  }
  if (names && !readActivations(n, *names, l))
    return std::nullopt;
  return n.hasFailed() ? std::nullopt : std::optional(l);
}

/// Y [T,D,B,H], Y_h and Y_c [D,B,H]; with layout 1, the batch comes first.
LogicalResult setOutputs(NodeBuilder &n, const Layer &l,
                         ArrayRef<Value> results) {
  if (results.empty() || n.hasFailed())
    return failure();
  Value y = n.reshape(results[0], {l.steps, l.batch, l.directions, l.hidden});
  n.setOutput(0, n.transpose(y, l.batchFirst ? IntList{1, 0, 2, 3}
                                             : IntList{0, 2, 1, 3}));
  for (auto [index, state] : llvm::enumerate(results.drop_front()))
    n.setOutput(index + 1,
                l.batchFirst ? n.transpose(state, {1, 0, 2}) : state);
  return n.finish();
}

LogicalResult buildLstm(NodeBuilder &n) {
  // ONNX: i o f c, graven: i f g o.
  auto l = readLayer(n, {0, 2, 3, 1}, 3);
  if (!l)
    return failure();
  Value c = n.input(6);
  if (c && l->batchFirst)
    c = n.transpose(c, {1, 0, 2});
  Value peephole = permuteBlocks(n, n.input(7), 1, l->hidden, {0, 2, 1});
  return setOutputs(n, *l,
                    n.makeAll<LstmOp>(l->x, l->w, l->r, l->biasW, l->biasR,
                                      l->lengths, l->h, c, peephole,
                                      l->direction, l->activations, l->alpha,
                                      l->beta, llvm::APFloat(l->clip),
                                      n.flagAttr("input_forget")));
}

/// Weights are [D, I, 4H] and [D, H, 4H] codes, with scales and zero points of
/// all or of the columns. What the kernel of ONNX Runtime quantizes at each
/// step, x and h, stays as it is: the result is as near as codes are.
LogicalResult buildDynamicQuantizeLstm(NodeBuilder &n) {
  for (auto [weights, scale] : {std::pair<size_t, size_t>{1, 8}, {2, 10}}) {
    Value codes = n.input(weights), factor = n.input(scale),
          zero = n.input(scale + 1);
    if (!factor || !zero || n.rankOf(codes) != 3)
      return n.error(Code::BadGraph) << "weights of type " << n.typeOf(codes)
                                     << " have no scale or zero point";
    Type type = n.elementTypeOf(factor);
    auto perColumn = [&](Value list) {
      IntList shape = n.shapeOf(list);
      if (shape.size() == 2)
        return n.reshape(list, {shape[0], 1, shape[1]});
      return shape.size() == 1 ? n.reshape(list, {shape[0], 1, 1}) : list;
    };
    Value values = n.binary<MulOp>(
        n.binary<SubOp>(n.cast(codes, type), n.cast(perColumn(zero), type)),
        perColumn(factor));
    n.setInput(weights, n.transpose(values, {0, 2, 1}));
  }
  return n.hasFailed() ? failure() : buildLstm(n);
}

LogicalResult buildGru(NodeBuilder &n) {
  // ONNX: z r h, graven: r z n.
  auto l = readLayer(n, {1, 0, 2}, 2);
  if (!l)
    return failure();
  return setOutputs(n, *l,
                    n.makeAll<GruOp>(l->x, l->w, l->r, l->biasW, l->biasR,
                                     l->lengths, l->h, l->direction,
                                     l->activations, l->alpha, l->beta,
                                     llvm::APFloat(l->clip),
                                     n.flagAttr("linear_before_reset")));
}

LogicalResult buildRnn(NodeBuilder &n) {
  auto l = readLayer(n, {0}, 1);
  if (!l)
    return failure();
  return setOutputs(n, *l,
                    n.makeAll<RnnOp>(l->x, l->w, l->r, l->biasW, l->biasR,
                                     l->lengths, l->h, l->direction,
                                     l->activations, l->alpha, l->beta,
                                     llvm::APFloat(l->clip)));
}

} // namespace

void addRecurrent(OpTable &table) {
  table.add("com.microsoft/DynamicQuantizeLSTM", 3, buildDynamicQuantizeLstm);
  table.add("LSTM", 3, buildLstm);
  table.add("GRU", 3, buildGru);
  table.add("RNN", 3, buildRnn);
}

} // namespace graven::onnx
