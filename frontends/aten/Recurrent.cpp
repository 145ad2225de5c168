//===- Recurrent.cpp - ATen's recurrent layers and cells ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds LSTM, GRU and simple recurrent networks: a Node for each
// layer, both directions in one. A cell is a layer of one step.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"
#include "frontends/aten/Ragged.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {

enum class Network { Lstm, Gru, RnnTanh, RnnRelu };

/// The operands of one layer, directions stacked on axis 0.
struct Layer {
  mlir::Value x, w, r, biasW, biasR, h, c;
  mlir::Value lengths = {}; ///< of the sequences; null when all are whole
  Direction direction = Direction::Forward;
};

using Outputs = llvm::SmallVector<mlir::Value, 3>;

/// y, the last h and, of an LSTM, the last c; empty after an error.
Outputs emitLayer(Call &c, Network network, const Layer &l) {
  llvm::APFloat clip(0.0);
  auto all = [](auto op) {
    return mlir::failed(op) ? Outputs() : Outputs(op->getResults());
  };
  if (network == Network::Lstm)
    return all(tryCreate<LstmOp>(
        c.builder, c.loc, l.x, l.w, l.r, l.biasW, l.biasR, l.lengths, l.h, l.c,
        mlir::Value(), l.direction, mlir::ArrayAttr(),
        mlir::DenseF64ArrayAttr(), mlir::DenseF64ArrayAttr(), clip, false));
  if (network == Network::Gru)
    return all(tryCreate<GruOp>(
        c.builder, c.loc, l.x, l.w, l.r, l.biasW, l.biasR, l.lengths, l.h,
        l.direction, mlir::ArrayAttr(), mlir::DenseF64ArrayAttr(),
        mlir::DenseF64ArrayAttr(), clip, /*linear_before_reset=*/true));
  mlir::ArrayAttr activations;
  if (network == Network::RnnRelu)
    activations = c.builder.getStrArrayAttr(llvm::SmallVector<StringRef>(
        l.direction == Direction::Bidirectional ? 2 : 1, "relu"));
  return all(tryCreate<RnnOp>(c.builder, c.loc, l.x, l.w, l.r, l.biasW, l.biasR,
                              l.lengths, l.h, l.direction, activations,
                              mlir::DenseF64ArrayAttr(),
                              mlir::DenseF64ArrayAttr(), clip));
}

/// Puts the initial state of each direction, [D, B, P], beside the input of the
/// step that direction begins with, as P more features with w_hh as weights.
void feedStates(Call &c, Layer &l) {
  Shape shape = c.shape(l.x), weights = c.shape(l.r);
  llvm::SmallVector<mlir::Value> inputs{l.x};
  int64_t directions = weights[0], steps = shape[0];
  llvm::SmallVector<mlir::Value> rows;
  for (int64_t d = 0; d < directions; ++d) {
    Shape low(3, 0), high(3, 0);
    (d == 0 ? high : low)[0] = steps - 1;
    mlir::Value state = c.slice(l.h, 0, d, d + 1);
    inputs.push_back(state ? c.make<PadOp>(state, mlir::Value(), low, high,
                                           PadMode::Constant)
                           : state);
    llvm::SmallVector<mlir::Value> columns{c.slice(l.w, 0, d, d + 1)};
    for (int64_t of = 0; of < directions; ++of)
      columns.push_back(
          of == d ? c.slice(l.r, 0, d, d + 1)
                  : c.full(c.element(l.r), {1, weights[1], weights[2]}, 0.0));
    rows.push_back(c.concat(columns, 2));
  }
  l.x = c.concat(inputs, 2);
  l.w = c.concat(rows, 0);
}

