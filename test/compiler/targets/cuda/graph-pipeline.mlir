// RUN: graven-opt %s --graven-graph-pipeline="processor=gpu" | FileCheck %s
// RUN: graven-opt %s --graven-graph-pipeline | FileCheck %s --check-prefix=CPU

// Tensor cores multiply faster than transforms save multiplications: convolutions and products stay direct. Batches stay
// whole.

// CHECK-LABEL: graven.graph @forward
//   CHECK-NOT:   algorithm
//   CHECK-NOT:   graven.loop
//       CHECK:   graven.return
// CPU-LABEL: graven.graph @forward
//       CPU:   algorithm winograd
//       CPU:   algorithm strassen
graven.param @w : tensor<64x64x3x3xf32> = dense<0.5> : tensor<64x64x3x3xf32>
graven.param @m : tensor<2048x2048xf32> = dense<0.5> : tensor<2048x2048xf32>
graven.graph @forward(%x: tensor<4x64x56x56xf32>, %y: tensor<1024x2048xf32>)
    -> (tensor<4x64x56x56xf32>, tensor<1024x2048xf32>) {
  %w = graven.get_param @w : tensor<64x64x3x3xf32>
  %m = graven.get_param @m : tensor<2048x2048xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1]
      : (tensor<4x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<4x64x56x56xf32>
  %1 = graven.matmul %y, %m : (tensor<1024x2048xf32>, tensor<2048x2048xf32>) -> tensor<1024x2048xf32>
  graven.return %0, %1 : tensor<4x64x56x56xf32>, tensor<1024x2048xf32>
}
