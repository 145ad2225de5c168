// RUN: graven-opt --graven-unflatten-matmul=exact=true --split-input-file %s | FileCheck %s

// A reshape moves in front of two products with an activation between them.

// CHECK-LABEL: graven.graph @splits_two_products(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x9x8xf32>
//       CHECK:   %[[A:.*]] = graven.matmul %[[X]], {{.*}} -> tensor<2x9x16xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[A]] : tensor<2x9x16xf32>
//       CHECK:   %[[Y:.*]] = graven.matmul %[[R]], {{.*}} -> tensor<2x9x8xf32>
//  CHECK-NEXT:   graven.return %[[Y]]
graven.graph @splits_two_products(%x: tensor<2x9x8xf32>, %v: tensor<8x16xf32>, %w: tensor<16x8xf32>) -> tensor<2x9x8xf32> {
  %0 = graven.reshape %x to [18, 8] : (tensor<2x9x8xf32>) -> tensor<18x8xf32>
  %1 = graven.matmul %0, %v : (tensor<18x8xf32>, tensor<8x16xf32>) -> tensor<18x16xf32>
  %2 = graven.relu %1 : tensor<18x16xf32>
  %3 = graven.matmul %2, %w : (tensor<18x16xf32>, tensor<16x8xf32>) -> tensor<18x8xf32>
  %4 = graven.reshape %3 to [2, 9, 8] : (tensor<18x8xf32>) -> tensor<2x9x8xf32>
  graven.return %4 : tensor<2x9x8xf32>
}

// -----

// Nothing had joined the rows.

// CHECK-LABEL: graven.graph @keeps_two_products(
//       CHECK:   graven.matmul {{.*}} -> tensor<18x16xf32>
//       CHECK:   graven.matmul {{.*}} -> tensor<18x8xf32>
//       CHECK:   graven.reshape
graven.graph @keeps_two_products(%x: tensor<18x8xf32>, %v: tensor<8x16xf32>, %w: tensor<16x8xf32>) -> tensor<2x9x8xf32> {
  %1 = graven.matmul %x, %v : (tensor<18x8xf32>, tensor<8x16xf32>) -> tensor<18x16xf32>
  %2 = graven.relu %1 : tensor<18x16xf32>
  %3 = graven.matmul %2, %w : (tensor<18x16xf32>, tensor<16x8xf32>) -> tensor<18x8xf32>
  %4 = graven.reshape %3 to [2, 9, 8] : (tensor<18x8xf32>) -> tensor<2x9x8xf32>
  graven.return %4 : tensor<2x9x8xf32>
}

// -----

// Columns that are reshaped anyway.

// CHECK-LABEL: graven.graph @splits_columns(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x9x8xf32>
//       CHECK:   %[[Y:.*]] = graven.matmul %[[X]], {{.*}} -> tensor<2x9x16xf32>
//   CHECK-DAG:   %[[A:.*]] = graven.slice %[[Y]] [0, 0, 0] to [2, 9, 8]
//   CHECK-DAG:   %[[B:.*]] = graven.slice %[[Y]] [0, 0, 8] to [2, 9, 16]
//   CHECK-DAG:   graven.reshape %[[A]] to [2, 9, 2, 4] : (tensor<2x9x8xf32>)
//   CHECK-DAG:   graven.reshape %[[B]] to [2, 9, 4, 2] : (tensor<2x9x8xf32>)
graven.graph @splits_columns(%x: tensor<2x9x8xf32>, %w: tensor<8x16xf32>) -> (tensor<2x9x2x4xf32>, tensor<2x9x4x2xf32>) {
  %0 = graven.reshape %x to [18, 8] : (tensor<2x9x8xf32>) -> tensor<18x8xf32>
  %1 = graven.matmul %0, %w : (tensor<18x8xf32>, tensor<8x16xf32>) -> tensor<18x16xf32>
  %2 = graven.slice %1 [0, 0] to [18, 8] by [1, 1] : (tensor<18x16xf32>) -> tensor<18x8xf32>
  %3 = graven.slice %1 [0, 8] to [18, 16] by [1, 1] : (tensor<18x16xf32>) -> tensor<18x8xf32>
  %4 = graven.reshape %2 to [2, 9, 2, 4] : (tensor<18x8xf32>) -> tensor<2x9x2x4xf32>
  %5 = graven.reshape %3 to [2, 9, 4, 2] : (tensor<18x8xf32>) -> tensor<2x9x4x2xf32>
  graven.return %4, %5 : tensor<2x9x2x4xf32>, tensor<2x9x4x2xf32>
}

// -----

// A column that is read as it is; rows that are divided, too; weights that are transposed.

// CHECK-LABEL: graven.graph @keeps_columns(
// CHECK-COUNT-3: graven.matmul {{.*}} -> tensor<18x16xf32>
graven.graph @keeps_columns(%x: tensor<2x9x8xf32>, %w: tensor<8x16xf32>, %t: tensor<16x8xf32>)
    -> (tensor<18x8xf32>, tensor<9x2x4xf32>, tensor<2x9x2x4xf32>) {
  %0 = graven.reshape %x to [18, 8] : (tensor<2x9x8xf32>) -> tensor<18x8xf32>
  %1 = graven.matmul %0, %w : (tensor<18x8xf32>, tensor<8x16xf32>) -> tensor<18x16xf32>
  %2 = graven.slice %1 [0, 0] to [18, 8] by [1, 1] : (tensor<18x16xf32>) -> tensor<18x8xf32>
  %4 = graven.matmul %0, %w : (tensor<18x8xf32>, tensor<8x16xf32>) -> tensor<18x16xf32>
  %5 = graven.slice %4 [0, 8] to [9, 16] by [1, 1] : (tensor<18x16xf32>) -> tensor<9x8xf32>
  %6 = graven.reshape %5 to [9, 2, 4] : (tensor<9x8xf32>) -> tensor<9x2x4xf32>
  %7 = graven.matmul %0, %t transpose_b : (tensor<18x8xf32>, tensor<16x8xf32>) -> tensor<18x16xf32>
  %8 = graven.slice %7 [0, 0] to [18, 8] by [1, 1] : (tensor<18x16xf32>) -> tensor<18x8xf32>
  %9 = graven.reshape %8 to [2, 9, 2, 4] : (tensor<18x8xf32>) -> tensor<2x9x2x4xf32>
  graven.return %2, %6, %9 : tensor<18x8xf32>, tensor<9x2x4xf32>, tensor<2x9x2x4xf32>
}
