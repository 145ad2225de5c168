//===- Quantization.cpp - quantized_decomposed's operators ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators between which PyTorch's export quantization
// (PT2E) puts the float ones: rounding to integers of a scale and a zero point,
// the numbers that integers stand for, and the choice of scales from data.
// Source: PyTorch, torch/ao/quantization/fx/_decomposed.py.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {
/// What integers stand for: (q - zero) * scale. `zero` may be absent.
struct Scheme {
  mlir::Value scale, zero;
};
} // namespace

/// A number or tensor argument of one element without axes.
static mlir::Value single(Call &c, StringRef name, ScalarType numberType) {
  const Value &value = c.argument(name);
  if (!value.is(Value::Kind::Tensor))
    return c.operand(name, numberType);
  mlir::Value x = c.tensor(name);
  if (c.type(x).getNumElements() != 1)
    return c.failed("argument '" + name + "' of several elements");
  return c.reshape(x, {});
}

/// One scheme for the tensor.
static std::optional<Scheme> tensorScheme(Call &c) {
  Scheme scheme{single(c, "scale", ScalarType::Double),
                single(c, "zero_point", ScalarType::Long)};
  return scheme.scale && scheme.zero ? std::optional(scheme) : std::nullopt;
}

/// A scheme for each place along an axis, shaped to broadcast against x.
static std::optional<Scheme> channelScheme(Call &c, mlir::Value x) {
  auto axis = x ? c.axisOf("axis", x) : std::nullopt;
  if (!axis)
    return std::nullopt;
  Shape shape(c.rank(x), 1);
  shape[*axis] = c.type(x).getDimSize(*axis);
  Scheme scheme{c.tensor("scales"), c.tensor("zero_points")};
  for (mlir::Value *part : {&scheme.scale, &scheme.zero}) {
    if (*part && c.type(*part).getNumElements() != shape[*axis]) {
      c.fail() << "scheme of " << c.type(*part).getNumElements()
               << " channels, expected " << shape[*axis];
      return std::nullopt;
    }
    *part = c.reshape(*part, shape);
  }
  return scheme;
}

/// A scheme for each row: scales [.., 1].
static Scheme tokenScheme(Call &c) {
  return {c.tensor("scales"), c.tensor("zero_points")};
}

/// x [M, N] as rows of `group_size` elements, and the scheme of each.
static std::optional<std::pair<mlir::Value, Scheme>> grouped(Call &c) {
  mlir::Value x = c.tensor("input");
  auto size = c.integer("group_size");
  if (!x || !size)
    return std::nullopt;
  int64_t columns = c.rank(x) == 2 ? c.type(x).getDimSize(1) : 0;
  int64_t group = std::min(*size, columns);
  if (group < 1 || columns % group) {
    c.fail() << "groups of " << *size << " in rows of " << columns;
    return std::nullopt;
  }
  int64_t rows = c.type(x).getNumElements() / group;
  Scheme scheme = tokenScheme(c);
  for (mlir::Value *part : {&scheme.scale, &scheme.zero}) {
    if (*part && c.type(*part).getNumElements() != rows) {
      c.fail() << "scheme of " << c.type(*part).getNumElements()
               << " groups, expected " << rows;
      return std::nullopt;
    }
    *part = c.reshape(*part, {rows, 1});
  }
  return std::pair(c.reshape(x, {rows, group}), scheme);
}

/// The type of a product with the scales: tensors with axes decide.
static mlir::Value inScaleType(Call &c, mlir::Value x, mlir::Value scale) {
  bool widens = c.rank(scale) > 0 && c.element(scale).isF64();
  return c.cast(x, widens ? ScalarType::Double : ScalarType::Float);
}

/// Where the zero point is added: before the integer is taken or after.
enum class ZeroPoint : uint8_t { BeforeRounding, AfterRounding };

/// The integer of each element of x, in the type `dtype` and within the bounds.
static mlir::Value quantized(Call &c, mlir::Value x, const Scheme &scheme,
                             ZeroPoint place) {
  mlir::Value low = single(c, "quant_min", ScalarType::Long),
              high = single(c, "quant_max", ScalarType::Long);
  if (!x || !scheme.scale || !low || !high)
    return {};
  mlir::Value one = c.scalar(c.element(scheme.scale), 1.0);
  x = inScaleType(c, x, scheme.scale);
  mlir::Type type = c.element(x);
  x = c.binary<MulOp>(x, c.cast(c.binary<DivOp>(one, scheme.scale), type));
  if (place == ZeroPoint::AfterRounding)
    x = c.unary<RoundOp>(x);
  if (scheme.zero)
    x = c.binary<AddOp>(x, c.cast(scheme.zero, type));
  if (place == ZeroPoint::BeforeRounding)
    x = c.unary<RoundOp>(x);
  x = x ? c.make<ClampOp>(x, c.cast(low, type), c.cast(high, type)) : x;
  auto target = c.dtype();
  return target ? c.cast(x, *target) : x;
}

