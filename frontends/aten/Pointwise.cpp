//===- Pointwise.cpp - ATen operators on one tensor ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's elementwise operators of one tensor operand:
// functions, activations, conversions. Integer inputs of functions become the
// default float type first, as in PyTorch.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace graven;
using namespace graven::aten;

/// A function of reals: the result is a float.
template <class Op> static mlir::Value real(Call &c) {
  return c.unary<Op>(c.floatTensor());
}
/// A function that keeps integers.
template <class Op> static mlir::Value plain(Call &c) {
  return c.unary<Op>(c.tensor());
}
/// Rounding: integers are their own.
template <class Op> static mlir::Value rounding(Call &c) {
  mlir::Value x = c.tensor();
  return x && c.isFloat(x) ? c.unary<Op>(x) : x;
}

static mlir::Value round(Call &c) {
  mlir::Value x = c.tensor();
  if (!x || !c.isFloat(x) || !c.has("decimals"))
    return rounding<RoundOp>(c);
  std::optional<int64_t> decimals = c.integer("decimals");
  if (!decimals)
    return {};
  double scale = std::pow(10.0, std::abs(static_cast<double>(*decimals)));
  if (*decimals < 0)
    return c.binary<MulOp>(c.unary<RoundOp>(c.binary<DivOp>(x, scale)), scale);
  return c.binary<DivOp>(c.unary<RoundOp>(c.binary<MulOp>(x, scale)), scale);
}

static mlir::Value truncOf(Emitter &e, mlir::Value x) {
  return e.where(e.compare(ComparePredicate::Lt, x, 0.0), e.unary<CeilOp>(x),
                 e.unary<FloorOp>(x));
}
static mlir::Value trunc(Call &c) {
  mlir::Value x = c.tensor();
  return x && c.isFloat(x) ? truncOf(c, x) : x;
}
static mlir::Value frac(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.binary<SubOp>(x, truncOf(c, x)) : x;
}

/// PyTorch gives 0 for NaN, the graph NaN.
static mlir::Value sign(Call &c) {
  mlir::Value x = c.tensor();
  if (!x || c.isBool(x))
    return x;
  mlir::Value y = c.unary<SignOp>(x);
  if (!c.isFloat(x))
    return y;
  mlir::Value zero = c.scalar(c.element(x), 0.0, c.rank(x));
  return c.where(c.compare(ComparePredicate::Ne, x, x), zero, y);
}

/// ln x times a constant: logarithms to other bases.
static mlir::Value logarithm(Call &c, double base) {
  mlir::Value y = c.unary<LogOp>(c.floatTensor());
  return y ? c.binary<MulOp>(y, 1 / std::log(base)) : y;
}
static mlir::Value log2(Call &c) { return logarithm(c, 2); }
static mlir::Value log10(Call &c) { return logarithm(c, 10); }
static mlir::Value exp2(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.unary<ExpOp>(c.binary<MulOp>(x, std::numbers::ln2)) : x;
}

