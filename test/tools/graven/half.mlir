// f16 and bf16 round once for each Node in native code as in the evaluator, and casts inside a fused nest stay.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven run %s --evaluate --input x=@%S/Inputs/x.npy --save-outputs %t/out
// RUN: graven run %s --input x=@%S/Inputs/x.npy --expect 0=@%t/out/0.npy --rtol 1e-3 --expect 1=@%t/out/1.npy | FileCheck %s
// CHECK: 0: equal within rtol
// CHECK: 1: equal within rtol
graven.graph @forward(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = graven.cast %x {to = f16} : (tensor<2x8xf32>) -> tensor<2x8xf16>
  %1 = graven.tanh %0 : tensor<2x8xf16>
  %2 = graven.cast %1 {to = f32} : (tensor<2x8xf16>) -> tensor<2x8xf32>
  %3 = graven.cast %x {to = bf16} : (tensor<2x8xf32>) -> tensor<2x8xbf16>
  %4 = graven.cast %3 {to = f32} : (tensor<2x8xbf16>) -> tensor<2x8xf32>
  graven.return %2, %4 : tensor<2x8xf32>, tensor<2x8xf32>
}