/// The numbers that integers stand for. The difference is taken in `compute`,
/// or, without, in the type that the integers promote to.
static mlir::Value dequantized(Call &c, mlir::Value q, const Scheme &scheme,
                               ScalarType result,
                               std::optional<ScalarType> compute) {
  if (!q || !scheme.scale)
    return {};
  if (!compute && scheme.zero) {
    compute = promote(c.scalarType(q), c.scalarType(scheme.zero));
    if (!compute)
      return c.failed("types of integers and zero points");
  }
  if (compute)
    q = c.cast(q, *compute);
  if (scheme.zero)
    q = c.binary<SubOp>(q, c.cast(scheme.zero, c.element(q)));
  if (q && !c.isFloat(q))
    q = inScaleType(c, q, scheme.scale);
  return q ? c.cast(c.binary<MulOp>(q, c.cast(scheme.scale, c.element(q))),
                    result)
           : q;
}

static ScalarType resultType(Call &c, StringRef name) {
  return c.dtype(name).value_or(ScalarType::Float);
}

//===----------------------------------------------------------------------===//
// The operators
//===----------------------------------------------------------------------===//

static mlir::Value quantizeTensor(Call &c) {
  auto scheme = tensorScheme(c);
  return scheme ? quantized(c, c.tensor("input"), *scheme,
                            ZeroPoint::AfterRounding)
                : mlir::Value();
}
static mlir::Value dequantizeTensor(Call &c) {
  auto scheme = tensorScheme(c);
  ScalarType type = resultType(c, "out_dtype");
  ScalarType compute = type == ScalarType::Double ? type : ScalarType::Float;
  return scheme ? dequantized(c, c.tensor("input"), *scheme, type, compute)
                : mlir::Value();
}

static mlir::Value quantizeChannels(Call &c) {
  mlir::Value x = c.tensor("input");
  auto scheme = channelScheme(c, x);
  return scheme ? quantized(c, x, *scheme, ZeroPoint::AfterRounding)
                : mlir::Value();
}
static mlir::Value dequantizeChannels(Call &c) {
  mlir::Value q = c.tensor("input");
  auto scheme = channelScheme(c, q);
  return scheme ? dequantized(c, q, *scheme, resultType(c, "out_dtype"),
                              std::nullopt)
                : mlir::Value();
}
static mlir::Value fakeQuantizeChannels(Call &c) {
  mlir::Value x = c.tensor("input");
  auto scheme = channelScheme(c, x);
  if (!scheme)
    return {};
  mlir::Value q = quantized(c, x, *scheme, ZeroPoint::AfterRounding);
  return q ? dequantized(c, q, *scheme, c.scalarType(x), c.scalarType(q)) : q;
}

static mlir::Value quantizeTokens(Call &c) {
  return quantized(c, c.tensor("input"), tokenScheme(c),
                   ZeroPoint::BeforeRounding);
}
static mlir::Value dequantizeTokens(Call &c) {
  return dequantized(c, c.tensor("input"), tokenScheme(c),
                     resultType(c, "output_dtype"), std::nullopt);
}

static mlir::Value quantizeGroups(Call &c) {
  auto groups = grouped(c);
  return groups ? c.reshape(quantized(c, groups->first, groups->second,
                                      ZeroPoint::BeforeRounding),
                            c.shape(c.tensor("input")))
                : mlir::Value();
}
static mlir::Value dequantizeGroups(Call &c) {
  auto groups = grouped(c);
  return groups ? c.reshape(dequantized(c, groups->first, groups->second,
                                        resultType(c, "output_dtype"),
                                        std::nullopt),
                            c.shape(c.tensor("input")))
                : mlir::Value();
}

//===----------------------------------------------------------------------===//
// Scales from data
//===----------------------------------------------------------------------===//

/// The scale of the range of a tensor, f64 [1], and its zero point, i64 [1].
template <bool kIsSymmetric> static void chooseForTensor(Call &c) {
  auto low = c.integer("quant_min"), high = c.integer("quant_max");
  auto epsilon = c.number("eps");
  if (!low || !high || !epsilon)
    return;
  mlir::Value x = c.cast(c.tensor("input"), ScalarType::Float);
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(0, c.rank(x)));
  mlir::Value zero = c.full(c.element(x), {}, 0.0);
  mlir::Value least =
      c.binary<MinOp>(c.reduce(ReduceKind::Min, x, axes, /*keep=*/false), zero);
  mlir::Value most =
      c.binary<MaxOp>(c.reduce(ReduceKind::Max, x, axes, /*keep=*/false), zero);
  double steps = static_cast<double>(*high) - static_cast<double>(*low);
  mlir::Value scale, point;
  if (kIsSymmetric) {
    most = c.binary<MaxOp>(c.unary<NegOp>(least), most);
    scale = c.binary<DivOp>(most, steps / 2);
    int64_t middle = c.dtype() == ScalarType::Byte ? 128 : 0;
    point = c.full(c.builder.getI64Type(), {}, middle);
  } else {
    scale = c.binary<DivOp>(c.binary<SubOp>(most, least), steps);
  }
  scale = c.binary<MaxOp>(scale, *epsilon);
  if (!kIsSymmetric) {
    point = c.cast(c.unary<RoundOp>(c.binary<DivOp>(least, scale)),
                   ScalarType::Long);
    mlir::Value bottom = c.full(c.builder.getI64Type(), {}, *low);
    point = c.binary<SubOp>(bottom, point);
    if (point)
      point = c.make<ClampOp>(point, bottom,
                              c.full(c.builder.getI64Type(), {}, *high));
  }
  c.give(c.cast(c.reshape(scale, {1}), ScalarType::Double));
  c.give(c.reshape(point, {1}));
}

