// RUN: graven-opt %s --graven-run-checks
// Movement ops on tensors small enough to check by eye.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @shape() {
  %x = graven.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %r = graven.reshape %x to [3, -1] : (tensor<2x3xi64>) -> tensor<3x2xi64>
  check.expect_eq_const %r, dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi64>
  %t = graven.transpose %x by [1, 0] : (tensor<2x3xi64>) -> tensor<3x2xi64>
  check.expect_eq_const %t, dense<[[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi64>
  %v = graven.reverse %x axes [1] : (tensor<2x3xi64>) -> tensor<2x3xi64>
  check.expect_eq_const %v, dense<[[3, 2, 1], [6, 5, 4]]> : tensor<2x3xi64>
  %d = graven.dim %x axis 1 : tensor<2x3xi64>
  check.expect_eq_const %d, dense<3> : tensor<i64>
  graven.return
}

graven.graph @broadcast() {
  %x = graven.constant dense<[[1], [2]]> : tensor<2x1xi8>
  %y = graven.broadcast %x to [2, 2, 3] axes [1, 2] : (tensor<2x1xi8>) -> tensor<2x2x3xi8>
  check.expect_eq_const %y, dense<[[[1, 1, 1], [2, 2, 2]], [[1, 1, 1], [2, 2, 2]]]> : tensor<2x2x3xi8>
  graven.return
}

graven.graph @slices() {
  %x = graven.constant dense<[0, 1, 2, 3, 4, 5]> : tensor<6xi64>
  %a = graven.slice %x [-5] to [9223372036854775807] by [2] : (tensor<6xi64>) -> tensor<3xi64>
  check.expect_eq_const %a, dense<[1, 3, 5]> : tensor<3xi64>
  %none = graven.slice %x [4] to [2] by [1] : (tensor<6xi64>) -> tensor<0xi64>
  check.expect_eq_const %none, dense<> : tensor<0xi64>
  %n = graven.constant dense<-2> : tensor<i64>
  %b = graven.slice %x [%n] to [6] by [1] : (tensor<6xi64>, tensor<i64>) -> tensor<?xi64>
  check.expect_eq_const %b, dense<[4, 5]> : tensor<2xi64> as tensor<?xi64>
  %c = graven.insert_slice %a into %x [0] by [2] : (tensor<6xi64>, tensor<3xi64>) -> tensor<6xi64>
  check.expect_eq_const %c, dense<[1, 1, 3, 3, 5, 5]> : tensor<6xi64>
  // The operand is not written to.
  check.expect_eq_const %x, dense<[0, 1, 2, 3, 4, 5]> : tensor<6xi64>
  %e = graven.concat %a, %none, %a axis 0 : (tensor<3xi64>, tensor<0xi64>, tensor<3xi64>) -> tensor<6xi64>
  check.expect_eq_const %e, dense<[1, 3, 5, 1, 3, 5]> : tensor<6xi64>
  graven.return
}

graven.graph @pads() {
  %x = graven.constant dense<[1, 2, 3]> : tensor<3xi32>
  %v = graven.constant dense<9> : tensor<i32>
  %constant = graven.pad %x value %v low [1] high [2] : (tensor<3xi32>, tensor<i32>) -> tensor<6xi32>
  check.expect_eq_const %constant, dense<[9, 1, 2, 3, 9, 9]> : tensor<6xi32>
  %reflect = graven.pad %x low [2] high [2] mode reflect : (tensor<3xi32>) -> tensor<7xi32>
  check.expect_eq_const %reflect, dense<[3, 2, 1, 2, 3, 2, 1]> : tensor<7xi32>
  %edge = graven.pad %x low [2] high [1] mode edge : (tensor<3xi32>) -> tensor<6xi32>
  check.expect_eq_const %edge, dense<[1, 1, 1, 2, 3, 3]> : tensor<6xi32>
  %wrap = graven.pad %x low [4] high [1] mode wrap : (tensor<3xi32>) -> tensor<8xi32>
  check.expect_eq_const %wrap, dense<[3, 1, 2, 3, 1, 2, 3, 1]> : tensor<8xi32>
  // Cropping comes first: the edge is 2.
  %crop = graven.pad %x low [2] high [-1] mode edge : (tensor<3xi32>) -> tensor<4xi32>
  check.expect_eq_const %crop, dense<[1, 1, 1, 2]> : tensor<4xi32>
  graven.return
}

graven.graph @indexing() {
  %x = graven.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %i = graven.constant dense<[[0, -1]]> : tensor<1x2xi64>
  %g = graven.gather %x[%i] axis 1 : (tensor<2x3xi64>, tensor<1x2xi64>) -> tensor<2x1x2xi64>
  check.expect_eq_const %g, dense<[[[1, 3]], [[4, 6]]]> : tensor<2x1x2xi64>
  %e = graven.gather_elements %x[%i] axis 0 : (tensor<2x3xi64>, tensor<1x2xi64>) -> tensor<1x2xi64>
  check.expect_eq_const %e, dense<[[1, 5]]> : tensor<1x2xi64>
  %n = graven.gather_nd %x[%i] : (tensor<2x3xi64>, tensor<1x2xi64>) -> tensor<1xi64>
  check.expect_eq_const %n, dense<3> : tensor<1xi64>
  // Of two updates of one place the last wins; sums take both.
  %j = graven.constant dense<[[1], [1]]> : tensor<2x1xi64>
  %u = graven.constant dense<[[10, 20, 30], [40, 50, 60]]> : tensor<2x3xi64>
  %s = graven.scatter_nd %u into %x[%j] : (tensor<2x3xi64>, tensor<2x1xi64>, tensor<2x3xi64>) -> tensor<2x3xi64>
  check.expect_eq_const %s, dense<[[1, 2, 3], [40, 50, 60]]> : tensor<2x3xi64>
  %a = graven.scatter_nd %u into %x[%j] kind add : (tensor<2x3xi64>, tensor<2x1xi64>, tensor<2x3xi64>) -> tensor<2x3xi64>
  check.expect_eq_const %a, dense<[[1, 2, 3], [54, 75, 96]]> : tensor<2x3xi64>
  graven.return
}

graven.graph @counted() {
  %x = graven.constant dense<[[0.0, 2.0, 0x7FC00000], [-0.0, 0.0, -1.0]]> : tensor<2x3xf32>
  %i, %n = graven.nonzero %x : (tensor<2x3xf32>) -> (tensor<6x2xi64>, tensor<i64>)
  check.expect_eq_const %n, dense<3> : tensor<i64>
  check.expect_eq_const %i, dense<[[0, 1], [0, 2], [1, 2], [0, 0], [0, 0], [0, 0]]> : tensor<6x2xi64>
  %p = graven.prefix %i count %n axis 0 extent 3 : (tensor<6x2xi64>, tensor<i64>) -> tensor<3x2xi64>
  check.expect_eq_const %p, dense<[[0, 1], [0, 2], [1, 2]]> : tensor<3x2xi64>
  %scalar = graven.constant dense<true> : tensor<i1>
  %j, %m = graven.nonzero %scalar : (tensor<i1>) -> (tensor<1x0xi64>, tensor<i64>)
  check.expect_eq_const %m, dense<1> : tensor<i64>
  graven.return
}
