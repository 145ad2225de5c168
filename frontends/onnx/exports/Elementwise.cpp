//===- Elementwise.cpp - arithmetic, logic, activations ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the elementwise ops. Where the opset has no node of an
// op, the nodes that it is made of.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// A string as a template argument.
template <size_t n> struct Text {
  constexpr Text(const char (&text)[n]) { std::copy_n(text, n, value); }
  char value[n];
};
template <size_t n> Text(const char (&)[n]) -> Text<n>;

/// One node with the operands as inputs, since an opset.
template <class Op, Text type, int64_t since = 9>
void same(Exporter &e, Op op) {
  if (!e.needs(op, since))
    return;
  Names inputs;
  for (Value operand : op->getOperands())
    inputs.push_back(e.name(operand));
  e.give(op, type.value, inputs);
}

/// One node for bools, another for ints.
template <class Op, Text logical, Text bitwise> void bits(Exporter &e, Op op) {
  bool isBool = Exporter::isBool(op->getOperand(0));
  if (!isBool && !e.needs(op, 18, "bits of ints"))
    return;
  Names inputs;
  for (Value operand : op->getOperands())
    inputs.push_back(e.name(operand));
  e.give(op, isBool ? logical.value : bitwise.value, inputs);
}

/// ONNX Runtime has no Where of bools.
void express(Exporter &e, SelectOp op) {
  Name condition = e.name(op.getCond()), a = e.name(op.getA()),
       b = e.name(op.getB());
  if (!Exporter::isBool(op.getA())) {
    e.give(op, "Where", {condition, a, b});
    return;
  }
  Name other = e.make("And", {e.make("Not", {condition}), b});
  e.give(op, "Or", {e.make("And", {condition, a}), other});
}

/// Half to even; before the node came, from what floor makes of a half.
void express(Exporter &e, RoundOp op) {
  Name x = e.name(op.getX());
  if (e.opset() >= 11) {
    e.give(op, "Round", {x});
    return;
  }
  Type type = Exporter::element(op.getX());
  Name half = e.scalar(type, 0.5), two = e.scalar(type, 2);
  Name low = e.make("Floor", {x});
  Name rest = e.make("Sub", {x, low});
  Name pairs = e.make("Floor", {e.make("Div", {low, two})});
  Name isOdd = e.make("Less", {e.make("Mul", {pairs, two}), low});
  Name isHalf =
      e.make("Not", {e.make("Or", {e.make("Less", {rest, half}),
                                   e.make("Greater", {rest, half})})});
  Name isUp = e.make(
      "Or", {e.make("Greater", {rest, half}), e.make("And", {isHalf, isOdd})});
  Name up = e.make("Add", {low, e.scalar(type, 1)});
  // An infinity less itself is nothing that compares.
  e.give(op, "Where", {isUp, up, low});
}

void express(Exporter &e, Expm1Op op) {
  e.give(op, "Sub",
         {e.make("Exp", {e.name(op.getX())}),
          e.scalar(Exporter::element(op.getX()), 1)});
}

void express(Exporter &e, Log1pOp op) {
  Name sum = e.make(
      "Add", {e.name(op.getX()), e.scalar(Exporter::element(op.getX()), 1)});
  e.give(op, "Log", {sum});
}

void express(Exporter &e, RsqrtOp op) {
  e.give(op, "Reciprocal", {e.make("Sqrt", {e.name(op.getX())})});
}

void express(Exporter &e, SiluOp op) {
  Name x = e.name(op.getX());
  e.give(op, "Mul", {x, e.make("Sigmoid", {x})});
}

/// The greater or lesser of two ints; the nodes take them since 12.
void extremeOfInts(Exporter &e, Operation *op, const char *node, const Name &a,
                   const Name &b) {
  if (e.opset() >= 12) {
    e.give(op, node, {a, b});
    return;
  }
  bool isMax = llvm::StringRef(node) == "Max";
  e.give(op, "Where", {e.make(isMax ? "Less" : "Greater", {a, b}), b, a});
}

void express(Exporter &e, ReluOp op) {
  Name x = e.name(op.getX());
  if (Exporter::isFloat(op.getX()))
    e.give(op, "Relu", {x});
  else // The node takes ints since 14, and few runtimes have that.
    extremeOfInts(e, op, "Max", x, e.scalar(Exporter::element(op.getX()), 0));
}

