// RUN: graven-opt --graven-hoist-loop-invariants --split-input-file %s | FileCheck %s

// A Node, and one that reads it, out of two loops; the second carried value does not change.

// CHECK-LABEL: graven.graph @nested(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>, %[[N:.*]]: tensor<i64>
//       CHECK:   %[[E:.*]] = graven.exp %[[Y]]
//       CHECK:   %[[M:.*]] = graven.neg %[[E]]
//       CHECK:   %[[L:.*]]:2 = graven.loop
//       CHECK:     graven.loop
//   CHECK-NOT:       graven.exp
//       CHECK:       graven.add %{{.*}}, %[[M]]
//       CHECK:   graven.return %[[L]]#0, %[[Y]]
graven.graph @nested(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: tensor<i64>) -> (tensor<4xf32>, tensor<4xf32>) {
  %t = graven.constant dense<true> : tensor<i1>
  %0, %1 = graven.loop trip(%n) init(%x, %y : tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %b: tensor<4xf32>):
    %2 = graven.loop trip(%n) init(%a : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%j: tensor<i64>, %c: tensor<4xf32>):
      %3 = graven.exp %b : tensor<4xf32>
      %4 = graven.neg %3 : tensor<4xf32>
      %5 = graven.add %c, %4 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      graven.yield %t, %5 : tensor<i1>, tensor<4xf32>
    }
    graven.yield %t, %2, %b : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  graven.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// What reads the iteration or a carried value; what may fail where the loop does not run.

// CHECK-LABEL: graven.graph @keeps_what_changes_or_fails(
//       CHECK:   graven.loop
//       CHECK:     graven.gather
//       CHECK:     graven.cast
//       CHECK:     graven.exp
graven.graph @keeps_what_changes_or_fails(%x: tensor<4xf32>, %k: tensor<4xi64>, %n: tensor<i64>) -> tensor<4xf32> {
  %t = graven.constant dense<true> : tensor<i1>
  %0 = graven.loop trip(%n) init(%x : tensor<4xf32>) -> (tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
    %1 = graven.gather %x[%k] axis 0 : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
    %2 = graven.cast %i {to = f32} : (tensor<i64>) -> tensor<f32>
    %3 = graven.exp %a : tensor<4xf32>
    %4 = graven.mul %3, %2 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    %5 = graven.add %4, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    graven.yield %t, %5 : tensor<i1>, tensor<4xf32>
  }
  graven.return %0 : tensor<4xf32>
}

// -----

// A carried value that changes, and one that is exchanged for another.

// CHECK-LABEL: graven.graph @keeps_carried(
//       CHECK:   %[[L:.*]]:2 = graven.loop
//       CHECK:   graven.return %[[L]]#0, %[[L]]#1
graven.graph @keeps_carried(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: tensor<i64>) -> (tensor<4xf32>, tensor<4xf32>) {
  %t = graven.constant dense<true> : tensor<i1>
  %0, %1 = graven.loop trip(%n) init(%x, %y : tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %b: tensor<4xf32>):
    graven.yield %t, %b, %a : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  graven.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A chain that both Blocks have, in another order beside others, and a value that both yield.

// CHECK-LABEL: graven.graph @both_blocks(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<i1>
//   CHECK-DAG:   %[[E:.*]] = graven.exp %[[X]]
//   CHECK-DAG:   %[[N:.*]] = graven.neg %[[E]]
//       CHECK:   %[[R:.*]]:2 = graven.if %[[C]]
//  CHECK-NEXT:     %[[T:.*]] = graven.tanh %[[N]]
//  CHECK-NEXT:     graven.yield %[[T]], %[[N]]
//  CHECK-NEXT:   } else {
//  CHECK-NEXT:     %[[A:.*]] = graven.abs %[[X]]
//  CHECK-NEXT:     graven.yield %[[A]], %[[N]]
//       CHECK:   graven.return %[[R]]#0, %[[N]]
graven.graph @both_blocks(%x: tensor<4xf32>, %c: tensor<i1>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0, %1 = graven.if %c -> (tensor<4xf32>, tensor<4xf32>) {
    %2 = graven.exp %x : tensor<4xf32>
    %3 = graven.neg %2 : tensor<4xf32>
    %4 = graven.tanh %3 : tensor<4xf32>
    graven.yield %4, %3 : tensor<4xf32>, tensor<4xf32>
  } else {
    %2 = graven.abs %x : tensor<4xf32>
    %3 = graven.exp %x : tensor<4xf32>
    %4 = graven.neg %3 : tensor<4xf32>
    graven.yield %2, %4 : tensor<4xf32>, tensor<4xf32>
  }
  graven.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// One of each only, and a Node in one Block alone.

// CHECK-LABEL: graven.graph @keeps_one_of_two(
//       CHECK:   graven.exp
//  CHECK-NEXT:   graven.if
//  CHECK-NEXT:     graven.exp
//  CHECK-NEXT:     graven.add
//   CHECK-NOT:     graven.exp
//       CHECK:   graven.return
graven.graph @keeps_one_of_two(%x: tensor<4xf32>, %y: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> {
  %0 = graven.if %c -> (tensor<4xf32>) {
    %1 = graven.exp %x : tensor<4xf32>
    %2 = graven.exp %y : tensor<4xf32>
    %3 = graven.add %1, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    graven.yield %3 : tensor<4xf32>
  } else {
    %1 = graven.exp %y : tensor<4xf32>
    graven.yield %1 : tensor<4xf32>
  }
  graven.return %0 : tensor<4xf32>
}
