//===- Recurrent.cpp - recurrent networks ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses lstm, gru and rnn: gates in ONNX's order, biases
// together, directions of y apart.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

namespace {

/// ONNX's name of a gate's function, and whether it has parameters.
struct Function {
  const char *name = nullptr;
  bool takesAlpha = false, takesBeta = false;
};

Function functionOf(llvm::StringRef name) {
  return llvm::StringSwitch<Function>(name)
      .Case("relu", {"Relu"})
      .Case("tanh", {"Tanh"})
      .Case("sigmoid", {"Sigmoid"})
      .Case("affine", {"Affine", true, true})
      .Case("leaky_relu", {"LeakyRelu", true})
      .Case("thresholded_relu", {"ThresholdedRelu", true})
      .Case("scaled_tanh", {"ScaledTanh", true, true})
      .Case("hard_sigmoid", {"HardSigmoid", true, true})
      .Case("elu", {"Elu", true})
      .Case("softsign", {"Softsign"})
      .Case("softplus", {"Softplus"})
      .Default({});
}

/// Places of blocks along axis 1 in another order.
Ints rowsOf(Value value, ArrayRef<int64_t> order) {
  int64_t hidden = Exporter::typeOf(value).getDimSize(1) / order.size();
  Ints rows;
  for (int64_t block : order)
    for (int64_t i = 0; i < hidden; ++i)
      rows.push_back(block * hidden + i);
  return rows;
}

/// Rows along axis 1 of one or several known tensors, side by side.
eval::Tensor gathered(ArrayRef<eval::Tensor> tensors, ArrayRef<int64_t> rows) {
  RankedTensorType type = tensors.front().getType();
  Ints shape(type.getShape());
  int64_t own = shape[1],
          width = tensors.front().size() / std::max<int64_t>(shape[0] * own, 1);
  shape[1] = tensors.size() * rows.size();
  eval::Tensor result(RankedTensorType::get(shape, type.getElementType()));
  int64_t to = 0;
  for (int64_t direction = 0; direction < shape[0]; ++direction)
    for (const eval::Tensor &tensor : tensors)
      for (int64_t row : rows) {
        result.copy(to, tensor, (direction * own + row) * width, width);
        to += width;
      }
  return result;
}

/// Blocks along axis 1 in another order: weights are written so, of others one
/// node is made, which a runtime folds.
Name permuted(Exporter &e, Value value, ArrayRef<int64_t> order) {
  Name name = e.name(value);
  if (name.empty() || order.size() == 1)
    return name;
  Ints rows = rowsOf(value, order);
  if (auto tensor = e.known(value))
    return e.rewritten(value, gathered(*tensor, rows));
  return e.make("Gather", {name, e.ints(rows)}, {{"axis", 1}});
}

/// Both biases along axis 1; zeros for one that is not there.
Name biases(Exporter &e, Value w, Value r, ArrayRef<int64_t> order) {
  auto knownW = w ? e.known(w) : std::nullopt,
       knownR = r ? e.known(r) : std::nullopt;
  if (knownW && knownR)
    return e.rewritten(w, gathered({*knownW, *knownR}, rowsOf(w, order)));
  Value one = w ? w : r;
  auto part = [&](Value value) {
    return value ? permuted(e, value, order)
                 : e.splat(Exporter::element(one),
                           Exporter::typeOf(one).getShape(), 0);
  };
  Name first = part(w);
  return e.make("Concat", {first, part(r)}, {{"axis", 1}});
}

template <class Op>
void addFunctions(Op op, SmallVectorImpl<Attr> &attributes) {
  if (!op.getActivations())
    return;
  SmallVector<std::string> names;
  SmallVector<float> alphas, betas;
  for (auto [i, entry] : llvm::enumerate(*op.getActivations())) {
    Function function = functionOf(cast<StringAttr>(entry).getValue());
    names.push_back(function.name);
    if (function.takesAlpha && op.getAlpha())
      alphas.push_back((*op.getAlpha())[i]);
    if (function.takesBeta && op.getBeta())
      betas.push_back((*op.getBeta())[i]);
  }
  attributes.push_back({"activations", std::move(names)});
  if (!alphas.empty())
    attributes.push_back({"activation_alpha", std::move(alphas)});
  if (!betas.empty())
    attributes.push_back({"activation_beta", std::move(betas)});
}

/// `order` has, for each block of ONNX, its place in graven; `states` are the
/// inputs behind the lengths.
template <class Op>
void layer(Exporter &e, Op op, const char *node, ArrayRef<int64_t> order,
           Names states, ArrayRef<Attr> more) {
  auto r = e.shape(op, op.getR());
  if (!r)
    return;
  int64_t directions = (*r)[0], hidden = (*r)[2];
  if (e.opset() < 14 && !Exporter::isFloat(op.getX()))
    return e.unsupported(op, "elements that are no floats");
  Name bias = op.getBiasW() || op.getBiasR()
                  ? biases(e, op.getBiasW(), op.getBiasR(), order)
                  : Name();
  Name lengths = e.name(op.getSeqLens());
  if (!lengths.empty() && !Exporter::element(op.getSeqLens()).isInteger(32))
    lengths = e.cast(lengths, IntegerType::get(op.getContext(), 32));
  Names inputs{e.name(op.getX()), permuted(e, op.getW(), order),
               permuted(e, op.getR(), order), bias, lengths};
  llvm::append_range(inputs, states);
  SmallVector<Attr> attributes{
      {"hidden_size", hidden},
      {"direction", stringifyDirection(op.getDirection()).str()}};
  addFunctions(op, attributes);
  if (double clip = op.getClip().convertToDouble())
    attributes.push_back({"clip", clip});
  llvm::append_range(attributes, more);
  Names outputs = e.makeAll(node, inputs, attributes, op->getNumResults());
  // [T, D, B, H] to [T, B, D H]
  Name y = e.reshape(e.transpose(outputs[0], {0, 2, 1, 3}),
                     {0, 0, directions * hidden});
  outputs[0] = y;
  for (auto [result, name] : llvm::zip(op->getResults(), outputs))
    e.alias(result, name);
}

void express(Exporter &e, LstmOp op) {
  // ONNX: i o f c, graven: i f g o; peepholes i o f, and i f o.
  Names states{e.name(op.getH0()), e.name(op.getC0()),
               permuted(e, op.getPeephole(), {0, 2, 1})};
  SmallVector<Attr> more;
  if (op.getInputForget())
    more.push_back({"input_forget", 1});
  layer(e, op, "LSTM", {0, 3, 1, 2}, states, more);
}

void express(Exporter &e, GruOp op) {
  // ONNX: z r h, graven: r z n.
  layer(e, op, "GRU", {1, 0, 2}, {e.name(op.getH0())},
        {{"linear_before_reset", op.getLinearBeforeReset()}});
}

void express(Exporter &e, RnnOp op) {
  layer(e, op, "RNN", {0}, {e.name(op.getH0())}, {});
}

} // namespace

void addRecurrentExports(ExportTable &table) {
  table.add<LstmOp, express>();
  table.add<GruOp, express>();
  table.add<RnnOp, express>();
}

} // namespace graven::onnx
