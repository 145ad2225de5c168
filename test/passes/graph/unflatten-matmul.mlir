// RUN: graven-opt --graven-unflatten-matmul --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-unflatten-matmul=exact=true --split-input-file %s | FileCheck %s --check-prefix=EXACT

// A linear layer with its bias in front of the reshape and the residual behind.

// CHECK-LABEL: graven.graph @linear(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x9x8xf32>, %[[W:.*]]: tensor<5x8xf32>, %[[B:.*]]: tensor<1x5xf32>, %[[R:.*]]: tensor<2x9x5xf32>
//   CHECK-DAG:   %[[W3:.*]] = graven.reshape %[[W]] to [1, 5, 8]
//   CHECK-DAG:   %[[B3:.*]] = graven.reshape %[[B]] to [1, 1, 5]
//   CHECK-DAG:   %[[M:.*]] = graven.matmul %[[X]], %[[W3]] transpose_b : (tensor<2x9x8xf32>, tensor<1x5x8xf32>) -> tensor<2x9x5xf32>
//       CHECK:   %[[A:.*]] = graven.add %[[M]], %[[B3]]
//       CHECK:   graven.add %[[A]], %[[R]]
// EXACT-LABEL: graven.graph @linear(
//       EXACT:   graven.matmul {{.*}} -> tensor<18x5xf32>
graven.graph @linear(%x: tensor<2x9x8xf32>, %w: tensor<5x8xf32>, %b: tensor<1x5xf32>, %r: tensor<2x9x5xf32>) -> tensor<2x9x5xf32> {
  %0 = graven.reshape %x to [18, 8] : (tensor<2x9x8xf32>) -> tensor<18x8xf32>
  %1 = graven.matmul %0, %w transpose_b : (tensor<18x8xf32>, tensor<5x8xf32>) -> tensor<18x5xf32>
  %2 = graven.add %1, %b : (tensor<18x5xf32>, tensor<1x5xf32>) -> tensor<18x5xf32>
  %3 = graven.reshape %2 to [2, 9, 5] : (tensor<18x5xf32>) -> tensor<2x9x5xf32>
  %4 = graven.add %3, %r : (tensor<2x9x5xf32>, tensor<2x9x5xf32>) -> tensor<2x9x5xf32>
  graven.return %4 : tensor<2x9x5xf32>
}

// -----

// Heads split the columns.