/// An LSTM whose h is w_hr [D, P, H] times what it would be: w_hh w_hr is what
/// the unprojected h is multiplied with, and all steps are projected behind it.
Outputs emitProjected(Call &c, Layer l, mlir::Value projections) {
  Shape state = c.shape(l.c);
  if (c.element(l.x).getIntOrFloatBitWidth() < 32) {
    c.fail() << "projections (proj_size) in 16 bits";
    return {};
  }
  auto known = c.evaluate(l.h);
  bool isZero = known.has_value();
  for (int64_t i = 0; isZero && i < known->size(); ++i)
    isZero = known->getDouble(i) == 0;
  if (!isZero) {
    if (l.lengths && state[0] == 2) {
      c.fail()
          << "projections (proj_size) of packed sequences in two directions "
             "begin with zeros only";
      return {};
    }
    feedStates(c, l);
  }
  l.h = c.full(c.element(l.c), state, 0.0);
  l.r = l.r && projections ? c.make<MatmulOp>(l.r, projections) : l.r;
  if (!l.x || !l.w || !l.r || !projections)
    return {};
  Outputs outputs = emitLayer(c, Network::Lstm, l);
  if (outputs.empty())
    return {};
  llvm::SmallVector<mlir::Value> ys, hs;
  for (int64_t d = 0; d < state[0]; ++d) {
    mlir::Value w = c.select(projections, 0, d);
    ys.push_back(timesMatrix(
        c, c.slice(outputs[0], 2, d * state[2], (d + 1) * state[2]), w,
        /*transposed=*/true));
    hs.push_back(timesMatrix(c, c.slice(outputs[1], 0, d, d + 1), w,
                             /*transposed=*/true));
  }
  outputs[0] = c.concat(ys, 2);
  outputs[1] = c.concat(hs, 0);
  return outputs[0] && outputs[1] ? outputs : Outputs();
}

/// The tensors of a stack of layers as they are listed in `params`: for each
/// layer and direction w_ih, w_hh, with biases b_ih and b_hh, and with
/// projections w_hr.
struct Stack {
  llvm::SmallVector<mlir::Value> params;
  int64_t layers, directions;
  bool biases, projects;

  int64_t perDirection() const { return (biases ? 4 : 2) + (projects ? 1 : 0); }
  /// Tensor `index` of the layer, directions on a new axis 0.
  mlir::Value take(Call &c, int64_t layer, int64_t index) const {
    llvm::SmallVector<mlir::Value> parts;
    for (int64_t d = 0; d < directions; ++d)
      parts.push_back(c.unsqueeze(
          params[(layer * directions + d) * perDirection() + index], 0));
    return directions == 1 ? parts[0] : c.concat(parts, 0);
  }
};

/// The initial states, [layers D, B, H] each.
llvm::SmallVector<mlir::Value> statesOf(Call &c, Network network) {
  if (network == Network::Lstm)
    return c.tensors("hx");
  return {c.tensor("hx")};
}

/// Whether this use of the operator has a meaning here; otherwise says why.
bool isSupported(Call &c, Network network, const Stack &stack, mlir::Value x,
                 llvm::ArrayRef<mlir::Value> states) {
  auto dropout = c.number("dropout");
  if (!dropout)
    return false;
  if (c.flag("train") && *dropout != 0 && stack.layers > 1) {
    c.fail(Code::TrainingMode) << "dropout is on";
    return false;
  }
  size_t expected = network == Network::Lstm ? 2 : 1;
  if (states.size() != expected || llvm::is_contained(states, mlir::Value()) ||
      llvm::is_contained(stack.params, mlir::Value())) {
    c.fail() << "needs " << expected << " initial states and its parameters";
    return false;
  }
  int64_t count = stack.layers * stack.directions;
  if (static_cast<int64_t>(stack.params.size()) !=
      count * stack.perDirection()) {
    c.fail() << "has " << stack.params.size() << " parameters, expected "
             << count * stack.perDirection();
    return false;
  }
  if (!x || c.rank(x) != 3 || c.rank(states[0]) != 3 ||
      c.type(states[0]).getDimSize(0) != count) {
    c.fail() << "needs an input of rank 3 and " << count << " initial states";
    return false;
  }
  return true;
}

