// RUN: graven-opt --graven-merge-contractions --split-input-file %s | FileCheck %s

graven.param @v : tensor<16x64xf32> = dense<1.0> : tensor<16x64xf32>
graven.param @a : tensor<1x64xf32> = dense<1.0> : tensor<1x64xf32>
graven.param @w : tensor<64x16xf32> = dense<1.0> : tensor<64x16xf32>
graven.param @b : tensor<1x16xf32> = dense<1.0> : tensor<1x16xf32>
// CHECK-LABEL: graven.graph @linears(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x16xf32>
//   CHECK-DAG:   %[[V:.*]] = graven.get_param @v
//   CHECK-DAG:   %[[W:.*]] = graven.get_param @w
//   CHECK-DAG:   %[[A:.*]] = graven.get_param @a
//   CHECK-DAG:   %[[B:.*]] = graven.get_param @b
//   CHECK-DAG:   %[[M:.*]] = graven.matmul %[[V]], %[[W]]
//   CHECK-DAG:   %[[Y:.*]] = graven.matmul %[[X]], %[[M]]
//   CHECK-DAG:   %[[S:.*]] = graven.matmul %[[A]], %[[W]]
//   CHECK-DAG:   %[[N:.*]] = graven.add %[[S]], %[[B]]
//       CHECK:   %[[Z:.*]] = graven.add %[[Y]], %[[N]]
//       CHECK:   graven.return %[[Z]]
graven.graph @linears(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>) {
  %v = graven.get_param @v : tensor<16x64xf32>
  %a = graven.get_param @a : tensor<1x64xf32>
  %w = graven.get_param @w : tensor<64x16xf32>
  %b = graven.get_param @b : tensor<1x16xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = graven.add %0, %a : (tensor<8x64xf32>, tensor<1x64xf32>) -> tensor<8x64xf32>
  %2 = graven.matmul %1, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  %3 = graven.add %2, %b : (tensor<8x16xf32>, tensor<1x16xf32>) -> tensor<8x16xf32>
  graven.return %3 : tensor<8x16xf32>
}

// -----

graven.param @v : tensor<1x64x16xf32> = dense<1.0> : tensor<1x64x16xf32>
graven.param @a : tensor<1x1x1xf32> = dense<1.0> : tensor<1x1x1xf32>
graven.param @w : tensor<1x16x64xf32> = dense<1.0> : tensor<1x16x64xf32>
// CHECK-LABEL: graven.graph @transposed_with_one_bias(
//   CHECK-DAG:   %[[M:.*]] = graven.matmul %{{[^ ]*}}, %{{[^ ]*}} transpose_a transpose_b : (tensor<1x64x16xf32>, tensor<1x16x64xf32>) -> tensor<1x16x16xf32>
//   CHECK-DAG:   graven.matmul %{{[^ ]*}}, %[[M]] : (tensor<2x8x16xf32>, tensor<1x16x16xf32>)
//   CHECK-DAG:   %[[O:.*]] = graven.broadcast %{{[^ ]*}} to [1, 1, 64]
//   CHECK-DAG:   graven.matmul %{{[^ ]*}}, %{{[^ ]*}} transpose_b : (tensor<1x1x64xf32>, tensor<1x16x64xf32>)
//       CHECK:   graven.return
graven.graph @transposed_with_one_bias(%x: tensor<2x8x16xf32>) -> (tensor<2x8x16xf32>) {
  %v = graven.get_param @v : tensor<1x64x16xf32>
  %a = graven.get_param @a : tensor<1x1x1xf32>
  %w = graven.get_param @w : tensor<1x16x64xf32>
  %0 = graven.matmul %x, %v transpose_b : (tensor<2x8x16xf32>, tensor<1x64x16xf32>) -> tensor<2x8x64xf32>
  %1 = graven.add %a, %0 : (tensor<1x1x1xf32>, tensor<2x8x64xf32>) -> tensor<2x8x64xf32>
  %2 = graven.matmul %1, %w transpose_b : (tensor<2x8x64xf32>, tensor<1x16x64xf32>) -> tensor<2x8x16xf32>
  graven.return %2 : tensor<2x8x16xf32>
}

// -----

graven.param @v : tensor<16x2xf32> = dense<1.0> : tensor<16x2xf32>
graven.param @w : tensor<2x16xf32> = dense<1.0> : tensor<2x16xf32>
// Of rank 2, both are fewer multiplications than one.
// CHECK-LABEL: graven.graph @low_rank(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @low_rank(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>) {
  %v = graven.get_param @v : tensor<16x2xf32>
  %w = graven.get_param @w : tensor<2x16xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x2xf32>) -> tensor<8x2xf32>
  %1 = graven.matmul %0, %w : (tensor<8x2xf32>, tensor<2x16xf32>) -> tensor<8x16xf32>
  graven.return %1 : tensor<8x16xf32>
}

// -----

