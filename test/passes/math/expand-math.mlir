// RUN: graven-opt --graven-expand-math --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-expand-math=fma --split-input-file %s | FileCheck %s --check-prefix=FMA
// RUN: graven-opt --graven-expand-math=rounding --split-input-file %s | FileCheck %s --check-prefix=ROUND
// The values are tested in test/unit/passes/math.

// Without the option no product is fused with a sum.

// CHECK-LABEL: @exp2_vector
//  CHECK-SAME: %[[X:.*]]: vector<8xf32>
//       CHECK: %[[HIGH:.*]] = arith.constant dense<1.280000e+02> : vector<8xf32>
//       CHECK: arith.cmpf olt, %[[HIGH]], %[[X]]
//       CHECK: arith.constant dense<0x4B400000>
//       CHECK: arith.bitcast {{.*}} : vector<8xf32> to vector<8xi32>
//       CHECK: arith.mulf {{.*}} : vector<8xf32>
//   CHECK-NOT: math.
//   CHECK-NOT: fastmath
//       CHECK: return %{{.*}} : vector<8xf32>
// FMA-LABEL: @exp2_vector
//       FMA: math.fma {{.*}} : vector<8xf32>
//   FMA-NOT: math.exp2
//       FMA: return
func.func @exp2_vector(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp2 %x : vector<8xf32>
  return %y : vector<8xf32>
}

// -----

// Every function has a formula in f32: nothing but single instructions is left.

// CHECK-LABEL: @every_function
//   CHECK-NOT: math.{{[^acfs]}}
//   CHECK-NOT: call
//   CHECK-NOT: scf.
//       CHECK: return
func.func @every_function(%x: f32, %z: f32, %n: i32) -> f32 {
  %0 = math.exp %x : f32
  %1 = math.exp2 %0 : f32
  %2 = math.expm1 %1 : f32
  %3 = math.log %2 : f32
  %4 = math.log2 %3 : f32
  %5 = math.log10 %4 : f32
  %6 = math.log1p %5 : f32
  %7 = math.tanh %6 : f32
  %8 = math.erf %7 : f32
  %9 = math.erfc %8 : f32
  %10 = math.tan %9 : f32
  %11 = math.rsqrt %10 : f32
  %12 = math.powf %11, %z : f32
  %13 = math.fpowi %12, %n : f32, i32
  return %13 : f32
}

// -----

// CHECK-LABEL: @circular_and_hyperbolic
//   CHECK-NOT: math.{{sin|cos|asin|acos|atan|cbrt|acosh|asinh|cosh}}
//       CHECK: return
func.func @circular_and_hyperbolic(%x: f32, %z: f32) -> (f32, f32) {
  %0 = math.sin %x : f32
  %1 = math.cos %0 : f32
  %2 = math.asin %1 : f32
  %3 = math.acos %2 : f32
  %4 = math.atan %3 : f32
  %5 = math.atan2 %4, %z : f32
  %6 = math.sinh %5 : f32
  %7 = math.cosh %6 : f32
  %8 = math.asinh %7 : f32
  %9 = math.acosh %8 : f32
  %10 = math.atanh %9 : f32
  %11 = math.cbrt %10 : f32
  %12, %13 = math.sincos %11 : f32
  return %12, %13 : f32, f32
}

// -----

// The narrow types are computed in f32.

// CHECK-LABEL: @narrow
//  CHECK-SAME: %[[H:.*]]: vector<4xf16>, %[[B:.*]]: bf16
//       CHECK: %[[WIDE:.*]] = arith.extf %[[H]] : vector<4xf16> to vector<4xf32>
//       CHECK: %[[ROOT:.*]] = math.sqrt %[[WIDE]] : vector<4xf32>
//       CHECK: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<4xf32>
//       CHECK: %[[Y:.*]] = arith.divf %[[ONE]], %[[ROOT]]
//       CHECK: arith.truncf %[[Y]] : vector<4xf32> to vector<4xf16>
//       CHECK: arith.extf %[[B]] : bf16 to f32
//       CHECK: arith.truncf {{.*}} : f32 to bf16
func.func @narrow(%h: vector<4xf16>, %b: bf16) -> (vector<4xf16>, bf16) {
  %0 = math.rsqrt %h : vector<4xf16>
  %1 = math.tanh %b : bf16
  return %0, %1 : vector<4xf16>, bf16
}

// -----

// f64 goes to libm, vectors element by element; one declaration for each name.

