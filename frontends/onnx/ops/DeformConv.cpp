//===- DeformConv.cpp - convolutions with moving taps ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builder of DeformConv. Pixels are rows of channels;
// a tap is a sum of four weighted rows, and what the taps give is multiplied
// with the weights.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Of the taps [N, G, K, P] along one axis: a pixel beside each and its weight,
/// which is 0 outside of the image.
struct Pixel {
  Value at, weight;
};

/// The pixel below a place, and the one after it.
std::pair<Pixel, Pixel> around(NodeBuilder &n, Value place, int64_t extent) {
  Type type = n.elementTypeOf(place);
  auto number = [&](double value) { return n.scalar(type, value); };
  Value isNear =
      n.binary<AndOp>(n.compare(ComparePredicate::Gt, place, number(-1)),
                      n.compare(ComparePredicate::Lt, place, number(extent)));
  place = n.select(isNear, place, number(0));
  Value low = n.make<FloorOp>(place), rest = n.binary<SubOp>(place, low);
  auto pixel = [&](Value at, Value weight) {
    Value isInside = n.binary<AndOp>(
        isNear, n.binary<AndOp>(
                    n.compare(ComparePredicate::Ge, at, number(0)),
                    n.compare(ComparePredicate::Le, at, number(extent - 1))));
    at = n.make<ClampOp>(at, number(0), number(extent - 1));
    return Pixel{n.cast(at, n.getBuilder().getI64Type()),
                 n.select(isInside, weight, number(0))};
  };
  return {pixel(low, n.binary<SubOp>(number(1), rest)),
          pixel(n.binary<AddOp>(low, number(1)), rest)};
}

struct DeformConv {
  NodeBuilder &n;
  IntList in, kernel, out;
  int64_t groups, parts;
  WindowSpec window;

  int64_t taps() const { return kernel[2] * kernel[3]; }
  int64_t places() const { return out[2] * out[3]; }
  int64_t pixels() const { return in[2] * in[3]; }

  bool read();
  Value positions(Value offset, int64_t axis) const;
  Value sampled() const;
};

bool DeformConv::read() {
  auto x = n.staticShape(n.input(0)), w = n.staticShape(n.input(1)),
       offset = n.staticShape(n.input(2));
  if (!x || !w || !offset)
    return false;
  if (x->size() != 4 || w->size() != 4 || offset->size() != 4) {
    n.error(Code::UnsupportedFeature)
        << "operands of rank " << x->size() << ", " << w->size() << " and "
        << offset->size() << ", expected 4";
    return false;
  }
  auto spec = readWindow(n, n.input(0), n.input(1));
  if (!spec)
    return false;
  in = *x, kernel = *w, out = *offset, window = *spec;
  groups = n.intAttr("group", 1), parts = n.intAttr("offset_group", 1);
  auto extentOf = [&](int64_t axis) {
    int64_t reach = window.dilations[axis] * (kernel[axis + 2] - 1) + 1;
    return (in[axis + 2] + window.pads[axis] + window.pads[axis + 2] - reach) /
               window.strides[axis] +
           1;
  };
  bool fits = groups > 0 && parts > 0 && pixels() > 0 && taps() > 0 &&
              in[1] % parts == 0 && in[1] == kernel[1] * groups &&
              kernel[0] % groups == 0 && out[0] == in[0] &&
              out[1] == 2 * parts * taps() && out[2] == extentOf(0) &&
              out[3] == extentOf(1);
  if (!fits)
    n.error(Code::BadGraph)
        << "an input of type " << n.typeOf(n.input(0)) << ", weights of "
        << n.typeOf(n.input(1)) << " and offsets of " << n.typeOf(n.input(2))
        << " do not agree";
  return fits;
}

