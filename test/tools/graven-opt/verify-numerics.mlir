// RUN: graven-opt --graven-fuse-conv-bn --canonicalize --verify-numerics %s 2>&1 | FileCheck %s
// RUN: graven-opt --graven-fuse-conv-bn --verify-numerics=1e-5,1e-6 %s | FileCheck %s --check-prefix=USER
// RUN: not graven-opt --graven-fuse-conv-bn --verify-numerics=1e-5 %s 2>&1 | FileCheck %s --check-prefix=USAGE
// RUN: graven compile %s -o %t.so --verify-numerics
// RUN: not graven compile %s -o %t.so --verify-numerics=x,y 2>&1 | FileCheck %s --check-prefix=COMPILE

// A tolerance of nothing: folding the statistics rounds in another order.
// RUN: not graven-opt --graven-fuse-conv-bn --verify-numerics=0,0 --verify-numerics-reproducer=%t.mlir %s 2>&1 \
// RUN:   | FileCheck %s --check-prefix=STRICT
// RUN: FileCheck %s --check-prefix=REPRODUCER < %t.mlir
// RUN: not graven-opt --pass-pipeline='builtin.module(graven.graph(graven-fuse-conv-bn))' --verify-numerics=0,0 \
// RUN:   --verify-numerics-reproducer=%t.2.mlir %t.mlir

// An index that random numbers do not hit is no failure of a pass.
//      CHECK: warning: the evaluator cannot run graph 'index' on random inputs: it is not verified
// CHECK-NOT:   warning
//      CHECK: graven.conv
//  CHECK-NOT: batch_norm

//     USER: graven.conv
// USER-NOT: batch_norm

//   USAGE: graven-opt: --verify-numerics expects rtol,atol, got '1e-5'
// COMPILE: error: [GRV0004] --verify-numerics takes rtol,atol, got 'x,y'

// STRICT: verify-numerics.mlir:[[# @LINE + 17]]:1: error: [GRV0602] pass 'graven-fuse-conv-bn' changed what graph 'forward' computes: output 0, element {{[0-9]+}} of tensor<1x4x3x3xf32>: expected {{.*}}, got
// STRICT: verify-numerics.mlir:[[# @LINE + 22]]:8: note: pattern '{{.*}}' on this 'graven.batch_norm' is the first that changes it
// STRICT: note: '{{.*}}.mlir' is the module before the pass

//      REPRODUCER: // {{RUN}}: graven-opt --pass-pipeline='builtin.module(graven.graph(graven-fuse-conv-bn
// REPRODUCER-SAME: --verify-numerics %s
//      REPRODUCER: graven.batch_norm

graven.param @w : tensor<4x3x3x3xf32> = dense<0.3> : tensor<4x3x3x3xf32>
graven.param @s : tensor<4xf32> = dense<[0.1, 0.7, 1.3, 0.9]> : tensor<4xf32>
graven.param @b : tensor<4xf32> = dense<0.1> : tensor<4xf32>
graven.param @v : tensor<4xf32> = dense<[0.4, 0.7, 1.3, 0.2]> : tensor<4xf32>
graven.graph @index(%x: tensor<4xf32>) -> tensor<4xf32> {
  %i = graven.constant dense<7> : tensor<4xi64>
  %y = graven.gather_elements %x[%i] axis 0 : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
  graven.return %y : tensor<4xf32>
}
graven.graph @forward(%x: tensor<1x3x5x5xf32> {graven.name = "x"}) -> tensor<1x4x3x3xf32> {
  %w = graven.get_param @w : tensor<4x3x3x3xf32>
  %s = graven.get_param @s : tensor<4xf32>
  %b = graven.get_param @b : tensor<4xf32>
  %v = graven.get_param @v : tensor<4xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %b mean %b variance %v epsilon 1.0e-3 : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x3x3xf32>
  graven.return %1 : tensor<1x4x3x3xf32>
}
