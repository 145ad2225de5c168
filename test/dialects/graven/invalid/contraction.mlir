// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the contraction ops, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// matmul C1: element types differ.
graven.graph @matmul(%0: tensor<2x3xf32>, %1: tensor<3x4xf16>) {
  // expected-error @below {{operand #1 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf16>) -> tensor<2x4xf32>
  graven.return
}

// -----

// matmul C2: a vector.
graven.graph @matmul(%0: tensor<3xf32>) {
  // expected-error @below {{a has rank 1, expected at least 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.matmul %0, %0 : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  graven.return
}

// -----

// matmul C2: ranks differ.
graven.graph @matmul(%0: tensor<2x3xf32>, %1: tensor<1x3x4xf32>) {
  // expected-error @below {{b has rank 3, expected 2 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.matmul %0, %1 : (tensor<2x3xf32>, tensor<1x3x4xf32>) -> tensor<1x2x4xf32>
  graven.return
}

// -----

// matmul C3: contracted extents differ.
graven.graph @matmul(%0: tensor<2x3xf32>, %1: tensor<3x4xf32>) {
  // expected-error @below {{b's contracted extent is 4, expected 3 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.matmul %0, %1 transpose_b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  graven.return
}

// -----

// matmul C4: batches do not broadcast.
graven.graph @matmul(%0: tensor<2x2x3xf32>, %1: tensor<4x3x4xf32>) {
  // expected-error @below {{b has extent 4 on batch axis 0, expected 2 or 1 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.matmul %0, %1 : (tensor<2x2x3xf32>, tensor<4x3x4xf32>) -> tensor<2x2x4xf32>
  graven.return
}

// -----

// attention C1: element types differ.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<1x2x7x6xf16>) {
  // expected-error @below {{operand #2 has element type 'f16', expected 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf16>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C1: a mask of ints.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<1x2x7x6xf32>, %3: tensor<1x1x5x7xi32>) {
  // expected-error @below {{mask has element type 'i32', expected i1 or 'f32' (C1)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 mask %3 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>, tensor<1x1x5x7xi32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C2: rank 3.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<2x7x6xf32>) {
  // expected-error @below {{v has rank 3, expected 4 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<2x7x6xf32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C3: heads do not divide.
graven.graph @attention(%0: tensor<1x3x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<1x2x7x6xf32>) {
  // expected-error @below {{q has 3 heads, expected a multiple of the 2 of k (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x3x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C3: numbers of keys differ.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<1x2x8x6xf32>) {
  // expected-error @below {{v's number of keys is 8, expected 7 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x8x6xf32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C3: head sizes differ.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x9xf32>, %2: tensor<1x2x7x6xf32>) {
  // expected-error @below {{k's head size is 9, expected 8 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x9xf32>, tensor<1x2x7x6xf32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C3: batches differ.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<2x2x7x8xf32>, %2: tensor<1x2x7x6xf32>) {
  // expected-error @below {{k's batch is 2, expected 1 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<1x2x7x6xf32>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// attention C4: the mask does not broadcast.
graven.graph @attention(%0: tensor<1x4x5x8xf32>, %1: tensor<1x2x7x8xf32>, %2: tensor<1x2x7x6xf32>, %3: tensor<1x1x5x6xi1>) {
  // expected-error @below {{mask has extent 6 on axis 3, expected 1 or 7 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %r = graven.attention %0, %1, %2 mask %3 scale 1.0 : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>, tensor<1x1x5x6xi1>) -> tensor<1x4x5x6xf32>
  graven.return
}

// -----

// matmul C5: Strassen's algorithm halves the depth.
graven.graph @odd(%a: tensor<4x5xf32>, %b: tensor<5x8xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{algorithm is strassen, expected direct, or strassen with f32, an a that is not transposed, and a b with batch axes of 1, an even K and a known N (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.matmul %a, %b algorithm strassen : (tensor<4x5xf32>, tensor<5x8xf32>) -> tensor<4x8xf32>
  graven.return %0 : tensor<4x8xf32>
}
