// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the indexed ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// gather C1: no such axis.
graven.graph @gather(%0: tensor<2x3xf32>, %1: tensor<2xi64>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather %0[%1] axis 2 : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  graven.return
}

// -----

// V1: indices of floats.
graven.graph @gather(%0: tensor<2x3xf32>, %1: tensor<2xf32>) {
  // expected-error @below {{operand #1 must be ranked tensor of 32-bit signless integer or 64-bit signless integer values}}
  %r = graven.gather %0[%1] axis 0 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// gather_elements C1: no such axis.
graven.graph @gather_elements(%0: tensor<2x3xf32>, %1: tensor<2x3xi64>) {
  // expected-error @below {{axis -1 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_elements %0[%1] axis -1 : (tensor<2x3xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
  graven.return
}

// -----

// gather_elements C2: ranks differ.
graven.graph @gather_elements(%0: tensor<2x3xf32>, %1: tensor<2xi64>) {
  // expected-error @below {{indices has rank 1, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_elements %0[%1] axis 0 : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  graven.return
}

// -----

// gather_elements C3: more indices than elements.
graven.graph @gather_elements(%0: tensor<2x3xf32>, %1: tensor<2x4xi64>) {
  // expected-error @below {{indices has extent 4 on axis 1, expected at most 3 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_elements %0[%1] axis 0 : (tensor<2x3xf32>, tensor<2x4xi64>) -> tensor<2x4xf32>
  graven.return
}

// -----

// gather_nd C1: batch extents differ.
graven.graph @gather_nd(%0: tensor<2x3xf32>, %1: tensor<4x1xi64>) {
  // expected-error @below {{the batch of indices has extent 4 on axis 0, expected 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_nd %0[%1] batch_dims 1 : (tensor<2x3xf32>, tensor<4x1xi64>) -> tensor<4xf32>
  graven.return
}

// -----

// gather_nd C1: batch_dims out of range.
graven.graph @gather_nd(%0: tensor<2x3xf32>, %1: tensor<2x1xi64>) {
  // expected-error @below {{batch_dims is 2, expected 0 to 1 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_nd %0[%1] batch_dims 2 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2xf32>
  graven.return
}

// -----

// gather_nd C2: tuples too long.
graven.graph @gather_nd(%0: tensor<2x3xf32>, %1: tensor<4x3xi64>) {
  // expected-error @below {{index tuples have 3 entries, expected at most 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.gather_nd %0[%1] : (tensor<2x3xf32>, tensor<4x3xi64>) -> tensor<4xf32>
  graven.return
}

// -----

// scatter_nd C1: tuples too long.
graven.graph @scatter_nd(%0: tensor<2x3xf32>, %1: tensor<4x3xi64>, %2: tensor<4xf32>) {
  // expected-error @below {{index tuples have 3 entries, expected at most 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.scatter_nd %2 into %0[%1] : (tensor<2x3xf32>, tensor<4x3xi64>, tensor<4xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// scatter_nd C1: no tuple.
graven.graph @scatter_nd(%0: tensor<2x3xf32>, %1: tensor<i64>, %2: tensor<4xf32>) {
  // expected-error @below {{indices has rank 0, expected at least 1 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.scatter_nd %2 into %0[%1] : (tensor<2x3xf32>, tensor<i64>, tensor<4xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// scatter_nd C2: extents of updates.
graven.graph @scatter_nd(%0: tensor<2x3xf32>, %1: tensor<4x1xi64>, %2: tensor<4x2xf32>) {
  // expected-error @below {{updates has extent 2 on axis 1, expected 3 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.scatter_nd %2 into %0[%1] : (tensor<2x3xf32>, tensor<4x1xi64>, tensor<4x2xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// scatter_nd C3: element types differ.
graven.graph @scatter_nd(%0: tensor<2x3xf32>, %1: tensor<4x1xi64>, %2: tensor<4x3xi32>) {
  // expected-error @below {{operand #1 has element type 'i32', expected 'f32' (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.scatter_nd %2 into %0[%1] : (tensor<2x3xf32>, tensor<4x1xi64>, tensor<4x3xi32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// scatter_nd C4: sums of bools.
graven.graph @scatter_nd(%0: tensor<2xi1>, %1: tensor<1x1xi64>, %2: tensor<1xi1>) {
  // expected-error @below {{kind is add, expected none for bools (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.scatter_nd %2 into %0[%1] kind add : (tensor<2xi1>, tensor<1x1xi64>, tensor<1xi1>) -> tensor<2xi1>
  graven.return
}

// -----

// nonzero C1: how many there are at most is not known.
graven.graph @nonzero(%0: tensor<?xf32> {graven.symbols = ["n"]}) {
  // expected-error @below {{x is 'tensor<?xf32>', expected known extents (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r, %n = graven.nonzero %0 : (tensor<?xf32>) -> (tensor<4x1xi64>, tensor<i64>)
  graven.return
}

// -----

// prefix C1: no such axis.
graven.graph @prefix(%0: tensor<4xf32>, %n: tensor<i64>) {
  // expected-error @below {{axis 1 is out of range for rank 1 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.prefix %0 count %n axis 1 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  graven.return
}

// -----

// prefix C2: longer than the tensor.
graven.graph @prefix(%0: tensor<4xf32>, %n: tensor<i64>) {
  // expected-error @below {{extent is 5, expected 0 to 4 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.prefix %0 count %n axis 0 extent 5 : (tensor<4xf32>, tensor<i64>) -> tensor<5xf32>
  graven.return
}