// CHECK-DAG: func.func private @exp(f64) -> f64
// CHECK-DAG: func.func private @pow(f64, f64) -> f64
// CHECK-LABEL: @doubles
//  CHECK-SAME: %[[X:.*]]: f64, %[[V:.*]]: vector<2xf64>, %[[N:.*]]: i32
//       CHECK: call @exp(%[[X]])
//       CHECK: %[[E:.*]]:2 = vector.to_elements %[[V]]
//       CHECK: %[[E0:.*]] = call @exp(%[[E]]#0)
//       CHECK: %[[E1:.*]] = call @exp(%[[E]]#1)
//       CHECK: vector.from_elements %[[E0]], %[[E1]] : vector<2xf64>
//       CHECK: %[[P:.*]] = arith.sitofp %[[N]] : i32 to f64
//       CHECK: call @pow(%[[X]], %[[P]])
//       CHECK: math.sqrt
//       CHECK: arith.divf
func.func @doubles(%x: f64, %v: vector<2xf64>, %n: i32) -> (f64, vector<2xf64>, f64, f64) {
  %0 = math.exp %x : f64
  %1 = math.exp %v : vector<2xf64>
  %2 = math.fpowi %x, %n : f64, i32
  %3 = math.rsqrt %x : f64
  return %0, %1, %2, %3 : f64, vector<2xf64>, f64, f64
}

// -----

// A name that belongs to something else is not called.

func.func private @exp(i32) -> i32

