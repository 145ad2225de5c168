// RUN: graven-opt --graven-lower-precision --explain --split-input-file %s 2>%t.why | FileCheck %s
// RUN: FileCheck %s --check-prefix=WHY <%t.why
// RUN: graven-opt --graven-lower-precision=activations --split-input-file %s | FileCheck %s --check-prefix=BOTH
// RUN: graven-opt --graven-lower-precision=type=f32 --split-input-file %s | FileCheck %s --check-prefix=NONE

// NONE-NOT: bf16

// The weights of a product are rounded, on a target with pairs also the other factor; a bias is not.

graven.param @w : tensor<64x128xf32> = #graven.blob<"f", 0, 32768>
// CHECK-LABEL: @matmul
//  CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>, %[[B:.*]]: tensor<1x128xf32>
//       CHECK: %[[W:.*]] = graven.get_param @w
//       CHECK: %[[NARROW:.*]] = graven.cast %[[W]] {{.*}}tensor<64x128xbf16>
//       CHECK: %[[WIDE:.*]] = graven.cast %[[NARROW]] {{.*}}tensor<64x128xf32>
//       CHECK: graven.matmul %[[X]], %[[WIDE]]
//       CHECK: graven.add %{{.*}}, %[[B]]
//  BOTH-LABEL: @matmul
//        BOTH: tensor<64x128xf32>) -> tensor<64x128xbf16>
//        BOTH: %[[X16:.*]] = graven.cast %{{.*}} : (tensor<4x64xf32>) -> tensor<4x64xbf16>
//        BOTH: %[[X32:.*]] = graven.cast %[[X16]]
//        BOTH: graven.matmul %[[X32]],
graven.graph @matmul(%x: tensor<4x64xf32>, %b: tensor<1x128xf32>) -> tensor<4x128xf32> {
  %w = graven.get_param @w : tensor<64x128xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: reads bf16
  %0 = graven.matmul %x, %w : (tensor<4x64xf32>, tensor<64x128xf32>) -> tensor<4x128xf32>
  %1 = graven.add %0, %b : (tensor<4x128xf32>, tensor<1x128xf32>) -> tensor<4x128xf32>
  graven.return %1 : tensor<4x128xf32>
}

// -----

// A table is rounded, too.

graven.param @t : tensor<100x64xf32> = #graven.blob<"f", 0, 25600>
// CHECK-LABEL: @gather
//       CHECK: %[[T:.*]] = graven.cast %{{.*}}tensor<100x64xbf16>
//       CHECK: %[[ROWS:.*]] = graven.gather %[[T]]{{.*}} -> tensor<3x64xbf16>
//       CHECK: %[[WIDE:.*]] = graven.cast %[[ROWS]]
//       CHECK: graven.return %[[WIDE]]
graven.graph @gather(%i: tensor<3xi64>) -> tensor<3x64xf32> {
  %t = graven.get_param @t : tensor<100x64xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: reads bf16
  %0 = graven.gather %t[%i] axis 0 : (tensor<100x64xf32>, tensor<3xi64>) -> tensor<3x64xf32>
  graven.return %0 : tensor<3x64xf32>
}

// -----

// A convolution in channel blocks; one that Winograd's algorithm computes only where pairs are as fast.

