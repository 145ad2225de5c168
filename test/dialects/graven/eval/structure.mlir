// RUN: graven-opt %s --graven-run-checks
// Control flow, calls, fusions and Parameters.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.param @w : tensor<3xf32> = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>

graven.graph @double(%x: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = graven.add %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  graven.return %0 : tensor<3xf32>
}

graven.graph @call() {
  %w = graven.get_param @w : tensor<3xf32>
  %y = graven.call @double(%w) : (tensor<3xf32>) -> tensor<3xf32>
  check.expect_eq_const %y, dense<[2.0, 4.0, 6.0]> : tensor<3xf32>
  graven.return
}

graven.graph @fusion() {
  %w = graven.get_param @w : tensor<3xf32>
  %y = graven.fusion(%a = %w : tensor<3xf32>) -> tensor<3xf32> {
    %0 = graven.neg %a : tensor<3xf32>
    graven.yield %0 : tensor<3xf32>
  }
  check.expect_eq_const %y, dense<[-1.0, -2.0, -3.0]> : tensor<3xf32>
  graven.return
}

graven.graph @if() {
  %w = graven.get_param @w : tensor<3xf32>
  %no = graven.constant dense<false> : tensor<i1>
  // The sub-Blocks see outer Values, and may yield less static types.
  %y = graven.if %no -> (tensor<?xf32>) {
    graven.yield %w : tensor<3xf32>
  } else {
    %0 = graven.slice %w [1] to [3] by [1] : (tensor<3xf32>) -> tensor<2xf32>
    graven.yield %0 : tensor<2xf32>
  }
  check.expect_eq_const %y, dense<[2.0, 3.0]> : tensor<2xf32> as tensor<?xf32>
  graven.return
}

graven.graph @loop() {
  %trip = graven.constant dense<10> : tensor<i64>
  %one = graven.constant dense<1> : tensor<i64>
  %limit = graven.constant dense<8> : tensor<i64>
  // Powers of two until one exceeds 8: the condition ends the loop before the trip count.
  %last, %all = graven.loop trip(%trip) init(%one : tensor<i64>) -> (tensor<i64>) stacked(tensor<?xi64>) {
  ^bb0(%it: tensor<i64>, %p: tensor<i64>):
    %next = graven.add %p, %p : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %more = graven.compare le %next, %limit : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graven.yield %more, %next, %p : tensor<i1>, tensor<i64>, tensor<i64>
  }
  check.expect_eq_const %last, dense<16> : tensor<i64>
  check.expect_eq_const %all, dense<[1, 2, 4, 8]> : tensor<4xi64> as tensor<?xi64>
  graven.return
}

graven.graph @loop_that_never_runs() {
  %zero = graven.constant dense<0> : tensor<i64>
  %last, %all = graven.loop trip(%zero) init(%zero : tensor<i64>) -> (tensor<i64>) stacked(tensor<?x3xi64>) {
  ^bb0(%it: tensor<i64>, %p: tensor<i64>):
    %c = graven.constant dense<true> : tensor<i1>
    %row = graven.constant dense<7> : tensor<3xi64>
    graven.yield %c, %it, %row : tensor<i1>, tensor<i64>, tensor<3xi64>
  }
  check.expect_eq_const %last, dense<0> : tensor<i64>
  check.expect_eq_const %all, dense<> : tensor<0x3xi64> as tensor<?x3xi64>
  graven.return
}

graven.graph @unknown_extents() {
  // Types that are unknown in the IR are those of the tensors when it runs.
  %n = graven.constant dense<2> : tensor<i64>
  %x = graven.iota [%n, 3] axis 1 of f32 : (tensor<i64>) -> tensor<?x3xf32>
  %y = graven.add %x, %x : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %d = graven.dim %y axis 0 : tensor<?x3xf32>
  check.expect_eq_const %d, dense<2> : tensor<i64>
  %r = graven.reduce sum %y axes [1] : (tensor<?x3xf32>) -> tensor<?xf32>
  check.expect_eq_const %r, dense<6.0> : tensor<2xf32> as tensor<?xf32>
  graven.return
}
