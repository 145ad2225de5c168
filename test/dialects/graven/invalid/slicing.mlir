// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the slicing and padding ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// slice C1: starts too short.
graven.graph @slice(%0: tensor<2x3xf32>) {
  // expected-error @below {{starts has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.slice %0 [0] to [1, 1] by [1, 1] : (tensor<2x3xf32>) -> tensor<1x1xf32>
  graven.return
}

// -----

// slice C1: steps too long.
graven.graph @slice(%0: tensor<2x3xf32>) {
  // expected-error @below {{steps has 3 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.slice %0 [0, 0] to [1, 1] by [1, 1, 1] : (tensor<2x3xf32>) -> tensor<1x1xf32>
  graven.return
}

// -----

// slice C2: a step of 0.
graven.graph @slice(%0: tensor<2x3xf32>) {
  // expected-error @below {{steps has the entry 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.slice %0 [0, 0] to [1, 1] by [1, 0] : (tensor<2x3xf32>) -> tensor<1x1xf32>
  graven.return
}

// -----

// slice C3: a dynamic start without its operand.
graven.graph @slice(%0: tensor<2x3xf32>) {
  // expected-error @below {{starts has 1 dynamic entries, expected one for each of the 0 dynamic operands (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = "graven.slice"(%0) {starts = array<i64: -9223372036854775808, 0>, ends = array<i64: 1, 1>, steps = array<i64: 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x3xf32>) -> tensor<?x1xf32>
  graven.return
}

// -----

// insert_slice C1: ranks differ.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<2xf32>) {
  // expected-error @below {{src has rank 1, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [0, 0] by [1, 1] : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// insert_slice C1: element types differ.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<2x3xi32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [0, 0] by [1, 1] : (tensor<2x3xf32>, tensor<2x3xi32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// insert_slice C2: does not fit.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<2x2xf32>) {
  // expected-error @below {{the window does not fit extent 3 of axis 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [0, 0] by [1, 3] : (tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// insert_slice C2: starts before 0.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<1x1xf32>) {
  // expected-error @below {{starts has the entry -1, expected at least 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [-1, 0] by [1, 1] : (tensor<2x3xf32>, tensor<1x1xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// insert_slice C3: a step of 0.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<1x1xf32>) {
  // expected-error @below {{steps has the entry 0, expected at least 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [0, 0] by [0, 1] : (tensor<2x3xf32>, tensor<1x1xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// insert_slice C4: starts too short.
graven.graph @insert_slice(%0: tensor<2x3xf32>, %1: tensor<1x1xf32>) {
  // expected-error @below {{starts has 1 entries, expected 2 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.insert_slice %1 into %0 [0] by [1, 1] : (tensor<2x3xf32>, tensor<1x1xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// concat C1: no operand.
graven.graph @concat() {
  // expected-error @below {{has no operand, expected at least 1 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = "graven.concat"() {axis = 0 : i64} : () -> tensor<2xf32>
  graven.return
}

// -----

// concat C1: element types differ.
graven.graph @concat(%0: tensor<2x3xf32>, %1: tensor<2x3xi32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.concat %0, %1 axis 0 : (tensor<2x3xf32>, tensor<2x3xi32>) -> tensor<4x3xf32>
  graven.return
}

// -----

// concat C1: ranks differ.
graven.graph @concat(%0: tensor<2x3xf32>, %1: tensor<2xf32>) {
  // expected-error @below {{an operand has rank 1, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.concat %0, %1 axis 0 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<4x3xf32>
  graven.return
}

// -----

// concat C2: no such axis.
graven.graph @concat(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.concat %0, %0 axis 2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  graven.return
}

// -----

// concat C3: other extents differ.
graven.graph @concat(%0: tensor<2x3xf32>, %1: tensor<2x4xf32>) {
  // expected-error @below {{an operand has extent 4 on axis 1, expected 3 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.concat %0, %1 axis 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  graven.return
}

// -----

// pad C1: low too short.
graven.graph @pad(%0: tensor<2x3xf32>) {
  // expected-error @below {{low has 1 entries, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 low [1] high [1, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// pad C2: crops more than there is.
graven.graph @pad(%0: tensor<2x3xf32>) {
  // expected-error @below {{low -2 and high -1 crop more than extent 2 of axis 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 low [-2, 0] high [-1, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// pad C3: value of another type.
graven.graph @pad(%0: tensor<2x3xf32>, %1: tensor<i32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 value %1 low [1, 0] high [0, 0] : (tensor<2x3xf32>, tensor<i32>) -> tensor<3x3xf32>
  graven.return
}

// -----

// pad C3: value of rank 1.
graven.graph @pad(%0: tensor<2x3xf32>, %1: tensor<1xf32>) {
  // expected-error @below {{value has rank 1, expected 0 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 value %1 low [1, 0] high [0, 0] : (tensor<2x3xf32>, tensor<1xf32>) -> tensor<3x3xf32>
  graven.return
}

// -----

// pad C3: value in mode edge.
graven.graph @pad(%0: tensor<2x3xf32>, %1: tensor<f32>) {
  // expected-error @below {{value is given in mode edge, expected only in mode constant (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 value %1 low [1, 0] high [0, 0] mode edge : (tensor<2x3xf32>, tensor<f32>) -> tensor<3x3xf32>
  graven.return
}

// -----

// pad C4: reflects more than there is.
graven.graph @pad(%0: tensor<2x3xf32>) {
  // expected-error @below {{mode reflect by 2 needs at least 3 elements on axis 0, got 2 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 low [2, 0] high [0, 0] mode reflect : (tensor<2x3xf32>) -> tensor<4x3xf32>
  graven.return
}

// -----

// pad C4: no edge to repeat.
graven.graph @pad(%0: tensor<0xf32>) {
  // expected-error @below {{mode edge by 2 needs at least 1 elements on axis 0, got 0 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.pad %0 low [2] high [0] mode edge : (tensor<0xf32>) -> tensor<2xf32>
  graven.return
}
