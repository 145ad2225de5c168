// RUN: graven-opt --graven-unflatten-matmul %s | FileCheck %s

// The steps of a recurrent layer: a reshape behind the last goes in front of the first. Each step took a
// round of the driver, and ten were the most.

// CHECK-LABEL: graven.graph @forward(
//       CHECK:   graven.reshape %{{.*}} to [3, 3, 5]
// CHECK-COUNT-14: graven.matmul {{.*}} -> tensor<3x3x5xf32>
//   CHECK-NOT:   graven.matmul
//   CHECK-NOT:   to [3, 3, 5]
//       CHECK:   graven.return
graven.graph @forward(%x: tensor<9x5xf32>, %w: tensor<5x5xf32>) -> tensor<3x3x5xf32> {
  %p0 = graven.matmul %x, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t0 = graven.tanh %p0 : tensor<9x5xf32>
  %p1 = graven.matmul %t0, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t1 = graven.tanh %p1 : tensor<9x5xf32>
  %p2 = graven.matmul %t1, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t2 = graven.tanh %p2 : tensor<9x5xf32>
  %p3 = graven.matmul %t2, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t3 = graven.tanh %p3 : tensor<9x5xf32>
  %p4 = graven.matmul %t3, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t4 = graven.tanh %p4 : tensor<9x5xf32>
  %p5 = graven.matmul %t4, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t5 = graven.tanh %p5 : tensor<9x5xf32>
  %p6 = graven.matmul %t5, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t6 = graven.tanh %p6 : tensor<9x5xf32>
  %p7 = graven.matmul %t6, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t7 = graven.tanh %p7 : tensor<9x5xf32>
  %p8 = graven.matmul %t7, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t8 = graven.tanh %p8 : tensor<9x5xf32>
  %p9 = graven.matmul %t8, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t9 = graven.tanh %p9 : tensor<9x5xf32>
  %p10 = graven.matmul %t9, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t10 = graven.tanh %p10 : tensor<9x5xf32>
  %p11 = graven.matmul %t10, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t11 = graven.tanh %p11 : tensor<9x5xf32>
  %p12 = graven.matmul %t11, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t12 = graven.tanh %p12 : tensor<9x5xf32>
  %p13 = graven.matmul %t12, %w : (tensor<9x5xf32>, tensor<5x5xf32>) -> tensor<9x5xf32>
  %t13 = graven.tanh %p13 : tensor<9x5xf32>
  %y = graven.reshape %t13 to [3, 3, 5] : (tensor<9x5xf32>) -> tensor<3x3x5xf32>
  graven.return %y : tensor<3x3x5xf32>
}
