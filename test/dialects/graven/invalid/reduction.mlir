// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the reduction ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// reduce C1: axes not sorted.
graven.graph @reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{axes are not sorted and unique: 1 before 0 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reduce sum %0 axes [1, 0] : (tensor<2x3xf32>) -> tensor<f32>
  graven.return
}

// -----

// reduce C1: no such axis.
graven.graph @reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reduce sum %0 axes [2] : (tensor<2x3xf32>) -> tensor<f32>
  graven.return
}

// -----

// reduce C2: and of floats.
graven.graph @reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{kind and of element type 'f32', expected ints or bools (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reduce and %0 axes [0] : (tensor<2x3xf32>) -> tensor<3xf32>
  graven.return
}

// -----

// reduce C2: a sum of bools.
graven.graph @reduce(%0: tensor<2xi1>) {
  // expected-error @below {{kind is sum, expected max, min, and, or for bools (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.reduce sum %0 axes [0] : (tensor<2xi1>) -> tensor<i1>
  graven.return
}

// -----

// arg_reduce C1: no such axis.
graven.graph @arg_reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.arg_reduce max %0 axis 2 : (tensor<2x3xf32>) -> tensor<2xi64>
  graven.return
}

// -----

// arg_reduce C2: an empty axis.
graven.graph @arg_reduce(%0: tensor<2x0xf32>) {
  // expected-error @below {{axis 1 has extent 0, expected at least 1 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.arg_reduce max %0 axis 1 : (tensor<2x0xf32>) -> tensor<2xi64>
  graven.return
}

// -----

// cum_reduce C1: a running mean.
graven.graph @cum_reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{kind is mean, expected sum, prod, max or min (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.cum_reduce mean %0 axis 0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// cum_reduce C2: no such axis.
graven.graph @cum_reduce(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.cum_reduce sum %0 axis 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// -----

// topk C1: no such axis.
graven.graph @topk(%0: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is out of range for rank 2 (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r:2 = graven.topk %0 k 1 axis 2 : (tensor<2x3xf32>) -> (tensor<1x3xf32>, tensor<1x3xi64>)
  graven.return
}

// -----

// topk C2: more than there are.
graven.graph @topk(%0: tensor<2x3xf32>) {
  // expected-error @below {{k is 3, expected 0 to 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r:2 = graven.topk %0 k 3 axis 0 : (tensor<2x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xi64>)
  graven.return
}