void express(Exporter &e, GeluOp op) {
  Name x = e.name(op.getX());
  Type type = Exporter::element(op.getX());
  bool isTanh = op.getForm() == GeluForm::Tanh;
  if (e.opset() >= 20) {
    e.give(op, "Gelu", {x}, {{"approximate", isTanh ? "tanh" : "none"}});
    return;
  }
  Name inner;
  if (isTanh) {
    Name cube = e.make("Mul", {e.make("Mul", {x, x}), x});
    Name sum =
        e.make("Add", {x, e.make("Mul", {cube, e.scalar(type, 0.044715)})});
    inner = e.make("Tanh",
                   {e.make("Mul", {sum, e.scalar(type, 0.7978845608028654)})});
  } else {
    inner =
        e.make("Erf", {e.make("Div", {x, e.scalar(type, 1.4142135623730951)})});
  }
  Name half = e.make("Mul", {x, e.scalar(type, 0.5)});
  e.give(op, "Mul", {half, e.make("Add", {inner, e.scalar(type, 1)})});
}

void express(Exporter &e, HardSigmoidOp op) {
  e.give(op, "HardSigmoid", {e.name(op.getX())},
         {{"alpha", op.getAlpha().convertToDouble()},
          {"beta", op.getBeta().convertToDouble()}});
}

void express(Exporter &e, HardSwishOp op) {
  Name x = e.name(op.getX());
  if (e.opset() >= 14) {
    e.give(op, "HardSwish", {x});
    return;
  }
  Name gate = e.make("HardSigmoid", {x}, {{"alpha", 1.0 / 6}, {"beta", 0.5}});
  e.give(op, "Mul", {x, gate});
}

void express(Exporter &e, EluOp op) {
  Name x = e.name(op.getX());
  double alpha = op.getAlpha().convertToDouble(),
         scale = op.getScale().convertToDouble(),
         slope = op.getInputScale().convertToDouble();
  Type type = Exporter::element(op.getX());
  if (slope == 1 && scale == 1) {
    e.give(op, "Elu", {x}, {{"alpha", alpha}});
  } else if (slope == 1) {
    e.give(op, "Selu", {x}, {{"alpha", alpha}, {"gamma", scale}});
  } else {
    Name grown = e.make("Exp", {e.make("Mul", {x, e.scalar(type, slope)})});
    Name below = e.make("Mul", {e.make("Sub", {grown, e.scalar(type, 1)}),
                                e.scalar(type, alpha)});
    Name isAbove = e.make("Greater", {x, e.scalar(type, 0)});
    Name either = e.make("Where", {isAbove, x, below});
    e.give(op, "Mul", {either, e.scalar(type, scale)});
  }
}

void express(Exporter &e, CastOp op) {
  e.give(op, "Cast", {e.name(op.getX())},
         {{"to", int64_t(dataTypeOf(op.getTo()))}});
}

void express(Exporter &e, BitcastOp op) {
  if (e.needs(op, 26))
    e.give(op, "BitCast", {e.name(op.getX())},
           {{"to", int64_t(dataTypeOf(op.getTo()))}});
}

/// Before there was a node for it, of ints what their division leaves.
void express(Exporter &e, RemOp op) {
  Name a = e.name(op.getA()), b = e.name(op.getB());
  Type type = Exporter::element(op.getA());
  if (e.opset() < 10 && (type.isInteger(32) || type.isInteger(64))) {
    e.give(op, "Sub", {a, e.make("Mul", {e.make("Div", {a, b}), b})});
    return;
  }
  if (e.needs(op, 10))
    e.give(op, "Mod", {a, b}, {{"fmod", 1}});
}

template <class Op, Text type, Text logical> void extreme(Exporter &e, Op op) {
  Name a = e.name(op.getA()), b = e.name(op.getB());
  if (Exporter::isBool(op.getA()))
    e.give(op, logical.value, {a, b});
  else if (Exporter::isFloat(op.getA()))
    e.give(op, type.value, {a, b});
  else
    extremeOfInts(e, op, type.value, a, b);
}

