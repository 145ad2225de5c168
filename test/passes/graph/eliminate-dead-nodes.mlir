// RUN: graven-opt --graven-eliminate-dead-nodes --split-input-file %s | FileCheck %s

// CHECK-NOT:   graven.param @unread
// CHECK-LABEL: graven.graph @nodes(
//  CHECK-SAME:   %[[X:.*]]: tensor<2xf32>, %{{.*}}: tensor<2xf32>
//   CHECK-NOT:   exp
//   CHECK-NOT:   get_param
//       CHECK:   %[[R:.*]] = graven.relu %[[X]]
//       CHECK:   graven.return %[[R]]
graven.param @unread : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.param @dead : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.graph @nodes(%x: tensor<2xf32>, %unused: tensor<2xf32>) -> tensor<2xf32> {
  %d = graven.get_param @dead : tensor<2xf32>
  %0 = graven.exp %d : tensor<2xf32>
  %1 = graven.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = graven.relu %x : tensor<2xf32>
  graven.return %2 : tensor<2xf32>
}

// -----

// CHECK-LABEL: graven.graph @if(
//       CHECK:   %[[Y:.*]] = graven.if %{{.*}} -> (tensor<2xf32>) {
//   CHECK-NOT:     graven.exp
//       CHECK:     %[[A:.*]] = graven.abs
//       CHECK:     graven.yield %[[A]] : tensor<2xf32>
//       CHECK:   } else {
//       CHECK:     graven.yield %{{.*}} : tensor<2xf32>
//       CHECK:   graven.return %[[Y]]
graven.graph @if(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0, %1 = graven.if %c -> (tensor<2xf32>, tensor<2xf32>) {
    %2 = graven.exp %x : tensor<2xf32>
    %3 = graven.abs %x : tensor<2xf32>
    graven.yield %2, %3 : tensor<2xf32>, tensor<2xf32>
  } else {
    graven.yield %x, %x : tensor<2xf32>, tensor<2xf32>
  }
  graven.return %1 : tensor<2xf32>
}

// -----

// The first carried value feeds the second; the third only itself; the slices
// have no user. A value that the condition needs stays.

// CHECK-LABEL: graven.graph @loop(
//       CHECK:   %[[Y:.*]]:3 = graven.loop trip(%{{.*}}) init(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<2xf32>, tensor<i1>) -> (tensor<2xf32>, tensor<2xf32>, tensor<i1>)
//   CHECK-NOT:     graven.neg
//       CHECK:     graven.add
//       CHECK:     graven.yield
//       CHECK:   graven.return %[[Y]]#1
graven.graph @loop(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0:5 = graven.loop trip(%n) init(%x, %x, %x, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<i1>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<i1>) stacked(tensor<?x2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>, %b: tensor<2xf32>, %d: tensor<2xf32>, %go: tensor<i1>):
    %1 = graven.exp %a : tensor<2xf32>
    %2 = graven.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %3 = graven.neg %d : tensor<2xf32>
    %4 = graven.not %go : tensor<i1>
    graven.yield %4, %1, %2, %3, %4, %3 : tensor<i1>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<i1>, tensor<2xf32>
  }
  graven.return %0#1 : tensor<2xf32>
}

// -----

// Effects keep a Node and what it reads.

// CHECK-LABEL: graven.graph @effects(
//       CHECK:   graven.loop
//       CHECK:   graven.return
graven.graph private @callee(%x: tensor<2xf32>) -> tensor<2xf32> {
  graven.return %x : tensor<2xf32>
}
graven.graph @effects(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %c = graven.constant dense<true> : tensor<i1>
  %0 = graven.loop trip(%n) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf32>):
    %1 = graven.call @callee(%a) : (tensor<2xf32>) -> tensor<2xf32>
    graven.yield %c, %1 : tensor<i1>, tensor<2xf32>
  }
  graven.return %x : tensor<2xf32>
}

// -----

// An extent that data decide stays: a constant of the model may be the number, as imports at several extents show.

// CHECK-LABEL: graven.graph @extent(
//       CHECK:   %[[PLACES:.*]], %[[COUNT:.*]] = graven.nonzero
//       CHECK:   graven.prefix %[[PLACES]] count %[[COUNT]]
graven.graph @extent(%x: tensor<5xf32>) -> tensor<5xf32> {
  %places, %count = graven.nonzero %x : (tensor<5xf32>) -> (tensor<5x1xi64>, tensor<i64>)
  %0 = graven.prefix %places count %count axis 0 extent 5 : (tensor<5x1xi64>, tensor<i64>) -> tensor<5x1xi64>
  graven.return %x : tensor<5xf32>
}
