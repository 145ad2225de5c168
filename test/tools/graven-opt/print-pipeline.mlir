// The pipeline of a compile is text, and running that text is the compile.
// RUN: rm -rf %t && mkdir -p %t/compiled %t/run
// RUN: graven import %s -o %t/m.mlir
// RUN: graven compile %t/m.mlir --to graph --print-pipeline >%t/pipeline
// RUN: FileCheck %s <%t/pipeline
// RUN: graven compile %t/m.mlir --to graph -o %t/compiled/m.mlir
// RUN: sh -c 'graven-opt %t/m.mlir --pass-pipeline="$(cat %t/pipeline)" -o %t/run/m.mlir'
// RUN: graven-opt %t/compiled/m.mlir -o %t/compiled.mlir
// RUN: cmp %t/compiled.mlir %t/run/m.mlir
// CHECK: builtin.module(graven-inline-calls,{{.*}}graven.graph(graven-fuse-conv-bn{expand=true}{{.*}},graven-verify-graph-phase)

// So it is with the next phases, other levels, and without a pass.
// RUN: graven compile %t/m.mlir --to loops -O3 --tune-db "" --print-pipeline >%t/pipeline
// RUN: FileCheck %s --check-prefix=LOOPS <%t/pipeline
// RUN: graven compile %t/m.mlir --to loops -O3 --tune-db "" -o %t/compiled/m.mlir
// RUN: sh -c 'graven-opt %t/m.mlir --pass-pipeline="$(cat %t/pipeline)" -o %t/run/m.mlir'
// RUN: graven-opt %t/compiled/m.mlir -o %t/compiled.mlir
// RUN: cmp %t/compiled.mlir %t/run/m.mlir
// LOOPS: graven-to-kernel{{.*}}graven-expand-kernels

// RUN: graven compile %t/m.mlir --to graph --disable-pass graven-fuse-conv-bn,graven-merge-equal-nodes --print-pipeline >%t/pipeline
// RUN: FileCheck %s --check-prefix=LESS <%t/pipeline
// RUN: graven compile %t/m.mlir --to graph --disable-pass graven-fuse-conv-bn,cse -o %t/compiled/m.mlir
// RUN: sh -c 'graven-opt %t/m.mlir --pass-pipeline="$(cat %t/pipeline)" -o %t/run/m.mlir'
// RUN: graven-opt %t/compiled/m.mlir -o %t/compiled.mlir
// RUN: cmp %t/compiled.mlir %t/run/m.mlir
// LESS-NOT: graven-fuse-conv-bn
// LESS-NOT: graven-merge-equal-nodes

// graven-opt prints what its flags mean, and without any what `graven compile` runs.
// RUN: graven-opt --print-pipeline %t/m.mlir | FileCheck %s --check-prefix=LOOPS
// RUN: graven-opt --print-pipeline --graven-dce --cse | FileCheck %s --check-prefix=FLAGS
// FLAGS: builtin.module(graven-eliminate-dead-nodes,cse)

graven.param @w : tensor<4x3x3x3xf32> = dense<0.3> : tensor<4x3x3x3xf32>
graven.param @s : tensor<4xf32> = dense<0.5> : tensor<4xf32>
graven.graph @forward(%x: tensor<1x3x5x5xf32>) -> (tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>) {
  %w = graven.get_param @w : tensor<4x3x3x3xf32>
  %s = graven.get_param @s : tensor<4xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %s mean %s variance %s epsilon 1.0e-3 : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x3x3xf32>
  %2 = graven.relu %1 : tensor<1x4x3x3xf32>
  %3 = graven.exp %2 : tensor<1x4x3x3xf32>
  graven.return %2, %3 : tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>
}
