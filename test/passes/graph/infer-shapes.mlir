// RUN: graven-opt --graven-infer-shapes='input-shapes=x:4x6' --split-input-file --verify-diagnostics %s | FileCheck %s

// Through Nodes, shape arithmetic, sub-Blocks and the Graph's results.

// CHECK-LABEL: graven.graph @forward(
//  CHECK-SAME:   tensor<4x6xf32> {graven.name = "x"}) -> (tensor<24xf32>, tensor<4x6xf32>)
//       CHECK:   graven.reshape %{{.*}} to [24] : (tensor<4x6xf32>) -> tensor<24xf32>
//       CHECK:   graven.if %{{.*}} -> (tensor<4x6xf32>)
graven.graph @forward(%c: tensor<i1>, %x: tensor<?x6xf32> {graven.name = "x"}) -> (tensor<?xf32>, tensor<?x6xf32>) {
  %six = graven.constant dense<6> : tensor<i64>
  %d = graven.dim %x axis 0 : tensor<?x6xf32>
  %n = graven.mul %d, %six : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = graven.reshape %x to [%n] : (tensor<?x6xf32>, tensor<i64>) -> tensor<?xf32>
  %1 = graven.if %c -> (tensor<?x6xf32>) {
    %2 = graven.relu %x : tensor<?x6xf32>
    graven.yield %2 : tensor<?x6xf32>
  } else {
    graven.yield %x : tensor<?x6xf32>
  }
  graven.return %0, %1 : tensor<?xf32>, tensor<?x6xf32>
}

// -----

// A carried value that keeps its extents is known; one that grows is not.

// CHECK-LABEL: graven.graph @forward(
//       CHECK:   graven.loop {{.*}} -> (tensor<4x6xf32>, tensor<?x6xf32>) stacked(tensor<?x4x6xf32>)
graven.graph @forward(%n: tensor<i64>, %x: tensor<?x6xf32> {graven.name = "x"}) -> (tensor<?x6xf32>, tensor<?x6xf32>, tensor<?x?x6xf32>) {
  %true = graven.constant dense<true> : tensor<i1>
  %0:3 = graven.loop trip(%n) init(%x, %x : tensor<?x6xf32>, tensor<?x6xf32>) -> (tensor<?x6xf32>, tensor<?x6xf32>) stacked(tensor<?x?x6xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<?x6xf32>, %b: tensor<?x6xf32>):
    %1 = graven.concat %b, %x axis 0 : (tensor<?x6xf32>, tensor<?x6xf32>) -> tensor<?x6xf32>
    graven.yield %true, %a, %1, %a : tensor<i1>, tensor<?x6xf32>, tensor<?x6xf32>, tensor<?x6xf32>
  }
  graven.return %0#0, %0#1, %0#2 : tensor<?x6xf32>, tensor<?x6xf32>, tensor<?x?x6xf32>
}

// -----

// expected-error @+1 {{[GRV0304] input 'x' has type 'tensor<?x7xf32>', got 'tensor<4x6xf32>'}}
graven.graph @forward(%x: tensor<?x7xf32> {graven.name = "x"}) -> tensor<?x7xf32> {
  graven.return %x : tensor<?x7xf32>
}

// -----

// expected-error @+1 {{[GRV0302] no input is named 'x'}}
graven.graph @forward(%y: tensor<?x6xf32> {graven.name = "y"}) -> tensor<?x6xf32> {
  graven.return %y : tensor<?x6xf32>
}

// -----

graven.graph @forward(%x: tensor<?x6xf32> {graven.name = "x"}) -> tensor<5x6xf32> {
  // expected-error @+1 {{[GRV0107] contradicting shapes: the model says 'tensor<5x6xf32>', the operands give 'tensor<4x6xf32>'}}
  %0 = graven.transpose %x by [0, 1] : (tensor<?x6xf32>) -> tensor<5x6xf32>
  graven.return %0 : tensor<5x6xf32>
}
