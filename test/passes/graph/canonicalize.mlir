// RUN: graven-opt --graven-canonicalize %s | FileCheck %s
// RUN: graven-opt --graven-canonicalize --explain %s 2>&1 >%t.mlir | FileCheck %s --check-prefix=EXPLAIN
// RUN: graven-opt --graven-canonicalize --explain=json %s 2>&1 >%t.mlir | FileCheck %s --check-prefix=JSON
// RUN: graven-opt --canonicalize %s >%t.upstream
// RUN: diff %t.mlir %t.upstream

// What MLIR's canonicalize does, with what each pattern and folder changed, and
// the reasons of those that did not.

// CHECK-LABEL: graven.graph @forward(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[X]]
//       CHECK:   %[[M:.*]] = graven.max %[[X]], %[[Y]]
//       CHECK:   graven.return %[[R]], %[[M]]

// EXPLAIN-DAG: canonicalize.mlir:[[# @LINE + 17]]{{.*}}: graven-canonicalize: graven.neg: fold
// EXPLAIN-DAG: canonicalize.mlir:[[# @LINE + 17]]{{.*}}: graven-canonicalize: graven.max: MaxZeroToRelu
// EXPLAIN-DAG: canonicalize.mlir:[[# @LINE + 17]]{{.*}}: graven-canonicalize: graven.max: not MaxZeroToRelu: b is not a splat of 0
//     EXPLAIN: {{^}}graven-canonicalize
//     EXPLAIN: {{^}}pattern fired not
//     EXPLAIN: {{^}}graven-canonicalize: MaxZeroToRelu 1 1
//     EXPLAIN: {{^}}graven-canonicalize: fold 1 0

// JSON: "fired": true
// JSON: "pattern": "MaxZeroToRelu"
// JSON: "graven-canonicalize: MaxZeroToRelu": {
// JSON-NEXT: "fired": 1,
// JSON-NEXT: "not": 1
graven.graph @forward(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = graven.constant dense<0.0> : tensor<4xf32>
  %0 = graven.neg %x : tensor<4xf32>
  // Its fold.
  %1 = graven.neg %0 : tensor<4xf32>
  %2 = graven.max %1, %zero : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.max %1, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %2, %3 : tensor<4xf32>, tensor<4xf32>
}
