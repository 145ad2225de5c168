// RUN: graven-opt --graven-scale-weights --split-input-file %s | FileCheck %s

// Constants stand for Parameters.

// CHECK-LABEL: graven.graph @behind_conv(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4x5x5xf32>
//   CHECK-DAG:   %[[W:.*]] = graven.constant dense<2.0{{.*}}> : tensor<6x2x3x3xf32>
//   CHECK-DAG:   %[[S:.*]] = graven.constant dense<{{.*}}> : tensor<6x1x1x1xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.constant dense<[2.000000e+00, 4.000000e+00, 6.000000e+00, 8.000000e+00, 1.000000e+01, 1.200000e+01]>
//       CHECK:   %[[WS:.*]] = graven.mul %[[S]], %[[W]]
//       CHECK:   %[[Y:.*]] = graven.conv %[[X]], %[[WS]] bias %[[B]] {{.*}} groups 2
//       CHECK:   graven.return %[[Y]]
graven.graph @behind_conv(%x: tensor<1x4x5x5xf32>) -> tensor<1x6x5x5xf32> {
  %w = graven.constant dense<2.0> : tensor<6x2x3x3xf32>
  %b = graven.constant dense<3.0> : tensor<6xf32>
  %s = graven.constant dense<[[[[1.0]], [[2.0]], [[3.0]], [[4.0]], [[5.0]], [[6.0]]]]> : tensor<1x6x1x1xf32>
  %0 = graven.conv %x, %w bias %b strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : (tensor<1x4x5x5xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x5x5xf32>
  %1 = graven.mul %s, %0 : (tensor<1x6x1x1xf32>, tensor<1x6x5x5xf32>) -> tensor<1x6x5x5xf32>
  %2 = graven.sub %1, %s : (tensor<1x6x5x5xf32>, tensor<1x6x1x1xf32>) -> tensor<1x6x5x5xf32>
  graven.return %2 : tensor<1x6x5x5xf32>
}

// -----

// With Parameters that no folder takes: the scaled bias stands in front of the convolution.

// CHECK-LABEL: graven.graph @behind_conv_of_parameters(
//       CHECK:   %[[B:.*]] = graven.get_param @b
//       CHECK:   %[[BS:.*]] = graven.div %[[B]],
//       CHECK:   graven.conv %{{.*}} bias %[[BS]]
//  CHECK-NEXT:   graven.return
graven.param @w : tensor<6x2x1x1xf32> = #graven.blob<"m", 0, 48>
graven.param @b : tensor<6xf32> = #graven.blob<"m", 48, 24>
graven.param @s : tensor<1x6x1x1xf32> = #graven.blob<"m", 72, 24>
graven.graph @behind_conv_of_parameters(%x: tensor<1x2x5x5xf32>) -> tensor<1x6x5x5xf32> {
  %w = graven.get_param @w : tensor<6x2x1x1xf32>
  %b = graven.get_param @b : tensor<6xf32>
  %s = graven.get_param @s : tensor<1x6x1x1xf32>
  %0 = graven.conv %x, %w bias %b strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>, tensor<6xf32>) -> tensor<1x6x5x5xf32>
  %1 = graven.div %0, %s : (tensor<1x6x5x5xf32>, tensor<1x6x1x1xf32>) -> tensor<1x6x5x5xf32>
  graven.return %1 : tensor<1x6x5x5xf32>
}

// -----

// Mean and deviation of an image in front of a grouped convolution without pads; the groups have other channels.