/// The angle of (x = b, y = a): the arc tangent of y / x, moved where x is
/// negative, and 0 at the origin.
void express(Exporter &e, Atan2Op op) {
  Name y = e.name(op.getA()), x = e.name(op.getB());
  Type type = Exporter::element(op.getA());
  Name zero = e.scalar(type, 0);
  constexpr double pi = 3.14159265358979323846;
  Name angle = e.make("Atan", {e.make("Div", {y, x})});
  Name turn = e.make("Where", {e.make("Less", {y, zero}), e.scalar(type, -pi),
                               e.scalar(type, pi)});
  Name shift = e.make("Where", {e.make("Less", {x, zero}), turn, zero});
  Name isOrigin =
      e.make("And", {e.make("Equal", {x, zero}), e.make("Equal", {y, zero})});
  e.give(op, "Where", {isOrigin, zero, e.make("Add", {angle, shift})});
}

template <class Op, Text direction> void shift(Exporter &e, Op op) {
  bool isUnsigned = Exporter::element(op.getA()).isUnsignedInteger();
  if (e.needs(op, isUnsigned ? 11 : 28, isUnsigned ? "" : "signed ints"))
    e.give(op, "BitShift", {e.name(op.getA()), e.name(op.getB())},
           {{"direction", direction.value}});
}

void express(Exporter &e, CompareOp op) {
  Name a = e.name(op.getA()), b = e.name(op.getB());
  ComparePredicate predicate = op.getPredicate();
  bool isFloat = Exporter::isFloat(op.getA());
  if (predicate == ComparePredicate::Ne && op.getA() == op.getB() && isFloat) {
    e.give(op, "IsNaN", {a});
    return;
  }
  bool isEquality =
      predicate == ComparePredicate::Eq || predicate == ComparePredicate::Ne;
  if (Exporter::isBool(op.getA()) && !isEquality) {
    Type type = IntegerType::get(op.getContext(), 32);
    a = e.cast(a, type);
    b = e.cast(b, type);
  }
  auto orEqual = [&](const char *node, const char *strict) {
    if (e.opset() >= 12)
      e.give(op, node, {a, b});
    else if (!isFloat || e.opset() >= 11)
      e.give(op, "Or", {e.make(strict, {a, b}), e.make("Equal", {a, b})});
    else // Not the other way round, and both are numbers.
      e.give(op, "Not",
             {e.make("Or", {e.make(strict, {b, a}),
                            e.make("Or", {e.make("IsNaN", {a}),
                                          e.make("IsNaN", {b})})})});
  };
  // Floats are equal since 11; before, when neither is less nor not a number.
  auto unequal = [&] {
    Name apart =
        e.make("Or", {e.make("Less", {a, b}), e.make("Greater", {a, b})});
    Name isNaN = e.make("Or", {e.make("IsNaN", {a}), e.make("IsNaN", {b})});
    return e.make("Or", {apart, isNaN});
  };
  bool isOld = isFloat && e.opset() < 11;
  switch (predicate) {
  case ComparePredicate::Eq:
    if (isOld)
      e.give(op, "Not", {unequal()});
    else
      e.give(op, "Equal", {a, b});
    return;
  case ComparePredicate::Ne:
    e.give(op, "Not",
           {isOld ? e.make("Not", {unequal()}) : e.make("Equal", {a, b})});
    return;
  case ComparePredicate::Lt:
    e.give(op, "Less", {a, b});
    return;
  case ComparePredicate::Gt:
    e.give(op, "Greater", {a, b});
    return;
  case ComparePredicate::Le:
    return orEqual("LessOrEqual", "Less");
  case ComparePredicate::Ge:
    return orEqual("GreaterOrEqual", "Greater");
  }
}

/// The number that all elements of a constant are.
std::optional<double> numberOf(Value value) {
  DenseElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) ||
      !elements.isSplat() || !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<llvm::APFloat>().convertToDouble();
}

