// RUN: graven-opt %s --graven-run-checks -split-input-file -verify-diagnostics
// What only a run can know is a located error, never an access out of bounds.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @gather() {
  %x = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = graven.constant dense<[0, 2]> : tensor<2xi64>
  // expected-error @below {{[GRV0402] 'graven.gather' index 2 is out of range for extent 2 of axis 0}}
  %y = graven.gather %x[%i] axis 0 : (tensor<2xf32>, tensor<2xi64>) -> tensor<2xf32>
  graven.return
}

// -----

graven.graph @gather_elements() {
  %x = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = graven.constant dense<[-3]> : tensor<1xi32>
  // expected-error @below {{'graven.gather_elements' index -3 is out of range for extent 2 of axis 0}}
  %y = graven.gather_elements %x[%i] axis 0 : (tensor<2xf32>, tensor<1xi32>) -> tensor<1xf32>
  graven.return
}

// -----

graven.graph @gather_nd() {
  %x = graven.constant dense<1.0> : tensor<2x3xf32>
  %i = graven.constant dense<[[1, 3]]> : tensor<1x2xi64>
  // expected-error @below {{'graven.gather_nd' index 3 is out of range for extent 3 of axis 1}}
  %y = graven.gather_nd %x[%i] : (tensor<2x3xf32>, tensor<1x2xi64>) -> tensor<1xf32>
  graven.return
}

// -----

graven.graph @scatter_nd() {
  %x = graven.constant dense<1.0> : tensor<2xf32>
  %i = graven.constant dense<[[9223372036854775807]]> : tensor<1x1xi64>
  %u = graven.constant dense<1.0> : tensor<1xf32>
  // expected-error @below {{'graven.scatter_nd' index 9223372036854775807 is out of range for extent 2 of axis 0}}
  %y = graven.scatter_nd %u into %x[%i] : (tensor<2xf32>, tensor<1x1xi64>, tensor<1xf32>) -> tensor<2xf32>
  graven.return
}

// -----

graven.graph @reshape() {
  %n = graven.constant dense<4> : tensor<i64>
  %x = graven.constant dense<1.0> : tensor<6xf32>
  // expected-error @below {{shape holds 8 elements, expected 6 (C2)}}
  %y = graven.reshape %x to [2, %n] : (tensor<6xf32>, tensor<i64>) -> tensor<2x?xf32>
  graven.return
}

// -----

graven.graph @insert_slice() {
  %n = graven.constant dense<5> : tensor<i64>
  %x = graven.constant dense<1.0> : tensor<6xf32>
  %u = graven.constant dense<1.0> : tensor<2xf32>
  // expected-error @below {{the window that starts at 5 does not fit extent 6 of axis 0 (C2)}}
  %y = graven.insert_slice %u into %x [%n] by [1] : (tensor<6xf32>, tensor<2xf32>, tensor<i64>) -> tensor<6xf32>
  graven.return
}

// -----

graven.graph @huge() {
  %n = graven.constant dense<4611686018427387904> : tensor<i64>
  // expected-error @below {{dynamic shape is too large to evaluate}}
  %y = graven.iota [%n] axis 0 of f32 : (tensor<i64>) -> tensor<?xf32>
  graven.return
}

// -----

// Unknown extents that turn out not to agree.
graven.graph @late() {
  %n = graven.constant dense<2> : tensor<i64>
  %m = graven.constant dense<3> : tensor<i64>
  %x = graven.iota [%n] axis 0 of f32 : (tensor<i64>) -> tensor<?xf32>
  %y = graven.iota [%m] axis 0 of f32 : (tensor<i64>) -> tensor<?xf32>
  // expected-error @below {{operand #1 has extent 3 on axis 0, expected 2 or 1 (C2)}}
  %z = graven.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  graven.return
}

// -----

// expected-error @below {{is called recursively}}
graven.graph @again() {
  graven.call @again() : () -> ()
  graven.return
}
