// RUN: graven-opt --graven-simplify-arithmetic --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @bounds_of_bounds(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//   CHECK-DAG:   %[[ZERO:.*]] = graven.constant dense<0.000000e+00> : tensor<f32>
//   CHECK-DAG:   %[[ONE:.*]] = graven.constant dense<1.000000e+00> : tensor<f32>
//   CHECK-DAG:   %[[SIX:.*]] = graven.constant dense<6.000000e+00> : tensor<f32>
//       CHECK:   graven.clamp %[[X]] lo %[[ZERO]] hi %[[SIX]]
//       CHECK:   graven.clamp %[[X]] lo %[[ONE]] hi %[[SIX]]
//       CHECK:   graven.clamp %[[X]] lo %[[ONE]] :
//       CHECK:   graven.clamp %[[X]] lo %[[SIX]] :
//       CHECK:   graven.clamp %[[X]] lo %[[ONE]] hi %[[SIX]]
//       CHECK:   graven.clamp %[[X]] lo %[[SIX]] hi %[[SIX]]
graven.graph @bounds_of_bounds(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = graven.constant dense<0.0> : tensor<f32>
  %one = graven.constant dense<1.0> : tensor<f32>
  %six = graven.constant dense<6.0> : tensor<f32>
  %eight = graven.constant dense<8.0> : tensor<f32>
  %v6 = graven.constant dense<6.0> : tensor<1xf32>
  %v1 = graven.constant dense<1.0> : tensor<1xf32>
  %r = graven.relu %x : tensor<4xf32>
  %0 = graven.min %r, %v6 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %c = graven.clamp %x lo %one hi %eight : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %1 = graven.clamp %c lo %zero hi %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %d = graven.clamp %x lo %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = graven.relu %d : tensor<4xf32>
  %m = graven.max %x, %v1 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.max %m, %v6 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %n = graven.min %x, %v6 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %4 = graven.max %n, %v1 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %k = graven.clamp %x lo %zero hi %one : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %5 = graven.clamp %k lo %six hi %eight : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A second user; bounds that cross; NaN and -0; no number.

// CHECK-LABEL: graven.graph @bounds_that_stay(
//       CHECK:   graven.relu
//       CHECK:   graven.min
//       CHECK:   graven.clamp
//       CHECK:   graven.relu
//       CHECK:   graven.clamp
//       CHECK:   graven.clamp
//       CHECK:   graven.max
//       CHECK:   graven.min
graven.graph @bounds_that_stay(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = graven.constant dense<0.0> : tensor<f32>
  %one = graven.constant dense<1.0> : tensor<f32>
  %six = graven.constant dense<6.0> : tensor<f32>
  %eight = graven.constant dense<8.0> : tensor<f32>
  %v6 = graven.constant dense<6.0> : tensor<1xf32>
  %v1 = graven.constant dense<1.0> : tensor<1xf32>
  %nan = graven.constant dense<0x7FC00000> : tensor<f32>
  %minus = graven.constant dense<-0.0> : tensor<f32>
  %nans = graven.constant dense<0x7FC00000> : tensor<1xf32>
  %r = graven.relu %x : tensor<4xf32>
  %0 = graven.min %r, %v6 : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.clamp %y lo %six hi %one : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %2 = graven.relu %1 : tensor<4xf32>
  %3 = graven.clamp %y lo %nan : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = graven.clamp %y lo %minus : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %5 = graven.max %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %6 = graven.min %x, %nans : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3, %4, %5, %6, %r : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @bounds_of_nothing(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<4xi8>, %[[U:.*]]: tensor<4xui8>
//       CHECK:   %[[C:.*]] = graven.clamp %[[X]] hi
//       CHECK:   graven.return %[[X]], %[[X]], %[[X]], %[[I]], %[[U]], %[[C]]
graven.graph @bounds_of_nothing(%x: tensor<4xf32>, %i: tensor<4xi8>, %u: tensor<4xui8>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi8>, tensor<4xui8>, tensor<4xf32>) {
  %low = graven.constant dense<0xFF800000> : tensor<f32>
  %high = graven.constant dense<0x7F800000> : tensor<f32>
  %vlow = graven.constant dense<0xFF800000> : tensor<1xf32>
  %vhigh = graven.constant dense<0x7F800000> : tensor<1xf32>
  %six = graven.constant dense<6.0> : tensor<f32>
  %least = graven.constant dense<-128> : tensor<1xi8>
  %none = graven.constant dense<0> : tensor<1xui8>
  %0 = graven.clamp %x lo %low hi %high : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %1 = graven.max %x, %vlow : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %2 = graven.min %x, %vhigh : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.max %i, %least : (tensor<4xi8>, tensor<1xi8>) -> tensor<4xi8>
  %4 = graven.max %u, %none : (tensor<4xui8>, tensor<1xui8>) -> tensor<4xui8>
  %5 = graven.clamp %x lo %low hi %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi8>, tensor<4xui8>, tensor<4xf32>
}
