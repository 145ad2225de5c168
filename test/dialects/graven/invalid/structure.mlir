// RUN: graven-opt %s -split-input-file -verify-diagnostics
// Each constraint of the ops that give a model its structure, broken once; the message ends with its label.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// graph C2: two inputs of one name.
// expected-error @below {{two inputs are named 'x' (C2)}}
graven.graph @names(%a: tensor<1xf32> {graven.name = "x"}, %b: tensor<1xf32> {graven.name = "x"}) {
  graven.return
}

// -----

// graph C3: symbols of another rank.
// expected-error @below {{input #0: graven.symbols needs one entry an axis (C3)}}
graven.graph @symbols(%a: tensor<?x2xf32> {graven.symbols = ["n"]}) {
  graven.return
}

// -----

// return C1: other types than declared.
graven.graph @types(%a: tensor<1xf32>) -> (tensor<2xf32>) {
  // expected-error @below {{the graph declares 'tensor<2xf32>' (C1)}}
  graven.return %a : tensor<1xf32>
}

// -----

// param C1: an unknown extent.
// expected-error @below {{has an unknown extent: 'tensor<?xf32>' (C1)}}
graven.param @unknown : tensor<?xf32> = #graven.blob<"f", 0, 4>

// -----

// param C2: more elements than bytes.
// expected-error @below {{of type 'tensor<2xf32>' does not fit its blob of 7 bytes (C2)}}
graven.param @short : tensor<2xf32> = #graven.blob<"f", 0, 7>

// -----

// param C2: strides that overflow.
// expected-error @below {{does not fit its blob of 8 bytes (C2)}}
graven.param @far : tensor<3x1xf32> = #graven.blob<"f", 0, 8, strides = [9223372036854775807, 1]>

// -----

// param C3: a value of another type.
// expected-error @below {{needs a blob or an elements attribute of type 'tensor<2xf32>' (C3)}}
graven.param @other : tensor<2xf32> = dense<1.0> : tensor<3xf32>

// -----

// get_param C1: no such Parameter.
graven.graph @get() {
  // expected-error @below {{names no Parameter: 'missing' (C1)}}
  %0 = graven.get_param @missing : tensor<1xf32>
  graven.return
}

// -----

// get_param C2: another type.
graven.param @p : tensor<1xf32> = dense<1.0> : tensor<1xf32>
graven.graph @get() {
  // expected-error @below {{has type 'tensor<2xf32>', the Parameter 'tensor<1xf32>' (C2)}}
  %0 = graven.get_param @p : tensor<2xf32>
  graven.return
}

// -----

// call C1: no such graph.
graven.graph @caller() {
  // expected-error @below {{names no graph: 'missing' (C1)}}
  graven.call @missing() : () -> ()
  graven.return
}

// -----

// call C2: another type.
graven.graph @callee(%a: tensor<1xf32>) {
  graven.return
}
graven.graph @caller(%a: tensor<2xf32>) {
  // expected-error @below {{does not match the type of the callee}}
  graven.call @callee(%a) : (tensor<2xf32>) -> ()
  graven.return
}

// -----

// if C1: the Blocks yield other types.
graven.graph @if(%c: tensor<i1>, %a: tensor<1xf32>, %b: tensor<2xf32>) {
  // expected-error @below {{Block yields 'tensor<2xf32>' as #0, expected 'tensor<1xf32>'}}
  %0 = graven.if %c -> (tensor<1xf32>) {
    graven.yield %a : tensor<1xf32>
  } else {
    graven.yield %b : tensor<2xf32>
  }
  graven.return
}

// -----

// loop C1: the Block lacks the iteration.
graven.graph @loop(%c: tensor<i1>) {
  // expected-error @below {{Block has 0 arguments, expected 1 (C1)}}
  graven.loop while(%c) init() {
    graven.yield %c : tensor<i1>
  }
  graven.return
}

// -----

// loop C2: no condition is yielded.
graven.graph @loop(%c: tensor<i1>) {
  // expected-error @below {{Block yields 0 values, expected 1}}
  graven.loop while(%c) init() {
  ^bb0(%it: tensor<i64>):
    graven.yield
  }
  graven.return
}

// -----

// loop C3: a scalar is stacked.
graven.graph @loop(%c: tensor<i1>) {
  // expected-error @below {{a stacked result has no axis to stack on (C3)}}
  %0 = graven.loop while(%c) init() stacked(tensor<i64>) {
  ^bb0(%it: tensor<i64>):
    graven.yield %c, %it : tensor<i1>, tensor<i64>
  }
  graven.return
}

// -----

// fusion C3: two anchors.
graven.graph @fusion(%x: tensor<2x2xf32>) {
  // expected-error @below {{has 2 anchors, expected at most 1 (C3)}}
  %y = graven.fusion(%a = %x : tensor<2x2xf32>) -> tensor<2x2xf32> {
    %0 = graven.matmul %a, %a : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
    %1 = graven.softmax %0 axis 1 : tensor<2x2xf32>
    graven.yield %1 : tensor<2x2xf32>
  }
  graven.return
}
