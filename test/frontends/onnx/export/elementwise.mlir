// Elementwise ops come back as they were, or as what they are made of where the opset has no node of them.
// RUN: graven export %s -o %t.onnx --opset 20 && graven import %t.onnx | FileCheck %s
// RUN: graven export %s -o %t.9.onnx --opset 11 && graven import %t.9.onnx | FileCheck %s --check-prefix=OLD

// CHECK-LABEL: graven.graph @forward
// CHECK-SAME: graven.name = "x"
// CHECK-SAME: graven.name = "flags"
// CHECK: graven.gelu {{.*}} form {{ *}}tanh
// CHECK: graven.hard_swish
// CHECK: graven.elu
// CHECK: graven.sigmoid
// CHECK: graven.leaky_relu
// CHECK: graven.clamp
// CHECK: graven.select
// CHECK: graven.cast
// CHECK: graven.compare {{ *}}ne
// OLD: graven.tanh
// OLD: graven.hard_sigmoid
// OLD-NOT: graven.gelu
graven.graph @forward(%x: tensor<2x3xf32> {graven.name = "x"}, %y: tensor<1x3xf32> {graven.name = "y"}) -> (tensor<2x3xi32> {graven.name = "z"}, tensor<2x3xi1> {graven.name = "flags"}) {
  %slope = graven.constant dense<0.5> : tensor<f32>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %four = graven.constant dense<4.0> : tensor<f32>
  %0 = graven.gelu %x form tanh : tensor<2x3xf32>
  %1 = graven.hard_swish %0 : tensor<2x3xf32>
  %2 = graven.elu %1 {alpha = 2.000000e+00 : f64} : tensor<2x3xf32>
  %3 = graven.silu %2 : tensor<2x3xf32>
  %4 = graven.leaky_relu %3, %slope : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %5 = graven.clamp %4 lo %zero hi %four : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
  %6 = graven.compare lt %5, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  %7 = graven.select %6, %5, %y : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %8 = graven.cast %7 {to = i32} : (tensor<2x3xf32>) -> tensor<2x3xi32>
  %9 = graven.compare ne %7, %7 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  graven.return %8, %9 : tensor<2x3xi32>, tensor<2x3xi1>
}
