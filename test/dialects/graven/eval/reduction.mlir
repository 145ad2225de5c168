// RUN: graven-opt %s --graven-run-checks
// Reductions, pools, resize and normalisations on tensors small enough to check by eye.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @reduce() {
  %x = graven.constant dense<[[1.0, 2.0, 3.0], [0x7FC00000, 5.0, 6.0]]> : tensor<2x3xf32>
  %max = graven.reduce max %x axes [1] : (tensor<2x3xf32>) -> tensor<2xf32>
  check.expect_eq_const %max, dense<[3.0, 0x7FC00000]> : tensor<2xf32>
  %i = graven.constant dense<[-7, 2, 1, 1]> : tensor<4xi32>
  // The mean of ints truncates: -3/4.
  %mean = graven.reduce mean %i axes [0] : (tensor<4xi32>) -> tensor<i32>
  check.expect_eq_const %mean, dense<0> : tensor<i32>
  graven.return
}

graven.graph @empty() {
  %x = graven.constant dense<> : tensor<0xi8>
  %max = graven.reduce max %x axes [0] : (tensor<0xi8>) -> tensor<i8>
  check.expect_eq_const %max, dense<-128> : tensor<i8>
  %min = graven.reduce min %x axes [0] keep : (tensor<0xi8>) -> tensor<1xi8>
  check.expect_eq_const %min, dense<127> : tensor<1xi8>
  %b = graven.constant dense<> : tensor<0xi1>
  %and = graven.reduce and %b axes [0] : (tensor<0xi1>) -> tensor<i1>
  check.expect_eq_const %and, dense<true> : tensor<i1>
  graven.return
}

graven.graph @extremes() {
  %x = graven.constant dense<[2.0, 0x7FC00000, 5.0, 5.0, 0x7FC00000]> : tensor<5xf32>
  %first = graven.arg_reduce max %x axis 0 : (tensor<5xf32>) -> tensor<i64>
  check.expect_eq_const %first, dense<1> : tensor<i64>
  %last = graven.arg_reduce min %x axis 0 last_index : (tensor<5xf32>) -> tensor<i64>
  check.expect_eq_const %last, dense<4> : tensor<i64>
  %v, %i = graven.topk %x k 4 axis 0 : (tensor<5xf32>) -> (tensor<4xf32>, tensor<4xi64>)
  check.expect_eq_const %v, dense<[0x7FC00000, 0x7FC00000, 5.0, 5.0]> : tensor<4xf32>
  check.expect_eq_const %i, dense<[1, 4, 2, 3]> : tensor<4xi64>
  %w, %j = graven.topk %x k 2 axis 0 largest false : (tensor<5xf32>) -> (tensor<2xf32>, tensor<2xi64>)
  check.expect_eq_const %j, dense<[0, 2]> : tensor<2xi64>
  graven.return
}

graven.graph @running() {
  %x = graven.constant dense<[1, 2, 3]> : tensor<3xi32>
  %sum = graven.cum_reduce sum %x axis 0 exclusive : (tensor<3xi32>) -> tensor<3xi32>
  check.expect_eq_const %sum, dense<[0, 1, 3]> : tensor<3xi32>
  %back = graven.cum_reduce prod %x axis 0 reverse : (tensor<3xi32>) -> tensor<3xi32>
  check.expect_eq_const %back, dense<[6, 6, 3]> : tensor<3xi32>
  graven.return
}

graven.graph @pools() {
  %x = graven.constant dense<[[[-1.0, -2.0, -3.0, -4.0]]]> : tensor<1x1x4xf32>
  // Pads are -inf, not 0.
  %max = graven.max_pool %x kernel [2] strides [3] dilations [1] pads [1, 0] : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  check.expect_eq_const %max, dense<[[[-1.0, -3.0]]]> : tensor<1x1x2xf32>
  // Of the last window one tap is inside; taps past the padding never count.
  %in = graven.avg_pool %x kernel [3] strides [3] dilations [1] pads [0, 0] ceil_mode : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  check.expect_eq_const %in, dense<[[[-2.0, -4.0]]]> : tensor<1x1x2xf32>
  %all = graven.avg_pool %x kernel [2] strides [4] dilations [1] pads [1, 1] count_include_pad : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  check.expect_eq_const %all, dense<[[[-0.5, -2.0]]]> : tensor<1x1x2xf32>
  graven.return
}

graven.graph @resize() {
  %x = graven.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %half = graven.resize linear %x axes [0] sizes [4] coordinate half_pixel : (tensor<2xf32>) -> tensor<4xf32>
  check.expect_eq_const %half, dense<[1.0, 1.5, 2.5, 3.0]> : tensor<4xf32>
  %align = graven.resize linear %x axes [0] sizes [3] coordinate align_corners : (tensor<2xf32>) -> tensor<3xf32>
  check.expect_eq_const %align, dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %near = graven.resize nearest %x axes [0] sizes [5] coordinate asymmetric nearest floor : (tensor<2xf32>) -> tensor<5xf32>
  check.expect_eq_const %near, dense<[1.0, 1.0, 1.0, 3.0, 3.0]> : tensor<5xf32>
  // Ints round halves to even.
  %i = graven.constant dense<[1, 2]> : tensor<2xi32>
  %int = graven.resize linear %i axes [0] sizes [3] coordinate align_corners : (tensor<2xi32>) -> tensor<3xi32>
  check.expect_eq_const %int, dense<[1, 2, 2]> : tensor<3xi32>
  graven.return
}

graven.graph @norms() {
  %x = graven.constant dense<[[1.0, 3.0], [-2.0, 2.0]]> : tensor<2x2xf32>
  %layer = graven.layer_norm %x axis 1 epsilon 0.0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  check.expect_eq_const %layer, dense<[[-1.0, 1.0], [-1.0, 1.0]]> : tensor<2x2xf32>
  %rms = graven.rms_norm %x axis 1 epsilon 0.0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  check.expect_close_const %rms, dense<[[0.447213595, 1.34164079], [-1.0, 1.0]]> : tensor<2x2xf32> ulp 1
  %s = graven.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %o = graven.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %batch = graven.batch_norm %x scale %s bias %o mean %o variance %s epsilon 2.0 : (tensor<2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  check.expect_close_const %batch, dense<[[1.0, 4.89897949], [-2.0, 3.26598632]]> : tensor<2x2xf32> ulp 1
  %group = graven.group_norm %x groups 1 epsilon 0.0 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  check.expect_eq %group, %layer : tensor<2x2xf32>
  graven.return
}

graven.graph @softmax() {
  %x = graven.constant dense<[[0.0, 0.0], [1000.0, 0.0], [0xFF800000, 0.0], [0xFF800000, 0xFF800000], [0x7F800000, 0.0]]> : tensor<5x2xf32>
  %y = graven.softmax %x axis 1 : tensor<5x2xf32>
  check.expect_eq_const %y, dense<[[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0x7FC00000, 0x7FC00000], [0x7FC00000, 0x7FC00000]]> : tensor<5x2xf32>
  graven.return
}
