// RUN: graven-opt %s --canonicalize | FileCheck %s
// What folds, and what rounding, NaN or the sign of zero forbids.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// x + (-0) is x.
// CHECK-LABEL: graven.graph @add_negative_zero
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @add_negative_zero(%x: tensor<2xf32>) {
  %c = graven.constant dense<-0.0> : tensor<2xf32>
  %r = graven.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// -0 + 0 is 0: stays.
// CHECK-LABEL: graven.graph @add_zero
// CHECK-NEXT: %0 = graven.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NEXT: %1 = graven.add %arg0, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @add_zero(%x: tensor<2xf32>) {
  %c = graven.constant dense<0.0> : tensor<2xf32>
  %r = graven.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// Of ints, 0 folds.
// CHECK-LABEL: graven.graph @add_int_zero
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xi32>
graven.graph @add_int_zero(%i: tensor<2xi32>) {
  %c = graven.constant dense<0> : tensor<2xi32>
  %r = graven.add %i, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// A zero that broadcasts x is not the identity.
// CHECK-LABEL: graven.graph @add_wider_zero
// CHECK-NEXT: %0 = graven.constant dense<0> : tensor<2xi32>
// CHECK-NEXT: %1 = graven.add %arg0, %0 : (tensor<1xi32>, tensor<2xi32>) -> tensor<2xi32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xi32>
graven.graph @add_wider_zero(%i: tensor<1xi32>) {
  %c = graven.constant dense<0> : tensor<2xi32>
  %r = graven.add %i, %c : (tensor<1xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// x - 0 is x.
// CHECK-LABEL: graven.graph @sub_zero
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @sub_zero(%x: tensor<2xf32>) {
  %c = graven.constant dense<0.0> : tensor<2xf32>
  %r = graven.sub %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// x - x is 0 of ints only.
// CHECK-LABEL: graven.graph @sub_self
// CHECK-NEXT: %0 = graven.constant dense<0> : tensor<2xi32>
// CHECK-NEXT: %1 = graven.sub %arg1, %arg1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xi32>
graven.graph @sub_self(%i: tensor<2xi32>, %x: tensor<2xf32>) {
  %r = graven.sub %i, %i : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %s = graven.sub %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %s, %s : tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// x * 1 is x.
// CHECK-LABEL: graven.graph @mul_one
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @mul_one(%x: tensor<2xf32>) {
  %c = graven.constant dense<1.0> : tensor<2xf32>
  %r = graven.mul %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// x * 0 is 0 of ints only.
// CHECK-LABEL: graven.graph @mul_zero
// CHECK-NEXT: %0 = graven.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NEXT: %1 = graven.constant dense<0> : tensor<2xi32>
// CHECK-NEXT: %2 = graven.mul %arg1, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %2, %2 : tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xi32>
graven.graph @mul_zero(%i: tensor<2xi32>, %x: tensor<2xf32>) {
  %c = graven.constant dense<0> : tensor<2xi32>
  %d = graven.constant dense<0.0> : tensor<2xf32>
  %r = graven.mul %i, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %s = graven.mul %x, %d : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %s, %s : tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// x / 1 is x.
// CHECK-LABEL: graven.graph @div_one
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @div_one(%x: tensor<2xf32>) {
  %c = graven.constant dense<1.0> : tensor<2xf32>
  %r = graven.div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// and, or with themselves, 0 and all ones.
// CHECK-LABEL: graven.graph @bits
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xi32>
graven.graph @bits(%i: tensor<2xi32>) {
  %o = graven.constant dense<-1> : tensor<2xi32>
  %0 = graven.and %i, %i : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %1 = graven.and %0, %o : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %r = graven.or %1, %1 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// x == x is true of ints.
// CHECK-LABEL: graven.graph @compare_ints
// CHECK-NEXT: %0 = graven.constant dense<true> : tensor<2xi1>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xi1>
graven.graph @compare_ints(%i: tensor<2xi32>) {
  %r = graven.compare eq %i, %i : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  check.expect_eq %r, %r : tensor<2xi1>
  graven.return
}

// x != x of floats is isnan: stays.
// CHECK-LABEL: graven.graph @compare_floats
// CHECK-NEXT: %0 = graven.compare  ne %arg0, %arg0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xi1>
graven.graph @compare_floats(%x: tensor<2xf32>) {
  %r = graven.compare ne %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  check.expect_eq %r, %r : tensor<2xi1>
  graven.return
}

// A known condition selects.
// CHECK-LABEL: graven.graph @select
// CHECK-NEXT: check.expect_eq %arg1, %arg1 : tensor<2xf32>
graven.graph @select(%x: tensor<2xf32>, %y: tensor<2xf32>) {
  %c = graven.constant dense<true> : tensor<2xi1>
  %r = graven.select %c, %y, %x : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// f(f(x)) = x.
// CHECK-LABEL: graven.graph @self_inverse
// CHECK-NEXT: check.expect_eq %arg1, %arg1 : tensor<2xi1>
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @self_inverse(%x: tensor<2xf32>, %b: tensor<2xi1>) {
  %0 = graven.neg %x : tensor<2xf32>
  %r = graven.neg %0 : tensor<2xf32>
  %1 = graven.not %b : tensor<2xi1>
  %2 = graven.not %1 : tensor<2xi1>
  check.expect_eq %2, %2 : tensor<2xi1>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// f(f(x)) = f(x).
// CHECK-LABEL: graven.graph @projection
// CHECK-NEXT: %0 = graven.relu %arg0 : tensor<2xf32>
// CHECK-NEXT: %1 = graven.floor %0 : tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @projection(%x: tensor<2xf32>) {
  %0 = graven.relu %x : tensor<2xf32>
  %1 = graven.relu %0 : tensor<2xf32>
  %2 = graven.floor %1 : tensor<2xf32>
  %r = graven.floor %2 : tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// Clamps with other bounds stay.
// CHECK-LABEL: graven.graph @clamp_twice
// CHECK-NEXT: %0 = graven.clamp %arg0 lo %arg1 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: %1 = graven.clamp %0 lo %arg2 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @clamp_twice(%x: tensor<2xf32>, %s: tensor<f32>, %t: tensor<f32>) {
  %0 = graven.clamp %x lo %s : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %r = graven.clamp %0 lo %t : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// A cast there and back is nothing, when nothing is lost.
// CHECK-LABEL: graven.graph @cast_back
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2xf32>
graven.graph @cast_back(%x: tensor<2xf32>) {
  %0 = graven.cast %x {to = f64} : (tensor<2xf32>) -> tensor<2xf64>
  %r = graven.cast %0 {to = f32} : (tensor<2xf64>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// A narrowing cast stays.
// CHECK-LABEL: graven.graph @cast_narrow
// CHECK-NEXT: %0 = graven.cast %arg0 {to = f16} : (tensor<2xf32>) -> tensor<2xf16>
// CHECK-NEXT: %1 = graven.cast %0 {to = f32} : (tensor<2xf16>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @cast_narrow(%x: tensor<2xf32>) {
  %0 = graven.cast %x {to = f16} : (tensor<2xf32>) -> tensor<2xf16>
  %r = graven.cast %0 {to = f32} : (tensor<2xf16>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// Small constants are computed.
// CHECK-LABEL: graven.graph @constants
// CHECK-NEXT: %0 = graven.constant dense<[1, -3]> : tensor<2xi32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xi32>
graven.graph @constants() {
  %a = graven.constant dense<[6, -7]> : tensor<2xi32>
  %b = graven.constant dense<[4, 2]> : tensor<2xi32>
  %r = graven.div %a, %b : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}
