// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the norm ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// batch_norm C1: element types differ.
graven.graph @batch_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>, %2: tensor<6xf16>) {
  // expected-error @below {{operand #3 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.batch_norm %0 scale %1 bias %1 mean %2 variance %1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf16>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// batch_norm C1: rank 1.
graven.graph @batch_norm(%0: tensor<6xf32>, %1: tensor<6xf32>, %2: tensor<6xf32>) {
  // expected-error @below {{x has rank 1, expected at least 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.batch_norm %0 scale %1 bias %1 mean %2 variance %1 epsilon 1.0e-5 : (tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  graven.return
}

// -----

// batch_norm C2: mean of other channels.
graven.graph @batch_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>, %2: tensor<4xf32>) {
  // expected-error @below {{mean has extent 4 on axis 0, expected 6 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.batch_norm %0 scale %1 bias %1 mean %2 variance %1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6xf32>, tensor<6xf32>, tensor<4xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// batch_norm C3: a negative epsilon.
graven.graph @batch_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>, %2: tensor<6xf32>) {
  // expected-error @below {{epsilon is -1.000000e+00, expected at least 0 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.batch_norm %0 scale %1 bias %1 mean %2 variance %1 epsilon -1.0 : (tensor<2x6x4xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// layer_norm C1: element types differ.
graven.graph @layer_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.layer_norm %0 scale %1 axis 1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6x4xf16>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// layer_norm C2: no such axis.
graven.graph @layer_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf32>) {
  // expected-error @below {{axis 3 is out of range for rank 3 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.layer_norm %0 scale %1 axis 3 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// layer_norm C3: scale of another shape.
graven.graph @layer_norm(%0: tensor<2x6x4xf32>, %1: tensor<4xf32>) {
  // expected-error @below {{scale has rank 1, expected 2 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.layer_norm %0 scale %1 axis 1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// layer_norm C4: a negative epsilon.
graven.graph @layer_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf32>) {
  // expected-error @below {{epsilon is -1.000000e+00, expected at least 0 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.layer_norm %0 scale %1 axis 1 epsilon -1.0 : (tensor<2x6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// rms_norm C1: element types differ.
graven.graph @rms_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.rms_norm %0 scale %1 axis 1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6x4xf16>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// rms_norm C2: no such axis.
graven.graph @rms_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf32>) {
  // expected-error @below {{axis 3 is out of range for rank 3 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.rms_norm %0 scale %1 axis 3 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// rms_norm C3: scale of another shape.
graven.graph @rms_norm(%0: tensor<2x6x4xf32>, %1: tensor<4xf32>) {
  // expected-error @below {{scale has rank 1, expected 2 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.rms_norm %0 scale %1 axis 1 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// rms_norm C4: a negative epsilon.
graven.graph @rms_norm(%0: tensor<2x6x4xf32>, %1: tensor<6x4xf32>) {
  // expected-error @below {{epsilon is -1.000000e+00, expected at least 0 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.rms_norm %0 scale %1 axis 1 epsilon -1.0 : (tensor<2x6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// group_norm C1: element types differ.
graven.graph @group_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 2 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6xf16>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// group_norm C1: rank 1.
graven.graph @group_norm(%0: tensor<6xf32>, %1: tensor<6xf32>) {
  // expected-error @below {{x has rank 1, expected at least 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 2 epsilon 1.0e-5 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  graven.return
}

// -----

// group_norm C2: groups do not divide.
graven.graph @group_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>) {
  // expected-error @below {{x has 6 channels, expected a multiple of groups = 4 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 4 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// group_norm C2: no group.
graven.graph @group_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>) {
  // expected-error @below {{groups is 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 0 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// group_norm C3: bias of other channels.
graven.graph @group_norm(%0: tensor<2x6x4xf32>, %1: tensor<4xf32>) {
  // expected-error @below {{bias has extent 4 on axis 0, expected 6 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 2 epsilon 1.0e-5 : (tensor<2x6x4xf32>, tensor<4xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// group_norm C4: a negative epsilon.
graven.graph @group_norm(%0: tensor<2x6x4xf32>, %1: tensor<6xf32>) {
  // expected-error @below {{epsilon is -1.000000e+00, expected at least 0 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.group_norm %0 bias %1 groups 2 epsilon -1.0 : (tensor<2x6x4xf32>, tensor<6xf32>) -> tensor<2x6x4xf32>
  graven.return
}

// -----

// softmax C1: no such axis.
graven.graph @softmax(%0: tensor<2x6x4xf32>) {
  // expected-error @below {{axis 3 is out of range for rank 3 (C1)}}
  %r = graven.softmax %0 axis 3 : tensor<2x6x4xf32>
  graven.return
}

// -----

// log_softmax C1: no such axis.
graven.graph @log_softmax(%0: tensor<2x6x4xf32>) {
  // expected-error @below {{axis 3 is out of range for rank 3 (C1)}}
  %r = graven.log_softmax %0 axis 3 : tensor<2x6x4xf32>
  graven.return
}