/// Where the taps [N, G, K, P] lie along an axis.
Value DeformConv::positions(Value offset, int64_t axis) const {
  Type type = n.elementTypeOf(n.input(0));
  auto iota = [&](IntList shape, int64_t along) {
    return n.make<IotaOp>(ValueRange(), shape, along, type);
  };
  auto times = [&](Value x, int64_t factor) {
    return n.binary<MulOp>(x, n.scalar(type, factor));
  };
  Value tap = n.reshape(
      times(iota({kernel[2], kernel[3]}, axis), window.dilations[axis]),
      {1, 1, taps(), 1});
  Value place =
      n.reshape(times(iota({out[2], out[3]}, axis), window.strides[axis]),
                {1, 1, 1, places()});
  place = n.binary<SubOp>(place, n.scalar(type, window.pads[axis]));
  Value moved = n.reshape(n.slice(offset, 3, axis, axis + 1),
                          {out[0], parts, taps(), places()});
  return n.binary<AddOp>(n.binary<AddOp>(place, tap), moved);
}

/// What the taps see: [N, G, K, P, C / G].
Value DeformConv::sampled() const {
  Value offset = n.reshape(n.input(2), {out[0], parts, taps(), 2, places()});
  auto rows = around(n, positions(offset, 0), in[2]),
       columns = around(n, positions(offset, 1), in[3]);
  int64_t depth = in[1] / parts;
  Value image = n.reshape(
      n.transpose(n.reshape(n.input(0), {in[0], parts, depth, pixels()}),
                  {0, 1, 3, 2}),
      {in[0] * parts * pixels(), depth});
  Type i64 = n.getBuilder().getI64Type();
  Value first = n.binary<MulOp>(
      n.make<IotaOp>(ValueRange(), IntList{in[0] * parts}, int64_t(0), i64),
      n.scalar(i64, pixels()));
  first = n.reshape(first, {in[0], parts, 1, 1});
  Value sum;
  for (const Pixel &y : {rows.first, rows.second})
    for (const Pixel &x : {columns.first, columns.second}) {
      Value at = n.binary<AddOp>(
          first,
          n.binary<AddOp>(n.binary<MulOp>(y.at, n.scalar(i64, in[3])), x.at));
      Value weight = n.reshape(n.binary<MulOp>(y.weight, x.weight),
                               {out[0], parts, taps(), places(), 1});
      Value term = n.binary<MulOp>(
          n.make<GatherOp>(image, at, int64_t(0), /*nonneg=*/true), weight);
      sum = sum ? n.binary<AddOp>(sum, term) : term;
    }
  return sum;
}

LogicalResult buildDeformConv(NodeBuilder &n) {
  DeformConv c{n, {}, {}, {}, 0, 0, {}};
  if (!c.read())
    return failure();
  Value seen = c.sampled();
  if (Value mask = n.input(4)) {
    if (n.shapeOf(mask) !=
        IntList{c.out[0], c.parts * c.taps(), c.out[2], c.out[3]})
      return n.error(Code::BadGraph)
             << "the mask has type " << n.typeOf(mask) << " for offsets of "
             << n.typeOf(n.input(2));
    seen = n.binary<MulOp>(
        seen, n.reshape(mask, {c.out[0], c.parts, c.taps(), c.places(), 1}));
  }
  // To [N, groups, C / groups * K, P].
  int64_t depth = c.kernel[1] * c.taps(), rows = c.kernel[0] / c.groups;
  seen = n.reshape(n.transpose(seen, {0, 1, 4, 2, 3}),
                   {c.in[0], c.groups, depth, c.places()});
  Value weights = n.expand(n.reshape(n.input(1), {1, c.groups, rows, depth}),
                           {c.in[0], c.groups, rows, depth});
  Value y = n.reshape(n.make<MatmulOp>(weights, seen, false, false),
                      {c.in[0], c.kernel[0], c.out[2], c.out[3]});
  if (n.input(3))
    y = n.binary<AddOp>(y, n.reshape(n.input(3), {c.kernel[0], 1, 1}));
  return n.finish(y);
}

} // namespace

void addDeformConv(OpTable &table) {
  table.add("DeformConv", 3, buildDeformConv);
}

} // namespace graven::onnx
