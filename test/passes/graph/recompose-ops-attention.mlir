// RUN: graven-opt --graven-recompose-ops --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @masked(
//  CHECK-SAME:   %[[Q:.*]]: tensor<2x3x4x8xf32>, %[[K:.*]]: tensor<2x3x5x8xf32>, %[[V:.*]]: tensor<2x3x5x8xf32>, %[[M:.*]]: tensor<2x1x1x5xf32>
//       CHECK:   %[[Y:.*]] = graven.attention %[[Q]], %[[K]], %[[V]] mask %[[M]] scale 2.500000e-01 empty_row nan
//       CHECK:   graven.return %[[Y]]
graven.graph @masked(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x5x8xf32>, %m: tensor<2x1x1x5xf32>) -> tensor<2x3x4x8xf32> {
  %four = graven.constant dense<4.0> : tensor<1x1x1x1xf32>
  %0 = graven.matmul %q, %k transpose_b : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>) -> tensor<2x3x4x5xf32>
  %1 = graven.div %0, %four : (tensor<2x3x4x5xf32>, tensor<1x1x1x1xf32>) -> tensor<2x3x4x5xf32>
  %2 = graven.add %1, %m : (tensor<2x3x4x5xf32>, tensor<2x1x1x5xf32>) -> tensor<2x3x4x5xf32>
  %3 = graven.softmax %2 axis 3 : tensor<2x3x4x5xf32>
  %4 = graven.matmul %3, %v : (tensor<2x3x4x5xf32>, tensor<2x3x5x8xf32>) -> tensor<2x3x4x8xf32>
  graven.return %4 : tensor<2x3x4x8xf32>
}

// -----

// Scales on both sides, heads brought forward by transposes, rank 3.

// CHECK-LABEL: graven.graph @scaled(
//  CHECK-SAME:   %[[Q:.*]]: tensor<6x4x8xf32>, %[[K:.*]]: tensor<6x5x8xf32>, %[[V:.*]]: tensor<6x5x8xf32>
//   CHECK-DAG:   %[[Q4:.*]] = graven.reshape %[[Q]] to [6, 1, 4, 8]
//   CHECK-DAG:   %[[K4:.*]] = graven.reshape %[[K]] to [6, 1, 5, 8]
//   CHECK-DAG:   %[[V4:.*]] = graven.reshape %[[V]] to [6, 1, 5, 8]
//       CHECK:   %[[Y:.*]] = graven.attention %[[Q4]], %[[K4]], %[[V4]] scale 2.500000e-01 empty_row nan
//       CHECK:   graven.reshape %[[Y]] to [6, 4, 8]
graven.graph @scaled(%q: tensor<6x4x8xf32>, %k: tensor<6x5x8xf32>, %v: tensor<6x5x8xf32>) -> tensor<6x4x8xf32> {
  %half = graven.constant dense<0.5> : tensor<f32>
  %0 = graven.mul %q, %half : (tensor<6x4x8xf32>, tensor<f32>) -> tensor<6x4x8xf32>
  %1 = graven.transpose %k by [0, 2, 1] : (tensor<6x5x8xf32>) -> tensor<6x8x5xf32>
  %2 = graven.mul %1, %half : (tensor<6x8x5xf32>, tensor<f32>) -> tensor<6x8x5xf32>
  %3 = graven.matmul %0, %2 : (tensor<6x4x8xf32>, tensor<6x8x5xf32>) -> tensor<6x4x5xf32>
  %4 = graven.softmax %3 axis 2 : tensor<6x4x5xf32>
  %5 = graven.matmul %4, %v : (tensor<6x4x5xf32>, tensor<6x5x8xf32>) -> tensor<6x4x8xf32>
  graven.return %5 : tensor<6x4x8xf32>
}

// -----

// A constant lower triangle is causal; so is a finite fill beside it.

