// RUN: graven-opt %s --graven-to-kernel --split-input-file | FileCheck %s
// The last axis is a row kernel; one with enough neighbours is reduced where it lies; one with few is brought to the end.

// CHECK-LABEL: @last
//   CHECK-NOT: linalg.generic
//       CHECK: kernel.softmax
graven.graph @last(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x8xf32> {graven.name = "y"}) {
  %y = graven.softmax %x axis 1 : tensor<2x8xf32>
  graven.return %y : tensor<2x8xf32>
}

// -----

// CHECK-LABEL: @neighbours
//   CHECK-NOT: kernel.softmax
//       CHECK: arith.maximumf
//       CHECK: math.exp
//       CHECK: arith.addf
//       CHECK: arith.divf
graven.graph @neighbours(%x: tensor<2x8x4x4xf32> {graven.name = "x"}) -> (tensor<2x8x4x4xf32> {graven.name = "y"}) {
  %y = graven.softmax %x axis 1 : tensor<2x8x4x4xf32>
  graven.return %y : tensor<2x8x4x4xf32>
}

// -----

// CHECK-LABEL: @logarithm
//   CHECK-NOT: kernel.softmax
//       CHECK: %[[SHIFTED:[0-9]+]] = linalg.generic {{.*}} ins(%arg0, %{{[0-9]+}} :
//       CHECK:   arith.subf
//       CHECK: math.exp
//       CHECK: linalg.generic {{.*}} ins(%[[SHIFTED]], %
//       CHECK:   math.log
//       CHECK:   arith.subf
graven.graph @logarithm(%x: tensor<8x16xf32> {graven.name = "x"}) -> (tensor<8x16xf32> {graven.name = "y"}) {
  %y = graven.log_softmax %x axis 0 : tensor<8x16xf32>
  graven.return %y : tensor<8x16xf32>
}

// -----

// CHECK-LABEL: @few
//       CHECK: kernel.softmax
graven.graph @few(%x: tensor<8x15xf32> {graven.name = "x"}) -> (tensor<8x15xf32> {graven.name = "y"}) {
  %y = graven.softmax %x axis 0 : tensor<8x15xf32>
  graven.return %y : tensor<8x15xf32>
}
