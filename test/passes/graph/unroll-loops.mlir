// RUN: graven-opt --graven-unroll-loops --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-unroll-loops="max-nodes=4 factor=2" --split-input-file %s | FileCheck %s --check-prefix=FACTOR

// Each iteration reads its number and what the one before yields; slices are put beside each other.

// CHECK-LABEL: graven.graph @whole(
//  CHECK-SAME:   %[[X:.*]]: tensor<2xi64>
//   CHECK-DAG:   %[[I0:.*]] = graven.constant dense<0>
//   CHECK-DAG:   %[[A0:.*]] = graven.add %[[X]], %[[I0]]
//   CHECK-DAG:   %[[S0:.*]] = graven.reshape %[[X]] to [1, 2]
//   CHECK-DAG:   %[[I1:.*]] = graven.constant dense<1>
//   CHECK-DAG:   %[[A1:.*]] = graven.add %[[A0]], %[[I1]]
//   CHECK-DAG:   %[[S1:.*]] = graven.reshape %[[A0]] to [1, 2]
//       CHECK:   %[[S:.*]] = graven.concat %[[S0]], %[[S1]] axis 0
//       CHECK:   graven.return %[[A1]], %[[S]]
// FACTOR-LABEL: graven.graph @whole(
//       FACTOR:   graven.loop
graven.graph @whole(%x: tensor<2xi64>) -> (tensor<2xi64>, tensor<2x2xi64>) {
  %n = graven.constant dense<2> : tensor<i64>
  %t = graven.constant dense<true> : tensor<i1>
  %0, %1 = graven.loop trip(%n) init(%x : tensor<2xi64>) -> (tensor<2xi64>) stacked(tensor<2x2xi64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xi64>):
    %2 = graven.add %a, %i : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
    %3 = graven.mul %2, %i : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
    graven.yield %t, %2, %a : tensor<i1>, tensor<2xi64>, tensor<2xi64>
  }
  graven.return %0, %1 : tensor<2xi64>, tensor<2x2xi64>
}

// -----

// Too long; by two.

// CHECK-LABEL: graven.graph @long(
//       CHECK:   graven.loop
// FACTOR-LABEL: graven.graph @long(
//       FACTOR:   %[[N:.*]] = graven.constant dense<50>
//       FACTOR:   graven.loop trip(%[[N]])
//       FACTOR:   ^bb0(%[[I:.*]]: tensor<i64>, %[[A:.*]]: tensor<2xi64>):
//       FACTOR:     %[[TWO:.*]] = graven.constant dense<2>
//       FACTOR:     %[[F:.*]] = graven.mul %[[I]], %[[TWO]]
//       FACTOR:     %[[I0:.*]] = graven.add %[[F]],
//       FACTOR:     %[[A0:.*]] = graven.add %[[A]], %[[I0]]
//       FACTOR:     %[[ONE:.*]] = graven.constant dense<1>
//       FACTOR:     %[[I1:.*]] = graven.add %[[F]], %[[ONE]]
//       FACTOR:     %[[A1:.*]] = graven.add %[[A0]], %[[I1]]
//       FACTOR:     graven.yield %{{.*}}, %[[A1]]
graven.graph @long(%x: tensor<2xi64>) -> tensor<2xi64> {
  %n = graven.constant dense<100> : tensor<i64>
  %t = graven.constant dense<true> : tensor<i1>
  %0 = graven.loop trip(%n) init(%x : tensor<2xi64>) -> (tensor<2xi64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xi64>):
    %1 = graven.add %a, %i : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
    graven.yield %t, %1 : tensor<i1>, tensor<2xi64>
  }
  graven.return %0 : tensor<2xi64>
}

// -----

// One iteration, whatever it holds; an odd number of them.

// CHECK-LABEL: graven.graph @once_and_often(
//       FACTOR:   graven.neg
//   FACTOR-NOT:   graven.neg
//       FACTOR:   graven.loop
//       FACTOR:     graven.exp
//   FACTOR-NOT:     graven.exp
//       FACTOR:   graven.return
graven.graph @once_and_often(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %one = graven.constant dense<1> : tensor<i64>
  %n = graven.constant dense<101> : tensor<i64>
  %t = graven.constant dense<true> : tensor<i1>
  %0 = graven.loop trip(%one) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %1 = graven.neg %a : tensor<2xf32>
    graven.yield %t, %1 : tensor<i1>, tensor<2xf32>
  }
  %2 = graven.loop trip(%n) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %1 = graven.exp %a : tensor<2xf32>
    graven.yield %t, %1 : tensor<i1>, tensor<2xf32>
  }
  graven.return %0, %2 : tensor<2xf32>, tensor<2xf32>
}

// -----

// A number of iterations that data decide; a condition; a carried value that grows.

// CHECK-LABEL: graven.graph @keeps_uncounted(
// CHECK-COUNT-3: graven.loop
graven.graph @keeps_uncounted(%x: tensor<2xf32>, %y: tensor<?xf32>, %n: tensor<i64>, %c: tensor<i1>) -> (tensor<2xf32>, tensor<2xf32>, tensor<?xf32>) {
  %two = graven.constant dense<2> : tensor<i64>
  %t = graven.constant dense<true> : tensor<i1>
  %0 = graven.loop trip(%n) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %1 = graven.neg %a : tensor<2xf32>
    graven.yield %t, %1 : tensor<i1>, tensor<2xf32>
  }
  %2 = graven.loop trip(%two) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %1 = graven.neg %a : tensor<2xf32>
    graven.yield %c, %1 : tensor<i1>, tensor<2xf32>
  }
  %3 = graven.loop trip(%two) init(%x : tensor<2xf32>) -> (tensor<?xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<?xf32>):
    %1 = graven.concat %a, %x axis 0 : (tensor<?xf32>, tensor<2xf32>) -> tensor<?xf32>
    graven.yield %t, %1 : tensor<i1>, tensor<?xf32>
  }
  graven.return %0, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<?xf32>
}
