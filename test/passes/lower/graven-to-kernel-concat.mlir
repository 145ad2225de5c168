// RUN: graven-opt --graven-to-kernel --split-input-file %s | FileCheck %s

// The parts of a concat are written into its result one behind the other.

// CHECK-LABEL: func.func @parts
//       CHECK: %[[Y:.*]] = tensor.insert_slice %arg0 into %{{.*}}[0, 0] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<2x4xf32>
//       CHECK: tensor.insert_slice %arg1 into %[[Y]][0, 3] [2, 1] [1, 1]
graven.graph @parts(%x: tensor<2x3xf32>, %y: tensor<2x1xf32>) -> tensor<2x4xf32> {
  %0 = graven.concat %x, %y axis 1 : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  graven.return %0 : tensor<2x4xf32>
}

// -----

// More than 32 are joined in groups first: 32 parts, the last one, and both.

// CHECK-LABEL: func.func @groups
// CHECK-COUNT-32: into tensor<64x3xf32>
//       CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 0] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<2x3xf32>
//       CHECK: into %{{.*}}[0, 0] [64, 3] [1, 1] : tensor<64x3xf32> into tensor<66x3xf32>
//       CHECK: into %{{.*}}[64, 0] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<66x3xf32>
graven.graph @groups(%x: tensor<2x3xf32>) -> tensor<66x3xf32> {
  %0 = graven.concat %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x axis 0 : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<66x3xf32>
  graven.return %0 : tensor<66x3xf32>
}
