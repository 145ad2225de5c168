//===- Recurrent.cpp - types of recurrent layers --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference and checks of lstm, gru and rnn.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Recurrent.h"
#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

static constexpr Activation lstmActivations[] = {
    Activation::Sigmoid, Activation::Tanh, Activation::Tanh};
static constexpr RecurrentKind lstmKind{4, lstmActivations},
    gruKind{3, ArrayRef(lstmActivations, 2)},
    rnnKind{1, ArrayRef(lstmActivations + 1, 1)};

const RecurrentKind &kindOf(LstmOp) { return lstmKind; }
const RecurrentKind &kindOf(GruOp) { return gruKind; }
const RecurrentKind &kindOf(RnnOp) { return rnnKind; }

SmallVector<GateFunction> gateFunctionsOf(const RecurrentKind &kind,
                                          std::optional<ArrayAttr> activations,
                                          std::optional<ArrayRef<double>> alpha,
                                          std::optional<ArrayRef<double>> beta,
                                          int64_t direction) {
  SmallVector<GateFunction> functions;
  size_t count = kind.activations.size(), start = direction * count;
  for (size_t i = 0; i < count; ++i) {
    GateFunction function{kind.activations[i]};
    if (activations)
      function.function = *symbolizeActivation(
          cast<StringAttr>((*activations)[start + i]).getValue());
    if (alpha)
      function.alpha = (*alpha)[start + i];
    if (beta)
      function.beta = (*beta)[start + i];
    functions.push_back(function);
  }
  return functions;
}

namespace {

/// The extents of a layer, as far as its operands tell.
struct Geometry {
  int64_t directions, gates, steps, batch, input, hidden;

  int64_t rows() const {
    return ShapedType::isDynamic(hidden) ? hidden : gates * hidden;
  }
};

} // namespace

/// Fails unless an optional operand has the shape.
static LogicalResult checkOptional(OptionalLoc loc, StringRef what, Value value,
                                   ArrayRef<int64_t> shape, StringRef label) {
  return value ? checkShape(loc, what, tensorOf(value).getShape(), shape, label)
               : success();
}

template <class Adaptor>
static LogicalResult checkActivations(OptionalLoc loc, Adaptor adaptor,
                                      const RecurrentKind &kind) {
  size_t expected =
      kind.activations.size() * directionsOf(adaptor.getDirection());
  std::optional<ArrayAttr> names = adaptor.getActivations();
  if (names) {
    if (names->size() != expected)
      return emitOptionalError(loc, "activations has ", names->size(),
                               " entries, expected ", expected, " (C6)");
    for (Attribute name : *names)
      if (!symbolizeActivation(cast<StringAttr>(name).getValue()))
        return emitOptionalError(loc, "activation ", name,
                                 " is not known (C6)");
  }
  for (auto [what, list] : {std::pair("alpha", adaptor.getAlpha()),
                            std::pair("beta", adaptor.getBeta())})
    if (list && (!names || list->size() != expected))
      return emitOptionalError(loc, what, " has ", list->size(),
                               " entries, expected ", names ? expected : 0,
                               ", one for each of the activations (C6)");
  return success();
}

/// Checks what the ops share; gives their extents.
template <class Adaptor>
static FailureOr<Geometry> inferGeometry(OptionalLoc loc, Adaptor adaptor,
                                         const RecurrentKind &kind,
                                         ArrayRef<Value> floats) {
  RankedTensorType x = tensorOf(adaptor.getX()), w = tensorOf(adaptor.getW()),
                   r = tensorOf(adaptor.getR());
  if (failed(checkElementTypes(loc, floats)) ||
      failed(checkRank(loc, "x", x.getRank(), 3, 3, "C2")) ||
      failed(checkRank(loc, "r", r.getRank(), 3, 3, "C2")))
    return failure();
  Geometry g{directionsOf(adaptor.getDirection()),
             kind.gates,
             x.getDimSize(0),
             x.getDimSize(1),
             x.getDimSize(2),
             r.getDimSize(2)};
  if (failed(checkShape(loc, "w", w.getShape(),
                        {g.directions, g.rows(), g.input}, "C2")) ||
      failed(checkShape(loc, "r", r.getShape(),
                        {g.directions, g.rows(), g.hidden}, "C2")) ||
      failed(checkOptional(loc, "bias_w", adaptor.getBiasW(),
                           {g.directions, g.rows()}, "C3")) ||
      failed(checkOptional(loc, "bias_r", adaptor.getBiasR(),
                           {g.directions, g.rows()}, "C3")) ||
      failed(checkOptional(loc, "seq_lens", adaptor.getSeqLens(), {g.batch},
                           "C4")) ||
      failed(checkOptional(loc, "h0", adaptor.getH0(),
                           {g.directions, g.batch, g.hidden}, "C5")) ||
      failed(checkActivations(loc, adaptor, kind)))
    return failure();
  double clip = adaptor.getClip().convertToDouble();
  if (!(clip >= 0) || !std::isfinite(clip))
    return emitOptionalError(loc, "clip is ", clip,
                             ", expected a finite number of at least 0 (C7)");
  return g;
}

/// Pushes the type of y and those of `states` states.
static LogicalResult pushTypes(OptionalLoc loc, const Geometry &g, Type element,
                               int states, InferredTypes &types) {
  int64_t columns =
      ShapedType::isDynamic(g.hidden) ? g.hidden : g.directions * g.hidden;
  if (failed(pushResult(loc, {g.steps, g.batch, columns}, element, types)))
    return failure();
  for (int i = 0; i < states; ++i)
    if (failed(
            pushResult(loc, {g.directions, g.batch, g.hidden}, element, types)))
      return failure();
  return success();
}

LogicalResult LstmOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                       Adaptor adaptor, InferredTypes &types) {
  auto g =
      inferGeometry(loc, adaptor, lstmKind,
                    {adaptor.getX(), adaptor.getW(), adaptor.getR(),
                     adaptor.getBiasW(), adaptor.getBiasR(), adaptor.getH0(),
                     adaptor.getC0(), adaptor.getPeephole()});
  if (failed(g))
    return failure();
  int64_t three = ShapedType::isDynamic(g->hidden) ? g->hidden : 3 * g->hidden;
  if (failed(checkOptional(loc, "c0", adaptor.getC0(),
                           {g->directions, g->batch, g->hidden}, "C5")) ||
      failed(checkOptional(loc, "peephole", adaptor.getPeephole(),
                           {g->directions, three}, "C8")))
    return failure();
  return pushTypes(loc, *g, tensorOf(adaptor.getX()).getElementType(), 2,
                   types);
}

template <class Adaptor>
static LogicalResult inferSimple(OptionalLoc loc, Adaptor adaptor,
                                 const RecurrentKind &kind,
                                 InferredTypes &types) {
  auto g =
      inferGeometry(loc, adaptor, kind,
                    {adaptor.getX(), adaptor.getW(), adaptor.getR(),
                     adaptor.getBiasW(), adaptor.getBiasR(), adaptor.getH0()});
  if (failed(g))
    return failure();
  return pushTypes(loc, *g, tensorOf(adaptor.getX()).getElementType(), 1,
                   types);
}

LogicalResult GruOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                      Adaptor adaptor, InferredTypes &types) {
  return inferSimple(loc, adaptor, gruKind, types);
}

LogicalResult RnnOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                      Adaptor adaptor, InferredTypes &types) {
  return inferSimple(loc, adaptor, rnnKind, types);
}

} // namespace graven
