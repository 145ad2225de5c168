//===- OpsElementwise.td - elementwise ops -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the ops that work element by element. The formula of an op is a C++ expression over its
// scalars; the reference evaluator runs it (floats in double, then rounded once to the element type).
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPSELEMENTWISE_TD
#define DIALECTS_GRAVEN_OPSELEMENTWISE_TD

include "dialects/graven/GravenEnums.td"

//===----------------------------------------------------------------------===//
// One operand: result type = operand type, <= 2 ULP in f32
//===----------------------------------------------------------------------===//

class Graven_UnaryOp<string mnemonic, Type tensor, string what, string formula, list<Trait> traits = []>
    : Graven_SameTypeOp<mnemonic, traits # [Graven_Elementwise]> {
  let summary = what;
  let description = "Elementwise; the result has the type of the operand. As the evaluator computes it: `" # formula # "`.";
  let arguments = (ins tensor:$x);
  let results = (outs tensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let extraClassDefinition = [{
    ::mlir::FailureOr<::llvm::SmallVector<::graven::eval::Tensor>>
    $cppClass::evaluate(::llvm::ArrayRef<::graven::eval::Tensor> operands, ::graven::eval::Evaluator &) {
      return ::graven::eval::map(operands[0], [&]([[maybe_unused]] auto x) { return }] # formula # [{; });
    }
  }];
}

