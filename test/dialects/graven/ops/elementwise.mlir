// RUN: graven-opt %s | graven-opt | FileCheck %s
// Elementwise ops parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// One operand.
// CHECK-LABEL: graven.graph @unary
// CHECK-NEXT: %0 = graven.neg %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %1 = graven.abs %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %2 = graven.sign %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %3 = graven.ceil %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %4 = graven.floor %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %5 = graven.round %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %6 = graven.exp %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %7 = graven.expm1 %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %8 = graven.log %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %9 = graven.log1p %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %10 = graven.sqrt %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %11 = graven.rsqrt %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %12 = graven.sin %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %13 = graven.cos %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %14 = graven.tan %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %15 = graven.asin %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %16 = graven.acos %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %17 = graven.atan %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %18 = graven.sinh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %19 = graven.cosh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %20 = graven.tanh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %21 = graven.asinh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %22 = graven.acosh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %23 = graven.atanh %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %24 = graven.sigmoid %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %25 = graven.erf %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %26 = graven.relu %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %27 = graven.silu %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %28 = graven.hard_swish %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %29 = graven.softplus %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %30 = graven.gelu %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %31 = graven.hard_sigmoid %arg0 : tensor<2x3xf32>
// CHECK-NEXT: %32 = graven.elu %arg0 : tensor<2x3xf32>
graven.graph @unary(%x: tensor<2x3xf32>) {
  %0 = graven.neg %x : tensor<2x3xf32>
  %1 = graven.abs %x : tensor<2x3xf32>
  %2 = graven.sign %x : tensor<2x3xf32>
  %3 = graven.ceil %x : tensor<2x3xf32>
  %4 = graven.floor %x : tensor<2x3xf32>
  %5 = graven.round %x : tensor<2x3xf32>
  %6 = graven.exp %x : tensor<2x3xf32>
  %7 = graven.expm1 %x : tensor<2x3xf32>
  %8 = graven.log %x : tensor<2x3xf32>
  %9 = graven.log1p %x : tensor<2x3xf32>
  %10 = graven.sqrt %x : tensor<2x3xf32>
  %11 = graven.rsqrt %x : tensor<2x3xf32>
  %12 = graven.sin %x : tensor<2x3xf32>
  %13 = graven.cos %x : tensor<2x3xf32>
  %14 = graven.tan %x : tensor<2x3xf32>
  %15 = graven.asin %x : tensor<2x3xf32>
  %16 = graven.acos %x : tensor<2x3xf32>
  %17 = graven.atan %x : tensor<2x3xf32>
  %18 = graven.sinh %x : tensor<2x3xf32>
  %19 = graven.cosh %x : tensor<2x3xf32>
  %20 = graven.tanh %x : tensor<2x3xf32>
  %21 = graven.asinh %x : tensor<2x3xf32>
  %22 = graven.acosh %x : tensor<2x3xf32>
  %23 = graven.atanh %x : tensor<2x3xf32>
  %24 = graven.sigmoid %x : tensor<2x3xf32>
  %25 = graven.erf %x : tensor<2x3xf32>
  %26 = graven.relu %x : tensor<2x3xf32>
  %27 = graven.silu %x : tensor<2x3xf32>
  %28 = graven.hard_swish %x : tensor<2x3xf32>
  %29 = graven.softplus %x : tensor<2x3xf32>
  %30 = graven.gelu %x : tensor<2x3xf32>
  %31 = graven.hard_sigmoid %x : tensor<2x3xf32>
  %32 = graven.elu %x : tensor<2x3xf32>
  graven.return
}

// Attributes with a value other than the default.
// CHECK-LABEL: graven.graph @attributes
// CHECK-NEXT: %0 = graven.hard_sigmoid %arg0 {alpha = 2.000000e-01 : f64} : tensor<2x3xf32>
// CHECK-NEXT: %1 = graven.elu %arg0 {alpha = 2.000000e+00 : f64, scale = 3.000000e+00 : f64} : tensor<2x3xf32>
graven.graph @attributes(%x: tensor<2x3xf32>) {
  %0 = graven.hard_sigmoid %x {alpha = 2.000000e-01 : f64} : tensor<2x3xf32>
  %1 = graven.elu %x {alpha = 2.000000e+00 : f64, scale = 3.000000e+00 : f64} : tensor<2x3xf32>
  graven.return
}

