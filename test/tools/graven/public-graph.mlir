// An artifact has one entry: a Graph that others may call is code in its callers only, at every level.
// RUN: graven run %s -O0 --input 0=@%S/Inputs/x.npy | FileCheck %s
// RUN: graven run %s -O3 --input 0=@%S/Inputs/x.npy | FileCheck %s
// CHECK: 0: f32[2,8] [
graven.graph @half(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = graven.relu %x : tensor<2x8xf32>
  graven.return %0 : tensor<2x8xf32>
}
graven.graph @forward(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = graven.call @half(%x) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %1 = graven.call @half(%0) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  graven.return %1 : tensor<2x8xf32>
}
