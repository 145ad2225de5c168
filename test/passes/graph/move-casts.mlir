// RUN: graven-opt --graven-move-casts --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @slices_and_gathers(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x4xf16>, %[[I:.*]]: tensor<2xi64>
//       CHECK:   %[[S:.*]] = graven.slice %[[X]]{{.*}} -> tensor<1x4xf16>
//       CHECK:   %[[A:.*]] = graven.cast %[[S]]
//       CHECK:   %[[G:.*]] = graven.gather %[[X]][%[[I]]]{{.*}} -> tensor<2x4xf16>
//       CHECK:   %[[B:.*]] = graven.cast %[[G]]
//       CHECK:   graven.return %[[A]], %[[B]]
graven.graph @slices_and_gathers(%x: tensor<8x4xf16>, %i: tensor<2xi64>) -> (tensor<1x4xf32>, tensor<2x4xf32>) {
  %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %1 = graven.slice %0 [0, 0] to [1, 4] by [1, 1] : (tensor<8x4xf32>) -> tensor<1x4xf32>
  %2 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %3 = graven.gather %2[%i] axis 0 : (tensor<8x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  graven.return %1, %3 : tensor<1x4xf32>, tensor<2x4xf32>
}

// -----

// A second user; Parameters; extents that are not known; as many elements; no cast.

graven.param @w : tensor<8x4xf16> = dense<1.0> : tensor<8x4xf16>
// CHECK-LABEL: graven.graph @slices_and_gathers_that_stay(
//       CHECK:   %[[A:.*]] = graven.cast
//       CHECK:   graven.slice %[[A]]
//       CHECK:   %[[B:.*]] = graven.cast
//       CHECK:   graven.slice %[[B]]
//       CHECK:   %[[D:.*]] = graven.cast
//       CHECK:   graven.slice %[[D]]
//       CHECK:   %[[E:.*]] = graven.cast
//       CHECK:   graven.gather %[[E]]
//       CHECK:   graven.slice
graven.graph @slices_and_gathers_that_stay(%x: tensor<8x4xf16>, %d: tensor<?x4xf16>, %i: tensor<8xi64>) -> (tensor<1x4xf32>, tensor<8x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<8x4xf32>, tensor<2x4xf32>, tensor<8x4xf32>) {
  %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %1 = graven.slice %0 [0, 0] to [1, 4] by [1, 1] : (tensor<8x4xf32>) -> tensor<1x4xf32>
  %w = graven.get_param @w : tensor<8x4xf16>
  %2 = graven.cast %w {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %3 = graven.slice %2 [0, 0] to [1, 4] by [1, 1] : (tensor<8x4xf32>) -> tensor<1x4xf32>
  %4 = graven.cast %d {to = f32} : (tensor<?x4xf16>) -> tensor<?x4xf32>
  %5 = graven.slice %4 [0, 0] to [1, 4] by [1, 1] : (tensor<?x4xf32>) -> tensor<1x4xf32>
  %6 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %7 = graven.gather %6[%i] axis 0 : (tensor<8x4xf32>, tensor<8xi64>) -> tensor<8x4xf32>
  %8 = graven.slice %7 [0, 0] to [2, 4] by [1, 1] : (tensor<8x4xf32>) -> tensor<2x4xf32>
  %9 = graven.gather %7[%i] axis 0 : (tensor<8x4xf32>, tensor<8xi64>) -> tensor<8x4xf32>
  graven.return %1, %0, %3, %5, %7, %8, %9 : tensor<1x4xf32>, tensor<8x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<8x4xf32>, tensor<2x4xf32>, tensor<8x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @transposes(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x4xf16>, %[[Y:.*]]: tensor<8x4xf32>
//       CHECK:   %[[S:.*]] = graven.transpose %[[X]]{{.*}} -> tensor<4x8xf16>
//       CHECK:   %[[A:.*]] = graven.cast %[[S]]
//       CHECK:   %[[C:.*]] = graven.cast %[[Y]]
//       CHECK:   %[[B:.*]] = graven.transpose %[[C]]
//       CHECK:   graven.return %[[A]], %[[B]]
graven.graph @transposes(%x: tensor<8x4xf16>, %y: tensor<8x4xf32>) -> (tensor<4x8xf32>, tensor<4x8xf16>) {
  %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %1 = graven.transpose %0 by [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %2 = graven.transpose %y by [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %3 = graven.cast %2 {to = f16} : (tensor<4x8xf32>) -> tensor<4x8xf16>
  graven.return %1, %3 : tensor<4x8xf32>, tensor<4x8xf16>
}

// -----

// Narrow before, or wide after; a product's result; a second user.

// CHECK-LABEL: graven.graph @transposes_that_stay(
//       CHECK:   %[[A:.*]] = graven.cast
//       CHECK:   graven.transpose %[[A]]
//       CHECK:   %[[B:.*]] = graven.transpose
//       CHECK:   graven.cast %[[B]]
//       CHECK:   graven.matmul
//       CHECK:   %[[D:.*]] = graven.cast
//       CHECK:   graven.transpose %[[D]]
//       CHECK:   %[[E:.*]] = graven.transpose
//       CHECK:   graven.cast %[[E]]
graven.graph @transposes_that_stay(%x: tensor<8x4xf16>, %y: tensor<8x4xf32>, %z: tensor<4x4xf16>) -> (tensor<4x8xf16>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf16>, tensor<4x8xf32>) {
  %0 = graven.cast %y {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %1 = graven.transpose %0 by [1, 0] : (tensor<8x4xf16>) -> tensor<4x8xf16>
  %2 = graven.transpose %x by [1, 0] : (tensor<8x4xf16>) -> tensor<4x8xf16>
  %3 = graven.cast %2 {to = f32} : (tensor<4x8xf16>) -> tensor<4x8xf32>
  %4 = graven.matmul %x, %z : (tensor<8x4xf16>, tensor<4x4xf16>) -> tensor<8x4xf16>
  %5 = graven.cast %4 {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %6 = graven.transpose %5 by [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %7 = graven.transpose %y by [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %8 = graven.cast %7 {to = f16} : (tensor<4x8xf32>) -> tensor<4x8xf16>
  graven.return %1, %3, %6, %8, %7 : tensor<4x8xf16>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf16>, tensor<4x8xf32>
}

// -----

// Of two types; narrowed.

// CHECK-LABEL: graven.graph @concats(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x4xf16>, %[[Y:.*]]: tensor<8x4xf16>, %[[B:.*]]: tensor<8x4xbf16>, %[[P:.*]]: tensor<8x4xf32>
//       CHECK:   %[[C:.*]] = graven.concat %[[X]], %[[Y]]{{.*}} -> tensor<16x4xf16>
//       CHECK:   %[[A:.*]] = graven.cast %[[C]]
//       CHECK:   %[[D:.*]] = graven.concat {{.*}} -> tensor<16x4xf32>
//       CHECK:   %[[E:.*]] = graven.concat {{.*}} -> tensor<16x4xf16>
//       CHECK:   graven.return %[[A]], %[[D]], %[[E]]
graven.graph @concats(%x: tensor<8x4xf16>, %y: tensor<8x4xf16>, %b: tensor<8x4xbf16>, %p: tensor<8x4xf32>) -> (tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf16>) {
  %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %1 = graven.cast %y {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %2 = graven.concat %0, %1 axis 0 : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<16x4xf32>
  %3 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %4 = graven.cast %b {to = f32} : (tensor<8x4xbf16>) -> tensor<8x4xf32>
  %5 = graven.concat %3, %4 axis 0 : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<16x4xf32>
  %7 = graven.cast %p {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %8 = graven.cast %p {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %9 = graven.concat %7, %8 axis 0 : (tensor<8x4xf16>, tensor<8x4xf16>) -> tensor<16x4xf16>
  graven.return %2, %5, %9 : tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf16>
}

// -----

// As many elements (that broadcast folds); a second user.

// CHECK-LABEL: graven.graph @broadcasts(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4xf32>, %[[Y:.*]]: tensor<8x4xf32>
//       CHECK:   %[[C:.*]] = graven.cast %[[X]]
//       CHECK:   graven.broadcast %[[C]]{{.*}} -> tensor<8x4xf16>
//       CHECK:   graven.cast %[[Y]]
//       CHECK:   %[[B:.*]] = graven.broadcast %[[X]]
//       CHECK:   graven.cast %[[B]]
graven.graph @broadcasts(%x: tensor<1x4xf32>, %y: tensor<8x4xf32>) -> (tensor<8x4xf16>, tensor<8x4xf16>, tensor<8x4xf32>, tensor<8x4xf64>) {
  %0 = graven.broadcast %x to [8, 4] axes [0, 1] : (tensor<1x4xf32>) -> tensor<8x4xf32>
  %1 = graven.cast %0 {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %2 = graven.broadcast %y to [8, 4] axes [0, 1] : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = graven.cast %2 {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %4 = graven.broadcast %x to [8, 4] axes [0, 1] : (tensor<1x4xf32>) -> tensor<8x4xf32>
  %5 = graven.cast %4 {to = f64} : (tensor<8x4xf32>) -> tensor<8x4xf64>
  graven.return %1, %3, %4, %5 : tensor<8x4xf16>, tensor<8x4xf16>, tensor<8x4xf32>, tensor<8x4xf64>
}

// -----

// What was rounded stays rounded.

// CHECK-LABEL: graven.graph @reshapes(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x4xf16>, %[[Y:.*]]: tensor<8x4xf32>
//       CHECK:   %[[R:.*]] = graven.reshape %[[X]]
//       CHECK:   %[[A:.*]] = graven.cast %[[Y]]
//       CHECK:   %[[B:.*]] = graven.reshape %[[A]]
//       CHECK:   %[[D:.*]] = graven.cast %[[B]]
//       CHECK:   graven.return %[[R]], %[[D]]
graven.graph @reshapes(%x: tensor<8x4xf16>, %y: tensor<8x4xf32>) -> (tensor<32xf16>, tensor<32xf32>) {
  %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
  %1 = graven.reshape %0 to [32] : (tensor<8x4xf32>) -> tensor<32xf32>
  %2 = graven.cast %1 {to = f16} : (tensor<32xf32>) -> tensor<32xf16>
  %3 = graven.cast %y {to = f16} : (tensor<8x4xf32>) -> tensor<8x4xf16>
  %4 = graven.reshape %3 to [32] : (tensor<8x4xf16>) -> tensor<32xf16>
  %5 = graven.cast %4 {to = f32} : (tensor<32xf16>) -> tensor<32xf32>
  graven.return %2, %5 : tensor<32xf16>, tensor<32xf32>
}

// -----

// Bits that are gone; numbers that saturate.

// CHECK-LABEL: graven.graph @narrowed(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi64>, %[[F:.*]]: tensor<4xf32>
//       CHECK:   %[[A:.*]] = graven.cast %[[X]] {to = i8}
//       CHECK:   %[[B:.*]] = graven.cast %[[X]] {to = i8}
//       CHECK:   %[[D:.*]] = graven.cast %[[B]] {to = i64}
//       CHECK:   %[[E:.*]] = graven.cast %[[F]] {to = i32}
//       CHECK:   %[[G:.*]] = graven.cast %[[E]] {to = i8}
//       CHECK:   graven.return %[[A]], %[[D]], %[[G]]
graven.graph @narrowed(%x: tensor<4xi64>, %f: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xi64>, tensor<4xi8>) {
  %0 = graven.cast %x {to = i32} : (tensor<4xi64>) -> tensor<4xi32>
  %1 = graven.cast %0 {to = i8} : (tensor<4xi32>) -> tensor<4xi8>
  %2 = graven.cast %x {to = i8} : (tensor<4xi64>) -> tensor<4xi8>
  %3 = graven.cast %2 {to = i64} : (tensor<4xi8>) -> tensor<4xi64>
  %4 = graven.cast %f {to = i32} : (tensor<4xf32>) -> tensor<4xi32>
  %5 = graven.cast %4 {to = i8} : (tensor<4xi32>) -> tensor<4xi8>
  graven.return %1, %3, %5 : tensor<4xi8>, tensor<4xi64>, tensor<4xi8>
}

// -----

// Other types; casts that round.

// CHECK-LABEL: graven.graph @compares(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xi8>, %[[Y:.*]]: tensor<4xi8>
//       CHECK:   graven.compare lt %[[X]], %[[Y]] : (tensor<4xi8>
//       CHECK:   graven.compare lt %{{.*}} : (tensor<4xf32>
//       CHECK:   graven.compare lt %{{.*}} : (tensor<4xf32>
graven.graph @compares(%x: tensor<4xi8>, %y: tensor<4xi8>, %u: tensor<4xui8>, %l: tensor<4xi64>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %0 = graven.cast %x {to = f32} : (tensor<4xi8>) -> tensor<4xf32>
  %1 = graven.cast %y {to = f32} : (tensor<4xi8>) -> tensor<4xf32>
  %2 = graven.compare lt %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %3 = graven.cast %u {to = f32} : (tensor<4xui8>) -> tensor<4xf32>
  %4 = graven.compare lt %0, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %5 = graven.cast %l {to = f32} : (tensor<4xi64>) -> tensor<4xf32>
  %6 = graven.compare lt %5, %5 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %7 = graven.compare lt %x, %y : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi1>
  graven.return %2, %4, %6, %7 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}
