// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the elementwise ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// C1: element types differ.
graven.graph @add(%0: tensor<2xf32>, %1: tensor<2xf16>) {
  // expected-error @below {{requires the same element type}}
  %r = graven.add %0, %1 : (tensor<2xf32>, tensor<2xf16>) -> tensor<2xf32>
  graven.return
}

// -----

// C2: ranks differ.
graven.graph @add(%0: tensor<2xf32>, %1: tensor<1x2xf32>) {
  // expected-error @below {{operand #0 has rank 1, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.add %0, %1 : (tensor<2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  graven.return
}

// -----

// C2: extents do not broadcast.
graven.graph @mul(%0: tensor<2x3xf32>, %1: tensor<2x4xf32>) {
  // expected-error @below {{operand #1 has extent 4 on axis 1, expected 3 or 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.mul %0, %1 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// V1: an op of floats on ints.
graven.graph @exp(%0: tensor<2xi32>) {
  // expected-error @below {{operand #0 must be ranked tensor}}
  %r = graven.exp %0 : tensor<2xi32>
  graven.return
}

// -----

// V1: an op of ints on floats.
graven.graph @and(%0: tensor<2xf32>) {
  // expected-error @below {{operand #0 must be ranked tensor}}
  %r = graven.and %0, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return
}

// -----

// V6: a static extent is declared unknown.
graven.graph @add(%0: tensor<2xf32>) {
  // expected-error @below {{inferred type(s) 'tensor<2xf32>' are incompatible with return type(s) of operation 'tensor<?xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.add %0, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<?xf32>
  graven.return
}

// -----

// V1: cast to a type outside the set.
graven.graph @cast(%0: tensor<2xf32>) {
  // expected-error @below {{element type 'index' is not one of f16, bf16, f32, f64, i1, i8 to i64, ui8 to ui64 (V1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.cast %0 {to = index} : (tensor<2xf32>) -> tensor<2xf32>
  graven.return
}

// -----

// bitcast C1: widths differ.
graven.graph @bitcast(%0: tensor<2xf32>) {
  // expected-error @below {{element type 'i16' has 16 bits, expected 32 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.bitcast %0 {to = i16} : (tensor<2xf32>) -> tensor<2xi16>
  graven.return
}

// -----

// compare C1: element types differ.
graven.graph @compare(%0: tensor<2xf32>, %1: tensor<2xi32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.compare lt %0, %1 : (tensor<2xf32>, tensor<2xi32>) -> tensor<2xi1>
  graven.return
}

// -----

// compare C2: extents do not broadcast.
graven.graph @compare(%0: tensor<2xf32>, %1: tensor<3xf32>) {
  // expected-error @below {{operand #1 has extent 3 on axis 0, expected 2 or 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.compare lt %0, %1 : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xi1>
  graven.return
}

// -----

// select C1: element types differ.
graven.graph @select(%0: tensor<2xi1>, %1: tensor<2xf32>, %2: tensor<2xi32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.select %0, %1, %2 : (tensor<2xi1>, tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  graven.return
}

// -----

// select C2: extents do not broadcast.
graven.graph @select(%0: tensor<3xi1>, %1: tensor<2xf32>) {
  // expected-error @below {{operand #1 has extent 2 on axis 0, expected 3 or 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.select %0, %1, %1 : (tensor<3xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return
}

// -----

// clamp C1: element types differ.
graven.graph @clamp(%0: tensor<2xf32>, %1: tensor<f64>) {
  // expected-error @below {{operand #1 has element type 'f64', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.clamp %0 lo %1 : (tensor<2xf32>, tensor<f64>) -> tensor<2xf32>
  graven.return
}

// -----

// clamp C2: a bound is larger than x.
graven.graph @clamp(%0: tensor<1xf32>, %1: tensor<2xf32>) {
  // expected-error @below {{hi has extent 2 on axis 0, expected 1 or 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.clamp %0 hi %1 : (tensor<1xf32>, tensor<2xf32>) -> tensor<1xf32>
  graven.return
}

// -----

// clamp C3: no bound.
graven.graph @clamp(%0: tensor<2xf32>) {
  // expected-error @below {{has no bound, expected lo, hi or both (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.clamp %0 : (tensor<2xf32>) -> tensor<2xf32>
  graven.return
}

// -----

// leaky_relu C1: element types differ.
graven.graph @leaky_relu(%0: tensor<2xf32>, %1: tensor<f64>) {
  // expected-error @below {{operand #1 has element type 'f64', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.leaky_relu %0, %1 : (tensor<2xf32>, tensor<f64>) -> tensor<2xf32>
  graven.return
}

// -----

// leaky_relu C2: slope of another rank.
graven.graph @leaky_relu(%0: tensor<2x2xf32>, %1: tensor<2xf32>) {
  // expected-error @below {{slope has rank 1, expected 0 or 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.leaky_relu %0, %1 : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  graven.return
}
