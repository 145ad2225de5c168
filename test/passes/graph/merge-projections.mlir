// RUN: graven-opt --graven-merge-projections --cse --split-input-file %s | FileCheck %s

// Query, key and value of one tensor; one of them without a bias, one with its
// bias behind a reshape.

graven.param @q : tensor<16x16xf32> = #graven.blob<"f", 0, 1024>
graven.param @k : tensor<16x16xf32> = #graven.blob<"f", 1024, 1024>
graven.param @v : tensor<16x16xf32> = #graven.blob<"f", 2048, 1024>
graven.param @b : tensor<16xf32> = #graven.blob<"f", 3072, 64>
// CHECK-LABEL: graven.graph @merges(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x16xf32>
//   CHECK-DAG:   %[[WQ:.*]] = graven.get_param @q
//   CHECK-DAG:   %[[WK:.*]] = graven.get_param @k
//   CHECK-DAG:   %[[WV:.*]] = graven.get_param @v
//   CHECK-DAG:   %[[ZERO:.*]] = graven.constant dense<0.0{{.*}}> : tensor<1x16xf32>
//       CHECK:   %[[W:.*]] = graven.concat %[[WQ]], %[[WK]], %[[WV]] axis 0
//       CHECK:   %[[Y:.*]] = graven.matmul %[[X]], %[[W]] transpose_b
//       CHECK:   %[[B:.*]] = graven.concat %{{.*}}, %{{.*}}, %[[ZERO]] axis 1
//       CHECK:   %[[S:.*]] = graven.add %[[Y]], %[[B]]
//       CHECK:   graven.slice %[[S]] [0, 0] to [8, 16]
//       CHECK:   graven.slice %[[S]] [0, 16] to [8, 32]
//       CHECK:   graven.slice %[[S]] [0, 32] to [8, 48]
//   CHECK-NOT:   graven.matmul
//       CHECK:   graven.attention
graven.graph @merges(%x: tensor<8x16xf32>) -> tensor<1x1x8x16xf32> {
  %wq = graven.get_param @q : tensor<16x16xf32>
  %b = graven.get_param @b : tensor<16xf32>
  %row = graven.reshape %b to [1, 16] : (tensor<16xf32>) -> tensor<1x16xf32>
  %0 = graven.matmul %x, %wq transpose_b : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %1 = graven.add %0, %row : (tensor<8x16xf32>, tensor<1x16xf32>) -> tensor<8x16xf32>
  %q = graven.reshape %1 to [1, 1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x1x8x16xf32>
  %wk = graven.get_param @k : tensor<16x16xf32>
  %2 = graven.matmul %x, %wk transpose_b : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %3 = graven.reshape %2 to [1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x8x16xf32>
  %row3 = graven.reshape %b to [1, 1, 16] : (tensor<16xf32>) -> tensor<1x1x16xf32>
  %4 = graven.add %row3, %3 : (tensor<1x1x16xf32>, tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %k = graven.reshape %4 to [1, 1, 8, 16] : (tensor<1x8x16xf32>) -> tensor<1x1x8x16xf32>
  %wv = graven.get_param @v : tensor<16x16xf32>
  %5 = graven.matmul %x, %wv transpose_b : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %v = graven.reshape %5 to [1, 1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x1x8x16xf32>
  %y = graven.attention %q, %k, %v scale 0.25 : (tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  graven.return %y : tensor<1x1x8x16xf32>
}

// -----

// Products of two tensors; a value that is returned too; weights of run time.

graven.param @w : tensor<16x16xf32> = #graven.blob<"f", 0, 1024>
// CHECK-LABEL: graven.graph @keeps(
// CHECK-COUNT-3: graven.matmul
//     CHECK-NOT: graven.matmul
//         CHECK: graven.attention
graven.graph @keeps(%x: tensor<8x16xf32>, %z: tensor<8x16xf32>, %r: tensor<16x16xf32>) -> (tensor<1x1x8x16xf32>, tensor<8x16xf32>) {
  %w = graven.get_param @w : tensor<16x16xf32>
  %0 = graven.matmul %x, %w : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %1 = graven.matmul %z, %w : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %2 = graven.matmul %z, %r : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %q = graven.reshape %0 to [1, 1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x1x8x16xf32>
  %k = graven.reshape %1 to [1, 1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x1x8x16xf32>
  %v = graven.reshape %2 to [1, 1, 8, 16] : (tensor<8x16xf32>) -> tensor<1x1x8x16xf32>
  %y = graven.attention %q, %k, %v scale 0.25 : (tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  graven.return %y, %1 : tensor<1x1x8x16xf32>, tensor<8x16xf32>
}
