// RUN: graven-opt --graven-bubble-up-slices --split-input-file %s | FileCheck %s

// The last block of a classifier: only the first token is computed from the
// attention's query on.

// CHECK-LABEL: graven.graph @block(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x9x8xf32>, %[[Q:.*]]: tensor<1x2x9x4xf32>, %[[K:.*]]: tensor<1x2x9x4xf32>, %[[V:.*]]: tensor<1x2x9x4xf32>
//       CHECK:   %[[Q1:.*]] = graven.slice %[[Q]] [0, 0, 0, 0] to [1, 2, 1, 4] by [1, 1, 1, 1]
//       CHECK:   graven.attention %[[Q1]], %[[K]], %[[V]] {{.*}} -> tensor<1x2x1x4xf32>
//       CHECK:   graven.transpose {{.*}} -> tensor<1x1x2x4xf32>
//       CHECK:   graven.reshape %{{.*}} to [1, 1, 8]
//       CHECK:   %[[P:.*]] = graven.matmul {{.*}} -> tensor<1x1x8xf32>
//       CHECK:   %[[X1:.*]] = graven.slice %[[X]] [0, 0, 0] to [1, 1, 8] by [1, 1, 1]
//       CHECK:   %[[R:.*]] = graven.add %[[P]], %[[X1]]
//       CHECK:   graven.layer_norm %[[R]] {{.*}} -> tensor<1x1x8xf32>
//       CHECK:   graven.matmul {{.*}} -> tensor<1x1x16xf32>
//       CHECK:   graven.add {{.*}} -> tensor<1x1x16xf32>
//       CHECK:   graven.gelu {{.*}} tensor<1x1x16xf32>
//       CHECK:   graven.matmul {{.*}} -> tensor<1x1x8xf32>
//       CHECK:   %[[S:.*]] = graven.add %[[R]], {{.*}} -> tensor<1x1x8xf32>
//       CHECK:   %[[N:.*]] = graven.layer_norm %[[S]] {{.*}} -> tensor<1x1x8xf32>
//       CHECK:   graven.return %[[N]], %[[X]]
graven.graph @block(%x: tensor<1x9x8xf32>, %q: tensor<1x2x9x4xf32>, %k: tensor<1x2x9x4xf32>, %v: tensor<1x2x9x4xf32>,
                    %w: tensor<1x8x8xf32>, %u: tensor<1x8x16xf32>, %b: tensor<1x1x16xf32>, %d: tensor<1x16x8xf32>) -> (tensor<1x1x8xf32>, tensor<1x9x8xf32>) {
  %0 = graven.attention %q, %k, %v scale 0.5 : (tensor<1x2x9x4xf32>, tensor<1x2x9x4xf32>, tensor<1x2x9x4xf32>) -> tensor<1x2x9x4xf32>
  %1 = graven.transpose %0 by [0, 2, 1, 3] : (tensor<1x2x9x4xf32>) -> tensor<1x9x2x4xf32>
  %2 = graven.reshape %1 to [1, 9, 8] : (tensor<1x9x2x4xf32>) -> tensor<1x9x8xf32>
  %3 = graven.matmul %2, %w : (tensor<1x9x8xf32>, tensor<1x8x8xf32>) -> tensor<1x9x8xf32>
  %4 = graven.add %3, %x : (tensor<1x9x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %5 = graven.layer_norm %4 axis 2 epsilon 1.0e-5 : (tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %6 = graven.matmul %5, %u : (tensor<1x9x8xf32>, tensor<1x8x16xf32>) -> tensor<1x9x16xf32>
  %7 = graven.add %6, %b : (tensor<1x9x16xf32>, tensor<1x1x16xf32>) -> tensor<1x9x16xf32>
  %8 = graven.gelu %7 : tensor<1x9x16xf32>
  %9 = graven.matmul %8, %d : (tensor<1x9x16xf32>, tensor<1x16x8xf32>) -> tensor<1x9x8xf32>
  %10 = graven.add %4, %9 : (tensor<1x9x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %11 = graven.layer_norm %10 axis 2 epsilon 1.0e-5 : (tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %12 = graven.slice %11 [0, 0, 0] to [1, 1, 8] by [1, 1, 1] : (tensor<1x9x8xf32>) -> tensor<1x1x8xf32>
  graven.return %12, %x : tensor<1x1x8xf32>, tensor<1x9x8xf32>
}

// -----

// One token of each of four sequences whose rows were joined: every ninth row.

// CHECK-LABEL: graven.graph @joined_rows(
//  CHECK-SAME:   %[[X:.*]]: tensor<36x8xf32>, %[[W:.*]]: tensor<8x5xf32>
//       CHECK:   %[[R:.*]] = graven.slice %[[X]] [2, 0] to [30, 8] by [9, 1] : (tensor<36x8xf32>) -> tensor<4x8xf32>
//       CHECK:   %[[M:.*]] = graven.matmul %[[R]], %[[W]] : (tensor<4x8xf32>, tensor<8x5xf32>) -> tensor<4x5xf32>
//       CHECK:   graven.reshape %[[M]] to [4, 1, 5]
graven.graph @joined_rows(%x: tensor<36x8xf32>, %w: tensor<8x5xf32>) -> tensor<4x1x5xf32> {
  %0 = graven.matmul %x, %w : (tensor<36x8xf32>, tensor<8x5xf32>) -> tensor<36x5xf32>
  %1 = graven.reshape %0 to [4, 9, 5] : (tensor<36x5xf32>) -> tensor<4x9x5xf32>
  %2 = graven.slice %1 [0, 2, 0] to [4, 3, 5] by [1, 1, 1] : (tensor<4x9x5xf32>) -> tensor<4x1x5xf32>
  graven.return %2 : tensor<4x1x5xf32>
}

// -----

// And back, where the operand of the product had its rows joined.

// CHECK-LABEL: graven.graph @split_rows(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x9x8xf32>
//       CHECK:   %[[R:.*]] = graven.slice %[[X]] [0, 2, 0] to [4, 3, 8] by [1, 1, 1]
//       CHECK:   %[[M:.*]] = graven.matmul %[[R]], {{.*}} -> tensor<4x1x8xf32>
//       CHECK:   %[[J:.*]] = graven.reshape %[[M]] to [4, 8]
//       CHECK:   graven.matmul %[[J]], {{.*}} -> tensor<4x5xf32>
graven.graph @split_rows(%x: tensor<4x9x8xf32>, %w: tensor<8x5xf32>, %u: tensor<1x8x8xf32>) -> tensor<4x1x5xf32> {
  %m = graven.matmul %x, %u : (tensor<4x9x8xf32>, tensor<1x8x8xf32>) -> tensor<4x9x8xf32>
  %j = graven.reshape %m to [36, 8] : (tensor<4x9x8xf32>) -> tensor<36x8xf32>
  %0 = graven.matmul %j, %w : (tensor<36x8xf32>, tensor<8x5xf32>) -> tensor<36x5xf32>
  %1 = graven.reshape %0 to [4, 9, 5] : (tensor<36x5xf32>) -> tensor<4x9x5xf32>
  %2 = graven.slice %1 [0, 2, 0] to [4, 3, 5] by [1, 1, 1] : (tensor<4x9x5xf32>) -> tensor<4x1x5xf32>
  graven.return %2 : tensor<4x1x5xf32>
}

// -----

// Scores of one query: softmax along the keys, a mask with a row for each query.

// CHECK-LABEL: graven.graph @scores(
//  CHECK-SAME:   %[[Q:.*]]: tensor<2x9x4xf32>, %[[K:.*]]: tensor<2x9x4xf32>, %[[M:.*]]: tensor<1x9x9xf32>
//   CHECK-DAG:   %[[Q1:.*]] = graven.slice %[[Q]] [0, 8, 0] to [2, 9, 4] by [1, 1, 1]
//   CHECK-DAG:   %[[M1:.*]] = graven.slice %[[M]] [0, 8, 0] to [1, 9, 9] by [1, 1, 1]
//   CHECK-DAG:   %[[S:.*]] = graven.matmul %[[Q1]], %[[K]] transpose_b
//       CHECK:   %[[A:.*]] = graven.add %[[S]], %[[M1]]
//       CHECK:   graven.softmax %[[A]] axis 2 : tensor<2x1x9xf32>
graven.graph @scores(%q: tensor<2x9x4xf32>, %k: tensor<2x9x4xf32>, %m: tensor<1x9x9xf32>) -> tensor<2x1x9xf32> {
  %0 = graven.matmul %q, %k transpose_b : (tensor<2x9x4xf32>, tensor<2x9x4xf32>) -> tensor<2x9x9xf32>
  %1 = graven.add %0, %m : (tensor<2x9x9xf32>, tensor<1x9x9xf32>) -> tensor<2x9x9xf32>
  %2 = graven.softmax %1 axis 2 : tensor<2x9x9xf32>
  %3 = graven.slice %2 [0, 8, 0] to [2, 9, 9] by [1, 1, 1] : (tensor<2x9x9xf32>) -> tensor<2x1x9xf32>
  graven.return %3 : tensor<2x1x9xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_rows_that_others_read(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x5xf32>
graven.graph @keeps_rows_that_others_read(%x: tensor<9x8xf32>, %w: tensor<8x5xf32>) -> (tensor<1x5xf32>, tensor<9x5xf32>) {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.slice %0 [0, 0] to [1, 5] by [1, 1] : (tensor<9x5xf32>) -> tensor<1x5xf32>
  graven.return %1, %0 : tensor<1x5xf32>, tensor<9x5xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_two_parts(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x6xf32>
graven.graph @keeps_two_parts(%x: tensor<9x8xf32>, %w: tensor<8x6xf32>) -> (tensor<9x3xf32>, tensor<9x3xf32>) {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x6xf32>) -> tensor<9x6xf32>
  %1 = graven.slice %0 [0, 0] to [9, 3] by [1, 1] : (tensor<9x6xf32>) -> tensor<9x3xf32>
  %2 = graven.slice %0 [0, 3] to [9, 6] by [1, 1] : (tensor<9x6xf32>) -> tensor<9x3xf32>
  graven.return %1, %2 : tensor<9x3xf32>, tensor<9x3xf32>
}

// -----

// Nothing but a copy would be smaller.

// CHECK-LABEL: graven.graph @keeps_without_a_product(
//       CHECK:   graven.tanh %{{.*}} : tensor<9x8xf32>
graven.graph @keeps_without_a_product(%x: tensor<9x8xf32>) -> tensor<1x8xf32> {
  %0 = graven.tanh %x : tensor<9x8xf32>
  %1 = graven.slice %0 [0, 0] to [1, 8] by [1, 1] : (tensor<9x8xf32>) -> tensor<1x8xf32>
  graven.return %1 : tensor<1x8xf32>
}

// -----

// The mean is over the axis that is cut.

// CHECK-LABEL: graven.graph @keeps_in_front_of_its_norm(
//       CHECK:   graven.layer_norm {{.*}} -> tensor<9x5xf32>
graven.graph @keeps_in_front_of_its_norm(%x: tensor<9x8xf32>, %w: tensor<8x5xf32>) -> tensor<9x1xf32> {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.layer_norm %0 axis 1 epsilon 1.0e-5 : (tensor<9x5xf32>) -> tensor<9x5xf32>
  %2 = graven.slice %1 [0, 0] to [9, 1] by [1, 1] : (tensor<9x5xf32>) -> tensor<9x1xf32>
  graven.return %2 : tensor<9x1xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_causal_attention(
//       CHECK:   graven.attention {{.*}} -> tensor<1x2x9x4xf32>
graven.graph @keeps_causal_attention(%q: tensor<1x2x9x4xf32>, %k: tensor<1x2x9x4xf32>, %v: tensor<1x2x9x4xf32>) -> tensor<1x2x1x4xf32> {
  %0 = graven.attention %q, %k, %v scale 0.5 causal : (tensor<1x2x9x4xf32>, tensor<1x2x9x4xf32>, tensor<1x2x9x4xf32>) -> tensor<1x2x9x4xf32>
  %1 = graven.slice %0 [0, 0, 0, 0] to [1, 2, 1, 4] by [1, 1, 1, 1] : (tensor<1x2x9x4xf32>) -> tensor<1x2x1x4xf32>
  graven.return %1 : tensor<1x2x1x4xf32>
}

// -----

// Two axes at once.

// CHECK-LABEL: graven.graph @keeps_a_corner(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x5xf32>
graven.graph @keeps_a_corner(%x: tensor<9x8xf32>, %w: tensor<8x5xf32>) -> tensor<1x2xf32> {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.slice %0 [0, 0] to [1, 2] by [1, 1] : (tensor<9x5xf32>) -> tensor<1x2xf32>
  graven.return %1 : tensor<1x2xf32>
}