void express(Exporter &e, ClampOp op) {
  Value lo = op.getLo(), hi = op.getHi();
  bool isFloat = Exporter::isFloat(op.getX());
  Type type = Exporter::element(op.getX());
  Name x = e.name(op.getX());
  auto low = numberOf(lo), high = numberOf(hi);
  bool known = (!lo || low) && (!hi || high);
  if (isFloat && known && e.opset() >= 11) {
    e.give(op, "Clip",
           {x, lo ? e.scalar(type, *low) : Name(),
            hi ? e.scalar(type, *high) : Name()});
    return;
  }
  if (!isFloat && !e.needs(op, 12, "ints"))
    return;
  if (lo && hi)
    e.give(op, "Min", {e.make("Max", {x, e.name(lo)}), e.name(hi)});
  else
    e.give(op, lo ? "Max" : "Min", {x, e.name(lo ? lo : hi)});
}

void express(Exporter &e, LeakyReluOp op) {
  Name x = e.name(op.getX()), slope = e.name(op.getSlope());
  if (auto number = numberOf(op.getSlope())) {
    e.give(op, "LeakyRelu", {x}, {{"alpha", *number}});
    return;
  }
  Name isBelow = e.make("Less", {x, e.scalar(Exporter::element(op.getX()), 0)});
  e.give(op, "Where", {isBelow, e.make("Mul", {x, slope}), x});
}

} // namespace

void addElementwiseExports(ExportTable &table) {
  table.add<NegOp, same<NegOp, "Neg">>();
  table.add<AbsOp, same<AbsOp, "Abs">>();
  table.add<SignOp, same<SignOp, "Sign">>();
  table.add<CeilOp, same<CeilOp, "Ceil">>();
  table.add<FloorOp, same<FloorOp, "Floor">>();
  table.add<RoundOp, express>();
  table.add<ExpOp, same<ExpOp, "Exp">>();
  table.add<Expm1Op, express>();
  table.add<LogOp, same<LogOp, "Log">>();
  table.add<Log1pOp, express>();
  table.add<SqrtOp, same<SqrtOp, "Sqrt">>();
  table.add<RsqrtOp, express>();
  table.add<SinOp, same<SinOp, "Sin">>();
  table.add<CosOp, same<CosOp, "Cos">>();
  table.add<TanOp, same<TanOp, "Tan">>();
  table.add<AsinOp, same<AsinOp, "Asin">>();
  table.add<AcosOp, same<AcosOp, "Acos">>();
  table.add<AtanOp, same<AtanOp, "Atan">>();
  table.add<SinhOp, same<SinhOp, "Sinh">>();
  table.add<CoshOp, same<CoshOp, "Cosh">>();
  table.add<TanhOp, same<TanhOp, "Tanh">>();
  table.add<AsinhOp, same<AsinhOp, "Asinh">>();
  table.add<AcoshOp, same<AcoshOp, "Acosh">>();
  table.add<AtanhOp, same<AtanhOp, "Atanh">>();
  table.add<SigmoidOp, same<SigmoidOp, "Sigmoid">>();
  table.add<ErfOp, same<ErfOp, "Erf">>();
  table.add<SoftplusOp, same<SoftplusOp, "Softplus">>();
  table.add<ReluOp, express>();
  table.add<SiluOp, express>();
  table.add<GeluOp, express>();
  table.add<HardSigmoidOp, express>();
  table.add<HardSwishOp, express>();
  table.add<EluOp, express>();
  table.add<NotOp, bits<NotOp, "Not", "BitwiseNot">>();
  table.add<CastOp, express>();
  table.add<BitcastOp, express>();
  table.add<SubOp, same<SubOp, "Sub">>();
  table.add<MulOp, same<MulOp, "Mul">>();
  table.add<DivOp, same<DivOp, "Div">>();
  table.add<RemOp, express>();
  table.add<PowOp, same<PowOp, "Pow">>();
  table.add<MaxOp, extreme<MaxOp, "Max", "Or">>();
  table.add<MinOp, extreme<MinOp, "Min", "And">>();
  table.add<Atan2Op, express>();
  table.add<AndOp, bits<AndOp, "And", "BitwiseAnd">>();
  table.add<OrOp, bits<OrOp, "Or", "BitwiseOr">>();
  table.add<XorOp, bits<XorOp, "Xor", "BitwiseXor">>();
  table.add<ShlOp, shift<ShlOp, "LEFT">>();
  table.add<ShrOp, shift<ShrOp, "RIGHT">>();
  table.add<CompareOp, express>();
  table.add<SelectOp, express>();
  table.add<ClampOp, express>();
  table.add<LeakyReluOp, express>();
}

} // namespace graven::onnx
