//===- Binary.cpp - ATen operators on two tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's elementwise operators of two and three operands:
// arithmetic with PyTorch's promotion, comparison, logic and selection.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

template <class Op> static mlir::Value plain(Call &c) {
  Operands o = c.operands("self", "other");
  return o ? c.binary<Op>(o.a, o.b) : mlir::Value();
}
template <class Op> static mlir::Value real(Call &c) {
  Operands o = c.floatOperands("self", "other");
  return o ? c.binary<Op>(o.a, o.b) : mlir::Value();
}

/// a + alpha b or a - alpha b, rounded once; alpha = 1 builds nothing.
template <class Op>
static mlir::Value combined(Call &c, mlir::Value a, mlir::Value b) {
  if (!a || !b)
    return {};
  std::optional<double> alpha = c.has("alpha") ? c.number("alpha") : 1;
  if (!alpha)
    return {};
  if (*alpha == 1)
    return c.binary<Op>(a, b);
  mlir::Value y =
      c.binary<Op>(c.widened(a), c.binary<MulOp>(c.widened(b), *alpha));
  return c.cast(y, c.element(a));
}

static mlir::Value add(Call &c) {
  Operands o = c.operands("self", "other");
  if (!o)
    return {};
  if (o.type == ScalarType::Bool)
    return c.binary<OrOp>(o.a, o.b);
  return combined<AddOp>(c, o.a, o.b);
}
static mlir::Value sub(Call &c) {
  Operands o = c.operands("self", "other");
  if (!o)
    return {};
  if (o.type == ScalarType::Bool)
    return c.failed("subtraction of bools");
  return combined<SubOp>(c, o.a, o.b);
}
static mlir::Value rsub(Call &c) {
  Operands o = c.operands("self", "other");
  return o ? combined<SubOp>(c, o.b, o.a) : mlir::Value();
}
static mlir::Value mul(Call &c) {
  Operands o = c.operands("self", "other");
  if (!o)
    return {};
  return o.type == ScalarType::Bool ? c.binary<AndOp>(o.a, o.b)
                                    : c.binary<MulOp>(o.a, o.b);
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

/// Whether the remainder m is not 0 and has another sign than the divisor b.
static mlir::Value needsStep(Emitter &e, mlir::Value m, mlir::Value b) {
  mlir::Value differ = e.binary<XorOp>(e.compare(ComparePredicate::Lt, m, 0.0),
                                       e.compare(ComparePredicate::Lt, b, 0.0));
  return e.binary<AndOp>(e.compare(ComparePredicate::Ne, m, 0.0), differ);
}

/// Source: PyTorch, c10/util/generic_math.h, div_floor_floating and
/// div_floor_integer.
static mlir::Value floorDivide(Emitter &e, mlir::Value a, mlir::Value b) {
  if (!a || !b)
    return {};
  mlir::Value m = e.binary<RemOp>(a, b);
  if (!e.isFloat(a)) {
    mlir::Value q = e.binary<DivOp>(a, b);
    if (e.element(a).isUnsignedInteger())
      return q;
    return e.where(needsStep(e, m, b), e.binary<SubOp>(q, 1.0), q);
  }
  mlir::Value q = e.binary<DivOp>(e.binary<SubOp>(a, m), b);
  q = e.where(needsStep(e, m, b), e.binary<SubOp>(q, 1.0), q);
  mlir::Value down = e.unary<FloorOp>(q);
  mlir::Value far =
      e.compare(ComparePredicate::Gt, e.binary<SubOp>(q, down), 0.5);
  mlir::Value result = e.where(far, e.binary<AddOp>(down, 1.0), down);
  return e.where(e.compare(ComparePredicate::Eq, b, 0.0), e.binary<DivOp>(a, b),
                 result);
}

static mlir::Value truncate(Emitter &e, mlir::Value q) {
  return e.where(e.compare(ComparePredicate::Lt, q, 0.0), e.unary<CeilOp>(q),
                 e.unary<FloorOp>(q));
}

static mlir::Value div(Call &c) {
  StringRef mode = c.string("rounding_mode");
  Operands o = mode.empty() ? c.floatOperands("self", "other")
                            : c.operands("self", "other");
  if (!o)
    return {};
  if (mode.empty())
    return c.binary<DivOp>(o.a, o.b);
  mlir::Value a = c.widened(o.a), b = c.widened(o.b), q;
  if (mode == "floor") {
    q = floorDivide(c, a, b);
  } else {
    q = c.binary<DivOp>(a, b);
    if (q && c.isFloat(q))
      q = truncate(c, q);
  }
  return c.cast(q, o.type);
}
static mlir::Value floorDiv(Call &c) {
  Operands o = c.operands("self", "other");
  return o ? floorDivide(c, o.a, o.b) : mlir::Value();
}
static mlir::Value remainder(Call &c) {
  Operands o = c.operands("self", "other");
  if (!o)
    return {};
  mlir::Value m = c.binary<RemOp>(o.a, o.b);
  if (!m || c.element(m).isUnsignedInteger())
    return m;
  return c.where(needsStep(c, m, o.b), c.binary<AddOp>(m, o.b), m);
}

/// Constant exponents as PyTorch's CPU kernel treats them.
static mlir::Value powConstant(Call &c, mlir::Value x, double exponent) {
  auto one = [&] { return c.scalar(c.element(x), 1.0, c.rank(x)); };
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return c.binary<MulOp>(x, x);
  if (exponent == 3)
    return c.binary<MulOp>(c.binary<MulOp>(x, x), x);
  if (c.isFloat(x) && exponent == 0.5)
    return c.unary<SqrtOp>(x);
  if (c.isFloat(x) && exponent == -0.5)
    return c.unary<RsqrtOp>(x);
  if (c.isFloat(x) && exponent == -1)
    return c.binary<DivOp>(one(), x);
  if (c.isFloat(x) && exponent == -2)
    return c.binary<DivOp>(one(), c.binary<MulOp>(x, x));
  return c.binary<PowOp>(x, exponent);
}
static mlir::Value pow(Call &c) {
  Operands o = c.operands("self", "exponent");
  if (!o)
    return {};
  const Value &exponent = c.argument("exponent");
  if (exponent.isNumber())
    return c.cast(powConstant(c, c.widened(o.a), exponent.number()), o.type);
  return c.binary<PowOp>(o.a, o.b);
}

//===----------------------------------------------------------------------===//
// Extremes, comparison, logic
//===----------------------------------------------------------------------===//

/// fmax, fmin: NaN loses.
template <class Op> static mlir::Value extremeIgnoringNaN(Call &c) {
  Operands o = c.operands("self", "other");
  if (!o)
    return {};
  mlir::Value y = c.binary<Op>(o.a, o.b);
  y = c.where(c.compare(ComparePredicate::Ne, o.b, o.b), o.a, y);
  return c.where(c.compare(ComparePredicate::Ne, o.a, o.a), o.b, y);
}

template <ComparePredicate kPredicate> static mlir::Value compare(Call &c) {
  Operands o = c.operands("self", "other");
  return o ? c.compare(kPredicate, o.a, o.b) : mlir::Value();
}
template <class Op> static mlir::Value logical(Call &c) {
  mlir::Value a = c.toBool(c.tensor()), b = c.toBool(c.tensor("other"));
  return a && b ? c.binary<Op>(a, b) : mlir::Value();
}

static mlir::Value hypot(Call &c) {
  Operands o = c.floatOperands("self", "other");
  if (!o)
    return {};
  mlir::Value a = c.unary<AbsOp>(o.a), b = c.unary<AbsOp>(o.b);
  mlir::Value m = c.binary<MaxOp>(a, b), n = c.binary<MinOp>(a, b);
  mlir::Value q = c.binary<DivOp>(n, m);
  mlir::Value y = c.binary<MulOp>(
      m, c.unary<SqrtOp>(c.binary<AddOp>(c.binary<MulOp>(q, q), 1.0)));
  y = c.where(c.compare(ComparePredicate::Eq, m, 0.0), m, y);
  // An infinity wins over NaN, as in C.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  mlir::Value isInfinite =
      c.binary<OrOp>(c.compare(ComparePredicate::Eq, a, kInfinity),
                     c.compare(ComparePredicate::Eq, b, kInfinity));
  return y && isInfinite
             ? c.where(isInfinite, c.scalar(c.element(y), kInfinity, c.rank(y)),
                       y)
             : mlir::Value();
}
/// log_b(b^self + b^other), of which `scale` is ln b.
static mlir::Value logAddPowers(Call &c, double scale) {
  Operands o = c.floatOperands("self", "other");
  if (!o)
    return {};
  mlir::Value m = c.binary<MaxOp>(o.a, o.b);
  mlir::Value d = c.unary<NegOp>(c.unary<AbsOp>(c.binary<SubOp>(o.a, o.b)));
  if (scale != 1)
    d = c.binary<MulOp>(d, scale);
  mlir::Value rest = c.unary<Log1pOp>(c.unary<ExpOp>(d));
  if (scale != 1)
    rest = c.binary<DivOp>(rest, scale);
  mlir::Value y = c.binary<AddOp>(m, rest);
  // Equal infinities would give NaN; equal finite values lose nothing.
  mlir::Value infinite = c.compare(ComparePredicate::Eq, c.unary<AbsOp>(m),
                                   std::numeric_limits<double>::infinity());
  mlir::Value same = c.compare(ComparePredicate::Eq, o.a, o.b);
  return c.where(c.binary<AndOp>(infinite, same), m, y);
}
static mlir::Value logaddexp(Call &c) { return logAddPowers(c, 1); }
static mlir::Value logaddexp2(Call &c) {
  return logAddPowers(c, std::numbers::ln2);
}
static mlir::Value xlogy(Call &c) {
  Operands o = c.floatOperands("self", "other");
  if (!o)
    return {};
  mlir::Value y = c.binary<MulOp>(o.a, c.unary<LogOp>(o.b));
  mlir::Value zero = c.scalar(c.element(o.a), 0.0);
  y = c.where(c.compare(ComparePredicate::Eq, o.a, 0.0), zero, y);
  return c.where(c.compare(ComparePredicate::Ne, o.b, o.b), o.b, y);
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

static void where(Call &c) {
  if (c.argument("self").isNone())
    return c.giveNonzero(c.tensor("condition"));
  Operands o = c.operands("self", "other");
  c.give(o ? c.where(c.toBool(c.tensor("condition")), o.a, o.b)
           : mlir::Value());
}

static mlir::Value maskedFill(Call &c) {
  mlir::Value x = c.tensor();
  if (!x)
    return {};
  mlir::Value value = c.operand("value", c.scalarType(x));
  return c.where(c.toBool(c.tensor("mask")), value, x);
}

static mlir::Value clampBetween(Call &c, StringRef lo, StringRef hi) {
  std::optional<ScalarType> type = c.promoted({"self", lo, hi});
  if (!type)
    return {};
  mlir::Value x = c.operand("self", *type), low, high;
  bool hasTensors = false;
  for (auto [name, bound] : {std::pair(lo, &low), std::pair(hi, &high)}) {
    if (!c.has(name))
      continue;
    *bound = c.operand(name, *type);
    if (!*bound)
      return {};
    hasTensors |= c.rank(*bound) > 0;
  }
  if (!x || (!low && !high))
    return x;
  if (!hasTensors)
    return c.make<ClampOp>(x, low, high);
  // Bounds that are tensors may be bigger than x.
  if (low)
    x = c.binary<MaxOp>(x, low);
  return high ? c.binary<MinOp>(x, high) : x;
}
static mlir::Value clamp(Call &c) { return clampBetween(c, "min", "max"); }
static mlir::Value clampMin(Call &c) { return clampBetween(c, "min", ""); }
static mlir::Value clampMax(Call &c) { return clampBetween(c, "", "max"); }

static mlir::Value lerp(Call &c) {
  std::optional<ScalarType> type = c.promoted({"self", "end"});
  if (!type)
    return {};
  mlir::Value a = c.operand("self", *type), b = c.operand("end", *type),
              w = c.operand("weight", *type);
  if (!a || !b || !w)
    return {};
  mlir::Value d = c.binary<SubOp>(b, a);
  mlir::Value rest = c.binary<SubOp>(c.scalar(c.element(w), 1.0, c.rank(w)), w);
  mlir::Value near = c.binary<AddOp>(a, c.binary<MulOp>(w, d));
  mlir::Value far = c.binary<SubOp>(b, c.binary<MulOp>(d, rest));
  return c.where(c.compare(ComparePredicate::Lt, c.unary<AbsOp>(w), 0.5), near,
                 far);
}

/// self + value * (tensor1 op tensor2)
template <class Op> static mlir::Value addcombine(Call &c) {
  std::optional<ScalarType> type = c.promoted({"self", "tensor1", "tensor2"});
  std::optional<double> value = c.number("value");
  if (!type || !value)
    return {};
  mlir::Value product =
      c.binary<Op>(c.operand("tensor1", *type), c.operand("tensor2", *type));
  if (product && *value != 1)
    product = c.binary<MulOp>(product, *value);
  return c.binary<AddOp>(c.operand("self", *type), product);
}

/// The gradient of dropout: what was kept, scaled as it was.
static mlir::Value dropoutBackward(Call &c) {
  mlir::Value gradient = c.floatTensor("grad_output");
  std::optional<double> scale = c.number("scale");
  if (!gradient || !scale)
    return {};
  mlir::Value mask = c.cast(c.tensor("mask"), c.element(gradient));
  return c.binary<MulOp>(c.binary<MulOp>(gradient, mask), *scale);
}

static mlir::Value heaviside(Call &c) {
  Operands o = c.operands("self", "values");
  if (!o)
    return {};
  mlir::Value y = c.cast(c.compare(ComparePredicate::Gt, o.a, 0.0), o.type);
  y = c.where(c.compare(ComparePredicate::Eq, o.a, 0.0), o.b, y);
  return c.where(c.compare(ComparePredicate::Ne, o.a, o.a), o.a, y);
}

void graven::aten::addBinary(Table &t) {
  t.add("add", add);
  t.add("sub subtract", sub);
  t.add("rsub", rsub);
  t.add("mul multiply", mul);
  t.add("div divide true_divide", div);
  t.addWide("floor_divide", floorDiv);
  t.addWide("remainder", remainder);
  t.add("fmod", plain<RemOp>);
  t.add("pow", pow);
  t.add("maximum", plain<MaxOp>);
  t.add("minimum", plain<MinOp>);
  t.add("fmax", extremeIgnoringNaN<MaxOp>);
  t.add("fmin", extremeIgnoringNaN<MinOp>);
  t.add("atan2 arctan2", real<Atan2Op>);
  t.addWide("hypot", hypot);
  t.addWide("logaddexp", logaddexp);
  t.addWide("logaddexp2", logaddexp2);
  t.addWide("xlogy special_xlogy", xlogy);
  t.add("eq", compare<ComparePredicate::Eq>);
  t.add("ne not_equal", compare<ComparePredicate::Ne>);
  t.add("lt less", compare<ComparePredicate::Lt>);
  t.add("le less_equal", compare<ComparePredicate::Le>);
  t.add("gt greater", compare<ComparePredicate::Gt>);
  t.add("ge greater_equal", compare<ComparePredicate::Ge>);
  t.add("logical_and", logical<AndOp>);
  t.add("logical_or", logical<OrOp>);
  t.add("logical_xor", logical<XorOp>);
  t.add("bitwise_and __and__", plain<AndOp>);
  t.add("bitwise_or __or__", plain<OrOp>);
  t.add("bitwise_xor __xor__", plain<XorOp>);
  t.add("bitwise_left_shift __lshift__", plain<ShlOp>);
  t.add("bitwise_right_shift __rshift__", plain<ShrOp>);
  t.add("where", where);
  t.add("masked_fill", maskedFill);
  t.add("clamp clip", clamp);
  t.add("clamp_min", clampMin);
  t.add("clamp_max", clampMax);
  t.addWide("lerp", lerp);
  t.addWide("addcmul", addcombine<MulOp>);
  t.addWide("addcdiv", addcombine<DivOp>);
  t.add("heaviside", heaviside);
  t.addWide("native_dropout_backward", dropoutBackward);
}
