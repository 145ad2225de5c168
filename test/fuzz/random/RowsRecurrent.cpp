//===- RowsRecurrent.cpp - recurrent layers ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the recurrent layers, with the operands that
// they may have and the activations that they may name.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

constexpr Range small = {-0.6, 0.6};

/// What the three layers have in common.
struct Layer {
  Value x, w, r, biasW, biasR, lengths, h0;
  Type element;
  Direction direction;
  ArrayAttr activations;
  DenseF64ArrayAttr alpha, beta;
  llvm::APFloat clip{0.0};
  int64_t directions, batch, hidden;

  Layer(Draft &d, int64_t gates, int64_t functions) {
    x = d.operand(Types::Float, 3, 3);
    element = Draft::elementOf(x);
    Draft::Shape shape = Draft::shapeOf(x);
    direction = d.pick(
        {Direction::Forward, Direction::Reverse, Direction::Bidirectional});
    directions = direction == Direction::Bidirectional ? 2 : 1;
    batch = shape[1];
    hidden = d.pick<int64_t>({1, 2, 3, 4, 8, 17});
    int64_t rows = gates * hidden;
    w = d.like(element, {directions, rows, shape[2]}, small);
    r = d.like(element, {directions, rows, hidden}, small);
    biasW = optional(d, {directions, rows});
    biasR = optional(d, {directions, rows});
    if (d.chance(40))
      lengths =
          d.like(d.chance(50) ? d.builder.getI64Type() : d.builder.getI32Type(),
                 {batch}, {0, double(shape[0])});
    h0 = optional(d, {directions, batch, hidden});
    if (d.chance(30))
      drawActivations(d, directions * functions);
    if (d.chance(20))
      clip = llvm::APFloat(0.5);
  }

  Value optional(Draft &d, ArrayRef<int64_t> shape) const {
    return d.chance(60) ? d.like(element, shape, small) : Value();
  }

  void drawActivations(Draft &d, int64_t count) {
    SmallVector<StringRef> names;
    SmallVector<double> alphas, betas;
    for (int64_t i = 0; i < count; ++i) {
      names.push_back(
          d.pick<StringRef>({"relu", "tanh", "sigmoid", "affine", "leaky_relu",
                             "thresholded_relu", "scaled_tanh", "hard_sigmoid",
                             "elu", "softsign", "softplus"}));
      alphas.push_back(d.pick({0.2, 0.5, 1.0}));
      betas.push_back(d.pick({0.1, 0.5}));
    }
    activations = d.builder.getStrArrayAttr(names);
    alpha = d.builder.getDenseF64ArrayAttr(alphas);
    beta = d.builder.getDenseF64ArrayAttr(betas);
  }
};

void drawLstm(Draft &d) {
  Layer layer(d, 4, 3);
  Value c0 = layer.optional(d, {layer.directions, layer.batch, layer.hidden});
  Value peephole;
  if (d.chance(30))
    peephole =
        d.like(layer.element, {layer.directions, 3 * layer.hidden}, small);
  d.add<LstmOp>(layer.x, layer.w, layer.r, layer.biasW, layer.biasR,
                layer.lengths, layer.h0, c0, peephole, layer.direction,
                layer.activations, layer.alpha, layer.beta, layer.clip,
                d.chance(15));
}

void drawGru(Draft &d) {
  Layer layer(d, 3, 2);
  d.add<GruOp>(layer.x, layer.w, layer.r, layer.biasW, layer.biasR,
               layer.lengths, layer.h0, layer.direction, layer.activations,
               layer.alpha, layer.beta, layer.clip, d.chance(60));
}

void drawRnn(Draft &d) {
  Layer layer(d, 1, 1);
  d.add<RnnOp>(layer.x, layer.w, layer.r, layer.biasW, layer.biasR,
               layer.lengths, layer.h0, layer.direction, layer.activations,
               layer.alpha, layer.beta, layer.clip);
}

} // namespace

llvm::ArrayRef<Row> getRecurrentRows() {
  static const Row rows[] = {
      row<LstmOp>(drawLstm),
      row<GruOp>(drawGru),
      row<RnnOp>(drawRnn),
  };
  return rows;
}

} // namespace graven::fuzz