graven.param @v : tensor<16x64xf32> = dense<1.0> : tensor<16x64xf32>
graven.param @w : tensor<64x16xf32> = dense<1.0> : tensor<64x16xf32>
// The inner result is needed.
// CHECK-LABEL: graven.graph @second_user(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @second_user(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x64xf32>) {
  %v = graven.get_param @v : tensor<16x64xf32>
  %w = graven.get_param @w : tensor<64x16xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = graven.matmul %0, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  graven.return %1, %0 : tensor<8x16xf32>, tensor<8x64xf32>
}

// -----

graven.param @v : tensor<16x64xf32> = dense<1.0> : tensor<16x64xf32>
graven.param @w : tensor<64x16xf32> = dense<1.0> : tensor<64x16xf32>
// No longer linear.
// CHECK-LABEL: graven.graph @activation(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @activation(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>) {
  %v = graven.get_param @v : tensor<16x64xf32>
  %w = graven.get_param @w : tensor<64x16xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %r = graven.relu %0 : tensor<8x64xf32>
  %1 = graven.matmul %r, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  graven.return %1 : tensor<8x16xf32>
}

// -----

graven.param @v : tensor<16x64xf32> = dense<1.0> : tensor<16x64xf32>
// Weights that are an input.
// CHECK-LABEL: graven.graph @weights_of_the_run(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @weights_of_the_run(%x: tensor<8x16xf32>, %w: tensor<64x16xf32>) -> (tensor<8x16xf32>) {
  %v = graven.get_param @v : tensor<16x64xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = graven.matmul %0, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  graven.return %1 : tensor<8x16xf32>
}

// -----

graven.param @v : tensor<2x16x64xf32> = dense<1.0> : tensor<2x16x64xf32>
graven.param @w : tensor<2x64x16xf32> = dense<1.0> : tensor<2x64x16xf32>
// Weights that differ by batch.
// CHECK-LABEL: graven.graph @weights_by_batch(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @weights_by_batch(%x: tensor<2x8x16xf32>) -> (tensor<2x8x16xf32>) {
  %v = graven.get_param @v : tensor<2x16x64xf32>
  %w = graven.get_param @w : tensor<2x64x16xf32>
  %0 = graven.matmul %x, %v : (tensor<2x8x16xf32>, tensor<2x16x64xf32>) -> tensor<2x8x64xf32>
  %1 = graven.matmul %0, %w : (tensor<2x8x64xf32>, tensor<2x64x16xf32>) -> tensor<2x8x16xf32>
  graven.return %1 : tensor<2x8x16xf32>
}

// -----

graven.param @v : tensor<16x64xi8> = dense<1> : tensor<16x64xi8>
graven.param @w : tensor<64x16xf32> = dense<1.0> : tensor<64x16xf32>
// Sums of whole numbers are exact.
// CHECK-LABEL: graven.graph @whole_numbers(
//       CHECK:   graven.matmul
//       CHECK:   graven.matmul
//   CHECK-NOT:   graven.matmul
graven.graph @whole_numbers(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>) {
  %v = graven.get_param @v : tensor<16x64xi8>
  %w = graven.get_param @w : tensor<64x16xf32>
  %vf = graven.cast %v {to = f32} : (tensor<16x64xi8>) -> tensor<16x64xf32>
  %0 = graven.matmul %x, %vf : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = graven.matmul %0, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  graven.return %1 : tensor<8x16xf32>
}

// -----

graven.param @v : tensor<16x64xf32> = dense<1.0> : tensor<16x64xf32>
graven.param @a : tensor<1x64xf32> = dense<1.0> : tensor<1x64xf32>
// What is added is no Parameter; no product; a product that is needed by itself.
// CHECK-LABEL: graven.graph @sums(
//       CHECK:   graven.matmul
//       CHECK:   graven.add
//       CHECK:   graven.add
//       CHECK:   graven.add
//       CHECK:   graven.matmul
//       CHECK:   graven.add
//       CHECK:   graven.add
graven.graph @sums(%x: tensor<8x16xf32>, %y: tensor<8x64xf32>, %s: tensor<1x64xf32>) -> (tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>) {
  %v = graven.get_param @v : tensor<16x64xf32>
  %a = graven.get_param @a : tensor<1x64xf32>
  %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = graven.add %0, %a : (tensor<8x64xf32>, tensor<1x64xf32>) -> tensor<8x64xf32>
  %2 = graven.add %1, %y : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
  %3 = graven.add %y, %a : (tensor<8x64xf32>, tensor<1x64xf32>) -> tensor<8x64xf32>
  %4 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %5 = graven.add %4, %a : (tensor<8x64xf32>, tensor<1x64xf32>) -> tensor<8x64xf32>
  %6 = graven.add %5, %a : (tensor<8x64xf32>, tensor<1x64xf32>) -> tensor<8x64xf32>
  graven.return %2, %3, %6, %4 : tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>
}