static mlir::Value reciprocal(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.binary<DivOp>(c.scalar(c.element(x), 1.0, c.rank(x)), x) : x;
}
static mlir::Value square(Call &c) {
  mlir::Value x = c.tensor();
  return x ? c.binary<MulOp>(x, x) : x;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static mlir::Value clampTo(Call &c, double lo, double hi) {
  mlir::Value x = c.tensor();
  return x ? c.make<ClampOp>(x, c.scalar(c.element(x), lo),
                             c.scalar(c.element(x), hi))
           : x;
}
static mlir::Value relu6(Call &c) { return clampTo(c, 0, 6); }
static mlir::Value hardtanh(Call &c) {
  std::optional<double> lo = c.number("min_val"), hi = c.number("max_val");
  return lo && hi ? clampTo(c, *lo, *hi) : mlir::Value();
}

static mlir::Value gelu(Call &c) {
  mlir::Value x = c.floatTensor();
  GeluForm form =
      c.string("approximate") == "tanh" ? GeluForm::Tanh : GeluForm::Exact;
  return x ? c.make<GeluOp>(x, form) : x;
}

static mlir::Value hardSigmoid(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.make<HardSigmoidOp>(x, llvm::APFloat(1.0 / 6),
                                   llvm::APFloat(0.5))
           : x;
}

static mlir::Value softplus(Call &c) {
  mlir::Value x = c.floatTensor();
  std::optional<double> beta = c.number("beta"),
                        threshold = c.number("threshold");
  if (!x || !beta || !threshold)
    return {};
  if (*beta == 1 && *threshold == 20)
    return c.unary<SoftplusOp>(x);
  mlir::Value scaled = c.binary<MulOp>(x, *beta);
  mlir::Value y = c.binary<DivOp>(c.unary<SoftplusOp>(scaled), *beta);
  return c.where(c.compare(ComparePredicate::Gt, scaled, *threshold), x, y);
}

static mlir::Value leakyRelu(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<double> slope = c.number("negative_slope");
  return x && slope ? c.make<LeakyReluOp>(x, c.scalar(c.element(x), *slope))
                    : mlir::Value();
}

static mlir::Value prelu(Call &c) {
  mlir::Value x = c.tensor(), weight = c.tensor("weight");
  if (!x || !weight)
    return {};
  if (c.type(weight).getNumElements() == 1)
    return c.make<LeakyReluOp>(x, c.reshape(weight, {}));
  Shape shape(c.rank(x), 1);
  if (shape.size() < 2)
    return c.failed("weight of several elements on a tensor of rank < 2");
  shape[1] = c.type(weight).getNumElements();
  return c.make<LeakyReluOp>(x, c.reshape(weight, shape));
}

static mlir::Value eluWith(Call &c, double alpha, double scale,
                           double inputScale) {
  mlir::Value x = c.floatTensor();
  return x ? c.make<EluOp>(x, llvm::APFloat(alpha), llvm::APFloat(scale),
                           llvm::APFloat(inputScale))
           : x;
}
static mlir::Value elu(Call &c) {
  auto alpha = c.number("alpha"), scale = c.number("scale"),
       input = c.number("input_scale");
  return alpha && scale && input ? eluWith(c, *alpha, *scale, *input)
                                 : mlir::Value();
}
static mlir::Value selu(Call &c) {
  return eluWith(c, 1.6732632423543772848170429916717,
                 1.0507009873554804934193349852946, 1);
}
static mlir::Value celu(Call &c) {
  std::optional<double> alpha = c.number("alpha");
  return alpha ? eluWith(c, *alpha, 1, 1 / *alpha) : mlir::Value();
}

static mlir::Value mish(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.binary<MulOp>(x, c.unary<TanhOp>(c.unary<SoftplusOp>(x))) : x;
}
static mlir::Value softsign(Call &c) {
  mlir::Value x = c.floatTensor();
  return x ? c.binary<DivOp>(x, c.binary<AddOp>(c.unary<AbsOp>(x), 1.0)) : x;
}
static mlir::Value logSigmoid(Call &c) {
  return c.unary<NegOp>(c.unary<SoftplusOp>(c.unary<NegOp>(c.floatTensor())));
}

/// The selects keep NaN: it takes x.
static mlir::Value hardshrink(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<double> lambda = c.number("lambd");
  if (!x || !lambda)
    return {};
  return c.where(c.compare(ComparePredicate::Le, c.unary<AbsOp>(x), *lambda),
                 c.scalar(c.element(x), 0.0), x);
}
static mlir::Value softshrink(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<double> lambda = c.number("lambd");
  if (!x || !lambda)
    return {};
  mlir::Value zero = c.binary<MulOp>(x, 0.0);
  mlir::Value low = c.where(c.compare(ComparePredicate::Lt, x, -*lambda),
                            c.binary<AddOp>(x, *lambda), zero);
  return c.where(c.compare(ComparePredicate::Gt, x, *lambda),
                 c.binary<SubOp>(x, *lambda), low);
}
static mlir::Value threshold(Call &c) {
  mlir::Value x = c.tensor();
  auto bound = c.number("threshold"), value = c.number("value");
  if (!x || !bound || !value)
    return {};
  return c.where(c.compare(ComparePredicate::Le, x, *bound),
                 c.scalar(c.element(x), *value), x);
}

static mlir::Value glu(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = x ? c.axisOf("dim", x) : std::nullopt;
  if (!axis)
    return {};
  int64_t extent = c.type(x).getDimSize(*axis);
  if (extent % 2)
    return c.failed("axis of odd extent");
  return c.binary<MulOp>(
      c.slice(x, *axis, 0, extent / 2),
      c.unary<SigmoidOp>(c.slice(x, *axis, extent / 2, extent)));
}

//===----------------------------------------------------------------------===//
// Tests and conversions
//===----------------------------------------------------------------------===//

static mlir::Value isNaN(Call &c) {
  mlir::Value x = c.tensor();
  return x ? c.compare(ComparePredicate::Ne, x, x) : x;
}
static mlir::Value absCompared(Call &c, ComparePredicate predicate,
                               double bound) {
  mlir::Value x = c.floatTensor();
  return x ? c.compare(predicate, c.unary<AbsOp>(x), bound) : x;
}
static constexpr double kInf = std::numeric_limits<double>::infinity();
static mlir::Value isInf(Call &c) {
  return absCompared(c, ComparePredicate::Eq, kInf);
}
static mlir::Value isFinite(Call &c) {
  return absCompared(c, ComparePredicate::Lt, kInf);
}
static mlir::Value isPosInf(Call &c) {
  return c.compare(ComparePredicate::Eq, c.floatTensor(), kInf);
}
static mlir::Value isNegInf(Call &c) {
  return c.compare(ComparePredicate::Eq, c.floatTensor(), -kInf);
}
static mlir::Value logicalNot(Call &c) {
  return c.unary<NotOp>(c.toBool(c.tensor()));
}

static mlir::Value nanToNum(Call &c) {
  mlir::Value x = c.tensor();
  if (!x || !c.isFloat(x))
    return x;
  auto largest =
      llvm::APFloat::getLargest(
          mlir::cast<mlir::FloatType>(c.element(x)).getFloatSemantics())
          .convertToDouble();
  auto replacement = [&](llvm::StringRef name, double fallback) {
    std::optional<double> value = c.has(name) ? c.number(name) : fallback;
    return c.scalar(c.element(x), value.value_or(0));
  };
  mlir::Value y =
      c.where(c.compare(ComparePredicate::Ne, x, x), replacement("nan", 0), x);
  y = c.where(c.compare(ComparePredicate::Eq, x, kInf),
              replacement("posinf", largest), y);
  return c.where(c.compare(ComparePredicate::Eq, x, -kInf),
                 replacement("neginf", -largest), y);
}

/// to, _to_copy: only the type matters; device, layout and memory do not.
static mlir::Value to(Call &c) {
  mlir::Value x = c.tensor();
  if (c.has("other"))
    return c.cast(x, c.element(c.tensor("other")));
  std::optional<ScalarType> type = c.dtype();
  if (!type)
    return c.has("dtype") ? c.failed("unknown element type") : x;
  return c.mlirType(*type) ? c.cast(x, *type)
                           : c.failed("conversion to " + name(*type));
}
template <ScalarType kType> static mlir::Value convert(Call &c) {
  return c.cast(c.tensor(), kType);
}
static mlir::Value same(Call &c) { return c.tensor(); }

static mlir::Value dropout(Call &c) {
  if (!c.flag("train"))
    return c.has("input") ? c.tensor("input") : c.tensor();
  c.fail(Code::TrainingMode) << "dropout is on";
  return {};
}

static mlir::Value copy(Call &c) {
  mlir::Value self = c.tensor(), source = c.tensor("src");
  if (!self || !source)
    return {};
  return c.broadcastTo(c.cast(source, c.element(self)), c.shape(self));
}

void graven::aten::addPointwise(Table &t) {
  t.add("abs absolute", plain<AbsOp>);
  t.add("neg negative", plain<NegOp>);
  t.add("bitwise_not", plain<NotOp>);
  t.add("relu", plain<ReluOp>);
  t.add("ceil", rounding<CeilOp>);
  t.add("floor", rounding<FloorOp>);
  t.addWide("round special_round", round);
  t.add("trunc fix", trunc);
  t.add("frac", frac);
  t.add("exp", real<ExpOp>);
  t.add("expm1 special_expm1", real<Expm1Op>);
  t.add("log", real<LogOp>);
  t.add("log1p special_log1p", real<Log1pOp>);
  t.add("sqrt", real<SqrtOp>);
  t.add("rsqrt", real<RsqrtOp>);
  t.add("sin", real<SinOp>);
  t.add("cos", real<CosOp>);
  t.add("tan", real<TanOp>);
  t.add("asin arcsin", real<AsinOp>);
  t.add("acos arccos", real<AcosOp>);
  t.add("atan arctan", real<AtanOp>);
  t.add("sinh", real<SinhOp>);
  t.add("cosh", real<CoshOp>);
  t.add("tanh", real<TanhOp>);
  t.add("asinh arcsinh", real<AsinhOp>);
  t.add("acosh arccosh", real<AcoshOp>);
  t.add("atanh arctanh", real<AtanhOp>);
  t.add("sigmoid special_expit", real<SigmoidOp>);
  t.add("erf special_erf", real<ErfOp>);
  t.add("silu", real<SiluOp>);
  t.add("hardswish", real<HardSwishOp>);
  t.add("hardsigmoid", hardSigmoid);
  t.add("sign sgn", sign);
  t.addWide("log2", log2);
  t.addWide("log10", log10);
  t.addWide("exp2 special_exp2", exp2);
  t.add("reciprocal", reciprocal);
  t.add("square", square);
  t.add("relu6", relu6);
  t.add("hardtanh", hardtanh);
  t.add("gelu", gelu);
  t.addWide("softplus", softplus);
  t.add("leaky_relu", leakyRelu);
  t.add("prelu", prelu);
  t.add("elu", elu);
  t.add("selu", selu);
  t.add("celu", celu);
  t.addWide("mish", mish);
  t.addWide("softsign", softsign);
  t.addWide("log_sigmoid", logSigmoid);
  t.add("hardshrink", hardshrink);
  t.addWide("softshrink", softshrink);
  t.add("threshold", threshold);
  t.addWide("glu", glu);
  t.add("isnan", isNaN);
  t.add("isinf", isInf);
  t.add("isfinite", isFinite);
  t.add("isposinf", isPosInf);
  t.add("isneginf", isNegInf);
  t.add("logical_not", logicalNot);
  t.add("nan_to_num", nanToNum);
  t.add("to _to_copy type_as", to);
  t.add("float", convert<ScalarType::Float>);
  t.add("half", convert<ScalarType::Half>);
  t.add("double", convert<ScalarType::Double>);
  t.add("int", convert<ScalarType::Int>);
  t.add("long", convert<ScalarType::Long>);
  t.add("bool", convert<ScalarType::Bool>);
  t.add("contiguous clone detach alias lift lift_fresh lift_fresh_copy "
        "alias_copy "
        "detach_copy",
        same);
  t.add("dropout feature_dropout alpha_dropout", dropout);
  t.add("copy copy_", copy);
}