template <Network network> void recurrent(Call &c) {
  auto layers = c.integer("num_layers");
  if (!layers)
    return;
  auto states = statesOf(c, network);
  bool projects = network == Network::Lstm && states.size() == 2 && states[0] &&
                  states[1] && c.shape(states[0]) != c.shape(states[1]);
  Stack stack{c.tensors("params"), *layers, c.flag("bidirectional") ? 2 : 1,
              c.flag("has_biases"), projects};
  const Ragged *packed = Ragged::in(c.argument("data"));
  if (c.has("data") && (!packed || !packed->is(Ragged::Part::Packed))) {
    c.fail() << "needs a packed sequence";
    return;
  }
  mlir::Value x = packed ? packed->padded->read(c.builder) : c.tensor("input");
  if (!isSupported(c, network, stack, x, states))
    return;
  mlir::Value lengths =
      packed ? packed->lengths->read(c.builder) : mlir::Value();
  bool batchFirst = c.flag("batch_first");
  if (batchFirst)
    x = c.transpose(x, {1, 0, 2});
  llvm::SmallVector<llvm::SmallVector<mlir::Value>, 2> finals(states.size());
  for (int64_t layer = 0; layer < *layers; ++layer) {
    auto state = [&](size_t index) {
      if (index >= states.size() || stack.layers == 1)
        return index < states.size() ? states[index] : mlir::Value();
      int64_t start = layer * stack.directions;
      return c.slice(states[index], 0, start, start + stack.directions);
    };
    Layer l{x,
            stack.take(c, layer, 0),
            stack.take(c, layer, 1),
            stack.biases ? stack.take(c, layer, 2) : mlir::Value(),
            stack.biases ? stack.take(c, layer, 3) : mlir::Value(),
            state(0),
            state(1),
            lengths,
            stack.directions == 2 ? Direction::Bidirectional
                                  : Direction::Forward};
    Outputs outputs =
        projects ? emitProjected(c, l,
                                 stack.take(c, layer, stack.perDirection() - 1))
                 : emitLayer(c, network, l);
    if (outputs.empty()) {
      c.fail() << "layer " << layer << " is malformed";
      return;
    }
    x = outputs[0];
    for (auto [index, list] : llvm::enumerate(finals))
      list.push_back(outputs[index + 1]);
  }
  if (packed)
    c.results.push_back(packed->with(Tensor::make(x)));
  else
    c.give(batchFirst ? c.transpose(x, {1, 0, 2}) : x);
  for (auto &list : finals)
    c.give(list.size() == 1 ? list[0] : c.concat(list, 0));
}

template <Network network> void cell(Call &c) {
  auto states = statesOf(c, network);
  if (states.size() != (network == Network::Lstm ? 2 : 1) ||
      c.rank(c.tensor("input")) != 2 || c.rank(states[0]) != 2) {
    c.fail() << "needs an input and states of rank 2";
    return;
  }
  auto row = [&](StringRef name) {
    mlir::Value value = c.tensor(name);
    return value ? c.unsqueeze(value, 0) : value;
  };
  Layer l{row("input"),
          row("w_ih"),
          row("w_hh"),
          row("b_ih"),
          row("b_hh"),
          c.unsqueeze(states[0], 0),
          states.size() > 1 ? c.unsqueeze(states[1], 0) : mlir::Value()};
  Outputs outputs = emitLayer(c, network, l);
  if (outputs.empty()) {
    c.fail() << "the cell is malformed";
    return;
  }
  for (mlir::Value state : llvm::ArrayRef(outputs).drop_front())
    c.give(c.select(state, 0, 0));
}

} // namespace

void graven::aten::addRecurrent(Table &t) {
  t.addForExtensions("lstm", recurrent<Network::Lstm>);
  t.addForExtensions("gru", recurrent<Network::Gru>);
  t.addForExtensions("rnn_tanh", recurrent<Network::RnnTanh>);
  t.addForExtensions("rnn_relu", recurrent<Network::RnnRelu>);
  t.add("lstm_cell", cell<Network::Lstm>);
  t.add("gru_cell", cell<Network::Gru>);
  t.add("rnn_tanh_cell", cell<Network::RnnTanh>);
  t.add("rnn_relu_cell", cell<Network::RnnRelu>);
}