// Two operands; extents of 1 and rank 0 broadcast.
// CHECK-LABEL: graven.graph @binary
// CHECK-NEXT: %0 = graven.add %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %1 = graven.sub %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %2 = graven.mul %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %3 = graven.div %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %4 = graven.rem %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %5 = graven.pow %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %6 = graven.max %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %7 = graven.min %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %8 = graven.atan2 %arg0, %arg1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %9 = graven.add %arg0, %arg2 : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
graven.graph @binary(%x: tensor<2x3xf32>, %y: tensor<1x3xf32>, %s: tensor<f32>) {
  %0 = graven.add %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %1 = graven.sub %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %2 = graven.mul %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %3 = graven.div %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %4 = graven.rem %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %5 = graven.pow %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %6 = graven.max %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %7 = graven.min %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %8 = graven.atan2 %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %9 = graven.add %x, %s : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  graven.return
}

// Ints and bools.
// CHECK-LABEL: graven.graph @ints
// CHECK-NEXT: %0 = graven.and %arg0, %arg0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK-NEXT: %1 = graven.or %arg0, %arg0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK-NEXT: %2 = graven.xor %arg0, %arg0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK-NEXT: %3 = graven.shl %arg0, %arg0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK-NEXT: %4 = graven.shr %arg0, %arg0 : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
// CHECK-NEXT: %5 = graven.not %arg2 : tensor<4xi1>
// CHECK-NEXT: %6 = graven.shr %arg1, %arg1 : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
// CHECK-NEXT: %7 = graven.and %arg2, %arg2 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
graven.graph @ints(%i: tensor<4xi32>, %u: tensor<4xui8>, %b: tensor<4xi1>) {
  %0 = graven.and %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %1 = graven.or %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %2 = graven.xor %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %3 = graven.shl %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %4 = graven.shr %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %5 = graven.not %b : tensor<4xi1>
  %6 = graven.shr %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %7 = graven.and %b, %b : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  graven.return
}

// Conversions.
// CHECK-LABEL: graven.graph @casts
// CHECK-NEXT: %0 = graven.cast %arg0 {to = i64} : (tensor<2x3xf32>) -> tensor<2x3xi64>
// CHECK-NEXT: %1 = graven.bitcast %arg0 {to = i32} : (tensor<2x3xf32>) -> tensor<2x3xi32>
graven.graph @casts(%x: tensor<2x3xf32>) {
  %0 = graven.cast %x {to = i64} : (tensor<2x3xf32>) -> tensor<2x3xi64>
  %1 = graven.bitcast %x {to = i32} : (tensor<2x3xf32>) -> tensor<2x3xi32>
  graven.return
}

// Three operands, and those that may be absent.
// CHECK-LABEL: graven.graph @ternary
// CHECK-NEXT: %0 = graven.compare  eq %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %1 = graven.compare  ne %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %2 = graven.compare  lt %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %3 = graven.compare  le %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %4 = graven.compare  gt %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %5 = graven.compare  ge %arg0, %arg0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
// CHECK-NEXT: %6 = graven.select %arg2, %arg0, %arg1 : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
// CHECK-NEXT: %7 = graven.clamp %arg0 lo %arg1 : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
// CHECK-NEXT: %8 = graven.clamp %arg0 hi %arg1 : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
// CHECK-NEXT: %9 = graven.clamp %arg0 lo %arg1 hi %arg1 : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
// CHECK-NEXT: %10 = graven.leaky_relu %arg0, %arg1 : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
graven.graph @ternary(%x: tensor<2x3xf32>, %s: tensor<f32>, %c: tensor<2x3xi1>) {
  %0 = graven.compare eq %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %1 = graven.compare ne %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %2 = graven.compare lt %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %3 = graven.compare le %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %4 = graven.compare gt %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %5 = graven.compare ge %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %6 = graven.select %c, %x, %s : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %7 = graven.clamp %x lo %s : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %8 = graven.clamp %x hi %s : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %9 = graven.clamp %x lo %s hi %s : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
  %10 = graven.leaky_relu %x, %s : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  graven.return
}
