// RUN: graven-opt --graven-merge-equal-nodes %s | FileCheck %s
// RUN: graven-opt --graven-merge-equal-nodes %s >%t.merged
// RUN: graven-opt --cse %s >%t.upstream
// RUN: diff %t.merged %t.upstream
// RUN: graven-opt --pass-pipeline='builtin.module(graven-infer-shapes,graven.graph(graven-canonicalize, \
// RUN:   graven-merge-equal-nodes,graven-simplify-arithmetic,graven-canonicalize,graven-merge-equal-nodes))' \
// RUN:   %s | FileCheck %s --check-prefix=AGAIN

// CHECK-LABEL: graven.graph @forward(
//       CHECK:   %[[A:.*]] = graven.relu %[[X:.*]] :
//       CHECK:   graven.add %[[A]], %[[A]]
graven.graph @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.relu %x : tensor<4xf32>
  %1 = graven.relu %x : tensor<4xf32>
  %2 = graven.add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %2 : tensor<4xf32>
}

// Other operands, attributes or types are other Nodes.
// CHECK-LABEL: graven.graph @different(
//       CHECK:   graven.relu
//       CHECK:   graven.relu
//       CHECK:   graven.softmax %{{.*}} axis 0
//       CHECK:   graven.softmax %{{.*}} axis 1
//       CHECK:   graven.cast %{{.*}} {to = f16}
//       CHECK:   graven.cast %{{.*}} {to = bf16}
graven.graph @different(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf16>, tensor<4x4xbf16>) {
  %0 = graven.relu %x : tensor<4x4xf32>
  %1 = graven.relu %y : tensor<4x4xf32>
  %2 = graven.softmax %x axis 0 : tensor<4x4xf32>
  %3 = graven.softmax %x axis 1 : tensor<4x4xf32>
  %4 = graven.cast %x {to = f16} : (tensor<4x4xf32>) -> tensor<4x4xf16>
  %5 = graven.cast %x {to = bf16} : (tensor<4x4xf32>) -> tensor<4x4xbf16>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf16>, tensor<4x4xbf16>
}

// What a pass between two runs made equal is merged by the second: x / 2 is x * 0.5.
// AGAIN-LABEL: graven.graph @made_equal(
//       AGAIN:   %[[M:.*]] = graven.mul %{{.*}}, %{{.*}}
//   AGAIN-NOT:   graven.mul
//       AGAIN:   graven.return %[[M]], %[[M]]
graven.graph @made_equal(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %two = graven.constant dense<2.0> : tensor<f32>
  %half = graven.constant dense<0.5> : tensor<f32>
  %0 = graven.div %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = graven.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  graven.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}