// CHECK-LABEL: graven.graph @causal(
//       CHECK:   graven.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} scale 1.000000e+00 causal empty_row nan
graven.graph @causal(%q: tensor<1x1x3x8xf32>, %k: tensor<1x1x3x8xf32>, %v: tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32> {
  %m = graven.constant dense<[[[[true, false, false], [true, true, false], [true, true, true]]]]> : tensor<1x1x3x3xi1>
  %min = graven.constant dense<-3.40282347E+38> : tensor<f32>
  %0 = graven.matmul %q, %k transpose_b : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x3xf32>
  %1 = graven.select %m, %0, %min : (tensor<1x1x3x3xi1>, tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  %2 = graven.softmax %1 axis 3 : tensor<1x1x3x3xf32>
  %3 = graven.matmul %2, %v : (tensor<1x1x3x3xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  graven.return %3 : tensor<1x1x3x8xf32>
}

// -----

// A mask of run time may close a whole row, and then a finite fill is no -inf:
// it is added, as it swallows the score.

// CHECK-LABEL: graven.graph @finite_fill(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x1x3x8xf32>, %[[C:.*]]: tensor<1x1x3x3xi1>
//   CHECK-DAG:   %[[ZERO:.*]] = graven.constant dense<0.0
//   CHECK-DAG:   %[[MIN:.*]] = graven.constant dense<-3.40282347E+38>
//       CHECK:   %[[M:.*]] = graven.select %[[C]], %[[ZERO]], %[[MIN]]
//       CHECK:   graven.attention %[[Q]], %[[Q]], %[[Q]] mask %[[M]]
graven.graph @finite_fill(%q: tensor<1x1x3x8xf32>, %m: tensor<1x1x3x3xi1>) -> tensor<1x1x3x8xf32> {
  %min = graven.constant dense<-3.40282347E+38> : tensor<f32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x3xf32>
  %1 = graven.select %m, %0, %min : (tensor<1x1x3x3xi1>, tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  %2 = graven.softmax %1 axis 3 : tensor<1x1x3x3xf32>
  %3 = graven.matmul %2, %q : (tensor<1x1x3x3xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  graven.return %3 : tensor<1x1x3x8xf32>
}

// -----

// A fill that does not swallow scores stays.

// CHECK-LABEL: graven.graph @small_fill(
//   CHECK-NOT:   attention
//       CHECK:   graven.return
graven.graph @small_fill(%q: tensor<1x1x3x8xf32>, %m: tensor<1x1x3x3xi1>) -> tensor<1x1x3x8xf32> {
  %low = graven.constant dense<-1.0e+4> : tensor<f32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x3xf32>
  %1 = graven.select %m, %0, %low : (tensor<1x1x3x3xi1>, tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  %2 = graven.softmax %1 axis 3 : tensor<1x1x3x3xf32>
  %3 = graven.matmul %2, %q : (tensor<1x1x3x3xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  graven.return %3 : tensor<1x1x3x8xf32>
}

// -----

// Weights that are 0 where they would be NaN: rows without keys. Causality and
// padding in one bool are two conditions; the padding is one row of it.

// CHECK-LABEL: graven.graph @empty_rows(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x1x3x8xf32>, %[[P:.*]]: tensor<1x1x1x3xi1>
//       CHECK:   graven.attention %[[Q]], %[[Q]], %[[Q]] mask %[[P]] scale 1.000000e+00 causal :
graven.graph @empty_rows(%q: tensor<1x1x3x8xf32>, %p: tensor<1x1x1x3xi1>) -> tensor<1x1x3x8xf32> {
  %tril = graven.constant dense<[[[[true, false, false], [true, true, false], [true, true, true]]]]> : tensor<1x1x3x3xi1>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %closed = graven.constant dense<0xFF800000> : tensor<f32>
  %m = graven.and %p, %tril : (tensor<1x1x1x3xi1>, tensor<1x1x3x3xi1>) -> tensor<1x1x3x3xi1>
  %a = graven.select %m, %zero, %closed : (tensor<1x1x3x3xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  %0 = graven.matmul %q, %q transpose_b : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x3xf32>
  %1 = graven.add %0, %a : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %2 = graven.softmax %1 axis 3 : tensor<1x1x3x3xf32>
  %nan = graven.compare ne %2, %2 : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xi1>
  %3 = graven.select %nan, %zero, %2 : (tensor<1x1x3x3xi1>, tensor<f32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %4 = graven.matmul %3, %q : (tensor<1x1x3x3xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x3x8xf32>
  graven.return %4 : tensor<1x1x3x8xf32>
}

// -----

// Two masks; a scale that is a Parameter of one element; k brought forward and
// transposed in rank 3.

graven.param @scale : tensor<f32> = dense<0.5> : tensor<f32>
// CHECK-LABEL: graven.graph @two_masks(
//  CHECK-SAME:   %[[A:.*]]: tensor<1x1x1x3xf32>, %[[B:.*]]: tensor<1x1x3x3xf32>
//       CHECK:   %[[M:.*]] = graven.add
//       CHECK:   graven.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} mask %[[M]] scale 2.500000e-01
graven.graph @two_masks(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x3x8xf32>, %a: tensor<1x1x1x3xf32>, %b: tensor<1x1x3x3xf32>) -> tensor<1x2x3x8xf32> {
  %s = graven.get_param @scale : tensor<f32>
  %k0 = graven.reshape %k to [2, 3, 8] : (tensor<1x2x3x8xf32>) -> tensor<2x3x8xf32>
  %k1 = graven.transpose %k0 by [0, 2, 1] : (tensor<2x3x8xf32>) -> tensor<2x8x3xf32>
  %k2 = graven.reshape %k1 to [1, 2, 8, 3] : (tensor<2x8x3xf32>) -> tensor<1x2x8x3xf32>
  %k3 = graven.mul %k2, %s : (tensor<1x2x8x3xf32>, tensor<f32>) -> tensor<1x2x8x3xf32>
  %q0 = graven.mul %q, %s : (tensor<1x2x3x8xf32>, tensor<f32>) -> tensor<1x2x3x8xf32>
  %0 = graven.matmul %q0, %k3 : (tensor<1x2x3x8xf32>, tensor<1x2x8x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.add %0, %a : (tensor<1x2x3x3xf32>, tensor<1x1x1x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.add %b, %1 : (tensor<1x1x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = graven.softmax %2 axis 3 : tensor<1x2x3x3xf32>
  %4 = graven.matmul %3, %k : (tensor<1x2x3x3xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  graven.return %4 : tensor<1x2x3x8xf32>
}

// -----

// The mask of an op that a model has as one; what leaves nothing out goes.

// CHECK-LABEL: graven.graph @mask_of_op(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x1x3x8xf32>, %[[P:.*]]: tensor<1x1x1x3xi1>
//       CHECK:   graven.attention %[[Q]], %[[Q]], %[[Q]] scale 1.000000e+00 causal :
//       CHECK:   graven.attention %[[Q]], %[[Q]], %[[Q]] mask %[[P]] scale 1.000000e+00 :
//       CHECK:   graven.attention %[[Q]], %[[Q]], %[[Q]] scale 1.000000e+00 :
graven.graph @mask_of_op(%q: tensor<1x1x3x8xf32>, %p: tensor<1x1x1x3xi1>) -> (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) {
  %tril = graven.constant dense<[[[[true, false, false], [true, true, false], [true, true, true]]]]> : tensor<1x1x3x3xi1>
  %true = graven.constant dense<true> : tensor<1x1x3x1xi1>
  %none = graven.constant dense<0.0> : tensor<1x1x1x3xf32>
  %m = graven.and %p, %true : (tensor<1x1x1x3xi1>, tensor<1x1x3x1xi1>) -> tensor<1x1x3x3xi1>
  %0 = graven.attention %q, %q, %q mask %tril scale 1.0 : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x3xi1>) -> tensor<1x1x3x8xf32>
  %1 = graven.attention %q, %q, %q mask %m scale 1.0 : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x3xi1>) -> tensor<1x1x3x8xf32>
  %2 = graven.attention %q, %q, %q mask %none scale 1.0 : (tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x1x3xf32>) -> tensor<1x1x3x8xf32>
  graven.return %0, %1, %2 : tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>
}

// -----

// Capped scores; heads that share keys, which are not repeated any more.

// CHECK-LABEL: graven.graph @capped(
//  CHECK-SAME:   %[[Q:.*]]: tensor<1x4x3x8xf32>, %[[K:.*]]: tensor<1x2x5x8xf32>, %[[V:.*]]: tensor<1x2x5x8xf32>
//       CHECK:   graven.attention %[[Q]], %[[K]], %[[V]] scale 2.500000e-01 softcap 2.000000e+01 empty_row nan
graven.graph @capped(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>) -> tensor<1x4x3x8xf32> {
  %scale = graven.constant dense<0.25> : tensor<f32>
  %cap = graven.constant dense<20.0> : tensor<f32>
  %k5 = graven.reshape %k to [1, 2, 1, 5, 8] : (tensor<1x2x5x8xf32>) -> tensor<1x2x1x5x8xf32>
  %kr = graven.broadcast %k5 to [1, 2, 2, 5, 8] axes [0, 1, 2, 3, 4] : (tensor<1x2x1x5x8xf32>) -> tensor<1x2x2x5x8xf32>
  %k4 = graven.reshape %kr to [1, 4, 5, 8] : (tensor<1x2x2x5x8xf32>) -> tensor<1x4x5x8xf32>
  %vr = graven.broadcast %v to [1, 2, 2, 5, 8] axes [0, 1, 3, 4] : (tensor<1x2x5x8xf32>) -> tensor<1x2x2x5x8xf32>
  %v4 = graven.reshape %vr to [1, 4, 5, 8] : (tensor<1x2x2x5x8xf32>) -> tensor<1x4x5x8xf32>
  %0 = graven.matmul %q, %k4 transpose_b : (tensor<1x4x3x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x5xf32>
  %1 = graven.mul %0, %scale : (tensor<1x4x3x5xf32>, tensor<f32>) -> tensor<1x4x3x5xf32>
  %2 = graven.div %1, %cap : (tensor<1x4x3x5xf32>, tensor<f32>) -> tensor<1x4x3x5xf32>
  %3 = graven.tanh %2 : tensor<1x4x3x5xf32>
  %4 = graven.mul %3, %cap : (tensor<1x4x3x5xf32>, tensor<f32>) -> tensor<1x4x3x5xf32>
  %5 = graven.softmax %4 axis 3 : tensor<1x4x3x5xf32>
  %6 = graven.matmul %5, %v4 : (tensor<1x4x3x5xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x8xf32>
  graven.return %6 : tensor<1x4x3x8xf32>
}

// -----

// Heads in another order than that of the shared ones; values of other heads.

// CHECK-LABEL: graven.graph @keeps_repeats(
//   CHECK-DAG:   graven.broadcast
//       CHECK:   graven.attention
//  CHECK-SAME:   (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>)
graven.graph @keeps_repeats(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %kr = graven.broadcast %k to [1, 2, 2, 3, 8] axes [0, 2, 3, 4] : (tensor<1x2x3x8xf32>) -> tensor<1x2x2x3x8xf32>
  %k4 = graven.reshape %kr to [1, 4, 3, 8] : (tensor<1x2x2x3x8xf32>) -> tensor<1x4x3x8xf32>
  %0 = graven.attention %q, %k4, %q scale 1.0 empty_row nan : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  graven.return %0 : tensor<1x4x3x8xf32>
}

// -----

// The scores or the weights have a second user; the softmax is over another
// axis.

// CHECK-LABEL: graven.graph @stay(
//   CHECK-NOT:   attention
//       CHECK:   graven.return
graven.graph @stay(%q: tensor<6x4x4xf32>) -> (tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>) {
  %0 = graven.matmul %q, %q transpose_b : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  %1 = graven.softmax %0 axis 2 : tensor<6x4x4xf32>
  %2 = graven.matmul %1, %q : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  %3 = graven.matmul %q, %q transpose_b : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  %4 = graven.softmax %3 axis 2 : tensor<6x4x4xf32>
  %5 = graven.matmul %4, %q : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  %6 = graven.matmul %q, %q transpose_b : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  %7 = graven.softmax %6 axis 1 : tensor<6x4x4xf32>
  %8 = graven.matmul %7, %q : (tensor<6x4x4xf32>, tensor<6x4x4xf32>) -> tensor<6x4x4xf32>
  graven.return %0, %2, %4, %5, %8 : tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>, tensor<6x4x4xf32>
}
