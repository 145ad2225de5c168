// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the movement ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// reshape C1: two inferred entries.
graven.graph @reshape(%0: tensor<2x3xf32>) {
  // expected-error @below {{shape has more than one -1 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reshape %0 to [-1, -1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// reshape C2: another number of elements.
graven.graph @reshape(%0: tensor<2x3xf32>) {
  // expected-error @below {{shape holds 5 elements, expected 6 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reshape %0 to [5] : (tensor<2x3xf32>) -> tensor<5xf32>
  graven.return
}

// -----

// reshape C2: no multiple.
graven.graph @reshape(%0: tensor<2x3xf32>) {
  // expected-error @below {{6 elements are no multiple of the 4 of the given extents (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reshape %0 to [-1, 4] : (tensor<2x3xf32>) -> tensor<1x4xf32>
  graven.return
}

// -----

// reshape C3: -1 beside 0.
graven.graph @reshape(%0: tensor<0x3xf32>) {
  // expected-error @below {{shape has -1 beside a zero extent (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reshape %0 to [-1, 0] : (tensor<0x3xf32>) -> tensor<1x0xf32>
  graven.return
}

// -----

// reshape C4: a negative entry.
graven.graph @reshape(%0: tensor<2x3xf32>) {
  // expected-error @below {{shape has the entry -2, expected at least -1 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reshape %0 to [-2, 3] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// reshape C4: a dynamic entry without its operand.
graven.graph @reshape(%0: tensor<2x3xf32>) {
  // expected-error @below {{shape has 1 dynamic entries, expected one for each of the 0 dynamic operands (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = "graven.reshape"(%0) {shape = array<i64: -9223372036854775808, 3>} : (tensor<2x3xf32>) -> tensor<?x3xf32>
  graven.return
}

// -----

// transpose C1: too short.
graven.graph @transpose(%0: tensor<2x3xf32>) {
  // expected-error @below {{permutation has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.transpose %0 by [0] : (tensor<2x3xf32>) -> tensor<2xf32>
  graven.return
}

// -----

// transpose C1: an axis twice.
graven.graph @transpose(%0: tensor<2x3xf32>) {
  // expected-error @below {{permutation names axis 0 twice (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.transpose %0 by [0, 0] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  graven.return
}

// -----

// transpose C1: no such axis.
graven.graph @transpose(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.transpose %0 by [0, 2] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  graven.return
}

// -----

// broadcast C1: axes do not ascend.
graven.graph @broadcast(%0: tensor<2x3xf32>) {
  // expected-error @below {{axes are not sorted and unique: 1 before 0 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.broadcast %0 to [2, 3, 4] axes [1, 0] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
  graven.return
}

// -----

// broadcast C1: an axis outside.
graven.graph @broadcast(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.broadcast %0 to [2, 3] axes [1, 2] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// broadcast C2: neither 1 nor equal.
graven.graph @broadcast(%0: tensor<2x3xf32>) {
  // expected-error @below {{the result's extent is 4, expected 3 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.broadcast %0 to [2, 4] axes [0, 1] : (tensor<2x3xf32>) -> tensor<2x4xf32>
  graven.return
}

// -----

// broadcast C3: an operand without its entry.
graven.graph @broadcast(%0: tensor<2x3xf32>, %1: tensor<i64>) {
  // expected-error @below {{shape has 0 dynamic entries, expected one for each of the 1 dynamic operands (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = "graven.broadcast"(%0, %1) {shape = array<i64: 2, 3>, axes = array<i64: 0, 1>} : (tensor<2x3xf32>, tensor<i64>) -> tensor<2x3xf32>
  graven.return
}

// -----

// reverse C1: no such axis.
graven.graph @reverse(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reverse %0 axes [2] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// iota C1: a negative extent.
graven.graph @iota() {
  // expected-error @below {{shape has the entry -2, expected at least 0 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.iota [-2] axis 0 of i64 : () -> tensor<2xi64>
  graven.return
}

// -----

// iota C2: no such axis.
graven.graph @iota() {
  // expected-error @below {{axis 1 is out of range for rank 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.iota [2] axis 1 of i64 : () -> tensor<2xi64>
  graven.return
}

// -----

// dim C1: no such axis.
graven.graph @dim(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  %r = graven.dim %0 axis 2 : tensor<2x3xf32>
  graven.return
}

// -----

// relayout C1: from itself.
graven.graph @relayout(%0: tensor<1x20x4xf32>) {
  // expected-error @below {{from and to are both nchw (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.relayout %0 from nchw to nchw channels 20 : (tensor<1x20x4xf32>) -> tensor<1x20x4xf32>
  graven.return
}

// -----

// relayout C2: no channels.
graven.graph @relayout(%0: tensor<1x20x4xf32>) {
  // expected-error @below {{channels is 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.relayout %0 from nchw to nchw16c channels 0 : (tensor<1x20x4xf32>) -> tensor<1x20x4xf32>
  graven.return
}

// -----

// relayout C2: other channels.
graven.graph @relayout(%0: tensor<1x20x4xf32>) {
  // expected-error @below {{x's channel extent is 20, expected 16 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.relayout %0 from nchw to nchw16c channels 16 : (tensor<1x20x4xf32>) -> tensor<1x1x4x16xf32>
  graven.return
}

// -----

// relayout C2: blocks of 8.
graven.graph @relayout(%0: tensor<1x2x4x8xf32>) {
  // expected-error @below {{x's last extent is 8, expected 16 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.relayout %0 from nchw16c to nchw channels 20 : (tensor<1x2x4x8xf32>) -> tensor<1x20x4xf32>
  graven.return
}

// -----

// relayout C3: rank 1.
graven.graph @relayout(%0: tensor<4xf32>) {
  // expected-error @below {{x has rank 1, expected 2 to 5 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.relayout %0 from nchw to nchw16c channels 4 : (tensor<4xf32>) -> tensor<4xf32>
  graven.return
}

// -----

// V7: more bytes than i64 counts.
graven.graph @broadcast(%0: tensor<1xf32>) {
  // expected-error @below {{the result's number of bytes does not fit i64 (V7)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.broadcast %0 to [4294967296, 4294967296] axes [1] : (tensor<1xf32>) -> tensor<4294967296x4294967296xf32>
  graven.return
}
