// Passes say what they did to each Node, and of what they did not, the reason.
// RUN: graven compile %s -o %t.so --explain 2>&1 | FileCheck %s
// RUN: graven compile %s -o %t.so 2>&1 | count 0
// RUN: graven-opt %s --graven-fuse-conv-bn --explain -o /dev/null 2>&1 | FileCheck %s --check-prefix=OPT
// RUN: graven-opt %s --graven-fuse-conv-bn -o /dev/null 2>&1 | count 0
// RUN: graven export %s -o %t.onnx --explain 2>&1 | FileCheck %s --check-prefix=EXPORT
// RUN: graven simplify %t.onnx %t.small.onnx --explain --json 2>&1 | FileCheck %s --check-prefix=EXPORT
// RUN: graven compile %s -o %t.so --numerics strict --explain 2>&1 | FileCheck %s --check-prefix=STRICT

// CHECK-DAG: explain.mlir:[[@LINE+17]]:8: graven-fuse-conv-bn: graven.batch_norm: FuseIntoConv<ConvOp>{{$}}
// CHECK-DAG: explain.mlir:[[@LINE+14]]:8: graven-fuse-epilogues: graven.conv: FuseBehind<ConvOp>{{$}}
// CHECK-DAG: explain.mlir:[[@LINE+13]]:8: graven-choose-algorithms: graven.conv: winograd4: estimated cycles direct {{.*}}, tiles of 2x2 {{.*}}, tiles of 4x4
// CHECK-DAG: explain.mlir:{{.*}}: graven-choose-algorithms: graven.matmul: direct: Strassen's algorithm takes
// OPT: explain.mlir:{{[0-9]+}}:8: graven-fuse-conv-bn: graven.batch_norm: FuseIntoConv<ConvOp>{{$}}
// EXPORT: {{^}}graven-recompose-ops {{.*[0-9]+$}}
// STRICT-NOT: graven-choose-algorithms:
graven.param @w : tensor<64x64x3x3xf32> = dense<0.5> : tensor<64x64x3x3xf32>
graven.param @v : tensor<64xf32> = dense<2.0> : tensor<64xf32>
graven.param @m : tensor<64x8xf32> = dense<0.5> : tensor<64x8xf32>
graven.graph @forward(%x: tensor<1x64x32x32xf32> {graven.name = "x"})
    -> (tensor<1x8xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<64x64x3x3xf32>
  %v = graven.get_param @v : tensor<64xf32>
  %m = graven.get_param @m : tensor<64x8xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1
      : (tensor<1x64x32x32xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x32x32xf32>
  %1 = graven.batch_norm %0 scale %v bias %v mean %v variance %v epsilon 1.0e-05 : (tensor<1x64x32x32xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<1x64x32x32xf32>
  %2 = graven.relu %1 : tensor<1x64x32x32xf32>
  %3 = graven.reduce mean %2 axes [2, 3] : (tensor<1x64x32x32xf32>) -> tensor<1x64xf32>
  %4 = graven.matmul %3, %m : (tensor<1x64xf32>, tensor<64x8xf32>) -> tensor<1x8xf32>
  graven.return %4 : tensor<1x8xf32>
}