/// A scale for each row by its greatest magnitude; zero points of 0.
static void chooseForTokens(Call &c) {
  mlir::Value x = c.tensor("input");
  if (c.rank(x) == 0 || c.dtype() != ScalarType::Char) {
    c.failed("a scale for rows of i8");
    return;
  }
  mlir::Value scale = c.reduce(ReduceKind::Max, c.unary<AbsOp>(x),
                               {c.rank(x) - 1}, /*keep=*/true);
  ScalarType type =
      c.scalarType(x) == ScalarType::Half ? ScalarType::Float : c.scalarType(x);
  scale = c.cast(scale, ScalarType::Float);
  scale = c.binary<DivOp>(c.binary<MaxOp>(scale, 1e-5), 127.0);
  c.give(c.cast(scale, type));
  if (scale)
    c.give(c.full(c.mlirType(type), c.shape(scale), 0.0));
}

/// A scale, f64 [.., 1], and a zero point, i64, for each row.
static void chooseForTokensAsymmetric(Call &c) {
  mlir::Value x = c.widened(c.tensor("input"));
  if (c.rank(x) == 0) {
    c.failed("a tensor without rows");
    return;
  }
  mlir::Value zero = c.scalar(c.element(x), 0.0, c.rank(x));
  Shape last{c.rank(x) - 1};
  mlir::Value least =
      c.binary<MinOp>(c.reduce(ReduceKind::Min, x, last, /*keep=*/true), zero);
  mlir::Value most =
      c.binary<MaxOp>(c.reduce(ReduceKind::Max, x, last, /*keep=*/true), zero);
  mlir::Value scale = c.binary<MaxOp>(
      c.binary<DivOp>(c.binary<SubOp>(most, least), 255.0),
      static_cast<double>(std::numeric_limits<float>::epsilon()));
  mlir::Value low = c.binary<DivOp>(least, scale),
              high = c.binary<DivOp>(most, scale);
  mlir::Value bottom = c.scalar(c.element(x), -128.0, c.rank(x)),
              top = c.scalar(c.element(x), 127.0, c.rank(x));
  mlir::Value errors =
      c.binary<AddOp>(c.binary<AddOp>(bottom, low), c.binary<AddOp>(top, high));
  mlir::Value point =
      c.where(c.compare(ComparePredicate::Gt, errors, 0.0),
              c.binary<SubOp>(bottom, low), c.binary<SubOp>(top, high));
  if (point)
    point = c.unary<RoundOp>(c.make<ClampOp>(point, bottom, top));
  c.give(c.cast(scale, ScalarType::Double));
  c.give(c.cast(point, ScalarType::Long));
}

static mlir::Value convertType(Call &c) {
  auto type = c.dtype();
  return type ? c.cast(c.tensor("input"), *type) : c.failed("element type");
}

void graven::aten::addQuantization(Table &t) {
  auto add = [&](const char *name, auto builder) {
    t.add(("quantized_decomposed::" + llvm::Twine(name)).str(), builder);
  };
  add("quantize_per_tensor", quantizeTensor);
  add("dequantize_per_tensor", dequantizeTensor);
  add("quantize_per_channel", quantizeChannels);
  add("dequantize_per_channel", dequantizeChannels);
  add("fake_quant_per_channel", fakeQuantizeChannels);
  add("quantize_per_token", quantizeTokens);
  add("dequantize_per_token", dequantizeTokens);
  add("quantize_per_channel_group", quantizeGroups);
  add("dequantize_per_channel_group", dequantizeGroups);
  add("choose_qparams", chooseForTensor<false>);
  add("choose_qparams_symmetric", chooseForTensor<true>);
  add("choose_qparams_per_token", chooseForTokens);
  add("choose_qparams_per_token_asymmetric", chooseForTokensAsymmetric);
  add("_choose_qparams_per_token_asymmetric_impl", chooseForTokensAsymmetric);
  add("convert_element_type", convertType);
}