graven.param @p : tensor<64x64x1x1xf32> = #graven.blob<"f", 0, 16384>
graven.param @w : tensor<64x64x3x3xf32> = #graven.blob<"f", 16384, 147456>
// CHECK-LABEL: @conv
//       CHECK: graven.cast %{{.*}}tensor<64x64x1x1xbf16>
//   CHECK-NOT: tensor<64x64x3x3xbf16>
//       CHECK: graven.return
//  BOTH-LABEL: @conv
//        BOTH: tensor<64x64x1x1xbf16>
//        BOTH: tensor<64x64x3x3xbf16>
graven.graph @conv(%x: tensor<1x4x28x28x16xf32>) -> tensor<1x4x28x28x16xf32> {
  %p = graven.get_param @p : tensor<64x64x1x1xf32>
  %w = graven.get_param @w : tensor<64x64x3x3xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: reads bf16
  %0 = graven.conv %x, %p strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 64 : (tensor<1x4x28x28x16xf32>, tensor<64x64x1x1xf32>) -> tensor<1x4x28x28x16xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: Winograd's algorithm in f32 is faster on this target
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 64 : (tensor<1x4x28x28x16xf32>, tensor<64x64x3x3xf32>) -> tensor<1x4x28x28x16xf32>
  graven.return %1 : tensor<1x4x28x28x16xf32>
}

// -----

// What stays f32, and why.

graven.param @d : tensor<512x1x3x3xf32> = #graven.blob<"f", 0, 18432>
graven.param @s : tensor<64x3x7x7xf32> = #graven.blob<"f", 18432, 37632>
graven.param @f : tensor<8x8xf32> = #graven.blob<"f", 56064, 256>
graven.param @h : tensor<64x64xf16> = #graven.blob<"f", 56320, 8192>
// CHECK-LABEL: @stays
//   CHECK-NOT: bf16
//       CHECK: graven.return
graven.graph @stays(%x: tensor<1x32x8x8x16xf32>, %y: tensor<1x3x16x16xf32>, %a: tensor<8x8xf32>, %n: tensor<2x64xf16>) -> (tensor<1x32x8x8x16xf32>, tensor<1x4x5x5x16xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<2x64xf16>) {
  %d = graven.get_param @d : tensor<512x1x3x3xf32>
  %s = graven.get_param @s : tensor<64x3x7x7xf32>
  %f = graven.get_param @f : tensor<8x8xf32>
  %h = graven.get_param @h : tensor<64x64xf16>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: a depthwise convolution sums up only a few products
  %0 = graven.conv %x, %d strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 512 layout nchw16c channels 512 : (tensor<1x32x8x8x16xf32>, tensor<512x1x3x3xf32>) -> tensor<1x32x8x8x16xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: its input is not in channel blocks
  %1 = graven.conv %y, %s strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x3x16x16xf32>, tensor<64x3x7x7xf32>) -> tensor<1x4x5x5x16xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: no operand is computed from Parameters alone
  %2 = graven.matmul %a, %a : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: it has few weights
  %3 = graven.matmul %a, %f : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: its type is not f32
  %4 = graven.matmul %n, %h : (tensor<2x64xf16>, tensor<64x64xf16>) -> tensor<2x64xf16>
  graven.return %0, %1, %2, %3, %4 : tensor<1x32x8x8x16xf32>, tensor<1x4x5x5x16xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<2x64xf16>
}

// -----

// Weights that bf16 makes infinite stay f32, and those that pairs take for 0.

graven.param @w : tensor<64x128xf32> = dense<3.4e38> : tensor<64x128xf32>
// CHECK-LABEL: @keeps_weights_that_overflow
//   CHECK-NOT: bf16
//       CHECK: graven.return
//  BOTH-LABEL: @keeps_weights_that_overflow
//    BOTH-NOT: bf16
//        BOTH: graven.return
graven.graph @keeps_weights_that_overflow(%x: tensor<4x64xf32>) -> tensor<4x128xf32> {
  %w = graven.get_param @w : tensor<64x128xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: stays as it is: its weights are off by more than the accuracy policy allows
  %0 = graven.matmul %x, %w : (tensor<4x64xf32>, tensor<64x128xf32>) -> tensor<4x128xf32>
  graven.return %0 : tensor<4x128xf32>
}

// -----

