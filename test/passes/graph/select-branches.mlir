// RUN: graven-opt --graven-select-branches --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @selects_by_what_sees_a_prefix(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[N:.*]]: tensor<i64>, %[[C:.*]]: tensor<i1>, %[[Z:.*]]: tensor<f32>
//       CHECK:   %[[P:.*]] = graven.prefix %[[X]] count %[[N]]
//   CHECK-NOT:   graven.if
//       CHECK:   %[[S:.*]] = graven.reduce sum %[[P]]
//       CHECK:   %[[R:.*]] = graven.select %{{.*}}, %[[S]], %[[Z]]
//       CHECK:   graven.return %[[R]]
graven.graph @selects_by_what_sees_a_prefix(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>, %z: tensor<f32>) -> tensor<f32> {
  %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  %0 = graven.if %c -> (tensor<f32>) {
    %1 = graven.reduce sum %p axes [0] : (tensor<4xf32>) -> tensor<f32>
    graven.yield %1 : tensor<f32>
  } else {
    graven.yield %z : tensor<f32>
  }
  graven.return %0 : tensor<f32>
}

// -----

// The inner `if` stands in the Graph once the outer one is gone.
// CHECK-LABEL: graven.graph @selects_by_what_finds_one_inside(
//   CHECK-NOT:   graven.if
//       CHECK:   graven.prefix
//       CHECK:   graven.select
//       CHECK:   graven.select
graven.graph @selects_by_what_finds_one_inside(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>, %z: tensor<f32>) -> tensor<f32> {
  %0 = graven.if %c -> (tensor<f32>) {
    %1 = graven.if %c -> (tensor<f32>) {
      %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
      %2 = graven.reduce sum %p axes [0] : (tensor<4xf32>) -> tensor<f32>
      graven.yield %2 : tensor<f32>
    } else {
      graven.yield %z : tensor<f32>
    }
    graven.yield %1 : tensor<f32>
  } else {
    graven.yield %z : tensor<f32>
  }
  graven.return %0 : tensor<f32>
}

// -----

// An index of the Block that is not taken may lead outside.
// CHECK-LABEL: graven.graph @guards_indices(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[N:.*]]: tensor<i64>, %[[C:.*]]: tensor<i1>, %[[I:.*]]: tensor<2xi64>
//       CHECK:   %[[ZERO:.*]] = graven.constant dense<0> : tensor<1xi64>
//       CHECK:   %[[THEN:.*]] = graven.select %{{.*}}, %[[I]], %[[ZERO]]
//       CHECK:   graven.gather %{{.*}}[%[[THEN]]]
//       CHECK:   %[[ELSE:.*]] = graven.select %{{.*}}, %{{.*}}, %[[I]]
//       CHECK:   graven.gather %[[X]][%[[ELSE]]]
graven.graph @guards_indices(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>, %i: tensor<2xi64>) -> tensor<2xf32> {
  %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  %0 = graven.if %c -> (tensor<2xf32>) {
    %1 = graven.gather %p[%i] axis 0 : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
    graven.yield %1 : tensor<2xf32>
  } else {
    %1 = graven.gather %x[%i] axis 0 : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
    graven.yield %1 : tensor<2xf32>
  }
  graven.return %0 : tensor<2xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_what_sees_no_prefix(
//       CHECK:   graven.if
//   CHECK-NOT:   graven.select
graven.graph @keeps_what_sees_no_prefix(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>) -> (tensor<4xf32>, tensor<4xf32>) {
  %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  %0 = graven.if %c -> (tensor<4xf32>) {
    %1 = graven.exp %x : tensor<4xf32>
    graven.yield %1 : tensor<4xf32>
  } else {
    graven.yield %x : tensor<4xf32>
  }
  graven.return %p, %0 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_what_may_run_forever(
//       CHECK:   graven.if
//       CHECK:   graven.loop
//   CHECK-NOT:   graven.select
graven.graph @keeps_what_may_run_forever(%x: tensor<4xf32>, %n: tensor<i64>, %c: tensor<i1>) -> tensor<4xf32> {
  %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  %0 = graven.if %c -> (tensor<4xf32>) {
    %1 = graven.loop while(%c) init(%p : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
      %more = graven.compare lt %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
      graven.yield %more, %v : tensor<i1>, tensor<4xf32>
    }
    graven.yield %1 : tensor<4xf32>
  } else {
    graven.yield %x : tensor<4xf32>
  }
  graven.return %0 : tensor<4xf32>
}
