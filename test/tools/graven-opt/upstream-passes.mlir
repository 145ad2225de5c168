// MLIR's own passes know what Graven's ops are.
// RUN: graven-opt --canonicalize %s | FileCheck %s --check-prefix=CANON
// RUN: graven-opt --cse %s | FileCheck %s --check-prefix=CSE
// RUN: graven-opt --sccp %s | FileCheck %s --check-prefix=SCCP
// RUN: graven-opt --inline %s | FileCheck %s --check-prefix=INLINE
// RUN: graven-opt --symbol-dce %s | FileCheck %s --check-prefix=SYMBOL
// RUN: graven-opt --inline --canonicalize --cse --symbol-dce %s | FileCheck %s --check-prefix=ALL
// RUN: graven-opt --canonicalize --sccp --inline --cse --symbol-dce --verify-numerics %s -o %t.mlir 2>&1 | count 0

// What nothing uses goes, but what the model is entered by stays; Parameters are symbols.
// SYMBOL:     graven.param @used
// SYMBOL-NOT: @unused
// SYMBOL-NOT: @dead
// SYMBOL:     graven.graph private @twice
// SYMBOL:     graven.graph @forward
graven.param @used : tensor<4xf32> = dense<2.0> : tensor<4xf32>
graven.param @unused : tensor<4xf32> = dense<3.0> : tensor<4xf32>
graven.graph private @dead(%a: tensor<4xf32>) -> tensor<4xf32> {
  graven.return %a : tensor<4xf32>
}

// SCCP looks into Graphs whose callers are all known.
// SCCP-LABEL: graven.graph private @twice(
//       SCCP:   %[[C:.*]] = graven.constant dense<6.000000e+00>
//       SCCP:   graven.return %[[C]]
graven.graph private @twice(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.add %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}

// CANON-LABEL: graven.graph @forward(
//  CANON-SAME:   %[[X:.*]]: tensor<4xf32>
//   CANON-NOT:   graven.reshape
//   CANON-NOT:   graven.if
//       CANON:   graven.return

// CSE-LABEL: graven.graph @forward(
//       CSE:   %[[W:.*]] = graven.get_param @used
//   CSE-NOT:   graven.get_param
//       CSE:   %[[SUM:.*]] = graven.mul %{{.*}}, %[[W]]
//       CSE:   graven.add %[[SUM]], %[[SUM]]

// INLINE-NOT:   private @twice
// INLINE-LABEL: graven.graph @forward(
//   INLINE-NOT:   graven.call
//       INLINE:   graven.add
//       INLINE:   graven.return

// ALL:     graven.param @used
// ALL-NOT: graven.param
// ALL:     graven.graph @forward(
// ALL-NOT: graven.call
// ALL:     graven.get_param @used
// ALL-NOT: graven.get_param
// ALL:     graven.return
graven.graph @forward(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %yes = graven.constant dense<true> : tensor<i1>
  %three = graven.constant dense<3.0> : tensor<4xf32>
  %square = graven.reshape %x to [2, 2] : (tensor<4xf32>) -> tensor<2x2xf32>
  %flat = graven.reshape %square to [4] : (tensor<2x2xf32>) -> tensor<4xf32>
  %0 = graven.if %yes -> (tensor<4xf32>) {
    graven.yield %flat : tensor<4xf32>
  } else {
    graven.yield %three : tensor<4xf32>
  }
  %w = graven.get_param @used : tensor<4xf32>
  %1 = graven.mul %0, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %v = graven.get_param @used : tensor<4xf32>
  %2 = graven.mul %0, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.add %1, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = graven.call @twice(%three) : (tensor<4xf32>) -> tensor<4xf32>
  graven.return %3, %4 : tensor<4xf32>, tensor<4xf32>
}