def Graven_NegOp : Graven_UnaryOp<"neg", Graven_NTensor, "-x; unsigned: 2^n - x", "eval::neg(x)", [Graven_SelfInverse, Graven_ZeroPreserving]>;
def Graven_AbsOp : Graven_UnaryOp<"abs", Graven_NTensor, "|x|; the smallest int stays", "eval::abs(x)", [Graven_Projection, Graven_ZeroPreserving]>;
def Graven_SignOp : Graven_UnaryOp<"sign", Graven_NTensor, "-1, 0 or 1; NaN gives NaN, zeros keep their sign",
  "eval::sign(x)", [Graven_Projection, Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_CeilOp : Graven_UnaryOp<"ceil", Graven_FTensor, "least integer not below x", "std::ceil(x)", [Graven_Projection, Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_FloorOp : Graven_UnaryOp<"floor", Graven_FTensor, "greatest integer not above x", "std::floor(x)", [Graven_Projection, Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_RoundOp : Graven_UnaryOp<"round", Graven_FTensor, "nearest integer, halves to even", "std::nearbyint(x)",
  [Graven_Projection, Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_ExpOp : Graven_UnaryOp<"exp", Graven_FTensor, "e^x", "std::exp(x)", [Graven_Monotone]>;
def Graven_Expm1Op : Graven_UnaryOp<"expm1", Graven_FTensor, "e^x - 1", "std::expm1(x)", [Graven_Monotone, Graven_ZeroPreserving]>;
def Graven_LogOp : Graven_UnaryOp<"log", Graven_FTensor, "natural logarithm; log 0 = -inf, negative gives NaN", "std::log(x)", [Graven_Monotone]>;
def Graven_Log1pOp : Graven_UnaryOp<"log1p", Graven_FTensor, "ln(1 + x)", "std::log1p(x)", [Graven_Monotone, Graven_ZeroPreserving]>;
def Graven_SqrtOp : Graven_UnaryOp<"sqrt", Graven_FTensor, "square root", "std::sqrt(x)", [Graven_Monotone, Graven_ZeroPreserving]>;
def Graven_RsqrtOp : Graven_UnaryOp<"rsqrt", Graven_FTensor, "1 / square root", "1 / std::sqrt(x)">;
def Graven_SinOp : Graven_UnaryOp<"sin", Graven_FTensor, "sine, full range reduction", "std::sin(x)", [Graven_ZeroPreserving]>;
def Graven_CosOp : Graven_UnaryOp<"cos", Graven_FTensor, "cosine, full range reduction", "std::cos(x)">;
def Graven_TanOp : Graven_UnaryOp<"tan", Graven_FTensor, "tangent", "std::tan(x)", [Graven_ZeroPreserving]>;
def Graven_AsinOp : Graven_UnaryOp<"asin", Graven_FTensor, "arc sine", "std::asin(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_AcosOp : Graven_UnaryOp<"acos", Graven_FTensor, "arc cosine", "std::acos(x)">;
def Graven_AtanOp : Graven_UnaryOp<"atan", Graven_FTensor, "arc tangent", "std::atan(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_SinhOp : Graven_UnaryOp<"sinh", Graven_FTensor, "hyperbolic sine", "std::sinh(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_CoshOp : Graven_UnaryOp<"cosh", Graven_FTensor, "hyperbolic cosine", "std::cosh(x)">;
def Graven_TanhOp : Graven_UnaryOp<"tanh", Graven_FTensor, "hyperbolic tangent", "std::tanh(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_AsinhOp : Graven_UnaryOp<"asinh", Graven_FTensor, "inverse hyperbolic sine", "std::asinh(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_AcoshOp : Graven_UnaryOp<"acosh", Graven_FTensor, "inverse hyperbolic cosine", "std::acosh(x)">;
def Graven_AtanhOp : Graven_UnaryOp<"atanh", Graven_FTensor, "inverse hyperbolic tangent", "std::atanh(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_SigmoidOp : Graven_UnaryOp<"sigmoid", Graven_FTensor, "1 / (1 + e^-x), without overflow", "eval::sigmoid(x)", [Graven_Monotone]>;
def Graven_ErfOp : Graven_UnaryOp<"erf", Graven_FTensor, "error function", "std::erf(x)", [Graven_ZeroPreserving, Graven_Monotone]>;
def Graven_ReluOp : Graven_UnaryOp<"relu", Graven_NTensor, "max(x, 0); NaN stays NaN", "(x < 0 ? decltype(x)(0) : x)",
  [Graven_Projection, Graven_ZeroPreserving, Graven_Monotone]> { let hasFolder = 1; }
def Graven_SiluOp : Graven_UnaryOp<"silu", Graven_FTensor, "x * sigmoid(x); -inf gives NaN", "x * eval::sigmoid(x)", [Graven_ZeroPreserving]>;
def Graven_HardSwishOp : Graven_UnaryOp<"hard_swish", Graven_FTensor, "x * min(max(x/6 + 1/2, 0), 1); -inf gives NaN",
  "x * eval::hardSigmoid(x, 1.0 / 6, 0.5)", [Graven_ZeroPreserving]>;
def Graven_SoftplusOp : Graven_UnaryOp<"softplus", Graven_FTensor, "ln(1 + e^x), without overflow", "eval::softplus(x)", [Graven_Monotone]>;
def Graven_NotOp : Graven_UnaryOp<"not", Graven_IUBTensor, "bitwise complement; of a bool, logical", "eval::complement(x)", [Graven_SelfInverse]>;

def Graven_GeluOp : Graven_UnaryOp<"gelu", Graven_FTensor, "Gaussian error linear unit, exact or by tanh",
    "eval::gelu(x, getForm())", [Graven_ZeroPreserving]> {
  let description = [{
    exact: `x/2 (1 + erf(x/sqrt 2))`; tanh: `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`. -inf gives NaN.
    ONNX: Gelu 20.  ATen: gelu.
  }];
  let arguments = (ins Graven_FTensor:$x, DefaultValuedAttr<Graven_GeluFormAttr, "::graven::GeluForm::Exact">:$form);
  let assemblyFormat = "$x (`form` $form^)? attr-dict `:` type($x)";
}
def Graven_HardSigmoidOp : Graven_UnaryOp<"hard_sigmoid", Graven_FTensor, "min(max(alpha x + beta, 0), 1)",
    "eval::hardSigmoid(x, getAlpha().convertToDouble(), getBeta().convertToDouble())", [Graven_Monotone]> {
  let description = "`min(max(alpha x + beta, 0), 1)`. ATen: alpha 1/6, beta 1/2; ONNX's default alpha is 0.2.";
  let arguments = (ins Graven_FTensor:$x, DefaultValuedAttr<F64Attr, "1.0 / 6">:$alpha, DefaultValuedAttr<F64Attr, "0.5">:$beta);
}
def Graven_EluOp : Graven_UnaryOp<"elu", Graven_FTensor, "scale (x > 0 ? x : alpha expm1(input_scale x))",
    "getScale().convertToDouble() * (x > 0 ? x : getAlpha().convertToDouble() * std::expm1(getInputScale().convertToDouble() * x))",
    [Graven_ZeroPreserving]> {
  let description = "Also Selu (scale) and Celu (input_scale = 1/alpha). ONNX: Elu, Selu, Celu.  ATen: elu, selu, celu.";
  let arguments = (ins Graven_FTensor:$x, DefaultValuedAttr<F64Attr, "1.0">:$alpha, DefaultValuedAttr<F64Attr, "1.0">:$scale,
                       DefaultValuedAttr<F64Attr, "1.0">:$input_scale);
}

def Graven_CastOp : Graven_PureOp<"cast", [Graven_Elementwise]> {
  let summary = "converts the element type";
  let description = [{
    Float to int truncates and saturates, NaN gives 0; to bool is x != 0, NaN gives true; int to int keeps the low
    bits; int to float rounds to nearest even. ONNX: Cast.  ATen: to, _to_copy.
  }];
  let arguments = (ins Graven_TTensor:$x, TypeAttr:$to);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::mlir::Type":$elementType)>];
  let hasFolder = 1;
}
def Graven_BitcastOp : Graven_PureOp<"bitcast", [Graven_Elementwise, Graven_SelfInverse]> {
  let summary = "the same bits read as another type of the same width";
  let description = "C1 both element types have the same width; extents are equal. ONNX: BitCast 26.  ATen: view.dtype.";
  let arguments = (ins Graven_TTensor:$x, TypeAttr:$to);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Two and three operands: equal ranks, static extent 1 broadcasts
//===----------------------------------------------------------------------===//

class Graven_BinaryOp<string mnemonic, Type tensor, string what, string formula, list<Trait> traits = []>
    : Graven_PureOp<mnemonic, traits # [Graven_Elementwise, SameOperandsAndResultElementType /*C1*/]> {
  let summary = what;
  let description = "C1 equal element types.  C2 equal ranks; per axis, extents are equal or one is a static 1. As the evaluator computes it: `"
                    # formula # "`.";
  let arguments = (ins tensor:$a, tensor:$b);
  let results = (outs tensor:$result);
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
                                                      Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return ::graven::inferBroadcast(loc, adaptor.getOperands(), /*elementType=*/{}, types);
    }
    ::mlir::FailureOr<::llvm::SmallVector<::graven::eval::Tensor>>
    $cppClass::evaluate(::llvm::ArrayRef<::graven::eval::Tensor> operands, ::graven::eval::Evaluator &) {
      return ::graven::eval::zip(operands[0], operands[1], [&](auto a, auto b) { return }] # formula # [{; });
    }
  }];
}

def Graven_AddOp : Graven_BinaryOp<"add", Graven_NTensor, "a + b", "eval::add(a, b)", [Commutative]> { let hasFolder = 1; let hasCanonicalizer = 1; }
def Graven_SubOp : Graven_BinaryOp<"sub", Graven_NTensor, "a - b", "eval::sub(a, b)"> { let hasFolder = 1; let hasCanonicalizer = 1; }
def Graven_MulOp : Graven_BinaryOp<"mul", Graven_NTensor, "a * b", "eval::mul(a, b)", [Commutative]> { let hasFolder = 1; let hasCanonicalizer = 1; }
def Graven_DivOp : Graven_BinaryOp<"div", Graven_NTensor,
  "a / b; ints truncate, x/0 is all ones, MIN/-1 is MIN", "eval::div(a, b)"> { let hasFolder = 1; }
def Graven_RemOp : Graven_BinaryOp<"rem", Graven_NTensor,
  "a - trunc(a/b) b, with the sign of a; ints: x rem 0 = x", "eval::rem(a, b)">;
def Graven_PowOp : Graven_BinaryOp<"pow", Graven_NTensor,
  "a^b; ints: a negative exponent gives 1 for 1, +-1 for -1, else 0", "eval::pow(a, b)">;
def Graven_MaxOp : Graven_BinaryOp<"max", Graven_TTensor, "the greater; NaN if either is NaN", "eval::max(a, b)", [Commutative]> { let hasCanonicalizer = 1; }
def Graven_MinOp : Graven_BinaryOp<"min", Graven_TTensor, "the lesser; NaN if either is NaN", "eval::min(a, b)", [Commutative]>;
def Graven_Atan2Op : Graven_BinaryOp<"atan2", Graven_FTensor, "angle of the point (x = b, y = a)", "std::atan2(a, b)">;
def Graven_AndOp : Graven_BinaryOp<"and", Graven_IUBTensor, "bitwise and", "eval::bitAnd(a, b)", [Commutative]> { let hasFolder = 1; }
def Graven_OrOp : Graven_BinaryOp<"or", Graven_IUBTensor, "bitwise or", "eval::bitOr(a, b)", [Commutative]> { let hasFolder = 1; }
def Graven_XorOp : Graven_BinaryOp<"xor", Graven_IUBTensor, "bitwise exclusive or", "eval::bitXor(a, b)", [Commutative]>;
def Graven_ShlOp : Graven_BinaryOp<"shl", Graven_IUTensor,
  "a shifted left by unsigned b; b >= width gives 0", "eval::shl(a, b, operands[0].getElementType().getIntOrFloatBitWidth())">;
def Graven_ShrOp : Graven_BinaryOp<"shr", Graven_IUTensor,
  "a shifted right by unsigned b, arithmetic for signed; b >= width gives 0 or the sign", "eval::shr(a, b, operands[0].getElementType().getIntOrFloatBitWidth())">;

def Graven_CompareOp : Graven_PureOp<"compare", [Graven_Elementwise]> {
  let summary = "compares elements";
  let description = [{
    Ordered but for `ne`: NaN != NaN is true, everything else with NaN is false; false < true. Unsigned types compare
    unsigned. Never folded for x compared with x on floats (that is isnan).
    C1 equal element types.  C2 broadcast as for binary ops.
  }];
  let arguments = (ins Graven_TTensor:$a, Graven_TTensor:$b, Graven_ComparePredicateAttr:$predicate);
  let results = (outs Graven_BTensor:$result);
  let hasFolder = 1;
  let assemblyFormat = "$predicate $a `,` $b attr-dict `:` functional-type(operands, results)";
}
def Graven_SelectOp : Graven_PureOp<"select", [Graven_Elementwise]> {
  let summary = "cond ? a : b";
  let description = "C1 a and b have equal element types.  C2 broadcast over the three operands. No arithmetic: NaN in the untaken side is harmless.";
  let arguments = (ins Graven_BTensor:$cond, Graven_TTensor:$a, Graven_TTensor:$b);
  let results = (outs Graven_TTensor:$result);
  let assemblyFormat = "$cond `,` $a `,` $b attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}
def Graven_ClampOp : Graven_PureOp<"clamp", [Graven_Elementwise, AttrSizedOperandSegments, Graven_Projection, Graven_Monotone]> {
  let summary = "min(max(x, lo), hi)";
  let description = [{
    C1 equal element types.  C2 a bound is a scalar of rank 0 or broadcasts to x.  C3 at least one bound.
    lo > hi gives hi; NaN in x or a bound gives NaN. ONNX: Clip.  ATen: clamp.
  }];
  let arguments = (ins Graven_NTensor:$x, Optional<Graven_NTensor>:$lo, Optional<Graven_NTensor>:$hi);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = "$x (`lo` $lo^)? (`hi` $hi^)? attr-dict `:` functional-type(operands, results)";
  let hasCanonicalizer = 1;
}
def Graven_LeakyReluOp : Graven_PureOp<"leaky_relu", [Graven_Elementwise, Graven_ZeroPreserving]> {
  let summary = "x < 0 ? slope x : x";
  let description = "C1 equal element types.  C2 slope is a scalar of rank 0 or broadcasts to x. ONNX: LeakyRelu, PRelu.";
  let arguments = (ins Graven_NTensor:$x, Graven_NTensor:$slope);
  let results = (outs Graven_NTensor:$result);
  let assemblyFormat = "$x `,` $slope attr-dict `:` functional-type(operands, results)";
}

#endif // DIALECTS_GRAVEN_OPSELEMENTWISE_TD
