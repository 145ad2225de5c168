// RUN: graven-opt --graven-fold-constants --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-fold-constants='fold-params max-elements=4' --split-input-file %s | FileCheck %s --check-prefix=PARAMS
// RUN: graven-opt --graven-fold-constants='max-rank=0' --split-input-file %s | FileCheck %s --check-prefix=RANK

// CHECK-LABEL: graven.graph @chain(
//       CHECK:   %[[C:.*]] = graven.constant dense<[8.000000e+00, 1.200000e+01]> : tensor<2xf32>
//       CHECK:   graven.add %{{.*}}, %[[C]]
graven.graph @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = graven.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %1 = graven.constant dense<4.0> : tensor<2xf32>
  %2 = graven.mul %0, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = graven.relu %2 : tensor<2xf32>
  %4 = graven.add %x, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return %4 : tensor<2xf32>
}

// -----

// Parameters are read only when asked for, and only small ones; results have a
// limit, too.

// CHECK-LABEL:  graven.graph @params(
//       CHECK:    graven.neg
//       CHECK:    graven.neg
//       CHECK:    graven.iota
// PARAMS-LABEL: graven.graph @params(
//   PARAMS-DAG:   %[[P:.*]] = graven.constant dense<-1.500000e+00> : tensor<2xf32>
//   PARAMS-DAG:   %[[Q:.*]] = graven.neg %{{.*}} : tensor<5xf32>
//   PARAMS-DAG:   %[[I:.*]] = graven.iota
//       PARAMS:   graven.return %[[P]], %[[Q]], %[[I]]
graven.param @p : tensor<2xf32> = dense<1.5> : tensor<2xf32>
graven.param @q : tensor<5xf32> = dense<1.5> : tensor<5xf32>
graven.graph @params() -> (tensor<2xf32>, tensor<5xf32>, tensor<20000xi64>) {
  %p = graven.get_param @p : tensor<2xf32>
  %q = graven.get_param @q : tensor<5xf32>
  %0 = graven.neg %p : tensor<2xf32>
  %1 = graven.neg %q : tensor<5xf32>
  %2 = graven.iota [20000] axis 0 of i64 : () -> tensor<20000xi64>
  graven.return %0, %1, %2 : tensor<2xf32>, tensor<5xf32>, tensor<20000xi64>
}

// -----

// CHECK-LABEL: graven.graph @control(
//  CHECK-SAME:   %[[X:.*]]: tensor<2xf32>
//   CHECK-NOT:   graven.if
//   CHECK-NOT:   graven.loop
//       CHECK:   %[[A:.*]] = graven.abs %[[X]]
//       CHECK:   graven.return %[[A]], %[[X]]
graven.graph @control(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %false = graven.not %true : tensor<i1>
  %zero = graven.constant dense<0> : tensor<i64>
  %0 = graven.if %false -> (tensor<2xf32>) {
    %1 = graven.exp %x : tensor<2xf32>
    graven.yield %1 : tensor<2xf32>
  } else {
    %2 = graven.abs %x : tensor<2xf32>
    graven.yield %2 : tensor<2xf32>
  }
  %3 = graven.loop trip(%zero) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %4 = graven.exp %a : tensor<2xf32>
    graven.yield %true, %4 : tensor<i1>, tensor<2xf32>
  }
  graven.return %0, %3 : tensor<2xf32>, tensor<2xf32>
}

// -----

// An index out of range is left to fail when the model runs.

// CHECK-LABEL: graven.graph @out_of_range(
//       CHECK:   graven.gather
graven.graph @out_of_range() -> tensor<1xf32> {
  %x = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = graven.constant dense<7> : tensor<1xi64>
  %0 = graven.gather %x[%i] axis 0 : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32>
  graven.return %0 : tensor<1xf32>
}

// -----

// Operands of a fusion stay outside of it, and its Nodes as they are.

// CHECK-LABEL: graven.graph @fusion(
//       CHECK:   graven.fusion
//       CHECK:     graven.exp
graven.graph @fusion() -> tensor<2xf32> {
  %x = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = graven.fusion(%a = %x : tensor<2xf32>) attributes {kind = "epilogue"} -> tensor<2xf32> {
    %1 = graven.exp %a : tensor<2xf32>
    graven.yield %1 : tensor<2xf32>
  }
  graven.return %0 : tensor<2xf32>
}

// -----

// With max-rank, only what has no more axes: the same Nodes for any extent.

// RANK-LABEL: graven.graph @by_rank(
//       RANK:   %[[S:.*]] = graven.constant dense<5.000000e+00> : tensor<f32>
//       RANK:   %[[V:.*]] = graven.mul
//       RANK:   graven.return %[[S]], %[[V]]
graven.graph @by_rank() -> (tensor<f32>, tensor<2xf32>) {
  %0 = graven.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %1 = graven.reduce sum %0 axes [0] : (tensor<2xf32>) -> tensor<f32>
  %2 = graven.mul %0, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return %1, %2 : tensor<f32>, tensor<2xf32>
}