// CHECK-LABEL: graven.graph @keeps_split_columns(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x8xf32>
//       CHECK:   graven.reshape %{{.*}} to [9, 2, 4]
graven.graph @keeps_split_columns(%x: tensor<9x8xf32>, %w: tensor<8x8xf32>) -> tensor<9x2x4xf32> {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x8xf32>) -> tensor<9x8xf32>
  %1 = graven.reshape %0 to [9, 2, 4] : (tensor<9x8xf32>) -> tensor<9x2x4xf32>
  graven.return %1 : tensor<9x2x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_for_a_second_user(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x5xf32>
graven.graph @keeps_for_a_second_user(%x: tensor<9x8xf32>, %w: tensor<8x5xf32>) -> (tensor<3x3x5xf32>, tensor<9x5xf32>) {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.reshape %0 to [3, 3, 5] : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  graven.return %1, %0 : tensor<3x3x5xf32>, tensor<9x5xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_a_product_for_each_batch(
//       CHECK:   %[[M:.*]] = graven.matmul {{.*}} -> tensor<2x9x5xf32>
//       CHECK:   %[[A:.*]] = graven.tanh %[[M]]
//       CHECK:   graven.reshape %[[A]] to [2, 3, 3, 5]
graven.graph @keeps_a_product_for_each_batch(%x: tensor<2x9x8xf32>, %w: tensor<2x8x5xf32>) -> tensor<2x3x3x5xf32> {
  %0 = graven.matmul %x, %w : (tensor<2x9x8xf32>, tensor<2x8x5xf32>) -> tensor<2x9x5xf32>
  %1 = graven.tanh %0 : tensor<2x9x5xf32>
  %2 = graven.reshape %1 to [2, 3, 3, 5] : (tensor<2x9x5xf32>) -> tensor<2x3x3x5xf32>
  graven.return %2 : tensor<2x3x3x5xf32>
}

// -----

// A column of factors has another one in each row.

// CHECK-LABEL: graven.graph @keeps_a_column(
//       CHECK:   graven.mul {{.*}} -> tensor<9x5xf32>
//       CHECK:   graven.reshape
graven.graph @keeps_a_column(%x: tensor<9x8xf32>, %w: tensor<8x5xf32>, %c: tensor<9x1xf32>) -> tensor<3x3x5xf32> {
  %0 = graven.matmul %x, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.mul %0, %c : (tensor<9x5xf32>, tensor<9x1xf32>) -> tensor<9x5xf32>
  %2 = graven.reshape %1 to [3, 3, 5] : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  graven.return %2 : tensor<3x3x5xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_a_transposed(
//       CHECK:   graven.matmul {{.*}} -> tensor<9x5xf32>
graven.graph @keeps_a_transposed(%x: tensor<8x9xf32>, %w: tensor<8x5xf32>) -> tensor<3x3x5xf32> {
  %0 = graven.matmul %x, %w transpose_a : (tensor<8x9xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %1 = graven.reshape %0 to [3, 3, 5] : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  graven.return %1 : tensor<3x3x5xf32>
}

// -----

// The reshape that moves merges with the one on the left; without one there would be a Node more.

// EXACT-LABEL: graven.graph @merges(
//       EXACT:   %[[J:.*]] = graven.reshape %{{.*}} to [2, 9, 8]
//       EXACT:   %[[M:.*]] = graven.matmul %[[J]], %{{.*}} -> tensor<2x9x5xf32>
//   EXACT-NOT:   graven.reshape %[[M]]
//       EXACT:   graven.matmul {{.*}} -> tensor<9x5xf32>
//       EXACT:   graven.reshape
graven.graph @merges(%x: tensor<2x9x4x2xf32>, %y: tensor<9x8xf32>, %w: tensor<8x5xf32>) -> (tensor<2x9x5xf32>, tensor<3x3x5xf32>) {
  %0 = graven.reshape %x to [18, 8] : (tensor<2x9x4x2xf32>) -> tensor<18x8xf32>
  %1 = graven.matmul %0, %w : (tensor<18x8xf32>, tensor<8x5xf32>) -> tensor<18x5xf32>
  %2 = graven.reshape %1 to [2, 9, 5] : (tensor<18x5xf32>) -> tensor<2x9x5xf32>
  %3 = graven.matmul %y, %w : (tensor<9x8xf32>, tensor<8x5xf32>) -> tensor<9x5xf32>
  %4 = graven.reshape %3 to [3, 3, 5] : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  graven.return %2, %4 : tensor<2x9x5xf32>, tensor<3x3x5xf32>
}

// -----

// Heads that were joined with the batch for both sides, scaled behind the product.

// CHECK-LABEL: graven.graph @splits_batches(
//  CHECK-SAME:   %[[Q:.*]]: tensor<2x4x9x8xf32>, %[[K:.*]]: tensor<2x4x5x8xf32>
//   CHECK-DAG:   %[[C:.*]] = graven.constant dense<5.0{{.*}}> : tensor<1x1x1x1xf32>
//   CHECK-DAG:   %[[M:.*]] = graven.matmul %[[Q]], %[[K]] transpose_b
//       CHECK:   %[[Y:.*]] = graven.mul %[[M]],
//  CHECK-NEXT:   graven.return %[[Y]]
// EXACT-LABEL: graven.graph @splits_batches(
//       EXACT:   graven.matmul {{.*}} -> tensor<2x4x9x5xf32>
graven.graph @splits_batches(%q: tensor<2x4x9x8xf32>, %k: tensor<2x4x5x8xf32>) -> tensor<2x4x9x5xf32> {
  %half = graven.constant dense<0.5> : tensor<1x1x1xf32>
  %0 = graven.reshape %q to [8, 9, 8] : (tensor<2x4x9x8xf32>) -> tensor<8x9x8xf32>
  %1 = graven.reshape %k to [8, 5, 8] : (tensor<2x4x5x8xf32>) -> tensor<8x5x8xf32>
  %2 = graven.matmul %0, %1 transpose_b : (tensor<8x9x8xf32>, tensor<8x5x8xf32>) -> tensor<8x9x5xf32>
  %3 = graven.mul %2, %half : (tensor<8x9x5xf32>, tensor<1x1x1xf32>) -> tensor<8x9x5xf32>
  %4 = graven.reshape %3 to [2, 4, 9, 5] : (tensor<8x9x5xf32>) -> tensor<2x4x9x5xf32>
  graven.return %4 : tensor<2x4x9x5xf32>
}

// -----

// One side was joined: as many Nodes as before, unless asked not to.

// CHECK-LABEL: graven.graph @splits_one_side(
//       CHECK:   graven.matmul {{.*}} -> tensor<2x4x9x5xf32>
// EXACT-LABEL: graven.graph @splits_one_side(
//       EXACT:   graven.matmul {{.*}} -> tensor<8x9x5xf32>
graven.graph @splits_one_side(%q: tensor<2x4x9x8xf32>, %k: tensor<8x8x5xf32>) -> tensor<2x4x9x5xf32> {
  %0 = graven.reshape %q to [8, 9, 8] : (tensor<2x4x9x8xf32>) -> tensor<8x9x8xf32>
  %1 = graven.matmul %0, %k : (tensor<8x9x8xf32>, tensor<8x8x5xf32>) -> tensor<8x9x5xf32>
  %2 = graven.reshape %1 to [2, 4, 9, 5] : (tensor<8x9x5xf32>) -> tensor<2x4x9x5xf32>
  graven.return %2 : tensor<2x4x9x5xf32>
}

// -----

// Neither side was joined from these batches; one side has one matrix for several batches; the rows are split, too.

// CHECK-LABEL: graven.graph @keeps_batches(
//       CHECK:   graven.matmul {{.*}} -> tensor<8x9x5xf32>
//       CHECK:   graven.matmul {{.*}} -> tensor<2x4x9x5xf32>
//       CHECK:   graven.matmul {{.*}} -> tensor<8x9x5xf32>
graven.graph @keeps_batches(%q: tensor<8x9x8xf32>, %k: tensor<8x8x5xf32>, %r: tensor<2x4x9x8xf32>, %s: tensor<2x1x8x5xf32>)
    -> (tensor<2x4x9x5xf32>, tensor<2x2x2x9x5xf32>, tensor<8x3x3x5xf32>) {
  %0 = graven.matmul %q, %k : (tensor<8x9x8xf32>, tensor<8x8x5xf32>) -> tensor<8x9x5xf32>
  %1 = graven.reshape %0 to [2, 4, 9, 5] : (tensor<8x9x5xf32>) -> tensor<2x4x9x5xf32>
  %2 = graven.matmul %r, %s : (tensor<2x4x9x8xf32>, tensor<2x1x8x5xf32>) -> tensor<2x4x9x5xf32>
  %3 = graven.reshape %2 to [2, 2, 2, 9, 5] : (tensor<2x4x9x5xf32>) -> tensor<2x2x2x9x5xf32>
  %4 = graven.reshape %r to [8, 9, 8] : (tensor<2x4x9x8xf32>) -> tensor<8x9x8xf32>
  %5 = graven.matmul %4, %k : (tensor<8x9x8xf32>, tensor<8x8x5xf32>) -> tensor<8x9x5xf32>
  %6 = graven.reshape %5 to [8, 3, 3, 5] : (tensor<8x9x5xf32>) -> tensor<8x3x3x5xf32>
  graven.return %1, %3, %6 : tensor<2x4x9x5xf32>, tensor<2x2x2x9x5xf32>, tensor<8x3x3x5xf32>
}

// -----

// Scores whose batches and heads are one axis, with a row of numbers for each of them (the positions of BLOOM).

// CHECK-LABEL: graven.graph @splits_a_row_for_each_batch(
//  CHECK-SAME:   %[[Q:.*]]: tensor<2x4x9x12xf32>, %[[K:.*]]: tensor<2x4x9x12xf32>, %[[A:.*]]: tensor<8x1x9xf32>
//   CHECK-DAG:   %[[ROWS:.*]] = graven.reshape %[[A]] to [2, 4, 1, 9]
//   CHECK-DAG:   %[[M:.*]] = graven.matmul %[[Q]], %[[K]] transpose_b : (tensor<2x4x9x12xf32>, tensor<2x4x9x12xf32>) -> tensor<2x4x9x9xf32>
//       CHECK:   %[[S:.*]] = graven.add %[[M]], %[[ROWS]] : (tensor<2x4x9x9xf32>, tensor<2x4x1x9xf32>) -> tensor<2x4x9x9xf32>
//       CHECK:   graven.return %[[S]]
graven.graph @splits_a_row_for_each_batch(%q: tensor<2x4x9x12xf32>, %k: tensor<2x4x9x12xf32>, %a: tensor<8x1x9xf32>) -> tensor<2x4x9x9xf32> {
  %0 = graven.reshape %q to [8, 9, 12] : (tensor<2x4x9x12xf32>) -> tensor<8x9x12xf32>
  %1 = graven.reshape %k to [8, 9, 12] : (tensor<2x4x9x12xf32>) -> tensor<8x9x12xf32>
  %2 = graven.matmul %0, %1 transpose_b : (tensor<8x9x12xf32>, tensor<8x9x12xf32>) -> tensor<8x9x9xf32>
  %3 = graven.add %2, %a : (tensor<8x9x9xf32>, tensor<8x1x9xf32>) -> tensor<8x9x9xf32>
  %4 = graven.reshape %3 to [2, 4, 9, 9] : (tensor<8x9x9xf32>) -> tensor<2x4x9x9xf32>
  graven.return %4 : tensor<2x4x9x9xf32>
}

// -----

// One matrix for all batches would have to be repeated first.

// CHECK-LABEL: graven.graph @keeps_a_matrix_for_all_batches(
//       CHECK:   graven.add {{.*}} -> tensor<8x9x9xf32>
//       CHECK:   graven.reshape {{.*}} to [2, 4, 9, 9]
graven.graph @keeps_a_matrix_for_all_batches(%q: tensor<2x4x9x12xf32>, %k: tensor<2x4x9x12xf32>, %a: tensor<1x9x9xf32>) -> tensor<2x4x9x9xf32> {
  %0 = graven.reshape %q to [8, 9, 12] : (tensor<2x4x9x12xf32>) -> tensor<8x9x12xf32>
  %1 = graven.reshape %k to [8, 9, 12] : (tensor<2x4x9x12xf32>) -> tensor<8x9x12xf32>
  %2 = graven.matmul %0, %1 transpose_b : (tensor<8x9x12xf32>, tensor<8x9x12xf32>) -> tensor<8x9x9xf32>
  %3 = graven.add %2, %a : (tensor<8x9x9xf32>, tensor<1x9x9xf32>) -> tensor<8x9x9xf32>
  %4 = graven.reshape %3 to [2, 4, 9, 9] : (tensor<8x9x9xf32>) -> tensor<2x4x9x9xf32>
  graven.return %4 : tensor<2x4x9x9xf32>
}
