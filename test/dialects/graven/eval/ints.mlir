// RUN: graven-opt %s --graven-run-checks
// Ints wrap; division, shifts and powers have no undefined case.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @wrap() {
  %a = graven.constant dense<[127, -128, -128]> : tensor<3xi8>
  %b = graven.constant dense<[1, -1, -128]> : tensor<3xi8>
  %add = graven.add %a, %b : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  check.expect_eq_const %add, dense<[-128, 127, 0]> : tensor<3xi8>
  %mul = graven.mul %a, %b : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  check.expect_eq_const %mul, dense<[127, -128, 0]> : tensor<3xi8>
  %neg = graven.neg %a : tensor<3xi8>
  check.expect_eq_const %neg, dense<[-127, -128, -128]> : tensor<3xi8>
  %abs = graven.abs %a : tensor<3xi8>
  check.expect_eq_const %abs, dense<[127, -128, -128]> : tensor<3xi8>
  graven.return
}

graven.graph @divide() {
  %a = graven.constant dense<[7, -7, 5, -2147483648]> : tensor<4xi32>
  %b = graven.constant dense<[2, 2, 0, -1]> : tensor<4xi32>
  %div = graven.div %a, %b : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  check.expect_eq_const %div, dense<[3, -3, -1, -2147483648]> : tensor<4xi32>
  %rem = graven.rem %a, %b : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  check.expect_eq_const %rem, dense<[1, -1, 5, 0]> : tensor<4xi32>
  graven.return
}

graven.graph @unsigned() {
  %a = graven.constant dense<[255, 7]> : tensor<2xui8>
  %b = graven.constant dense<[2, 0]> : tensor<2xui8>
  %div = graven.div %a, %b : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  check.expect_eq_const %div, dense<[127, 255]> : tensor<2xui8>
  %lt = graven.compare lt %b, %a : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xi1>
  check.expect_eq_const %lt, dense<true> : tensor<2xi1>
  %shr = graven.shr %a, %b : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  check.expect_eq_const %shr, dense<[63, 7]> : tensor<2xui8>
  graven.return
}

graven.graph @shift() {
  %a = graven.constant dense<[-8, -8, 1, 1]> : tensor<4xi8>
  %n = graven.constant dense<[1, 8, 8, -1]> : tensor<4xi8>
  // A count of the width or more, read unsigned, gives 0 or the sign.
  %shr = graven.shr %a, %n : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  check.expect_eq_const %shr, dense<[-4, -1, 0, 0]> : tensor<4xi8>
  %shl = graven.shl %a, %n : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  check.expect_eq_const %shl, dense<[-16, 0, 0, 0]> : tensor<4xi8>
  graven.return
}

graven.graph @power() {
  %a = graven.constant dense<[2, 1, -1, -1, 3]> : tensor<5xi32>
  %b = graven.constant dense<[-1, -5, -2, -3, 4]> : tensor<5xi32>
  %y = graven.pow %a, %b : (tensor<5xi32>, tensor<5xi32>) -> tensor<5xi32>
  check.expect_eq_const %y, dense<[0, 1, 1, -1, 81]> : tensor<5xi32>
  graven.return
}

graven.graph @cast() {
  %x = graven.constant dense<[3.0e+9, -3.0e+9, 0x7FC00000, -1.9]> : tensor<4xf32>
  %i32 = graven.cast %x {to = i32} : (tensor<4xf32>) -> tensor<4xi32>
  check.expect_eq_const %i32, dense<[2147483647, -2147483648, 0, -1]> : tensor<4xi32>
  %ui8 = graven.cast %x {to = ui8} : (tensor<4xf32>) -> tensor<4xui8>
  check.expect_eq_const %ui8, dense<[255, 0, 0, 0]> : tensor<4xui8>
  %b = graven.cast %x {to = i1} : (tensor<4xf32>) -> tensor<4xi1>
  check.expect_eq_const %b, dense<true> : tensor<4xi1>
  %wide = graven.constant dense<[256, 300, 0]> : tensor<3xi32>
  %low = graven.cast %wide {to = i8} : (tensor<3xi32>) -> tensor<3xi8>
  check.expect_eq_const %low, dense<[0, 44, 0]> : tensor<3xi8>
  // Not the low bit: a bool is x != 0.
  %bool = graven.cast %wide {to = i1} : (tensor<3xi32>) -> tensor<3xi1>
  check.expect_eq_const %bool, dense<[true, true, false]> : tensor<3xi1>
  graven.return
}
