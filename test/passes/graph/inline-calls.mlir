// RUN: graven-opt --graven-inline-calls --split-input-file --verify-diagnostics %s | FileCheck %s

// Callees first, also inside of sub-Blocks; then nobody needs them.

// CHECK-NOT:   @inner
// CHECK-NOT:   @block
// CHECK-LABEL: graven.graph @forward(
//  CHECK-SAME:   %[[C:.*]]: tensor<i1>, %[[X:.*]]: tensor<2xf32>
//       CHECK:   %[[A:.*]] = graven.abs %[[X]]
//       CHECK:   %[[R:.*]] = graven.relu %[[A]]
//       CHECK:   graven.if %[[C]]
//       CHECK:     %[[B:.*]] = graven.abs %[[R]]
//       CHECK:     graven.yield %[[B]]
//   CHECK-NOT:   graven.call
graven.graph private @inner(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = graven.abs %x : tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
graven.graph private @block(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = graven.call @inner(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = graven.relu %0 : tensor<2xf32>
  graven.return %1, %x : tensor<2xf32>, tensor<2xf32>
}
graven.graph @forward(%c: tensor<i1>, %x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0, %1 = graven.call @block(%x) : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  %2 = graven.if %c -> (tensor<2xf32>) {
    %3 = graven.call @inner(%0) : (tensor<2xf32>) -> tensor<2xf32>
    graven.yield %3 : tensor<2xf32>
  } else {
    graven.yield %1 : tensor<2xf32>
  }
  graven.return %2, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----

// Public Graphs stay: somebody else may call them.

// CHECK-LABEL: graven.graph @public(
// CHECK-LABEL: graven.graph @forward(
//   CHECK-NOT:   graven.call
graven.graph @public(%x: tensor<2xf32>) -> tensor<2xf32> {
  graven.return %x : tensor<2xf32>
}
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = graven.call @public(%x) : (tensor<2xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}

// -----

graven.graph private @even(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = graven.call @odd(%x) : (tensor<2xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
graven.graph private @odd(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{[GRV0202] graph 'even' calls itself, directly or through others}}
  %0 = graven.call @even(%x) : (tensor<2xf32>) -> tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
