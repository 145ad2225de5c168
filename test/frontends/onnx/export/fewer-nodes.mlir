// What would be nodes of their own is part of others: weights of a group norm with the axes that they meet, rows of equal
// numbers, slices along several axes, a transpose of keys.
// RUN: graven export %s -o %t.onnx --opset 17 --json | FileCheck %s
// RUN: graven import %t.onnx | FileCheck %s --check-prefix=BACK

// Reshape, InstanceNormalization, Reshape, Mul, Add; Slice; Transpose, Relu, Mul, Transpose, MatMul, Softmax, MatMul; Slice and
// Split, which have an axis in common.
// CHECK: "nodes": 15,

// BACK-DAG: graven.param {{.*}}@scale : tensor<4x1x1xf32>
// BACK-DAG: graven.param {{.*}}@bias : tensor<4x1x1xf32>
// BACK: graven.slice %{{.*}} [0, 0, 1, 2] to [{{.*}}, 5, 6] by [1, 1, 1, 1] : (tensor<1x4x6x6xf32>)
graven.param @scale : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
graven.param @bias : tensor<4xf32> = dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
graven.graph @forward(%x: tensor<1x4x6x6xf32> {graven.name = "x"}, %q: tensor<1x5x2x8xf32> {graven.name = "q"})
    -> (tensor<1x4x4x4xf32> {graven.name = "y"}, tensor<1x2x5x8xf32> {graven.name = "z"},
        tensor<1x4x2x6xf32> {graven.name = "a"}, tensor<1x4x2x6xf32> {graven.name = "b"}) {
  %scale = graven.get_param @scale : tensor<4xf32>
  %bias = graven.get_param @bias : tensor<4xf32>
  %0 = graven.group_norm %x scale %scale bias %bias groups 2 epsilon 1.0e-5 : (tensor<1x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x6x6xf32>
  %1 = graven.slice %0 [0, 0, 1, 0] to [1, 4, 5, 6] by [1, 1, 1, 1] : (tensor<1x4x6x6xf32>) -> tensor<1x4x4x6xf32>
  %2 = graven.slice %1 [0, 0, 0, 2] to [1, 4, 4, 6] by [1, 1, 1, 1] : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x4xf32>
  %3 = graven.transpose %q by [0, 2, 1, 3] : (tensor<1x5x2x8xf32>) -> tensor<1x2x5x8xf32>
  %4 = graven.relu %q : tensor<1x5x2x8xf32>
  %k = graven.transpose %4 by [0, 2, 1, 3] : (tensor<1x5x2x8xf32>) -> tensor<1x2x5x8xf32>
  %5 = graven.attention %3, %k, %3 scale 0.5 : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  %6 = graven.slice %x [0, 0, 1, 0] to [1, 4, 5, 6] by [1, 1, 1, 1] : (tensor<1x4x6x6xf32>) -> tensor<1x4x4x6xf32>
  %7 = graven.slice %6 [0, 0, 0, 0] to [1, 4, 2, 6] by [1, 1, 1, 1] : (tensor<1x4x4x6xf32>) -> tensor<1x4x2x6xf32>
  %8 = graven.slice %6 [0, 0, 2, 0] to [1, 4, 4, 6] by [1, 1, 1, 1] : (tensor<1x4x4x6xf32>) -> tensor<1x4x2x6xf32>
  graven.return %2, %5, %7, %8 : tensor<1x4x4x4xf32>, tensor<1x2x5x8xf32>, tensor<1x4x2x6xf32>, tensor<1x4x2x6xf32>
}
