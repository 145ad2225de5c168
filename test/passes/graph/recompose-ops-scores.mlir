// RUN: graven-opt --graven-recompose-ops --canonicalize --split-input-file %s | FileCheck %s

// Other Nodes than masks on the scores of an attention.

// A row whose scores are all -inf gives 0, as the decomposition of PyTorch's attention writes it.

// CHECK-LABEL: graven.graph @empty_rows(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x2x3x8xf32>, %[[M:.*]]: tensor<1x1x3x3xf32>
//       CHECK:   %[[Y:.*]] = graven.attention %[[Q]], %[[Q]], %[[Q]] mask %[[M]] scale 5.000000e-01 :
//       CHECK:   graven.return %[[Y]]
graven.graph @empty_rows(%q: tensor<1x2x3x8xf32>, %m: tensor<1x1x3x3xf32>) -> tensor<1x2x3x8xf32> {
  %half = graven.constant dense<0.5> : tensor<1x1x1x1xf32>
  %low = graven.constant dense<0xFF800000> : tensor<1x1x1x1xf32>
  %zero = graven.constant dense<0.0> : tensor<1x1x1x1xf32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.mul %0, %half : (tensor<1x2x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.add %1, %m : (tensor<1x2x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = graven.softmax %2 axis 3 : tensor<1x2x3x3xf32>
  %4 = graven.compare eq %2, %low : (tensor<1x2x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x3x3xi1>
  %5 = graven.not %4 : tensor<1x2x3x3xi1>
  %6 = graven.reduce or %5 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %7 = graven.not %6 : tensor<1x2x3x1xi1>
  %8 = graven.select %7, %zero, %3 : (tensor<1x2x3x1xi1>, tensor<1x1x1x1xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %9 = graven.matmul %8, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %9 : tensor<1x2x3x8xf32>
}

// -----

// The same said with "and", without a mask or a scale.

// CHECK-LABEL: graven.graph @empty_rows_by_and(
//       CHECK:   graven.attention {{.*}} scale 1.000000e+00 :
//   CHECK-NOT:   graven.compare
graven.graph @empty_rows_by_and(%q: tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32> {
  %low = graven.constant dense<0xFF800000> : tensor<f32>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.softmax %0 axis 3 : tensor<1x2x3x3xf32>
  %2 = graven.compare eq %0, %low : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %3 = graven.reduce and %2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %4 = graven.select %3, %zero, %1 : (tensor<1x2x3x1xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %5 = graven.matmul %4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %5 : tensor<1x2x3x8xf32>
}

// -----

// Any key of -inf, not all; keys equal to another number; columns instead of rows; 1 in place of 0; a check that others
// read.

// CHECK-LABEL: graven.graph @keeps_other_checks(
//   CHECK-NOT:   graven.attention
//       CHECK:   graven.return
graven.graph @keeps_other_checks(%q: tensor<1x2x3x8xf32>)
    -> (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x1xi1>) {
  %low = graven.constant dense<0xFF800000> : tensor<f32>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %one = graven.constant dense<1.0> : tensor<f32>
  %a0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %a1 = graven.softmax %a0 axis 3 : tensor<1x2x3x3xf32>
  %a2 = graven.compare eq %a0, %low : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %a3 = graven.reduce or %a2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %a4 = graven.select %a3, %zero, %a1 : (tensor<1x2x3x1xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %a5 = graven.matmul %a4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %b0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %b1 = graven.softmax %b0 axis 3 : tensor<1x2x3x3xf32>
  %b2 = graven.compare eq %b0, %zero : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %b3 = graven.reduce and %b2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %b4 = graven.select %b3, %zero, %b1 : (tensor<1x2x3x1xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %b5 = graven.matmul %b4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %c0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %c1 = graven.softmax %c0 axis 3 : tensor<1x2x3x3xf32>
  %c2 = graven.compare eq %c0, %low : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %c3 = graven.reduce and %c2 axes [2] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x1x3xi1>
  %c4 = graven.select %c3, %zero, %c1 : (tensor<1x2x1x3xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %c5 = graven.matmul %c4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %d0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %d1 = graven.softmax %d0 axis 3 : tensor<1x2x3x3xf32>
  %d2 = graven.compare eq %d0, %low : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %d3 = graven.reduce and %d2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %d4 = graven.select %d3, %one, %d1 : (tensor<1x2x3x1xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %d5 = graven.matmul %d4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %e0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %e1 = graven.softmax %e0 axis 3 : tensor<1x2x3x3xf32>
  %e2 = graven.compare eq %e0, %low : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xi1>
  %e3 = graven.reduce and %e2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %e4 = graven.not %e3 : tensor<1x2x3x1xi1>
  %e5 = graven.reduce or %e2 axes [3] keep : (tensor<1x2x3x3xi1>) -> tensor<1x2x3x1xi1>
  %e6 = graven.select %e3, %zero, %e1 : (tensor<1x2x3x1xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %e7 = graven.matmul %e6, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %a5, %b5, %c5, %d5, %e7, %e5 : tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x1xi1>
}

// -----

// A scale for each head multiplies the queries.

// CHECK-LABEL: graven.graph @head_scale(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x2x3x8xf32>, %[[S:.*]]: tensor<1x2x1x1xf32>, %[[B:.*]]: tensor<1x2x3x3xf32>
//       CHECK:   %[[QS:.*]] = graven.mul %[[Q]], %[[S]] : (tensor<1x2x3x8xf32>, tensor<1x2x1x1xf32>)
//       CHECK:   graven.attention %[[QS]], %[[Q]], %[[Q]] mask %[[B]] scale 2.000000e+00
graven.graph @head_scale(%q: tensor<1x2x3x8xf32>, %s: tensor<1x2x1x1xf32>, %b: tensor<1x2x3x3xf32>) -> tensor<1x2x3x8xf32> {
  %two = graven.constant dense<2.0> : tensor<f32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.mul %s, %0 : (tensor<1x2x1x1xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.mul %1, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %3 = graven.add %2, %b : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %4 = graven.softmax %3 axis 3 : tensor<1x2x3x3xf32>
  %5 = graven.matmul %4, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %5 : tensor<1x2x3x8xf32>
}

// -----

// A scale for each key cannot multiply queries.

// CHECK-LABEL: graven.graph @keeps_key_scales(
//   CHECK-NOT:   graven.attention
//       CHECK:   graven.return
graven.graph @keeps_key_scales(%q: tensor<1x2x3x8xf32>, %s: tensor<1x2x1x3xf32>) -> tensor<1x2x3x8xf32> {
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.mul %0, %s : (tensor<1x2x3x3xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.softmax %1 axis 3 : tensor<1x2x3x3xf32>
  %3 = graven.matmul %2, %q : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %3 : tensor<1x2x3x8xf32>
}
