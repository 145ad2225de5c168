// What native code gives at the ends of a type, and where there is next to nothing to work on.
// Parameters, because what reads constants alone is folded.
// RUN: graven run %s -O0 | FileCheck %s
// RUN: graven run %s -O3 | FileCheck %s

// The first of the keys of a selection may be the least of all keys.
// CHECK: 0: u32[2] [4.29497e+09, 4.29497e+09]
// CHECK: 1: i64[2] [0, 2]
// CHECK: 2: f32[2] [nan, 3]
// CHECK: 3: i32[1] [-2.14748e+09]
// CHECK: 4: i64[1] [0]

// Tuples of no index scatter whole tensors, one after the other.
// CHECK: 5: i32[2] [7, 5]
// CHECK: 6: u8[2] [3, 250]
// CHECK: 7: f32[] [10]

// A recurrence without inputs goes on by itself.
// CHECK: 8: f32[2,1,1] [0.462117, 0.22703

// The origin has an angle, also where it is known to be it.
// CHECK: 9: f32[] [0]
graven.param @x : tensor<4xui32> = dense<[4294967295, 1, 4294967295, 1]> : tensor<4xui32>
graven.param @y : tensor<4xf32> = dense<[0x7FC00000, 1.0, 3.0, 2.0]> : tensor<4xf32>
graven.param @z : tensor<4xi32> = dense<[-2147483648, 1, -2147483648, 1]> : tensor<4xi32>
graven.param @a : tensor<2xi32> = dense<[1, 2]> : tensor<2xi32>
graven.param @last : tensor<3x2xi32> = dense<[[3, 9], [4, 6], [7, 5]]> : tensor<3x2xi32>
graven.param @b : tensor<2xui8> = dense<[3, 255]> : tensor<2xui8>
graven.param @least : tensor<3x2xui8> = dense<[[4, 254], [200, 250], [3, 251]]> : tensor<3x2xui8>
graven.param @c : tensor<f32> = dense<1.0> : tensor<f32>
graven.param @terms : tensor<3xf32> = dense<[2.0, 3.0, 4.0]> : tensor<3xf32>
graven.param @r : tensor<1x1x1xf32> = dense<0.5> : tensor<1x1x1xf32>
graven.param @h0 : tensor<1x1x1xf32> = dense<1.0> : tensor<1x1x1xf32>
graven.param @e : tensor<0xf32> = dense<> : tensor<0xf32>
graven.graph @forward() -> (tensor<2xui32>, tensor<2xi64>, tensor<2xf32>, tensor<1xi32>, tensor<1xi64>, tensor<2xi32>, tensor<2xui8>, tensor<f32>, tensor<2x1x1xf32>, tensor<f32>) {
  %x = graven.get_param @x : tensor<4xui32>
  %0, %1 = graven.topk %x k 2 axis 0 : (tensor<4xui32>) -> (tensor<2xui32>, tensor<2xi64>)
  %y = graven.get_param @y : tensor<4xf32>
  %2, %i = graven.topk %y k 2 axis 0 : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi64>)
  %z = graven.get_param @z : tensor<4xi32>
  %3, %4 = graven.topk %z k 1 axis 0 largest false : (tensor<4xi32>) -> (tensor<1xi32>, tensor<1xi64>)

  %none = graven.constant dense<> : tensor<3x0xi64>
  %a = graven.get_param @a : tensor<2xi32>
  %last = graven.get_param @last : tensor<3x2xi32>
  %5 = graven.scatter_nd %last into %a[%none] : (tensor<2xi32>, tensor<3x0xi64>, tensor<3x2xi32>) -> tensor<2xi32>
  %b = graven.get_param @b : tensor<2xui8>
  %least = graven.get_param @least : tensor<3x2xui8>
  %6 = graven.scatter_nd %least into %b[%none] kind min : (tensor<2xui8>, tensor<3x0xi64>, tensor<3x2xui8>) -> tensor<2xui8>
  %c = graven.get_param @c : tensor<f32>
  %terms = graven.get_param @terms : tensor<3xf32>
  %7 = graven.scatter_nd %terms into %c[%none] kind add : (tensor<f32>, tensor<3x0xi64>, tensor<3xf32>) -> tensor<f32>

  %xs = graven.constant dense<> : tensor<2x1x0xf32>
  %w = graven.constant dense<> : tensor<1x1x0xf32>
  %r = graven.get_param @r : tensor<1x1x1xf32>
  %h0 = graven.get_param @h0 : tensor<1x1x1xf32>
  %8, %h = graven.rnn %xs, %w, %r h0 %h0 : (tensor<2x1x0xf32>, tensor<1x1x0xf32>, tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> (tensor<2x1x1xf32>, tensor<1x1x1xf32>)

  %e = graven.get_param @e : tensor<0xf32>
  %zero = graven.reduce sum %e axes [0] : (tensor<0xf32>) -> tensor<f32>
  %9 = graven.atan2 %zero, %zero : (tensor<f32>, tensor<f32>) -> tensor<f32>
  graven.return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9 : tensor<2xui32>, tensor<2xi64>, tensor<2xf32>, tensor<1xi32>, tensor<1xi64>, tensor<2xi32>, tensor<2xui8>, tensor<f32>, tensor<2x1x1xf32>, tensor<f32>
}
