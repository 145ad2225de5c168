// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the convolution ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// conv C1: element types differ.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf16>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C2: w of rank 2.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4xf32>) {
  // expected-error @below {{w has rank 2, expected 3 to 5 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C2: x of another rank.
graven.graph @conv(%0: tensor<1x4x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{x has rank 3, expected 4 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C2: strides too short.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{strides has 1 entries, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C2: one pad an axis.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{pads has 2 entries, expected 4 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C3: a stride of 0.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{strides has the entry 0, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [0, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C3: a dilation of 0.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{dilations has the entry 0, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 0] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C3: a negative pad.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{pads has the entry -1, expected at least 0 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, -1, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C3: no group.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{groups is 0, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 0 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C3: an empty kernel.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x0x3xf32>) {
  // expected-error @below {{w has extent 0 on axis 2, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x0x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C4: groups do not divide the input.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{x has 4 channels, expected a multiple of groups = 3 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 3 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C4: groups do not divide the output.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x1x3x3xf32>) {
  // expected-error @below {{w has 6 output channels, expected a multiple of groups = 4 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 4 : (tensor<1x4x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C5: channels differ.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{w's extent on axis 1 is 4, expected 2 (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C6: the kernel is larger than x.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x10x3xf32>) {
  // expected-error @below {{the kernel does not fit spatial axis 0 of extent 8 with its pads (C6)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x10x3xf32>) -> tensor<1x6x0x6xf32>
  graven.return
}

// -----

// conv C7: bias of the input channels.
graven.graph @conv(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>, %2: tensor<4xf32>) {
  // expected-error @below {{bias has extent 4 on axis 0, expected 6 (C7)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 bias %2 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<4xf32>) -> tensor<1x6x6x6xf32>
  graven.return
}

// -----

// conv C8: blocked without channels.
graven.graph @conv(%0: tensor<1x2x8x8x16xf32>, %1: tensor<6x20x3x3xf32>) {
  // expected-error @below {{a blocked x needs the attribute channels (C8)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x2x8x8x16xf32>, tensor<6x20x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  graven.return
}

// -----

// conv C8: another number of blocks.
graven.graph @conv(%0: tensor<1x2x8x8x16xf32>, %1: tensor<6x20x3x3xf32>) {
  // expected-error @below {{x's number of blocks is 2, expected 3 (C8)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 40 : (tensor<1x2x8x8x16xf32>, tensor<6x20x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  graven.return
}

// -----

// conv C8: blocks of 8.
graven.graph @conv(%0: tensor<1x2x8x8x8xf32>, %1: tensor<6x20x3x3xf32>) {
  // expected-error @below {{x's last extent is 8, expected 16 (C8)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 20 : (tensor<1x2x8x8x8xf32>, tensor<6x20x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  graven.return
}

// -----

// conv_transpose C1: element types differ.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf16>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C2: x of rank 2.
graven.graph @conv_transpose(%0: tensor<1x4xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{x has rank 2, expected 3 to 5 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x4xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C2: output_padding too short.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{output_padding has 1 entries, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C3: output_padding too large.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{output_padding has the entry 1, expected less than the stride 1 or the dilation 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [1, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C3: a stride of 0.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{strides has the entry 0, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [0, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C4: channels differ.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<6x4x3x3xf32>) {
  // expected-error @below {{w's extent on axis 0 is 6, expected 4 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C4: groups do not divide.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{x has 4 channels, expected a multiple of groups = 3 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] groups 3 : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C5: pads more than there is.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>) {
  // expected-error @below {{the result's extent on spatial axis 0 is negative or does not fit i64 (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 strides [1, 1] dilations [1, 1] pads [9, 0, 9, 0] output_padding [0, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv_transpose C6: bias of the input channels.
graven.graph @conv_transpose(%0: tensor<1x4x8x8xf32>, %1: tensor<4x6x3x3xf32>, %2: tensor<4xf32>) {
  // expected-error @below {{bias has extent 4 on axis 0, expected 6 (C6)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.conv_transpose %0, %1 bias %2 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>, tensor<4xf32>) -> tensor<1x6x10x10xf32>
  graven.return
}

// -----

// conv C9: Winograd's algorithms take 3x3 kernels.
graven.graph @f(%x: tensor<1x2x8x8x16xf32>, %w: tensor<32x32x1x1xf32>) -> tensor<1x2x8x8x16xf32> {
  // expected-error @below {{algorithm winograd4 expects f32, a blocked x, 3x3 kernels, strides and dilations 1, and one group (C9)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 32 algorithm winograd4 : (tensor<1x2x8x8x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x2x8x8x16xf32>
  graven.return %0 : tensor<1x2x8x8x16xf32>
}