// CHECK-LABEL: graven.graph @before_conv(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4x5x5xf32>
//   CHECK-DAG:   %[[M:.*]] = graven.constant dense<{{\[+}}1.000000e+00{{.*}}> : tensor<2x1x2x1x1xf32>
//   CHECK-DAG:   %[[D:.*]] = graven.constant dense<{{\[+}}4.000000e+00{{.*}}> : tensor<2x1x2x1x1xf32>
//       CHECK:   %[[W5:.*]] = graven.reshape %{{.*}} to [2, 3, 2, 3, 3]
//       CHECK:   %[[WD:.*]] = graven.div %[[W5]], %[[D]]
//       CHECK:   %[[WM:.*]] = graven.mul %{{.*}}, %[[M]] : (tensor<2x3x2x3x3xf32>, tensor<2x1x2x1x1xf32>)
//       CHECK:   %[[R:.*]] = graven.reduce  sum %[[WM]] axes [2, 3, 4] : (tensor<2x3x2x3x3xf32>) -> tensor<2x3xf32>
//       CHECK:   %[[T:.*]] = graven.reshape %[[R]] to [6]
//       CHECK:   %[[B:.*]] = graven.neg %[[T]]
//       CHECK:   graven.conv %[[X]], %{{.*}} bias %[[B]]
graven.graph @before_conv(%x: tensor<1x4x5x5xf32>) -> tensor<1x6x3x3xf32> {
  %w = graven.constant dense<2.0> : tensor<6x2x3x3xf32>
  %m = graven.constant dense<[[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]]> : tensor<1x4x1x1xf32>
  %d = graven.constant dense<[[[[4.0]], [[3.0]], [[2.0]], [[1.0]]]]> : tensor<1x4x1x1xf32>
  %0 = graven.sub %x, %m : (tensor<1x4x5x5xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x5x5xf32>
  %1 = graven.div %0, %d : (tensor<1x4x5x5xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x5x5xf32>
  %2 = graven.conv %1, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 : (tensor<1x4x5x5xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x3x3xf32>
  graven.return %2 : tensor<1x6x3x3xf32>
}

// -----

// The pads are 0, not the term.

// CHECK-LABEL: graven.graph @keeps_sum_before_pads(
//       CHECK:   %[[A:.*]] = graven.add
//       CHECK:   graven.conv %[[A]]
graven.graph @keeps_sum_before_pads(%x: tensor<1x2x5x5xf32>) -> tensor<1x6x5x5xf32> {
  %w = graven.constant dense<2.0> : tensor<6x2x3x3xf32>
  %m = graven.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %0 = graven.add %x, %m : (tensor<1x2x5x5xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x5x5xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x2x5x5xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x5x5xf32>
  graven.return %1 : tensor<1x6x5x5xf32>
}

// -----

// A second user; weights of the run; weights that two convolutions read; a number for each pixel; 1 / x; f16.

// CHECK-LABEL: graven.graph @keeps(
//       CHECK:   graven.mul %{{.*}} : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>)
//       CHECK:   graven.mul %{{.*}} : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>)
//       CHECK:   graven.mul %{{.*}} : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>)
//       CHECK:   graven.mul %{{.*}} : (tensor<1x6x5x5xf32>, tensor<1x1x5x5xf32>)
//       CHECK:   graven.div %{{.*}} : (tensor<1x1x1x1xf32>, tensor<1x6x5x5xf32>)
//       CHECK:   graven.mul %{{.*}} : (tensor<1x6x5x5xf16>, tensor<1x1x1x1xf16>)
graven.graph @keeps(%x: tensor<1x2x5x5xf32>, %v: tensor<6x2x1x1xf32>, %h: tensor<1x2x5x5xf16>)
    -> (tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf16>, tensor<1x6x7x7xf32>) {
  %two = graven.constant dense<2.0> : tensor<1x1x1x1xf32>
  %w = graven.constant dense<2.0> : tensor<6x2x1x1xf32>
  %w1 = graven.constant dense<3.0> : tensor<6x2x1x1xf32>
  %w2 = graven.constant dense<4.0> : tensor<6x2x1x1xf32>
  %w3 = graven.constant dense<5.0> : tensor<6x2x1x1xf32>
  %wh = graven.constant dense<5.0> : tensor<6x2x1x1xf16>
  %th = graven.constant dense<2.0> : tensor<1x1x1x1xf16>
  %p = graven.constant dense<2.0> : tensor<1x1x5x5xf32>
  %0 = graven.conv %x, %w1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
  %1 = graven.mul %0, %two : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>) -> tensor<1x6x5x5xf32>
  %2 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
  %3 = graven.mul %2, %two : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>) -> tensor<1x6x5x5xf32>
  %4 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
  %5 = graven.mul %4, %two : (tensor<1x6x5x5xf32>, tensor<1x1x1x1xf32>) -> tensor<1x6x5x5xf32>
  %6 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x7x7xf32>
  %7 = graven.conv %x, %w2 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
  %8 = graven.mul %7, %p : (tensor<1x6x5x5xf32>, tensor<1x1x5x5xf32>) -> tensor<1x6x5x5xf32>
  %9 = graven.conv %x, %w3 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
  %10 = graven.div %two, %9 : (tensor<1x1x1x1xf32>, tensor<1x6x5x5xf32>) -> tensor<1x6x5x5xf32>
  %11 = graven.conv %h, %wh strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x5x5xf16>, tensor<6x2x1x1xf16>) -> tensor<1x6x5x5xf16>
  %12 = graven.mul %11, %th : (tensor<1x6x5x5xf16>, tensor<1x1x1x1xf16>) -> tensor<1x6x5x5xf16>
  graven.return %0, %1, %3, %5, %8, %10, %12, %6 : tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf32>, tensor<1x6x5x5xf16>, tensor<1x6x7x7xf32>
}

// -----

// Sums of whole numbers are exact: their scale stays behind them.

// CHECK-LABEL: graven.graph @keeps_scales_of_integers(
//       CHECK:   %[[M:.*]] = graven.matmul
//       CHECK:   graven.mul %[[M]]
graven.param @q : tensor<4x5xi8> = #graven.blob<"m", 0, 20>
graven.graph @keeps_scales_of_integers(%x: tensor<3x4xf32>) -> tensor<3x5xf32> {
  %q = graven.get_param @q : tensor<4x5xi8>
  %s = graven.constant dense<0.1> : tensor<1x1xf32>
  %w = graven.cast %q {to = f32} : (tensor<4x5xi8>) -> tensor<4x5xf32>
  %0 = graven.matmul %x, %w : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %1 = graven.mul %0, %s : (tensor<3x5xf32>, tensor<1x1xf32>) -> tensor<3x5xf32>
  graven.return %1 : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: graven.graph @matmuls(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x3x4xf32>
//   CHECK-DAG:   %[[W:.*]] = graven.constant dense<2.0{{.*}}> : tensor<1x5x4xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.constant dense<{{.*}}3.000000e+00, 6.000000e+00, 9.000000e+00, 1.200000e+01, 1.500000e+01{{.*}}> : tensor<1x1x5xf32>
//   CHECK-DAG:   %[[C:.*]] = graven.constant dense<{{.*}}> : tensor<1x5x1xf32>
//   CHECK-DAG:   %[[K:.*]] = graven.constant dense<{{.*}}> : tensor<1x1x4xf32>
//       CHECK:   %[[WC:.*]] = graven.mul %[[C]], %[[W]]
//       CHECK:   %[[WK:.*]] = graven.mul %[[WC]], %[[K]]
//       CHECK:   %[[P:.*]] = graven.matmul %[[X]], %[[WK]] transpose_b
//       CHECK:   %[[Y:.*]] = graven.add %[[P]], %[[B]] : (tensor<2x3x5xf32>, tensor<1x1x5xf32>)
//       CHECK:   graven.return %[[Y]]
graven.graph @matmuls(%x: tensor<2x3x4xf32>) -> tensor<2x3x5xf32> {
  %w = graven.constant dense<2.0> : tensor<1x5x4xf32>
  %b = graven.constant dense<3.0> : tensor<1x1x1xf32>
  %c = graven.constant dense<[[[1.0, 2.0, 3.0, 4.0, 5.0]]]> : tensor<1x1x5xf32>
  %k = graven.constant dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>
  %0 = graven.mul %x, %k : (tensor<2x3x4xf32>, tensor<1x1x4xf32>) -> tensor<2x3x4xf32>
  %1 = graven.matmul %0, %w transpose_b : (tensor<2x3x4xf32>, tensor<1x5x4xf32>) -> tensor<2x3x5xf32>
  %2 = graven.add %1, %b : (tensor<2x3x5xf32>, tensor<1x1x1xf32>) -> tensor<2x3x5xf32>
  %3 = graven.mul %2, %c : (tensor<2x3x5xf32>, tensor<1x1x5xf32>) -> tensor<2x3x5xf32>
  graven.return %3 : tensor<2x3x5xf32>
}

// -----

// A number for each row, in front and behind; a transposed a; a second user of the scaled rows.

// CHECK-LABEL: graven.graph @keeps_rows(
// CHECK-COUNT-4: graven.mul
//       CHECK:   graven.return
graven.graph @keeps_rows(%x: tensor<3x4xf32>, %y: tensor<4x3xf32>) -> (tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x4xf32>) {
  %w = graven.constant dense<2.0> : tensor<4x5xf32>
  %w1 = graven.constant dense<3.0> : tensor<4x5xf32>
  %w2 = graven.constant dense<4.0> : tensor<4x5xf32>
  %r = graven.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %k = graven.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %t = graven.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  %0 = graven.mul %x, %r : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  %1 = graven.matmul %0, %w : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %2 = graven.mul %1, %r : (tensor<3x5xf32>, tensor<3x1xf32>) -> tensor<3x5xf32>
  %3 = graven.mul %y, %t : (tensor<4x3xf32>, tensor<1x3xf32>) -> tensor<4x3xf32>
  %4 = graven.matmul %3, %w1 transpose_a : (tensor<4x3xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %5 = graven.mul %x, %k : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x4xf32>
  %6 = graven.matmul %5, %w2 : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  graven.return %2, %4, %6, %5 : tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x4xf32>
}