graven.param @w : tensor<16x256xf32> = dense<1.0e-39> : tensor<16x256xf32>
// CHECK-LABEL: @keeps_denormal_weights_where_they_are_zero
//       CHECK: bf16
//       CHECK: graven.return
//  BOTH-LABEL: @keeps_denormal_weights_where_they_are_zero
//    BOTH-NOT: bf16
//        BOTH: graven.return
graven.graph @keeps_denormal_weights_where_they_are_zero(%x: tensor<4x16xf32>) -> tensor<4x256xf32> {
  %w = graven.get_param @w : tensor<16x256xf32>
  // WHY: graven-lower-precision: graven.{{.*}}: reads bf16
  %0 = graven.matmul %x, %w : (tensor<4x16xf32>, tensor<16x256xf32>) -> tensor<4x256xf32>
  graven.return %0 : tensor<4x256xf32>
}

// -----

// Both weights of a recurrent layer, and nothing that they are multiplied with.

graven.param @input : tensor<1x128x64xf32> = #graven.blob<"f", 0, 32768>
graven.param @state : tensor<1x128x32xf32> = #graven.blob<"f", 32768, 16384>
// CHECK-LABEL: @recurrent
//   CHECK-DAG: %[[W:.*]] = graven.cast %{{.*}} : (tensor<1x128x64xbf16>) -> tensor<1x128x64xf32>
//   CHECK-DAG: %[[R:.*]] = graven.cast %{{.*}} : (tensor<1x128x32xbf16>) -> tensor<1x128x32xf32>
//       CHECK: graven.lstm %{{.*}}, %[[W]], %[[R]]
//  BOTH-LABEL: @recurrent
//    BOTH-NOT: tensor<5x2x64xbf16>
graven.graph @recurrent(%x: tensor<5x2x64xf32>) -> tensor<5x2x32xf32> {
  %w = graven.get_param @input : tensor<1x128x64xf32>
  %r = graven.get_param @state : tensor<1x128x32xf32>
  // WHY: graven-lower-precision: graven.lstm: reads bf16
  %y, %h, %c = graven.lstm %x, %w, %r direction forward : (tensor<5x2x64xf32>, tensor<1x128x64xf32>, tensor<1x128x32xf32>) -> (tensor<5x2x32xf32>, tensor<1x2x32xf32>, tensor<1x2x32xf32>)
  graven.return %y : tensor<5x2x32xf32>
}

// -----

// A state of few weights stays f32, and so do the weights of the inputs.

graven.param @input : tensor<1x32x256xf32> = #graven.blob<"f", 0, 32768>
graven.param @state : tensor<1x32x8xf32> = #graven.blob<"f", 32768, 1024>
// CHECK-LABEL: @small_state
//   CHECK-NOT: bf16
//       CHECK: graven.return
graven.graph @small_state(%x: tensor<5x2x256xf32>) -> tensor<5x2x8xf32> {
  %w = graven.get_param @input : tensor<1x32x256xf32>
  %r = graven.get_param @state : tensor<1x32x8xf32>
  // WHY: graven-lower-precision: graven.lstm: stays as it is: it has few weights
  %y, %h, %c = graven.lstm %x, %w, %r direction forward : (tensor<5x2x256xf32>, tensor<1x32x256xf32>, tensor<1x32x8xf32>) -> (tensor<5x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>)
  graven.return %y : tensor<5x2x8xf32>
}

// -----

// Attention rounds for itself, and only where pairs are multiplied.

// CHECK-LABEL: @attention
//       CHECK: graven.attention %{{.*}}, %{{.*}}, %{{.*}} scale 1.000000e+00 :
//  BOTH-LABEL: @attention
//        BOTH: graven.attention %{{.*}}, %{{.*}}, %{{.*}} scale 1.000000e+00 {rounded}
graven.graph @attention(%q: tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32> {
  // WHY: graven-lower-precision: graven.attention: stays as it is: the target does not multiply pairs of bf16
  %0 = graven.attention %q, %q, %q scale 1.0 : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  graven.return %0 : tensor<1x2x5x8xf32>
}
