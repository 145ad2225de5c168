// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the pooling ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// max_pool C1: x of rank 2.
graven.graph @max_pool(%0: tensor<1x4xf32>) {
  // expected-error @below {{x has rank 2, expected 3 to 5 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// max_pool C1: kernel too short.
graven.graph @max_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{kernel has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// max_pool C1: one pad an axis.
graven.graph @max_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{pads has 2 entries, expected 4 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// max_pool C2: a kernel of 0.
graven.graph @max_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{kernel has the entry 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [2, 0] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// max_pool C2: a negative pad.
graven.graph @max_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{pads has the entry -1, expected at least 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, -1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// max_pool C3: the kernel is larger than x.
graven.graph @max_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{the kernel does not fit spatial axis 0 of extent 8 with its pads (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.max_pool %0 kernel [12, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C1: x of rank 2.
graven.graph @avg_pool(%0: tensor<1x4xf32>) {
  // expected-error @below {{x has rank 2, expected 3 to 5 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C1: kernel too short.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{kernel has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C1: one pad an axis.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{pads has 2 entries, expected 4 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C2: a kernel of 0.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{kernel has the entry 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2, 0] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C2: a negative pad.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{pads has the entry -1, expected at least 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, -1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C3: the kernel is larger than x.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{the kernel does not fit spatial axis 0 of extent 8 with its pads (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [12, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// avg_pool C2: a negative divisor.
graven.graph @avg_pool(%0: tensor<1x4x8x8xf32>) {
  // expected-error @below {{divisor is -1, expected at least 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] divisor -1 : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  graven.return
}

// -----

// resize C1: sizes too short.
graven.graph @resize(%0: tensor<1x2x4xf32>) {
  // expected-error @below {{sizes has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize linear %0 axes [1, 2] sizes [4] coordinate half_pixel : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  graven.return
}

// -----

// resize C1: no such axis.
graven.graph @resize(%0: tensor<1x2x4xf32>) {
  // expected-error @below {{axis 3 is out of range for rank 3 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize linear %0 axes [3] sizes [4] coordinate half_pixel : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  graven.return
}

// -----

// resize C2: scales too short.
graven.graph @resize(%0: tensor<1x2x4xf32>) {
  // expected-error @below {{scales has 1 entries, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize linear %0 axes [1, 2] sizes [4, 4] scales [2.0] coordinate half_pixel : (tensor<1x2x4xf32>) -> tensor<1x4x4xf32>
  graven.return
}

// -----

// resize C2: a scale of 0.
graven.graph @resize(%0: tensor<1x2x4xf32>) {
  // expected-error @below {{scales has the entry 0.000000e+00, expected a positive number (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize linear %0 axes [2] sizes [4] scales [0.0] coordinate half_pixel : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  graven.return
}

// -----

// resize C3: cubic of ints.
graven.graph @resize(%0: tensor<4xi32>) {
  // expected-error @below {{mode cubic of element type 'i32', expected a float (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize cubic %0 axes [0] sizes [8] coordinate half_pixel : (tensor<4xi32>) -> tensor<8xi32>
  graven.return
}

// -----

// resize C5: a size that is not known, without a scale.
graven.graph @resize(%0: tensor<1x?xf32>) {
  // expected-error @below {{sizes has a dynamic entry, expected scales as well (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %r = "graven.resize"(%0) <{axes = array<i64: 1>, sizes = array<i64: -9223372036854775808>, mode = #graven<resize_mode linear>, coordinate = #graven<coordinate_mode half_pixel>}> : (tensor<1x?xf32>) -> tensor<1x?xf32>
  graven.return
}

// -----

// resize C4: of nothing.
graven.graph @resize(%0: tensor<0xf32>) {
  // expected-error @below {{axis 0 has extent 0, expected at least 1 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.resize linear %0 axes [0] sizes [8] coordinate half_pixel : (tensor<0xf32>) -> tensor<8xf32>
  graven.return
}