// CHECK-LABEL: @name_taken
//       CHECK: math.exp
func.func @name_taken(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// -----

// Rounding is expanded on request only.

// CHECK-LABEL: @rounding
//       CHECK: math.floor
//       CHECK: math.ceil
//       CHECK: math.trunc
//       CHECK: math.round %
//       CHECK: math.roundeven
// ROUND-LABEL: @rounding
//   ROUND-NOT: math.{{floor|ceil|trunc|round}}
//       ROUND: arith.constant 0x4330000000000000 : f64
//   ROUND-NOT: math.{{floor|ceil|trunc|round}}
//       ROUND: return
func.func @rounding(%x: f32, %d: f64) -> (f32, f64) {
  %0 = math.floor %x : f32
  %1 = math.ceil %0 : f32
  %2 = math.trunc %1 : f32
  %3 = math.round %2 : f32
  %4 = math.roundeven %d : f64
  return %3, %4 : f32, f64
}

// -----

// Left alone: tensors, other float types, scalable vectors, an index exponent,
// and ops that are one instruction.

// CHECK-LABEL: @left_alone
//       CHECK: math.exp %{{.*}} : tensor<4xf32>
//       CHECK: math.exp %{{.*}} : f80
//       CHECK: math.exp %{{.*}} : vector<[4]xf32>
//       CHECK: math.fpowi %{{.*}} : f32, index
//       CHECK: math.absf
//       CHECK: math.sqrt
//       CHECK: math.ipowi
func.func @left_alone(%t: tensor<4xf32>, %e: f80, %s: vector<[4]xf32>, %x: f32, %n: index, %i: i32)
    -> (tensor<4xf32>, f80, vector<[4]xf32>, f32, f32, f32, i32) {
  %0 = math.exp %t : tensor<4xf32>
  %1 = math.exp %e : f80
  %2 = math.exp %s : vector<[4]xf32>
  %3 = math.fpowi %x, %n : f32, index
  %4 = math.absf %x : f32
  %5 = math.sqrt %x : f32
  %6 = math.ipowi %i, %i : i32
  return %0, %1, %2, %3, %4, %5, %6 : tensor<4xf32>, f80, vector<[4]xf32>, f32, f32, f32, i32
}

// -----

// Gelu stays in f32 where multiplications and additions are fused, since what one rounds away can be had then; the factor
// may be a scalar that is repeated.

// CHECK-LABEL: @gelu_of_vectors
//       CHECK: f64
//       CHECK: return
// FMA-LABEL: @gelu_of_vectors
//   FMA-NOT: f64
//       FMA: return
func.func @gelu_of_vectors(%x: vector<8xf32>) -> vector<8xf32> {
  %half = arith.constant dense<0.5> : vector<8xf32>
  %c = arith.constant 0.707106769 : f32
  %k = vector.broadcast %c : f32 to vector<8xf32>
  %minus = arith.negf %x : vector<8xf32>
  %q = arith.mulf %minus, %k : vector<8xf32>
  %e = math.erfc %q : vector<8xf32>
  %h = arith.mulf %half, %x : vector<8xf32>
  %y = arith.mulf %h, %e : vector<8xf32>
  return %y : vector<8xf32>
}

// -----

// Silu and gelu by tanh keep their scale of 2^-6 where a result is normal and e^-x is not; another quotient has none.

// FMA-LABEL: @silu
//   FMA-NOT: math.exp
//       FMA: arith.constant 1.562500e-02
//       FMA: return
func.func @silu(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %minus = arith.negf %x : f32
  %e = math.exp %minus : f32
  %below = arith.addf %one, %e : f32
  %y = arith.divf %x, %below : f32
  return %y : f32
}

// FMA-LABEL: @gelu_by_tanh
//   FMA-NOT: math.exp
//       FMA: arith.constant 4.471500e-02
//       FMA: arith.constant 1.562500e-02
//       FMA: return
func.func @gelu_by_tanh(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %k = arith.constant -1.5957691216057308 : f32
  %c = arith.constant 0.044715 : f32
  %square = arith.mulf %x, %x : f32
  %third = arith.mulf %c, %x : f32
  %cubic = arith.mulf %third, %square : f32
  %sum = arith.addf %cubic, %x : f32
  %u = arith.mulf %k, %sum : f32
  %e = math.exp %u : f32
  %below = arith.addf %e, %one : f32
  %y = arith.divf %x, %below : f32
  return %y : f32
}

// FMA-LABEL: @quotient_of_two_values
//   FMA-NOT: math.exp
//   FMA-NOT: 1.562500e-02
//       FMA: return
func.func @quotient_of_two_values(%x: f32, %z: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %minus = arith.negf %z : f32
  %e = math.exp %minus : f32
  %below = arith.addf %one, %e : f32
  %y = arith.divf %x, %below : f32
  return %y : f32
}

// FMA-LABEL: @cubic_of_another_value
//   FMA-NOT: math.exp
//   FMA-NOT: 1.562500e-02
//       FMA: return
func.func @cubic_of_another_value(%x: f32, %z: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %k = arith.constant -1.5957691216057308 : f32
  %c = arith.constant 0.044715 : f32
  %square = arith.mulf %x, %x : f32
  %third = arith.mulf %c, %z : f32
  %cubic = arith.mulf %third, %square : f32
  %sum = arith.addf %cubic, %x : f32
  %u = arith.mulf %k, %sum : f32
  %e = math.exp %u : f32
  %below = arith.addf %e, %one : f32
  %y = arith.divf %x, %below : f32
  return %y : f32
}

// -----

// Mish is one function, and the tanh of a softplus that has another product is one, too.

// FMA-LABEL: @mish
//   FMA-NOT: math.{{exp|log|tanh}}
//   FMA-COUNT-2: arith.divf
//   FMA-NOT: arith.divf
//       FMA: return
func.func @mish(%x: f32, %z: f32) -> (f32, f32) {
  %zero = arith.constant 0.0 : f32
  %big = arith.maximumf %x, %zero : f32
  %m = math.absf %x : f32
  %minus = arith.negf %m : f32
  %e = math.exp %minus : f32
  %l = math.log1p %e : f32
  %s = arith.addf %big, %l : f32
  %t = math.tanh %s : f32
  %y = arith.mulf %x, %t : f32
  %other = arith.mulf %z, %t : f32
  return %y, %other : f32, f32
}

// -----

// CHECK-LABEL: @erfc_of_another_product
//       CHECK: f64
//       CHECK: return
func.func @erfc_of_another_product(%x: f32) -> f32 {
  %c = arith.constant 0.707 : f32
  %q = arith.mulf %x, %c : f32
  %y = math.erfc %q : f32
  return %y : f32
}

// -----

// Formulas of several ops are one function: one exponential and one quotient.

// CHECK-LABEL: @composites
//   CHECK-NOT: math.{{[^a]}}
//       CHECK: return
// FMA-LABEL: @composites
//   FMA-NOT: math.{{exp|log|tanh|erfc}}
//       FMA: return
func.func @composites(%x: f32) -> (f32, f32, f32, f32) {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %minusRoot = arith.constant -0.707106769 : f32
  %scaled = arith.mulf %x, %minusRoot : f32
  %erfc = math.erfc %scaled : f32
  %part = arith.mulf %x, %half : f32
  %gelu = arith.mulf %part, %erfc : f32
  %exp = math.exp %x : f32
  %below = arith.addf %exp, %one : f32
  %quotient = arith.divf %x, %below : f32
  %magnitude = math.absf %x : f32
  %negative = arith.negf %magnitude : f32
  %small = math.exp %negative : f32
  %tail = math.log1p %small : f32
  %positive = arith.maximumf %x, %zero : f32
  %softplus = arith.addf %positive, %tail : f32
  %tanh = math.tanh %softplus : f32
  return %gelu, %quotient, %softplus, %tanh : f32, f32, f32, f32
}

// -----

// erfc of something else is computed in f64, as ever.

// CHECK-LABEL: @erfc_of_another_product
//       CHECK: f64
//       CHECK: return
func.func @erfc_of_another_product(%x: f32, %y: f32) -> f32 {
  %half = arith.constant 0.5 : f32
  %minusRoot = arith.constant -0.707106769 : f32
  %scaled = arith.mulf %y, %minusRoot : f32
  %erfc = math.erfc %scaled : f32
  %part = arith.mulf %x, %half : f32
  %product = arith.mulf %part, %erfc : f32
  return %product : f32
}
